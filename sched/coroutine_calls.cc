// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// The public calls of tricolor/coroutine.h, over sched/coroutine.cc.
#include "base/check.h"
#include "base/sched_point.h"
#include "gc/allocate_in_scope.h"
#include "heap/callback.h"
#include "sched/coroutine.h"
#include "sched/native_stack.h"
#include "sched/runtime.h"
#include "sched/task_end.h"
#include "tricolor/allocate.h"

namespace tricolor {

using sched::CoroutineAccess;
using sched::G;
using sched::GState;

namespace {

const char* status_name(CoroutineStatus status) {
  switch (status) {
    case CoroutineStatus::kSuspended:
      return "suspended";
    case CoroutineStatus::kRunning:
      return "running";
    case CoroutineStatus::kNormal:
      return "normal: it has resumed another";
    case CoroutineStatus::kDead:
      return "dead";
  }
  return "?";
}

void check_switch(const Mutator& mu, const char* call) {
  if (mu.p == nullptr) TRI_MISUSE(call, "called in native code");
  base::assert_no_locks_held(call);
  heap::check_no_callback(sched::p_of(&mu), call);
}

// To `g`, which is this task's now; returns when it has left its stack again.
void switch_into(G* self, G* g) {
  // kNormal comes before the switch.
  sched::with_frames(self, [self, g] {
    sched::EhGlobals* globals = self->m->eh_globals;
    sched::set_state(self, GState::kRunning, GState::kNormal);
    sched::hand_over(self, g);
    sched::cross_fiber(globals, &self->fiber, &g->fiber);
  });
}

void end_coroutine(Mutator& mu, Coroutine* co, G* g) {
  RuntimeImpl* rt = impl_of(mu);
  CoroutineAccess::init(co, nullptr);
  CoroutineAccess::set_status(co, CoroutineStatus::kDead);
  rt->collector->add_coroutine_bytes(-sched::kCoroutineBytes);
  sched::bury(rt, sched::p_of(&mu), g);
}

}  // namespace

Coroutine* Coroutine::create_with(Mutator& mu, Body body, CoroutineFn fn,
                                  void* arg, void* user,
                                  const CoroutineOptions& options) {
  if (mu.p == nullptr) TRI_MISUSE("Coroutine::create", "called in native code");
  RuntimeImpl* rt = impl_of(mu);
  const ScopeMark outside = scope_mark(mu);
  Scope<1> scope(mu);  // the allocation may collect
  *scope.take() = arg;
  auto* co = static_cast<Coroutine*>(gc::try_allocate_in_scope(
      mu, outside, rt->coroutine_layout, sizeof(Coroutine)));
  if (co == nullptr) return nullptr;
  G* g = sched::make_coroutine(rt, sched::p_of(&mu), arg, options);
  if (g == nullptr) {
    // Its G is null: nothing may come of it.
    CoroutineAccess::set_status(co, CoroutineStatus::kDead);
    return nullptr;
  }
  g->coroutine_body = reinterpret_cast<void*>(body);
  g->result[0] = reinterpret_cast<uint64_t>(fn);
  g->coroutine_user = user;
  g->cell = co;
  sched::set_state(g, GState::kIdle, GState::kSuspended);
  CoroutineAccess::init(co, g);
  return co;
}

CoroutineStatus Coroutine::resume_with(Mutator& mu, Coroutine* co, void* value,
                                       void** result,
                                       detail::Failure* failure) {
  TRI_SCHED_POINT(resume);
  check_switch(mu, "Coroutine::resume");
  if (co == nullptr) TRI_MISUSE("Coroutine::resume", "the coroutine is null");
  RuntimeImpl* rt = impl_of(mu);
  G* self = sched::g_of(&mu);
  if (TRI_UNLIKELY(sched::g_state(self) != GState::kRunning)) {
    TRI_MISUSE("Coroutine::resume",
               "the Mutator is not that of the running task or coroutine");
  }
  CoroutineStatus found;
  if (!CoroutineAccess::take(sched::p_of(&mu), co, CoroutineStatus::kRunning,
                             &found)) {
    return found;
  }
  G* g = CoroutineAccess::g(co);
  sched::leave_state(sched::p_of(&mu), g, GState::kSuspended, GState::kRunning);
  g->self_root = reinterpret_cast<uint64_t>(co);
  g->resumer = self;
  if (TRI_UNLIKELY(mu.barrier_on != 0)) {
    rt->collector->scan_owner(sched::p_of(&mu), g);
  }
  sched::shade(mu, co);
  sched::shade(mu, value);
  g->transfer = value;
  sched::set_status(self, CoroutineStatus::kNormal);
  switch_into(self, g);
  // Perhaps on another thread. g has left its stack. `co` is good: self_root
  // has kept it until the yield, and no safepoint has come since.
  if (TRI_UNLIKELY(g->finished)) {
    if (g->outcome == Outcome::kFailed) *failure = sched::failure_of(g);
    sched::set_state(g, GState::kRunning, GState::kDead);
    end_coroutine(mu, co, g);
  } else {
    sched::set_state(g, GState::kRunning, GState::kSuspended);
    CoroutineAccess::set_status(co, CoroutineStatus::kSuspended);
  }
  *result = self->transfer;
  return CoroutineStatus::kSuspended;
}

void Coroutine::misuse_resume(const Coroutine* co) {
  TRI_MISUSE("Coroutine::resume",
             "the coroutine is not suspended but %s: ask status() first, or "
             "use try_resume()",
             status_name(CoroutineAccess::status(co)));
}

void* Coroutine::yield(Mutator& mu, void* value) {
  TRI_SCHED_POINT(coroutine_yield);
  check_switch(mu, "Coroutine::yield");
  G* g = sched::g_of(&mu);
  if (g->kind != sched::GKind::kCoroutine) {
    TRI_MISUSE("Coroutine::yield", "called outside a coroutine");
  }
  if (TRI_UNLIKELY(sched::g_state(g) != GState::kRunning)) {
    TRI_MISUSE("Coroutine::yield",
               "the Mutator is not that of the running coroutine");
  }
  sched::switch_to_resumer(g, value);
  return g->transfer;
}

bool Coroutine::is_yieldable(const Mutator& mu) {
  const auto* g = reinterpret_cast<const G*>(&mu);
  return mu.p != nullptr && g->kind == sched::GKind::kCoroutine &&
         sched::g_state(g) == GState::kRunning;
}

bool Coroutine::close(Mutator& mu, Coroutine* co) {
  if (mu.p == nullptr) TRI_MISUSE("Coroutine::close", "called in native code");
  if (co == nullptr) TRI_MISUSE("Coroutine::close", "the coroutine is null");
  CoroutineStatus found;
  if (!CoroutineAccess::take(co, CoroutineStatus::kRunning, &found)) {
    return false;
  }
  G* g = CoroutineAccess::g(co);
  sched::leave_state(sched::p_of(&mu), g, GState::kSuspended, GState::kDead);
  end_coroutine(mu, co, g);
  return true;
}

Coroutine* Coroutine::running(Mutator& mu) {
  G* g = sched::g_of(&mu);
  return g->kind == sched::GKind::kCoroutine ? static_cast<Coroutine*>(g->cell)
                                             : nullptr;
}

CoroutineStatus Coroutine::status(Mutator&) const {
  return CoroutineAccess::status(this);
}

}  // namespace tricolor
