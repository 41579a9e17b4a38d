// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Pacer: when a cycle starts and how much mutators help, as an object without
// clock or heap. The caller serialises begin_cycle and end_cycle; the set_
// functions may be called by any thread, so what goal and trigger are computed
// from lies under a leaf lock.
//
//   live    = bytes marked in the heap, and external bytes
//   extra   = stacks and roots, which each cycle scans, and the marker's own
//             memory: they let the goal grow as live cells do
//   goal    = live + (live + extra) x percent/100, at least the minimum heap,
//             at most what the memory limit leaves
//   hard    = goal x 1.1, within the limit: what assists defend
//   trigger = goal - runway, between 70 % and 95 % of the way from live to goal
//   runway  = what mutators allocate while the Ps' share alone scans as much as
//             the last cycle did: bytes per byte scanned, as measured in the
//             last five cycles, corrected for how much more than their share
//             went into the mark
//
// Assists follow two lines, of heap against work done. The first ends at the
// goal, with what was scanned last time. Whoever is beyond its end, in heap or
// in work, is on the second, which ends at the hard goal, with everything that
// was there when the cycle began: more than that cannot be scanned, since what
// is allocated meanwhile is black. So where assists are paid the heap stays
// below the hard goal, whatever survives.
//
// Sources: Go's pacer redesign (proposal 44167) and its memory limit (48409).
// Differs from it in the second line: Go moves the goal on, up to twice.
#ifndef TRICOLOR_GC_PACER_H_
#define TRICOLOR_GC_PACER_H_

#include <cstddef>
#include <cstdint>

#include "base/atomics.h"
#include "base/lock.h"

namespace tricolor::gc {

/// What the mark of one cycle did, as the collector measured it.
struct CycleWork {
  uint64_t marked = 0;     ///< bytes of cells that survive
  uint64_t allocated = 0;  ///< bytes of cells meanwhile
  uint64_t external = 0;   ///< external bytes meanwhile
  uint64_t scanned = 0;    ///< bytes of cells
  uint64_t stacks = 0;     ///< scanned bytes of tasks' stacks
  uint64_t roots = 0;      ///< scanned bytes of Globals and tables
  uint64_t marker = 0;     ///< bytes of the marker's own memory
  uint64_t worker_ns = 0;  ///< by the Ps' shares, idle Ps and step()
  uint64_t assist_ns = 0;
  uint64_t cpu_ns = 0;  ///< of all Ps while it marked
  bool forced = false;  ///< the caller marked: nothing to learn from

  uint64_t work() const { return scanned + stacks + roots; }
};

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
  /// proportion to the percentage. `share`: of each P, in percent. Without
  /// assists a cycle may begin sooner: nothing else keeps to the goal.
  void init(int percent, uint64_t least_goal, uint32_t procs,
            uint32_t share = 25, bool assists = true);

  /// Another number of Ps: the least goal that goes by it; at once.
  void set_procs(uint32_t procs);
  /// A new percent (-1: off); takes effect at once.
  void set_percent(int percent);
  /// The most the goal may be, whatever the percent (UINT64_MAX: anything); at
  /// once. But no goal is lower than the live bytes, a 64th of them and 256
  /// KiB, else cycle would follow cycle.
  void set_limit(uint64_t goal);
  /// Bytes outside the heap that count towards the goal; at once.
  void set_external(uint64_t bytes);
  /// As if the percent were off, from the first +1 to the last -1; at once.
  /// False: a -1 too many, which changes nothing.
  bool suspend(int delta);
  bool suspended() const { return suspended_.load_relaxed() != 0; }
  int percent() const { return percent_.load_relaxed(); }

  /// Any thread, relaxed: a stale value costs one early or late cycle.
  uint64_t trigger() const { return trigger_.load_relaxed(); }
  uint64_t goal() const { return goal_.load_relaxed(); }
  uint64_t hard_goal() const { return hard_goal_.load_relaxed(); }
  /// The part of the goal that is for cells.
  uint64_t heap_goal() const { return heap_goal_.load_relaxed(); }
  /// Bytes of work the cycle under way is thought to be.
  uint64_t expected_work() const { return expected_.load_relaxed(); }

  /// What the last cycle left, and external bytes.
  uint64_t marked_bytes() {
    base::LockGuard guard(lock_);
    return live_.load_relaxed() + external_;
  }

  /// A cycle begins with `heap_live` bytes in the heap.
  void begin_cycle(uint64_t heap_live);
  void end_cycle(const CycleWork& work);
  /// Behind that: so much more lives, because finalizers are to see it.
  void add_revived(uint64_t bytes);

  /// Bytes of scan work that a mutator owes for each byte it allocates now.
  double assist_ratio(uint64_t heap_live, uint64_t scanned) const;

  /// Bytes allocated in the mark for each byte of work, at the Ps' share alone:
  /// the most of the last five cycles.
  double runway_rate();

 private:
  void recompute_locked() TRI_REQUIRES(lock_);
  double runway_rate_locked() const TRI_REQUIRES(lock_);
  double rate_of(const CycleWork& work) const;

  // Changed between cycles or by set_percent; read from anywhere.
  base::Atomic<int> percent_{100};
  // Written under lock_. Relaxed is enough for start_cycle(), which reads it
  // with the world stopped: what a task wrote before it stopped is seen.
  base::Atomic<int> suspended_{0};
  base::Atomic<uint64_t> trigger_{0};
  base::Atomic<uint64_t> goal_{0};
  base::Atomic<uint64_t> hard_goal_{0};
  base::Atomic<uint64_t> heap_goal_{0};
  base::Atomic<uint64_t> live_{0};  // of the heap alone
  base::Atomic<uint64_t> expected_{0};
  base::Atomic<uint64_t> most_{0};  // work there can be
  uint64_t least_goal_ = 0;         // immutable after init, and the next two
  double share_ = 0.25;
  bool assists_ = true;
  base::Mutex lock_{base::LockRank::kLeaf};
  uint64_t min_heap_ TRI_GUARDED_BY(lock_) = 0;
  uint64_t external_ TRI_GUARDED_BY(lock_) = 0;
  uint64_t limit_ TRI_GUARDED_BY(lock_) = UINT64_MAX;
  uint64_t extra_ TRI_GUARDED_BY(lock_) = 0;       // see above
  uint64_t last_work_ TRI_GUARDED_BY(lock_) = 0;   // of the last cycle
  uint64_t last_roots_ TRI_GUARDED_BY(lock_) = 0;  // of it, not of cells
  double rates_[5] TRI_GUARDED_BY(lock_) = {};
  uint32_t rate_at_ TRI_GUARDED_BY(lock_) = 0;
};

}  // namespace tricolor::gc

#endif  // TRICOLOR_GC_PACER_H_
