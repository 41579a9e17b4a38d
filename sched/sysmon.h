// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Sysmon: one thread without a P that looks every 10 ms, while anything runs:
// it preempts a task that has run that long while others wait, hands on the P
// of a long native call, fires late timers, polls the network if nobody has,
// and lets the scavenger have its share.
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
  uint64_t next_trace_ns = 0;  // its own thread only
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
