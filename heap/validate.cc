// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// The heap's validator: the mark-byte protocol and the span states, over every
// page. Called with the world stopped at phase ends of checking builds, and by
// tests.
#include "base/check.h"
#include "heap/heap.h"

namespace tricolor::heap {

void Heap::validate_span_stw(Span* span, bool swept) {
  uint32_t page = span->first_page;
  uint32_t gen = span->sweepgen.load_relaxed();
  bool fresh = gen == sweepgen();
  TRI_CHECK(fresh || gen == sweepgen() - 2,
            "span %u has generation %u, the heap %u", page, gen, sweepgen());
  TRI_CHECK(!swept || fresh, "span %u is unswept", page);
  TRI_CHECK(span->home != SpanHome::kSweeping, "span %u is in mid-sweep", page);
  bool large = span->state == SpanState::kLarge;
  size_t stride = large ? 1 : span->cell_bytes >> kGranuleShift;
  size_t cells = large ? 1 : span->cells;
  size_t granules = (size_t{span->npages} << kPageShift) >> kGranuleShift;
  const uint8_t* marks =
      space_.mark_of(static_cast<size_t>(page) << kPageShift);
  size_t checked = large ? 1 : granules;
  uint32_t live = 0;
  for (size_t i = 0; i < checked; ++i) {
    uint8_t byte = base::load_relaxed(&marks[i]);
    live += byte != 0 ? 1 : 0;
    bool first = i % stride == 0 && i / stride < cells;
    TRI_CHECK(byte == 0 || first,
              "span %u: mark byte %u inside a cell (granule %zu)", page,
              unsigned{byte}, i);
    TRI_CHECK(byte == 0 || byte == cur() || byte == prev(),
              "span %u: mark byte %u is neither %u nor %u", page,
              unsigned{byte}, unsigned{cur()}, unsigned{prev()});
    TRI_CHECK(!swept || byte == 0 || byte == cur(),
              "span %u is swept but granule %zu has byte %u", page, i,
              unsigned{byte});
  }
  if (span->mixed) check_ids_stw(span);
  // A released large object keeps its count until the sweep that frees it.
  TRI_CHECK(live == span->live || (large && live == 0),
            "span %u: %u cells in use, %u counted", page, live, span->live);
}

void Heap::check_ids_stw(const Span* span) const {
  const size_t start = size_t{span->first_page} << kPageShift;
  for (size_t i = 0; i < span->cells; ++i) {
    const size_t offset = start + i * span->cell_bytes;
    if (base::load_relaxed(space_.mark_of(offset)) == 0) continue;
    const LayoutId id = layout_of(space_.base() + offset);
    TRI_CHECK(id != kMixedLayout && id < layouts_.count(),
              "mixed span %u: cell %zu has layout %u of %u", span->first_page,
              i, unsigned{id}, layouts_.count());
  }
}

void Heap::for_each_marked_stw(void (*fn)(void* arg, void* cell), void* arg) {
  const size_t pages = space_.committed_pages();
  for (size_t page = 1; page < pages;) {
    const Span* span = space_.span(page);
    if (span->state == SpanState::kFree) {
      ++page;
      continue;
    }
    char* base = space_.page_address(page);
    const uint8_t* marks = space_.mark_of(page << kPageShift);
    const bool small = span->state == SpanState::kSmall;
    size_t cells = span->state == SpanState::kLarge ? 1 : 0;
    if (small) cells = span->cells;
    const size_t bytes = small ? span->cell_bytes : 0;
    for (size_t i = 0; i < cells; ++i) {
      size_t offset = i * bytes;
      if (base::load_relaxed(&marks[offset >> kGranuleShift]) == cur()) {
        fn(arg, base + offset);
      }
    }
    page += span->npages;
  }
}

void Heap::validate_free_page_stw(size_t page) {
  TRI_CHECK(space_.entry(page)->bits.load_relaxed() == 0,
            "page %zu is free but has a layout", page);
  const uint8_t* marks = space_.mark_of(page << kPageShift);
  for (size_t i = 0; i < kPageBytes >> kGranuleShift; ++i) {
    TRI_CHECK(marks[i] == 0, "page %zu is free but has mark byte %u", page,
              unsigned{marks[i]});
  }
}

void Heap::validate_stw(bool swept) {
  {
    base::LockGuard guard(pages_lock_);
    pages_.validate();
    uint64_t known = pages_in_use() + pages_cached_.load_relaxed() +
                     scavenging_.load_relaxed();
    TRI_CHECK(pages_.pages_taken() == known,
              "%zu pages are taken, %llu in use, cached or being scavenged",
              pages_.pages_taken(), static_cast<unsigned long long>(known));
  }
  size_t pages = space_.committed_pages();
  size_t spans = 0;
  size_t pages_held = 0;
  for (size_t page = 1; page < pages;) {
    Span* span = space_.span(page);
    if (span->state == SpanState::kFree) {
      validate_free_page_stw(page);
      ++page;
      continue;
    }
    TRI_CHECK(span->first_page == page && span->npages > 0,
              "page %zu: span says it starts at %u", page, span->first_page);
    if (span->state != SpanState::kManual) {
      validate_span_stw(span, swept);
      ++spans;
    }
    pages_held += span->npages;
    page += span->npages;
  }
  TRI_CHECK(pages_held == pages_in_use(), "spans have %zu pages, %llu in use",
            pages_held, static_cast<unsigned long long>(pages_in_use()));
  TRI_CHECK(spans == span_count_.load_relaxed(), "%zu spans found, %llu known",
            spans, static_cast<unsigned long long>(span_count_.load_relaxed()));
}

}  // namespace tricolor::heap
