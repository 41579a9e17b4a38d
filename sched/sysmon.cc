// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Sysmon, see sched/sysmon.h.
#include "sched/sysmon.h"

#include "base/check.h"
#include "base/sched_point.h"
#include "sched/runtime.h"
#include "sched/thread.h"

namespace tricolor::sched {
namespace {

constexpr uint64_t kLeastTickNs = 20'000;
// Ticks in vain before they get longer; and while Ps are idle, who find by
// themselves what a P in native code leaves lying.
constexpr uint32_t kPatience = 50;
constexpr uint32_t kPatienceWithIdle = 8;
constexpr int64_t kLookNs = 1'000'000'000;  // while threads are attached
constexpr int kTrims = 3;  // two to see what is not wanted, one to begin with

// Also for a collector that nobody has time for: between two tasks the P does
// its share.
bool work_waits(RuntimeImpl* rt, P* p) {
  return p->runq.size() > 0 || queued_globally(rt->sched) > 0 ||
         rt->collector->has_work();
}

// The P's M has been in native code for a whole tick. It is taken when others
// wait for it; after a slice in any case, so that sysmon may go to sleep while
// a call lasts for hours. Work that an idle P can have is none to take it for.
bool retake(RuntimeImpl* rt, P* p, uint32_t word, bool long_ago) {
  const Scheduler& s = rt->sched;
  const bool wanted = work_waits(rt, p);
  if (!long_ago) {
    const bool others =
        s.idle_p_count.load_relaxed() > 0 || s.spinning.load_relaxed() > 0;
    if (!wanted || (p->runq.size() == 0 && others)) return false;
  }
  if (!try_leave_native_p(p, word, PState::kRunning, /*for_good=*/true)) {
    return false;
  }
  hand_on(rt, p, wanted);
  return true;
}

// Looks whether p has been at the same thing for a whole tick, or slice. True:
// it has been taken away, or asked for.
bool watch(RuntimeImpl* rt, P* p, uint64_t now_ns) {
  uint32_t word = p->status.load_acquire();
  // A stop is no end of a time slice: where cycles follow each other closely a
  // task would else have as many as there are.
  if (p_state_of(word) == PState::kStopped) {
    word = with_p_state(word, PState::kRunning);
  } else if (p_state_of(word) == PState::kStoppedNative) {
    word = with_p_state(word, PState::kNative);
  }
  const uint32_t tick = p->tick.load_relaxed();
  if (word != p->seen_word || tick != p->seen_tick) {
    p->seen_word = word;
    p->seen_tick = tick;
    p->seen_since_ns = now_ns;
    return false;
  }
  const bool long_ago = now_ns - p->seen_since_ns >= kSliceNs;
  if (p_state_of(word) == PState::kNative) {
    return retake(rt, p, word, long_ago);
  }
  if (p_state_of(word) != PState::kRunning || !long_ago || !work_waits(rt, p)) {
    return false;
  }
  TRI_SCHED_POINT(sysmon_preempt);
  p->seen_since_ns = now_ns;
  request_and_poke(p, kPreemptBits);
  signal_p(p);
  return true;
}

void poll_if_late(RuntimeImpl* rt, uint64_t now_ns) {
  constexpr size_t kBatch = 64;
  Scheduler& s = rt->sched;
  // ORDER-poll-hooks-1: pairs with install_poll_hooks().
  const netpoll::PollHooks* hooks = rt->poll.load_acquire();
  if (hooks == nullptr || !hooks->has_waiters(hooks->ctx)) return;
  if (now_ns - s.last_poll_ns.load_relaxed() < kSliceNs) return;
  if (!try_begin_poll(rt)) return;
  const WakerScope waker(s);
  ParkedTask tasks[kBatch];
  const size_t n = hooks->poll(hooks->ctx, 0, tasks, kBatch);
  s.last_poll_ns.store_relaxed(now_ns);
  end_poll(rt);
  for (size_t i = 0; i < n; i++) ready_g(rt, nullptr, g_of(tasks[i]), false);
}

// Where nobody runs there is nobody to spare.
void give_memory_back(RuntimeImpl* rt) {
  constexpr size_t kMost = size_t{4} << 20;
  const size_t surplus = rt->heap->surplus_bytes();
  if (surplus == 0) return;
  const Scheduler& s = rt->sched;
  const uint32_t idle = s.idle_p_count.load_relaxed();
  const uint32_t procs = s.max_procs.load_relaxed();
  const uint32_t running =
      (idle < procs ? procs - idle : 0) + rt->attached_threads.load_relaxed();
  if (running != 0) {
    rt->heap->scavenge_paced(rt->clock, running);
  } else {
    rt->heap->scavenge(surplus < kMost ? surplus : kMost);
  }
}

// A piece of the work; first of the marker's stack, then of tasks' stacks, then
// of Gs. False: that was the last.
bool trim_some(RuntimeImpl* rt) {
  Sysmon& sysmon = rt->sysmon;
  if (rt->collector->trim_marker()) return true;
  if (!sysmon.stacks_trimmed) {
    sysmon.stacks_trimmed = !rt->stacks.trim();
    return true;
  }
  if (rt->gs.trim()) return true;
  sysmon.stacks_trimmed = false;
  return false;
}

// A few free Gs and stacks of an idle P would keep as many blocks of them.
void empty_idle_ps(RuntimeImpl* rt) {
  base::LockGuard guard(rt->sched.lock);
  for (P* p = rt->sched.idle_ps; p != nullptr; p = p->link) {
    rt->gs.put_all(p);
    p->stack_cache.flush(&rt->stacks);
  }
  rt->gs.empty_depot();
}

// Free stacks and Gs that are not wanted from one look to the next but one,
// some seconds later, give their memory back. Sysmon stays up for two such
// looks after the last P went idle, and then sleeps.
void trim_tasks(RuntimeImpl* rt, uint64_t now_ns) {
  Sysmon& sysmon = rt->sysmon;
  if (now_ns < sysmon.next_trim_ns) return;
  constexpr int kPieces = 16;  // at most 2 ms together
  if (!sysmon.trims_on) empty_idle_ps(rt);
  sysmon.trims_on = true;
  for (int i = 0; i < kPieces && sysmon.trims_on; i++) {
    sysmon.trims_on = trim_some(rt);
  }
  if (sysmon.trims_on) return;  // the rest in the next slow look
  sysmon.next_trim_ns =
      now_ns + uint64_t{rt->settings.debug.idle_ms} * 1'000'000;
  if (sysmon.trims_left > 0) sysmon.trims_left--;
}

// What need not be done more often than once in a slice.
void do_slow_duties(RuntimeImpl* rt, uint64_t now_ns) {
  Sysmon& sysmon = rt->sysmon;
  if (now_ns < sysmon.next_slow_ns) return;
  sysmon.next_slow_ns = now_ns + kSliceNs;
  poll_if_late(rt, now_ns);
  give_memory_back(rt);
  trim_tasks(rt, now_ns);
  // Again and again: a P of an attached thread does no collector work when it
  // is idle, and nobody may have been awake to do it.
  rt->collector->request_periodic(now_ns);
  if (rt->collector->has_work()) wake_p(rt);
  const uint32_t trace_ms = rt->settings.debug.schedtrace_ms;
  if (trace_ms != 0 && now_ns >= sysmon.next_trace_ns) {
    sysmon.next_trace_ns = now_ns + uint64_t{trace_ms} * 1'000'000;
    print_schedtrace(rt);
  }
}

// True: somebody was taken a P, or asked for it.
bool look(RuntimeImpl* rt) {
  TRI_SCHED_POINT(sysmon_look);
  const uint64_t now_ns = rt->clock.now_ns();
  bool did = false;
  if (rt->sched.idle_p_count.load_relaxed() <
      rt->sched.max_procs.load_relaxed()) {
    rt->sysmon.trims_left = kTrims;
  }
  // Whatever is dropped or made meanwhile is seen the next time.
  const uint32_t n = rt->sched.max_procs.load_acquire();
  for (uint32_t i = 0; i < n; i++) {
    did = watch(rt, rt->sched.procs.data()[i], now_ns) || did;
  }
  // Behind that: who comes because it is his turn (spent_is_due) must not find
  // a preemption that was meant for those before him.
  rt->sched.coarse_ms.store_relaxed(static_cast<uint32_t>(now_ns / 1'000'000));
  if (next_timer_ns(rt) <= now_ns) {
    const WakerScope waker(rt->sched);
    fire_timers(rt, nullptr, now_ns);
  }
  do_slow_duties(rt, now_ns);
  return did;
}

// Nothing to watch: until the next P is acquired, or a cycle is due for its
// age. With schedtrace never. True: it has slept.
bool sleep_while_idle(RuntimeImpl* rt) {
  Sysmon& sysmon = rt->sysmon;
  Scheduler& s = rt->sched;
  if (rt->settings.debug.schedtrace_ms != 0 || sysmon.trims_on) return false;
  s.lock.lock();
  // Attached threads have Ps of their own, which look for no work when idle;
  // and of two Ps that go idle together each may leave the rest to the other.
  const bool heap_rests =
      rt->collector->is_idle() && rt->heap->surplus_bytes() == 0;
  const bool idle =
      s.idle_p_count.load_relaxed() == s.max_procs.load_relaxed() && heap_rests;
  // Relaxed: written and read under the lock, but for shutdown's unpark.
  if (idle) sysmon.sleeps.store_relaxed(true);
  s.lock.unlock();
  // Somebody may have seen us as a waker that then found nothing to wake.
  if (idle) look_for_deadlock(rt);
  while (idle && sysmon.sleeps.load_relaxed() && !sysmon.stop.load_acquire()) {
    int64_t left = rt->collector->until_periodic(rt->clock.now_ns());
    // They free and collect without a word to us.
    const bool others = rt->attached_threads.load_relaxed() != 0;
    if (others && (left < 0 || left > kLookNs)) left = kLookNs;
    if (sysmon.trims_left > 0) {
      const int64_t most = int64_t{rt->settings.debug.idle_ms} * 1'000'000 + 1;
      if (left < 0 || left > most) left = most;
    }
    if (left != 0) sysmon.parker.park_for(left);
    // Somebody has run, and may be idle again by the time of the next look.
    if (!sysmon.sleeps.load_relaxed()) sysmon.trims_left = kTrims;
    // Up again for a trim.
    const bool trims = sysmon.trims_left > 0;
    if (left == 0 || others || trims) sysmon.sleeps.store_relaxed(false);
  }
  return idle;
}

uint32_t patience(const RuntimeImpl* rt) {
  return rt->sched.idle_p_count.load_relaxed() > 0 ? kPatienceWithIdle
                                                   : kPatience;
}

void* sysmon_main(void* arg) {
  auto* rt = static_cast<RuntimeImpl*>(arg);
  Sysmon& sysmon = rt->sysmon;
  uint64_t tick_ns = kLeastTickNs;
  uint32_t in_vain = 0;
  // ORDER-sysmon-stop-1: pairs with stop_sysmon().
  while (!sysmon.stop.load_acquire()) {
    if (sleep_while_idle(rt)) {
      in_vain = 0;
      tick_ns = kLeastTickNs;
    }
    sysmon.parker.park_for(static_cast<int64_t>(tick_ns));
    if (look(rt)) {
      in_vain = 0;
      tick_ns = kLeastTickNs;
    } else if (++in_vain > patience(rt) && tick_ns < kSliceNs) {
      tick_ns = 2 * tick_ns < kSliceNs ? 2 * tick_ns : kSliceNs;
    }
  }
  end_thread(rt);
  return nullptr;
}

}  // namespace

void ensure_sysmon(RuntimeImpl* rt) {
  Sysmon& sysmon = rt->sysmon;
  if (sysmon.started.load_relaxed() != 0) return;
  const int limit = rt->sched.thread_limit;
  // A single thread is better spent on running tasks.
  if (limit == 0 || limit == 1) return;
  if (sysmon.started.exchange_acq_rel(1) != 0) return;
  if (!reserve_thread(rt)) {
    sysmon.started.store_relaxed(0);  // another time
  } else if (start_thread(&sysmon.thread, sysmon_main, rt, "tricolor-mon")) {
    sysmon.running = true;
  } else {
    end_thread(rt);
    sysmon.started.store_relaxed(0);
  }
}

void stop_sysmon(RuntimeImpl* rt) {
  // ORDER-sysmon-stop-1: pairs with sysmon_main().
  rt->sysmon.stop.store_release(true);
  rt->sysmon.parker.unpark();
}

void wake_sysmon_locked(RuntimeImpl* rt) {
  rt->sched.lock.assert_held();
  rt->sysmon.sleeps.store_relaxed(false);
  rt->sysmon.parker.unpark();
}

// Under the lock: sysmon has either seen what it is woken for, or said before
// that it sleeps.
void wake_sysmon(RuntimeImpl* rt) {
  base::LockGuard guard(rt->sched.lock);
  wake_sysmon_locked(rt);
}

}  // namespace tricolor::sched
