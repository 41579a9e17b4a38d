// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Sysmon: one thread without a P that looks every 20 us, and after 50 looks in
// vain less and less often, down to every 10 ms. It takes the P of a native
// call that has lasted from one look to the next, if others wait for it (after
// 10 ms in any case); preempts a task that has run for 10 ms while others wait;
// fires late timers; and every 10 ms polls the network if nobody has, lets the
// scavenger have its share, asks for a cycle that is due, and finds a P for a
// collector that has none. After Go's.
//
// Started with the first spawn; none if the runtime may have no threads. Sleeps
// for good while every P is idle.
#ifndef TRICOLOR_SCHED_SYSMON_H_
#define TRICOLOR_SCHED_SYSMON_H_

#include <pthread.h>

#include <cstdint>

#include "base/atomics.h"
#include "base/parker.h"

namespace tricolor {
struct RuntimeImpl;
}

namespace tricolor::sched {

struct Sysmon {
  base::Atomic<uint32_t> started{0};  ///< claimed by whoever starts it
  base::Atomic<bool> sleeps{false};   ///< written under the scheduler's lock
  base::Atomic<bool> stop{false};
  base::Parker parker;
  // Written by the starter before any P can be released by sysmon, read by
  // destroy().
  bool running = false;
  pthread_t thread{};
  uint64_t next_trace_ns = 0;  // its own thread only, and the next
  uint64_t next_slow_ns = 0;
  uint64_t next_trim_ns = 0;
  bool trims_on = false;        ///< there is more to give back at once
  bool stacks_trimmed = false;  ///< and of Gs is the rest
  int trims_left = 0;  ///< before they are left as they are: see trim_tasks
};

/// Starts the thread unless it runs or is not allowed.
void ensure_sysmon(RuntimeImpl* rt);
void stop_sysmon(RuntimeImpl* rt);
/// There is something to watch, or a cycle to begin. Takes the scheduler's
/// lock.
void wake_sysmon(RuntimeImpl* rt);
/// The same for who holds it.
void wake_sysmon_locked(RuntimeImpl* rt);

}  // namespace tricolor::sched

#endif  // TRICOLOR_SCHED_SYSMON_H_
