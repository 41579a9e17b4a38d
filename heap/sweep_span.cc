// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Sweeping one span: its holder writes 0 over every mark byte that is not cur.
// Which spans when is the collector's business (gc/assist.cc) or a refill's.
//
// Why nobody else writes these bytes: markers store only while marking, and no
// span is swept before the mark has ended; Ps own no run here, because every
// mcache was flushed before allow_sweep().
#include <cstring>

#include "base/check.h"
#include "base/sched_point.h"
#include "heap/heap.h"
#include "heap/mark_bytes.h"
#include "heap/poison.h"

namespace tricolor::heap {

namespace {

/// For cells with a cache line of mark bytes each, or more.
uint32_t sweep_few(uint8_t* marks, size_t stride, size_t cells, uint8_t cur) {
  uint32_t live = 0;
  for (size_t i = 0; i < cells; ++i) {
    uint8_t byte = base::load_relaxed(&marks[i * stride]);
    live += byte == cur ? 1 : 0;
    if (byte != cur && byte != 0) {
      base::store_relaxed(&marks[i * stride], uint8_t{0});
    }
  }
  return live;
}

}  // namespace

void Heap::on_dead_cells(MCache* mc, Span* span) {
  // See heap/callback.h. The span's holder may be a refill half-way through.
  const char* none = nullptr;  // who sweeps without one allocates nothing
  const char** callback = mc == nullptr ? &none : &mc->callback;
  const char* outer = *callback;
  *callback = "on_dead";
  bool large = span->state == SpanState::kLarge;
  size_t cells = large ? 1 : span->cells;
  size_t cell_bytes = large ? span->bytes : span->cell_bytes;
  size_t stride = large ? 1 : cell_bytes >> kGranuleShift;
  char* base = space_.page_address(span->first_page);
  const uint8_t* marks = space_.mark_of(space_.offset_of(base));
  uint8_t now = cur();
  for (size_t i = 0; i < cells; ++i) {
    uint8_t byte = base::load_relaxed(&marks[i * stride]);
    if (byte == 0 || byte == now) continue;
    char* cell = base + i * cell_bytes;
    // A large object's entry has its layout only once it is zeroed.
    const LayoutId layout = span->mixed ? layout_of(cell) : span->layout;
    if ((layouts_.hot(layout).flags & kOnDead) != 0) {
      const ColdLayout& cold = layouts_.cold(layout);
      cold.on_dead(cell, cell_bytes, cold.user);
      if (mc != nullptr) ++mc->dead_calls;
    }
    if (options_.clobber_free) {
      unpoison(cell, cell_bytes);  // it may have been released
      std::memset(cell, 0xdb, cell_bytes);
    }
    poison(cell, cell_bytes);
  }
  *callback = outer;
}

uint32_t Heap::sweep_marks(MCache* mc, Span* span) {
  const HotLayout& hot = layouts_.hot(span->layout);
  uint8_t* marks =
      space_.mark_of(static_cast<size_t>(span->first_page) << kPageShift);
  const uint8_t also = revived();
  if (TRI_UNLIKELY(also != 0)) {
    const size_t n = (size_t{span->npages} << kPageShift) >> kGranuleShift;
    const bool large = span->state == SpanState::kLarge;
    replace_marks_bytes(marks, large ? 64 : n, also, cur());
  }
  const bool has_on_dead =
      span->mixed ? span->has_on_dead : (hot.flags & kOnDead) != 0;
  if (TRI_ASAN || options_.clobber_free || has_on_dead) {
    on_dead_cells(mc, span);
  }
  if (span->state == SpanState::kLarge) {
    return static_cast<uint32_t>(sweep_marks_bytes(marks, 64, cur()));
  }
  const size_t stride = span->cell_bytes >> kGranuleShift;
  if (stride >= 64) return sweep_few(marks, stride, span->cells, cur());
  size_t n = (size_t{span->npages} << kPageShift) >> kGranuleShift;
  return static_cast<uint32_t>(sweep_marks_bytes(marks, n, cur()));
}

bool Heap::sweep_span(MCache* mc, MCentral* c, Span* span, bool keep_empty) {
  TRI_ASSERT(span->home == SpanHome::kSweeping);
  TRI_ASSERT(span->sweepgen.load_relaxed() == sweepgen() - 1);
  TRI_SCHED_POINT(heap_sweep_span);
  bool large = span->state == SpanState::kLarge;
  uint32_t live = sweep_marks(mc, span);
  // As allocation counts them: a large object by its pages.
  size_t cell_bytes =
      large ? size_t{span->npages} << kPageShift : span->cell_bytes;
  TRI_ASSERT(live <= span->live, "span %u: %u cells live of %u",
             span->first_page, live, span->live);
  uint64_t freed = (span->live - live) * cell_bytes;
  sweep_stats_.live_cells.fetch_add_relaxed(live);
  sweep_stats_.live_bytes.fetch_add_relaxed(live * cell_bytes);
  sweep_stats_.live_of_class[span->size_class].fetch_add_relaxed(live);
  if (freed != 0) freed_.fetch_add_relaxed(freed);
  span->live = live;
  span->needzero = !layouts_.is_uninitialized(span->layout);
  if (live == 0 && (large || !keep_empty)) {
    free_span(mc, span);
  } else if (large) {
    list_large(span);
  } else {
    span->sweepgen.store_relaxed(sweepgen());
    if (live == 0) {
      span->home = SpanHome::kCached;
    } else {
      if (punching_.load_relaxed() != 0 && live < span->cells) {
        punch_holes(span);
      }
      list_span(c, span);
    }
  }
  // ORDER-unswept-1: pairs with all_swept().
  unswept_.fetch_sub_release(1);
  return live == 0;
}

void Heap::free_span(MCache* mc, Span* span) {
  uint32_t page = span->first_page;
  uint32_t npages = span->npages;
  forget_holes(span);
  poison(space_.page_address(page), size_t{npages} << kPageShift);
  for (uint32_t i = 0; i < npages; ++i) {
    space_.entry(page + i)->bits.store_relaxed(0);
  }
  span->state = SpanState::kFree;
  span->home = SpanHome::kNone;
  span_count_.fetch_sub_relaxed(1);
  free_pages(mc, page, npages);
}

// Only mcentrals whose bit is set are looked at: those given a span since the
// generation before began. So what a cycle costs here depends on what the
// program uses now, not on how many layouts it ever used. A word of the bitmap
// that is 0 is a load; an mcentral found empty (its spans went to refills) is
// 16, so of those a call looks at kMostEmpty only.
size_t Heap::sweep_one(MCache* mc) {
  constexpr uint32_t kMostEmpty = 64;
  if (!sweep_allowed()) return 0;
  if (Span* span = pop_unswept_large()) {
    const size_t pages = span->npages;
    sweep_span(mc, nullptr, span, /*keep_empty=*/false);
    return pages;
  }
  const uint32_t words = id_words();
  for (uint32_t empty = 0; empty < kMostEmpty;) {
    // The generation in the upper half makes the compare-exchange below fail
    // for a thread that slept through a whole cycle.
    uint64_t cursor = sweep_cursor_.load_relaxed();
    auto at = static_cast<uint32_t>(cursor);
    if (at >= words) {
      if (mc != nullptr) drain_freed_pages(mc);  // all the others' from now on
      return 0;
    }
    auto& word = listing_ids(sweepgen() - 2)[at];
    // Relaxed: see list_span(). Nothing old can appear any more: every mcache
    // was flushed before.
    const uint64_t bits = word.load_relaxed();
    if (bits == 0) {
      sweep_cursor_.compare_exchange_strong_relaxed(cursor, cursor + 1);
      continue;
    }
    const auto bit = static_cast<uint32_t>(__builtin_ctzll(bits));
    MCentral* c = centrals_[at * 64 + bit];
    const uint32_t own = mc == nullptr ? 0 : mc->shard;
    Span* span = MCentral::first_of_shards(own, [&](uint32_t shard) {
      return c->pop_unswept(space_, sweepgen(), shard);
    });
    if (span != nullptr) {
      size_t pages = span->npages;
      sweep_span(mc, c, span, /*keep_empty=*/false);
      return pages;
    }
    word.fetch_and_relaxed(~(uint64_t{1} << bit));
    ++empty;
  }
  return 0;
}

}  // namespace tricolor::heap
