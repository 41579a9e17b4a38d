// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Deadlocks: main waits inside run(), and nothing is left that could make a
// task runnable. Looked for, if the embedder wants to hear of it, at the places
// where the last one that could goes away: an M that goes to sleep without a
// deadline, a thread that leaves run() or detaches.
//
// All that may still wake a task:
//   a P that somebody holds     idle_p_count < max_procs, retiring
//   an M that is not asleep     one in native code without a P, one under way
//                               between two lists: idle_m_count < all Ms
//   a timer, a poll descriptor  asked for
//   an attached thread          whatever it does, even if it waits
//   a thread of ours that works for a task, or has just taken one from where
//                               it waited: wakers
//   a thread that will attach   nobody knows of. Hence no default: what would
//                               end a program of whose threads one attaches
//                               when it has something to say is no default.
//
// One deadlock is told once: not again before some task has run (the sum of
// all Ps' ticks, which each dispatch of a G from a queue adds to).
#include "base/check.h"
#include "base/futex.h"
#include "base/sched_point.h"
#include "sched/runtime.h"
#include "tricolor/dump.h"

namespace tricolor::sched {
namespace {

bool is_poll_awaited(RuntimeImpl* rt) {
  // ORDER-poll-hooks-1: pairs with install_poll_hooks().
  const netpoll::PollHooks* hooks = rt->poll.load_acquire();
  return hooks != nullptr && hooks->has_waiters(hooks->ctx);
}

// Some thread inside run() waits for a main that has not ended.
bool main_waits_locked(Scheduler& s) {
  s.lock.assert_held();
  if (s.locked_runners > 0) return true;
  for (M* m = s.idle_ms; m != nullptr; m = m->link) {
    // ORDER-leave-1: pairs with finish_main().
    if (m->kind == MKind::kRunner && !m->leave.load_acquire()) return true;
  }
  return false;
}

uint64_t dispatches(RuntimeImpl* rt) {
  uint64_t sum = 0;
  const uint32_t n = rt->sched.proc_count.load_relaxed();
  for (uint32_t i = 0; i < n; i++) {
    sum += rt->sched.procs.data()[i]->tick.load_relaxed();
  }
  return sum;
}

bool is_deadlock_locked(RuntimeImpl* rt) {
  Scheduler& s = rt->sched;
  s.lock.assert_held();
  // Wakers last: who has taken the last timer away was one before, and is one
  // until the task is queued, which takes the lock.
  return !s.shutdown.load_relaxed() && s.global.count + s.spent.count == 0 &&
         s.idle_p_count.load_relaxed() == s.max_procs.load_relaxed() &&
         s.retiring.load_relaxed() == 0 &&
         s.idle_m_count.load_relaxed() + s.locked_waiting ==
             s.worker_count + s.runners &&
         rt->attached_threads.load_acquire() == 0 && main_waits_locked(s) &&
         next_timer_ns(rt) == kNever && s.poll_m == nullptr &&
         !is_poll_awaited(rt) && s.wakers.load_seq_cst() == 0;
}

// Under the lock: whether it is to be told now.
bool is_new_deadlock_locked(RuntimeImpl* rt) {
  Scheduler& s = rt->sched;
  s.lock.assert_held();
  if (!is_deadlock_locked(rt)) return false;
  const uint64_t now = dispatches(rt) + 1;
  if (s.deadlock_told == now) return false;
  s.deadlock_told = now;
  return true;
}

void call_back(RuntimeImpl* rt) {
  const Options& o = rt->settings.options;
  if (o.on_deadlock != nullptr) {
    o.on_deadlock(*api_of(rt), o.on_deadlock_ctx);
  } else if (rt->settings.debug.deadlock >= 2) {
    abort_at_deadlock(*api_of(rt), nullptr);
  } else {
    base::FatalSink(2).print("tricolor: all tasks wait: deadlock\n");
    dump_tasks(*api_of(rt));
  }
}

// Main may be awake, and the runtime's end be wanted, before the callback has
// returned, and detached.
void tell(RuntimeImpl* rt) {
  base::Atomic<uint32_t>& telling = rt->sched.telling;
  telling.fetch_add_relaxed(1);
  call_back(rt);
  // ORDER-telling-1: pairs with wait_for_tellers(): it has detached.
  if (telling.fetch_sub_release(1) == 1) base::futex_wake(&telling, INT32_MAX);
}

}  // namespace

void wait_for_tellers(RuntimeImpl* rt) {
  constexpr int64_t kRecheckNs = 10'000'000;
  for (;;) {
    // ORDER-telling-1: pairs with tell().
    const uint32_t n = rt->sched.telling.load_acquire();
    if (n == 0) return;
    base::futex_wait(&rt->sched.telling, n, kRecheckNs);
  }
}

void look_for_deadlock(RuntimeImpl* rt) {
  if (!watches_for_deadlock(rt)) return;
  rt->sched.lock.lock();
  const bool told = is_new_deadlock_locked(rt);
  rt->sched.lock.unlock();
  if (told) tell(rt);
}

bool tell_if_deadlocked(M* m) {
  TRI_SCHED_POINT(deadlock);
  RuntimeImpl* rt = m->rt;
  Scheduler& s = rt->sched;
  s.lock.lock();
  const bool told = m->is_idle && is_new_deadlock_locked(rt);
  // Not to be given a P while it is in the callback.
  if (told) remove_idle_m_locked(rt, m);
  s.lock.unlock();
  if (told) tell(rt);
  return told;
}

}  // namespace tricolor::sched
