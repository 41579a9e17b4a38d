// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// The number of Ps, at run time (Runtime::set_max_procs). It changes while the
// world is stopped. The first max_procs of Scheduler::procs are in use. One
// that is dropped is in one of these places:
//
//   idle     dead at once
//   native   dead at once; whoever comes back from native code finds that its
//            P is gone and gets another one, or waits for one
//   stopped  its M is at a safepoint, maybe deep in a task, and goes on with
//            it: `dropped` and a preemption request make it release the P at
//            its next scheduling point (find_work). So is the caller's own.
//
// The last are counted (retiring); the caller waits for them in native code, so
// that when it returns at most max_procs tasks run. After Go's procresize,
// whose Ms leave their Ps when they stop; ours keep them, because a stop may be
// answered in the middle of an allocation or of a marker's turn.
//
// Rejected: no stop, with the idle list's lock alone. Then each reader of the
// number would have to be argued against each moment of a change.
//
// Who reads the number how:
// 1. A holder of a P: it is constant from one safepoint to the next (stealing,
//    shares, spinning, run's leave request), and idle_p_count is below it.
// 2. Under the scheduler's lock: the number and the idle list belong together.
// 3. An M that has given up its P and looks for work once more (any_work): it
//    has decremented `spinning` before it reads the number, both seq_cst. If it
//    reads the old one, a P made later is acquired after that, and who submits
//    work there finds nobody spinning and wakes somebody: the race in wake.cc.
// 4. Others (sysmon, statistics) may read an old one. Ps never go away, and
//    dead ones have empty queues.
//
// solo (run_queue.h) is on for the only P. Ms that still hold dropped Ps then
// read the number before they steal (1), so there are no thieves; and when they
// give up their P they sleep without one, so there is no one to wake for what
// the only P's holder puts.
//
// Collector: a dead P is to it what an idle one is: it takes part in stops and
// ragged barriers, which whoever asks runs for it. Its barrier buffer, mark
// stack and runs would be found there; the caller hands them over all the same,
// because nobody may need that P again.
#include <cerrno>

#include "base/check.h"
#include "base/futex.h"
#include "base/sched_point.h"
#include "sched/managed_call.h"
#include "sched/native_stack.h"
#include "sched/runtime.h"

namespace tricolor::sched {
namespace {

// To the global queue.
void take_queue_locked(RuntimeImpl* rt, P* p) {
  Scheduler& s = rt->sched;
  s.lock.assert_held();
  GList left;
  p->runq.drain(&left);
  s.global.append(&left);
  s.global_size.store_seq_cst(s.global.count);
}

void drop_stw(RuntimeImpl* rt, P* p) {
  p->dropped.store_relaxed(true);
  p->has_caches = true;
  p->runq.set_solo(false);
  const PState state = p_state(p);
  if (state == PState::kIdle) {
    unlink_idle_p_locked(rt, p);
    set_p_state(p, PState::kIdle, PState::kDead);
  } else if (state == PState::kStoppedNative) {
    if (!TRI_PLANTED(dropped_with_queue)) take_queue_locked(rt, p);
    p->curg.store_relaxed(nullptr);
    set_p_state(p, PState::kStoppedNative, PState::kDead, /*for_good=*/true);
  } else {
    TRI_ASSERT(state == PState::kStopped || state == PState::kRunning);
    // The holder sees it when it starts again.
    p->request.fetch_or_seq_cst(gc::kRequestPreempt);
    rt->sched.retiring.fetch_add_seq_cst(1);
  }
}

void revive_stw(RuntimeImpl* rt, P* p) {
  p->dropped.store_relaxed(false);
  if (p_state(p) != PState::kDead) {  // not yet released
    rt->sched.retiring.fetch_sub_seq_cst(1);
    base::futex_wake(&rt->sched.retiring, INT32_MAX);
    return;
  }
  p->request.fetch_and_seq_cst(~kPreemptBits);
  set_p_state(p, PState::kDead, PState::kIdle);
  push_idle_p_locked(rt, p);
}

// Makes Ps until there are `n`; returns how many there are.
uint32_t make_procs_stw(RuntimeImpl* rt, uint32_t n) {
  Scheduler& s = rt->sched;
  for (uint32_t i = s.max_procs.load_relaxed(); i < n; i++) {
    P* p = i < s.proc_count.load_relaxed() ? s.procs.data()[i] : nullptr;
    if (p == nullptr) {
      p = make_p(rt, /*attached=*/false);
      if (p == nullptr) return i;
      // As if it had been dropped before.
      p->dropped.store_relaxed(true);
      set_p_state(p, PState::kIdle, PState::kDead);
    }
    if (!rt->heap->mcache_prepare(p, i)) return i;
  }
  return n;
}

void set_number_stw(RuntimeImpl* rt, uint32_t n) {
  Scheduler& s = rt->sched;
  base::LockGuard guard(s.lock);
  const uint32_t old = s.max_procs.load_relaxed();
  for (uint32_t i = n; i < old; i++) drop_stw(rt, s.procs.data()[i]);
  for (uint32_t i = old; i < n; i++) revive_stw(rt, s.procs.data()[i]);
  s.procs.data()[0]->runq.set_solo(n == 1);
  // For good: dropped Ps are held for a while. No P is in a section now.
  if (n > 1 && s.company.load_relaxed() < kCrowd) {
    s.company.fetch_add_seq_cst(kCrowd);
  }
  s.max_procs.store_seq_cst(n);
}

// In native code of the caller: a dropped P whose M is in native code, too
// (maybe the caller's own), needs nobody to give it up.
void kill_native(RuntimeImpl* rt) {
  // ORDER-procs-1: pairs with make_p(): sees the elements.
  const uint32_t n = rt->sched.proc_count.load_acquire();
  for (uint32_t i = 0; i < n; i++) {
    P* p = rt->sched.procs.data()[i];
    const uint32_t word = p->status.load_seq_cst();
    if (!p->dropped.load_relaxed() || p_state_of(word) != PState::kNative ||
        !try_leave_native_p(p, word, PState::kRunning, /*for_good=*/true)) {
      continue;
    }
    // Held now, so a stop cannot end: `dropped` stays what it is. If that is
    // false, somebody grows again, and the P becomes idle.
    p->curg.store_relaxed(nullptr);
    release_p_with_work(rt, p);
  }
}

void poke_holders(RuntimeImpl* rt) {
  const uint32_t n = rt->sched.proc_count.load_acquire();
  for (uint32_t i = 0; i < n; i++) {
    P* p = rt->sched.procs.data()[i];
    if (p->dropped.load_relaxed() && p_state(p) == PState::kRunning) {
      request_and_poke(p, gc::kRequestPreempt);
    }
  }
}

// What dead Ps have to give back. The world lock keeps them dead.
void flush_dead(RuntimeImpl* rt) {
  const uint32_t n = rt->sched.proc_count.load_acquire();
  for (uint32_t i = 0; i < n; i++) {
    P* p = rt->sched.procs.data()[i];
    if (!p->dropped.load_relaxed()) continue;
    base::LockGuard guard(rt->world.lock);
    if (p_state(p) != PState::kDead || !p->has_caches) continue;
    p->has_caches = false;
    rt->collector->proc_flush(p);
    rt->gs.put_all(p);
    p->stack_cache.flush(&rt->stacks);
  }
}

// In native code: until those who hold dropped Ps have come to a scheduling
// point. Of several callers at once each waits for all.
void wait_for_holders(RuntimeImpl* rt) {
  constexpr int64_t kRecheckNs = 500'000;
  Scheduler& s = rt->sched;
  for (;;) {
    kill_native(rt);
    const uint32_t left = s.retiring.load_seq_cst();
    if (left == 0) break;
    if (base::futex_wait(&s.retiring, left, kRecheckNs) == ETIMEDOUT) {
      poke_holders(rt);
    }
  }
  flush_dead(rt);
}

}  // namespace

bool init_procs(RuntimeImpl* rt, uint32_t n) {
  for (uint32_t i = 0; i < n; i++) {
    P* p = make_p(rt, /*attached=*/false);
    if (p == nullptr) return false;
    // A P that allocates nothing yet has to find room later, too.
    if (!rt->heap->mcache_prepare(p, i)) {
      if (i > 0) rt->settings.max_procs = i;
      return false;
    }
    p->runq.set_solo(n == 1);
    base::LockGuard guard(rt->sched.lock);
    push_idle_p_locked(rt, p);
  }
  if (n == 1 && rt->membarrier) rt->sched.company.store_relaxed(0);
  return true;
}

uint32_t resize(Mutator& mu, uint32_t n) {
  TRI_SCHED_POINT(resize);
  RuntimeImpl* rt = impl_of(mu);
  gc::StopTimes times{};
  stop_world(mu, &times);
  const uint32_t old = rt->sched.max_procs.load_relaxed();
  if (n > old) n = make_procs_stw(rt, n);
  if (n != old) {
    set_number_stw(rt, n);
    rt->gs.set_procs_stw(n);
    rt->collector->set_procs_stw(n);
  }
  start_world(mu);
  if (n < old) {
    G* g = g_of(&mu);
    with_frames(g, [rt, g] {
      enter_native_current(g);
      wait_for_holders(rt);
      leave_native_current(g);
    });
  }
  return old;
}

}  // namespace tricolor::sched

namespace tricolor {

uint32_t Runtime::set_max_procs(uint32_t n) {
  constexpr const char* kCall = "Runtime::set_max_procs";
  if (n > sched::kMaxProcs) {
    TRI_MISUSE(kCall, "%u Ps, at most %u", n, sched::kMaxProcs);
  }
  if (n == 0 || n == max_procs()) return max_procs();
  uint32_t old = 0;
  const bool ok = sched::call_managed(
      *this, kCall, [&](Mutator& mu) { old = sched::resize(mu, n); });
  if (!ok) {
    TRI_MISUSE(kCall,
               "the calling thread cannot be attached: no memory, or as many "
               "tasks and threads as Options::max_tasks exist");
  }
  return old;
}

}  // namespace tricolor
