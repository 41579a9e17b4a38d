// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Joining and detaching. G::joiner decides who frees a G that has ended:
//
//   kJoinNone --join-->   its Waiter --exit--> kJoinEnding -> kJoinDone, woken
//                         its Waiter --deadline, cancellation--> kJoinNone
//   kJoinNone --detach--> kJoinDetached --exit--> freed by the exit
//   kJoinNone --exit-->   kJoinDone --join, detach--> freed by them
//
// A result that is a cell lies in result_root from the exit to the join: all
// that time the dead G is a root (world.cc).
#include <cstring>

#include "base/check.h"
#include "base/cpu_x86_64.h"
#include "sched/runtime.h"

namespace tricolor::sched {

uintptr_t end_joiner(P* p, G* g) {
  uintptr_t joiner = g->joiner.load_relaxed();
  for (;;) {
    const bool waits = joiner != kJoinNone && joiner != kJoinDetached;
    // ORDER-join-1: pairs with join(), detach() and publish_joiner(): publishes
    // the result, sees the ticket.
    if (g->joiner.compare_exchange_weak_acq_rel(
            joiner, waits ? kJoinEnding : kJoinDone)) {
      break;
    }
  }
  if (joiner == kJoinNone || joiner == kJoinDetached) return joiner;
  const uint64_t ticket = g->joiner_ticket;
  // ORDER-join-1: as above. A joiner that is late for its own reasons may free
  // the G from here on.
  g->joiner.store_release(kJoinDone);
  auto* waiter = reinterpret_cast<Waiter*>(joiner);
  if (end_wait(waiter, ticket)) {
    waiter->node = nullptr;
    waiter->result = WaitResult::kOk;
    wake_waiter(p, waiter);
  }
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

struct JoinWait {
  G* target;
  Waiter* waiter;
  uint64_t ticket;
};

// The commit's last step: the waiter is open.
void publish_joiner(P* p, void* ctx) {
  const JoinWait join = *static_cast<JoinWait*>(ctx);
  join.target->joiner_ticket = join.ticket;
  uintptr_t none = kJoinNone;
  // ORDER-join-1: pairs with end_joiner(): publishes the ticket.
  if (join.target->joiner.compare_exchange_strong_acq_rel(
          none, reinterpret_cast<uintptr_t>(join.waiter))) {
    return;
  }
  // It has ended meanwhile.
  if (!end_wait(join.waiter, join.ticket)) return;
  join.waiter->node = nullptr;
  join.waiter->result = WaitResult::kOk;
  wake_waiter(p, join.waiter);
}

// The wait is over, and not because the task has ended. False: it has, though.
bool retract_joiner(const JoinWait& join) {
  for (;;) {
    auto joiner = reinterpret_cast<uintptr_t>(join.waiter);
    // ORDER-join-1: pairs with end_joiner(): sees the result.
    if (join.target->joiner.compare_exchange_strong_acq_rel(joiner,
                                                            kJoinNone)) {
      return true;
    }
    if (joiner == kJoinDone) return false;
    TRI_ASSERT(joiner == kJoinEnding);
    base::cpu_relax();  // end_joiner() is about to say so
  }
}

// Returns when the task has ended (kOk), or the deadline or a cancellation
// comes first.
WaitResult wait_for_end(Mutator& mu, G* target, uint64_t deadline_ns,
                        bool shielded) {
  Waiter* waiter = waiter_of(mu);
  for (;;) {
    // ORDER-join-1: pairs with end_joiner(): sees the result.
    const uintptr_t joiner = target->joiner.load_acquire();
    if (joiner == kJoinDone) return WaitResult::kOk;
    if (joiner == kJoinEnding) {
      base::cpu_relax();
      continue;
    }
    if (joiner != kJoinNone) {
      TRI_MISUSE("join", "another task joins this one already");
    }
    if (has_passed(deadline_ns)) return WaitResult::kTimeout;
    JoinWait join{target, waiter, waiter->next_ticket(shielded)};
    Wait wait;
    wait.deadline_ns = deadline_ns;
    wait.shielded = shielded;
    wait.unlock = publish_joiner;
    wait.ctx = &join;
    const WaitResult result = wait_current(mu, wait);
    if (result == WaitResult::kOk) continue;
    return retract_joiner(join) ? result : WaitResult::kOk;
  }
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
  uintptr_t joiner = sched::kJoinNone;
  // ORDER-join-1: pairs with end_joiner().
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
