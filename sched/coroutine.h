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
#include "base/sched_point.h"
#include "sched/company.h"
#include "sched/g.h"
#include "sched/runtime.h"
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
  /// The same by who runs on `p`.
  static bool take(sched::P* p, Coroutine* co, CoroutineStatus to,
                   CoroutineStatus* found) {
    if (TRI_UNLIKELY(!sched::enter_alone(p))) return take(co, to, found);
    *found = status(co);
    const bool taken = *found == CoroutineStatus::kSuspended;
    if (TRI_LIKELY(taken)) {
      base::store_relaxed(&co->state_, static_cast<uint64_t>(to));
    }
    sched::leave_alone(p);
    return taken;
  }
  using Body = Coroutine::Body;
  /// Coroutine::create with another caller of `fn`.
  static Coroutine* create(Mutator& mu, Body body, CoroutineFn fn, void* arg,
                           void* user, const CoroutineOptions& options) {
    return Coroutine::create_with(mu, body, fn, arg, user, options);
  }
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
/// A G that is kDead and has left its stack for good.
void bury(RuntimeImpl* rt, P* p, G* g);

// --- The switches.

/// A value that passes from one stack to the other.
inline void shade(Mutator& mu, void* cell) {
  if (TRI_UNLIKELY(mu.barrier_on != 0) && cell != nullptr) {
    tri_detail_shade_pair(&mu, nullptr, cell);
  }
}

/// Of the cell of `g`, if it is a coroutine.
inline void set_status(G* g, CoroutineStatus status) {
  if (g->kind == GKind::kCoroutine && g->cell != nullptr) {
    CoroutineAccess::set_status(static_cast<Coroutine*>(g->cell), status);
  }
}

/// `to` gets from's M and P, and from's Mutator is no good until it runs again;
/// the caller switches next. See schedule.cc for the race with requesters.
inline void hand_over(G* from, G* to) {
  M* m = from->m;
  P* p = m->p;
  unbind_mutator(from);
  to->m = m;
  m->curg = to;
  // ORDER-curg-1: pairs with poke().
  p->curg.store_release(to);
  if (TRI_LIKELY(p->rt->membarrier)) {
    base::compiler_barrier();
  } else {
    base::fence_seq_cst();
  }
  if (TRI_UNLIKELY(p->request.load_relaxed() != 0)) {
    __atomic_store_n(&to->mu.poll_request, 1, __ATOMIC_RELAXED);
  }
  refresh_mutator(to, p);
}

/// What a switch needs, in two registers.
struct SwitchPlan {
  void** from_sp;
  void* to_sp;
};

/// `g` is about to switch to whoever has resumed it, with a value.
inline G* begin_yield(G* g, void* value) {
  P* p = p_of(&g->mu);
  if (TRI_UNLIKELY(p->barrier_on != 0)) g->rt->collector->scan_owner(p, g);
  shade(g->mu, value);
  G* resumer = g->resumer;
  g->resumer = nullptr;
  g->self_root = 0;
  resumer->transfer = value;
  if (TRI_PLANTED(suspended_too_early)) {
    set_status(g, CoroutineStatus::kSuspended);
  }
  set_status(resumer, CoroutineStatus::kRunning);
  leave_state(p, resumer, GState::kNormal, GState::kRunning);
  hand_over(g, resumer);
  return resumer;
}

}  // namespace tricolor::sched

#endif  // TRICOLOR_SCHED_COROUTINE_H_
