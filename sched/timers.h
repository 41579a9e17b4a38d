// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Timers: a 4-ary heap of deadlines of parked Gs, one per runtime (one per P
// comes later). Fired by find_work, by the M that sleeps until the next
// deadline, and, when all Ps are busy, by sysmon.
//
// Invariants
// 1. heap[i] <= heap[4i+1 .. 4i+4]; ties keep the order of insertion.
// 2. next_ns == heap[0].when_ns, or kNever: written under the lock.
//
// Threads: any (lock, rank kTimers).
#ifndef TRICOLOR_SCHED_TIMERS_H_
#define TRICOLOR_SCHED_TIMERS_H_

#include <cstddef>
#include <cstdint>

#include "base/atomics.h"
#include "base/lock.h"
#include "base/mmap_vector.h"
#include "sched/run_queue.h"

namespace tricolor::sched {

struct Timer {
  uint64_t when_ns;
  uint64_t seq;
  G* g;
};

class Timers {
 public:
  /// Room for `max` timers. False: no memory.
  bool init(size_t max);
  void destroy() {
    base::LockGuard guard(lock_);
    heap_.release();
  }

  /// Adds a deadline for a parked G. True if it is the earliest now.
  bool add(uint64_t when_ns, G* g);
  /// Removes up to `max` timers due at now_ns and appends their Gs to *due.
  void take_due(uint64_t now_ns, uint32_t max, GList* due);
  /// The earliest deadline, kNever if there is none. Seq_cst: see sleep.cc.
  uint64_t next_ns() const { return next_ns_.load_seq_cst(); }

  bool is_valid();

 private:
  static bool before(const Timer& a, const Timer& b) {
    return a.when_ns != b.when_ns ? a.when_ns < b.when_ns : a.seq < b.seq;
  }
  void sift_up_locked(size_t i) TRI_REQUIRES(lock_);
  void sift_down_locked(size_t i) TRI_REQUIRES(lock_);
  void publish_locked() TRI_REQUIRES(lock_);

  base::Mutex lock_{base::LockRank::kTimers};
  base::MmapVector<Timer> heap_ TRI_GUARDED_BY(lock_);
  uint64_t next_seq_ TRI_GUARDED_BY(lock_) = 0;
  base::Atomic<uint64_t> next_ns_{~uint64_t{0}};
};

}  // namespace tricolor::sched

#endif  // TRICOLOR_SCHED_TIMERS_H_
