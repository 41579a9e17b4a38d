// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// The timer heap: order, ties, validity after every step.
#include "sched/timers.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "base/rng.h"
#include "sched/scheduler.h"
#include "tests/support/stress.h"

namespace tricolor::sched {
namespace {

TEST(sched_timers, random_deadlines_come_out_in_order) {
  constexpr uint32_t kCount = 500;
  base::Rng rng(testing::test_seed());
  auto gs = std::make_unique<G[]>(kCount);
  std::vector<uint64_t> when(kCount);
  Timers timers;
  ASSERT_TRUE(timers.init(kCount));
  EXPECT_EQ(timers.next_ns(), kNever);
  for (uint32_t i = 0; i < kCount; i++) {
    gs[i].index = i;
    when[i] = rng.below(100);  // many ties
    const bool earliest =
        *std::min_element(when.begin(), when.begin() + i + 1) == when[i] &&
        std::count(when.begin(), when.begin() + i + 1, when[i]) == 1;
    EXPECT_EQ(timers.add(when[i], &gs[i]), earliest);
    ASSERT_TRUE(timers.is_valid());
  }
  std::vector<uint32_t> order;
  for (uint64_t now = 0; now < 100; now++) {
    GList due;
    timers.take_due(now, ~0u, &due);
    ASSERT_TRUE(timers.is_valid());
    while (G* g = due.pop_front()) {
      EXPECT_EQ(when[g->index], now);
      order.push_back(g->index);
    }
  }
  ASSERT_EQ(order.size(), kCount);
  for (uint32_t i = 1; i < kCount; i++) {
    const uint32_t a = order[i - 1];
    const uint32_t b = order[i];
    EXPECT_TRUE(when[a] < when[b] || (when[a] == when[b] && a < b));
  }
  EXPECT_EQ(timers.next_ns(), kNever);
  timers.destroy();
}

TEST(sched_timers, takes_no_more_than_asked) {
  auto gs = std::make_unique<G[]>(3);
  Timers timers;
  ASSERT_TRUE(timers.init(3));
  for (int i = 0; i < 3; i++) timers.add(5, &gs[i]);
  GList due;
  timers.take_due(4, 10, &due);
  EXPECT_EQ(due.count, 0u);
  timers.take_due(9, 2, &due);
  EXPECT_EQ(due.count, 2u);
  EXPECT_EQ(timers.next_ns(), 5u);
  timers.destroy();
}

}  // namespace
}  // namespace tricolor::sched
