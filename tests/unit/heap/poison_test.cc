// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Under AddressSanitizer only what was handed out may be touched; elsewhere
// there is nothing to see.
#include "heap/poison.h"

#include <gtest/gtest.h>

#include "tests/support/heap_alone.h"

namespace tricolor::heap {
namespace {

using tricolor::testing::HeapAlone;

#if TRI_ASAN
bool poisoned(const void* p) { return __asan_address_is_poisoned(p) != 0; }
#else
bool poisoned(const void*) { return false; }
#endif

TEST(heap_poison, only_cells_in_use_may_be_touched) {
  if (!TRI_ASAN) GTEST_SKIP() << "needs AddressSanitizer";
  HeapAlone heap;
  LayoutId layout = heap.layout("Poison");
  auto* a = static_cast<char*>(heap.allocate(layout, 64));
  auto* b = static_cast<char*>(heap.allocate(layout, 64));
  EXPECT_FALSE(poisoned(a + 63));
  EXPECT_FALSE(poisoned(b));
  EXPECT_TRUE(poisoned(b + 64)) << "not handed out yet";
  heap.collect({b});
  EXPECT_TRUE(poisoned(a));
  EXPECT_TRUE(poisoned(a + 63));
  EXPECT_FALSE(poisoned(b));
  EXPECT_EQ(heap.allocate(layout, 64), a);
  EXPECT_FALSE(poisoned(a));
  heap.collect({});
  EXPECT_TRUE(poisoned(b)) << "its span is free pages now";
}

TEST(heap_poison, large_objects_end_where_they_end) {
  if (!TRI_ASAN) GTEST_SKIP() << "needs AddressSanitizer";
  HeapAlone heap;
  LayoutId layout = heap.layout("Large");
  auto* p = static_cast<char*>(heap.allocate(layout, 40'000));
  EXPECT_FALSE(poisoned(p + 39'999));
  EXPECT_TRUE(poisoned(p + 40'000));
  heap.collect({});
  EXPECT_TRUE(poisoned(p));
  auto* manual = static_cast<char*>(heap->alloc_manual(kPageBytes));
  EXPECT_EQ(manual, p);
  EXPECT_FALSE(poisoned(manual));
  heap->free_manual(manual, kPageBytes);
  EXPECT_TRUE(poisoned(manual));
}

TEST(heap_poison, a_heap_leaves_no_poison_behind) {
  if (!TRI_ASAN) GTEST_SKIP() << "needs AddressSanitizer";
  char* base = nullptr;
  {
    HeapAlone heap;
    heap.allocate(heap.layout("Gone"), 64);
    base = heap->space().base();
    EXPECT_TRUE(poisoned(base + kPageBytes + 64));
  }
  EXPECT_FALSE(poisoned(base + kPageBytes + 64));
}

}  // namespace
}  // namespace tricolor::heap
