// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// The scavenger: free pages that hold old bytes go back to the OS by
// madvise(MADV_DONTNEED), from high addresses down, while first fit fills the
// low ones; and the tables of wholly free blocks with them. No mapping is
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
// Whole OS pages of every table but the entries: 2 MiB of heap.
constexpr size_t kBlockPages = 256;
}  // namespace

size_t Heap::resident_bytes() const {
  const size_t bytes = (pages_in_use() + pages_cached_.load_relaxed() +
                        free_dirty_.load_relaxed())
                       << kPageShift;
  const size_t punched = punched_bytes();  // counters that move meanwhile
  return bytes > punched ? bytes - punched : 0;
}

size_t Heap::table_bytes() const {
  const size_t resident = resident_bytes();
  // A slot in use touches a page of its P's states, and a quarter of one of its
  // slots, which it shares with the same layout's other sizes.
  constexpr size_t kBytesPerSlot = kOsPageBytes + kOsPageBytes / 4;
  const size_t touched = touched_slots_.load_relaxed();
  const size_t most = size_t{layouts_.count()} * tables_made_.load_relaxed();
  return (resident >> kGranuleShift) +
         (resident >> kPageShift) * (sizeof(PageEntry) + sizeof(Span)) +
         (touched < most ? touched : most) * kBytesPerSlot;
}

size_t Heap::surplus_bytes() const {
  size_t resident = resident_bytes();
  size_t retained = retained_.load_relaxed();
  const size_t limit = limit_.load_relaxed();
  if (retained > limit) retained = limit;
  size_t dirty = free_dirty_.load_relaxed() << kPageShift;
  const size_t refused = refused_.load_relaxed() << kPageShift;
  dirty = dirty > refused ? dirty - refused : 0;
  if (resident <= retained) return 0;
  return resident - retained < dirty ? resident - retained : dirty;
}

/// Free clean pages on both sides of [*from, *to), up to whole blocks of
/// `block`, are taken, too; false if some page there is in use or dirty.
bool Heap::take_block_locked(size_t block, size_t* from, size_t* to) {
  const size_t lo = *from / block * block;
  const size_t hi = (*to + block - 1) / block * block;
  if (hi > pages_.limit()) return false;
  if (*from > lo &&
      !pages_.alloc_at(static_cast<uint32_t>(lo), *from - lo, 0)) {
    return false;
  }
  if (hi > *to && !pages_.alloc_at(static_cast<uint32_t>(*to), hi - *to, 0)) {
    if (*from > lo) {
      pages_.free(static_cast<uint32_t>(lo), *from - lo, /*clean=*/true);
    }
    return false;
  }
  *from = lo;
  *to = hi;
  return true;
}

// Tables of free pages are zero, and read as zero afterwards. A late pop of an
// mcentral stack may read a Span here, and its exchange then fails.
void Heap::discard_tables(size_t from, size_t to) {
  const size_t lo = (from + kPagesOfMarkPage - 1) / kPagesOfMarkPage;
  const size_t hi = to / kPagesOfMarkPage;
  if (lo < hi) {
    base::os_discard(space_.mark_of(lo * kPagesOfMarkPage << kPageShift),
                     (hi - lo) * kOsPageBytes);
  }
  if (from % kBlockPages != 0 || to % kBlockPages != 0) return;
  static_assert(kBlockPages * sizeof(Span) % kOsPageBytes == 0);
  base::os_discard(space_.span(from), (to - from) * sizeof(Span));
  space_.discard_ids(from, to);
}

bool Heap::discard_piece(uint32_t page, size_t npages, size_t from, size_t to) {
  bool done = base::os_discard(space_.page_address(page), npages << kPageShift);
  if (done) discard_tables(from, to);
  {
    base::LockGuard guard(pages_lock_);
    auto free_clean = [this](size_t at, size_t n) TRI_NO_THREAD_SAFETY {
      if (n != 0) pages_.free(static_cast<uint32_t>(at), n, /*clean=*/true);
    };
    free_clean(from, page - from);
    free_clean(page + npages, to - page - npages);
    pages_.free(page, npages, /*clean=*/done);
    scavenging_.fetch_sub_relaxed(to - from);
    free_dirty_.store_relaxed(pages_.free_dirty_pages());
    if (!done) {
      scavenge_below_.store_relaxed(page);
      refused_.fetch_add_relaxed(npages);
    }
  }
  // ORDER-pieces-1: pairs with await_scavenger(): who sees the count finds the
  // pages.
  scavenge_pieces_.fetch_add_release(1);
  if (TRI_UNLIKELY(page_waiters_.load_relaxed() != 0)) {
    base::futex_wake(&scavenge_pieces_, INT_MAX);  // or they look after 1 ms
  }
  return done;
}

// What the OS refuses (pages that are locked, say) is passed over until the
// next cycle, and counts as no surplus meanwhile.
size_t Heap::scavenge_piece() {
  for (;;) {
    TRI_SCHED_POINT(heap_scavenge);
    if (page_waiters_.load_relaxed() != 0) return 0;
    size_t npages = 0;
    uint32_t page = 0;
    size_t from = 0;  // with what is taken for the tables' sake
    size_t to = 0;
    {
      base::LockGuard guard(pages_lock_);
      page = pages_.take_dirty(scavenge_below_.load_relaxed(), kPiecePages,
                               &npages);
      if (page == 0) return 0;
      from = page;
      to = page + npages;
      if (!take_block_locked(kBlockPages, &from, &to)) {
        take_block_locked(kPagesOfMarkPage, &from, &to);
      }
      scavenging_.fetch_add_relaxed(to - from);
      free_dirty_.store_relaxed(pages_.free_dirty_pages());
    }
    if (!discard_piece(page, npages, from, to)) continue;
    scavenged_.fetch_add_relaxed(npages << kPageShift);
    return npages << kPageShift;
  }
}

/// Calls fn(from, to) for whole OS pages, as offsets into the span, that no
/// cell in use reaches into. A cell is in use if its byte is not 0.
template <class F>
void Heap::each_hole(const Span* span, F fn) const {
  const uint8_t* marks =
      space_.mark_of(static_cast<size_t>(span->first_page) << kPageShift);
  const size_t stride = span->cell_bytes >> kGranuleShift;
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
    if (from < to) fn(from, to);
  }
}

// The caller holds the span and has just swept it. Holes only grow until a P
// takes the span, so the same number of pages are the same pages.
void Heap::punch_holes(Span* span) {
  size_t holes = 0;
  each_hole(span, [&](size_t from, size_t to) {
    holes += (to - from) / kOsPageBytes;
  });
  if (holes > UINT8_MAX || holes == span->punched) return;
  char* base = space_.page_address(span->first_page);
  bool done = true;
  each_hole(span, [&](size_t from, size_t to) {
    done = base::os_discard(base + from, to - from) && done;
  });
  if (!done) return;
  const size_t more = holes - span->punched;
  punched_.fetch_add_relaxed(more);
  scavenged_.fetch_add_relaxed(more * kOsPageBytes);
  span->punched = static_cast<uint8_t>(holes);
}

void Heap::forget_holes(Span* span) {
  if (TRI_LIKELY(span->punched == 0)) return;
  punched_.fetch_sub_relaxed(span->punched);
  span->punched = 0;
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

void Heap::scavenge_paced(const base::Clock& clock, uint32_t running,
                          uint64_t most_ns) {
  const size_t surplus = surplus_bytes();
  if (surplus == 0) return;
  const uint64_t percent = ScavengePacer::percent(running == 0 ? 1 : running,
                                                  surplus, resident_bytes());
  uint64_t start = clock.now_ns();
  uint64_t due = scavenge_pacer_.begin_turn(start, percent, most_ns);
  if (due == 0) return;
  uint64_t now = start;
  while (now - start < due && surplus_bytes() != 0) {
    if (scavenge_piece() == 0) break;
    now = clock.now_ns();
  }
  scavenge_pacer_.spent(now, due, now - start, percent);
}

}  // namespace tricolor::heap
