// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// The pacer driven through whole programs: each scenario is a row with bounds
// of its own. The model is in pacer_sim.h.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <vector>

#include "tests/unit/gc/pacer_sim.h"

namespace tricolor::gc {
namespace {

using namespace pacer_sim;  // NOLINT: the model of this test

struct Range {
  double low, high;
};

/// A program and what is asked of the pacer from `settled` on.
struct Scenario {
  const char* name;
  int cycles;
  int settled;
  std::function<Load(int cycle, Random& random)> load;
  Range used;         ///< of the Ps' time in a mark
  Range over;         ///< peak / goal
  Range trigger_at;   ///< on the way from live to the goal
  double runway_off;  ///< mean of |runway - 1|
  Range overall;      ///< share of all the time
};

const std::vector<Scenario> kScenarios = {
    {"steady",
     50,
     10,
     [](int, Random&) { return Load(); },
     {0.249, 0.251},
     {0.998, 1.001},
     {0.86, 0.88},
     0.002,
     {0, 0.045}},
    {"step_alloc",
     100,
     20,
     [](int i, Random&) {
       Load l;
       l.alloc = i < 50 ? 0.03 : 0.08;
       return l;
     },
     {0.249, 0.42},
     {0.995, 1.015},
     {0.78, 0.92},
     0.005,
     {0, 0.07}},
    {"step_back_in_alloc",
     100,
     60,
     [](int i, Random&) {
       Load l;
       l.alloc = i < 50 ? 0.08 : 0.03;
       return l;
     },
     {0.249, 0.251},
     {0.995, 1.001},
     {0.9, 0.92},
     0.002,
     {0, 0.03}},
    // More than the runway can hold: assists do the rest.
    {"heavy_step_alloc",
     100,
     20,
     [](int i, Random&) {
       Load l;
       l.alloc = i < 50 ? 0.02 : 0.4;
       return l;
     },
     {0.249, 0.82},
     {0.995, 1.02},
     {0.699, 0.95},
     0.03,
     {0, 0.28}},
    {"step_scan",
     100,
     20,
     [](int i, Random&) {
       Load l;
       l.scan = i < 50 ? 1 : 0.6;
       return l;
     },
     {0.249, 0.34},
     {0.995, 1.01},
     {0.78, 0.88},
     0.005,
     {0, 0.07}},
    {"heavy_jitter",
     300,
     10,
     [](int, Random& r) {
       Load l;
       l.alloc *= 1 + 0.5 * r.jitter();
       l.scan *= 1 + 0.5 * r.jitter();
       return l;
     },
     {0.249, 0.45},
     {0.85, 1.02},
     {0.699, 0.92},
     0.4,
     {0, 0.12}},
    {"oscillating_live",
     200,
     10,
     [](int i, Random&) {
       Load l;
       l.live = (96 + 32 * std::sin(i * 0.4)) * kMiB;
       return l;
     },
     {0.249, 0.251},
     {0.98, 1.02},
     {0.86, 0.88},
     0.1,
     {0, 0.05}},
    {"doubling_live",
     14,
     2,
     [](int i, Random&) {
       Load l;
       l.live = std::ldexp(2.0 * kMiB, i);
       return l;
     },
     {0.249, 0.3},
     {0.95, 1.08},
     {0.86, 0.951},
     1.1,
     {0, 0.08}},
    {"mostly_noscan",
     50,
     10,
     [](int, Random&) {
       Load l;
       l.scannable = 0.1;
       l.alloc = 0.5;
       return l;
     },
     {0.249, 0.251},
     {0.998, 1.001},
     {0.86, 0.88},
     0.002,
     {0, 0.045}},
    {"step_scannable",
     100,
     10,
     [](int i, Random&) {
       Load l;
       l.scannable = i < 50 ? 0.1 : 1;
       return l;
     },
     {0.249, 0.28},
     {0.975, 1.05},
     {0.86, 0.951},
     0.4,
     {0, 0.05}},
    {"big_stacks",
     50,
     10,
     [](int, Random&) {
       Load l;
       l.live = 4 * kMiB;
       l.stacks = 128 * kMiB;
       return l;
     },
     {0.249, 0.251},
     {0.998, 1.001},
     {0.86, 0.88},
     0.002,
     {0, 0.045}},
    // Work that nobody could know of, once: more than the hard goal.
    {"step_stacks",
     60,
     10,
     [](int i, Random&) {
       Load l;
       l.live = 32 * kMiB;
       l.stacks = i < 30 ? 0 : 64 * kMiB;
       return l;
     },
     {0.249, 0.3},
     {0.99, 1.14},
     {0.86, 0.88},
     0.05,
     {0, 0.1}},
    {"big_roots",
     50,
     10,
     [](int, Random&) {
       Load l;
       l.live = 4 * kMiB;
       l.roots = 128 * kMiB;
       return l;
     },
     {0.249, 0.251},
     {0.998, 1.001},
     {0.86, 0.88},
     0.002,
     {0, 0.045}},
    {"external",
     50,
     10,
     [](int, Random&) {
       Load l;
       l.live = 4 * kMiB;
       l.external = 128 * kMiB;
       return l;
     },
     {0.249, 0.251},
     {0.97, 1.001},
     {0.949, 0.951},
     1,
     {0, 0.003}},
    {"tiny",
     100,
     10,
     [](int, Random&) {
       Load l;
       l.live = 0.1 * kMiB;
       return l;
     },
     {0.249, 0.251},
     {0.95, 1.001},
     {0.949, 0.951},
     1,
     {0, 0.002}},
    {"high_percent",
     50,
     10,
     [](int, Random&) {
       Load l;
       l.percent = 1500;
       l.alloc = 0.5;
       return l;
     },
     {0.249, 0.251},
     {0.98, 1.001},
     {0.949, 0.951},
     0.25,
     {0, 0.015}},
    {"low_percent",
     50,
     10,
     [](int, Random&) {
       Load l;
       l.percent = 20;
       l.alloc = 0.01;
       return l;
     },
     {0.249, 0.251},
     {0.998, 1.01},
     {0.84, 0.87},
     0.06,
     {0, 0.06}},
    {"idle_ps",
     50,
     10,
     [](int, Random&) {
       Load l;
       l.idle = 2;
       return l;
     },
     {0.62, 0.63},
     {0.93, 1.001},
     {0.84, 0.87},
     0.85,
     {0, 0.03}},
    {"limit_reached",
     60,
     10,
     [](int, Random&) {
       Load l;
       l.limit = 96 * kMiB;
       l.alloc = 0.03;
       return l;
     },
     {0.249, 0.251},
     {0.998, 1.001},
     {0.77, 0.79},
     0.002,
     {0, 0.07}},
    // Twice what is live is below it.
    {"limit_kept",
     60,
     10,
     [](int, Random&) {
       Load l;
       l.limit = 200 * kMiB;
       return l;
     },
     {0.249, 0.251},
     {0.998, 1.001},
     {0.86, 0.88},
     0.002,
     {0, 0.045}},
    {"limit_with_percent_off",
     60,
     10,
     [](int, Random&) {
       Load l;
       l.percent = -1;
       l.limit = 512 * kMiB;
       return l;
     },
     {0.249, 0.251},
     {0.97, 1.001},
     {0.949, 0.951},
     0.6,
     {0, 0.01}},
    {"limit_raised_and_lowered",
     90,
     10,
     [](int i, Random&) {
       Load l;
       l.limit = (i < 30 ? 96 : i < 60 ? 256 : 100) * kMiB;
       l.alloc = 0.03;
       return l;
     },
     {0.249, 0.251},
     {0.998, 1.001},
     {0.77, 0.92},
     0.002,
     {0, 0.07}},
};

class gc_pacer_sim : public ::testing::TestWithParam<size_t> {};

TEST_P(gc_pacer_sim, keeps_to_its_bounds) {
  const Scenario& s = kScenarios[GetParam()];
  for (const uint64_t seed : {0x9e3779b97f4a7c15u, 1234567ul, 42ul}) {
    SCOPED_TRACE(::testing::Message() << s.name << ", seed " << seed);
    Random random(seed);
    Simulation sim;
    double off = 0;
    for (int i = 0; i < s.cycles; ++i) {
      const Outcome o = sim.cycle(s.load(i, random));
      if (i < s.settled) continue;
      SCOPED_TRACE(::testing::Message() << "cycle " << i);
      off += std::fabs(o.runway() - 1);
      EXPECT_GE(o.used, s.used.low);
      EXPECT_LE(o.used, s.used.high);
      EXPECT_GE(o.over(), s.over.low);
      EXPECT_LE(o.over(), s.over.high);
      EXPECT_GE(o.trigger_at(), s.trigger_at.low);
      EXPECT_LE(o.trigger_at(), s.trigger_at.high);
      EXPECT_LE(o.overall, s.overall.high);
      if (std::getenv("PACER_SIM_SHOW") != nullptr) {
        std::printf(
            "%s %d: used %.4f assists %.4f over %.4f at %.4f runway "
            "%.4f overall %.4f\n",
            s.name, i, o.used, o.assists, o.over(), o.trigger_at(), o.runway(),
            o.overall);
      }
    }
    EXPECT_LE(off / (s.cycles - s.settled), s.runway_off);
  }
}

INSTANTIATE_TEST_SUITE_P(all, gc_pacer_sim,
                         ::testing::Range(size_t{0}, kScenarios.size()),
                         [](const auto& info) {
                           return kScenarios[info.param].name;
                         });

// Whatever survives, and however fast it is allocated: no more than a tenth
// over the goal, as long as assists are paid.
TEST(gc_pacer_sims, the_hard_goal_holds) {
  Random random(20260101);
  for (int program = 0; program < 40; ++program) {
    Simulation sim;
    for (int i = 0; i < 30; ++i) {
      Load l;
      l.live = std::exp2(18 + 5 * (1 + random.jitter()));
      l.alloc = std::exp2(4 * random.jitter()) / 4;
      l.scannable = 0.5 + 0.5 * random.jitter();
      l.percent = static_cast<int>(20 + 200 * (1 + random.jitter()));
      const Outcome o = sim.cycle(l);
      ASSERT_LE(o.over(), 1.11) << "program " << program << ", cycle " << i;
    }
  }
}

// Without assists a steady program ends its marks near the goal all the same,
// because cycles begin soon enough.
TEST(gc_pacer_sims, without_assists_the_runway_is_longer) {
  for (double alloc : {0.05, 0.1, 0.2}) {
    Simulation sim(/*assists=*/false);
    Load l;
    l.alloc = alloc;
    for (int i = 0; i < 30; ++i) {
      const Outcome o = sim.cycle(l);
      if (i < 10) continue;
      EXPECT_LE(o.over(), 1.01) << alloc;
      EXPECT_GE(o.over(), 0.95) << alloc;
      EXPECT_EQ(o.assists, 0) << alloc;
    }
  }
}

// What is live does not fit the limit: left alone the collector would run all
// the time; the limiter keeps it near a half of it.
TEST(gc_pacer_sims, a_limit_that_is_too_low_costs_half_the_time) {
  Simulation sim;
  Load l;
  l.live = 256 * kMiB;
  l.limit = 200 * kMiB;
  l.alloc = 0.2;
  double most = 0;
  for (int i = 0; i < 3000; ++i) {
    const Outcome o = sim.cycle(l);
    if (i > 100) most = std::max(most, o.peak);
  }
  EXPECT_GT(sim.limiter().events(), 0u);
  EXPECT_LT(sim.share_of_all(), 0.55);
  EXPECT_GT(sim.share_of_all(), 0.4);
  EXPECT_LT(most, 2.3 * 256 * kMiB);
}

}  // namespace
}  // namespace tricolor::gc
