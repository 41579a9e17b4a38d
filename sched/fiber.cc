// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// See sched/fiber.h. The address of a thread's EH globals is kept
// in its M and never asked for again: __cxa_get_globals is declared const, so a
// compiler that sees two calls around a switch may keep the first one's result
// for a thread that the task has left.
#include "sched/fiber.h"

#include "base/macros.h"

extern "C" __attribute__((weak)) void* __cxa_get_globals();

namespace tricolor::sched {

TRI_NOINLINE EhGlobals* thread_eh_globals() {
  if (&__cxa_get_globals == nullptr) return nullptr;
  return static_cast<EhGlobals*>(__cxa_get_globals());
}

}  // namespace tricolor::sched
