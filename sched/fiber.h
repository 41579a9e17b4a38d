// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Fiber: a native context and the state of the C++ exception machinery that
// belongs to it. A G has one; so has an M, for its scheduler loop (g0).
//
// __cxa_eh_globals (the caught exceptions' chain and the count of uncaught
// ones) is per thread, so a task that suspends inside a catch block would leave
// its exception to whoever runs next. a switch swaps the two words.
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
/// once per thread: see fiber.cc.
EhGlobals* thread_eh_globals();

inline void swap_eh(EhGlobals* globals, Fiber* from, Fiber* to) {
  if (globals == nullptr) return;
  from->eh = *globals;
  *globals = to->eh;
}

/// Leaves `from`, which is running on the thread whose EH globals are
/// `globals`, for `to`, which has been left at the same place in the program
/// (stacks::context_switch). On return the thread may be another one.
inline void switch_fiber(EhGlobals* globals, Fiber* from, Fiber* to) {
  swap_eh(globals, from, to);
  stacks::context_switch(&from->context, &to->context);
}
/// The same for one that has been left elsewhere.
inline void cross_fiber(EhGlobals* globals, Fiber* from, Fiber* to) {
  swap_eh(globals, from, to);
  stacks::context_cross(&from->context, &to->context);
}
[[noreturn]] inline void leave_fiber(EhGlobals* globals, Fiber* from,
                                     Fiber* to) {
  swap_eh(globals, from, to);
  stacks::context_leave(&from->context, &to->context);
}

}  // namespace tricolor::sched

#endif  // TRICOLOR_SCHED_FIBER_H_
