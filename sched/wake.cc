// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Submitting work and waking somebody for it.
//
// The race: somebody submits work while the last M that was looking for some
// gives up. Both sides write, then read what the other has written; all four
// accesses are seq_cst, so at least one of them sees the other:
//
//   submitter                             M that gives up
//   1. puts the G into a queue            1. Scheduler::spinning -= 1
//   2. wake_p: reads spinning; 0: wakes   2. looks at all queues; finds: goes
//   on
//
// If 2 (left) reads a value from before 1 (right), then 2 (right) comes after
// 1 (left) and finds the G. Likewise for Ps: the M that gives up has put its P
// on the idle list and itself on the idle list before its 1, so a submitter
// that has to wake finds both. The first access (left) is the exchange of
// put_next() or put_fresh(), a put() and the fence behind it, or the unlocking
// of the scheduler's lock followed by the store to global_size.
#include "base/check.h"
#include "base/sched_point.h"
#include "sched/quick.h"
#include "sched/runtime.h"

namespace tricolor::sched {

namespace {

// Whether an M could be had at all; keeps spawn cheap where no thread may be
// started.
bool can_wake(const Scheduler& s) {
  if (s.idle_m_count.load_seq_cst() > 0) return true;
  return s.thread_limit < 0 ||
         s.threads.load_relaxed() < static_cast<uint32_t>(s.thread_limit);
}

}  // namespace

void push_global(RuntimeImpl* rt, GList* list) {
  Scheduler& s = rt->sched;
  base::LockGuard guard(s.lock);
  s.global.append(list);
  // Seq_cst: the store half of the race above.
  s.global_size.store_seq_cst(s.global.count);
}

void submit_spent(P* p, G* g) {
  TRI_SCHED_POINT(submit_spent);
  RuntimeImpl* rt = p->rt;
  Scheduler& s = rt->sched;
  {
    base::LockGuard guard(s.lock);
    if (s.spent.count == 0) begin_turn(s, p, /*behind_one=*/false);
    s.spent.push_back(g);
    // Seq_cst: the store half of the race above.
    s.spent_size.store_seq_cst(s.spent.count);
  }
  wake_p(rt);
}

G* take_spent(RuntimeImpl* rt) {
  Scheduler& s = rt->sched;
  if (s.spent_size.load_relaxed() == 0) return nullptr;
  base::LockGuard guard(s.lock);
  G* g = s.spent.pop_front();
  s.spent_size.store_seq_cst(s.spent.count);
  return g;
}

void submit_global(RuntimeImpl* rt, GList* list) {
  TRI_SCHED_POINT(submit_global);
  if (list->head == nullptr) return;
  push_global(rt, list);
  wake_p(rt);
}

void demote(P* p) {
  GList overflow;
  if (!p->runq.demote(&overflow)) submit_global(p->rt, &overflow);
}

void submit_local(P* p, G* g, bool next) { submit_quick(p, g, next); }

void submit(RuntimeImpl* rt, P* p, G* g, bool next) {
  if (p != nullptr && !p->attached) {
    submit_quick(p, g, next);
    return;
  }
  GList one;
  one.push_back(g);
  submit_global(rt, &one);
}

GList take_global(RuntimeImpl* rt, uint32_t max) {
  GList taken;
  Scheduler& s = rt->sched;
  if (s.global_size.load_relaxed() == 0) return taken;
  base::LockGuard guard(s.lock);
  while (taken.count < max) {
    G* g = s.global.pop_front();
    if (g == nullptr) break;
    taken.push_back(g);
  }
  s.global_size.store_seq_cst(s.global.count);
  return taken;
}

bool lacks_waiter(RuntimeImpl* rt) {
  Scheduler& s = rt->sched;
  // ORDER-poll-hooks-1: pairs with install_poll_hooks().
  const netpoll::PollHooks* hooks = rt->poll.load_acquire();
  const bool descriptors = hooks != nullptr && hooks->has_waiters(hooks->ctx);
  if (!descriptors && next_timer_ns(rt) == kNever) return false;
  base::LockGuard guard(s.lock);
  return (descriptors && s.poll_m == nullptr) ||
         (s.timed_m == nullptr && next_timer_ns(rt) != kNever);
}

// Of a long native call, say. kRunning all the time: a stop waits for whoever
// will hold it, and kIdle would say that it is on the idle list.
void hand_on(RuntimeImpl* rt, P* p, bool wanted) {
  Scheduler& s = rt->sched;
  wanted = wanted || lacks_waiter(rt);
  p->curg.store_relaxed(nullptr);
  M* m = nullptr;
  if (wanted) {
    s.lock.lock();
    m = pop_idle_m_locked(rt);
    s.lock.unlock();
  }
  if (m != nullptr) {
    hand_p_to(m, p, /*spinning=*/false);
  } else if (!wanted || !start_worker(rt, p, /*spinning=*/false)) {
    release_p_with_work(rt, p);
  }
}

void wake_p(RuntimeImpl* rt) {
  TRI_SCHED_POINT(wake_p);
  Scheduler& s = rt->sched;
  if (s.idle_p_count.load_seq_cst() == 0) return;
  uint32_t none = 0;
  if (s.spinning.load_seq_cst() != 0 || !can_wake(s) ||
      !s.spinning.compare_exchange_strong_seq_cst(none, 1)) {
    return;
  }
  // From here on there is one spinning M on the books: the one to be woken.
  s.lock.lock();
  P* p = acquire_idle_p_locked(rt);
  M* m = p == nullptr ? nullptr : pop_idle_m_locked(rt);
  const bool wake_poller = p != nullptr && m == nullptr && s.poll_m != nullptr;
  if (wake_poller) release_p_locked(rt, p);  // it gets a P when it comes back
  // No idle P: those that are busy look when they are done; or the world is
  // stopping: start() looks for work. Under the lock, so that whoever next
  // makes a P idle, or ends the stop, does not find us on the books.
  if (p == nullptr || wake_poller) s.spinning.fetch_sub_seq_cst(1);
  s.lock.unlock();
  if (m != nullptr) {
    hand_p_to(m, p, /*spinning=*/true);
  } else if (p == nullptr || wake_poller) {
    // ORDER-poll-hooks-1: pairs with install_poll_hooks().
    if (wake_poller)
      rt->poll.load_acquire()->wake(rt->poll.load_acquire()->ctx);
  } else if (!start_worker(rt, p, /*spinning=*/true)) {
    s.lock.lock();
    release_p_locked(rt, p);
    s.spinning.fetch_sub_seq_cst(1);
    const bool somebody = s.idle_ms != nullptr || s.poll_m != nullptr;
    s.lock.unlock();
    notify_requester(rt);
    // Meanwhile an M may have gone to sleep for want of this P.
    if (somebody && any_work(rt)) wake_p(rt);
  }
}

bool any_work(RuntimeImpl* rt) {
  Scheduler& s = rt->sched;
  if (s.global_size.load_seq_cst() > 0 || s.spent_size.load_seq_cst() > 0) {
    return true;
  }
  const uint32_t n = s.max_procs.load_seq_cst();  // see resize.cc
  for (uint32_t i = 0; i < n; i++) {
    if (!s.procs.data()[i]->runq.looks_empty()) return true;
  }
  const uint64_t timer_ns = next_timer_ns(rt);
  if (timer_ns != kNever && timer_ns <= rt->clock.now_ns()) return true;
  return rt->collector->has_idle_work();
}

}  // namespace tricolor::sched
