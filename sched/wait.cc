// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Waiting, see sched/wait.h.
#include "sched/wait.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/os_memory.h"
#include "base/sched_point.h"
#include "heap/callback.h"
#include "sched/runtime.h"
#include "sched/tls.h"
#include "tricolor/allocate.h"

namespace tricolor::sched {

void WaitList::push(WaitNode* node) {
  node->list = this;
  node->next = nullptr;
  node->prev = last;
  (last == nullptr ? first : last->next) = node;
  last = node;
}

void WaitList::push_front(WaitNode* node) {
  node->list = this;
  node->prev = nullptr;
  node->next = first;
  (first == nullptr ? last : first->prev) = node;
  first = node;
}

void WaitList::remove(WaitNode* node) {
  TRI_ASSERT(node->list == this);
  (node->prev == nullptr ? first : node->prev->next) = node->next;
  (node->next == nullptr ? last : node->next->prev) = node->prev;
  node->list = nullptr;
}

WaitNode* end_first(WaitList* list, WaitResult result) {
  while (WaitNode* node = list->first) {
    list->remove(node);
    if (!end_wait(node->waiter, node->ticket)) continue;
    node->waiter->node = node;
    node->waiter->result = result;
    return node;
  }
  return nullptr;
}

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
  if (g == nullptr) {
    static_cast<ThreadWaiter*>(waiter)->parker.unpark();
  } else {
    ready_g(g->rt, p != nullptr && p->rt == g->rt ? p : nullptr, g, next);
  }
}

Waiter* waiter_of(Mutator& mu) { return &task_of(g_of(&mu))->waiter; }

G* task_of(G* g) {
  while (g->kind == GKind::kCoroutine && g->resumer != nullptr) g = g->resumer;
  return g;
}

bool has_passed(uint64_t deadline_ns) {
  if (deadline_ns == Deadline::kNever) return false;
  return deadline_ns == 0 || now_ns() >= deadline_ns;
}

void check_may_wait(const Mutator* mu, const char* call) {
  if (mu == nullptr) {
    const M* m = current_m();
    if (m != nullptr && m->curg != nullptr &&
        g_state(m->curg) == GState::kRunning) {
      TRI_MISUSE(call,
                 "the form without a Mutator blocks the thread, and a task or "
                 "a ManagedScope runs on this one: pass the Mutator");
    }
    return;
  }
  if (mu->p == nullptr) {
    TRI_MISUSE(call,
               "called in native code: open a ManagedScope, or end the "
               "NativeScope");
  }
  if (g_state(g_of(const_cast<Mutator*>(mu))) != GState::kRunning) {
    TRI_MISUSE(
        call,
        "the Mutator is that of a task that has resumed a coroutine, not "
        "the running coroutine's");
  }
  heap::check_no_callback(p_of(mu), call);
}

void begin_wait(Mutator* mu, const char* call) {
  check_may_wait(mu, call);
  // Tries in a loop have to come to a safepoint, too.
  if (mu != nullptr) poll(*mu);
}

void fire_deadline(RuntimeImpl*, P* p, Timer* timer, uint64_t ticket) {
  // Gs are type-stable, and the ticket says whether it is still that wait.
  G* g = g_of_deadline(timer);
  base::fence_seq_cst();  // against the commit: see wait.h
  if (!end_wait(&g->waiter, ticket)) return;
  g->waiter.node = nullptr;
  g->waiter.result = WaitResult::kTimeout;
  wake_waiter(p, &g->waiter, /*next=*/false);
}

namespace {

struct Commit {
  Wait wait;
  G* task;
  uint64_t ticket;
  bool attached;
};

void fence_against_cancel(const RuntimeImpl* rt) {
  if (rt->membarrier) {
    base::compiler_barrier();
  } else {
    base::fence_seq_cst();
  }
}

// On the scheduler's stack; an attached thread's own, in native code.
bool commit_wait(ParkedTask parked, void* ctx) {
  TRI_SCHED_POINT(wait_commit);
  // Copied: the waiter's stack is not ours after the last unlock.
  const Commit c = *static_cast<Commit*>(ctx);
  G* g = g_of(parked);
  RuntimeImpl* rt = g->rt;
  P* p = c.attached ? nullptr : g->m->p;
  Waiter* waiter = &c.task->waiter;
  Timer* deadline = deadline_of(c.task);
  // Cancelled before: the wait does not begin, and no deadline can end it
  // first.
  if (!c.wait.shielded && c.task->cancelled.load_relaxed() != 0 &&
      !TRI_PLANTED(no_cancel_recheck)) {
    waiter->word.store_release(c.ticket | kWaitEnded);
    waiter->node = nullptr;
    waiter->result = WaitResult::kCancelled;
    if (c.wait.unlock != nullptr) c.wait.unlock(p, c.wait.ctx);
    return false;
  }
  const bool timed = c.wait.deadline_ns != Wait::kNoDeadline && !c.attached;
  // First: when the word is open the waiter may be woken, and its timer another
  // wait's.
  if (timed) arm_timer(rt, p, deadline, c.wait.deadline_ns, c.ticket);
  TRI_SCHED_POINT(wait_open);
  // ORDER-wait-1: pairs with end_wait(): publishes the waiter's memory.
  waiter->word.store_release(c.ticket);
  if (timed) {
    base::fence_seq_cst();
  } else {
    fence_against_cancel(rt);
  }
  WaitResult ended = WaitResult::kOk;
  if (!c.wait.shielded && c.task->cancelled.load_relaxed() != 0 &&
      !TRI_PLANTED(no_cancel_recheck)) {
    ended = WaitResult::kCancelled;
  } else if (timed && deadline->heap.load_relaxed() == nullptr) {
    // It has fired before the word was open, or fires just now.
    ended = WaitResult::kTimeout;
  }
  const bool stays = ended == WaitResult::kOk || !end_wait(waiter, c.ticket);
  if (!stays) {
    waiter->node = nullptr;
    waiter->result = ended;
  }
  TRI_SCHED_POINT(wait_unlock);
  if (c.wait.unlock != nullptr) c.wait.unlock(p, c.wait.ctx);
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
    } else if (end_wait(waiter, c.ticket)) {
      waiter->node = nullptr;
      waiter->result = WaitResult::kTimeout;
      set_runnable_slow(g);
    } else {
      deadline_ns = Wait::kNoDeadline;  // it is being woken
    }
  }
}

}  // namespace

WaitResult wait_current(Mutator& mu, const Wait& wait) {
  G* g = g_of(&mu);
  G* task = task_of(g);
  Waiter* waiter = &task->waiter;
  Commit commit{wait, task, waiter->next_ticket(wait.shielded),
                g->m->kind == MKind::kAttached};
  waiter->sleeper = g;
  note_wait(g, wait.reason);
  if (commit.attached) {
    park_attached(
        g, commit_wait,
        [](G* g, void* ctx) { sleep_in_place(g, *static_cast<Commit*>(ctx)); },
        &commit);
  } else {
    park_holding(mu, commit_wait, &commit);
    // Unless the deadline has ended it. A fire under way is late by its ticket.
    if (wait.deadline_ns != Wait::kNoDeadline) {
      TimerHeap::disarm(deadline_of(task));
    }
  }
  TRI_ASSERT((waiter->word.load_relaxed() & kWaitEnded) != 0);
  return waiter->result;
}

WaitResult wait_thread(ThreadWaiter* waiter, const Wait& wait) {
  const uint64_t ticket = waiter->next_ticket(wait.shielded);
  // ORDER-wait-1: pairs with end_wait(): publishes the waiter's memory.
  waiter->word.store_release(ticket);
  if (wait.unlock != nullptr) wait.unlock(nullptr, wait.ctx);
  while (wait.deadline_ns != Wait::kNoDeadline) {
    const uint64_t now = now_ns();
    if (now >= wait.deadline_ns) {
      if (!end_wait(waiter, ticket)) break;
      waiter->node = nullptr;
      return waiter->result = WaitResult::kTimeout;
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

WaitResult wait_in_list(Mutator* mu, base::Mutex* lock, WaitList* list,
                        WaitNode* node,
                        const QueueWait& how) TRI_NO_THREAD_SAFETY {
  lock->assert_held();
  ThreadWaiter thread;
  node->waiter = mu != nullptr ? waiter_of(*mu) : &thread;
  node->ticket = node->waiter->next_ticket(how.shielded);
  if (how.at_front) {
    list->push_front(node);
  } else {
    list->push(node);
  }
  Wait wait;
  wait.deadline_ns = how.deadline_ns;
  wait.shielded = how.shielded;
  wait.reason = how.reason;
  wait.unlock = how.unlock != nullptr ? how.unlock : unlock_mutex;
  wait.ctx = how.unlock != nullptr ? how.ctx : lock;
  const WaitResult result =
      mu != nullptr ? wait_current(*mu, wait) : wait_thread(&thread, wait);
  if (node->waiter->node == node) return result;
  // Ended by nobody who had taken the node out; but somebody may have since.
  base::LockGuard guard(*lock);
  if (node->list != nullptr) list->remove(node);
  return result;
}

void cancel_g(RuntimeImpl* rt, P* p, G* g) {
  TRI_SCHED_POINT(cancel);
  g->cancelled.store_seq_cst(1);
  // The other side has no fence of its own where there are membarriers.
  if (!rt->membarrier || !base::os_membarrier()) base::fence_seq_cst();
  const uint64_t word = g->waiter.word.load_seq_cst();
  if ((word & (kWaitEnded | kWaitShielded)) != 0) return;
  if (!end_wait(&g->waiter, word)) return;
  g->waiter.node = nullptr;
  g->waiter.result = WaitResult::kCancelled;
  wake_waiter(p, &g->waiter, /*next=*/false);
}

}  // namespace tricolor::sched

namespace tricolor {

uint64_t now_ns() { return base::monotonic_clock().now_ns(); }

bool is_cancelled(const Mutator& mu) {
  const auto* g = reinterpret_cast<const sched::G*>(&mu);
  // Relaxed: it says nothing about anything else.
  return sched::task_of(const_cast<sched::G*>(g))->cancelled.load_relaxed() !=
         0;
}

}  // namespace tricolor
