// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Tasks that are locked to their thread (tricolor/os_thread.h). Such an M runs
// no other G. When its own has left, it gives its P away and waits; whoever
// finds the G in a queue hands G and P over and looks for another P:
//
//   M of the G                            some other M
//   wait_for_own: hands its P on          find_work: the G
//   parks                                 send_home: next_g, next_p, unpark
//   takes both, runs the G                wait_for_p
//
// The G may be found before its M waits: next_p is taken then. There is one
// hand-over at a time, since there is one G. After Go's stoplockedm and
// startlockedm.
//
// A coroutine belongs where its resumer does.
//
// Shutdown: a waiting M leaves. Under the scheduler's lock it says that it is
// gone, so that no P is handed to it for which a stop would wait for ever; its
// G is left as it is, like every other.
#include "base/check.h"
#include "base/sched_point.h"
#include "sched/runtime.h"
#include "tricolor/os_thread.h"

namespace tricolor::sched {
namespace {

// Null: anywhere.
M* home_of(const G* g) {
  while (g->kind == GKind::kCoroutine && g->resumer != nullptr) g = g->resumer;
  return g->locked_m;
}

void give_p_away(RuntimeImpl* rt, P* p) {
  hand_on(rt, p, any_work(rt) || p->runq.size() > 0);
}

void count_waiting_locked(M* m, int n) {
  Scheduler& s = m->rt->sched;
  s.lock.assert_held();
  s.locked_waiting += static_cast<uint32_t>(n);
  if (m->kind == MKind::kRunner) s.locked_runners += static_cast<uint32_t>(n);
}

// Its G comes, with a P. Null: the runtime ends.
G* wait_for_own(M* m) {
  TRI_SCHED_POINT(wait_for_own);
  RuntimeImpl* rt = m->rt;
  Scheduler& s = rt->sched;
  if (m->p != nullptr) {
    P* p = m->p;
    m->p = nullptr;
    give_p_away(rt, p);
  }
  s.lock.lock();
  count_waiting_locked(m, 1);
  s.lock.unlock();
  look_for_deadlock(rt);
  bool got = take_next_p(m);
  while (!got && !s.shutdown.load_acquire()) {
    m->parker.park();
    got = take_next_p(m);
  }
  s.lock.lock();
  count_waiting_locked(m, -1);
  if (!got) m->gone = true;
  s.lock.unlock();
  if (got) return m->next_g;
  // Given just before that.
  if (take_next_p(m)) {
    P* p = m->p;
    m->p = nullptr;
    release_p_with_work(rt, p);
  }
  return nullptr;
}

// m has found g, which belongs to `home`: it goes there with m's P.
void send_home(M* m, G* g, M* home) {
  TRI_SCHED_POINT(send_home);
  P* p = m->p;
  base::LockGuard guard(m->rt->sched.lock);
  if (home->gone) return;  // the runtime ends: m will see that, too
  m->p = nullptr;
  home->next_g = g;
  hand_p_to(home, p, /*spinning=*/false);
}

}  // namespace

G* next_g(M* m, bool* inherits) {
  for (;;) {
    if (TRI_UNLIKELY(m->locked_g != nullptr)) {
      *inherits = false;
      return wait_for_own(m);
    }
    if (TRI_UNLIKELY(m->ends)) return nullptr;
    G* g = find_work(m, inherits);
    // Relaxed: a G that is locked was before it was queued.
    if (g == nullptr || m->rt->sched.locked_gs.load_relaxed() == 0) return g;
    M* home = home_of(g);
    if (home == nullptr || home == m) return g;
    send_home(m, g, home);
  }
}

void unlock_at_end(M* m, G* g) {
  m->locked_g = nullptr;
  g->locked_m = nullptr;
  g->lock_count = 0;
  m->rt->sched.locked_gs.fetch_sub_relaxed(1);
  m->ends = m->kind == MKind::kWorker;
}

}  // namespace tricolor::sched

namespace tricolor {

void lock_os_thread(Mutator& mu) {
  constexpr const char* kCall = "lock_os_thread";
  if (mu.p == nullptr) sched::misused_mutator(mu, kCall);
  sched::G* g = sched::g_of(&mu);
  sched::M* m = g->m;
  if (m->kind == sched::MKind::kAttached) return;
  if (g->kind == sched::GKind::kCoroutine) {
    TRI_MISUSE(kCall, "called in a coroutine: its resumer may lock the thread");
  }
  if (m->rt->sched.thread_limit == 0) return;
  if (m->no_wait) {
    TRI_MISUSE(kCall, "the task runs on a thread that step() has lent");
  }
  if (g->lock_count++ != 0) return;
  g->locked_m = m;
  m->locked_g = g;
  sched::Scheduler& s = m->rt->sched;
  const uint32_t before = s.locked_gs.fetch_add_relaxed(1);
  // Whoever wakes a locked task needs a thread that finds it, and timers one
  // that looks at them. One of ours is sysmon.
  if (s.thread_limit < 0) return;
  const int most = s.thread_limit - (sched::has_sysmon(s) ? 1 : 0);
  if (before >= static_cast<uint32_t>(most)) {
    TRI_MISUSE(kCall,
               "with background_threads = %d at most %d tasks are locked at "
               "once: some thread has to run the others",
               s.thread_limit, most);
  }
}

void unlock_os_thread(Mutator& mu) {
  constexpr const char* kCall = "unlock_os_thread";
  if (mu.p == nullptr) sched::misused_mutator(mu, kCall);
  sched::G* g = sched::g_of(&mu);
  sched::M* m = g->m;
  if (m->kind == sched::MKind::kAttached || m->rt->sched.thread_limit == 0) {
    return;
  }
  if (g->lock_count == 0) TRI_MISUSE(kCall, "more often than lock_os_thread");
  if (--g->lock_count != 0) return;
  g->locked_m = nullptr;
  m->locked_g = nullptr;
  m->rt->sched.locked_gs.fetch_sub_relaxed(1);
  // A thread inside run() may have been asked to leave meanwhile.
  if (sched::should_leave(m)) {
    sched::request_and_poke(sched::p_of(&mu), gc::kRequestPreempt);
  }
}

}  // namespace tricolor
