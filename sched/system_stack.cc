// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// on_system_stack: a call on the stack of the M. Under a task that stack is
// suspended in the scheduler loop, or, below a coroutine on an attached thread,
// in the resume; what is below its stack pointer is free. Nothing is switched:
// the G stays what it is, running or native, on another piece of stack, and so
// it may not be suspended, scanned as running managed code, or left until the
// call is over. The flag in the G, and a Mutator without a P, see to that:
// whoever needs a P, or changes the mode, asks one of the two.
#include "base/check.h"
#include "sched/runtime.h"
#include "stacks/call_on.h"
#include "tricolor/native.h"

namespace tricolor::sched {
namespace {

// What is suspended on the M's own stack; null: the caller is on that stack.
const stacks::Context* system_context(const G* g) {
  const M* m = g->m;
  if (m->kind != MKind::kAttached) return &m->g0.context;
  return g == m->attached_g ? nullptr : &m->attached_g->fiber.context;
}

}  // namespace
}  // namespace tricolor::sched

void tri_on_system_stack(tri_mutator* mu, void (*fn)(void* arg), void* arg) {
  using namespace tricolor;  // NOLINT: one function
  using sched::GState;
  sched::G* g = sched::g_of(mu);
  if (g->on_system_stack) {
    fn(arg);
    return;
  }
  const GState state = sched::g_state(g);
  if (state != GState::kRunning && state != GState::kNative) {
    TRI_MISUSE("on_system_stack",
               "the Mutator is not that of the running task or coroutine");
  }
  base::assert_no_locks_held("on_system_stack");
  sched::P* p = mu->p == nullptr ? nullptr : sched::p_of(mu);
  g->on_system_stack = true;
  if (p != nullptr) sched::unbind_mutator(g);
  const stacks::Context* below = sched::system_context(g);
  if (below == nullptr) {
    fn(arg);
  } else {
    stacks::call_on(below, fn, arg);
  }
  g->on_system_stack = false;
  // The P is the same: there was no safepoint.
  if (p != nullptr) sched::refresh_inside(g, p);
}
