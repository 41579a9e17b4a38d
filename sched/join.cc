// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Joining and detaching. G::joiner decides who frees a G that has ended, and
// whether somebody has ever waited for that, in join_queue:
//
//   join, wait_for   adds kJoinWaited, and is listed
//   failure          adds kJoinFailing: see task_end.h
//   exit             -> kJoinDone; wakes who waits; frees the G if it was
//                    kJoinDetached
//   detach           -> kJoinDetached; kJoinDone: frees the G
//   join             kJoinDone: frees the G
//
// A result that is a cell lies in result_root from the exit to the join: all
// that time the dead G is a root (world.cc).
#include <cstring>

#include "base/check.h"
#include "sched/company.h"
#include "sched/quick.h"
#include "sched/runtime.h"
#include "sched/task_end.h"
#include "sched/tls.h"
#include "tricolor/allocate.h"

namespace tricolor::sched {

namespace {

// The word, and kJoinDone from now on. Alone, the others who change it are on
// this P, or come with company (detach).
inline uint32_t exchange_for_done(P* p, G* g) {
  if (TRI_LIKELY(p->runq.is_solo()) && enter_alone(p)) {
    const uint32_t joiner = g->joiner.load_acquire();
    // ORDER-join-1: pairs with join() and detach(): publishes the result.
    g->joiner.store_release(kJoinDone);
    leave_alone(p);
    return joiner;
  }
  // ORDER-join-1: as above.
  return g->joiner.exchange_acq_rel(kJoinDone);
}

}  // namespace

uint32_t end_joiner(P* p, G* g) {
  const uint32_t joiner = exchange_for_done(p, g);
  if ((joiner & kJoinWaited) == 0) return joiner;
  // A joiner whose patience ends just now may take the result and free the G,
  // which then is another task's. Its joiner, woken for nothing, waits again.
  g->join_queue.lock.lock();
  WaitNode* waiters = end_all(&g->join_queue.list, WaitResult::kOk);
  g->join_queue.lock.unlock();
  // One at most. Next: of many the one that was spawned, and is joined, first
  // has ended last.
  if (waiters != nullptr) wake_waiter(p, waiters->waiter, /*next=*/true);
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
  uint32_t joiner = target->joiner.load_acquire();
  do {
    if (joiner == kJoinDone) return false;
    if ((joiner & kJoinWaited) != 0 && !target->join_queue.list.is_empty()) {
      TRI_MISUSE("join", "another task joins this one already");
    }
    // ORDER-join-1: pairs with end_joiner(): sees the result.
  } while (!target->joiner.compare_exchange_weak_acq_rel(joiner,
                                                         joiner | kJoinWaited));
  return true;
}

// Returns when the task has ended (kOk), or the deadline or a cancellation
// comes first.
WaitResult wait_for_end(Mutator& mu, G* target, uint64_t deadline_ns,
                        bool shielded) {
  check_managed(mu, "join");
  poll(mu);  // tries in a loop have to come to a safepoint, too
  // ORDER-join-1: pairs with end_joiner(): sees the result.
  if (target->joiner.load_acquire() == kJoinDone) return WaitResult::kOk;
  WaitQueue& queue = target->join_queue;
  Wait how;
  how.deadline_ns = deadline_ns;
  how.shielded = shielded;
  how.reason = WaitReason::kJoin;
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
        wait_in_list(&mu, &queue.lock, &queue.list, &node, &how);
    if (result != WaitResult::kOk) return result;
  }
}

bool is_joined(G* g) {
  base::LockGuard guard(g->join_queue.lock);
  return !g->join_queue.list.is_empty();
}

G* joinable(Mutator& mu, detail::TaskRef ref, const char* call) {
  if (mu.p == nullptr) sched::misused_mutator(mu, call);
  G* g = checked(ref, call);
  if (TRI_UNLIKELY(g->rt != impl_of(mu))) {
    TRI_MISUSE(call, "the task is one of another runtime");
  }
  if (g == task_of(g_of(&mu))) TRI_MISUSE(call, "a task joins itself");
  return g;
}

}  // namespace
}  // namespace tricolor::sched

namespace tricolor::detail {

Outcome join(Mutator& mu, TaskRef ref, void* result, size_t bytes,
             Failure* failure) {
  sched::G* g = sched::joinable(mu, ref, "join");
  sched::wait_for_end(mu, g, Deadline::kNever, /*shielded=*/true);
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

WaitResult wait_for(Mutator& mu, TaskRef ref, Deadline deadline) {
  sched::G* g = sched::joinable(mu, ref, "wait_for");
  return sched::wait_for_end(mu, g, deadline.at_ns, /*shielded=*/false);
}

void cancel(TaskRef ref) {
  if (ref.g == nullptr) TRI_MISUSE("cancel", "the Task is empty");
  auto* g = static_cast<sched::G*>(ref.g);
  sched::cancel_g(g->rt, nullptr, g, ref.id);
}

namespace {

void detach_task(sched::G* g) {
  uint32_t joiner = g->joiner.load_acquire();
  sched::LostFailure lost{};
  while (joiner != sched::kJoinDone) {
    if ((joiner & sched::kJoinWaited) != 0 && sched::is_joined(g)) {
      TRI_MISUSE("detach", "another task joins this one");
    }
    const bool failing = (joiner & sched::kJoinFailing) != 0;
    if (failing) lost = sched::lost_failure(g);
    // ORDER-join-1: pairs with end_joiner(). ORDER-join-2: and, if the task has
    // failed, with announce_failure().
    if (g->joiner.compare_exchange_strong_acq_rel(joiner,
                                                  sched::kJoinDetached)) {
      if (failing) sched::report(lost);
      return;
    }
  }
  // It has ended: ours to free. Nobody has read the result, so nobody needs it
  // shaded.
  const bool failed = g->outcome == Outcome::kFailed;
  if (failed) lost = sched::lost_failure(g);
  base::store_relaxed(&g->result_root, 0);
  sched::free_g(g->rt, nullptr, g);
  if (failed) sched::report(lost);
}

// Whether the calling thread runs managed code of the runtime, and so is where
// sections of company.h are.
bool runs_managed(const RuntimeImpl* rt) {
  const sched::M* m = sched::current_m_of(rt);
  return m != nullptr && m->p != nullptr && m->curg != nullptr &&
         sched::g_state(m->curg) == sched::GState::kRunning;
}

}  // namespace

void detach(TaskRef ref) {
  sched::G* g = sched::checked(ref, "detach");
  if (runs_managed(g->rt)) return detach_task(g);
  const sched::CompanyScope company(g->rt);
  detach_task(g);
}

}  // namespace tricolor::detail
