// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Semaphore, WaitGroup and Once, see tricolor/semaphore.h. What they count is
// guarded by the lock of their queue.
#include "tricolor/semaphore.h"

#include "base/check.h"
#include "base/sched_point.h"
#include "sched/p.h"
#include "sched/wait.h"

namespace tricolor {

using sched::P;
using sched::queue_of;
using sched::Wait;
using sched::WaitNode;
using sched::WaitQueue;

namespace {

P* p_of_caller(const Mutator* mu) {
  return mu == nullptr || mu->p == nullptr ? nullptr : sched::p_of(mu);
}

// Those at the head who can have what they want, to be woken.
WaitNode* grant_locked(WaitQueue* queue, uint64_t* permits) {
  WaitNode* granted = nullptr;
  WaitNode** end = &granted;
  while (WaitNode* node = queue->list.first) {
    if (node->amount > *permits) break;
    queue->list.remove(node);
    if (!sched::end_wait(node->waiter, node->ticket)) continue;
    node->waiter->node = node;
    node->waiter->result = WaitResult::kOk;
    *permits -= node->amount;
    *end = node;
    node->next = nullptr;
    end = &node->next;
  }
  return granted;
}

}  // namespace

bool Semaphore::try_acquire(uint64_t n) {
  WaitQueue* queue = queue_of(&queue_);
  base::LockGuard guard(queue->lock);
  if (!queue->list.is_empty() || permits_ < n) return false;
  permits_ -= n;
  return true;
}

WaitResult Semaphore::acquire_any(Mutator* mu, uint64_t n, Deadline d,
                                  bool shielded) {
  TRI_SCHED_POINT(semaphore_acquire);
  sched::begin_wait(mu, "Semaphore::acquire");
  WaitQueue* queue = queue_of(&queue_);
  queue->lock.lock();
  if (queue->list.is_empty() && permits_ >= n) {
    permits_ -= n;
    queue->lock.unlock();
    return WaitResult::kOk;
  }
  if (sched::has_passed(d.at_ns)) {
    queue->lock.unlock();
    return WaitResult::kTimeout;
  }
  WaitNode node;
  node.amount = n;
  Wait how;
  how.deadline_ns = d.at_ns;
  how.shielded = shielded;
  how.reason = sched::WaitReason::kSemaphore;
  const WaitResult result =
      sched::wait_in_list(mu, &queue->lock, &queue->list, &node, &how);
  if (result == WaitResult::kOk) return result;
  // Those behind it may have waited for it alone.
  queue->lock.lock();
  WaitNode* granted = grant_locked(queue, &permits_);
  queue->lock.unlock();
  sched::wake_all(p_of_caller(mu), granted);
  return result;
}

void Semaphore::release_any(void* p, uint64_t n) {
  TRI_SCHED_POINT(semaphore_release);
  WaitQueue* queue = queue_of(&queue_);
  queue->lock.lock();
  if (__builtin_add_overflow(permits_, n, &permits_)) {
    TRI_MISUSE("Semaphore::release", "more than 2^64 permits");
  }
  WaitNode* granted = grant_locked(queue, &permits_);
  queue->lock.unlock();
  sched::wake_all(static_cast<P*>(p), granted);
}

// --- WaitGroup.

void WaitGroup::add(uint64_t n) {
  WaitQueue* queue = queue_of(&queue_);
  base::LockGuard guard(queue->lock);
  count_ += n;
}

void WaitGroup::done_any(void* p) {
  TRI_SCHED_POINT(wait_group_done);
  WaitQueue* queue = queue_of(&queue_);
  WaitNode* waiters = nullptr;
  queue->lock.lock();
  if (count_ == 0) TRI_MISUSE("WaitGroup::done", "more often than add()");
  if (--count_ == 0) {
    waiters = sched::end_all(&queue->list, WaitResult::kOk);
  }
  queue->lock.unlock();
  sched::wake_all(static_cast<P*>(p), waiters);
}

WaitResult WaitGroup::wait_any(Mutator* mu, Deadline d, bool shielded) {
  TRI_SCHED_POINT(wait_group_wait);
  sched::begin_wait(mu, "WaitGroup::wait");
  WaitQueue* queue = queue_of(&queue_);
  queue->lock.lock();
  const bool done = count_ == 0;
  if (done || sched::has_passed(d.at_ns)) {
    queue->lock.unlock();
    return done ? WaitResult::kOk : WaitResult::kTimeout;
  }
  WaitNode node;
  Wait how;
  how.deadline_ns = d.at_ns;
  how.shielded = shielded;
  how.reason = sched::WaitReason::kWaitGroup;
  return sched::wait_in_list(mu, &queue->lock, &queue->list, &node, &how);
}

// --- Once.

namespace {

// The calling task or coroutine, or thread that is none: an address.
const void* caller_of(Mutator* mu) {
  return mu == nullptr ? TRI_THIS_THREAD() : static_cast<const void*>(mu);
}

}  // namespace

bool Once::begin(Mutator* mu) {
  TRI_SCHED_POINT(once_begin);
  sched::begin_wait(mu, "Once::call");
  WaitQueue* queue = queue_of(&queue_);
  const void* const caller = caller_of(mu);
  Wait how;
  how.shielded = true;
  how.reason = sched::WaitReason::kOnce;
  for (;;) {
    queue->lock.lock();
    if (state_ != kRunning) {
      const bool runs = state_ == kNew;
      if (runs) {
        __atomic_store_n(&state_, kRunning, __ATOMIC_RELAXED);
        runner_ = caller;
      }
      queue->lock.unlock();
      return runs;
    }
    if (runner_ == caller) {
      TRI_MISUSE("Once::call", "its function calls it again");
    }
    WaitNode node;
    sched::wait_in_list(mu, &queue->lock, &queue->list, &node, &how);
  }
}

void Once::end(void* p, bool returned) {
  TRI_SCHED_POINT(once_end);
  WaitQueue* queue = queue_of(&queue_);
  queue->lock.lock();
  // Release: pairs with is_done(): publishes what the function did.
  __atomic_store_n(&state_, returned ? kDone : kNew, __ATOMIC_RELEASE);
  WaitNode* waiters = sched::end_all(&queue->list, WaitResult::kOk);
  queue->lock.unlock();
  sched::wake_all(static_cast<P*>(p), waiters);
}

}  // namespace tricolor
