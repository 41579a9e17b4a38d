// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Letting others run: yield, sleep, and park and ready, of which an embedder
// makes waits of its own. All but ready() are safepoints and suspend the
// calling task, or block an attached thread.
#ifndef TRICOLOR_PARK_H_
#define TRICOLOR_PARK_H_

#include <cstdint>

#include "tricolor/detail/mutator.h"
#include "tricolor/wait.h"

namespace tricolor {

/// Lets other tasks run; returns when it is this one's turn again.
void yield(Mutator& mu);

/// Suspends for at least `ns` nanoseconds, or until the deadline. kOk, or
/// kCancelled.
WaitResult sleep_ns(Mutator& mu, uint64_t ns);
WaitResult sleep_until(Mutator& mu, Deadline deadline);

/// Parks until ready(); `commit` (may be null) runs after the task has left its
/// stack: publish the ParkedTask there, and return false to stay awake.
struct ParkedTask {
  void* g = nullptr;
};
using ParkCommit = bool (*)(ParkedTask task, void* ctx);
void park(Mutator& mu, ParkCommit commit, void* ctx);
/// Makes a parked task runnable; exactly once per park. Any attached context.
void ready(Mutator& mu, ParkedTask task);

}  // namespace tricolor

#endif  // TRICOLOR_PARK_H_
