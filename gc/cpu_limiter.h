// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// CpuLimiter: keeps a heap that no longer fits its soft limit from collecting
// all the time. A leaky bucket of CPU time: collector work and the scavenging
// that allocations do fill it, everything else the process does drains it, so
// it is full when more than half of the time has gone into collecting for a
// second per P. Sweeping by refills is not counted: it is how they find memory.
// While the bucket is full the limit gives way: the goal may be twice what is
// live (less if the percent says so), and nothing is scavenged in an
// allocation. Go turns assists off instead; then the heap grows without bound
// in the one mark that is under way (binary_trees, depth 20, at 50 MiB: to 305
// MB; with this to 94).
//
// A plain object: the times are handed in. Time in which no thread of the
// process ran counts for neither side, so a program that waits between bouts of
// thrashing is found out, too.
//
// Source: Go's gcCPULimiter (its GOMEMLIMIT design).
// Threads: update() by one at a time; limiting() any.
#ifndef TRICOLOR_GC_CPU_LIMITER_H_
#define TRICOLOR_GC_CPU_LIMITER_H_

#include <cstdint>

#include "base/atomics.h"

namespace tricolor::gc {

class CpuLimiter {
 public:
  static constexpr uint64_t kCapacityNsPerP = 1'000'000'000;

  void init(uint32_t procs) { set_procs(procs); }
  /// Any thread; the next update() goes by it.
  void set_procs(uint32_t procs) {
    capacity_.store_relaxed(procs * kCapacityNsPerP);
  }

  /// `gc_ns` of the process's `cpu_ns` went into collecting; both since ever,
  /// and both CPU time: by the wall clock a collector that waits for a CPU
  /// would seem to thrash. Neither counts while it is behind what it was. Idle
  /// Ps' marking hinders nobody: not in it.
  /// `most_ns`: what the Ps can have had since the last update. Of the
  /// process's CPU time no more counts: other threads of the host, and other
  /// runtimes, are no reason to let this one collect all the time.
  void update(uint64_t gc_ns, uint64_t cpu_ns, uint64_t most_ns = UINT64_MAX);

  bool limiting() const { return limiting_.load_relaxed() != 0; }
  /// How often it began to.
  uint64_t events() const { return events_.load_relaxed(); }

 private:
  base::Atomic<uint64_t> capacity_{kCapacityNsPerP};
  uint64_t fill_ = 0;
  uint64_t last_gc_ = 0;
  uint64_t last_cpu_ = 0;
  base::Atomic<uint32_t> limiting_{0};
  base::Atomic<uint64_t> events_{0};
};

}  // namespace tricolor::gc

#endif  // TRICOLOR_GC_CPU_LIMITER_H_
