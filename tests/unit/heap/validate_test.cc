// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// heap/validate.cc: each kind of damage, planted by hand, is found and named,
// by a look at the whole heap and by one at a piece of it.
#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "tests/support/heap_alone.h"

namespace tricolor::heap {
namespace {

using tricolor::testing::HeapAlone;

class heap_validate_DeathTest : public ::testing::Test {
 protected:
  heap_validate_DeathTest() {
    LayoutSpec spec;
    spec.name = "Other";
    spec.tail = LayoutSpec::Tail::kNoscan;
    spec.distinct = true;
    layout = heap.layout("One");
    other = heap.layout(spec);
    cell = static_cast<char*>(heap.allocate(layout, 64));
    large = static_cast<char*>(heap.allocate(layout, 100'000));
    small_page = page_of(cell);
    large_page = page_of(large);
    heap->validate_stw(true);
  }
  size_t page_of(const void* p) {
    return heap->space().offset_of(p) >> kPageShift;
  }
  uint8_t* mark_of(const void* p) {
    return heap->space().mark_of(heap->space().offset_of(p));
  }
  Span* span_of(const void* p) { return heap->space().span(page_of(p)); }

  /// `what` reads `bad` for a while.
  template <class T>
  void plant(T* what, T bad, const char* message, bool whole_only = false,
             bool swept = true) {
    SCOPED_TRACE(message);
    T good;
    std::memcpy(static_cast<void*>(&good), what, sizeof(T));
    std::memcpy(static_cast<void*>(what), &bad, sizeof(T));
    EXPECT_DEATH(heap->validate_stw(swept), message);
    if (!whole_only) {
      EXPECT_DEATH(heap->validate_some_stw(swept, 4096), message);
    }
    std::memcpy(static_cast<void*>(what), &good, sizeof(T));
    heap->validate_stw(swept);
    heap->validate_some_stw(swept, 4096);
  }
  void plant_entry(size_t page, uint32_t bits, const char* message) {
    PageEntry bad;
    bad.bits.store_relaxed(bits);
    uint32_t word;
    std::memcpy(&word, static_cast<void*>(&bad), sizeof(word));
    plant(reinterpret_cast<uint32_t*>(heap->space().entry(page)), word,
          message);
  }

  HeapAlone heap;
  LayoutId layout, other;
  char* cell;
  char* large;
  size_t small_page, large_page;
};

TEST_F(heap_validate_DeathTest, page_entries) {
  plant_entry(small_page, PageEntry::pack(other, 9, SpanState::kSmall),
              "the entry of its page 0");
  plant_entry(small_page, PageEntry::pack(other, 4, SpanState::kSmall),
              "the entry of its page 0");
  plant_entry(small_page, 0, "the entry of its page 0");
  plant_entry(large_page, PageEntry::pack(other, 0, SpanState::kLarge),
              "the entry of its page 0");
  plant_entry(large_page + 1, PageEntry::pack_tail(2),
              "the entry of its page 1");
  plant_entry(large_page + 12, 0, "the entry of its page 12");
  plant(&heap->space().span(large_page + 3)->state, SpanState::kSmall,
        "another begins at its page 3");
  const size_t free_page = large_page + 13;
  plant_entry(free_page, PageEntry::pack(layout, 4, SpanState::kSmall),
              "is free but has a layout");
}

TEST_F(heap_validate_DeathTest, mark_bytes) {
  const uint8_t cur = heap->cur();
  plant(mark_of(cell), uint8_t{77}, "mark byte 77 is neither");
  plant(mark_of(cell), uint8_t{heap->prev()}, "is swept but granule 0");
  plant(mark_of(cell) + 1, cur, "inside a cell");
  plant(mark_of(cell), uint8_t{0}, "cells in use");
  plant(mark_of(large), uint8_t{77}, "mark byte 77 is neither");
  for (size_t at : {size_t{16}, size_t{8192}, size_t{12 * 8192}}) {
    plant(mark_of(large + at), cur, "inside a cell");
    plant(mark_of(large + at), uint8_t{77}, "inside a cell");
  }
  plant(mark_of(large + 13 * 8192), cur, "is free but has mark byte");
}

// Epochs that were right in another phase.
TEST_F(heap_validate_DeathTest, mark_bytes_of_another_phase) {
  heap.begin();
  const auto third = static_cast<uint8_t>(6 - heap->cur() - heap->prev());
  plant(mark_of(cell), third, "is neither", false, /*swept=*/false);
  plant(mark_of(large), third, "is neither", false, /*swept=*/false);
  heap.mark(cell);
  heap.mark(large);
  heap.begin_sweep();
  // A span made since the mark has nothing that a mark could have missed.
  auto* late = static_cast<char*>(heap.allocate(other, 64));
  plant(mark_of(late), heap->prev(), "is swept but", false, /*swept=*/false);
  plant(mark_of(cell), third, "is neither", false, /*swept=*/false);
  heap->mcache_flush(&heap.cache());
  heap.sweep_all();
}

TEST_F(heap_validate_DeathTest, spans_and_their_shape) {
  heap->mcache_flush(&heap.cache());  // listed, and none of its cells in a run
  plant(&span_of(cell)->layout, uint16_t{9}, "layout 9 of|of slot");
  plant(&span_of(cell)->cell_bytes, uint32_t{48}, "cells of 48 bytes");
  plant(&span_of(cell)->cells, uint32_t{129}, "129 cells of 64 bytes");
  plant(&span_of(cell)->live, uint32_t{2}, "2 counted");
  plant(&span_of(large)->bytes, uint64_t{200'000}, "object of 200000 bytes");
  plant(&span_of(large)->npages, uint32_t{1} << 30, "span says it has");
  plant(&span_of(large)->first_page, uint32_t{1}, "no span begins|pages from");
}

TEST_F(heap_validate_DeathTest, spans_that_are_not_where_they_say) {
  Span* cached = span_of(cell);
  Span* listed = span_of(large);
  plant(&cached->home, SpanHome::kNone, "cached, but says it is nowhere");
  plant(&cached->home, SpanHome::kListed, "cached, but says it is listed");
  plant(&listed->home, SpanHome::kCached, "listed, but says it is cached");
  plant(&listed->home, SpanHome::kSweeping, "says it is in mid-sweep");
  // Forgotten by its slot, which a sample does not see.
  SlotState* state = &heap.cache().states[layout * 128u + 4];
  SlotState lost = *state;
  lost.span_page = 0;
  tri_slot* slot = &heap.cache().slots[layout * 128u + 4];
  const tri_slot run = *slot;
  // A run of one is used up (AddressSanitizer's runs are).
  const bool has_run = run.cursor != run.limit;
  if (has_run) {
    plant(&state->span_page, uint32_t{0}, "has a run and no span");
  }
  *slot = {nullptr, nullptr};
  plant(state, lost, "says it is cached, and is not", /*whole_only=*/true);
  *slot = run;
  if (has_run) {
    plant(slot, tri_slot{run.cursor, run.limit + 64}, "is not in span");
  }
}

TEST_F(heap_validate_DeathTest, lists) {
  auto* second = static_cast<char*>(heap.allocate(layout, 100'000));
  auto* third = static_cast<char*>(heap.allocate(other, 100'000));
  const auto page = static_cast<uint32_t>(page_of(second));
  // second -> large: one is left out, one is on two lists, one on another's.
  auto* next = reinterpret_cast<uint32_t*>(&heap->space().span(page)->next);
  plant(next, uint32_t{0}, "says it is listed, and is not",
        /*whole_only=*/true);
  plant(next, page, "is on two lists", /*whole_only=*/true);
  plant(next, static_cast<uint32_t>(page_of(third)),
        "on two lists|listed after");
  plant(next, static_cast<uint32_t>(page_of(third) + 5), "no span begins");
  plant(next, uint32_t{0x7fffffff}, "listed at page");
  // Those of small cells.
  void* small = heap.allocate(layout, 64);
  void* others = heap.allocate(other, 64);
  heap->mcache_flush(&heap.cache());
  next = reinterpret_cast<uint32_t*>(&span_of(small)->next);
  plant(next, static_cast<uint32_t>(page_of(others)),
        "is on two lists|is listed by slot");
  plant(next, static_cast<uint32_t>(page_of(large)), "no span begins");
  plant(next, uint32_t{0x7fffffff}, "lists a span at page");
  auto* gen = reinterpret_cast<uint32_t*>(&heap->space().span(page)->sweepgen);
  plant(gen, *gen - 2, "is listed with the others");
}

// A piece at a time, every page has its turn.
TEST_F(heap_validate_DeathTest, samples_rotate) {
  for (int i = 0; i < 40; ++i) heap.allocate(layout, 100'000);
  auto* last = static_cast<char*>(heap.allocate(other, 100'000));
  uint8_t* byte = mark_of(last + 8192);
  auto look_at_all = [&] {
    for (int i = 0; i < 100; ++i) heap->validate_some_stw(true, 16);
  };
  look_at_all();
  *byte = heap->cur();
  heap->validate_some_stw(true, 16);
  EXPECT_DEATH(look_at_all(), "inside a cell");
  *byte = 0;
  look_at_all();
}

}  // namespace
}  // namespace tricolor::heap
