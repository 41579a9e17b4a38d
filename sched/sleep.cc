// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Arming and firing timers, who wakes up for them, and sleep_ns.
//
// The race: a timer earlier than all others is added while an M goes to sleep
// until the next one. All four accesses are seq_cst, so one side sees the
// other:
//
//   who adds                              who sleeps (plan_sleep)
//   1. TimerHeap::next_ns = when          1. sleep_until = least next_ns
//   2. reads sleep_until; later: wakes    2. reads all next_ns again;
//      the sleeper, or some M                differs: starts over
#include "base/check.h"
#include "base/sched_point.h"
#include "sched/runtime.h"

namespace tricolor::sched {
namespace {

constexpr size_t kFireBatch = 64;

void wake_for_timer(RuntimeImpl* rt, uint64_t when_ns) {
  Scheduler& s = rt->sched;
  if (when_ns >= s.sleep_until.load_seq_cst()) return;
  s.lock.lock();
  M* m = s.timed_m;
  s.lock.unlock();
  if (m != nullptr) {
    wake_m(rt, m);
  } else {
    wake_p(rt);  // an idle M, if there is one, becomes the one that sleeps
  }
}

// Also of those that set_max_procs has dropped, whose timers stay with them.
template <class F>
void for_each_proc(RuntimeImpl* rt, F&& f) {
  // ORDER-procs-1: pairs with make_p(): sees the elements.
  const uint32_t n = rt->sched.proc_count.load_acquire();
  for (uint32_t i = 0; i < n; i++) f(rt->sched.procs.data()[i]);
}

// At most a batch.
bool fire_due(RuntimeImpl* rt, P* p, TimerHeap* heap, uint64_t now_ns) {
  DueTimer due[kFireBatch];
  const size_t n = heap->take_due(now_ns, kFireBatch, due);
  for (size_t i = 0; i < n; i++) due[i].fire(rt, p, due[i].timer, due[i].arg);
  return n > 0;
}

}  // namespace

void arm_timer(RuntimeImpl* rt, P* p, Timer* timer, uint64_t when_ns,
               uint64_t arg) {
  if (p == nullptr || p->attached) p = rt->sched.procs.data()[0];
  const TimerHeap::Armed armed = p->timers.arm(timer, when_ns, arg);
  if (armed == TimerHeap::Armed::kNoMemory) TRI_NO_MEMORY("a P's timers");
  // In a heap whose first it is not, somebody wakes up earlier anyway.
  if (armed == TimerHeap::Armed::kEarliest) wake_for_timer(rt, when_ns);
}

bool fire_own_timers(RuntimeImpl* rt, P* p, uint64_t now_ns) {
  return fire_due(rt, p, &p->timers, now_ns);
}

bool fire_timers(RuntimeImpl* rt, P* p, uint64_t now_ns) {
  bool any = false;
  for_each_proc(
      rt, [&](P* other) { any |= fire_due(rt, p, &other->timers, now_ns); });
  return any;
}

uint64_t next_timer_ns(RuntimeImpl* rt) {
  uint64_t next_ns = kNever;
  for_each_proc(rt, [&](P* p) {
    const uint64_t ns = p->timers.next_ns();
    if (ns < next_ns) next_ns = ns;
  });
  return next_ns;
}

}  // namespace tricolor::sched

namespace tricolor {

WaitResult sleep_until(Mutator& mu, Deadline deadline) {
  sched::check_may_wait(&mu, "sleep");
  sched::Wait wait;
  wait.deadline_ns = deadline.at_ns;
  wait.reason = sched::WaitReason::kSleep;
  const WaitResult result = sched::wait_current(mu, wait);
  return result == WaitResult::kTimeout ? WaitResult::kOk : result;
}

WaitResult sleep_ns(Mutator& mu, uint64_t ns) {
  return sleep_until(mu, Deadline::in(ns));
}

}  // namespace tricolor
