// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Fiber: a native context and the state of the C++ exception machinery that
// belongs to it. A G has one; so has an M, for its scheduler loop (g0).
//
// __cxa_eh_globals (the caught exceptions' chain and the count of uncaught
// ones) is per thread, so a task that suspends inside a catch block would leave
// its exception to whoever runs next. switch_fiber swaps the two words.
//
// Not carried over a switch: errno, the floating-point environment's status
// bits, thread_local variables, the signal mask. A task that suspends may find
// other values of these.
#ifndef TRICOLOR_SCHED_FIBER_H_
#define TRICOLOR_SCHED_FIBER_H_

#include <cstdint>

#include "stacks/context.h"

namespace tricolor::sched {

/// The layout of __cxa_eh_globals in the Itanium C++ ABI.
struct EhGlobals {
  uintptr_t caught = 0;
  uintptr_t uncaught = 0;  // an unsigned int and its padding
};

struct Fiber {
  stacks::Context context;
  EhGlobals eh;
};

/// The calling thread's globals; null in a program without libstdc++. Fetched
/// once per thread: see switch_fiber.
EhGlobals* thread_eh_globals();

/// Leaves `from`, which is running on the thread whose EH globals are
/// `globals`, for `to`. On return the thread may be another one.
void switch_fiber(EhGlobals* globals, Fiber* from, Fiber* to);
[[noreturn]] void leave_fiber(EhGlobals* globals, Fiber* from, Fiber* to);

}  // namespace tricolor::sched

#endif  // TRICOLOR_SCHED_FIBER_H_
