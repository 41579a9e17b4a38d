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

// A collection that the caller waited for says nothing about the next.
TEST(gc_pacer, forced_cycles_teach_nothing) {
  Pacer p;
  p.init(100, 0, 1);
  CycleWork w;
  w.marked = w.scanned = 64 << 20;
  w.allocated = 8 << 20;
  w.cpu_ns = 1000;
  w.worker_ns = 250;
  p.end_cycle(w);
  const double rate = p.runway_rate();
  EXPECT_NEAR(rate, 0.125, 0.001);
  w.forced = true;
  w.allocated = 0;
  w.worker_ns = 1000;
  for (int i = 0; i < 10; ++i) p.end_cycle(w);
  EXPECT_EQ(p.runway_rate(), rate);
  w.forced = false;
  for (int i = 0; i < 5; ++i) p.end_cycle(w);
  EXPECT_EQ(p.runway_rate(), 0);
}

TEST(gc_pacer, the_runway_is_that_of_the_share) {
  CycleWork w;
  w.marked = w.scanned = 64 << 20;
  w.allocated = 8 << 20;
  w.cpu_ns = 1000;
  w.worker_ns = 250;
  w.assist_ns = 250;
  Pacer quarter;
  quarter.init(100, 0, 1);
  quarter.end_cycle(w);
  EXPECT_NEAR(quarter.runway_rate(), 0.125 * 3, 0.001)
      << "twice as long, half as much again in each moment";
  Pacer half;
  half.init(100, 0, 1, 50);
  half.end_cycle(w);
  EXPECT_NEAR(half.runway_rate(), 0.125 * 3, 0.001) << "half was not reached";
  w.assist_ns = 0;
  for (const uint32_t share : {0u, 25u, 50u, 100u}) {
    Pacer p;
    p.init(100, 0, 1, share);
    p.end_cycle(w);
    EXPECT_NEAR(p.runway_rate(), 0.125, 0.001) << share;
  }
  w.external = 8 << 20;
  Pacer external;
  external.init(100, 0, 1);
  external.end_cycle(w);
  EXPECT_NEAR(external.runway_rate(), 0.25, 0.001);
}

TEST(gc_pacer, goals_count_stacks_roots_and_the_markers_memory) {
  Pacer p;
  p.init(50, 0, 1);
  CycleWork w;
  w.marked = w.scanned = 100 << 20;
  p.end_cycle(w);
  EXPECT_NEAR(static_cast<double>(p.goal()), 150 * kMiB, kMiB);
  w.stacks = 20 << 20;
  w.roots = 8 << 20;
  w.marker = 12 << 20;
  p.end_cycle(w);
  EXPECT_NEAR(static_cast<double>(p.goal()), 170 * kMiB, kMiB);
  p.set_external(40 << 20);
  EXPECT_NEAR(static_cast<double>(p.goal()), 230 * kMiB, kMiB);
  EXPECT_NEAR(static_cast<double>(p.heap_goal()), 170 * kMiB, kMiB);
  EXPECT_NEAR(static_cast<double>(p.hard_goal()), 253 * kMiB, kMiB);
  p.set_limit(240 << 20);
  EXPECT_EQ(p.hard_goal(), uint64_t{240} << 20);
  p.set_limit(200 << 20);
  EXPECT_EQ(p.goal(), uint64_t{200} << 20);
  EXPECT_EQ(p.hard_goal(), p.goal());
}

TEST(gc_pacer, suspension_is_percent_off_and_nests) {
  Pacer p;
  p.init(100, 0, 1);
  const uint64_t goal = p.goal();
  EXPECT_FALSE(p.suspend(-1));
  EXPECT_TRUE(p.suspend(1));
  EXPECT_TRUE(p.suspend(1));
  EXPECT_EQ(p.trigger(), UINT64_MAX);
  p.set_percent(100);
  EXPECT_EQ(p.trigger(), UINT64_MAX);
  EXPECT_EQ(p.assist_ratio(50 << 20, 0), 0);
  p.set_limit(10 << 20);
  EXPECT_EQ(p.goal(), uint64_t{10} << 20) << "the limit is kept to";
  p.set_limit(UINT64_MAX);
  EXPECT_TRUE(p.suspend(-1));
  EXPECT_TRUE(p.suspended());
  EXPECT_TRUE(p.suspend(-1));
  EXPECT_EQ(p.goal(), goal);
}

}  // namespace
}  // namespace tricolor::gc
