// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// How tasks end: goexit, failures and what becomes of them; see
// sched/task_end.h.
//
// goexit does not unwind: the frames are left as they are, and the stack is
// given back under them, which needs nothing but what a return needs. Forced
// unwinding, as pthread_exit does it, would need the C++ runtime library, which
// this library does without; goexit_unwind() in the header throws instead.
#include "sched/task_end.h"

#include <cstring>

#include "base/check.h"
#include "base/format.h"
#include "base/sched_point.h"
#include "heap/callback.h"
#include "sched/runtime.h"

namespace tricolor::sched {
namespace {

void drop_code(void*) {}

void describe_code(void* word, char* text, size_t bytes) {
  base::format_buffer(
      text, bytes, "error %lu",
      static_cast<unsigned long>(reinterpret_cast<uintptr_t>(word)));
}

constexpr detail::FailureKind kCode{drop_code, nullptr, describe_code};

// The failure is in g->result. See the header for the race with detach.
void announce_failure(G* g) {
  TRI_SCHED_POINT(announce_failure);
  if (TRI_PLANTED(failure_unannounced) &&
      g->joiner.load_acquire() == kJoinNone) {
    return;
  }
  uint32_t joiner = g->joiner.load_relaxed();
  do {
    if (joiner == kJoinDetached) return report(lost_failure(g));
    // ORDER-join-2: pairs with detach(), which may take the failure from now
    // on.
  } while (
      !g->joiner.compare_exchange_weak_acq_rel(joiner, joiner | kJoinFailing));
}

}  // namespace

detail::Failure failure_of(const G* g) {
  return {reinterpret_cast<const detail::FailureKind*>(g->result[1]),
          reinterpret_cast<void*>(g->result[0])};
}

LostFailure lost_failure(const G* g) {
  LostFailure lost{g->rt, g->id.load_relaxed(), {}, failure_of(g)};
  std::memcpy(lost.name, g_name(g), std::strlen(g_name(g)));
  return lost;
}

void report(const LostFailure& lost) {
  base::assert_no_locks_held("Options::on_task_failure");
  const Options& options = lost.rt->settings.options;
  char what[256];
  lost.failure.kind->describe(lost.failure.word, what, sizeof(what));
  if (options.on_task_failure == nullptr) {
    TRI_MISUSE("spawn",
               "task %lu%s%s has failed, nobody joins it, and there is no "
               "Options::on_task_failure: %s",
               static_cast<unsigned long>(lost.task),
               lost.name[0] == '\0' ? "" : " ", lost.name, what);
  }
  const bool is_code = lost.failure.kind == &kCode;
  const TaskFailure told{
      lost.task, lost.name, what,
      is_code ? reinterpret_cast<uint64_t>(lost.failure.word) : 0};
  options.on_task_failure(*api_of(lost.rt), told, options.on_task_failure_ctx);
  lost.failure.kind->drop(lost.failure.word);
}

void settle_result(G* g) {
  if (g->outcome == Outcome::kFailed) {
    announce_failure(g);
  } else if (g->outcome == Outcome::kExited) {
    g->result[0] = g->result[1] = 0;
  } else if (g->result_is_cell) {
    // The task may be on another P by now.
    g->rt->collector->store_root(p_of(&g->mu), &g->result_root,
                                 reinterpret_cast<void*>(g->result[0]));
  }
}

namespace {

// Deep in calls that do not return.
[[noreturn]] void end_here(G* g) {
  stacks::context_cache_wear(&g->stack->contexts);
  settle_result(g);
  end_for_next(g, /*returned=*/false);
  __builtin_unreachable();
}

}  // namespace
}  // namespace tricolor::sched

namespace tricolor {

using sched::G;
using sched::g_of;

namespace detail {

void check_may_exit(Mutator& mu, const char* call) {
  if (mu.p == nullptr) sched::misused_mutator(mu, call);
  const G* g = g_of(&mu);
  if (g->kind == sched::GKind::kCoroutine) {
    TRI_MISUSE(call,
               "called in a coroutine, which ends by a return of its body: it "
               "is for tasks");
  }
  if (g->kind == sched::GKind::kAttached) {
    TRI_MISUSE(call, "called on an attached thread: it is for tasks");
  }
  if (sched::g_state(g) != sched::GState::kRunning) {
    TRI_MISUSE(call,
               "the Mutator is that of a task that has resumed a coroutine, "
               "not the running coroutine's");
  }
  heap::check_no_callback(sched::p_of(&mu), call);
}

void set_failure(Mutator& mu, Failure failure) {
  if (mu.p == nullptr) {
    TRI_MISUSE("call_native",
               "an exception has left native code: what it calls must not "
               "throw");
  }
  G* g = g_of(&mu);
  g->outcome = Outcome::kFailed;
  g->result[0] = reinterpret_cast<uint64_t>(failure.word);
  g->result[1] = reinterpret_cast<uint64_t>(failure.kind);
}

void set_exited(Mutator& mu) { g_of(&mu)->outcome = Outcome::kExited; }

void report_failure(Mutator& mu, uint64_t id, Failure failure) {
  sched::report({impl_of(mu), id, {}, failure});
}

}  // namespace detail

void goexit(Mutator& mu) {
  TRI_SCHED_POINT(goexit);
  detail::check_may_exit(mu, "goexit");
  G* g = g_of(&mu);
  g->outcome = Outcome::kExited;
  sched::end_here(g);
}

void exit_with_error(Mutator& mu, uint64_t code) {
  detail::check_may_exit(mu, "exit_with_error");
  detail::set_failure(mu, {&sched::kCode, reinterpret_cast<void*>(code)});
  sched::end_here(g_of(&mu));
}

uint64_t task_id(Mutator& mu) {
  const G* g = g_of(&mu);
  while (g->kind == sched::GKind::kCoroutine) g = g->resumer;
  return g->id.load_relaxed();
}

}  // namespace tricolor
