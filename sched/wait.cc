// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Waiting, see sched/wait.h.
#include "sched/wait.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/os_memory.h"
#include "base/sched_point.h"
#include "sched/company.h"
#include "sched/quick.h"
#include "sched/runtime.h"
#include "sched/tls.h"
#include "tricolor/allocate.h"

namespace tricolor::sched {

WaitNode* end_all(WaitList* list, WaitResult result) {
  WaitNode* all = nullptr;
  WaitNode** end = &all;
  while (WaitNode* node = end_first(list, result)) {
    *end = node;
    node->next = nullptr;
    end = &node->next;
  }
  return all;
}

void wake_all(P* p, WaitNode* nodes) {
  while (nodes != nullptr) {
    WaitNode* node = nodes;
    nodes = node->next;
    wake_waiter(p, node->waiter, /*next=*/false);
  }
}

void wake_waiter(P* p, Waiter* waiter, bool next) {
  G* g = waiter->sleeper;
  if (TRI_UNLIKELY(g == nullptr)) {
    static_cast<ThreadWaiter*>(waiter)->parker.unpark();
  } else {
    ready_g(g->rt, p != nullptr && p->rt == g->rt ? p : nullptr, g, next);
  }
}

bool has_passed(uint64_t deadline_ns) {
  if (deadline_ns == Deadline::kNever) return false;
  return deadline_ns == 0 || now_ns() >= deadline_ns;
}

namespace {

TRI_NOINLINE void check_plain_thread(const char* call) {
  const M* m = current_m();
  if (m != nullptr && m->curg != nullptr &&
      g_state(m->curg) == GState::kRunning) {
    TRI_MISUSE(call,
               "the form without a Mutator blocks the thread, and a task or "
               "a ManagedScope runs on this one: pass the Mutator");
  }
}

}  // namespace

void check_may_wait(const Mutator* mu, const char* call) {
  if (mu == nullptr) return check_plain_thread(call);
  check_managed(*mu, call);
}

void begin_wait(Mutator* mu, const char* call) {
  check_may_wait(mu, call);
  // Tries in a loop have to come to a safepoint, too.
  if (mu != nullptr) poll(*mu);
}

namespace {

// end_wait() by a deadline or a cancellation.
bool end_without_node(Waiter* waiter, uint64_t ticket, WaitResult result) {
  if (!end_wait(waiter, ticket)) return false;
  waiter->node = nullptr;
  waiter->result = result;
  return true;
}

}  // namespace

void fire_deadline(RuntimeImpl*, P* p, Timer* timer, uint64_t ticket) {
  // Gs are type-stable, and the ticket says whether it is still that wait.
  G* g = g_of_deadline(timer);
  base::fence_seq_cst();  // against the commit: see wait.h
  if (end_without_node(&g->waiter, ticket, WaitResult::kTimeout)) {
    wake_waiter(p, &g->waiter, /*next=*/false);
  }
}

namespace {

struct Commit {
  const Wait& wait;
  G* task;
  uint64_t ticket;
};

void fence_against_cancel(const RuntimeImpl* rt) {
  if (TRI_LIKELY(rt->membarrier)) {
    base::compiler_barrier();
  } else {
    base::fence_seq_cst();
  }
}

// Looks again when the word is open, as cancel_g() does from the other side.
inline bool ends_cancelled(bool shielded, const G* task) {
  return TRI_UNLIKELY(!shielded && is_cancelled(task)) &&
         !TRI_PLANTED(no_cancel_recheck);
}

// Opens the word of a wait with a deadline; false: it is over.
TRI_NOINLINE bool open_timed(RuntimeImpl* rt, P* p, const Commit& c) {
  Waiter* waiter = &c.task->waiter;
  Timer* deadline = deadline_of(c.task);
  G* task = c.task;
  const uint64_t ticket = c.ticket;
  const bool shielded = c.wait.shielded;
  // First: when the word is open the waiter may be woken, and its timer another
  // wait's.
  arm_timer(rt, p, deadline, c.wait.deadline_ns, ticket);
  TRI_SCHED_POINT(wait_open);
  // ORDER-wait-1: pairs with end_wait(): publishes the waiter's memory.
  waiter->word.store_release(ticket);
  base::fence_seq_cst();
  if (ends_cancelled(shielded, task)) {
    return !end_without_node(waiter, ticket, WaitResult::kCancelled);
  }
  // In no heap: it has fired before the word was open, or fires just now.
  return deadline->heap.load_relaxed() != nullptr ||
         !end_without_node(waiter, ticket, WaitResult::kTimeout);
}

inline bool open_untimed(RuntimeImpl* rt, const Commit& c) {
  Waiter* waiter = &c.task->waiter;
  const G* task = c.task;
  const uint64_t ticket = c.ticket;
  const bool shielded = c.wait.shielded;
  TRI_SCHED_POINT(wait_open);
  // ORDER-wait-1: pairs with end_wait(): publishes the waiter's memory.
  waiter->word.store_release(ticket);
  fence_against_cancel(rt);
  if (ends_cancelled(shielded, task)) {
    return !end_without_node(waiter, ticket, WaitResult::kCancelled);
  }
  return true;
}

// On the stack of whoever came next; an attached thread's own, in native code,
// and without a P. c and its Wait are the waiter's, and not to be read when the
// word is open. False: the wait is over.
inline bool commit_wait(RuntimeImpl* rt, P* p, const Commit& c) {
  TRI_SCHED_POINT(wait_commit);
  void (*const unlock)(P*, void*) = c.wait.unlock;
  void* const unlock_ctx = c.wait.ctx;
  bool stays;
  if (ends_cancelled(c.wait.shielded, c.task)) {
    // Before it has begun: then no deadline can end it first.
    Waiter* waiter = &c.task->waiter;
    waiter->word.store_release(c.ticket | kWaitEnded);
    waiter->node = nullptr;
    waiter->result = WaitResult::kCancelled;
    stays = false;
  } else if (c.wait.deadline_ns != Wait::kNoDeadline && p != nullptr) {
    stays = open_timed(rt, p, c);
  } else {
    stays = open_untimed(rt, c);
  }
  TRI_SCHED_POINT(wait_unlock);
  if (unlock != nullptr) unlock(p, unlock_ctx);
  return stays;
}

// The thread sleeps by itself: it may be the only one there is.
void sleep_in_place(G* g, const Commit& c) {
  Waiter* waiter = &c.task->waiter;
  uint64_t deadline_ns = c.wait.deadline_ns;
  while (g_state(g) != GState::kRunnable) {
    if (deadline_ns == Wait::kNoDeadline) {
      g->m->parker.park();
      continue;
    }
    const uint64_t now = g->rt->clock.now_ns();
    if (now < deadline_ns) {
      g->m->parker.park_for(static_cast<int64_t>(deadline_ns - now));
    } else if (end_without_node(waiter, c.ticket, WaitResult::kTimeout)) {
      set_runnable_slow(g);
    } else {
      deadline_ns = Wait::kNoDeadline;  // it is being woken
    }
  }
}

}  // namespace

void finish_wait(M* m, G* g) {
  P* p = m->p;
  const Commit& c = *static_cast<Commit*>(m->commit_ctx);
  set_state(g, GState::kRunning, GState::kWaiting);
  // From here on the G may run elsewhere as soon as its word is open.
  if (TRI_LIKELY(commit_wait(m->rt, p, c))) return;
  set_runnable(p, g);
  // Not next: who is cancelled and waits again would keep out all others.
  submit_quick(p, g, /*next=*/false);
}

WaitResult wait_current(Mutator& mu, const Wait& wait) {
  G* g = g_of(&mu);
  G* task = task_of(g);
  Waiter* waiter = &task->waiter;
  const bool timed = wait.deadline_ns != Wait::kNoDeadline;
  Commit commit{wait, task, waiter->next_ticket(wait.shielded, timed)};
  waiter->sleeper = g;
  note_wait(g, wait.reason);
  if (TRI_UNLIKELY(g->m->kind == MKind::kAttached)) {
    park_attached(
        g,
        [](ParkedTask parked, void* ctx) {
          return commit_wait(g_of(parked)->rt, nullptr,
                             *static_cast<Commit*>(ctx));
        },
        [](G* g, void* ctx) { sleep_in_place(g, *static_cast<Commit*>(ctx)); },
        &commit);
  } else {
    g->m->commit_ctx = &commit;
    leave_for_next<After::kWait>(g);
    // Unless the deadline has ended it. A fire under way is late by its ticket.
    if (timed) TimerHeap::disarm(deadline_of(task));
  }
  TRI_ASSERT((waiter->word.load_relaxed() & kWaitEnded) != 0);
  return waiter->result;
}

WaitResult wait_thread(ThreadWaiter* waiter, const Wait& wait) {
  const uint64_t ticket =
      waiter->next_ticket(wait.shielded, wait.deadline_ns != Wait::kNoDeadline);
  // ORDER-wait-1: pairs with end_wait(): publishes the waiter's memory.
  waiter->word.store_release(ticket);
  if (wait.unlock != nullptr) wait.unlock(nullptr, wait.ctx);
  while (wait.deadline_ns != Wait::kNoDeadline) {
    const uint64_t now = now_ns();
    if (now >= wait.deadline_ns) {
      if (!end_without_node(waiter, ticket, WaitResult::kTimeout)) break;
      return waiter->result;
    }
    if (waiter->parker.park_for(static_cast<int64_t>(wait.deadline_ns - now))) {
      return waiter->result;
    }
  }
  waiter->parker.park();
  return waiter->result;
}

namespace {

void unlock_mutex(P*, void* mutex) TRI_NO_THREAD_SAFETY {
  static_cast<base::Mutex*>(mutex)->unlock();
}

}  // namespace

TRI_NOINLINE void take_out(base::Mutex* lock, WaitList* list, WaitNode* node) {
  base::LockGuard guard(*lock);
  if (node->list != nullptr) list->remove(node);
}

namespace {

inline void list_node(WaitList* list, WaitNode* node, Waiter* waiter,
                      const Wait& how) {
  node->waiter = waiter;
  node->ticket =
      waiter->next_ticket(how.shielded, how.deadline_ns != Wait::kNoDeadline);
  if (how.at_front) {
    list->push_front(node);
  } else {
    list->push(node);
  }
}

TRI_NOINLINE WaitResult wait_thread_in_list(base::Mutex* lock, WaitList* list,
                                            WaitNode* node, const Wait& how) {
  ThreadWaiter thread;
  list_node(list, node, &thread, how);
  const WaitResult result = wait_thread(&thread, how);
  if (thread.node != node) take_out(lock, list, node);
  return result;
}

}  // namespace

WaitResult wait_in_list(Mutator* mu, base::Mutex* lock, WaitList* list,
                        WaitNode* node, Wait* how) TRI_NO_THREAD_SAFETY {
  if (how->unlock == nullptr) {
    how->unlock = unlock_mutex;
    how->ctx = lock;
  }
  if (TRI_UNLIKELY(mu == nullptr)) {
    return wait_thread_in_list(lock, list, node, *how);
  }
  Waiter* waiter = waiter_of(*mu);
  list_node(list, node, waiter, *how);
  const WaitResult result = wait_current(*mu, *how);
  if (TRI_UNLIKELY(waiter->node != node)) take_out(lock, list, node);
  return result;
}

// The task may end meanwhile and its G be another's. Nothing of that one
// changes: the tag is the id's; and the word that a wait is ended by was read
// while the id was still the task's.
void cancel_g(RuntimeImpl* rt, P* p, G* g, uint64_t id) {
  TRI_SCHED_POINT(cancel);
  uint32_t before = g->cancelled.load_relaxed();
  do {
    if (g->id.load_seq_cst() != id) return;
    // A late tag, of an earlier task, may have come in between: again.
  } while (
      !g->cancelled.compare_exchange_strong_acq_rel(before, cancel_tag(id)));
  // Who ends waits alone does not expect this. And the other side has no fence
  // of its own where there are membarriers.
  const CompanyScope company(rt);
  if (!rt->membarrier || !base::os_membarrier()) base::fence_seq_cst();
  const uint64_t word = g->waiter.word.load_seq_cst();
  if ((word & (kWaitEnded | kWaitShielded)) != 0) return;
  if (g->id.load_seq_cst() != id) return;
  if (end_without_node(&g->waiter, word, WaitResult::kCancelled)) {
    wake_waiter(p, &g->waiter, /*next=*/false);
  }
}

}  // namespace tricolor::sched

namespace tricolor {

uint64_t now_ns() { return base::monotonic_clock().now_ns(); }

CancelHandle cancel_handle(Mutator& mu) {
  sched::G* g = sched::task_of(sched::g_of(&mu));
  return CancelHandle(detail::TaskRef{g, g->id.load_relaxed()});
}

bool is_cancelled(const Mutator& mu) {
  const auto* g = reinterpret_cast<const sched::G*>(&mu);
  // Relaxed: it says nothing about anything else.
  return sched::is_cancelled(sched::task_of(const_cast<sched::G*>(g)));
}

}  // namespace tricolor
