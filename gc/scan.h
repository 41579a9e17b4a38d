// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Scanning: calls a visitor for every managed pointer in a cell, in a stretch
// of words, or among an owner's roots. Shared by the markers (through their
// edge FIFO) and by the second mark (gc/checkmark.cc), so that both see the
// same edges.
//
// Words are read one by one with relaxed loads (acquire under
// ThreadSanitizer), beside the mutators: see tricolor/field.h for what makes
// the cell behind a fresh pointer readable.
#ifndef TRICOLOR_GC_SCAN_H_
#define TRICOLOR_GC_SCAN_H_

#include <cstddef>
#include <cstdint>

#include "gc/mark_worker.h"
#include "gc/root_owner.h"
#include "heap/heap.h"
#include "tricolor/layout.h"

namespace tricolor {

/// The private door between Tracer and the collector.
struct TracerAccess {
  static Tracer make(gc::TracerImpl* impl) { return Tracer(impl); }
  static gc::TracerImpl* impl(const Tracer& t) {
    return static_cast<gc::TracerImpl*>(t.impl_);
  }
};

namespace gc {

inline uint64_t load_word(const uint64_t* p) {
  return __atomic_load_n(p, TRI_DETAIL_SLOT_LOAD);
}

template <class Visit>
inline void scan_pointers(const uint64_t* words, size_t n, Visit&& visit) {
  for (size_t i = 0; i < n; ++i) {
    visit(reinterpret_cast<void*>(load_word(&words[i])));
  }
}

template <class Visit>
inline void scan_encoded(const Encoding& e, const uint64_t* words, size_t n,
                         Visit&& visit) {
  for (size_t i = 0; i < n; ++i) {
    void* cell = heap::decode(e, load_word(&words[i]));
    if (cell != nullptr) visit(cell);
  }
}

/// Words [from, to) of a cell whose scan is by words of one kind or whose head
/// is over: the piece of a large array.
template <class Visit>
inline void scan_tail(const heap::LayoutTable& layouts,
                      const heap::HotLayout& hot, const uint64_t* words,
                      size_t from, size_t to, Visit&& visit) {
  bool encoded = hot.kind == heap::ScanKind::kAllEncoded ||
                 hot.tail == LayoutSpec::Tail::kEncoded;
  if (encoded) {
    scan_encoded(layouts.encoding(hot.encoding), words + from, to - from,
                 visit);
  } else if (hot.kind == heap::ScanKind::kAllPointers ||
             hot.tail == LayoutSpec::Tail::kPointers) {
    scan_pointers(words + from, to - from, visit);
  }
}

template <class Visit>
inline void scan_head(const heap::LayoutTable& layouts,
                      const heap::HotLayout& hot, const uint64_t* words,
                      Visit&& visit) {
  for (uint64_t bits = hot.head_pointers; bits != 0; bits &= bits - 1) {
    visit(reinterpret_cast<void*>(load_word(&words[__builtin_ctzll(bits)])));
  }
  if (hot.head_encoded == 0) return;
  const Encoding& e = layouts.encoding(hot.encoding);
  for (uint64_t bits = hot.head_encoded; bits != 0; bits &= bits - 1) {
    void* cell = heap::decode(e, load_word(&words[__builtin_ctzll(bits)]));
    if (cell != nullptr) visit(cell);
  }
}

/// Every edge of a cell. `tracer` reports the same edges as `visit`; it is what
/// a custom trace function gets.
template <class Visit>
inline void scan_cell(heap::Heap* heap, TracerImpl* tracer,
                      const heap::HotLayout& hot, LayoutId layout, void* cell,
                      size_t bytes, Visit&& visit) {
  if (TRI_ASAN && heap->is_released(cell)) return;  // poisoned
  auto* words = static_cast<const uint64_t*>(cell);
  const heap::LayoutTable& layouts = heap->layouts();
  switch (hot.kind) {
    case heap::ScanKind::kNoscan:
      return;
    case heap::ScanKind::kHeadPointers:
      for (uint64_t bits = hot.head_pointers; bits != 0; bits &= bits - 1) {
        visit(
            reinterpret_cast<void*>(load_word(&words[__builtin_ctzll(bits)])));
      }
      return;
    case heap::ScanKind::kAllPointers:
    case heap::ScanKind::kAllEncoded:
      scan_tail(layouts, hot, words, 0, bytes / 8, visit);
      return;
    case heap::ScanKind::kMixed:
      scan_head(layouts, hot, words, visit);
      scan_tail(layouts, hot, words, hot.head_bytes / 8, bytes / 8, visit);
      return;
    case heap::ScanKind::kCustom: {
      // A stale Local may lead here: nothing in a released cell means anything
      // to a trace function.
      if (TRI_UNLIKELY(heap->is_released(cell))) return;
      Tracer t = TracerAccess::make(tracer);
      hot.trace(t, cell, bytes, layouts.cold(layout).user);
      return;
    }
  }
}

/// Every root of an owner the caller has suspended (or is).
template <class Visit>
inline void scan_owner_roots(heap::Heap* heap, RootOwner* owner,
                             Visit&& visit) {
  tri_mutator& mu = owner->mu;
  auto slots = [&](void** from, void** to) {
    for (void** s = from; s < to; ++s) visit(*s);
  };
  void** top = mu.shadow_top;
  for (ShadowChunk* c = owner->shadow_chunk; c != nullptr; c = c->prev) {
    slots(c->slots(), top);
    top = c->saved_top;
  }
  slots(owner->inline_slots + 1, top);
  for (const uint64_t* word :
       {&owner->result_root, &owner->transfer_root, &owner->self_root}) {
    visit(reinterpret_cast<void*>(load_word(word)));
  }
  if (tri_value_stack* vs = mu.value_stack) {
    scan_encoded(
        heap->layouts().encoding(static_cast<EncodingId>(vs->encoding)),
        vs->base, static_cast<size_t>(vs->top - vs->base), visit);
  }
}

}  // namespace gc
}  // namespace tricolor

#endif  // TRICOLOR_GC_SCAN_H_
