// SPDX-License-Identifier: MIT
// Copyright tricolor authors
//
// base/rng.h: fixed sequences (they seed replays), ranges, and rough evenness.
#include "base/rng.h"

#include <gtest/gtest.h>

#include "base/sched_point.h"

namespace tricolor::base {
namespace {

TEST(base_rng, splitmix64_reference_values) {
  // The published sequence for seed 1234567.
  uint64_t state = 1234567;
  EXPECT_EQ(splitmix64(&state), 6457827717110365317u);
  EXPECT_EQ(splitmix64(&state), 3203168211198807973u);
}

TEST(base_rng, same_seed_same_sequence) {
  Rng a(5);
  Rng b(5);
  Rng c(6);
  int differing = 0;
  for (int i = 0; i < 100; i++) {
    const uint64_t x = a.next();
    EXPECT_EQ(x, b.next());
    differing += x != c.next();
  }
  EXPECT_GE(differing, 99);
}

TEST(base_rng, below_stays_below_and_spreads) {
  Rng rng(0);
  int counts[10] = {};
  for (int i = 0; i < 100'000; i++) {
    const uint32_t n = rng.below(10);
    ASSERT_LT(n, 10u);
    counts[n]++;
  }
  for (const int count : counts) {
    EXPECT_GT(count, 9'000);
    EXPECT_LT(count, 11'000);
  }
  EXPECT_EQ(rng.below(1), 0u);
  EXPECT_EQ(rng.below(0), 0u);
}

TEST(base_sched_point, is_a_statement) {
  if (true) TRI_SCHED_POINT(test_point);
  SUCCEED();
}

}  // namespace
}  // namespace tricolor::base
