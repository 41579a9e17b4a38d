// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// The handler of faults (tricolor/stack_overflow.h): of the process, shared by
// all runtimes that run tasks, and an alternate signal stack for each of their
// threads that has none. Under ThreadSanitizer and AddressSanitizer, too; not
// in the deterministic build, whose threads are none.
//
// Threads: any, each for itself. The handler takes no lock and reads what its
// own thread runs.
#ifndef TRICOLOR_SCHED_FAULT_H_
#define TRICOLOR_SCHED_FAULT_H_

#include "sched/m.h"

namespace tricolor::sched {

/// The calling thread, innermost M `m`, is about to run on native stacks of
/// tasks or coroutines. Again: nothing.
void begin_fault_handling(M* m);

/// It leaves `m`, and has its alternate stack as before.
void end_fault_handling(M* m);

/// The runtime is destroyed: no thread of it is left. The process's handlers
/// are as before when the last one goes, unless somebody has put others above.
void drop_fault_handler(RuntimeImpl* rt);

}  // namespace tricolor::sched

#endif  // TRICOLOR_SCHED_FAULT_H_
