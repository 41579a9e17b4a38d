// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Parking, readying, yielding, and the slow path of poll.
//
// Between a task's last statement before it parks and the switch to the
// scheduler its stack is still in use, so nobody may run it: the commit
// function, which tells others of the task, runs on the scheduler's stack.
#include "base/check.h"
#include "base/sched_point.h"
#include "heap/callback.h"
#include "sched/native_stack.h"
#include "sched/quick.h"
#include "sched/runtime.h"

namespace tricolor::sched {
namespace {

void sleep_until_ready(G* g, void*) {
  while (g_state(g) != GState::kRunnable) g->m->parker.park();
}

// A thread that runs on a stack of its own cannot give it up: it goes native
// and sleeps.
void park_in_place(G* g, ParkCommit commit, SleepInPlace sleep, void* ctx) {
  M* m = g->m;
  P* p = p_of(&g->mu);
  unbind_mutator(g);
  g->native_p = p;
  g->native_word = with_p_state(p->status.load_relaxed(), PState::kNative);
  // Before it can be readied.
  g->blocked_m = m;
  set_state(g, GState::kRunning, GState::kWaiting);
  set_p_state(p, PState::kRunning, PState::kNative);
  if (p->request.load_seq_cst() != 0) notify_requester(g->rt);
  if (commit == nullptr || commit({g}, ctx)) {
    sleep(g, ctx);
  } else {
    set_runnable_slow(g);
  }
  while (!try_leave_native_p(p, g->native_word, PState::kRunning)) {
    wait_while_taken(p, g->native_word);
  }
  g->blocked_m = nullptr;
  leave_state(p, g, GState::kRunnable, GState::kRunning);
  refresh_mutator(g, p);
  attend_current(g);
}

}  // namespace

TRI_COLD void misused_mutator(const Mutator& mu, const char* call) {
  const GState state = g_state(g_of(const_cast<Mutator*>(&mu)));
  if (state == GState::kNormal) {
    TRI_MISUSE(
        call,
        "the Mutator is that of a task that has resumed a coroutine, not "
        "the running coroutine's");
  }
  if (state == GState::kSuspended) {
    TRI_MISUSE(call, "the Mutator is that of a coroutine that is suspended");
  }
  TRI_MISUSE(call,
             "called in native code: open a ManagedScope, or end the "
             "NativeScope");
}

void park_attached(G* g, ParkCommit commit, SleepInPlace sleep, void* ctx) {
  with_frames(g, [=] { park_in_place(g, commit, sleep, ctx); });
}

void park_current(Mutator& mu, ParkCommit commit, void* ctx,
                  WaitReason reason) {
  TRI_SCHED_POINT(park);
  G* g = g_of(&mu);
  note_wait(g, reason);
  heap::check_no_callback(p_of(&mu), "a call that parks");
  base::assert_no_locks_held("park");
  if (g->m->kind == MKind::kAttached) {
    park_attached(g, commit, sleep_until_ready, ctx);
  } else {
    g->m->commit = commit;
    g->m->commit_ctx = ctx;
    leave_for_next<After::kPark>(g);
  }
}

void ready_g(RuntimeImpl* rt, P* p, G* g, bool next) {
  TRI_SCHED_POINT(ready);
  M* blocked = g->blocked_m;  // the G's own as soon as it is runnable
  set_runnable(p, g);
  if (blocked != nullptr) {
    blocked->parker.unpark();
  } else {
    submit(rt, p, g, next);
  }
}

}  // namespace tricolor::sched

namespace tricolor {

void park(Mutator& mu, ParkCommit commit, void* ctx) {
  sched::check_managed(mu, "park");
  sched::park_current(mu, commit, ctx);
}

void ready(Mutator& mu, ParkedTask task) {
  sched::G* g = sched::g_of(task);
  // Its runtime may be another than the caller's.
  sched::P* p =
      mu.p == nullptr || g->rt != impl_of(mu) ? nullptr : sched::p_of(&mu);
  sched::ready_g(g->rt, p, g, /*next=*/true);
}

void yield(Mutator& mu) {
  TRI_SCHED_POINT(yield);
  sched::check_managed(mu, "yield");
  sched::G* g = sched::g_of(&mu);
  if (g->m->kind == sched::MKind::kAttached) {
    tri_detail_poll_slow(&mu);
  } else {
    sched::leave_for_next<sched::After::kYield>(g);
  }
}

}  // namespace tricolor

void tri_detail_poll_slow(tri_mutator* mu) {
  using namespace tricolor;  // NOLINT: one function
  TRI_SCHED_POINT(poll);
  sched::check_managed(*mu, "poll");
  sched::G* g = sched::g_of(mu);
  // An exchange, not a store: the clearing must not linger in a store buffer
  // while the request is read, or a poke in between is lost.
  const uint32_t stress = impl_of(*mu)->settings.debug.pollstress;
  __atomic_exchange_n(&mu->poll_request, stress != 0, __ATOMIC_SEQ_CST);
  sched::attend_current(g);
  if (TRI_UNLIKELY(stress != 0)) impl_of(*mu)->collector->on_stress_poll(mu);
  sched::P* p = sched::p_of(mu);
  if ((p->request.load_relaxed() & gc::kRequestPreempt) == 0) return;
  // ORDER-preempt-1: pairs with request_and_poke(): sees why it was asked.
  const uint32_t request = p->request.fetch_and_acquire(~sched::kPreemptBits);
  if (g->m->kind == sched::MKind::kAttached) return;
  if ((request & gc::kRequestSlice) != 0) {
    sched::leave_for_next<sched::After::kSpent>(g);
  } else {
    sched::leave_for_next<sched::After::kPreempt>(g);
  }
}
