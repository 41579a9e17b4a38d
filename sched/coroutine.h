// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// CoroutineAccess: the two words of a Coroutine cell. g: its G, null before it
// is made and after it has died. state: its CoroutineStatus. The marker and
// other tasks read them while they change, so both are atomic.
//
// The status decides who resumes or closes a coroutine: who takes it away from
// kSuspended has the coroutine, and its G, until he puts it back. Not the G's
// own state: a G is used again, so between a look at the cell and the step of
// the G it might have become another coroutine's.
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
    // ORDER-coroutine-2: pairs with take(): publishes that the G is suspended.
    base::store_release(&co->state_, static_cast<uint64_t>(status));
  }
  /// kSuspended -> `to`; false, and the status in *found, if it is another.
  static bool take(Coroutine* co, CoroutineStatus to, CoroutineStatus* found) {
    auto expected = static_cast<uint64_t>(CoroutineStatus::kSuspended);
    // ORDER-coroutine-2: pairs with set_status().
    const bool taken = base::compare_exchange_strong_acquire(
        &co->state_, &expected, static_cast<uint64_t>(to));
    *found = static_cast<CoroutineStatus>(expected);
    return taken;
  }
  using Body = Coroutine::Body;
};

}  // namespace tricolor

namespace tricolor::sched {

using tricolor::CoroutineAccess;

/// The bodies of Gs, on their own stacks; they do not return.
void task_main(G* g);
void enter_fiber_body(G* g);

// --- coroutine.cc, for the calls in coroutine_calls.cc.

/// What the pacer counts for one: the G and the top of its stack. Its cell has
/// 16 bytes, and a program that makes and drops generators would otherwise have
/// gigabytes of stacks before a cycle is due.
inline constexpr int64_t kCoroutineBytes = 3 * 4096;

/// A G without its cell and not yet suspended; null: max_tasks or memory.
G* make_coroutine(RuntimeImpl* rt, P* p, void* arg,
                  const CoroutineOptions& options);
/// A value that passes from one stack to the other.
void shade(Mutator& mu, void* cell);
/// Of the cell of `g`, if it is a coroutine.
void set_status(G* g, CoroutineStatus status);
/// `to` gets from's M and P; the caller switches next.
void hand_over(G* from, G* to);
/// Back to whoever resumed `g`, with a value. Returns when g is resumed, unless
/// it has finished.
void switch_to_resumer(G* g, void* value);
/// A G that is kDead and has left its stack for good.
void bury(RuntimeImpl* rt, P* p, G* g);

}  // namespace tricolor::sched

#endif  // TRICOLOR_SCHED_COROUTINE_H_
