// SPDX-License-Identifier: MIT
// Copyright tricolor authors
//
// base/mmap_vector.h: growth without moving, the full vector, and release.
#include "base/mmap_vector.h"

#include <gtest/gtest.h>

namespace tricolor::base {
namespace {

TEST(base_mmap_vector, pushes_pops_and_never_moves) {
  MmapVector<uint64_t> v;
  ASSERT_TRUE(v.init(100'000));
  ASSERT_TRUE(v.push_back(0));
  const uint64_t* first = &v[0];
  for (uint64_t i = 1; i < 50'000; i++) ASSERT_TRUE(v.push_back(i));
  EXPECT_EQ(&v[0], first);
  EXPECT_EQ(v.size(), 50'000u);
  EXPECT_EQ(v[49'999], 49'999u);
  EXPECT_EQ(v.back(), 49'999u);
  EXPECT_EQ(v.pop_back(), 49'999u);
  EXPECT_EQ(v.size(), 49'999u);
  uint64_t sum = 0;
  for (const uint64_t n : v) sum += n;
  EXPECT_EQ(sum, uint64_t{49'998} * 49'999 / 2);
  v.clear();
  EXPECT_TRUE(v.empty());
  EXPECT_EQ(v.capacity(), 100'000u);
}

TEST(base_mmap_vector, full) {
  MmapVector<char> v;
  EXPECT_FALSE(v.push_back('a'));
  ASSERT_TRUE(v.init(3));
  for (int i = 0; i < 3; i++) EXPECT_TRUE(v.push_back('a'));
  EXPECT_FALSE(v.push_back('b'));
  EXPECT_EQ(v.size(), 3u);
}

TEST(base_mmap_vector, refusal_and_reuse) {
  const OsFaultHook refuse{[](void*, OsCall, size_t) { return true; }, nullptr};
  MmapVector<int> v;
  {
    OsFaultScope scope(refuse);
    EXPECT_FALSE(v.init(10));
  }
  EXPECT_FALSE(v.init(SIZE_MAX / 4));
  EXPECT_EQ(v.capacity(), 0u);
  ASSERT_TRUE(v.init(10));
  ASSERT_TRUE(v.push_back(1));
  v.release();
  EXPECT_EQ(v.size(), 0u);
  ASSERT_TRUE(v.init(20));
  ASSERT_TRUE(v.push_back(2));
  EXPECT_EQ(v[0], 2);
}

TEST(base_mmap_vector_DeathTest, pop_of_an_empty_vector) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  MmapVector<int> v;
  EXPECT_DEATH(v.pop_back(), "check failed: size_ > 0");
}

}  // namespace
}  // namespace tricolor::base
