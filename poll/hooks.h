// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// What the scheduler and the poller need from each other. The poller installs a
// table of functions at its first use; find_work, idle Ms and sysmon call it.
// Upwards the poller uses park and yield of tricolor/task.h and the functions
// at the end, which sched/poll_slot.cc implements.
//
// Rules
// 1. poll is called by one thread at a time, never under a lock of sched, with
//    or without a held P; it is not a safepoint and allocates no cells.
// 2. A task it returns was parked (committed) and is returned once.
// 3. wake() may come at any time from any thread; one that comes while nobody
//    polls ends the next waiting poll.
// 4. Tables and poller live until destroy(), which runs when the runtime is
//    destroyed, all threads gone.
//
// The namespace is netpoll because poll(mu) is the public safepoint.
#ifndef TRICOLOR_POLL_HOOKS_H_
#define TRICOLOR_POLL_HOOKS_H_

#include <cstddef>
#include <cstdint>

#include "tricolor/task.h"

namespace tricolor::netpoll {

struct PollHooks {
  void* ctx;
  /// Stores up to `capacity` tasks that became ready; returns how many.
  /// timeout_ns: 0 does not wait, negative waits for an event or a wake().
  size_t (*poll)(void* ctx, int64_t timeout_ns, ParkedTask* out,
                 size_t capacity);
  /// Ends a waiting poll.
  void (*wake)(void* ctx);
  /// Whether any task waits for the poller. A hint.
  bool (*has_waiters)(void* ctx);
  /// Frees the poller.
  void (*destroy)(void* ctx);
};

/// The runtime's hooks, null before the first use of its poller. Any thread.
const PollHooks* poll_hooks(const Runtime& rt);

/// Installs `hooks`, which stay valid until their destroy() has run. False if
/// another thread was first: use poll_hooks() then. Any thread.
bool install_poll_hooks(Runtime& rt, const PollHooks* hooks);

/// Whether `mu` belongs to a task or a coroutine, whose waits park it; an
/// attached thread waits in the kernel instead. The calling thread's own.
bool runs_on_task(const Mutator& mu);

/// Makes a parked task runnable without a Mutator at hand: close() in a
/// destructor. As ready(), exactly once per park. Any thread, no lock held.
void ready_task(Runtime& rt, ParkedTask task);

}  // namespace tricolor::netpoll

#endif  // TRICOLOR_POLL_HOOKS_H_
