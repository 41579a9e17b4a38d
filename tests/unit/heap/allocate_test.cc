// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Allocation of small cells through the inline path: what a fresh cell is like,
// in every class, and how mistakes are worded.
#include <gtest/gtest.h>

#include <cstring>
#include <set>
#include <vector>

#include "tests/support/heap_alone.h"

namespace tricolor::heap {
namespace {

using tricolor::testing::HeapAlone;

bool all_zero(const void* p, size_t n) {
  const char* bytes = static_cast<const char*>(p);
  return n == 0 || (bytes[0] == 0 && std::memcmp(bytes, bytes + 1, n - 1) == 0);
}

TEST(heap_allocate, cells_are_aligned_zeroed_distinct_and_marked) {
  HeapAlone heap;
  LayoutId layout = heap.layout("Cells");
  std::set<char*> seen;
  for (uint32_t c = 1; c < TRI_DETAIL_CLASS_COUNT; ++c) {
    size_t bytes = tri_detail_class_bytes(c);
    int cells = static_cast<int>(3 * kPageBytes / bytes + 3);
    for (int i = 0; i < cells; ++i) {
      auto* cell = static_cast<char*>(heap.allocate(layout, bytes));
      ASSERT_EQ(reinterpret_cast<uintptr_t>(cell) % 16, 0u);
      ASSERT_TRUE(all_zero(cell, bytes)) << bytes;
      ASSERT_EQ(heap.byte_of(cell), heap->cur());
      ASSERT_TRUE(heap->is_cell(cell));
      ASSERT_EQ(heap->cell_bytes(cell), bytes);
      ASSERT_FALSE(bytes > 16 && heap->is_cell(cell + 16));
      ASSERT_FALSE(heap->is_cell(cell + 8));
      // No other cell reaches into this one.
      auto next = seen.lower_bound(cell);
      ASSERT_TRUE(next == seen.end() || *next >= cell + bytes);
      ASSERT_TRUE(next == seen.begin() ||
                  *std::prev(next) + heap->cell_bytes(*std::prev(next)) <=
                      cell);
      seen.insert(next, cell);
      std::memset(cell, 0xaa, bytes);
    }
  }
  heap->validate_stw(true);
}

TEST(heap_allocate, zero_bytes_is_a_cell_of_its_own) {
  HeapAlone heap;
  LayoutId layout = heap.layout("Empty");
  void* a = heap.allocate(layout, 0);
  void* b = heap.allocate(layout, 0);
  EXPECT_NE(a, b);
  EXPECT_EQ(heap->cell_bytes(a), 16u);
}

TEST(heap_allocate, layouts_do_not_share_spans) {
  HeapAlone heap;
  LayoutId one = heap.layout("One");
  LayoutId two = heap.layout("Two");
  for (int i = 0; i < 2000; ++i) {
    LayoutId want = i % 2 == 0 ? one : two;
    void* cell = heap.allocate(want, 48);
    size_t page = heap->space().offset_of(cell) >> kPageShift;
    uint32_t bits = heap->space().entry(page)->bits.load_relaxed();
    ASSERT_EQ(PageEntry::layout(bits), want);
    ASSERT_EQ(PageEntry::size_class(bits), tri_detail_size_class(48));
    ASSERT_EQ(PageEntry::kind(bits), SpanState::kSmall);
  }
}

TEST(heap_allocate, spans_waste_at_most_an_eighth) {
  HeapAlone heap;
  LayoutId layout = heap.layout("Spans");
  for (uint32_t c = 1; c < TRI_DETAIL_CLASS_COUNT; ++c) {
    void* cell = heap.allocate(layout, tri_detail_class_bytes(c));
    size_t page = heap->space().offset_of(cell) >> kPageShift;
    const Span* span = heap->space().span(page);
    ASSERT_EQ(span->first_page, page) << "the first cell of a new span";
    size_t bytes = size_t{span->npages} << kPageShift;
    EXPECT_LE(bytes - size_t{span->cells} * span->cell_bytes, bytes / 8) << c;
  }
}

struct Pair {
  Pair* left;
  Pair* right;
};

TEST(heap_allocate, make_uses_the_slot_of_the_type) {
  HeapAlone heap;
  Type<Pair> type(heap.layout("Pair"));
  Pair* a = make<Pair>(heap.mu(), type);
  Pair* b = make<Pair>(heap.mu(), type, a, a);
  EXPECT_EQ(reinterpret_cast<char*>(b) - reinterpret_cast<char*>(a), 16);
  EXPECT_EQ(b->right, a);
  EXPECT_EQ(try_make<Pair>(heap.mu(), type)->left, nullptr);
}

TEST(heap_allocate, words_that_are_no_cells) {
  HeapAlone heap;
  int outside = 0;
  EXPECT_FALSE(heap->is_cell(nullptr));
  EXPECT_FALSE(heap->is_cell(&outside));
  EXPECT_FALSE(heap->is_cell(heap->space().base()));
  void* cell = heap.allocate(heap.layout("Last"), 16);
  EXPECT_TRUE(heap->is_cell(cell));
  EXPECT_FALSE(heap->is_cell(heap->space().base() + (size_t{255} << 20)));
}

TEST(heap_allocate, numbers_add_up) {
  HeapAlone heap;
  LayoutId layout = heap.layout("Counted");
  EXPECT_EQ(heap->pages_in_use(), 0u);
  size_t bytes = 0;
  for (int i = 0; i < 5000; ++i) {
    heap.allocate(layout, 64);
    bytes += 64;
  }
  // The P owns the rest of its run until it gives it back.
  heap->mcache_settle(&heap.cache());
  EXPECT_GE(heap->live_bytes(), bytes);
  heap->mcache_flush(&heap.cache());
  EXPECT_EQ(heap->live_bytes(), bytes);
  EXPECT_EQ(heap->allocated_bytes(), bytes);
  const size_t least = (bytes + kPageBytes - 1) / kPageBytes;
  EXPECT_GE(heap->pages_in_use(), least);
  EXPECT_LT(heap->pages_in_use(), least + 8) << "the last span is not full";
}

TEST(heap_allocate_DeathTest, mistakes_name_the_call) {
  HeapAlone heap;
  LayoutId layout = heap.layout("Known");
  EXPECT_DEATH(heap.allocate(static_cast<LayoutId>(layout + 1), 16),
               "allocate.*layout [0-9]+ is not registered");
  EXPECT_DEATH(heap.allocate(kInvalidLayout, 16), "layout 0 is not registered");
  EXPECT_DEATH(heap.allocate(4351, 16), "layout 4351 is not registered");
  // Beyond the table: a guard, however far, also with the next P's table near.
  heap.add_mutator();
  for (unsigned id : {4352u, 4400u, 9000u, 40'000u, 65'535u}) {
    for (size_t bytes : {16, 32 << 10}) {
      EXPECT_DEATH(heap.allocate(static_cast<LayoutId>(id), bytes),
                   TRI_CHECKS ? "allocate.*is not registered" : "");
    }
    EXPECT_DEATH(heap.allocate(static_cast<LayoutId>(id), 1 << 20),
                 "allocate.*is not registered");
  }
  EXPECT_DEATH(heap.allocate(kInvalidLayout, 1 << 20),
               "layout 0 is not registered");
  heap.mu().p = nullptr;
  EXPECT_DEATH(heap.allocate(layout, 16), "allocate.*native code");
  EXPECT_DEATH(heap.allocate(layout, 1 << 20), "allocate.*native code");
}

TEST(heap_allocate_DeathTest, out_of_memory_without_a_handler) {
  HeapOptions options;
  options.hard_limit_bytes = kPageBytes;
  HeapAlone heap(options);
  LayoutId layout = heap.layout("Big");
  EXPECT_DEATH(heap.allocate(layout, 16384), "out of memory.*16384 bytes");
  EXPECT_DEATH(heap.allocate(layout, 65536), "out of memory.*65536 bytes");
}

}  // namespace
}  // namespace tricolor::heap
