// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// The CPU limiter as a plain object, and a simulated death spiral.
#include "gc/cpu_limiter.h"

#include <gtest/gtest.h>

namespace tricolor::gc {
namespace {

constexpr uint64_t kMs = 1'000'000;

class Simulation {
 public:
  explicit Simulation(uint32_t procs) { limiter_.init(procs); }

  /// `ms` milliseconds in which `percent` of the CPU time went into collecting.
  void pass(uint64_t ms, uint64_t percent) {
    for (uint64_t i = 0; i < ms; i += 10) {
      cpu_ += 10 * kMs;
      gc_ += 10 * kMs * percent / 100;
      limiter_.update(gc_, cpu_);
    }
  }
  const CpuLimiter& limiter() const { return limiter_; }

 private:
  CpuLimiter limiter_;
  uint64_t cpu_ = 0;
  uint64_t gc_ = 0;
};

TEST(gc_cpu_limiter, half_the_time_is_allowed_for_ever) {
  Simulation s(2);
  s.pass(100'000, 50);
  EXPECT_FALSE(s.limiter().limiting());
  s.pass(100'000, 25);
  EXPECT_FALSE(s.limiter().limiting());
}

TEST(gc_cpu_limiter, more_is_allowed_for_a_while) {
  Simulation s(1);
  s.pass(900, 100);
  EXPECT_FALSE(s.limiter().limiting()) << "a second a P";
  s.pass(200, 100);
  EXPECT_TRUE(s.limiter().limiting());
  EXPECT_EQ(s.limiter().events(), 1u);
  s.pass(1000, 20);
  EXPECT_FALSE(s.limiter().limiting());
  s.pass(10'000, 20);
  s.pass(1000, 100);
  EXPECT_TRUE(s.limiter().limiting()) << "an empty bucket again";
  EXPECT_EQ(s.limiter().events(), 2u);
}

TEST(gc_cpu_limiter, the_bucket_grows_with_the_ps) {
  Simulation s(4);
  s.pass(3900, 100);
  EXPECT_FALSE(s.limiter().limiting());
  s.pass(200, 100);
  EXPECT_TRUE(s.limiter().limiting());
}

// The heap does not fit: left alone the collector takes 90 % of the time, and
// 20 % while it is limited.
TEST(gc_cpu_limiter, a_death_spiral_is_held_at_half) {
  CpuLimiter limiter;
  limiter.init(1);
  uint64_t cpu = 0;
  uint64_t gc = 0;
  for (int i = 0; i < 10'000; ++i) {
    cpu += 10 * kMs;
    gc += 10 * kMs * (limiter.limiting() ? 20 : 90) / 100;
    limiter.update(gc, cpu);
  }
  EXPECT_GT(limiter.events(), 0u);
  EXPECT_LT(gc, cpu / 100 * 53);
  EXPECT_GT(gc, cpu / 100 * 45) << "and is let go again";
}

TEST(gc_cpu_limiter, what_others_of_the_process_use_is_no_excuse) {
  // One P that does nothing but collect, beside four busy threads.
  CpuLimiter limiter;
  limiter.init(1);
  uint64_t gc = 0;
  uint64_t cpu = 0;
  constexpr uint64_t kTick = 10'000'000;
  for (int i = 0; i < 150; ++i) {
    gc += kTick;
    cpu += 5 * kTick;
    limiter.update(gc, cpu, kTick);
  }
  EXPECT_TRUE(limiter.limiting());
  for (int i = 0; i < 150; ++i) {
    cpu += 5 * kTick;
    limiter.update(gc, cpu, kTick);
  }
  EXPECT_FALSE(limiter.limiting());
}

TEST(gc_cpu_limiter, times_that_go_back_count_for_nothing) {
  CpuLimiter limiter;
  limiter.init(1);
  limiter.update(100 * kMs, 1000 * kMs);
  limiter.update(90 * kMs, 990 * kMs);
  EXPECT_FALSE(limiter.limiting());
  limiter.update(100 * kMs, 1000 * kMs);
  EXPECT_FALSE(limiter.limiting());
}

TEST(gc_cpu_limiter, times_that_do_not_move_change_nothing) {
  CpuLimiter limiter;
  limiter.init(1);
  limiter.update(5, 3);  // clocks of two kinds need not agree
  for (int i = 0; i < 100; ++i) limiter.update(5, 3);
  EXPECT_FALSE(limiter.limiting());
}

}  // namespace
}  // namespace tricolor::gc
