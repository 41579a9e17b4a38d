// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// The pacer driven through whole programs: a fluid model of mutators and
// markers runs cycle after cycle against the real Pacer (and CpuLimiter), and
// each scenario is a row with bounds of its own.
//
// The model. Ps allocate `alloc` bytes and scan `scan` bytes in a nanosecond of
// CPU. While a cycle marks, a share of each P scans; what that brings is
// credit, and mutators that owe more than there is of it scan themselves. A
// cycle ends when what survives, stacks and roots are scanned.
//
// Source: the scenarios of Go's TestGcPacer, told anew for this pacer.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <vector>

#include "gc/cpu_limiter.h"
#include "gc/pacer.h"

namespace tricolor::gc {
namespace {

constexpr double kMiB = 1 << 20;
constexpr double kPs = 4;
constexpr double kShare = 0.25;
constexpr double kNone = 1e30;

class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  /// Uniform in [-1, 1).
  double jitter() {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return static_cast<double>(state_ >> 11) / (1ull << 52) - 1;
  }

 private:
  uint64_t state_;
};

/// What the program is like in one cycle.
struct Load {
  double alloc = 0.05;      ///< bytes per ns and P
  double scan = 1;          ///< bytes per ns and P
  double live = 64 * kMiB;  ///< what survives, if there is so much
  double scannable = 1;     ///< of that, the part with pointers
  double stacks = 0;        ///< bytes
  double roots = 0;
  double external = 0;   ///< held
  double limit = kNone;  ///< for cells and external bytes
  int percent = 100;
  double idle = 0;  ///< Ps with nothing to do but mark
};

/// What came of it.
struct Outcome {
  double live, trigger, goal, peak;
  double used;     ///< of the Ps' time while marking
  double assists;  ///< the same, by assists alone
  double overall;  ///< of the Ps' time from cycle to cycle
  /// How far the mark came in the runway: 1: to the goal.
  double runway() const { return (peak - trigger) / (goal - trigger); }
  double over() const { return peak / goal; }
  /// Where the trigger is between what was live and the goal.
  double trigger_at() const { return (trigger - live) / (goal - live); }
};

class Simulation {
 public:
  explicit Simulation(bool assists = true, uint64_t least = 0) {
    pacer_.init(100, least, static_cast<uint32_t>(kPs), 25, assists);
    limiter_.init(static_cast<uint32_t>(kPs), static_cast<uint32_t>(kPs));
    assists_ = assists;
  }

  Outcome cycle(const Load& load) {
    if (load.percent != pacer_.percent()) pacer_.set_percent(load.percent);
    pacer_.set_external(static_cast<uint64_t>(load.external));
    set_limit(load.limit);
    Outcome o{};
    o.live = live_ + load.external;
    double heap = live_ + load.external;
    double begin = static_cast<double>(pacer_.trigger());
    if (begin < heap) begin = heap;
    const double run_ns = (begin - heap) / load.alloc / (kPs - load.idle);
    heap = begin;
    o.trigger = begin;
    mark(load, &heap, &o);
    gc_ns_ += o.used * mark_ns_ * kPs;
    cpu_ns_ += (run_ns + mark_ns_) * kPs;
    o.overall = o.used * mark_ns_ / (run_ns + mark_ns_);
    limiter_.update(static_cast<uint64_t>(gc_ns_),
                    static_cast<uint64_t>(cpu_ns_));
    return o;
  }
  const CpuLimiter& limiter() const { return limiter_; }
  double share_of_all() const { return gc_ns_ / cpu_ns_; }
  Pacer& pacer() { return pacer_; }

 private:
  /// As CollectorImpl::apply_memory_limit().
  void set_limit(double limit) {
    const double twice = 2 * static_cast<double>(pacer_.marked_bytes());
    if (limiter_.limiting() && limit < twice) limit = twice;
    pacer_.set_limit(limit < kNone ? static_cast<uint64_t>(limit) : UINT64_MAX);
  }

  void mark(const Load& load, double* heap, Outcome* o) {
    const double survivors = std::min(load.live, *heap - load.external);
    const double work =
        survivors * load.scannable + load.stacks + load.roots + 1;
    pacer_.begin_cycle(static_cast<uint64_t>(*heap - load.external));
    o->goal = static_cast<double>(pacer_.goal());
    const double begin = *heap;
    const double step = work / load.scan / kPs / 1000;
    double scanned = 0;
    double credit = 0;
    double worker = 0;
    double assist = 0;
    mark_ns_ = 0;
    while (scanned < work) {
      const double busy = (kPs - load.idle) * step;
      const double shared = busy * kShare + load.idle * step;
      scanned += shared * load.scan;
      credit += shared * load.scan;
      worker += shared;
      const double rest = busy * (1 - kShare);
      const double ratio =
          assists_ ? pacer_.assist_ratio(static_cast<uint64_t>(*heap),
                                         static_cast<uint64_t>(scanned))
                   : 0;
      const double owed = ratio * rest * load.alloc;
      double mutating = 1;
      if (owed > credit) {
        mutating = (rest * load.scan + credit) / (owed + rest * load.scan);
      }
      const double paid = rest * (1 - mutating);
      credit -= std::min(credit, owed * mutating);
      scanned += paid * load.scan;
      assist += paid;
      *heap += rest * mutating * load.alloc;
      mark_ns_ += step;
    }
    o->peak = *heap;
    o->used = (worker + assist) / (mark_ns_ * kPs);
    o->assists = assist / (mark_ns_ * kPs);
    CycleWork w;
    w.marked = static_cast<uint64_t>(survivors);
    w.allocated = static_cast<uint64_t>(*heap - begin);
    w.scanned = static_cast<uint64_t>(survivors * load.scannable);
    w.stacks = static_cast<uint64_t>(load.stacks);
    w.roots = static_cast<uint64_t>(load.roots);
    w.worker_ns = static_cast<uint64_t>(worker);
    w.assist_ns = static_cast<uint64_t>(assist);
    w.cpu_ns = static_cast<uint64_t>(mark_ns_ * kPs);
    pacer_.end_cycle(w);
    live_ = static_cast<double>(w.marked + w.allocated);
  }

  Pacer pacer_;
  CpuLimiter limiter_;
  bool assists_ = true;
  double live_ = 0;
  double mark_ns_ = 0;
  double gc_ns_ = 0;
  double cpu_ns_ = 0;
};

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

const std::vector<Scenario>& scenarios() {
  static const std::vector<Scenario> all = {
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
  return all;
}

class gc_pacer_sim : public ::testing::TestWithParam<size_t> {};

TEST_P(gc_pacer_sim, keeps_to_its_bounds) {
  const Scenario& s = scenarios()[GetParam()];
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
                         ::testing::Range(size_t{0}, scenarios().size()),
                         [](const auto& info) {
                           return scenarios()[info.param].name;
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

// A collection that the caller waited for says nothing about the next.
TEST(gc_pacer_sims, forced_cycles_teach_nothing) {
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

TEST(gc_pacer_sims, goals_count_stacks_roots_and_the_markers_memory) {
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

TEST(gc_pacer_sims, suspension_is_percent_off_and_nests) {
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
