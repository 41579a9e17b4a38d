// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// CoroutineAccess: the two words of a Coroutine cell. g: its G, null before it
// is made and after it has died. state: its CoroutineStatus. The marker and
// other tasks read them while they change, so both are atomic.
#ifndef TRICOLOR_SCHED_COROUTINE_H_
#define TRICOLOR_SCHED_COROUTINE_H_

#include "base/atomics.h"
#include "sched/g.h"
#include "tricolor/coroutine.h"

namespace tricolor {

struct CoroutineAccess {
  static sched::G* g(const Coroutine* co) {
    // ORDER-coroutine-1: pairs with init(): sees the G whole.
    return static_cast<sched::G*>(base::load_acquire(&co->g_));
  }
  static void init(Coroutine* co, sched::G* g) {
    // ORDER-coroutine-1: pairs with g().
    base::store_release(&co->g_, static_cast<void*>(g));
  }
  static CoroutineStatus status(const Coroutine* co) {
    return static_cast<CoroutineStatus>(base::load_relaxed(&co->state_));
  }
  static void set_status(Coroutine* co, CoroutineStatus status) {
    base::store_relaxed(&co->state_, static_cast<uint64_t>(status));
  }
};

}  // namespace tricolor

namespace tricolor::sched {

using tricolor::CoroutineAccess;

/// The bodies of Gs, on their own stacks; they do not return.
void task_main(G* g);
void enter_fiber_body(G* g);

}  // namespace tricolor::sched

#endif  // TRICOLOR_SCHED_COROUTINE_H_
