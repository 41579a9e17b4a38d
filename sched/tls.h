// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// The one thread-local word of the library: the calling thread's innermost M.
//
// Compilers keep addresses of thread-local variables in registers across a
// stack switch, after which the code may run on another thread. So the word is
// read through out-of-line functions only, and never kept over a suspension.
#ifndef TRICOLOR_SCHED_TLS_H_
#define TRICOLOR_SCHED_TLS_H_

#include "sched/m.h"

namespace tricolor::sched {

M* current_m();
void set_current_m(M* m);

/// The innermost M of `rt` on this thread, null if there is none.
M* current_m_of(const RuntimeImpl* rt);

}  // namespace tricolor::sched

#endif  // TRICOLOR_SCHED_TLS_H_
