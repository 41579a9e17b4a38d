// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// A task that runs off the end of its native stack touches the guard page below
// it. A handler of SIGSEGV and SIGBUS, on an alternate stack, says on stderr
// which task that was, how large its stack is and what to do about it, and
// where it was; then it calls Options::on_stack_overflow, and at last passes
// the fault on to the handler that was there before, or to the system.
//
// The handler is there from the first task (or the first coroutine of an
// attached thread) on until the last such runtime is destroyed. It acts on
// faults in these guards alone; every other goes to the handler before it.
// Options::catch_stack_overflow = false: there is none.
//
// Frames larger than a page may step over the guard: compile what has them with
// -fstack-clash-protection.
#ifndef TRICOLOR_STACK_OVERFLOW_H_
#define TRICOLOR_STACK_OVERFLOW_H_

#include <cstddef>
#include <cstdint>

namespace tricolor {

struct StackOverflow {
  uint64_t task_id;
  const char* name;     ///< "" if it has none
  size_t stack_bytes;   ///< of its stack, guard page included
  const void* address;  ///< that was touched
  const void* pc;       ///< of the instruction that did
  void* context;        ///< the ucontext_t
};

}  // namespace tricolor

#endif  // TRICOLOR_STACK_OVERFLOW_H_
