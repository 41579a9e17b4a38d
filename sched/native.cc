// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Native code: NativeScope, ManagedScope. A G in native code touches no cell,
// so its P may be stopped, or given to another M, without asking it; on the way
// back it gets the P again, or another one, or waits in the queue for one.
//
// Going native the G's state changes before the P's, coming back after it: the
// P is what others take, and whoever has it finds the G where it belongs.
#include "base/check.h"
#include "base/futex.h"
#include "base/sched_point.h"
#include "heap/callback.h"
#include "sched/native_stack.h"
#include "sched/runtime.h"
#include "sched/tls.h"
#include "tricolor/thread.h"

namespace tricolor::sched {
namespace {

// Makes `p` run `g` in the middle of g's code; see schedule.cc for the race
// with requesters.
void install_g(P* p, G* g) {
  // ORDER-curg-1: pairs with poke().
  p->curg.store_release(g);
  if (p->rt->membarrier) {
    base::compiler_barrier();
  } else {
    base::fence_seq_cst();
  }
}

// The P it left with, unless somebody has handed that on.
P* take_back_p(G* g) {
  P* p = g->native_p;
  for (;;) {
    if (try_leave_native_p(p, g->native_word, PState::kRunning)) return p;
    const uint32_t taken = with_p_state(g->native_word, PState::kStoppedNative);
    const uint32_t word = p->status.load_seq_cst();
    if (word == taken) {
      wait_while_taken(p, g->native_word);
    } else if (word != g->native_word) {
      return nullptr;
    }
  }
}

void rest_ns(int64_t ns) {
  base::Atomic<uint32_t> never{0};
  base::futex_wait(&never, 0, ns);
}

P* take_other_p(M* m) {
  RuntimeImpl* rt = m->rt;
  m->p = nullptr;
  base::LockGuard guard(rt->sched.lock);
  P* p = acquire_idle_p_locked(rt);
  if (p != nullptr) bind_p(m, p);
  return p;
}

}  // namespace

void enter_native_current(G* g) {
  TRI_SCHED_POINT(enter_native);
  if (TRI_UNLIKELY(g->on_system_stack)) {
    TRI_MISUSE("Runtime::run, AttachScope",
               "another runtime is entered inside on_system_stack, in managed "
               "code: open a NativeScope around that call");
  }
  P* p = p_of(&g->mu);
  heap::check_no_callback(p, "NativeScope");
  base::assert_no_locks_held("entering native code");
  unbind_mutator(g);
  g->native_p = p;
  g->native_word = with_p_state(p->status.load_relaxed(), PState::kNative);
  set_state(g, GState::kRunning, GState::kNative);
  set_p_state(p, PState::kRunning, PState::kNative);
  // The other half is in world.cc.
  if (p->request.load_seq_cst() != 0) notify_requester(p->rt);
}

void leave_native_current(G* g) {
  TRI_SCHED_POINT(leave_native);
  M* m = g->m;
  P* p = take_back_p(g);
  if (p == nullptr) {
    p = take_other_p(m);
    // Inside another runtime entered from this G the thread is not ours to run
    // others on: wait for a P right here.
    while (p == nullptr && current_m() != m) {
      rest_ns(20'000);
      p = take_other_p(m);
    }
    if (p == nullptr) {
      // Its frames and registers as they are now: the M will have others.
      with_frames(g, [g] { leave_for_next<After::kRequeue>(g); });
      g->frames.store_relaxed(nullptr);
      attend_current(g);
      return;
    }
    install_g(p, g);
  }
  leave_state_slow(g, GState::kNative, GState::kRunning);
  // Relaxed: kRunning, so nobody but the owner looks until it says otherwise.
  g->frames.store_relaxed(nullptr);
  refresh_mutator(g, p);
  attend_current(g);
  // If this M was asked to leave while it had no P, the asking has been lost:
  // curg is installed before this look, so either the poke or the look does it.
  if (TRI_LIKELY(!should_leave(m))) return;
  const bool locked = m->locked_g != nullptr;
  if (!locked) request_and_poke(p_of(&g->mu), gc::kRequestPreempt);
  // Here, for a loop of native calls has no other safepoint. Not inside another
  // runtime, whose thread this is.
  if (m->kind != MKind::kAttached && current_m() == m) {
    tri_detail_poll_slow(&g->mu);
  }
}

void attend_current(G* g) {
  P* p = p_of(&g->mu);
  if (p->request.load_seq_cst() == 0) return;
  attend_requests(p);
  refresh_mutator(g, p);
  // A preemption is left to the next poll. The poke may have gone to whoever
  // ran here before.
  if (p->request.load_relaxed() != 0) {
    __atomic_store_n(&g->mu.poll_request, 1, __ATOMIC_RELAXED);
  }
}

namespace {

// Enters a mode and remembers the one before.
void push_mode(Mutator& mu, bool native, const char* call,
               const stacks::SpillFrame* frame) {
  G* g = g_of(&mu);
  if (TRI_UNLIKELY(g->on_system_stack)) {
    TRI_MISUSE(call, "inside on_system_stack: its call may not change modes");
  }
  const bool now = g_state(g) == GState::kNative;
  g->modes.push(&g->rt->shadow, now);
  if (native == now) return;
  if (native) {
    save_frame(g, frame);
    enter_native_current(g);
  } else {
    leave_native_current(g);
  }
}

void pop_mode(Mutator& mu, const stacks::SpillFrame* frame) {
  G* g = g_of(&mu);
  if (g->modes.depth() == 0) {
    TRI_MISUSE(
        "leaving a ManagedScope or NativeScope (tri_leave_managed, "
        "tri_leave_native)",
        "this task or thread has not entered one");
  }
  const bool now = g_state(g) == GState::kNative;
  const bool before = g->modes.pop(&g->rt->shadow);
  if (before == now) return;
  if (before) {
    save_frame(g, frame);
    enter_native_current(g);
  } else {
    leave_native_current(g);
  }
}

}  // namespace
}  // namespace tricolor::sched

using tricolor::sched::pop_mode;
using tricolor::sched::push_mode;
using tricolor::stacks::SpillFrame;

extern "C" {

// Called by sched/native_x86_64.S.
__attribute__((visibility("hidden"), used)) void tri_enter_native_spilled(
    tri_mutator* mu, const SpillFrame* frame);
__attribute__((visibility("hidden"), used)) void tri_leave_managed_spilled(
    tri_mutator* mu, const SpillFrame* frame);

void tri_enter_native_spilled(tri_mutator* mu, const SpillFrame* frame) {
  push_mode(*mu, /*native=*/true, "NativeScope", frame);
}
void tri_leave_managed_spilled(tri_mutator* mu, const SpillFrame* frame) {
  pop_mode(*mu, frame);
}

void tri_enter_managed(tri_mutator* mu) {
  push_mode(*mu, /*native=*/false, "ManagedScope", nullptr);
}
// A scope inside a scope, so that it is native before and after: no frame.
void tri_leave_native(tri_mutator* mu) {
  tricolor::stacks::spill_call([mu](char* sp) {
    pop_mode(*mu, reinterpret_cast<const SpillFrame*>(sp));
  });
}

void tri_call_native(tri_mutator* mu, void (*fn)(void* arg), void* arg) {
  // The registers stay on the stack, under the caller's frame, until the end.
  tricolor::stacks::spill_call([mu, fn, arg](char* sp) {
    const auto* frame = reinterpret_cast<const SpillFrame*>(sp);
    push_mode(*mu, /*native=*/true, "call_native", frame);
    fn(arg);
    pop_mode(*mu, frame);
  });
}

}  // extern "C"
