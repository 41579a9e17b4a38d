// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// The scavenger: free pages that hold old bytes go back to the OS by
// madvise(MADV_DONTNEED), from high addresses down, while first fit fills the
// low ones; and the mark bytes of wholly free blocks with them. No mapping is
// split, so their number stays what it is.
//
// Pages on their way are taken from the page allocator, so nobody can be given
// them meanwhile, and no lock is held over the system call.
//
// How much may stay: ScavengePacer::retained_bytes, a tenth more than what the
// mutators will want again before the next cycle.
#include <climits>

#include "base/futex.h"
#include "base/os_memory.h"
#include "base/sched_point.h"
#include "heap/heap.h"
#include "heap/poison.h"

namespace tricolor::heap {

namespace {
// 512 KiB at a time: some 20 us, and a few lock holds for each megabyte.
constexpr size_t kPiecePages = 64;
constexpr size_t kMarkBytesOfPage = kPageBytes >> kGranuleShift;
constexpr size_t kPagesOfMarkPage = kOsPageBytes / kMarkBytesOfPage;
}  // namespace

size_t Heap::resident_bytes() const {
  return (pages_in_use() + pages_cached_.load_relaxed() +
          free_dirty_.load_relaxed())
         << kPageShift;
}

size_t Heap::table_bytes(uint32_t procs) const {
  const size_t resident = resident_bytes();
  // A layout in use touches a page of each mcache's states, and a quarter of
  // one of its slots.
  constexpr size_t kBytesPerLayout = kOsPageBytes + kOsPageBytes / 4;
  const size_t used = central_count_.load_relaxed();
  const size_t layouts = used < layouts_.count() ? used : layouts_.count();
  return (resident >> kGranuleShift) +
         (resident >> kPageShift) * (sizeof(PageEntry) + sizeof(Span)) +
         layouts * procs * kBytesPerLayout;
}

size_t Heap::surplus_bytes() const {
  size_t resident = resident_bytes();
  size_t retained = retained_.load_relaxed();
  const size_t limit = limit_.load_relaxed();
  if (retained > limit) retained = limit;
  size_t dirty = free_dirty_.load_relaxed() << kPageShift;
  if (resident <= retained) return 0;
  return resident - retained < dirty ? resident - retained : dirty;
}

size_t Heap::scavenge_piece() {
  TRI_SCHED_POINT("heap.scavenge");
  if (page_waiters_.load_relaxed() != 0) return 0;
  uint32_t page;
  size_t npages;
  {
    base::LockGuard guard(pages_lock_);
    page = pages_.take_dirty(SIZE_MAX, kPiecePages, &npages);
    if (page == 0) return 0;
    scavenging_.fetch_add_relaxed(npages);
    free_dirty_.store_relaxed(pages_.free_dirty_pages());
  }
  bool done = base::os_discard(space_.page_address(page), npages << kPageShift);
  // Mark bytes of free pages are 0, and read as 0 afterwards.
  size_t from = (page + kPagesOfMarkPage - 1) / kPagesOfMarkPage;
  size_t to = (page + npages) / kPagesOfMarkPage;
  if (done && from < to) {
    base::os_discard(space_.mark_of(from * kPagesOfMarkPage << kPageShift),
                     (to - from) * kOsPageBytes);
  }
  {
    base::LockGuard guard(pages_lock_);
    pages_.free(page, npages, /*clean=*/done);
    scavenging_.fetch_sub_relaxed(npages);
    free_dirty_.store_relaxed(pages_.free_dirty_pages());
  }
  // ORDER-pieces-1: pairs with await_scavenger(): who sees the count finds the
  // pages.
  scavenge_pieces_.fetch_add_release(1);
  if (TRI_UNLIKELY(page_waiters_.load_relaxed() != 0)) {
    base::futex_wake(&scavenge_pieces_, INT_MAX);  // or they look after 1 ms
  }
  if (!done) return 0;
  scavenged_.fetch_add_relaxed(npages << kPageShift);
  return npages << kPageShift;
}

// The caller holds the span and has just swept it: a cell is free if its byte
// is 0. Only whole OS pages that no other cell reaches into.
void Heap::punch_holes(Span* span) {
  const uint8_t* marks =
      space_.mark_of(static_cast<size_t>(span->first_page) << kPageShift);
  const size_t stride = span->cell_bytes >> kGranuleShift;
  char* base = space_.page_address(span->first_page);
  for (size_t cell = 0; cell < span->cells;) {
    if (base::load_relaxed(&marks[cell * stride]) != 0) {
      ++cell;
      continue;
    }
    size_t from = cell * span->cell_bytes;
    while (cell < span->cells &&
           base::load_relaxed(&marks[cell * stride]) == 0) {
      ++cell;
    }
    // What lies behind the last cell belongs to nobody.
    // But for the ids of a mixed span.
    size_t to = cell == span->cells && !span->mixed
                    ? size_t{span->npages} << kPageShift
                    : cell * span->cell_bytes;
    from = (from + kOsPageBytes - 1) & ~(kOsPageBytes - 1);
    to &= ~(kOsPageBytes - 1);
    if (from < to && base::os_discard(base + from, to - from)) {
      scavenged_.fetch_add_relaxed(to - from);
    }
  }
}

size_t Heap::scavenge(size_t bytes) {
  size_t done = 0;
  while (done < bytes) {
    size_t n = scavenge_piece();
    if (n == 0) break;
    done += n;
  }
  return done;
}

void Heap::scavenge_over_limit() {
  constexpr size_t kMost = size_t{2} << 20;
  const uint64_t limit = limit_.load_relaxed();
  const size_t resident = resident_bytes();
  if (resident <= limit || free_dirty_bytes() == 0) return;
  const base::Clock& clock = base::monotonic_clock();
  const uint64_t start = clock.now_ns();
  scavenge(resident - limit < kMost ? resident - limit : kMost);
  scavenge_assist_ns_.fetch_add_relaxed(clock.now_ns() - start);
}

// For a large object that is about to be allocated. A safepoint.
void Heap::make_room(tri_mutator* mu, size_t bytes) {
  for (;;) {
    const uint64_t limit = limit_.load_relaxed();
    const uint64_t resident = resident_bytes();
    if (resident <= limit && bytes <= limit - resident) return;
    const base::Clock& clock = base::monotonic_clock();
    const uint64_t start = clock.now_ns();
    const size_t n = scavenge_piece();
    scavenge_assist_ns_.fetch_add_relaxed(clock.now_ns() - start);
    if (n == 0) return;
    if (base::load_relaxed(&mu->poll_request) != 0) tri_detail_poll_slow(mu);
  }
}

void Heap::scavenge_paced(const base::Clock& clock) {
  if (surplus_bytes() == 0) return;
  uint64_t start = clock.now_ns();
  uint64_t due = scavenge_pacer_.begin_turn(start);
  if (due == 0) return;
  uint64_t now = start;
  while (now - start < due && surplus_bytes() != 0) {
    if (scavenge_piece() == 0) break;
    now = clock.now_ns();
  }
  scavenge_pacer_.spent(now, due, now - start);
}

}  // namespace tricolor::heap
