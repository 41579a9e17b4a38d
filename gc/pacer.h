// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Pacer: when a cycle starts and how much mutators help, as an object without
// clock or heap. The caller serialises begin_cycle and end_cycle; set_percent
// may come from any thread, so what goal and trigger are computed from lies
// under a leaf lock.
//
//   live    = bytes marked in the heap, and external bytes
//   goal    = live x (1 + percent/100), at least the minimum heap, at most
//             what the memory limit leaves
//   trigger = goal - runway, between 70 % and 95 % of the way from live to goal
//   runway  = bytes allocated per byte scanned in recent cycles x work expected
//
// Source: Go's pacer redesign (proposal 44167), reduced to its proportional
// part.
#ifndef TRICOLOR_GC_PACER_H_
#define TRICOLOR_GC_PACER_H_

#include <cstddef>
#include <cstdint>

#include "base/atomics.h"
#include "base/lock.h"

namespace tricolor::gc {

class Pacer {
 public:
  /// The least goal at 100 percent: 2 MiB for each P, at most 16. That fits a
  /// core's second-level cache: what is allocated is written there, not to
  /// memory (docs/design/0006-small-heaps.md).
  static uint64_t min_heap_bytes(uint32_t procs) {
    uint64_t n = procs < 8 ? procs : 8;
    return (n == 0 ? 1 : n) << 21;
  }

  /// `least_goal`: of the heap, at any percent; 0: min_heap_bytes(procs) in
  /// proportion to the percentage.
  void init(int percent, uint64_t least_goal, uint32_t procs);

  /// A new percent (-1: off); takes effect at once.
  void set_percent(int percent);
  /// The most the goal may be, whatever the percent (UINT64_MAX: anything); at
  /// once. But no goal is lower than the live bytes, a 64th of them and 256
  /// KiB, else cycle would follow cycle.
  void set_limit(uint64_t goal);
  /// Bytes outside the heap that count towards the goal; at once.
  void set_external(uint64_t bytes);
  int percent() const { return percent_.load_relaxed(); }

  /// Any thread, relaxed: a stale value costs one early or late cycle.
  uint64_t trigger() const { return trigger_.load_relaxed(); }
  uint64_t goal() const { return goal_.load_relaxed(); }
  /// The part of the goal that is for cells.
  uint64_t heap_goal() const { return heap_goal_.load_relaxed(); }

  /// What the last cycle left, and external bytes.
  uint64_t marked_bytes() {
    base::LockGuard guard(lock_);
    return live_.load_relaxed() + external_;
  }

  /// A cycle begins with `heap_live` bytes.
  void begin_cycle(uint64_t heap_live);
  /// It ends: `marked` bytes survived, `allocated` were allocated during the
  /// mark, `scanned` bytes of work were done.
  void end_cycle(uint64_t marked, uint64_t allocated, uint64_t scanned);

  /// Scan work a mutator owes per byte it allocates now, x 256.
  uint64_t assist_ratio_x256(uint64_t heap_live, uint64_t scanned) const;

 private:
  void recompute_locked() TRI_REQUIRES(lock_);

  // Changed between cycles or by set_percent; read from anywhere.
  base::Atomic<int> percent_{100};
  base::Atomic<uint64_t> trigger_{0};
  base::Atomic<uint64_t> goal_{0};
  base::Atomic<uint64_t> heap_goal_{0};
  base::Atomic<uint64_t> live_{0};  // of the heap alone
  uint64_t external_ TRI_GUARDED_BY(lock_) = 0;
  uint64_t limit_ TRI_GUARDED_BY(lock_) = UINT64_MAX;
  uint64_t least_goal_ = 0;  // immutable after init
  uint64_t min_heap_ = 0;    // immutable after init
  base::Mutex lock_{base::LockRank::kLeaf};
  uint64_t history_x256_[5] TRI_GUARDED_BY(lock_) = {};  // allocated/scanned
  uint32_t history_at_ TRI_GUARDED_BY(lock_) = 0;
  base::Atomic<uint64_t> expected_scan_{0};
};

}  // namespace tricolor::gc

#endif  // TRICOLOR_GC_PACER_H_
