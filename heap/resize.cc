// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Changing a cell's size where it lies. Small cells have the size of their
// class. A large object may use its last page whole, and give pages back; only
// while it is swept and nobody marks, because markers and sweepers read its
// size (ORDER-swept-1). Called by gc/resize_api.cc.
//
// Threads: the holder of the P; the cell is shared with nobody.
#include <cstring>

#include "base/check.h"
#include "heap/heap.h"
#include "heap/poison.h"

namespace tricolor::heap {

namespace {
size_t round_to_granule(size_t bytes) { return (bytes + 15) & ~size_t{15}; }
}  // namespace

bool Heap::try_grow_in_place(tri_mutator* mu, void* cell, size_t bytes) {
  check_live_cell(mu, cell, "try_grow_in_place");
  size_t page = space_.offset_of(cell) >> kPageShift;
  uint32_t size_class =
      PageEntry::size_class(space_.entry(page)->bits.load_relaxed());
  if (size_class != 0) return bytes <= tri_detail_class_bytes(size_class);
  Span* span = space_.span(page);
  if (bytes <= span->bytes) return true;
  if (bytes > size_t{span->npages} << kPageShift) return false;
  if (mu->barrier_on != 0 || !is_swept_large(span)) return false;
  char* end = static_cast<char*>(cell) + span->bytes;
  size_t more = round_to_granule(bytes) - span->bytes;
  unpoison(end, more);
  std::memset(end, 0, more);  // the page may have been in use before
  span->bytes += more;
  return true;
}

bool Heap::shrink(tri_mutator* mu, void* cell, size_t bytes) {
  check_live_cell(mu, cell, "shrink");
  size_t has = cell_bytes(cell);
  if (TRI_UNLIKELY(bytes == 0 || bytes > has)) {
    TRI_MISUSE("shrink",
               "%zu bytes asked of the cell %p, which has %zu; give 1 to its "
               "size, or use release (0) or grow (more)",
               bytes, cell, has);
  }
  size_t page = space_.offset_of(cell) >> kPageShift;
  uint32_t bits = space_.entry(page)->bits.load_relaxed();
  if (PageEntry::size_class(bits) != 0) return false;
  Span* span = space_.span(page);
  size_t keep = (bytes + kPageBytes - 1) >> kPageShift;
  if (keep == span->npages || mu->barrier_on != 0 || !is_swept_large(span)) {
    return false;
  }
  span->bytes = round_to_granule(bytes);
  free_tail(mcache_of(mu), span, keep);
  poison(static_cast<char*>(cell) + span->bytes,
         (keep << kPageShift) - span->bytes);
  return true;
}

}  // namespace tricolor::heap
