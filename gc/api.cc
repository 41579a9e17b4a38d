// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// The public calls that need the heap and the collector alone: Global,
// RootTable, root callbacks, Tracer, cell_size.
#include "base/check.h"
#include "gc/collector_impl.h"
#include "gc/runtime_base.h"
#include "gc/scan.h"
#include "tricolor/allocate.h"
#include "tricolor/global.h"
#include "tricolor/runtime.h"

namespace tricolor {

namespace {

/// The table of encodings is not looked at beyond what has been registered.
void check_encoding(heap::Heap* heap, EncodingId id, const char* call) {
  if (TRI_LIKELY(id < heap->layouts().encoding_count())) return;
  TRI_MISUSE(call,
             "encoding %u is not registered; use kRawPointers or the id that "
             "Runtime::register_encoding returned",
             unsigned{id});
}

}  // namespace

void Tracer::visit(const void* cell) {
  auto* t = static_cast<gc::TracerImpl*>(impl_);
  t->visit(t, const_cast<void*>(cell));
}

void Tracer::visit_words(const uint64_t* words, size_t n, EncodingId encoding) {
  auto* t = static_cast<gc::TracerImpl*>(impl_);
  if (TRI_UNLIKELY(t->visit_words != nullptr)) {
    t->visit_words(t, words, n, encoding);
    return;
  }
  check_encoding(t->heap, encoding, "Tracer::visit_words");
  gc::scan_encoded(t->heap->layouts().encoding(encoding), words, n,
                   [t](void* cell) { t->visit(t, cell); });
}

size_t cell_size(const Runtime& rt, const void* cell) {
  return gc::runtime_base(rt)->heap->cell_bytes(cell);
}

bool add_root_callback(Runtime& rt, RootCallback fn, void* ctx) {
  return gc::runtime_base(rt)->collector->impl()->roots.add_callback(fn, ctx);
}

void remove_root_callback(Runtime& rt, RootCallback fn, void* ctx) {
  gc::runtime_base(rt)->collector->impl()->roots.remove_callback(fn, ctx);
}

namespace detail {

uint64_t* global_acquire(Runtime& rt) {
  return gc::runtime_base(rt)->collector->impl()->roots.acquire_word();
}

void global_release(Runtime& rt, uint64_t* word) {
  gc::Roots& roots = gc::runtime_base(rt)->collector->impl()->roots;
  Mutator* mu = current();
  bool managed = mu != nullptr && mu->p != nullptr &&
                 gc::runtime_base(mu) == gc::runtime_base(rt);
  if (managed) store_slot<void*>(*mu, word, nullptr);
  // The collector itself will null the word.
  if (!managed)
    gc::runtime_base(rt)->collector->impl()->auditor.note_gone(word);
  roots.release_word(word, managed);
}

RootTableRep* root_table_create(Runtime& rt, size_t words, EncodingId enc,
                                uint64_t** data, bool may_fail) {
  check_encoding(gc::runtime_base(rt)->heap, enc, "RootTable");
  if (TRI_UNLIKELY(gc::runtime_base(rt)->heap->layouts().encoding(enc).stride !=
                   8)) {
    TRI_MISUSE("RootTable", "encoding %u is that of values of 16 bytes", enc);
  }
  RootTableRep* rep =
      gc::runtime_base(rt)->collector->impl()->roots.create_table(words, enc);
  if (rep == nullptr) {
    if (may_fail) return nullptr;
    TRI_NO_MEMORY("a RootTable of %zu words", words);
  }
  *data = rep->words;
  return rep;
}

void root_table_destroy(Runtime& rt, RootTableRep* rep) {
  gc::runtime_base(rt)->collector->impl()->auditor.note_gone(rep->words);
  gc::runtime_base(rt)->collector->impl()->roots.drop_table(rep);
}

}  // namespace detail
}  // namespace tricolor
