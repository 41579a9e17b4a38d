// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Joining and detaching. G::joiner decides who frees a G that has ended:
//
//   kJoinNone --join-->   the waiting G --exit--> kJoinDone, readies it
//   kJoinNone --detach--> kJoinDetached --exit--> freed by the exit
//   kJoinNone --exit-->   kJoinDone --join, detach--> freed by them
//   kJoinNone --failure--> kJoinFailing --exit--> kJoinDone; see task_end.h
//
// A result that is a cell lies in result_root from the exit to the join: all
// that time the dead G is a root (world.cc).
#include <cstring>

#include "base/check.h"
#include "sched/runtime.h"
#include "sched/task_end.h"

namespace tricolor::sched {
namespace {

G* checked(detail::TaskRef ref, const char* call) {
  G* g = static_cast<G*>(ref.g);
  if (g == nullptr) TRI_MISUSE(call, "the Task is empty");
  if (g->id.load_relaxed() != ref.id) {
    TRI_MISUSE(call, "the Task has been joined or detached before");
  }
  return g;
}

bool join_commit(ParkedTask task, void* ctx) {
  G* target = static_cast<G*>(ctx);
  const auto self = reinterpret_cast<uintptr_t>(task.g);
  uintptr_t joiner = kJoinNone;
  // ORDER-join-1: pairs with finish_exit(), which readies us; false: it has
  // ended meanwhile.
  return target->joiner.compare_exchange_strong_acq_rel(joiner, self) ||
         (joiner == kJoinFailing &&
          target->joiner.compare_exchange_strong_acq_rel(joiner, self));
}

void wait_for_end(Mutator& mu, G* target) {
  for (;;) {
    // ORDER-join-1: pairs with finish_exit(): sees the result.
    const uintptr_t joiner = target->joiner.load_acquire();
    if (joiner == kJoinDone) return;
    if (joiner != kJoinNone && joiner != kJoinFailing) {
      TRI_MISUSE("join", "another task joins this one already");
    }
    park_current(mu, join_commit, target);
  }
}

}  // namespace
}  // namespace tricolor::sched

namespace tricolor::detail {

Outcome join(Mutator& mu, TaskRef ref, void* result, size_t bytes,
             Failure* failure) {
  using sched::G;
  if (mu.p == nullptr) TRI_MISUSE("join", "called in native code");
  G* g = sched::checked(ref, "join");
  if (g == sched::g_of(&mu)) TRI_MISUSE("join", "a task joins itself");
  sched::wait_for_end(mu, g);
  RuntimeImpl* rt = impl_of(mu);
  sched::P* p = sched::p_of(&mu);
  const Outcome outcome = g->outcome;
  if (outcome != Outcome::kValue) {
    if (bytes > 0) std::memset(result, 0, bytes);
    if (outcome == Outcome::kFailed && failure != nullptr) {
      *failure = sched::failure_of(g);
    }
  } else if (g->result_is_cell) {
    TRI_ASSERT(bytes == sizeof(void*));
    // No safepoint from here to the caller, who roots it. The store shades the
    // cell if that is needed.
    std::memcpy(result, &g->result_root, sizeof(void*));
    rt->collector->store_root(p, &g->result_root, nullptr);
  } else if (bytes > 0) {
    rt->collector->shade_native_words(p, g->result, bytes & ~size_t{7});
    std::memcpy(result, g->result, bytes);
  }
  const bool unheard = outcome == Outcome::kFailed && failure == nullptr;
  const sched::LostFailure lost =
      unheard ? sched::lost_failure(g) : sched::LostFailure{};
  sched::free_g(rt, p, g);
  if (unheard) sched::report(lost);
  return outcome;
}

void detach(TaskRef ref) {
  using sched::G;
  G* g = sched::checked(ref, "detach");
  uintptr_t joiner = sched::kJoinNone;
  // ORDER-join-1: pairs with finish_exit(). ORDER-join-2: and, if the task has
  // failed, with announce_failure().
  if (g->joiner.compare_exchange_strong_acq_rel(joiner, sched::kJoinDetached)) {
    return;
  }
  if (joiner != sched::kJoinDone && joiner != sched::kJoinFailing) {
    TRI_MISUSE("detach", "another task joins this one");
  }
  // From here on g->outcome stands, and who sees that it is detached frees it.
  const bool failed = g->outcome == Outcome::kFailed;
  const sched::LostFailure lost =
      failed ? sched::lost_failure(g) : sched::LostFailure{};
  if (joiner == sched::kJoinFailing &&
      g->joiner.compare_exchange_strong_acq_rel(joiner, sched::kJoinDetached)) {
    sched::report(lost);
    return;
  }
  TRI_ASSERT(joiner == sched::kJoinDone);
  // Nobody has read the result, so nobody needs it shaded.
  base::store_relaxed(&g->result_root, 0);
  sched::free_g(g->rt, nullptr, g);
  if (failed) sched::report(lost);
}

}  // namespace tricolor::detail
