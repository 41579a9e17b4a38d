// SPDX-License-Identifier: MIT
// Copyright tricolor authors
//
// base/rng.h: fixed sequences (they seed replays), ranges, and rough evenness.
// base/siphash.h: reference values.
#include "base/rng.h"

#include <gtest/gtest.h>

#include "base/os_memory.h"
#include "base/sched_point.h"
#include "base/siphash.h"

namespace tricolor::base {
namespace {

TEST(base_rng, splitmix64_reference_values) {
  // The published sequence for seed 1234567.
  uint64_t state = 1234567;
  EXPECT_EQ(splitmix64(&state), 6457827717110365317u);
  EXPECT_EQ(splitmix64(&state), 3203168211198807973u);
}

TEST(base_siphash, one_word_by_another_implementation) {
  // DefaultHasher of Rust's standard library, write_u64().
  EXPECT_EQ(siphash13({}, 0), 0xbd60'acb6'58c7'9e45);
  EXPECT_EQ(siphash13({}, 1), 0x1e9f'7341'61d6'2dd9);
  EXPECT_EQ(siphash13({}, 0x0123'4567'89ab'cdef), 0x8662'046e'5226'4db8);
  EXPECT_EQ(siphash13({}, UINT64_MAX), 0x2f20'5be2'fec8'e38d);
}

TEST(base_siphash, either_half_of_the_key_matters) {
  EXPECT_NE(siphash13({1, 0}, 5), siphash13({0, 0}, 5));
  EXPECT_NE(siphash13({0, 1}, 5), siphash13({0, 0}, 5));
  EXPECT_NE(siphash13({0, 1}, 5), siphash13({1, 0}, 5));
}

TEST(base_os_random, no_two_are_alike) {
  uint64_t seen[100];
  for (uint64_t& n : seen) n = os_random64();
  for (int i = 0; i < 100; i++) {
    for (int k = 0; k < i; k++) ASSERT_NE(seen[i], seen[k]);
  }
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
