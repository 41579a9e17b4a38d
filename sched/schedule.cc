// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// The scheduler loop of an M, on the M's own stack: find a G, switch to it, and
// when it switches back do what it asked for. What a G asks for is done here,
// after it has left its stack, because from that moment on others may run it.
//
// Mostly the loop would do nothing but take the next G from its P's queue. Then
// the G that leaves does that itself and switches there (leave_for_next),
// which saves a switch and the loop's rounds; what it asks for is done on the
// stack of the G that comes, first thing (finish_switch). In between both are
// kRunning, as one is for a moment behind each switch to the loop: whoever
// scans tasks leaves them to the P's holder, and that comes to no safepoint
// before it has finished.
//
// A task that ends leaves its stack to the next one if that has not begun, and
// need not switch at all (end_for_next): its end is finished on what is the
// next one's stack by then.
//
// Dispatch against a requester of a stop, a ragged barrier or a preemption:
//
//   dispatch (make_current)               requester (world.cc, sysmon.cc)
//   1. stores p->curg = g                 1. sets bits in p->request
//   2. reads p->request                   2. membarrier: a full fence in every
//                                            running thread
//                                         3. reads p->curg, sets its
//                                            mu.poll_request
//
// If 2 (left) does not see the bits, 1 (left) precedes the fence, so 3 (right)
// sees g and pokes it. If the kernel has no membarrier, dispatch has a fence of
// its own between 1 and 2, and the requester one instead of 2. The poke is
// never lost: the owner clears poll_request by an exchange and then reads
// p->request (poll.cc). World operations leave out 2 at first and do 2 and 3
// (right) when somebody has not answered within 20 us.
#include "base/check.h"
#include "base/sched_point.h"
#include "sched/runtime.h"

namespace tricolor::sched {
namespace {

void start_first_run(M* m, G* g) {
  stacks::Refusal refusal = nullptr;
  if (g->stack == nullptr && !prepare_stack(m->rt, m->p, g, &refusal)) {
    TRI_NO_MEMORY("a native stack for task %lu (%s)",
                  static_cast<unsigned long>(g->id.load_relaxed()), refusal);
  }
  g->started = true;
  // The main task was made without a P. It has no roots, so black is true.
  if (g->kind == GKind::kMain) m->rt->collector->on_g_born(m->p, g);
}

// It runs from here on; returns the requests that came before that.
inline uint32_t set_current(M* m, P* p, G* g, bool inherits) {
  g->m = m;
  m->curg = g;
  // Relaxed: written by the holder only; sysmon looks for a change.
  if (!inherits) p->tick.store_relaxed(p->tick.load_relaxed() + 1);
  p->rounds++;
  // ORDER-curg-1: pairs with request_and_poke(): the G is what it seems.
  p->curg.store_release(g);
  if (TRI_LIKELY(m->rt->membarrier)) {
    base::compiler_barrier();
  } else {
    base::fence_seq_cst();
  }
  return p->request.load_relaxed();
}

// kRunnable -> kRunning on this M; returns the same.
inline uint32_t make_current(M* m, P* p, G* g, bool inherits) {
  leave_state(p, g, GState::kRunnable, GState::kRunning);
  if (TRI_UNLIKELY(!g->started)) start_first_run(m, g);
  return set_current(m, p, g, inherits);
}

void poll_soon(G* g) {
  __atomic_store_n(&g->mu.poll_request, 1, __ATOMIC_RELAXED);
}

void run_g(M* m, G* g, bool inherits) {
  P* p = m->p;
  if (TRI_UNLIKELY(make_current(m, p, g, inherits) != 0)) {
    attend_requests(p);
    // A preemption may be meant for this M (it has to leave) and not for the G
    // before: this one's first poll does it.
    poll_soon(g);
  }
  refresh_mutator(g, p);
  m->after = After::kNothing;
  cross_fiber(m->eh_globals, &m->g0, &g->fiber);
}

void park_g(M* m, G* g) {
  const ParkCommit commit = m->commit;
  set_state(g, GState::kRunning, GState::kWaiting);
  // From here on the G may run elsewhere as soon as commit publishes it.
  if (commit == nullptr || commit({g}, m->commit_ctx)) return;
  set_runnable(m->p, g);
  // Not next: who is cancelled and waits again would keep out all others.
  submit_local(m->p, g, /*next=*/false);
}

void requeue_g(M* m, G* g) {
  leave_state_slow(g, GState::kNative, GState::kRunnable);
  GList one;
  one.push_back(g);
  submit_global(m->rt, &one);
}

// Who yields goes behind all others, those in the global queue, too: behind a
// full ring these would have one turn in 61.
G* change_places(RuntimeImpl* rt, G* g) {
  if (TRI_LIKELY(rt->sched.global_size.load_relaxed() == 0)) return g;
  GList taken = take_global(rt, 1);
  G* first = taken.pop_front();
  if (first == nullptr) return g;
  GList one;
  one.push_back(g);
  submit_global(rt, &one);
  return first;
}

// What the G asked for when it switched here. It is no longer current.
void do_after(M* m, G* g) {
  GList overflow;
  switch (m->after) {
    case After::kYield:
      set_state(g, GState::kRunning, GState::kRunnable);
      g = change_places(m->rt, g);
      // Nobody is woken: this M looks at the queue next (see found()).
      if (!m->p->runq.put(g, &overflow)) submit_global(m->rt, &overflow);
      return;
    case After::kPreempt:
      set_state(g, GState::kRunning, GState::kRunnable);
      demote(m->p);
      overflow.push_back(g);
      submit_global(m->rt, &overflow);
      return;
    case After::kSpent:
      set_state(g, GState::kRunning, GState::kRunnable);
      demote(m->p);
      return submit_spent(m->p, g);
    case After::kPark:
      return park_g(m, g);
    case After::kWait:
      return finish_wait(m, g);
    case After::kExit:
      if (TRI_UNLIKELY(m->locked_g == g)) unlock_at_end(m, g);
      return finish_exit(m, g);
    case After::kRequeue:
      return requeue_g(m, g);
    case After::kWaiting:
      return;
    case After::kNothing:
      break;
  }
  TRI_FATAL("a G came back to the scheduler without saying why");
}

}  // namespace

void schedule_loop(M* m) {
  bool inherits = false;
  while (G* g = next_g(m, &inherits)) {
    TRI_SCHED_POINT(dispatch);
    run_g(m, g, inherits);
    // Not necessarily g: it may have resumed a coroutine that parked.
    g = m->curg;
    m->curg = nullptr;
    if (m->p != nullptr) m->p->curg.store_relaxed(nullptr);
    do_after(m, g);
  }
  stop_spinning(m);
  if (m->p != nullptr) {
    P* p = m->p;
    m->p = nullptr;
    release_p_with_work(m->rt, p);
  }
}

namespace {

// Not what is parked by a commit of the embedder's, for which the next one's
// stack may be small.
template <After kAfter>
constexpr bool kDirect = kAfter == After::kYield || kAfter == After::kWait ||
                         kAfter == After::kWaiting;

// Whether the loop would do nothing but run the next G of p's queue: the
// conditions are those of the loop, of find_work() and of next_g(), which say
// why. Who asks an M to leave, or drops its P, or shuts down, has set a request
// behind that, which stays until the loop has seen it.
template <After kAfter>
bool may_skip_loop(const M* m, const P* p, const G* g) {
  const Scheduler& s = m->rt->sched;
  if (spent_is_due(s, p)) return false;
  if (kAfter == After::kYield && s.global_size.load_relaxed() != 0) {
    return false;
  }
  // The scanner of the one that comes would be waited for with the locks held
  // that the commit of the one that leaves lets go of.
  if (kAfter == After::kWait && may_be_scanned(p)) return false;
  if (kAfter == After::kExit && g->kind != GKind::kTask) return false;
  return static_cast<int32_t>(p->rounds - p->loop_at) < 0 &&
         p->request.load_relaxed() == 0 && s.idle_p_count.load_relaxed() == 0 &&
         s.locked_gs.load_relaxed() == 0;
}

// On the stack of the G that came, for the one that made way.
void finish_yield(M* m, P* p, G* g) {
  set_state(g, GState::kRunning, GState::kRunnable);
  GList overflow;
  if (TRI_UNLIKELY(!p->runq.put(g, &overflow))) {
    submit_global(m->rt, &overflow);
  }
  if (p->runq.is_solo()) return;
  // What others do for what they submit, and found() in the loop: an M that has
  // gone idle meanwhile has not seen the one that yields.
  base::fence_seq_cst();
  if (m->rt->sched.idle_p_count.load_relaxed() != 0) wake_p(m->rt);
}

inline void finish_switch(M* m) {
  G* g = m->made_way;
  if (g == nullptr) return;
  m->made_way = nullptr;
  if (m->after == After::kYield) {
    finish_yield(m, m->p, g);
  } else if (m->after == After::kWait) {
    finish_wait(m, g);
  } else {
    do_after(m, g);
  }
}

}  // namespace

void begin_on_stack(G* g) { finish_switch(g->m); }

namespace {

// The next G of p's queue, if the loop would run it: it is current then, and
// finish_switch() is to be called on its stack.
template <After kAfter>
inline G* next_at_hand(M* m, P* p, G* g, bool* inherits) {
  m->after = kAfter;
  if (TRI_UNLIKELY(!may_skip_loop<kAfter>(m, p, g))) return nullptr;
  return p->runq.pop(inherits);
}

TRI_ALWAYS_INLINE void dispatch_for(M* m, P* p, G* g, G* next, bool inherits) {
  TRI_SCHED_POINT(dispatch);
  if (TRI_UNLIKELY(make_current(m, p, next, inherits) != 0)) poll_soon(next);
  refresh_mutator(next, p);
  if (m->after != After::kWaiting) m->made_way = g;
}

// Whether `next`, which has not begun, may have g's stack as it is, with the
// frames of task_main() at its base.
inline bool may_take_over(const M* m, const G* g, const G* next) {
  const EhGlobals* eh = m->eh_globals;
  return !next->started && next->kind == GKind::kTask &&
         next->stack_class == g->stack_class && next->stack == nullptr &&
         (eh == nullptr || (eh->caught == 0 && eh->uncaught == 0));
}

}  // namespace

template <After kAfter>
void leave_for_next(G* g) {
  // A wait's commit lets go of the locks: see wait.h.
  if (kAfter == After::kWait) {
    base::assert_only_held(base::LockRank::kWait, "a suspension");
  } else {
    base::assert_no_locks_held("a suspension");
  }
  M* m = g->m;
  P* p = m->p;
  TRI_ASSERT(m->curg == g && m->kind != MKind::kAttached);
  bool inherits = false;
  G* next =
      kDirect<kAfter> ? next_at_hand<kAfter>(m, p, g, &inherits) : nullptr;
  if (!kDirect<kAfter>) m->after = kAfter;
  if (TRI_LIKELY(next != nullptr)) {
    dispatch_for(m, p, g, next, inherits);
    switch_fiber(m->eh_globals, &g->fiber, &next->fiber);
  } else {
    cross_fiber(m->eh_globals, &g->fiber, &m->g0);
  }
  // Perhaps on another thread.
  finish_switch(g->m);
}

G* end_for_next(G* g, bool returned) {
  base::assert_no_locks_held("the end of a task");
  M* m = g->m;
  P* p = m->p;
  TRI_ASSERT(m->curg == g);
  bool inherits = false;
  G* next = next_at_hand<After::kExit>(m, p, g, &inherits);
  if (next != nullptr && returned && TRI_LIKELY(may_take_over(m, g, next))) {
    TRI_SCHED_POINT(dispatch);
    leave_state(p, next, GState::kRunnable, GState::kRunning);
    next->started = true;
    next->stack = g->stack;
    g->stack = nullptr;
    stacks::context_begin_anew(&g->fiber.context, &next->fiber.context);
    const uint32_t requests = set_current(m, p, next, inherits);
    if (TRI_UNLIKELY(requests != 0)) poll_soon(next);
    refresh_mutator(next, p);
    finish_exit(m, g);
    return next;
  }
  if (next != nullptr) dispatch_for(m, p, g, next, inherits);
  leave_fiber(m->eh_globals, &g->fiber,
              next != nullptr ? &next->fiber : &m->g0);
}

template void leave_for_next<After::kYield>(G* g);
template void leave_for_next<After::kPark>(G* g);
template void leave_for_next<After::kWait>(G* g);
template void leave_for_next<After::kWaiting>(G* g);
template void leave_for_next<After::kPreempt>(G* g);
template void leave_for_next<After::kSpent>(G* g);
template void leave_for_next<After::kRequeue>(G* g);

}  // namespace tricolor::sched
