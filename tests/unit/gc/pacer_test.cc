// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// The pacer as a plain object.
#include "gc/pacer.h"

#include <gtest/gtest.h>

#include <utility>

namespace tricolor::gc {
namespace {

constexpr uint64_t kMiB = uint64_t{1} << 20;

CycleWork cycle_of(uint64_t marked, uint64_t allocated, uint64_t scanned) {
  CycleWork w;
  w.marked = marked;
  w.allocated = allocated;
  w.scanned = scanned;
  return w;
}

TEST(gc_pacer, minimum_heap_scales_with_the_percent) {
  Pacer p;
  p.init(100, 0, 1);
  EXPECT_EQ(p.goal(), 2 * kMiB);
  p.set_percent(50);
  EXPECT_EQ(p.goal(), 1 * kMiB);
  p.set_percent(-1);
  EXPECT_EQ(p.goal(), UINT64_MAX);
  EXPECT_EQ(p.trigger(), UINT64_MAX);
}

TEST(gc_pacer, minimum_heap_grows_with_the_ps_or_is_given) {
  for (auto [procs, mib] : {std::pair{2, 4}, {4, 8}, {8, 16}, {64, 16}}) {
    Pacer p;
    p.init(100, 0, static_cast<uint32_t>(procs));
    EXPECT_EQ(p.goal(), static_cast<uint64_t>(mib) * kMiB) << procs;
  }
  Pacer p;
  p.init(50, 3 * kMiB, 64);
  EXPECT_EQ(p.goal(), 3 * kMiB);
}

TEST(gc_pacer, goal_follows_live_and_trigger_lies_below) {
  Pacer p;
  p.init(100, 0, 1);
  p.begin_cycle(100 * kMiB);
  p.end_cycle(cycle_of(100 * kMiB, 0, 100 * kMiB));
  EXPECT_NEAR(static_cast<double>(p.goal()), 200.0 * kMiB, kMiB);
  EXPECT_GE(p.trigger(), 170 * kMiB - kMiB);
  EXPECT_LE(p.trigger(), 195 * kMiB + kMiB);
}

TEST(gc_pacer, allocation_during_the_mark_moves_the_trigger_down) {
  Pacer p;
  p.init(100, 0, 1);
  p.end_cycle(cycle_of(100 * kMiB, 0, 100 * kMiB));
  uint64_t calm = p.trigger();
  p.end_cycle(cycle_of(100 * kMiB, 20 * kMiB, 100 * kMiB));
  EXPECT_LT(p.trigger() - p.goal() / 2, calm);
  EXPECT_LE(p.trigger(), p.goal() - 20 * kMiB);
}

TEST(gc_pacer, simulated_steady_state_stays_near_the_goal) {
  // A mutator that allocates half a byte per byte scanned: the heap must end
  // each mark at or below its goal.
  Pacer p;
  p.init(100, 0, 1);
  uint64_t live = 64 * kMiB;
  for (int cycle = 0; cycle < 20; ++cycle) {
    uint64_t start = p.trigger() > live ? p.trigger() : live;
    uint64_t goal = p.goal();
    p.begin_cycle(start);
    p.end_cycle(cycle_of(live, live / 2, live));
    if (cycle > 2) {
      EXPECT_LE(start + live / 2, goal + goal / 10) << cycle;
    }
  }
}

TEST(gc_pacer, assist_ratio_grows_as_room_shrinks) {
  Pacer p;
  p.init(100, 0, 1);
  p.end_cycle(cycle_of(100 * kMiB, 0, 100 * kMiB));
  p.begin_cycle(150 * kMiB);
  double early = p.assist_ratio(150 * kMiB, 0);
  double late = p.assist_ratio(190 * kMiB, 0);
  double done = p.assist_ratio(190 * kMiB, 99 * kMiB);
  EXPECT_GT(late, early);
  EXPECT_LT(done, late);
  p.set_percent(-1);
  EXPECT_EQ(p.assist_ratio(150 * kMiB, 0), 0);
}

}  // namespace
}  // namespace tricolor::gc
