// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Joining and detaching. G::joiner decides who frees a G that has ended, and
// whether somebody has ever waited for that, in join_queue:
//
//   kJoinNone --join-->   kJoinWaited --exit--> kJoinDone, wakes who waits
//   kJoinWaited --detach--> kJoinDetached (the joiner has given up)
//   kJoinNone --detach--> kJoinDetached --exit--> freed by the exit
//   kJoinNone --exit-->   kJoinDone --join, detach--> freed by them
//
// A result that is a cell lies in result_root from the exit to the join: all
// that time the dead G is a root (world.cc).
#include <cstring>

#include "base/check.h"
#include "sched/runtime.h"

namespace tricolor::sched {

uint32_t end_joiner(P* p, G* g) {
  // ORDER-join-1: pairs with join() and detach(): publishes the result.
  const uint32_t joiner = g->joiner.exchange_acq_rel(kJoinDone);
  if (joiner != kJoinWaited) return joiner;
  // A joiner whose patience ends just now may take the result and free the G,
  // which then is another task's. Its joiner, woken for nothing, waits again.
  g->join_queue.lock.lock();
  WaitNode* waiters = end_all(&g->join_queue.list, WaitResult::kOk);
  g->join_queue.lock.unlock();
  if (waiters != nullptr) wake_waiter(p, waiters->waiter);  // one at most
  return joiner;
}

namespace {

G* checked(detail::TaskRef ref, const char* call) {
  G* g = static_cast<G*>(ref.g);
  if (g == nullptr) TRI_MISUSE(call, "the Task is empty");
  if (g->id.load_relaxed() != ref.id) {
    TRI_MISUSE(call, "the Task has been joined or detached before");
  }
  return g;
}

// Says under the lock that somebody waits; false: it has ended.
bool announce_joiner(G* target) {
  uint32_t joiner = kJoinNone;
  // ORDER-join-1: pairs with end_joiner(): sees the result.
  if (target->joiner.compare_exchange_strong_acq_rel(joiner, kJoinWaited)) {
    return true;
  }
  if (joiner == kJoinWaited && target->join_queue.list.is_empty()) return true;
  if (joiner == kJoinDone) return false;
  TRI_MISUSE("join", "another task joins this one already");
}

// Returns when the task has ended (kOk), or the deadline or a cancellation
// comes first.
WaitResult wait_for_end(Mutator& mu, G* target, uint64_t deadline_ns,
                        bool shielded) {
  WaitQueue& queue = target->join_queue;
  QueueWait how;
  how.deadline_ns = deadline_ns;
  how.shielded = shielded;
  for (;;) {
    // ORDER-join-1: pairs with end_joiner(): sees the result.
    if (target->joiner.load_acquire() == kJoinDone) return WaitResult::kOk;
    if (has_passed(deadline_ns)) return WaitResult::kTimeout;
    queue.lock.lock();
    if (!announce_joiner(target)) {
      queue.lock.unlock();
      return WaitResult::kOk;
    }
    WaitNode node;
    const WaitResult result =
        wait_in_list(&mu, &queue.lock, &queue.list, &node, how);
    if (result != WaitResult::kOk) return result;
  }
}

bool is_joined(G* g) {
  base::LockGuard guard(g->join_queue.lock);
  return !g->join_queue.list.is_empty();
}

G* joinable(Mutator& mu, detail::TaskRef ref, const char* call) {
  if (mu.p == nullptr) TRI_MISUSE(call, "called in native code");
  G* g = checked(ref, call);
  if (g == g_of(&mu)) TRI_MISUSE(call, "a task joins itself");
  return g;
}

}  // namespace
}  // namespace tricolor::sched

namespace tricolor::detail {

void join(Mutator& mu, TaskRef ref, void* result, size_t bytes) {
  sched::G* g = sched::joinable(mu, ref, "join");
  sched::wait_for_end(mu, g, Deadline::kNever, /*shielded=*/true);
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

WaitResult wait_for(Mutator& mu, TaskRef ref, Deadline deadline) {
  sched::G* g = sched::joinable(mu, ref, "wait_for");
  return sched::wait_for_end(mu, g, deadline.at_ns, /*shielded=*/false);
}

void cancel(TaskRef ref) {
  sched::G* g = sched::checked(ref, "cancel");
  sched::cancel_g(g->rt, nullptr, g);
}

void detach(TaskRef ref) {
  using sched::G;
  G* g = sched::checked(ref, "detach");
  for (uint32_t joiner = g->joiner.load_acquire();
       joiner != sched::kJoinDone;) {
    if (joiner == sched::kJoinWaited && sched::is_joined(g)) {
      TRI_MISUSE("detach", "another task joins this one");
    }
    // ORDER-join-1: pairs with end_joiner().
    if (g->joiner.compare_exchange_strong_acq_rel(joiner,
                                                  sched::kJoinDetached)) {
      return;
    }
  }
  // Nobody has read the result, so nobody needs it shaded.
  base::store_relaxed(&g->result_root, 0);
  sched::free_g(g->rt, nullptr, g);
}

}  // namespace tricolor::detail
