// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// A call on another stack than the caller's: below what a suspended Context has
// there. Used by sched/system_stack.cc.
//
// The call must return: nothing may throw or jump out of it, or switch away
// from it. Backtraces go through it to the caller.
//
// Threads: the one whose stack it is.
#ifndef TRICOLOR_STACKS_CALL_ON_H_
#define TRICOLOR_STACKS_CALL_ON_H_

#include "stacks/context.h"

extern "C" void tri_call_on(void (*fn)(void* arg), void* arg, void* sp);

namespace tricolor::stacks {

/// Calls fn(arg) with the stack pointer below that of `below`, which is not
/// continued meanwhile.
void call_on(const Context* below, void (*fn)(void* arg), void* arg);

}  // namespace tricolor::stacks

#endif  // TRICOLOR_STACKS_CALL_ON_H_
