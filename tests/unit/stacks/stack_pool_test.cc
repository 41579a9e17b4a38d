// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Stack pools: classes, guards, recycling, refusals.
#include "stacks/stack_pool.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <set>
#include <string>
#include <vector>

#include "base/os_memory.h"

namespace tricolor::stacks {
namespace {

class stacks_pool : public ::testing::Test {
 protected:
  stacks_pool() { pool_.init(&meta_, 0); }
  ~stacks_pool() override { pool_.destroy(); }

  NativeStack* get(size_t bytes) {
    Refusal refusal = nullptr;
    return pool_.get_native(pool_.native_class(bytes), &refusal);
  }

  base::MetaArena meta_;
  StackPool pool_;
};

TEST_F(stacks_pool, ClassesCoverWhatIsAskedFor) {
  EXPECT_EQ(pool_.native_class(0), pool_.default_class());
  EXPECT_EQ(StackPool::native_class_bytes(pool_.default_class()),
            kDefaultNativeBytes);
  for (size_t bytes : {size_t{1}, kMinNativeBytes, kMinNativeBytes + 1,
                       size_t{1} << 20, kMaxNativeBytes}) {
    const uint32_t klass = pool_.native_class(bytes);
    ASSERT_LT(klass, kNativeClasses);
    EXPECT_GE(StackPool::native_class_bytes(klass), bytes);
  }
  EXPECT_EQ(pool_.native_class(kMaxNativeBytes + 1), kNoClass);
}

TEST_F(stacks_pool, StacksAreUsableToTheGuard) {
  for (size_t bytes : {size_t{0}, size_t{1} << 20}) {
    NativeStack* stack = get(bytes);
    ASSERT_NE(stack, nullptr);
    char* lo = stack->lo + base::os_page_size();
    EXPECT_EQ(reinterpret_cast<uintptr_t>(stack->top()) % 16, 0u);
    std::memset(lo, 1, static_cast<size_t>(stack->top() - lo));
    pool_.put_native(stack);
  }
}

// Whether the kernel can read the byte, without a signal in this process.
bool readable(const void* p) {
  int ends[2];
  if (pipe(ends) != 0) return false;
  const bool ok = write(ends[1], p, 1) == 1;
  close(ends[0]);
  close(ends[1]);
  return ok;
}

// Guards are made ahead, by the dozen; a slab ends in between.
TEST_F(stacks_pool, EachOfManyHasItsGuard) {
  const size_t page = base::os_page_size();
  for (size_t bytes : {size_t{0}, size_t{1} << 20}) {
    std::vector<NativeStack*> stacks;
    for (int i = 0; i < 300; i++) {
      if (i == 200) pool_.guard_for_testing().use_mprotect_for_testing(10'000);
      stacks.push_back(get(bytes));
      ASSERT_NE(stacks.back(), nullptr);
    }
    for (NativeStack* stack : stacks) {
      EXPECT_FALSE(readable(stack->lo));
      EXPECT_FALSE(readable(stack->lo + page - 1));
      EXPECT_TRUE(readable(stack->lo + page));
      EXPECT_TRUE(readable(stack->top() - 1));
      pool_.put_native(stack);
    }
  }
}

TEST_F(stacks_pool, TopsAreColoured) {
  std::set<size_t> offsets;
  std::vector<NativeStack*> stacks;
  for (int i = 0; i < 16; i++) {
    stacks.push_back(get(0));
    offsets.insert(stacks.back()->top_bytes);
  }
  EXPECT_EQ(offsets.size(), 16u);
  for (NativeStack* s : stacks) pool_.put_native(s);
}

TEST_F(stacks_pool, LastFreedComesFirst) {
  NativeStack* a = get(0);
  NativeStack* b = get(0);
  pool_.put_native(a);
  pool_.put_native(b);
  EXPECT_EQ(get(0), b);
  EXPECT_EQ(get(0), a);
}

TEST_F(stacks_pool, CacheKeepsSomeAndGivesBackTheRest) {
  StackCache cache;
  Refusal refusal = nullptr;
  std::set<NativeStack*> stacks;
  for (int i = 0; i < 100; i++) stacks.insert(cache.get(&pool_, &refusal));
  EXPECT_EQ(stacks.size(), 100u);
  EXPECT_EQ(stacks.count(nullptr), 0u);
  const size_t mapped = pool_.mapped_bytes();
  for (NativeStack* s : stacks) cache.put(&pool_, s);
  cache.put(&pool_, get(size_t{4} << 20));  // another class: not kept
  cache.flush(&pool_);
  std::set<NativeStack*> again;
  for (int i = 0; i < 100; i++) again.insert(get(0));
  EXPECT_EQ(again, stacks);
  EXPECT_GE(pool_.mapped_bytes(), mapped);
}

TEST_F(stacks_pool, ValueStacks) {
  std::vector<ValueBlock> blocks;
  for (size_t bytes :
       {size_t{1}, size_t{5000}, size_t{1} << 20, (size_t{64} << 20) + 1}) {
    ValueBlock block = pool_.get_value(bytes);
    ASSERT_NE(block.lo, nullptr);
    EXPECT_GE(block.bytes, bytes);
    block.lo[0] = 1;
    block.lo[block.bytes - 1] = 1;
    blocks.push_back(block);
  }
  EXPECT_EQ(blocks.back().klass, kNoClass);
  for (const ValueBlock& b : blocks) pool_.put_value(b);
  EXPECT_EQ(pool_.get_value(0).lo, nullptr);
  EXPECT_EQ(pool_.get_value(SIZE_MAX).lo, nullptr);
}

TEST_F(stacks_pool, OlderKernelsRunOutOfMappingsWithAReason) {
  // Room for 40 mappings: half of them are ours, at two a guard.
  pool_.guard_for_testing().use_mprotect_for_testing(40);
  Refusal refusal = nullptr;
  int n = 0;
  while (pool_.get_native(pool_.default_class(), &refusal) != nullptr) n++;
  EXPECT_EQ(n, 10);
  ASSERT_NE(refusal, nullptr);
  EXPECT_NE(std::string(refusal).find("vm.max_map_count"), std::string::npos);
}

TEST_F(stacks_pool, NoMemoryIsARefusal) {
  const base::OsFaultHook hook{[](void*, base::OsCall call, size_t) {
                                 return call == base::OsCall::kMmap;
                               },
                               nullptr};
  const base::OsFaultScope scope(hook);
  Refusal refusal = nullptr;
  EXPECT_EQ(pool_.get_native(0, &refusal), nullptr);
  EXPECT_NE(refusal, nullptr);
  EXPECT_EQ(pool_.get_value(size_t{1} << 30).lo, nullptr);
}

using stacks_pool_death = stacks_pool;

TEST_F(stacks_pool_death, OverflowHitsTheGuard) {
  NativeStack* stack = get(0);
  char* guard = stack->lo + base::os_page_size() - 1;
  EXPECT_DEATH(*const_cast<volatile char*>(guard) = 1, "");
  pool_.guard_for_testing().use_mprotect_for_testing(1000);
  stack = get(size_t{8} << 20);
  guard = stack->lo + base::os_page_size() - 1;
  EXPECT_DEATH(*const_cast<volatile char*>(guard) = 1, "");
}

}  // namespace
}  // namespace tricolor::stacks
