// SPDX-License-Identifier: MIT
// Copyright tricolor authors
//
// base/meta_arena.h and base/fixed_pool.h: alignment, zeroes, large blocks,
// refusal by the OS, reuse, and that nothing stays mapped.
#include "base/meta_arena.h"

#include <gtest/gtest.h>
#include <algorithm>
#include <cstring>
#include <set>

#include "base/rng.h"
#include "tests/unit/base/test_thread.h"

namespace tricolor::base {
namespace {

bool all_zero(const void* p, size_t n) {
  const char* c = static_cast<const char*>(p);
  return std::all_of(c, c + n, [](char b) { return b == 0; });
}

TEST(base_meta_arena, empty_maps_nothing) {
  MetaArena arena;
  EXPECT_EQ(arena.bytes(), 0u);
}

TEST(base_meta_arena, aligned_zeroed_and_disjoint) {
  MetaArena arena;
  Rng rng(1);
  char* last_end = nullptr;
  for (int i = 0; i < 3000; i++) {
    const size_t bytes = 1 + rng.below(700);
    const size_t align = size_t{1} << rng.below(8);
    char* p = static_cast<char*>(arena.alloc(bytes, align));
    ASSERT_NE(p, nullptr);
    ASSERT_EQ(reinterpret_cast<uintptr_t>(p) % align, 0u);
    ASSERT_TRUE(all_zero(p, bytes));
    ASSERT_NE(p, last_end == nullptr ? nullptr : last_end - 1);
    memset(p, 0xff, bytes);
    last_end = p + bytes;
  }
  EXPECT_EQ(arena.bytes() % MetaArena::kChunkBytes, 0u);
}

TEST(base_meta_arena, discarded_pages_are_zeros_and_not_counted) {
  constexpr size_t kPages = 4;
  MetaArena arena;
  char* before = static_cast<char*>(arena.alloc(100, 8));
  char* p = static_cast<char*>(arena.alloc(kPages * 4096, 4096));
  ASSERT_NE(p, nullptr);
  const size_t all = arena.bytes();
  memset(before, 1, 100);
  memset(p, 0xff, kPages * 4096);
  arena.discard(p, kPages * 4096);
  EXPECT_EQ(arena.bytes(), all - kPages * 4096);
  EXPECT_TRUE(all_zero(p, kPages * 4096));
  EXPECT_EQ(before[99], 1);
  p[5] = 1;
  arena.reclaim(kPages * 4096);
  EXPECT_EQ(arena.bytes(), all);
}

TEST(base_meta_arena, large_blocks_leave_the_chunk_alone) {
  MetaArena arena;
  char* a = static_cast<char*>(arena.alloc(64, 8));
  char* big = static_cast<char*>(arena.alloc(1 << 20, 64));
  char* aligned = static_cast<char*>(arena.alloc(100, 1 << 20));
  char* b = static_cast<char*>(arena.alloc(64, 8));
  ASSERT_TRUE(a && big && aligned && b);
  EXPECT_EQ(b, a + 64);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(aligned) % (1 << 20), 0u);
  big[(1 << 20) - 1] = 1;
  aligned[99] = 1;
  EXPECT_GE(arena.bytes(), MetaArena::kChunkBytes + (1u << 20));
}

TEST(base_meta_arena, no_memory_is_null_and_recovers) {
  const OsFaultHook refuse{
      [](void*, OsCall call, size_t) { return call == OsCall::kMmap; },
      nullptr};
  MetaArena arena;
  EXPECT_EQ(arena.alloc(SIZE_MAX, 8), nullptr);
  {
    OsFaultScope scope(refuse);
    EXPECT_EQ(arena.alloc(64, 8), nullptr);
    EXPECT_EQ(arena.alloc(1 << 20, 8), nullptr);
    EXPECT_EQ(arena.bytes(), 0u);
  }
  EXPECT_NE(arena.alloc(64, 8), nullptr);
}

TEST(base_meta_arena, many_threads) {
  MetaArena arena;
  const auto fill = [&] {
    for (int i = 0; i < 5000; i++) {
      uint64_t* p = static_cast<uint64_t*>(arena.alloc(40, 8));
      if (p[0] != 0 || p[4] != 0) TRI_FATAL("block given out twice");
      p[0] = p[4] = 1;
    }
  };
  TestThread a(fill);
  TestThread b(fill);
}

struct Node {
  Node* next;
  uint64_t payload[5];
};

TEST(base_fixed_pool, reuses_with_contents_and_a_clean_first_word) {
  MetaArena arena;
  FixedPool<Node> pool(arena);
  Node* a = pool.alloc();
  Node* b = pool.alloc();
  ASSERT_TRUE(all_zero(a, sizeof(Node)) && all_zero(b, sizeof(Node)));
  EXPECT_EQ(pool.in_use(), 2u);
  a->payload[3] = 42;
  a->next = b;
  pool.free(b);
  pool.free(a);
  EXPECT_EQ(pool.in_use(), 0u);
  Node* again = pool.alloc();
  EXPECT_EQ(again, a);
  EXPECT_EQ(again->next, nullptr);
  EXPECT_EQ(again->payload[3], 42u);
  EXPECT_EQ(pool.alloc(), b);
}

TEST(base_fixed_pool, gives_out_each_cell_once) {
  MetaArena arena;
  FixedPool<Node> pool;
  pool.init(arena);
  std::set<Node*> live;
  for (int i = 0; i < 1000; i++) EXPECT_TRUE(live.insert(pool.alloc()).second);
  EXPECT_EQ(pool.in_use(), live.size());
  for (Node* node : live) pool.free(node);
  std::set<Node*> again;
  for (int i = 0; i < 1000; i++) EXPECT_TRUE(again.insert(pool.alloc()).second);
  EXPECT_EQ(live, again);
}

TEST(base_fixed_pool, no_memory_is_null) {
  const OsFaultHook refuse{[](void*, OsCall, size_t) { return true; }, nullptr};
  MetaArena arena;
  FixedPool<Node> pool(arena);
  OsFaultScope scope(refuse);
  EXPECT_EQ(pool.alloc(), nullptr);
  EXPECT_EQ(pool.in_use(), 0u);
}

}  // namespace
}  // namespace tricolor::base
