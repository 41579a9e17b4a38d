// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// RwMutex, see tricolor/mutex.h.
//
// kWaiters is set while anybody is listed, and cleared under the queue's lock.
// While it is set nobody takes the lock but by being given it, in the order of
// the list: hand_on(), under the queue's lock. Whoever leaves last calls that:
//
//   a reader that leaves              hand_on
//   1. state -= kReader               1. reads the state
//   2. what is left is kWaiters       2. readers left: the writer at the head
//      alone: hand_on()                  stays
//
// Both are on one word, so either 1 (right) comes after the last 1 (left), or
// that reader sees kWaiters alone and comes.
#include "base/check.h"
#include "base/sched_point.h"
#include "sched/p.h"
#include "sched/wait.h"
#include "tricolor/mutex.h"

namespace tricolor {

using sched::P;
using sched::queue_of;
using sched::WaitNode;
using sched::WaitQueue;

struct RwMutexAccess {
  static constexpr uint32_t kWriter = RwMutex::kWriter;
  static constexpr uint32_t kWaiters = RwMutex::kWaiters;
  static constexpr uint32_t kReader = RwMutex::kReader;

  static uint32_t load(const RwMutex& m) {
    TRI_DETAIL_STEP();
    return __atomic_load_n(&m.state_, __ATOMIC_ACQUIRE);
  }
  static bool try_change(RwMutex& m, uint32_t& from, uint32_t to) {
    TRI_DETAIL_STEP();
    return __atomic_compare_exchange_n(&m.state_, &from, to, true,
                                       __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
  }
  static uint32_t add(RwMutex& m, uint32_t delta) {
    TRI_DETAIL_STEP();
    return __atomic_add_fetch(&m.state_, delta, __ATOMIC_ACQ_REL);
  }

  /// Takes it if nobody has it who may not have it beside `mode`.
  static bool try_take(RwMutex& m, uint32_t mode, uint32_t obstacles) {
    uint32_t state = load(m);
    while ((state & obstacles) == 0) {
      if (try_change(m, state, state + mode)) return true;
    }
    return false;
  }
  /// Under the queue's lock: the same, or kWaiters is set.
  static bool take_or_announce(RwMutex& m, uint32_t mode, bool alone) {
    const uint32_t obstacles = mode == kReader ? kWriter : ~kWaiters;
    uint32_t state = load(m);
    for (;;) {
      const bool free = alone && (state & obstacles) == 0;
      if (!free && (state & kWaiters) != 0) return false;
      if (try_change(m, state, free ? state + mode : state | kWaiters)) {
        return free;
      }
    }
  }

  /// Gives it to those at the head of the list who can have it. Returns them,
  /// to be woken.
  static WaitNode* hand_on(RwMutex& m, WaitQueue* queue) {
    queue->lock.assert_held();
    WaitNode* given = nullptr;
    WaitNode** end = &given;
    while (WaitNode* node = queue->list.first) {
      const auto mode = static_cast<uint32_t>(node->amount);
      const uint32_t state = load(m);
      if ((state & (mode == kReader ? kWriter : ~kWaiters)) != 0) break;
      queue->list.remove(node);
      if (!sched::end_wait(node->waiter, node->ticket)) continue;
      node->waiter->node = node;
      node->waiter->result = WaitResult::kOk;
      add(m, mode);
      *end = node;
      node->next = nullptr;
      end = &node->next;
    }
    uint32_t state = load(m);
    while (queue->list.is_empty() && (state & kWaiters) != 0) {
      if (try_change(m, state, state & ~kWaiters)) break;
    }
    return given;
  }

  static void pass_on(RwMutex& m, P* p) {
    WaitQueue* queue = queue_of(&m.queue_);
    queue->lock.lock();
    WaitNode* given = hand_on(m, queue);
    queue->lock.unlock();
    sched::wake_all(p, given);
  }
};

WaitResult RwMutex::lock_any(Mutator* mu, uint32_t mode, Deadline d,
                             bool shielded) {
  TRI_SCHED_POINT(rw_lock);
  const uint32_t obstacles = mode == kReader ? kWriter | kWaiters : ~0u;
  if (RwMutexAccess::try_take(*this, mode, obstacles)) return WaitResult::kOk;
  sched::begin_wait(mu, "RwMutex::lock");
  WaitQueue* queue = queue_of(&queue_);
  queue->lock.lock();
  const bool taken =
      RwMutexAccess::take_or_announce(*this, mode, queue->list.is_empty());
  if (taken || sched::has_passed(d.at_ns)) {
    WaitNode* given = RwMutexAccess::hand_on(*this, queue);
    queue->lock.unlock();
    sched::wake_all(mu == nullptr ? nullptr : sched::p_of(mu), given);
    return taken ? WaitResult::kOk : WaitResult::kTimeout;
  }
  WaitNode node;
  node.amount = mode;
  sched::Wait how;
  how.deadline_ns = d.at_ns;
  how.shielded = shielded;
  how.reason = sched::WaitReason::kRwMutex;
  const WaitResult result =
      sched::wait_in_list(mu, &queue->lock, &queue->list, &node, &how);
  // Those behind it may have waited for it alone.
  if (result != WaitResult::kOk) {
    RwMutexAccess::pass_on(*this, mu == nullptr ? nullptr : sched::p_of(mu));
  }
  return result;
}

void RwMutex::unlock_any(void* p, uint32_t mode) {
  TRI_SCHED_POINT(rw_unlock);
  const uint32_t before = RwMutexAccess::load(*this);
  if (mode == kReader ? before < kReader : (before & kWriter) == 0) {
    TRI_MISUSE("RwMutex::unlock", "it is not locked so");
  }
  const uint32_t left = RwMutexAccess::add(*this, 0 - mode);
  if (left == kWaiters) {
    RwMutexAccess::pass_on(*this, static_cast<P*>(p));
  }
}

}  // namespace tricolor
