// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// World operations: gc/world.h over Ms and Ps.
//
// A stop, or a ragged barrier, asks every P but the caller's:
//   running   asked by a request bit; its holder answers at a safepoint: it
//             stops (stop_here), or runs the function (run_ragged)
//   native    taken by CAS (kStoppedNative), so that it cannot come back
//   idle      stop: sched.stopping keeps it idle; ragged: taken off the list
// and waits until all have answered. The waiting ends by events (a P stopped,
// went idle or native); it spins for 20 us, then sleeps, and looks again after
// 100 us and, in the end, every 800, so that a poke that a task swallowed costs
// time and nothing else.
//
// A P that changes state while it is asked:
//
//   holder                                requester
//   1. status = native or idle            1. request bits
//      (or native -> running)             2. reads status
//   2. reads request: set: notifies
//      (or attends to it)
//
// All four are seq_cst: either the requester sees the new state, or the holder
// sees the request. A new P starts kNative under the world lock.
#include "sched/world.h"

#include "base/check.h"
#include "base/cpu_x86_64.h"
#include "base/futex.h"
#include "base/os_memory.h"
#include "base/sched_point.h"
#include "sched/native_stack.h"
#include "sched/runtime.h"
#include "sched/tls.h"

namespace tricolor::sched {
namespace {

constexpr uint32_t kWorldBits = gc::kRequestStop | gc::kRequestRagged;
constexpr int64_t kRecheckNs = 100'000;
constexpr int64_t kMostRecheckNs = 800'000;  // an answer wakes us, anyway

RuntimeImpl* rt_of(void* ctx) { return static_cast<RuntimeImpl*>(ctx); }

void post_event(RuntimeImpl* rt) {
  WorldState& w = rt->world;
  w.event.fetch_add_seq_cst(1);
  if (w.requester_sleeps.load_seq_cst() != 0) base::futex_wake(&w.event, 1);
}

void new_epoch(RuntimeImpl* rt) {
  // ORDER-epoch-1: pairs with stop_here() and wait_while_taken().
  WorldState& w = rt->world;
  // Seq_cst, like the sleeper's count and then its look at the epoch: either
  // the sleeper is seen here, or it sees the new epoch and does not sleep.
  w.epoch.fetch_add_seq_cst(1);
  if (w.epoch_sleepers.load_seq_cst() != 0) {
    base::futex_wake(&w.epoch, INT32_MAX);
  }
}

void sleep_in_epoch(RuntimeImpl* rt, uint32_t epoch) {
  WorldState& w = rt->world;
  w.epoch_sleepers.fetch_add_seq_cst(1);
  base::futex_wait(&w.epoch, epoch, -1);
  w.epoch_sleepers.fetch_sub_seq_cst(1);
}

// The current G's next poll enters the runtime.
void poke(P* p) {
  // ORDER-curg-1: pairs with make_current() and install_g(). The G may have
  // moved on: Gs are type-stable, and a needless poll is harmless.
  if (G* g = p->curg.load_acquire()) {
    __atomic_store_n(&g->mu.poll_request, 1, __ATOMIC_SEQ_CST);
  }
}

void full_fence_everywhere(RuntimeImpl* rt) {
  if (rt->membarrier) {
    base::os_membarrier();
  } else {
    base::fence_seq_cst();
  }
}

void wait_stopped(P* p) {
  RuntimeImpl* rt = p->rt;
  // ORDER-epoch-1: pairs with new_epoch().
  uint32_t epoch = rt->world.epoch.load_acquire();
  set_p_state(p, PState::kRunning, PState::kStopped);
  post_event(rt);
  for (int i = 0; p_state(p) == PState::kStopped; i++) {
    if (i < 500) {  // most stops are shorter than a sleep and a wake
      base::cpu_relax();
      continue;
    }
    sleep_in_epoch(rt, epoch);
    epoch = rt->world.epoch.load_acquire();
  }
}

// p's holder stops: nothing runs on it until start().
void stop_here(P* p) {
  TRI_SCHED_POINT(stop_here);
  with_frames_on(p, [p] { wait_stopped(p); });
}

void run_ragged(P* p) {
  TRI_SCHED_POINT(run_ragged);
  WorldState& w = p->rt->world;
  w.ragged_fn(w.ragged_arg, p, p->curg.load_relaxed());
  // ORDER-ragged-1: pairs with the requester's load: publishes what fn did.
  p->request.fetch_and_release(~gc::kRequestRagged);
  post_event(p->rt);
}

// Calls fn(P*) for each P but `self`.
template <class F>
void for_others(RuntimeImpl* rt, P* self, F fn) {
  // ORDER-allp-1: pairs with make_p(): sees the elements.
  const uint32_t n = rt->sched.all_p_count.load_acquire();
  for (uint32_t i = 0; i < n; i++) {
    P* p = rt->sched.all_ps.data()[i];
    if (p != self) fn(p);
  }
}

void poke_who_is_asked(RuntimeImpl* rt, P* self) {
  for_others(rt, self, [](P* p) {
    if ((p->request.load_relaxed() & kWorldBits) == 0) return;
    poke(p);
    signal_p(p);
  });
}

// Without the membarrier of sched/schedule.cc: it costs the requester
// microseconds and every other CPU an interrupt, and only a dispatch that is
// under way at this moment can miss the poke. wait_until() makes up for that.
void ask_all(RuntimeImpl* rt, P* self, uint32_t bits) {
  for_others(rt, self, [bits](P* p) { p->request.fetch_or_seq_cst(bits); });
  for_others(rt, self, poke);
}

// Waits until all_answered() says that nobody is outstanding.
template <class F>
void wait_until(RuntimeImpl* rt, P* self, F all_answered) {
  WorldState& w = rt->world;
  for (int i = 0; i < 500; i++) {  // about 20 us: most answer in one
    if (all_answered()) return;
    base::cpu_relax();
  }
  // From here on every G that is dispatched sees the request, or is poked.
  full_fence_everywhere(rt);
  poke_who_is_asked(rt, self);
  w.requester_sleeps.store_seq_cst(1);
  for (int64_t nap_ns = kRecheckNs;;
       nap_ns *= nap_ns < kMostRecheckNs ? 2 : 1) {
    const uint32_t event = w.event.load_seq_cst();
    if (all_answered()) break;
    base::futex_wait(&w.event, event, nap_ns);
    poke_who_is_asked(rt, self);
  }
  w.requester_sleeps.store_seq_cst(0);
}

// Native -> stopped-native. False: it is not in native code (any more).
bool try_take_native(P* p) {
  const uint32_t word = p->status.load_seq_cst();
  return p_state_of(word) == PState::kNative &&
         try_leave_native_p(p, word, PState::kStoppedNative);
}

bool answered_stop(P* p) {
  switch (p_state_of(p->status.load_seq_cst())) {
    case PState::kRunning:
      return false;
    case PState::kNative:
      return try_take_native(p);
    case PState::kIdle:  // and stays so: sched.stopping, or the world lock
    case PState::kDead:  // the world lock
    case PState::kStopped:
    case PState::kStoppedNative:
      return true;
  }
  return false;
}

bool try_stop(void* ctx, gc::ProcGc* self_proc,
              gc::StopTimes* times) TRI_NO_THREAD_SAFETY {
  TRI_SCHED_POINT(try_stop);
  RuntimeImpl* rt = rt_of(ctx);
  P* self = p_of(self_proc);
  if (!rt->world.lock.try_lock()) return false;
  TRI_ASSERT(p_state(self) == PState::kRunning);
  times->requested_ns = rt->clock.now_ns();
  rt->sched.lock.lock();
  rt->sched.stopping = true;
  rt->sched.lock.unlock();
  ask_all(rt, self, gc::kRequestStop);
  wait_until(rt, self, [rt, self] {
    bool all = true;
    for_others(rt, self, [&all](P* p) { all = answered_stop(p) && all; });
    return all;
  });
  // What runs in a stop may be the embedder's.
  if (G* g = self->curg.load_relaxed()) heap::hide_slots(self, &g->mu);
  times->stopped_ns = rt->clock.now_ns();
  return true;
}

uint64_t start(void* ctx, gc::ProcGc* self_proc) TRI_NO_THREAD_SAFETY {
  TRI_SCHED_POINT(start_world);
  RuntimeImpl* rt = rt_of(ctx);
  P* self = p_of(self_proc);
  for_others(rt, self, [](P* p) {
    p->request.fetch_and_seq_cst(~gc::kRequestStop);
    const PState state = p_state(p);
    if (state == PState::kStopped) {
      set_p_state(p, PState::kStopped, PState::kRunning);
    } else if (state == PState::kStoppedNative) {
      set_p_state(p, PState::kStoppedNative, PState::kNative);
    }
  });
  rt->sched.lock.lock();
  rt->sched.stopping = false;
  rt->sched.lock.unlock();
  new_epoch(rt);
  const uint64_t now = rt->clock.now_ns();
  rt->world.lock.unlock();
  if (G* g = self->curg.load_relaxed()) refresh_inside(g, self);
  if (any_work(rt)) wake_p(rt);  // who was refused a P meanwhile
  return now;
}

// A native P, taken: its G is kept from running by the P, and from scanners by
// the scan bit.
void run_ragged_native(P* p) {
  G* g = p->curg.load_acquire();
  // Not kNative: it is leaving, and waits for its P.
  if (g != nullptr && !set_scan(g, GState::kNative)) g = nullptr;
  WorldState& w = p->rt->world;
  w.ragged_fn(w.ragged_arg, p, g);
  if (g != nullptr) clear_scan(g);
  p->request.fetch_and_release(~gc::kRequestRagged);
  set_p_state(p, PState::kStoppedNative, PState::kNative);
  new_epoch(p->rt);
}

// Takes p off the idle list. False: it is not idle (any more).
bool try_take_idle(RuntimeImpl* rt, P* p) {
  if (p->attached) return p_state(p) == PState::kIdle;  // the world lock keeps
  Scheduler& s = rt->sched;
  base::LockGuard guard(s.lock);
  if (p_state(p) != PState::kIdle) return false;
  unlink_idle_p_locked(rt, p);
  set_p_state(p, PState::kIdle, PState::kRunning);
  return true;
}

void run_ragged_dead(RuntimeImpl* rt, P* p) {
  WorldState& w = rt->world;
  w.ragged_fn(w.ragged_arg, p, nullptr);
  p->request.fetch_and_release(~gc::kRequestRagged);
}

void run_ragged_idle(RuntimeImpl* rt, P* p) {
  run_ragged_dead(rt, p);
  // While it was away nobody could be woken for work: release looks for some.
  if (!p->attached) release_p_with_work(rt, p);
}

bool answered_ragged(RuntimeImpl* rt, P* p) {
  // ORDER-ragged-1: pairs with run_ragged(): sees what fn did.
  if ((p->request.load_acquire() & gc::kRequestRagged) == 0) return true;
  switch (p_state_of(p->status.load_seq_cst())) {
    case PState::kNative:
      if (!try_take_native(p)) return false;
      run_ragged_native(p);
      return true;
    case PState::kIdle:
      if (!try_take_idle(rt, p)) return false;
      run_ragged_idle(rt, p);
      return true;
    case PState::kDead:  // only a stop could bring it back
      run_ragged_dead(rt, p);
      return true;
    default:
      return false;
  }
}

bool try_ragged_barrier(void* ctx, gc::ProcGc* self_proc, gc::RaggedFn fn,
                        void* arg) TRI_NO_THREAD_SAFETY {
  TRI_SCHED_POINT(ragged_barrier);
  RuntimeImpl* rt = rt_of(ctx);
  P* self = p_of(self_proc);
  if (!rt->world.lock.try_lock()) return false;
  TRI_ASSERT(p_state(self) == PState::kRunning);
  rt->world.ragged_fn = fn;
  rt->world.ragged_arg = arg;
  ask_all(rt, self, gc::kRequestRagged);
  fn(arg, self, self->curg.load_relaxed());
  wait_until(rt, self, [rt, self] {
    bool all = true;
    for_others(rt, self,
               [&all, rt](P* p) { all = answered_ragged(rt, p) && all; });
    return all;
  });
  rt->world.lock.unlock();
  if (G* g = self->curg.load_relaxed()) refresh_inside(g, self);
  return true;
}

void for_each_p_stw(void* ctx, gc::ProcFn fn, void* arg) {
  for_others(rt_of(ctx), nullptr, [fn, arg](P* p) { fn(arg, p); });
}

size_t g_count(void* ctx) { return rt_of(ctx)->gs.count(); }

// A dead G is a root while its result waits to be joined.
// It may be joined and used again at this moment: then whatever is read here,
// its state has changed.
TRI_NO_SANITIZE_THREAD TRI_NOINLINE bool dead_without_result(const G* g) {
  if (base::load_relaxed(&g->result_root) != 0) return false;
  const volatile uint64_t* words = g->result;
  return !scans_native_stacks(g->rt) || (words[0] | words[1]) == 0;
}

gc::Claim claim_g(void* ctx, size_t index, uint32_t cycle, bool suspended,
                  gc::RootOwner** owner) {
  G* g = rt_of(ctx)->gs.at(index);
  const uint32_t word = g->status.load_acquire();
  const GState state = state_of(word);
  if (state == GState::kIdle || (state == GState::kSuspended && !suspended)) {
    return gc::Claim::kSkip;
  }
  if (state == GState::kDead && dead_without_result(g)) return gc::Claim::kSkip;
  // ORDER-scanned-1: pairs with scan_owner(): black, so all of it was scanned.
  if (g->scanned_cycle.load_acquire() == cycle) return gc::Claim::kSkip;
  if (state == GState::kRunning || (word & kScanBit) != 0 ||
      !try_set_scan(g, state)) {
    return gc::Claim::kRunning;
  }
  *owner = g;
  return gc::Claim::kClaimed;
}

void release_g(void*, gc::RootOwner* owner) {
  clear_scan(static_cast<G*>(owner));
}

gc::RootOwner* root_g_stw(void* ctx, size_t index) {
  G* g = rt_of(ctx)->gs.at(index);
  const GState state = g_state(g);
  if (state == GState::kIdle || state == GState::kSuspended) return nullptr;
  if (state == GState::kDead && dead_without_result(g)) return nullptr;
  return g;
}

// A parked task has touched the top of its stack, and with it the G's own page.
// Value stacks of coroutines are external bytes.
uint64_t other_bytes(void* ctx) {
  constexpr uint64_t kTouchedBytes = 2 * 4096;
  Stats s{};
  sched_fill_stats(rt_of(ctx), &s);
  return s.tasks_alive * kTouchedBytes +
         rt_of(ctx)->value_stack_bytes.load_relaxed();
}

void wake_for_gc(void* ctx) { wake_p(rt_of(ctx)); }

void watch(void* ctx) { ensure_sysmon(rt_of(ctx)); }

// Others have to finish something: let another task run, or rest in native
// code, so that nobody waits for this P.
void relax(void* ctx, tri_mutator* mu) {
  constexpr int64_t kRestNs = 20'000;
  RuntimeImpl* rt = rt_of(ctx);
  G* g = g_of(mu);
  attend_current(g);
  P* p = p_of(mu);
  if (!p->attached && current_m() == g->m &&
      (p->runq.size() > 0 || rt->sched.global_size.load_relaxed() > 0)) {
    leave_for_next<After::kYield>(g);
    return;
  }
  if (!p->attached && current_m() == g->m &&
      rt->sched.spent_size.load_relaxed() > 0) {
    leave_for_next<After::kSpent>(g);  // behind those
    return;
  }
  with_frames(g, [g] {
    enter_native_current(g);
    base::Atomic<uint32_t> never{0};
    base::futex_wait(&never, 0, kRestNs);
    leave_native_current(g);
  });
}

}  // namespace

gc::World make_world(RuntimeImpl* rt) {
  gc::World world;
  world.ctx = rt;
  world.try_stop = try_stop;
  world.start = start;
  world.try_ragged_barrier = try_ragged_barrier;
  world.for_each_p_stw = for_each_p_stw;
  world.g_count = g_count;
  world.claim_g = claim_g;
  world.release_g = release_g;
  world.conservative = scans_native_stacks(rt);
  world.native_roots = native_roots;
  world.root_g_stw = root_g_stw;
  world.other_bytes = other_bytes;
  world.watch = watch;
  world.wake_for_gc = wake_for_gc;
  world.relax = relax;
  return world;
}

void stop_world(Mutator& mu, gc::StopTimes* times) {
  RuntimeImpl* rt = impl_of(mu);
  while (!try_stop(rt, p_of(&mu), times)) relax(rt, &mu);
}

void start_world(Mutator& mu) { start(impl_of(mu), p_of(&mu)); }

void attend_requests(P* p) {
  for (;;) {
    const uint32_t request = p->request.load_seq_cst();
    if ((request & kWorldBits) == 0) return;
    if ((request & gc::kRequestRagged) != 0) run_ragged(p);
    if ((request & gc::kRequestStop) != 0) stop_here(p);
  }
}

void notify_requester(RuntimeImpl* rt) {
  if (rt->world.requester_sleeps.load_seq_cst() != 0) post_event(rt);
}

void wait_while_taken(P* p, uint32_t native_word) {
  WorldState& w = p->rt->world;
  const uint32_t taken = with_p_state(native_word, PState::kStoppedNative);
  for (;;) {
    // ORDER-epoch-1: pairs with new_epoch().
    const uint32_t epoch = w.epoch.load_acquire();
    if (p->status.load_seq_cst() != taken) return;
    sleep_in_epoch(p->rt, epoch);
  }
}

void request_and_poke(P* p, uint32_t bits) {
  // ORDER-preempt-1: pairs with whoever takes kRequestPreempt away: publishes
  // what it was set for (a thread has to leave, the runtime ends).
  p->request.fetch_or_seq_cst(bits);
  full_fence_everywhere(p->rt);
  poke(p);
}

}  // namespace tricolor::sched
