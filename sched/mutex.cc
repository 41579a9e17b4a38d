// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Mutex and CondVar, see tricolor/mutex.h.
//
// The state of a Mutex is 0, kLocked, kLocked | kWaiters or kWaiters. kWaiters
// is set and cleared under the queue's lock only, and while it is set the fast
// paths fail, so that under that lock whoever holds the mutex may store to the
// state, but for freeing it. A waiter's node has the time it came in `amount`;
// that it has been given the mutex is said by `cell`.
#include "tricolor/mutex.h"

#include "base/check.h"
#include "base/sched_point.h"
#include "sched/p.h"
#include "sched/wait.h"

namespace tricolor {

using sched::P;
using sched::queue_of;
using sched::WaitNode;
using sched::WaitQueue;

namespace {

constexpr uint64_t kPatienceNs = 1'000'000;

}  // namespace

/// What private code may do.
struct MutexAccess {
  static constexpr uint32_t kLocked = Mutex::kLocked;
  static constexpr uint32_t kWaiters = Mutex::kWaiters;

  static uint32_t load(const Mutex& m) {
    TRI_DETAIL_STEP();
    return __atomic_load_n(&m.state_, __ATOMIC_RELAXED);
  }
  static void store(Mutex& m, uint32_t state) {
    TRI_DETAIL_STEP();
    __atomic_store_n(&m.state_, state, __ATOMIC_RELEASE);
  }
  // Under the queue's lock: true, it is the caller's; else waiters are
  // announced.
  static bool take_or_announce(Mutex& m) {
    uint32_t state = load(m);
    for (;;) {
      const bool free = (state & kLocked) == 0;
      if (!free && (state & kWaiters) != 0) return false;
      const uint32_t next = state | (free ? kLocked : kWaiters);
      TRI_DETAIL_STEP();
      if (__atomic_compare_exchange_n(&m.state_, &state, next, true,
                                      __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) {
        return free;
      }
    }
  }
  // From locked, with `waiters` as they were under the queue's lock.
  static bool try_free(Mutex& m, uint32_t waiters) {
    uint32_t locked = waiters | kLocked;
    TRI_DETAIL_STEP();
    return __atomic_compare_exchange_n(&m.state_, &locked, waiters, false,
                                       __ATOMIC_RELEASE, __ATOMIC_RELAXED);
  }
  static bool try_unlock(Mutex& m) { return m.try_unlock(); }
  static void unlock_slow(Mutex& m, void* p) { m.unlock_slow(p); }
};

WaitResult Mutex::lock_slow(Mutator* mu, Deadline deadline, bool shielded) {
  TRI_SCHED_POINT(mutex_lock_slow);
  sched::begin_wait(mu, "Mutex::lock");
  WaitQueue* queue = queue_of(&queue_);
  sched::Wait how;
  how.deadline_ns = deadline.at_ns;
  how.shielded = shielded;
  how.reason = sched::WaitReason::kMutex;
  WaitNode node;
  for (;;) {
    queue->lock.lock();
    const bool taken = MutexAccess::take_or_announce(*this);
    if (taken || sched::has_passed(deadline.at_ns)) {
      queue->lock.unlock();
      return taken ? WaitResult::kOk : WaitResult::kTimeout;
    }
    if (node.amount == 0) node.amount = now_ns();
    const WaitResult result =
        sched::wait_in_list(mu, &queue->lock, &queue->list, &node, &how);
    if (result != WaitResult::kOk || node.cell != nullptr) return result;
    how.at_front = true;  // it has been its turn
  }
}

// The step that makes it free is the last look at the Mutex: whoever locks it
// next may destroy it. So it comes behind the queue's lock. There the state was
// made to say whether anybody is listed; who announces himself since changes
// it.
void Mutex::unlock_slow(void* p) {
  TRI_SCHED_POINT(mutex_unlock_slow);
  WaitQueue* queue = queue_of(&queue_);
  WaitNode* node = nullptr;
  bool hands_on = false;
  for (bool done = false; !done;) {
    queue->lock.lock();
    if ((MutexAccess::load(*this) & kLocked) == 0) {
      TRI_MISUSE("Mutex::unlock", "it is not locked");
    }
    if (node == nullptr) {
      node = sched::end_first(&queue->list, WaitResult::kOk);
    }
    const uint32_t waiters = queue->list.is_empty() ? 0 : kWaiters;
    MutexAccess::store(*this, waiters | kLocked);
    hands_on = node != nullptr && now_ns() - node->amount > kPatienceNs;
    if (hands_on) node->cell = this;
    queue->lock.unlock();
    done = hands_on || MutexAccess::try_free(*this, waiters);
  }
  if (node != nullptr) {
    sched::wake_waiter(static_cast<P*>(p), node->waiter, hands_on);
  }
}

// --- CondVar.

namespace {

struct CondWait {
  WaitQueue* queue;
  Mutex* mutex;
};

void unlock_both(P* p, void* ctx) TRI_NO_THREAD_SAFETY {
  const CondWait wait = *static_cast<CondWait*>(ctx);
  // In this order: who has been woken already takes the queue's lock, or the
  // mutex, before it returns.
  wait.queue->lock.unlock();
  if (!MutexAccess::try_unlock(*wait.mutex)) {
    MutexAccess::unlock_slow(*wait.mutex, p);
  }
}

}  // namespace

WaitResult CondVar::wait_any(Mutator* mu, Mutex& mutex, Deadline d,
                             bool shielded) {
  TRI_SCHED_POINT(cond_wait);
  sched::begin_wait(mu, "CondVar::wait");
  if ((MutexAccess::load(mutex) & MutexAccess::kLocked) == 0) {
    TRI_MISUSE("CondVar::wait", "the mutex is not locked");
  }
  if (sched::has_passed(d.at_ns)) return WaitResult::kTimeout;
  WaitQueue* queue = queue_of(&queue_);
  CondWait wait{queue, &mutex};
  sched::Wait how;
  how.deadline_ns = d.at_ns;
  how.shielded = shielded;
  how.unlock = unlock_both;
  how.reason = sched::WaitReason::kCondVar;
  how.ctx = &wait;
  WaitNode node;
  queue->lock.lock();
  const WaitResult result =
      sched::wait_in_list(mu, &queue->lock, &queue->list, &node, &how);
  if (mu != nullptr) {
    mutex.lock(*mu);
  } else {
    mutex.lock();
  }
  return result;
}

void CondVar::notify(void* p, bool all) {
  TRI_SCHED_POINT(cond_notify);
  WaitQueue* queue = queue_of(&queue_);
  queue->lock.lock();
  WaitNode* nodes = all ? sched::end_all(&queue->list, WaitResult::kOk)
                        : sched::end_first(&queue->list, WaitResult::kOk);
  if (!all && nodes != nullptr) nodes->next = nullptr;
  queue->lock.unlock();
  sched::wake_all(static_cast<P*>(p), nodes);
}

}  // namespace tricolor
