// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Joining and detaching. G::joiner decides who frees a G that has ended:
//
//   kJoinNone --join-->   the waiting G --exit--> kJoinDone, readies it
//   kJoinNone --detach--> kJoinDetached --exit--> freed by the exit
//   kJoinNone --exit-->   kJoinDone --join, detach--> freed by them
//
// A result that is a cell lies in result_root from the exit to the join: all
// that time the dead G is a root (world.cc).
#include <cstring>

#include "base/check.h"
#include "sched/runtime.h"

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
  uintptr_t none = kJoinNone;
  // ORDER-join-1: pairs with finish_exit(), which readies us; false: it has
  // ended meanwhile.
  return target->joiner.compare_exchange_strong_acq_rel(
      none, reinterpret_cast<uintptr_t>(task.g));
}

void wait_for_end(Mutator& mu, G* target) {
  for (;;) {
    // ORDER-join-1: pairs with finish_exit(): sees the result.
    const uintptr_t joiner = target->joiner.load_acquire();
    if (joiner == kJoinDone) return;
    if (joiner != kJoinNone) {
      TRI_MISUSE("join", "another task joins this one already");
    }
    park_current(mu, join_commit, target, WaitReason::kJoin);
  }
}

}  // namespace
}  // namespace tricolor::sched

namespace tricolor::detail {

void join(Mutator& mu, TaskRef ref, void* result, size_t bytes) {
  using sched::G;
  if (mu.p == nullptr) TRI_MISUSE("join", "called in native code");
  G* g = sched::checked(ref, "join");
  if (g == sched::g_of(&mu)) TRI_MISUSE("join", "a task joins itself");
  sched::wait_for_end(mu, g);
  RuntimeImpl* rt = impl_of(mu);
  sched::P* p = sched::p_of(&mu);
  if (g->result_is_cell) {
    TRI_ASSERT(bytes == sizeof(void*));
    // No safepoint from here to the caller, who roots it. The store shades the
    // cell if that is needed.
    std::memcpy(result, &g->result_root, sizeof(void*));
    rt->collector->store_root(p, &g->result_root, nullptr);
  } else if (bytes > 0) {
    rt->collector->shade_native_words(p, g->result, bytes & ~size_t{7});
    std::memcpy(result, g->result, bytes);
  }
  sched::free_g(rt, p, g);
}

void detach(TaskRef ref) {
  using sched::G;
  G* g = sched::checked(ref, "detach");
  uintptr_t joiner = sched::kJoinNone;
  // ORDER-join-1: pairs with finish_exit().
  if (g->joiner.compare_exchange_strong_acq_rel(joiner, sched::kJoinDetached)) {
    return;
  }
  if (joiner != sched::kJoinDone) {
    TRI_MISUSE("detach", "another task joins this one");
  }
  // Nobody has read the result, so nobody needs it shaded.
  base::store_relaxed(&g->result_root, 0);
  sched::free_g(g->rt, nullptr, g);
}

}  // namespace tricolor::detail
