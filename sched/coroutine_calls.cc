// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// The public calls of tricolor/coroutine.h, over sched/coroutine.cc. resume and
// yield have two halves, one on either side of the switch, which is made by
// coroutine_x86_64.S, or in C++ where others have to hear of it (sanitizers) or
// where the frames begin (conservative_stacks).
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

using detail::Failure;
using sched::CoroutineAccess;
using sched::G;
using sched::GState;
using sched::SwitchPlan;

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
  if (mu.p == nullptr) sched::misused_mutator(mu, call);
  heap::check_no_callback(sched::p_of(&mu), call);
  base::assert_no_locks_held(call);
}

// The coroutine's G, which is the caller's now; null: it is not suspended but
// *found.
inline G* begin_resume(Mutator& mu, Coroutine* co, void* value,
                       CoroutineStatus* found) {
  TRI_SCHED_POINT(resume);
  check_switch(mu, "Coroutine::resume");
  if (co == nullptr) TRI_MISUSE("Coroutine::resume", "the coroutine is null");
  G* self = sched::g_of(&mu);
  if (TRI_UNLIKELY(sched::g_state(self) != GState::kRunning)) {
    TRI_MISUSE("Coroutine::resume",
               "the Mutator is not that of the running task or coroutine");
  }
  sched::P* p = sched::p_of(&mu);
  if (!CoroutineAccess::take(p, co, CoroutineStatus::kRunning, found)) {
    return nullptr;
  }
  G* g = CoroutineAccess::g(co);
  if (TRI_UNLIKELY(g->rt != p->rt)) {
    TRI_MISUSE("Coroutine::resume", "the coroutine is one of another runtime");
  }
  sched::leave_state(p, g, GState::kSuspended, GState::kRunning);
  g->self_root = reinterpret_cast<uint64_t>(co);
  g->resumer = self;
  if (TRI_UNLIKELY(mu.barrier_on != 0)) {
    impl_of(mu)->collector->scan_owner(p, g);
  }
  sched::shade(mu, co);
  sched::shade(mu, value);
  g->transfer = value;
  sched::set_status(self, CoroutineStatus::kNormal);
  return g;
}

// kNormal comes before the switch.
inline void hand_over_for_resume(G* self, G* g) {
  sched::set_state(self, GState::kRunning, GState::kNormal);
  sched::hand_over(self, g);
}

inline G* begin_yield(Mutator& mu, void* value) {
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
  return sched::begin_yield(g, value);
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
  if (mu.p == nullptr) sched::misused_mutator(mu, "Coroutine::create");
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

// By coroutine_x86_64.S, and its own.
#define TRI_ASM_CALLS __attribute__((visibility("hidden"), used))

extern "C" {

TRI_ASM_CALLS CoroutineStatus tri_detail_coroutine_resume(
    Mutator* mu, Coroutine* co, void* value, void** result, Failure* failure);
TRI_ASM_CALLS void* tri_detail_coroutine_yield(Mutator* mu, void* value);

// A plan without `from_sp` has the status found in the other word.
TRI_ASM_CALLS SwitchPlan tri_detail_coroutine_resume_begin(Mutator* mu,
                                                           Coroutine* co,
                                                           void* value) {
  CoroutineStatus found;
  G* g = begin_resume(*mu, co, value, &found);
  if (TRI_UNLIKELY(g == nullptr)) {
    return {nullptr, reinterpret_cast<void*>(static_cast<uint64_t>(found))};
  }
  G* self = sched::g_of(mu);
  sched::EhGlobals* globals = self->m->eh_globals;
  hand_over_for_resume(self, g);
  sched::swap_eh(globals, &self->fiber, &g->fiber);
  return {&self->fiber.context.sp, g->fiber.context.sp};
}

// Perhaps on another thread. The coroutine has left its stack. `co` is good:
// self_root has kept it until the yield, and no safepoint has come since.
TRI_ASM_CALLS CoroutineStatus tri_detail_coroutine_resume_end(
    Mutator* mu, Coroutine* co, void** result, Failure* failure) {
  G* g = CoroutineAccess::g(co);
  if (TRI_UNLIKELY(g->finished)) {
    if (g->outcome == Outcome::kFailed) {
      *failure = sched::failure_of(g);
    }
    sched::set_state(g, GState::kRunning, GState::kDead);
    end_coroutine(*mu, co, g);
  } else {
    sched::set_state(g, GState::kRunning, GState::kSuspended);
    CoroutineAccess::set_status(co, CoroutineStatus::kSuspended);
  }
  *result = sched::g_of(mu)->transfer;
  return CoroutineStatus::kSuspended;
}

TRI_ASM_CALLS SwitchPlan tri_detail_coroutine_yield_begin(Mutator* mu,
                                                          void* value) {
  G* g = sched::g_of(mu);
  sched::EhGlobals* globals = g->m->eh_globals;
  G* resumer = begin_yield(*mu, value);
  sched::swap_eh(globals, &g->fiber, &resumer->fiber);
  return {&g->fiber.context.sp, resumer->fiber.context.sp};
}

TRI_ASM_CALLS void* tri_detail_coroutine_yield_end(Mutator* mu) {
  return sched::g_of(mu)->transfer;
}

}  // extern "C"

CoroutineStatus Coroutine::resume_with(Mutator& mu, Coroutine* co, void* value,
                                       void** result,
                                       detail::Failure* failure) {
  if (!TRI_ASAN && !TRI_TSAN && !sched::scans_native_stacks(impl_of(mu))) {
    return tri_detail_coroutine_resume(&mu, co, value, result, failure);
  }
  CoroutineStatus found;
  G* g = begin_resume(mu, co, value, &found);
  if (TRI_UNLIKELY(g == nullptr)) return found;
  G* self = sched::g_of(&mu);
  sched::with_frames(self, [self, g] {
    sched::EhGlobals* globals = self->m->eh_globals;
    hand_over_for_resume(self, g);
    sched::cross_fiber(globals, &self->fiber, &g->fiber);
  });
  return tri_detail_coroutine_resume_end(&mu, co, result, failure);
}

void* Coroutine::yield(Mutator& mu, void* value) {
#if TRI_ASAN || TRI_TSAN
  G* g = sched::g_of(&mu);
  sched::EhGlobals* globals = g->m->eh_globals;
  G* resumer = begin_yield(mu, value);
  sched::cross_fiber(globals, &g->fiber, &resumer->fiber);
  return g->transfer;
#else
  return tri_detail_coroutine_yield(&mu, value);
#endif
}

void Coroutine::misuse_resume(const Coroutine* co) {
  TRI_MISUSE("Coroutine::resume",
             "the coroutine is not suspended but %s: ask status() first, or "
             "use try_resume()",
             status_name(CoroutineAccess::status(co)));
}

bool Coroutine::is_yieldable(const Mutator& mu) {
  const auto* g = reinterpret_cast<const G*>(&mu);
  return mu.p != nullptr && g->kind == sched::GKind::kCoroutine &&
         sched::g_state(g) == GState::kRunning;
}

bool Coroutine::close(Mutator& mu, Coroutine* co) {
  if (mu.p == nullptr) sched::misused_mutator(mu, "Coroutine::close");
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
