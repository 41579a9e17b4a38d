// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// A fluid model of mutators and markers that runs cycle after cycle against the
// real Pacer and CpuLimiter.
//
// Ps allocate `alloc` bytes and scan `scan` bytes in a nanosecond of CPU. While
// a cycle marks, a share of each P scans; what that brings is credit, and
// mutators that owe more than there is of it scan themselves. A cycle ends when
// what survives, stacks and roots are scanned.
//
// Source: Go's TestGcPacer, told anew for this pacer.
#ifndef TESTS_UNIT_GC_PACER_SIM_H_
#define TESTS_UNIT_GC_PACER_SIM_H_

#include <algorithm>
#include <cstdint>

#include "gc/cpu_limiter.h"
#include "gc/pacer.h"

namespace tricolor::gc::pacer_sim {

inline constexpr double kMiB = 1 << 20;
inline constexpr double kPs = 4;
inline constexpr double kShare = 0.25;
inline constexpr double kNone = 1e30;

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
    limiter_.init(static_cast<uint32_t>(kPs));
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

}  // namespace tricolor::gc::pacer_sim

#endif  // TESTS_UNIT_GC_PACER_SIM_H_
