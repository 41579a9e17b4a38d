// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// The C API over the C++ one: coroutines.
#include "sched/coroutine.h"
#include "tricolor/tricolor.h"

using tricolor::Coroutine;
using tricolor::CoroutineStatus;

static_assert(TRI_COROUTINE_SUSPENDED ==
              static_cast<int>(CoroutineStatus::kSuspended));
static_assert(TRI_COROUTINE_RUNNING ==
              static_cast<int>(CoroutineStatus::kRunning));
static_assert(TRI_COROUTINE_NORMAL ==
              static_cast<int>(CoroutineStatus::kNormal));
static_assert(TRI_COROUTINE_DEAD == static_cast<int>(CoroutineStatus::kDead));

namespace {

Coroutine* cpp(tri_coroutine* co) { return reinterpret_cast<Coroutine*>(co); }
tri_coroutine* c(Coroutine* co) { return reinterpret_cast<tri_coroutine*>(co); }

using AnyFn = void (*)();

// `fn` is a tri_coroutine_fn, and called as that.
void* call_c(tricolor::CoroutineFn fn, tri_mutator& mu, Coroutine* self,
             void* arg, void* user) {
  const auto body =
      reinterpret_cast<tri_coroutine_fn>(reinterpret_cast<AnyFn>(fn));
  return body(&mu, c(self), arg, user);
}

}  // namespace

extern "C" {

tri_coroutine* tri_coroutine_create(tri_mutator* mu, tri_coroutine_fn fn,
                                    void* arg, void* user, size_t stack_bytes) {
  return c(tricolor::CoroutineAccess::create(
      *mu, call_c,
      reinterpret_cast<tricolor::CoroutineFn>(reinterpret_cast<AnyFn>(fn)), arg,
      user, tricolor::CoroutineOptions{stack_bytes}));
}

int tri_coroutine_resume(tri_mutator* mu, tri_coroutine* co, void* value,
                         void** result) {
  return static_cast<int>(
      Coroutine::try_resume</*kThrow=*/false>(*mu, cpp(co), value, result));
}

void* tri_coroutine_yield(tri_mutator* mu, void* value) {
  return Coroutine::yield(*mu, value);
}
bool tri_is_yieldable(const tri_mutator* mu) {
  return Coroutine::is_yieldable(*mu);
}
bool tri_coroutine_close(tri_mutator* mu, tri_coroutine* co) {
  return Coroutine::close(*mu, cpp(co));
}
int tri_coroutine_status(const tri_coroutine* co) {
  return static_cast<int>(tricolor::CoroutineAccess::status(
      reinterpret_cast<const Coroutine*>(co)));
}
tri_coroutine* tri_coroutine_running(tri_mutator* mu) {
  return c(Coroutine::running(*mu));
}

}  // extern "C"
