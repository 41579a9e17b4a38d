// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Coroutines: a managed cell {G, status} in front of a G that is switched to
// directly, on the same M and P. See tricolor/coroutine.h.
//
// Roots. A running coroutine is a root like any task (and keeps its own cell by
// self_root). A suspended one is not: its stacks are reached through its cell,
// whose trace function scans the G. The rule of the collector, that a stack is
// scanned once and then only runs when it is black, holds because
//   1. resume, while marking, makes the G black before it runs: what the
//      snapshot could reach through the cell is marked even if the cell was
//      not traced yet;
//   2. yield, while marking, makes it black before it becomes suspended: the
//      cell may have been traced while the G was running, and will not be
//      again;
//   3. a G born while marking is black, its argument shaded;
//   4. a value that passes from one stack to the other is shaded, since it may
//      leave a grey stack for a black one.
// barrier_on says whether it marks; between its test and the switch there is no
// safepoint.
//
// The G becomes kSuspended only after it has left its stack: the resumer sets
// it, and then the cell's status. From then on another task may resume it.
#include "sched/coroutine.h"

#include "base/check.h"
#include "base/sched_point.h"
#include "sched/fault.h"
#include "sched/runtime.h"
#include "sched/value_stack.h"
#include "tricolor/allocate.h"

namespace tricolor::sched {

namespace {

void coroutine_main(G* g) {
  const auto fn = reinterpret_cast<CoroutineFn>(g->result[0]);
  const auto body = reinterpret_cast<CoroutineAccess::Body>(g->coroutine_body);
  void* value = body(fn, g->mu, static_cast<Coroutine*>(g->cell),
                     g->inline_slots[1], g->coroutine_user);
  if (g->modes.depth() != 0) {
    TRI_MISUSE("Coroutine::create",
               "the coroutine's body returned inside a NativeScope");
  }
  g->finished = true;
  EhGlobals* globals = g->m->eh_globals;
  G* resumer = begin_yield(g, value);
  leave_fiber(globals, &g->fiber, &resumer->fiber);
}

}  // namespace

void bury(RuntimeImpl* rt, P* p, G* g) {
  strip_g(rt, p, g);
  free_g(rt, p, g);
}

G* make_coroutine(RuntimeImpl* rt, P* p, void* arg,
                  const CoroutineOptions& options) {
  const uint32_t klass = rt->stacks.native_class(options.stack_bytes);
  if (klass == stacks::kNoClass) {
    TRI_MISUSE("Coroutine::create", "a stack of %zu bytes: at most %zu",
               options.stack_bytes, stacks::kMaxNativeBytes);
  }
  // Of other threads it has been seen to when they came.
  M* m = p->curg.load_relaxed()->m;
  if (m->kind == MKind::kAttached) begin_fault_handling(m);
  if (rt->gs.has_collected()) reap_coroutines(rt, p, kReapedAtOnce);
  G* g = rt->gs.get(p);
  if (g == nullptr) return nullptr;
  g->kind = GKind::kCoroutine;
  g->stack_class = klass;
  g->started = true;
  g->finished = false;
  g->outcome = Outcome::kValue;
  g->plain_chunks = 0;
  stacks::Refusal refusal = nullptr;
  if (!prepare_stack(rt, p, g, &refusal)) {
    rt->gs.put(p, g);
    return nullptr;
  }
  g->inline_slots[1] = arg;
  g->mu.shadow_top = g->inline_slots + 2;
  g->joiner.store_relaxed(kJoinDetached);
  rt->collector->on_g_born(p, g);
  rt->collector->add_coroutine_bytes(kCoroutineBytes);
  return g;
}

namespace {

// The layout's functions; see Layouts in tricolor/layout.h.
void trace_coroutine(Tracer& tracer, void* cell, size_t, void*) {
  G* g = CoroutineAccess::g(static_cast<Coroutine*>(cell));
  // Not suspended: a root itself, or being scanned by another marker.
  if (g == nullptr || !try_set_scan(g, GState::kSuspended)) return;
  void* impl;
  static_assert(sizeof(tracer) == sizeof(impl));
  __builtin_memcpy(&impl, &tracer, sizeof(impl));
  g->rt->collector->scan_owner_from_tracer(impl, g, g->index);
  clear_scan(g);
}

void coroutine_on_dead(void* cell, size_t, void*) {
  G* g = CoroutineAccess::g(static_cast<Coroutine*>(cell));
  if (g == nullptr) return;
  // Now, not when it is reaped: the goal of the next cycle follows.
  g->rt->collector->add_coroutine_bytes(-kCoroutineBytes -
                                        uncount_value_stack(g));
  g->rt->gs.push_collected(g);
}

}  // namespace

void enter_fiber_body(G* g) {
  if (g->kind == GKind::kCoroutine) {
    coroutine_main(g);
  } else {
    task_main(g);
  }
}

bool init_coroutines(RuntimeImpl* rt, Error* error) {
  LayoutSpec spec;
  spec.name = "tricolor.coroutine";
  spec.head_bytes = sizeof(Coroutine);
  spec.trace = trace_coroutine;
  spec.on_dead = coroutine_on_dead;
  spec.distinct = true;
  rt->coroutine_layout = api_of(rt)->register_layout(spec, error);
  return rt->coroutine_layout != kInvalidLayout;
}

void reap_coroutines(RuntimeImpl* rt, P* p, int most) {
  for (int i = 0; i < most; i++) {
    G* g = rt->gs.pop_collected();
    if (g == nullptr) return;
    leave_state_slow(g, GState::kSuspended, GState::kDead);
    bury(rt, p, g);
  }
}

}  // namespace tricolor::sched
