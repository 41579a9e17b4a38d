// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Changing a cell's size where it lies. Small cells have the size of their
// class. A large object may use its last page whole, take the free pages behind
// it, and give pages back; only while it is swept and nobody marks, because
// markers and sweepers read its size (ORDER-swept-1). Called by
// gc/resize_api.cc.
//
// Threads: the holder of the P; the cell is shared with nobody.
#include <cstring>

#include "base/check.h"
#include "heap/heap.h"
#include "heap/poison.h"

namespace tricolor::heap {

namespace {
/// Longer stretches of used pages are not zeroed here, without a safepoint:
/// grow() then copies, which has some.
constexpr size_t kMostZeroedPages = 128;

size_t round_to_granule(size_t bytes) { return (bytes + 15) & ~size_t{15}; }
}  // namespace

bool Heap::try_grow_in_place(tri_mutator* mu, void* cell, size_t bytes,
                             const char* call) {
  check_live_cell(mu, cell, call);
  size_t page = space_.offset_of(cell) >> kPageShift;
  uint32_t size_class =
      PageEntry::size_class(space_.entry(page)->bits.load_relaxed());
  if (size_class != 0) return bytes <= tri_detail_class_bytes(size_class);
  Span* span = space_.span(page);
  if (bytes <= span->bytes) return true;
  if (is_marking(mu) || !is_swept_large(span)) return false;
  if (bytes > size_t{span->npages} << kPageShift &&
      !take_neighbours(mcache_of(mu), span, bytes)) {
    return false;
  }
  // What was its last page may have been in use before.
  char* end = static_cast<char*>(cell) + span->bytes;
  size_t more = round_to_granule(bytes) - span->bytes;
  size_t in_page = (kPageBytes - span->bytes % kPageBytes) % kPageBytes;
  unpoison(end, more);
  std::memset(end, 0, more < in_page ? more : in_page);
  span->bytes += more;
  return true;
}

// The object keeps its old size until the caller gives it the new one.
bool Heap::take_neighbours(MCache* mc, Span* span, size_t bytes) {
  if (bytes > space_.reserved_bytes()) return false;
  const size_t all = (bytes + kPageBytes - 1) >> kPageShift;
  const size_t more = all - span->npages;
  const uint32_t from = span->first_page + span->npages;
  if (!charge_pages(more)) return false;
  bool taken;
  {
    base::LockGuard guard(pages_lock_);
    taken = pages_.alloc_at(from, more, kMostZeroedPages, note_dirty());
    free_dirty_.store_relaxed(pages_.free_dirty_pages());
  }
  if (!taken) {
    pages_in_use_.fetch_sub_relaxed(more);
    return false;
  }
  char* start = space_.page_address(from);
  unpoison(start, more << kPageShift);
  zero_dirty(from, more);
  poison(start, more << kPageShift);  // up to the new size is the caller's
  for (size_t i = 0; i < more; ++i) {
    TRI_ASSERT(space_.span(from + i)->state == SpanState::kFree);
    space_.entry(from + i)->bits.store_relaxed(
        PageEntry::pack_tail(span->npages + i));
  }
  span->npages = static_cast<uint32_t>(all);
  mc->unsettled_bytes += static_cast<int64_t>(more << kPageShift);
  scavenge_over_limit();
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
  check_head("shrink", layout_of(cell), bytes);
  size_t page = space_.offset_of(cell) >> kPageShift;
  uint32_t bits = space_.entry(page)->bits.load_relaxed();
  if (PageEntry::size_class(bits) != 0) return false;
  Span* span = space_.span(page);
  size_t keep = (bytes + kPageBytes - 1) >> kPageShift;
  if (keep == span->npages || is_marking(mu) || !is_swept_large(span)) {
    return false;
  }
  span->bytes = round_to_granule(bytes);
  free_tail(mcache_of(mu), span, keep);
  poison(static_cast<char*>(cell) + span->bytes,
         (keep << kPageShift) - span->bytes);
  return true;
}

}  // namespace tricolor::heap
