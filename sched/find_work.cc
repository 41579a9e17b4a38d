// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// find_work: where the next G comes from. Called by the scheduler loop.
#include "base/check.h"
#include "base/cpu_x86_64.h"
#include "base/sched_point.h"
#include "sched/runtime.h"

namespace tricolor::sched {
namespace {

constexpr uint32_t kGlobalBatchMax = 128;
constexpr uint32_t kPollBatch = 64;
constexpr uint64_t kDueSliceNs = 500'000;
constexpr uint64_t kIdleSliceNs = 100'000;

// The collector gets its share of this P. True if it did something.
bool run_gc_worker(M* m, uint64_t budget_ns, bool idle) {
  stop_spinning(m);
  return m->rt->collector->run_worker(m->p, nullptr, budget_ns, idle);
}

// What is due by the clock, whatever the queues hold. Without sysmon there is
// maybe nobody else to look at the timers of other Ps.
void do_timed_duties(M* m) {
  RuntimeImpl* rt = m->rt;
  const bool alone = !has_sysmon(rt->sched);
  const uint64_t next_ns = alone ? next_timer_ns(rt) : m->p->timers.next_ns();
  const bool gc = rt->collector->has_work();
  if (next_ns == kNever && !gc) return;
  const uint64_t now = rt->clock.now_ns();
  if (next_ns <= now) {
    alone ? fire_timers(rt, m->p, now) : fire_own_timers(rt, m->p, now);
  }
  if (gc && rt->collector->worker_due(m->p, now)) {
    run_gc_worker(m, kDueSliceNs, /*idle=*/false);
  }
}

// A share of the global queue; the rest of the batch goes into ours.
G* from_global(M* m, uint32_t max) {
  RuntimeImpl* rt = m->rt;
  const uint32_t n = rt->sched.global_size.load_relaxed();
  if (n == 0) return nullptr;
  const uint32_t share = n / rt->sched.max_procs.load_relaxed() + 1;
  GList batch = take_global(rt, share < max ? share : max);
  G* first = batch.pop_front();
  while (G* g = batch.pop_front()) submit_local(m->p, g, /*next=*/false);
  return first;
}

// Polls without waiting, if there is anything to wait for and nobody else does.
G* from_poller(M* m) {
  RuntimeImpl* rt = m->rt;
  // ORDER-poll-hooks-1: pairs with install_poll_hooks().
  const netpoll::PollHooks* hooks = rt->poll.load_acquire();
  if (hooks == nullptr || !hooks->has_waiters(hooks->ctx)) return nullptr;
  if (!try_begin_poll(rt)) return nullptr;
  ParkedTask tasks[kPollBatch];
  const size_t n = hooks->poll(hooks->ctx, 0, tasks, kPollBatch);
  end_poll(rt);
  rt->sched.last_poll_ns.store_relaxed(rt->clock.now_ns());
  for (size_t i = 0; i < n; i++) ready_g(rt, m->p, g_of(tasks[i]), false);
  bool inherits;
  return m->p->runq.pop(&inherits);
}

uint32_t gcd(uint32_t a, uint32_t b) { return b == 0 ? a : gcd(b, a % b); }

// With nothing else to do. True: look for work before the next piece. While
// others run, who may want it back in a moment, little by little; sysmon sees
// to the rest.
bool give_memory_back(RuntimeImpl* rt) {
  constexpr size_t kPieceBytes = size_t{512} << 10;
  if (rt->heap->surplus_bytes() == 0) return false;
  const Scheduler& s = rt->sched;
  const uint32_t idle = s.idle_p_count.load_relaxed();
  const uint32_t procs = s.max_procs.load_relaxed();
  if (idle + 1 < procs) {
    rt->heap->scavenge_paced(rt->clock, procs - idle - 1);
    return false;
  }
  return rt->heap->scavenge(kPieceBytes) != 0;
}

// Half of another P's queue. Visits all Ps in a random order: start + i * step
// with step coprime to their number. A victim's `next` is left alone until the
// last round: its owner is about to run it.
G* steal(M* m) {
  constexpr uint32_t kRounds = 4;
  Scheduler& s = m->rt->sched;
  const uint32_t n = s.max_procs.load_acquire();
  if (n < 2) return nullptr;
  for (uint32_t round = 0; round < kRounds; round++) {
    uint32_t step = 1 + m->p->rng.below(n - 1);
    while (gcd(step, n) != 1) step = 1 + m->p->rng.below(n - 1);
    uint32_t at = m->p->rng.below(n);
    for (uint32_t i = 0; i < n; i++, at = (at + step) % n) {
      P* victim = s.procs.data()[at];
      if (victim == m->p || victim->runq.size() == 0) continue;
      const bool take_next = round == kRounds - 1;
      G* g = m->p->runq.steal_from(&victim->runq, take_next);
      if (g != nullptr) return g;
    }
    if (m->p->request.load_relaxed() != 0) return nullptr;
    for (int i = 0; i < 20; i++) base::cpu_relax();
  }
  return nullptr;
}

// What is due in the heaps of Ps that are busy with something else.
G* from_timers_of_others(M* m) {
  RuntimeImpl* rt = m->rt;
  const uint64_t next_ns = next_timer_ns(rt);
  if (next_ns == kNever) return nullptr;
  const uint64_t now_ns = rt->clock.now_ns();
  if (next_ns > now_ns || !fire_timers(rt, m->p, now_ns)) return nullptr;
  bool inherits;
  return m->p->runq.pop(&inherits);
}

// At most half as many spinning Ms as busy ones: more burn CPU for nothing.
bool may_spin(M* m) {
  if (m->spinning) return true;
  Scheduler& s = m->rt->sched;
  const uint32_t busy =
      s.max_procs.load_relaxed() - s.idle_p_count.load_relaxed();
  return 2 * s.spinning.load_relaxed() < busy;
}

G* look_elsewhere(M* m) {
  if (G* g = from_global(m, kGlobalBatchMax)) return g;
  if (G* g = take_spent(m->rt)) return g;
  if (G* g = from_poller(m)) return g;
  if (!may_spin(m)) return nullptr;
  if (!m->spinning) {
    m->spinning = true;
    m->rt->sched.spinning.fetch_add_seq_cst(1);
  }
  if (G* g = steal(m)) return g;
  return from_timers_of_others(m);
}

// This M has found something: it no longer looks for work, so somebody else
// has to, if there is more. Also if it was off the books when it found this:
// between two rounds it is, and who submitted before that relied on it.
G* found(M* m, G* g) {
  stop_spinning(m);
  const bool relied_on = m->relied_on;
  m->relied_on = false;
  // Mostly no P is idle: then nothing else need be looked at.
  if (m->rt->sched.idle_p_count.load_seq_cst() != 0 &&
      (relied_on || m->p->runq.size() > 0)) {
    wake_p(m->rt);
  }
  return g;
}

// The next round at which find_work() looks at more than the P's own queue.
uint32_t next_look(const M* m, const P* p) {
  const uint32_t now = p->rounds;
  if (m->leave_at_ns != 0) return now + 1;  // step() looks at the clock
  const uint32_t duties = now + kDutiesEvery - now % kDutiesEvery;
  const uint32_t global = now + kGlobalEvery - now % kGlobalEvery;
  return duties - now < global - now ? duties : global;
}

}  // namespace

G* find_work(M* m, bool* inherits) {
  TRI_SCHED_POINT(find_work);
  RuntimeImpl* rt = m->rt;
  for (;;) {
    *inherits = false;
    if (m->p == nullptr) {
      wait_for_p(m);
      if (m->p == nullptr) return nullptr;
    }
    P* p = m->p;
    if (p->request.load_relaxed() != 0) {
      // Whoever was to be preempted has left the P. If it was this M that is
      // to leave:
      // ORDER-preempt-1: pairs with request_and_poke(): sees why it was asked.
      const uint32_t request = p->request.fetch_and_acquire(~kPreemptBits);
      attend_requests(p);
      // The time slice is over, also for who would inherit it.
      if ((request & gc::kRequestPreempt) != 0) demote(p);
    }
    if (should_leave(m)) return nullptr;
    if (TRI_UNLIKELY(p->dropped.load_relaxed())) {
      stop_spinning(m);
      m->p = nullptr;
      release_p_with_work(rt, p);
      continue;
    }
    if (p->rounds % kDutiesEvery == 0 || p->runq.size() == 0) {
      do_timed_duties(m);
    }
    p->loop_at = next_look(m, p);
    if (TRI_UNLIKELY(spent_is_due(rt->sched, p))) {
      if (G* g = take_spent(rt)) {
        begin_turn(rt->sched, p, /*behind_one=*/true);
        return found(m, g);
      }
    }
    if (p->rounds % kGlobalEvery == 0) {
      if (G* g = from_global(m, 1)) return found(m, g);
      if (G* g = from_poller(m)) return found(m, g);
    }
    const bool turn = p->rounds % kDutiesEvery == 0;
    if (G* g = turn ? p->runq.pop_in_turn(inherits) : p->runq.pop(inherits)) {
      return found(m, g);
    }
    if (G* g = look_elsewhere(m)) return found(m, g);
    if (p->request.load_relaxed() != 0) continue;
    if (rt->collector->has_idle_work() &&
        run_gc_worker(m, kIdleSliceNs, /*idle=*/true)) {
      continue;
    }
    // No longer in the books as looking for work: who submits some wakes
    // somebody, and what came before is seen in the next round or in go_idle().
    stop_spinning(m);
    if (rt->collector->await_idle_work(p)) continue;
    if (rt->gs.has_collected()) reap_coroutines(rt, p, kReapedAtOnce);
    if (give_memory_back(rt)) continue;
    go_idle(m);
    if (m->p == nullptr) return nullptr;
  }
}

}  // namespace tricolor::sched
