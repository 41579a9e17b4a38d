// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// ScavengePacer: how much of the scavenger's work is due. Busy programs let it
// have one percent of each P's time, after a spike two; who has nothing else to
// do need not ask. A plain object: the time is handed in. And how much memory
// is not the scavenger's at all.
//
// Threads: any; one caller at a time wins a turn.
#ifndef TRICOLOR_HEAP_SCAVENGE_PACER_H_
#define TRICOLOR_HEAP_SCAVENGE_PACER_H_

#include <cstdint>

#include "base/atomics.h"

namespace tricolor::heap {

class ScavengePacer {
 public:
  static constexpr uint64_t kShare = 100;            ///< one part of so many
  static constexpr uint64_t kMaxTurnNs = 1'000'000;  ///< however long the rest

  /// How many bytes of pages a program may keep: a tenth more than it will want
  /// before the next cycle ends. That is the goal; or, where cells lie
  /// scattered, as many pages as those that held `last_live` bytes of cells,
  /// dead ones too, when the last mark ended, in proportion and not more than
  /// they were. Else what fragmentation holds would count against the free
  /// pages, and each of them go back as soon as it is free. UINT64_MAX for a
  /// goal: none. After Go's gcPercentGoal of its scavenger.
  static uint64_t retained_bytes(uint64_t goal, uint64_t last_live,
                                 uint64_t last_in_use) {
    if (goal > UINT64_MAX / 2) return UINT64_MAX;
    uint64_t most = goal;
    if (last_in_use > last_live) {
      const double spread =
          static_cast<double>(last_in_use) / static_cast<double>(last_live + 1);
      const double scaled = static_cast<double>(goal) * spread;
      const uint64_t pages = scaled < static_cast<double>(last_in_use)
                                 ? static_cast<uint64_t>(scaled)
                                 : last_in_use;
      if (most < pages) most = pages;
    }
    return most + most / 10;
  }

  /// For so many Ps that run. After a spike, when more than half of what is
  /// resident is not wanted, twice as much, so that it is gone within seconds:
  /// at 30 us for a piece of 512 KiB two Ps then give back 250 MiB a second.
  static uint64_t percent(uint32_t procs, uint64_t surplus, uint64_t resident) {
    return surplus > resident / 2 ? 2 * uint64_t{procs} : procs;
  }

  /// The nanoseconds the caller may spend now, for so many percent of the time
  /// since the last turn, and at most `most_ns`; 0: none. It reports them with
  /// spent(); until then nobody else gets a turn.
  uint64_t begin_turn(uint64_t now_ns, uint64_t percent, uint64_t most_ns) {
    uint64_t since = since_.load_relaxed();
    if (since == kInTurn) return 0;
    if (since == 0) {  // the first call sets the clock
      since_.compare_exchange_strong_relaxed(since, now_ns);
      return 0;
    }
    if (now_ns < since) return 0;  // an overdraft is being paid off
    uint64_t due = (now_ns - since) / kShare * percent;
    if (due < kLeastTurnNs) return 0;
    if (!since_.compare_exchange_strong_relaxed(since, kInTurn)) return 0;
    if (due > most_ns) due = most_ns;
    return due < kMaxTurnNs ? due : kMaxTurnNs;
  }
  /// A turn that began with `due` has taken `spent_ns`: what was spent beyond
  /// it is paid for by a later begin of the next.
  void spent(uint64_t now_ns, uint64_t due, uint64_t spent_ns,
             uint64_t percent) {
    uint64_t excess = spent_ns > due ? spent_ns - due : 0;
    since_.store_relaxed(now_ns + excess * kShare / percent);
  }

 private:
  static constexpr uint64_t kInTurn = UINT64_MAX;
  static constexpr uint64_t kLeastTurnNs = 10'000;
  base::Atomic<uint64_t> since_{0};  // time that has been used up, or kInTurn
};

}  // namespace tricolor::heap

#endif  // TRICOLOR_HEAP_SCAVENGE_PACER_H_
