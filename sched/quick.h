// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// What nearly every wait and wake goes through, inline: each has a slow form,
// in park.cc, wait.cc and wake.cc, for what is rare.
#ifndef TRICOLOR_SCHED_QUICK_H_
#define TRICOLOR_SCHED_QUICK_H_

#include "heap/callback.h"
#include "sched/company.h"
#include "sched/runtime.h"

namespace tricolor::sched {

/// Misuse unless `mu` is that of what the calling thread runs, in managed code.
inline void check_managed(const Mutator& mu, const char* call) {
  if (TRI_UNLIKELY(mu.p == nullptr || g_state(g_of(const_cast<Mutator*>(
                                          &mu))) != GState::kRunning)) {
    misused_mutator(mu, call);
  }
  heap::check_no_callback(p_of(&mu), call);
}

/// The Waiter of the calling task (also inside a coroutine of it) or attached
/// thread.
inline Waiter* waiter_of(Mutator& mu) { return &task_of(g_of(&mu))->waiter; }

/// submit_local() and wake_waiter(), see there.
inline void submit_quick(P* p, G* g, bool next) {
  TRI_ASSERT(!p->attached);
  RuntimeImpl* rt = p->rt;
  // A pair that wake each other share a time slice, which sysmon ends.
  if (!has_sysmon(rt->sched)) next = false;
  GList overflow;
  if (TRI_UNLIKELY(!(next ? p->runq.put_next(g, &overflow)
                          : p->runq.put(g, &overflow)))) {
    push_global(rt, &overflow);
  }
  // See wake.cc for the race; put() is a plain store.
  if (!next && !p->runq.is_solo()) base::fence_seq_cst();
  if (rt->sched.idle_p_count.load_seq_cst() != 0) wake_p(rt);
}

/// The same for a task that who holds `p` has just made.
inline void submit_fresh(P* p, G* g) {
  TRI_ASSERT(!p->attached);
  RuntimeImpl* rt = p->rt;
  // Who spawns for ever would keep out the others: sysmon ends the slice.
  if (TRI_UNLIKELY(!has_sysmon(rt->sched))) {
    return submit_quick(p, g, /*next=*/false);
  }
  GList overflow;
  if (TRI_UNLIKELY(!p->runq.put_fresh(g, &overflow))) {
    push_global(rt, &overflow);
    // The spawner goes behind these, or who spawns faster than others run would
    // have all the tasks there may be.
    request_and_poke(p, gc::kRequestPreempt);
  }
  if (rt->sched.idle_p_count.load_seq_cst() != 0) wake_p(rt);
}

inline void wake_quick(P* p, Waiter* waiter, bool next = true) {
  G* g = waiter->sleeper;
  if (TRI_UNLIKELY(g == nullptr || p == nullptr || p->attached ||
                   p->rt != g->rt || g->blocked_m != nullptr)) {
    return wake_waiter(p, waiter, next);
  }
  TRI_SCHED_POINT(ready);
  set_runnable(p, g);
  submit_quick(p, g, next);
}

/// wait_in_list() for a task in a section of company.h, which ends here, and
/// whose wait has no deadline and may be cancelled. The commit is not left to
/// who comes next: until this P's holder has switched away, nobody can run the
/// task or scan it. `bytes`: the node's; `lock`: that of the list.
inline WaitResult wait_alone(Mutator& mu, base::Mutex* lock, WaitList* list,
                             void* bytes, WaitReason reason) {
  G* g = g_of(&mu);
  P* p = p_of(&mu);
  G* task = task_of(g);
  TRI_ASSERT(p->alone.load_relaxed() != 0 && p->runq.is_solo());
  // Who sets it later waits for the end of the section and finds the wait open.
  if (TRI_UNLIKELY(is_cancelled(task)) && !TRI_PLANTED(no_cancel_recheck)) {
    leave_alone(p);
    return WaitResult::kCancelled;
  }
  Waiter* waiter = &task->waiter;
  const uint64_t ticket = waiter->next_ticket(false, false);
  waiter->sleeper = g;
  note_wait(g, reason);
  WaitNode node;
  node.waiter = waiter;
  node.ticket = ticket;
  node.bytes = bytes;
  list->push(&node);
  set_state(g, GState::kRunning, GState::kWaiting);
  TRI_SCHED_POINT(wait_open);
  // ORDER-wait-1: pairs with end_wait(): publishes the waiter's memory.
  waiter->word.store_release(ticket);
  TRI_SCHED_POINT(wait_unlock);
  leave_alone(p);
  leave_for_next<After::kWaiting>(g);
  if (TRI_UNLIKELY(waiter->node != &node)) take_out(lock, list, &node);
  return waiter->result;
}

}  // namespace tricolor::sched

#endif  // TRICOLOR_SCHED_QUICK_H_
