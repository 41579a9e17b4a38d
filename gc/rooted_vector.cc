// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// The cell behind a RootedVector, see tricolor/rooted_vector.h.
#include "tricolor/rooted_vector.h"

#include "base/check.h"
#include "gc/collector_impl.h"
#include "gc/runtime_base.h"
#include "tricolor/allocate.h"
#include "tricolor/resize.h"

namespace tricolor {
namespace gc {
namespace {

// The same arguments give the same layout.
LayoutId register_vectors(heap::Heap* heap, EncodingId encoding) {
  constexpr const char* kCall = "RootedVector";
  heap::LayoutTable& layouts = heap->layouts();
  if (encoding >= layouts.encoding_count()) {
    TRI_MISUSE(kCall, "encoding %u is not registered", unsigned{encoding});
  }
  if (layouts.encoding(encoding).stride != sizeof(uint64_t)) {
    TRI_MISUSE(kCall, "encoding %u is that of values of 16 bytes",
               unsigned{encoding});
  }
  LayoutSpec spec;
  spec.name = "tricolor.rooted_vector";
  spec.tail = encoding == kRawPointers ? LayoutSpec::Tail::kPointers
                                       : LayoutSpec::Tail::kEncoded;
  spec.encoding = encoding;
  Error error;
  const LayoutId id = layouts.add(spec, 0, &error);
  if (id == kInvalidLayout) TRI_MISUSE(kCall, "%s", error.text);
  return id;
}

// Not each time through the table of layouts.
LayoutId layout_of_vectors(const Mutator& mu, EncodingId encoding) {
  heap::Heap* heap = runtime_base(&mu)->heap;
  if (encoding != kRawPointers) return register_vectors(heap, encoding);
  base::Atomic<uint32_t>& known =
      runtime_base(&mu)->collector->impl()->rooted_vectors;
  // ORDER-rooted-vector-1: pairs with the store below: the entry precedes it.
  uint32_t id = known.load_acquire();
  if (id == kInvalidLayout) {
    id = register_vectors(heap, encoding);
    // ORDER-rooted-vector-1: pairs with the load above.
    known.store_release(id);
  }
  return static_cast<LayoutId>(id);
}

}  // namespace
}  // namespace gc

size_t detail::grow_rooted(Mutator& mu, EncodingId encoding, void** slot,
                           size_t n, void* cell) {
  constexpr size_t kLeast = 8;
  heap::Heap* heap = gc::runtime_base(&mu)->heap;
  Scope<1> scope(mu);
  *scope.take() = cell;
  const size_t has =
      *slot == nullptr ? 0 : heap->cell_bytes(*slot) / sizeof(uint64_t);
  size_t words = has * 2 > n ? has * 2 : n;
  if (words < kLeast) words = kLeast;
  const size_t bytes =
      words > SIZE_MAX / sizeof(uint64_t) ? SIZE_MAX : words * sizeof(uint64_t);
  *slot = has == 0 ? tricolor::allocate(mu, gc::layout_of_vectors(mu, encoding),
                                        bytes)
                   : grow(mu, *slot, bytes);
  return heap->cell_bytes(*slot) / sizeof(uint64_t);
}

void detail::rooted_bounds(size_t i, size_t n) {
  TRI_MISUSE("RootedVector", "index %zd of a vector of %zu",
             static_cast<ptrdiff_t>(i), n);
}

}  // namespace tricolor
