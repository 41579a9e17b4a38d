// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Objects over 32 KiB: sizes, zeroing with safepoints between, the entry that
// reads noscan meanwhile, limits.
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cstring>

#include "tests/support/heap_alone.h"

namespace tricolor::heap {
namespace {

using tricolor::testing::HeapAlone;
using tricolor::testing::TestMutator;

uint32_t entry_of(HeapAlone& heap, const void* p) {
  size_t page = heap->space().offset_of(p) >> kPageShift;
  return heap->space().entry(page)->bits.load_relaxed();
}

bool all_zero(const char* p, size_t n) {
  return p[0] == 0 && std::memcmp(p, p + 1, n - 1) == 0;
}

TEST(heap_large, sizes) {
  HeapAlone heap;
  LayoutId layout = heap.layout("Large");
  for (size_t bytes :
       {size_t{32769}, size_t{40'000}, size_t{65'536}, size_t{4} << 20,
        (size_t{4} << 20) + 1, size_t{33} << 20}) {
    SCOPED_TRACE(bytes);
    auto* p = static_cast<char*>(heap.allocate(layout, bytes));
    EXPECT_EQ(reinterpret_cast<uintptr_t>(p) % kPageBytes, 0u);
    EXPECT_TRUE(all_zero(p, bytes));
    EXPECT_TRUE(heap->is_cell(p));
    EXPECT_EQ(heap.byte_of(p), heap->cur());
    EXPECT_EQ(heap->cell_bytes(p), (bytes + 15) / 16 * 16);
    EXPECT_EQ(PageEntry::layout(entry_of(heap, p)), layout);
    EXPECT_EQ(PageEntry::kind(entry_of(heap, p)), SpanState::kLarge);
    std::memset(p, 0xcc, bytes);
    heap.collect({p});
    EXPECT_TRUE(heap->is_cell(p));
    EXPECT_EQ(static_cast<unsigned char>(p[bytes - 1]), 0xcc);
    heap.collect({});
    EXPECT_FALSE(heap->is_cell(p));
    EXPECT_EQ(heap->pages_in_use(), 0u);
    // Dirty pages are zeroed.
    p = static_cast<char*>(heap.allocate(layout, bytes));
    EXPECT_TRUE(all_zero(p, bytes));
    heap.collect({});
  }
}

TEST(heap_large, impossible_sizes_are_refused) {
  HeapAlone heap;
  LayoutId layout = heap.layout("Huge");
  int collections = 0;
  GcHooks hooks;
  hooks.ctx = &collections;
  hooks.collect_for_memory = [](void* ctx, tri_mutator*, size_t, uint32_t,
                                int) {
    ++*static_cast<int*>(ctx);
    return false;
  };
  heap->set_hooks(hooks);
  EXPECT_EQ(heap.try_allocate(layout, SIZE_MAX), nullptr);
  EXPECT_EQ(heap.try_allocate(layout, SIZE_MAX - 8192), nullptr);
  EXPECT_EQ(heap.try_allocate(layout, size_t{1} << 40), nullptr);
  EXPECT_EQ(collections, 0) << "no collection can help";
  // The whole reservation less the page that is never handed out.
  EXPECT_EQ(heap.try_allocate(layout, size_t{256} << 20), nullptr);
  EXPECT_EQ(collections, 1);
  EXPECT_NE(heap.try_allocate(layout, (size_t{256} << 20) - kPageBytes),
            nullptr);
  heap.collect({});
}

TEST(heap_large, zeroing_polls_and_the_object_is_rooted_and_noscan) {
  HeapAlone heap;
  LayoutSpec spec;
  spec.name = "Pointers";
  spec.tail = LayoutSpec::Tail::kPointers;
  LayoutId layout = heap.layout(spec);
  constexpr size_t kBytes = size_t{3} << 20;
  std::memset(heap.allocate(layout, kBytes), 0xee, kBytes);
  heap.collect({});
  auto* mutator = static_cast<TestMutator*>(heap.mu().user);
  int polls = 0;
  void** top = heap.mu().shadow_top;
  mutator->on_poll = [&] {
    ++polls;
    ASSERT_EQ(heap.mu().shadow_top, top + 1);
    void* object = *top;
    ASSERT_TRUE(heap->is_cell(object));
    ASSERT_EQ(
        heap->layouts().hot(PageEntry::layout(entry_of(heap, object))).kind,
        ScanKind::kNoscan);
    // Whole cycles may pass meanwhile.
    heap.collect({object});
    heap.mu().poll_request = polls < 5;
  };
  heap.mu().poll_request = 1;
  auto* p = static_cast<char*>(heap.allocate(layout, kBytes));
  EXPECT_EQ(polls, 5);
  EXPECT_EQ(heap.mu().shadow_top, top);
  EXPECT_TRUE(all_zero(p, kBytes));
  EXPECT_EQ(PageEntry::layout(entry_of(heap, p)), layout);
}

TEST(heap_large, a_full_shadow_chunk_grows_and_shrinks) {
  HeapAlone heap;
  LayoutId layout = heap.layout("Full");
  std::memset(heap.allocate(layout, 100'000), 0xee, 100'000);
  heap.collect({});
  tri_mutator& mu = heap.mu();
  mu.shadow_top = mu.shadow_limit;
  auto* p = static_cast<char*>(heap.allocate(layout, 100'000));
  EXPECT_TRUE(all_zero(p, 100'000));
  EXPECT_EQ(mu.shadow_top, mu.shadow_limit);
  auto* mutator = static_cast<TestMutator*>(mu.user);
  EXPECT_EQ(mu.shadow_base, mutator->shadow[0]);
}

TEST(heap_large, the_hard_limit_gives_null_and_a_sweep_gives_room) {
  HeapOptions options;
  options.hard_limit_bytes = size_t{1} << 20;
  HeapAlone heap(options);
  LayoutId layout = heap.layout("Limited");
  // By large objects, by small cells, and by manual pages.
  while (heap.try_allocate(layout, 100'000) != nullptr) {
  }
  EXPECT_LE(heap->pages_in_use(), 128u);
  EXPECT_GE(heap->pages_in_use(), 128u - 13);
  while (heap.try_allocate(layout, 64) != nullptr) {
  }
  EXPECT_EQ(heap->pages_in_use(), 128u);
  EXPECT_EQ(heap->alloc_manual(1), nullptr);
  heap->validate_stw(true);
  heap.collect({});
  EXPECT_EQ(heap->pages_in_use(), 0u);
  EXPECT_NE(heap.try_allocate(layout, 100'000), nullptr);
  EXPECT_NE(heap.try_allocate(layout, 64), nullptr);
}

TEST(heap_large, collect_for_memory_is_asked_until_it_gives_up) {
  HeapOptions options;
  options.hard_limit_bytes = size_t{1} << 20;
  HeapAlone heap(options);
  LayoutId layout = heap.layout("Retry");
  struct Ctx {
    HeapAlone* heap;
    int calls;
    bool helps;
  } ctx{&heap, 0, true};
  GcHooks hooks;
  hooks.ctx = &ctx;
  hooks.collect_for_memory = [](void* p, tri_mutator*, size_t, uint32_t,
                                int attempt) {
    auto* c = static_cast<Ctx*>(p);
    EXPECT_EQ(attempt, c->helps ? 0 : c->calls);
    ++c->calls;
    if (!c->helps) return attempt < 2;
    c->heap->collect({});
    return true;
  };
  heap->set_hooks(hooks);
  for (int i = 0; i < 40; ++i) heap.allocate(layout, 100'000);
  EXPECT_GE(ctx.calls, 4);
  for (int i = 0; i < 40'000; ++i) heap.allocate(layout, 64);
  EXPECT_GE(ctx.calls, 6);
  ctx.helps = false;
  ctx.calls = 0;
  heap.collect({});
  heap.allocate(layout, 500'000);
  EXPECT_EQ(heap.try_allocate(layout, 900'000), nullptr);
  EXPECT_EQ(ctx.calls, 3);
  EXPECT_EQ(heap.try_allocate(layout, size_t{2} << 20), nullptr);
  EXPECT_EQ(ctx.calls, 3) << "what can never be had costs no collection";
}

TEST(heap_large, a_hard_limit_of_less_than_a_page_is_one) {
  HeapOptions options;
  options.hard_limit_bytes = 100;
  HeapAlone heap(options);
  LayoutId layout = heap.layout("Nothing");
  EXPECT_EQ(heap.try_allocate(layout, 100'000), nullptr);
  EXPECT_EQ(heap.try_allocate(layout, 16), nullptr);
}

TEST(heap_large, what_is_free_at_the_end_is_a_part_of_a_longer_run) {
  constexpr size_t kMib = size_t{1} << 20;
  HeapOptions options;
  options.reservation_bytes = 64 * kMib;
  HeapAlone heap(options);
  LayoutId layout = heap.layout("Long");
  heap.allocate(layout, 16);
  ASSERT_NE(heap.allocate(layout, 33 * kMib), nullptr);
  heap.collect({});
  EXPECT_NE(heap.try_allocate(layout, 62 * kMib), nullptr);
  heap.collect({});
  // Page 0 is nobody's.
  EXPECT_EQ(heap.try_allocate(layout, 64 * kMib), nullptr);
  EXPECT_NE(heap.try_allocate(layout, 64 * kMib - kPageBytes), nullptr);
}

TEST(heap_large, only_pages_that_held_something_are_zeroed) {
  constexpr size_t kMib = size_t{1} << 20;
  HeapAlone heap;
  LayoutId layout = heap.layout("Sparse");
  std::vector<void*> cells;
  for (int i = 0; i < 20; ++i) cells.push_back(heap.allocate(layout, 40'000));
  for (void* cell : cells) std::memset(cell, 0x55, 40'000);
  heap.collect({cells[7]});
  auto* p = static_cast<char*>(heap.allocate(layout, 64 * kMib));
  EXPECT_GT(p, cells[7]);
  size_t resident = 0;
  std::vector<unsigned char> pages(64 * kMib / 4096);
  ASSERT_EQ(mincore(p, 64 * kMib, pages.data()), 0);
  for (unsigned char page : pages) resident += page & 1;
  EXPECT_LE(resident * 4096, 2 * kMib);
  for (size_t i = 0; i < 64 * kMib; i += 8) {
    ASSERT_EQ(*reinterpret_cast<uint64_t*>(p + i), 0u) << i;
  }
  heap->validate_stw(true);
}

}  // namespace
}  // namespace tricolor::heap
