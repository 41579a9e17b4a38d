// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Ps and Ms with nothing to do: the idle lists, and how an M goes to sleep.
//
// An M that sleeps is on the idle list with is_idle set. Whoever takes it off
// gives it a P (next_p) and wakes it; it may also take itself off, when it has
// seen work or has to leave. One of the sleeping Ms (timed_m) sleeps until the
// next timer; one that waits in the poller (poll_m) is not on the list: it gets
// itself a P when it comes back.
#include "base/check.h"
#include "base/cpu_x86_64.h"
#include "base/futex.h"
#include "base/sched_point.h"
#include "sched/runtime.h"

namespace tricolor::sched {
P* acquire_idle_p_locked(RuntimeImpl* rt) {
  Scheduler& s = rt->sched;
  s.lock.assert_held();
  P* p = s.idle_ps;
  if (p == nullptr || s.stopping) return nullptr;
  s.idle_ps = p->link;
  p->link = nullptr;
  s.idle_p_count.fetch_sub_seq_cst(1);
  set_p_state(p, PState::kIdle, PState::kRunning);
  if (rt->sysmon.sleeps.load_relaxed()) wake_sysmon_locked(rt);
  return p;
}

void push_idle_p_locked(RuntimeImpl* rt, P* p) {
  Scheduler& s = rt->sched;
  s.lock.assert_held();
  p->link = s.idle_ps;
  s.idle_ps = p;
  s.idle_p_count.fetch_add_seq_cst(1);
}

void unlink_idle_p_locked(RuntimeImpl* rt, P* p) {
  Scheduler& s = rt->sched;
  s.lock.assert_held();
  P** at = &s.idle_ps;
  while (*at != p) at = &(*at)->link;
  *at = p->link;
  p->link = nullptr;
  s.idle_p_count.fetch_sub_seq_cst(1);
}

void release_p_locked(RuntimeImpl* rt, P* p) {
  Scheduler& s = rt->sched;
  s.lock.assert_held();
  TRI_ASSERT(p->runq.size() == 0, "an idle P with a queue of %u",
             p->runq.size());
  TRI_ASSERT(!p->attached);
  p->curg.store_relaxed(nullptr);
  // ORDER-preempt-1: pairs with request_and_poke(): sees why it was asked.
  p->request.fetch_and_acquire(~kPreemptBits);
  // The caller holds p: no stop has ended since it got it, see resize.cc.
  if (TRI_UNLIKELY(p->dropped.load_relaxed())) {
    set_p_state(p, PState::kRunning, PState::kDead);
    s.retiring.fetch_sub_seq_cst(1);
    base::futex_wake(&s.retiring, INT32_MAX);
    return;
  }
  set_p_state(p, PState::kRunning, PState::kIdle);
  push_idle_p_locked(rt, p);
}

void release_p_with_work(RuntimeImpl* rt, P* p) {
  Scheduler& s = rt->sched;
  GList left;
  p->runq.drain(&left);
  s.lock.lock();
  s.global.append(&left);
  s.global_size.store_seq_cst(s.global.count);
  release_p_locked(rt, p);
  s.lock.unlock();
  notify_requester(rt);
  if (any_work(rt) || lacks_waiter(rt)) wake_p(rt);
}

void bind_p(M* m, P* p) {
  TRI_ASSERT(m->p == nullptr && p_state(p) == PState::kRunning);
  m->p = p;
}

void remove_idle_m_locked(RuntimeImpl* rt, M* m) {
  Scheduler& s = rt->sched;
  s.lock.assert_held();
  TRI_CHECK(m->is_idle);
  M** at = &s.idle_ms;
  while (*at != m) at = &(*at)->link;
  *at = m->link;
  m->link = nullptr;
  m->is_idle = false;
  s.idle_m_count.fetch_sub_seq_cst(1);
  if (s.timed_m == m) {
    s.timed_m = nullptr;
    s.sleep_until.store_seq_cst(kNever);
  }
}

M* pop_idle_m_locked(RuntimeImpl* rt) {
  Scheduler& s = rt->sched;
  s.lock.assert_held();
  M* m = s.idle_ms;
  if (m == nullptr) return nullptr;
  if (m == s.timed_m && m->link != nullptr) m = m->link;
  remove_idle_m_locked(rt, m);
  return m;
}

void hand_p_to(M* m, P* p, bool spinning) {
  m->next_spinning = spinning;
  // ORDER-next-p-1: pairs with take_next_p(): publishes next_spinning.
  m->next_p.store_release(p);
  m->parker.unpark();
}

bool should_leave_slow(M* m) {
  // ORDER-shutdown-1: pairs with ~RuntimeImpl's store: a hint to go.
  if (m->rt->sched.shutdown.load_acquire()) return true;
  if (m->kind != MKind::kRunner) return false;
  // ORDER-leave-1: pairs with finish_main(): the main task has ended.
  if (m->leave.load_acquire()) return true;
  return m->leave_at_ns != 0 && m->rt->clock.now_ns() >= m->leave_at_ns;
}

void stop_spinning(M* m) {
  if (!m->spinning) return;
  m->spinning = false;
  m->relied_on = true;
  const uint32_t before = m->rt->sched.spinning.fetch_sub_seq_cst(1);
  TRI_CHECK(before > 0);
}

bool take_next_p(M* m) {
  // ORDER-next-p-1: pairs with hand_p_to().
  P* p = m->next_p.exchange_acquire(nullptr);
  if (p == nullptr) return false;
  bind_p(m, p);
  m->spinning = m->next_spinning;
  return true;
}

namespace {

void push_idle_m_locked(RuntimeImpl* rt, M* m) {
  Scheduler& s = rt->sched;
  s.lock.assert_held();
  TRI_CHECK(!m->is_idle);
  m->link = s.idle_ms;
  s.idle_ms = m;
  m->is_idle = true;
  s.idle_m_count.fetch_add_seq_cst(1);
}

enum class Taken : uint8_t {
  kListed,  // wanted a P and there is none: still on the list
  kOff,     // off the list, by its own doing
  kGiven,   // somebody else took it off and is handing it a P
};

// Takes m off the idle list, with a P if `want_p`.
Taken take_off(M* m, bool want_p) {
  RuntimeImpl* rt = m->rt;
  base::LockGuard guard(rt->sched.lock);
  if (!m->is_idle) return Taken::kGiven;
  if (want_p) {
    P* p = acquire_idle_p_locked(rt);
    if (p == nullptr) return Taken::kListed;
    bind_p(m, p);
  }
  remove_idle_m_locked(rt, m);
  return Taken::kOff;
}

// Somebody who polls without waiting is done in a microsecond.
bool try_begin_poll_patiently(RuntimeImpl* rt) {
  for (int i = 0; i < 100; i++) {
    if (try_begin_poll(rt)) return true;
    base::cpu_relax();
  }
  return false;
}

enum class Sleep : uint8_t { kPark, kPoll };

// Chooses how this M sleeps and until when.
Sleep plan_sleep(M* m, uint64_t* until_ns) {
  RuntimeImpl* rt = m->rt;
  Scheduler& s = rt->sched;
  // ORDER-poll-hooks-1: pairs with install_poll_hooks().
  const netpoll::PollHooks* hooks = rt->poll.load_acquire();
  const bool may_poll = hooks != nullptr && hooks->has_waiters(hooks->ctx) &&
                        try_begin_poll_patiently(rt);
  base::LockGuard guard(s.lock);
  *until_ns = kNever;
  if (!m->is_idle) {  // a P is on its way
    if (may_poll) end_poll(rt);
    return Sleep::kPark;
  }
  if (s.timed_m == nullptr || s.timed_m == m) {
    do {  // until both agree: the race in sleep.cc
      *until_ns = next_timer_ns(rt);
      s.sleep_until.store_seq_cst(*until_ns);
    } while (next_timer_ns(rt) != *until_ns);
    s.timed_m = *until_ns == kNever ? nullptr : m;
  }
  if (!may_poll) return Sleep::kPark;
  TRI_ASSERT(s.poll_m == nullptr);
  const bool timed = s.timed_m == m;
  remove_idle_m_locked(rt, m);
  s.poll_m = m;
  s.idle_m_count.fetch_add_seq_cst(1);
  if (timed) {
    s.timed_m = m;
    s.sleep_until.store_seq_cst(*until_ns);
  }
  return Sleep::kPoll;
}

int64_t timeout_until(RuntimeImpl* rt, uint64_t until_ns) {
  if (until_ns == kNever) return -1;
  const uint64_t now = rt->clock.now_ns();
  return until_ns > now ? static_cast<int64_t>(until_ns - now) : 0;
}

void end_timed(M* m) {
  Scheduler& s = m->rt->sched;
  base::LockGuard guard(s.lock);
  if (s.timed_m != m) return;
  s.timed_m = nullptr;
  s.sleep_until.store_seq_cst(kNever);
}

// Waits in the poller. True if the M has a P now.
bool sleep_in_poller(M* m, uint64_t until_ns) {
  constexpr size_t kBatch = 64;
  RuntimeImpl* rt = m->rt;
  Scheduler& s = rt->sched;
  ParkedTask tasks[kBatch];
  const netpoll::PollHooks* hooks = rt->poll.load_acquire();
  // A leave() from now on wakes the poller: see wake_m().
  const int64_t timeout_ns = should_leave(m) ? 0 : timeout_until(rt, until_ns);
  const size_t n = hooks->poll(hooks->ctx, timeout_ns, tasks, kBatch);
  s.last_poll_ns.store_relaxed(rt->clock.now_ns());
  end_timed(m);
  const WakerScope waker(s);
  s.lock.lock();
  s.poll_m = nullptr;
  end_poll(rt);
  s.idle_m_count.fetch_sub_seq_cst(1);
  P* p = acquire_idle_p_locked(rt);
  if (p == nullptr) push_idle_m_locked(rt, m);
  s.lock.unlock();
  if (p != nullptr) bind_p(m, p);
  for (size_t i = 0; i < n; i++) ready_g(rt, p, g_of(tasks[i]), false);
  return p != nullptr;
}

// m, which slept until the next timer or has just fired one, sleeps no more:
// another sleeper takes the timers over.
void pass_on_timers(RuntimeImpl* rt) {
  Scheduler& s = rt->sched;
  if (s.sleep_until.load_relaxed() != kNever ||
      s.idle_m_count.load_relaxed() == 0 || next_timer_ns(rt) == kNever) {
    return;
  }
  s.lock.lock();
  const bool wanted = s.timed_m == nullptr;
  const bool polls = wanted && s.idle_ms == nullptr && s.poll_m != nullptr;
  if (wanted && s.idle_ms != nullptr) s.idle_ms->parker.unpark();
  s.lock.unlock();
  if (!polls) return;
  const netpoll::PollHooks* hooks = rt->poll.load_acquire();
  hooks->wake(hooks->ctx);
}

// The other half of the race in wake.cc, for an M on the idle list. True: it
// has a P.
bool look_once_more(M* m) {
  if (!any_work(m->rt) || take_off(m, /*want_p=*/true) != Taken::kOff) {
    return false;
  }
  m->spinning = true;
  m->rt->sched.spinning.fetch_add_seq_cst(1);
  return true;
}

// Tells of a deadlock; what is told may have made a task runnable.
bool told_of_deadlock(M* m) {
  RuntimeImpl* rt = m->rt;
  if (!watches_for_deadlock(rt) || !tell_if_deadlocked(m)) return false;
  rt->sched.lock.lock();
  push_idle_m_locked(rt, m);
  rt->sched.lock.unlock();
  return true;
}

// On the idle list, without a P. Returns with one, or when m has to leave.
void sleep_until_wanted(M* m) {
  RuntimeImpl* rt = m->rt;
  bool may_end = m->kind == MKind::kWorker;
  for (;;) {
    if (take_next_p(m)) return;
    if (should_leave(m) || m->no_wait) {
      if (take_off(m, /*want_p=*/false) == Taken::kOff) return;
      while (!take_next_p(m)) m->parker.park();
      return;
    }
    uint64_t until_ns;
    if (plan_sleep(m, &until_ns) == Sleep::kPoll) {
      if (sleep_in_poller(m, until_ns)) return;
      continue;
    }
    if (until_ns == kNever && told_of_deadlock(m)) {
      if (look_once_more(m)) return;
      continue;
    }
    if (until_ns == kNever) {
      // A worker that nobody has wanted for so long ends, if another is idle.
      const int64_t most_ns =
          may_end ? int64_t{rt->settings.debug.idle_ms} * 1'000'000 : -1;
      if (m->parker.park_for(most_ns)) continue;
      if (retire_worker(m)) return;
      may_end = false;  // the spare one sleeps until it is wanted
      continue;
    }
    m->parker.park_for(timeout_until(rt, until_ns));
    end_timed(m);
    const WakerScope waker(rt->sched);
    fire_timers(rt, nullptr, rt->clock.now_ns());
  }
}

void sleep_idle(M* m) {
  sleep_until_wanted(m);
  pass_on_timers(m->rt);
}

}  // namespace

void wake_m(RuntimeImpl* rt, M* m) {
  rt->sched.lock.lock();
  const bool polls = rt->sched.poll_m == m;
  rt->sched.lock.unlock();
  if (polls) {
    const netpoll::PollHooks* hooks = rt->poll.load_acquire();
    hooks->wake(hooks->ctx);
  } else {
    m->parker.unpark();
  }
}

void go_idle(M* m) {
  TRI_SCHED_POINT(go_idle);
  RuntimeImpl* rt = m->rt;
  Scheduler& s = rt->sched;
  P* p = m->p;
  s.lock.lock();
  if (s.global.count + s.spent.count > 0) {
    s.lock.unlock();
    return;
  }
  release_p_locked(rt, p);
  push_idle_m_locked(rt, m);
  s.lock.unlock();
  m->p = nullptr;
  notify_requester(rt);
  stop_spinning(m);
  if (look_once_more(m)) return;
  m->relied_on = false;  // what they had submitted is somebody else's, or gone
  sleep_idle(m);
}

void wait_for_p(M* m) {
  RuntimeImpl* rt = m->rt;
  TRI_ASSERT(m->p == nullptr);
  rt->sched.lock.lock();
  P* p = acquire_idle_p_locked(rt);
  if (p == nullptr) push_idle_m_locked(rt, m);
  rt->sched.lock.unlock();
  if (p == nullptr) {
    sleep_idle(m);
  } else {
    bind_p(m, p);
  }
}

}  // namespace tricolor::sched
