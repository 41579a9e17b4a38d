// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Timer and send_at, see tricolor/timer.h.
//
// stop() against firing: the timer is taken out of its heap and counted in
// `firing` under the heap's lock. So stop(), which fails to take it out, sees
// the count, and waits until it is zero; the last access of who fires is the
// decrement. What the function itself starts is armed when it has returned,
// before that. A batch ends with the first timer of this kind (take_due), so
// that a function can stop any other that is due at the same time.
#include "tricolor/timer.h"

#include <new>

#include "base/check.h"
#include "base/futex.h"
#include "base/sched_point.h"
#include "sched/channel.h"
#include "sched/company.h"
#include "sched/runtime.h"
#include "tricolor/global.h"

namespace tricolor {

using sched::P;

struct TimerAccess {
  static sched::Timer* rep(Timer* timer) {
    return reinterpret_cast<sched::Timer*>(timer->rep_);
  }

  static void fire(RuntimeImpl* rt, P* p, sched::Timer* rep, uint64_t arg) {
    TRI_SCHED_POINT(timer_fire);
    auto* timer = reinterpret_cast<Timer*>(arg);
    timer->again_ = Deadline::never();
    __atomic_store_n(&timer->thread_, TRI_THIS_THREAD(), __ATOMIC_RELAXED);
    timer->function_(timer->ctx_);
    __atomic_store_n(&timer->thread_, nullptr, __ATOMIC_RELAXED);
    if (timer->again_.at_ns != Deadline::kNever) {
      sched::arm_timer(rt, p, rep, timer->again_.at_ns, arg);
    }
    // ORDER-timer-fired-1: pairs with await(): publishes what the function did.
    // The timer may be gone behind this; waking an address that nobody waits on
    // does nothing.
    rep->firing.fetch_sub_release(1);
    base::futex_wake(&rep->firing, 1 << 30);
  }

  // Relaxed: only this thread itself writes its own address there.
  static bool is_inside(Timer* timer) {
    return __atomic_load_n(&timer->thread_, __ATOMIC_RELAXED) ==
           TRI_THIS_THREAD();
  }

  // Takes the timer out, and waits until the function does not run, which may
  // start it again. True: it was in a heap.
  static bool stop(Timer* timer) {
    sched::Timer* rep = TimerAccess::rep(timer);
    bool was_armed = false;
    for (;;) {
      was_armed |= sched::TimerHeap::disarm(rep);
      // ORDER-timer-fired-1: pairs with fire().
      const uint32_t firing = rep->firing.load_acquire();
      if (firing == 0 && rep->heap.load_acquire() == nullptr) return was_armed;
      if (TRI_PLANTED(stop_does_not_wait)) return was_armed;
      if (firing != 0) base::futex_wait(&rep->firing, firing, -1);
    }
  }
};
static_assert(sizeof(sched::Timer) <= 40);

Timer::Timer(Runtime& rt, Function function, void* ctx)
    : rt_(&rt), function_(function), ctx_(ctx) {
  if (function == nullptr) TRI_MISUSE("Timer", "the function is null");
  auto* rep = ::new (static_cast<void*>(rep_)) sched::Timer();
  rep->fire = TimerAccess::fire;
  rep->tracked = true;
}

Timer::~Timer() {
  if (TimerAccess::is_inside(this)) {
    TRI_MISUSE("~Timer", "called inside the timer's own function");
  }
  TimerAccess::stop(this);
}

void Timer::start_on(void* p, Deadline when) {
  if (TimerAccess::is_inside(this)) {
    again_ = when;
    return;
  }
  TimerAccess::stop(this);
  if (when.at_ns == Deadline::kNever) return;
  sched::ensure_sysmon(impl_of(*rt_));
  sched::arm_timer(impl_of(*rt_), static_cast<P*>(p), TimerAccess::rep(this),
                   when.at_ns, reinterpret_cast<uint64_t>(this));
}

void Timer::start(Deadline when) { start_on(nullptr, when); }

void Timer::start(Mutator& mu, Deadline when) {
  if (&runtime_of(mu) != rt_) {
    TRI_MISUSE("Timer::start", "the Mutator is of another runtime");
  }
  start_on(mu.p == nullptr ? nullptr : sched::p_of(&mu), when);
}

bool Timer::stop() {
  if (!TimerAccess::is_inside(this)) return TimerAccess::stop(this);
  const bool was_started = again_.at_ns != Deadline::kNever;
  again_ = Deadline::never();
  return was_started;
}

namespace {

void fire_send_at(RuntimeImpl* rt, P* p, sched::Timer* timer, uint64_t when) {
  auto* after = static_cast<sched::SendAt*>(timer);
  // Alive by its root; plain words of a live cell need no P.
  auto* ch =
      reinterpret_cast<detail::ChannelRep*>(base::load_relaxed(after->root));
  if (p != nullptr) {
    sched::send_plain_now(p, ch, &when);
  } else {
    const sched::CompanyScope company(rt);
    sched::send_plain_now(nullptr, ch, &when);
  }
  detail::global_release(*api_of(rt), after->root);
  base::LockGuard guard(rt->send_at_lock);
  rt->send_at_pool.free(after);
}

}  // namespace

void send_at(Mutator& mu, Deadline when, Channel<uint64_t>* ch) {
  sched::check_may_wait(&mu, "send_at");
  sched::check_channel(mu, ch->rep(), detail::ChannelValueOf<uint64_t>::kValue,
                       "send_at");
  if (when.at_ns == Deadline::kNever) return;
  RuntimeImpl* rt = impl_of(mu);
  sched::ensure_sysmon(rt);
  sched::SendAt* after;
  {
    base::LockGuard guard(rt->send_at_lock);
    after = rt->send_at_pool.alloc();
  }
  if (after == nullptr) TRI_NO_MEMORY("a timer");
  ::new (static_cast<void*>(after)) sched::SendAt();
  after->fire = fire_send_at;
  after->root = detail::global_acquire(*api_of(rt));
  detail::store_slot<void*>(mu, after->root, ch);
  sched::arm_timer(rt, sched::p_of(&mu), after, when.at_ns, when.at_ns);
}

}  // namespace tricolor
