// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// What nearly every wait and wake goes through, inline: each has a slow form,
// in park.cc, wait.cc and wake.cc, for what is rare.
#ifndef TRICOLOR_SCHED_QUICK_H_
#define TRICOLOR_SCHED_QUICK_H_

#include "heap/callback.h"
#include "sched/runtime.h"

namespace tricolor::sched {

[[noreturn]] void misused_mutator(const Mutator& mu, const char* call);

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

}  // namespace tricolor::sched

#endif  // TRICOLOR_SCHED_QUICK_H_
