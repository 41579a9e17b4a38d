// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Heap: creation, pages, mcentral lookup, epochs and generations. Allocation is
// in heap/refill.cc, sweeping in heap/sweep_span.cc.
#include "heap/heap.h"

#include <cstdio>
#include <new>
#include <utility>

#include "base/check.h"
#include "base/futex.h"
#include "base/os_memory.h"
#include "heap/mark_bytes.h"
#include "heap/poison.h"

namespace tricolor::heap {

namespace {
constexpr size_t kListingBytes = kSlotCount / 64 * sizeof(uint64_t) * 2;
static_assert(kSlotCount % 64 == 0);
}  // namespace

Heap* Heap::create(base::MetaArena* meta, const HeapOptions& options,
                   Error* error) {
  void* memory = meta->alloc(sizeof(Heap), alignof(Heap));
  Heap* heap = memory == nullptr ? nullptr : ::new (memory) Heap();
  if (heap != nullptr && heap->init(meta, options, error)) return heap;
  if (heap != nullptr) heap->destroy();
  if (error != nullptr && error->ok()) {
    error->code = ErrorCode::kOutOfMemory;
    std::snprintf(error->text, sizeof(error->text),
                  "no memory for the heap's own tables");
  }
  return nullptr;
}

bool Heap::init(base::MetaArena* meta, const HeapOptions& options,
                Error* error) {
  meta_ = meta;
  options_ = options;
  release_key_ = {base::os_random64(), base::os_random64()};
  empty_slots_ = map_empty_slots(&empty_reserved_);
  if (empty_slots_ == nullptr) return false;
  centrals_ = static_cast<MCentral**>(
      base::os_reserve(kSlotCount * sizeof(MCentral*), kOsPageBytes));
  listing_ids_ =
      static_cast<base::Atomic<uint64_t>*>(base::os_map(kListingBytes));
  if (centrals_ == nullptr || listing_ids_ == nullptr) return false;
  if (!layouts_.init(meta, &Heap::make_room, this)) return false;
  // Last, so that what is reserved for cells leaves room for the tables.
  if (!space_.init(options.reservation_bytes, options.huge_pages, error,
                   room_for_procs(options.procs))) {
    return false;
  }
  base::LockGuard guard(pages_lock_);
  return pages_.init(space_.reserved_bytes() >> kPageShift);
}

void Heap::destroy() {
  {
    base::LockGuard guard(pages_lock_);
    pages_.destroy();
  }
  if (empty_slots_ != nullptr) {
    base::os_release(empty_slots_, empty_reserved_);
  }
  if (centrals_ != nullptr) {
    base::os_release(centrals_, kSlotCount * sizeof(MCentral*));
  }
  if (listing_ids_ != nullptr) base::os_release(listing_ids_, kListingBytes);
  if (space_.base() != nullptr) {
    unpoison(space_.base(), space_.committed_bytes());
  }
  space_.destroy();
}

size_t Heap::most_pages() const {
  const size_t reserved = space_.reserved_bytes();
  const size_t limit = options_.hard_limit_bytes;
  return (limit == 0 || limit > reserved ? reserved : limit) >> kPageShift;
}

bool Heap::charge_pages(size_t npages) {
  const size_t limit = most_pages();
  uint64_t now = pages_in_use_.load_relaxed();
  do {
    if (npages > limit || now > limit - npages) return false;
  } while (!pages_in_use_.compare_exchange_weak_relaxed(now, now + npages));
  return true;
}

bool Heap::grow_locked(size_t npages) {
  if (npages > (space_.reserved_bytes() >> kPageShift)) return false;
  // The first page of the space is never handed out. What is free at the end
  // is a part of the run.
  size_t want = npages + (pages_.limit() == 0 ? 1 : 0);
  const size_t at_end = pages_.free_at_end();
  want = want > at_end ? want - at_end : 1;
  if (!space_.grow(want << kPageShift)) return false;
  pages_.extend(space_.committed_pages());
  return true;
}

uint32_t Heap::alloc_pages_locked(size_t npages, bool* needzero,
                                  PageAlloc::DirtySink sink) {
  uint32_t page = pages_.alloc(npages, needzero, sink);
  if (page != 0 || !grow_locked(npages)) return page;
  page = pages_.alloc(npages, needzero, sink);
  TRI_CHECK(page != 0, "no run of %zu pages after growing", npages);
  return page;
}

bool Heap::fill_page_cache_locked(MCache* mc) {
  if (!pages_.fill(&mc->pages)) {
    if (!grow_locked(1) || !pages_.fill(&mc->pages)) return false;
  }
  pages_cached_.fetch_add_relaxed(
      static_cast<uint64_t>(__builtin_popcountll(mc->pages.free)));
  free_dirty_.store_relaxed(pages_.free_dirty_pages());
  return true;
}

// A piece on its way to the OS takes some 50 us, and whoever has it finishes
// without waiting for anybody.
void Heap::await_scavenger() {
  for (;;) {
    // ORDER-pieces-1: pairs with scavenge_piece(): the count before the look.
    const uint32_t pieces = scavenge_pieces_.load_acquire();
    if (scavenging_.load_relaxed() == 0) return;
    base::futex_wait(&scavenge_pieces_, pieces, 1'000'000);
  }
}

/// First fit, then more of the reservation; then what the scavenger holds, who
/// begins nothing new meanwhile, so that this ends.
uint32_t Heap::alloc_pages_slow(size_t npages, bool* needzero,
                                PageAlloc::DirtySink sink) {
  uint32_t page = 0;
  bool waiting = false;
  for (;;) {
    bool again;
    {
      base::LockGuard guard(pages_lock_);
      page = alloc_pages_locked(npages, needzero, sink);
      free_dirty_.store_relaxed(pages_.free_dirty_pages());
      // Under the lock: what is counted now may be what was missed.
      again = page == 0 && scavenging_.load_relaxed() != 0;
    }
    if (!again) break;
    if (!waiting) page_waiters_.fetch_add_relaxed(1);
    waiting = true;
    await_scavenger();
  }
  if (waiting) page_waiters_.fetch_sub_relaxed(1);
  return page;
}

uint32_t Heap::alloc_pages(MCache* mc, size_t npages, bool* needzero,
                           PageAlloc::DirtySink sink) {
  if (!charge_pages(npages)) return 0;
  uint32_t page = 0;
  bool filled = false;
  if (mc != nullptr && npages <= PageCache::kMaxPages) {
    if (mc->pages.free == 0) std::swap(mc->pages, mc->freed_pages);
    if (mc->pages.free == 0) {
      base::LockGuard guard(pages_lock_);
      fill_page_cache_locked(mc);
      filled = true;
    }
    page = mc->pages.alloc(npages, needzero);
    if (page == 0) page = mc->freed_pages.alloc(npages, needzero);
    if (page != 0) {
      pages_cached_.fetch_sub_relaxed(npages);
      if (filled) scavenge_over_limit();
      return page;
    }
  }
  page = alloc_pages_slow(npages, needzero, sink);
  if (page == 0) {
    pages_in_use_.fetch_sub_relaxed(npages);
  } else {
    scavenge_over_limit();
  }
  return page;
}

void Heap::free_pages(MCache* mc, uint32_t page, size_t npages) {
  clobber_free(space_.page_address(page), npages << kPageShift);
  if (mc == nullptr || npages > PageCache::kMaxPages) {
    base::LockGuard guard(pages_lock_);
    pages_.free(page, npages);
    free_dirty_.store_relaxed(pages_.free_dirty_pages());
  } else if (mc->freed_pages.give(page, npages)) {
    pages_cached_.fetch_add_relaxed(npages);
  } else {
    // Its neighbours in the sweep are likely to be neighbours in memory: what
    // was cached goes, and this block is collected from now on.
    base::LockGuard guard(pages_lock_);
    drain_locked(&mc->freed_pages);
    if (mc->freed_pages.give(page, npages)) {
      pages_cached_.fetch_add_relaxed(npages);
    } else {
      pages_.free(page, npages);
    }
    free_dirty_.store_relaxed(pages_.free_dirty_pages());
  }
  pages_in_use_.fetch_sub_relaxed(npages);
}

void Heap::drain_locked(PageCache* cache) {
  pages_cached_.fetch_sub_relaxed(
      static_cast<uint64_t>(__builtin_popcountll(cache->free)));
  pages_.drain(cache);
}

void Heap::drain_freed_pages(MCache* mc) {
  if (mc->freed_pages.free == 0) return;
  base::LockGuard guard(pages_lock_);
  drain_locked(&mc->freed_pages);
  free_dirty_.store_relaxed(pages_.free_dirty_pages());
}

void Heap::drain_page_caches(MCache* mc) {
  if ((mc->pages.free | mc->freed_pages.free) == 0) return;
  base::LockGuard guard(pages_lock_);
  drain_locked(&mc->pages);
  drain_locked(&mc->freed_pages);
  free_dirty_.store_relaxed(pages_.free_dirty_pages());
}

MCentral* Heap::central(uint32_t slot_id) {
  base::LockGuard guard(centrals_lock_);
  if (centrals_[slot_id] != nullptr) return centrals_[slot_id];
  auto* made =
      static_cast<MCentral*>(meta_->alloc(sizeof(MCentral), alignof(MCentral)));
  if (made == nullptr) return nullptr;
  centrals_[slot_id] = made;
  // Relaxed: for statistics.
  central_count_.fetch_add_relaxed(1);
  return made;
}

void Heap::list_span(MCentral* c, Span* span) {
  // Before the push: then it is somebody else's. Relaxed: these bits are read
  // by sweepers of the generation, for whom a stop, and for spans that a flush
  // gave up allow_sweep(), lies between.
  const uint32_t slot_id =
      uint32_t{span->layout} << TRI_DETAIL_CLASS_SHIFT | span->size_class;
  const uint64_t bit = uint64_t{1} << slot_id % 64;
  auto& word = listing_ids(span->sweepgen.load_relaxed())[slot_id / 64];
  if ((word.load_relaxed() & bit) == 0) word.fetch_or_relaxed(bit);
  TRI_ASSERT(centrals_[slot_id] == c);
  c->push(space_, span);
}

void* Heap::alloc_manual(size_t bytes) {
  if (bytes == 0 || bytes > space_.reserved_bytes()) return nullptr;
  size_t npages = (bytes + kPageBytes - 1) >> kPageShift;
  bool needzero = false;
  uint32_t page = alloc_pages(nullptr, npages, &needzero);
  if (page == 0) return nullptr;
  Span* span = space_.span(page);
  TRI_ASSERT(span->state == SpanState::kFree);
  span->state = SpanState::kManual;
  span->home = SpanHome::kNone;
  span->first_page = page;
  span->npages = static_cast<uint32_t>(npages);
  for (size_t i = 0; i < npages; ++i) {
    space_.entry(page + i)->bits.store_relaxed(
        PageEntry::pack(0, 0, SpanState::kManual));
  }
  void* p = space_.page_address(page);
  unpoison(p, npages << kPageShift);
  return p;
}

void Heap::free_manual(void* p, size_t bytes) {
  size_t npages = (bytes + kPageBytes - 1) >> kPageShift;
  auto page = static_cast<uint32_t>(space_.offset_of(p) >> kPageShift);
  Span* span = space_.span(page);
  TRI_CHECK(span->state == SpanState::kManual && span->npages == npages,
            "free_manual(%p, %zu): not a manual span of that size", p, bytes);
  span->state = SpanState::kFree;
  for (size_t i = 0; i < npages; ++i) {
    space_.entry(page + i)->bits.store_relaxed(0);
  }
  poison(p, npages << kPageShift);
  free_pages(nullptr, page, npages);
}

void Heap::begin_cycle_stw() {
  TRI_CHECK(all_swept(), "a cycle begins with %llu unswept spans",
            static_cast<unsigned long long>(unswept_spans()));
  uint8_t cur = cur_.load_relaxed();
  prev_.store_relaxed(cur);
  revived_.store_relaxed(0);
  reviving_.store_relaxed(0);
  cur_.store_relaxed(static_cast<uint8_t>(cur % 3 + 1));
  cycles_begun_.store_relaxed(cycles_begun() + 1);
  refused_.store_relaxed(0);
  scavenge_below_.store_relaxed(SIZE_MAX);
  marking_ = true;
}

void Heap::begin_sweep_stw() {
  TRI_CHECK(all_swept());
  marking_ = false;
  sweep_allowed_.store_relaxed(0);
  sweep_stats_.live_bytes.store_relaxed(0);
  sweep_stats_.live_cells.store_relaxed(0);
  for (auto& n : sweep_stats_.live_of_class) n.store_relaxed(0);
  unswept_.store_relaxed(span_count_.load_relaxed());
  uint32_t gen = sweepgen_.load_relaxed() + 2;
  sweepgen_.store_relaxed(gen);
  sweep_cursor_.store_relaxed(uint64_t{gen} << 32);
}

void Heap::allow_sweep() {
  // ORDER-sweep-1: pairs with sweep_allowed(): every flush came before.
  sweep_allowed_.store_release(1);
}

bool Heap::all_swept() const {
  // ORDER-unswept-1: pairs with the release in sweep_span(): what the sweepers
  // wrote is seen by who finds nothing left.
  return unswept_.load_acquire() == 0;
}

size_t Heap::cell_bytes(const void* cell) const {
  if (!is_cell(cell)) {
    TRI_MISUSE("cell_size", "%p is not the start of a cell of this runtime",
               cell);
  }
  return bytes_of(cell);
}

size_t Heap::bytes_of(const void* cell) const {
  size_t page = space_.offset_of(cell) >> kPageShift;
  uint32_t bits = space_.entry(page)->bits.load_relaxed();
  uint32_t size_class = PageEntry::size_class(bits);
  if (size_class != 0) return tri_detail_class_bytes(size_class);
  return space_.span(page)->bytes;
}

bool Heap::is_cell(const void* p) const {
  size_t offset = space_.offset_of(p);
  if (offset >= space_.committed_bytes() || (offset & 15) != 0) return false;
  return base::load_relaxed(space_.mark_of(offset)) != 0;
}

}  // namespace tricolor::heap
