// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Waiting for something: the ground under channels, mutexes, timers, joins.
//
// Who waits has a Waiter, which a G has for life; a thread that is not attached
// has one on its stack. Each wait has a ticket. Several parties may want to end
// the same wait: the other side of a channel, a deadline, a cancellation.
// Whoever changes the word from the ticket to the ticket with kEnded has ended
// it, alone; all others see that they are late, whatever the Waiter does by
// then, for no ticket comes twice.
//
//   word = number << 3 | kTimed? | kShielded? | kEnded?
//
//   kEnded --open (commit)--> open, next number --end_wait, once--> kEnded
//
// Between, for what it waits for, there are WaitNodes on the waiter's stack, in
// the queues of one or more objects. A node is read and written under the lock
// of its queue. The order of things:
//
//   waiter                                 who ends it by a node
//   1. locks the queues                    1. locks the queue
//   2. looks; adds its nodes               2. takes a node out
//   3. leaves its stack                    3. end_wait(): late? the next node
//   4. commit: arms the deadline; opens    4. writes result and value
//      the word; cancelled? unlocks        5. unlocks; wakes the waiter
//   5. runs again; takes out, under their
//      locks, the nodes that are left
//
// A node is found only after 4 (left) has unlocked, when the waiter has left
// its stack, so it may be woken at once. Who ends it by deadline or
// cancellation has no lock: the word is opened by the commit, too, after the
// waiter has left its stack. If the wait was ended by a node that was taken
// out, nobody has the waiter's other nodes but under locks it takes in 5, so
// that its stack is not used any more when it returns. For the same reason the
// commit reads nothing from that stack behind its last unlock.
//
// Cancelling against waiting:
//
//   commit                          cancel()
//   1. opens the word               1. sets the flag
//   2. compiler barrier             2. membarrier: a fence in every thread
//   3. reads the flag               3. reads the word; open: ends the wait
//
// The deadline against the commit. The timer is armed before the word is open,
// because behind that the task may be awake and in its next wait, which has the
// same timer. So it may fire too early:
//
//   commit                          who fires it
//   1. arms; opens the word         1. takes the timer out of its heap
//   2. fence                        2. fence
//   3. reads where the timer is;    3. end_wait(): not open: leaves it
//      in no heap: ends the wait
//
// With one P and no company (company.h) the waiter commits before it leaves its
// stack: whoever comes from outside waits for the end of the section, and then
// can make the task runnable, but nobody can run it, for its thread holds the
// only P, nor scan it, for that begins in a stop.
//
// Values. What is handed to a waiter is copied to its stack; the cell in it
// goes to its G's wait_root, by a barriered store, because nothing else holds
// it until the waiter runs. What a waiting sender holds out is in its own
// wait_root or scope. Taking it from there is like taking it out of a cell: the
// deletion half shades it (channel.cc).
//
// Threads: any.
#ifndef TRICOLOR_SCHED_WAIT_H_
#define TRICOLOR_SCHED_WAIT_H_

#include <cstddef>
#include <cstdint>

#include "base/atomics.h"
#include "base/check.h"
#include "base/lock.h"
#include "base/parker.h"
#include "base/sched_point.h"
#include "sched/timers.h"
#include "sched/wait_reason.h"
#include "tricolor/wait.h"

namespace tricolor::sched {

struct G;
struct M;
struct P;
struct WaitNode;
struct WaitList;

inline constexpr uint64_t kWaitEnded = 1;
inline constexpr uint64_t kWaitShielded = 2;
inline constexpr uint64_t kWaitTimed = 4;  ///< a deadline may end it
inline constexpr uint64_t kWaitNumber = 8;

struct Waiter {
  base::Atomic<uint64_t> word{kWaitEnded};
  /// Who sleeps: the task, or the coroutine that it is in; null: a thread.
  /// Written by the waiter before the word is opened.
  G* sleeper = nullptr;
  /// The node by which the wait was ended; null: deadline, cancellation, or no
  /// node was needed. Written, as `result`, by who ended it, before the wake.
  WaitNode* node = nullptr;
  WaitResult result = WaitResult::kOk;

  uint64_t next_ticket(bool shielded, bool timed) const {
    const uint64_t word_now = word.load_relaxed();  // ended: the owner's
    return (word_now / kWaitNumber + 1) * kWaitNumber +
           (shielded ? kWaitShielded : 0) + (timed ? kWaitTimed : 0);
  }
};

/// A thread that is not attached.
struct ThreadWaiter : Waiter {
  base::Parker parker;
};

/// One thing that somebody waits for. Guarded by the queue's lock; who has
/// taken it out and ended the wait may use it until the wake.
struct WaitNode {
  WaitNode* next = nullptr;
  WaitNode* prev = nullptr;
  WaitList* list = nullptr;  ///< null: in none
  Waiter* waiter = nullptr;
  uint64_t ticket = 0;
  void* bytes = nullptr;  ///< the value's place
  void* cell = nullptr;   ///< the owner's
  uint64_t amount = 0;    ///< the owner's: units, mode, number of a case
};

/// First come, first served.
struct WaitList {
  WaitNode* first = nullptr;
  WaitNode* last = nullptr;

  bool is_empty() const { return first == nullptr; }
  void push(WaitNode* node) {
    node->list = this;
    node->next = nullptr;
    node->prev = last;
    (last == nullptr ? first : last->next) = node;
    last = node;
  }
  void push_front(WaitNode* node) {
    node->list = this;
    node->prev = nullptr;
    node->next = first;
    (first == nullptr ? last : first->prev) = node;
    first = node;
  }
  void remove(WaitNode* node) {
    TRI_ASSERT(node->list == this);
    (node->prev == nullptr ? first : node->prev->next) = node->next;
    (node->next == nullptr ? last : node->next->prev) = node->prev;
    node->list = nullptr;
  }
};

/// The private face of detail::WaitQueueRep.
struct WaitQueue {
  base::Mutex lock{base::LockRank::kWait};
  WaitList list;
};
static_assert(sizeof(WaitQueue) == sizeof(detail::WaitQueueRep));
static_assert(detail::WaitQueueRep::kFreeLock >> 32 ==
              static_cast<uint64_t>(base::LockRank::kWait));

inline WaitQueue* queue_of(detail::WaitQueueRep* rep) {
  return reinterpret_cast<WaitQueue*>(rep);
}

/// Ends the wait if it is still open: true for one caller. `result` and the
/// Waiter's node are then the caller's to write, until it wakes the waiter.
inline bool end_wait(Waiter* waiter, uint64_t ticket) {
  if (TRI_PLANTED(end_wait_twice)) {
    if (waiter->word.load_relaxed() != ticket) return false;
    waiter->word.store_relaxed(ticket | kWaitEnded);
    return true;
  }
  // ORDER-wait-1: pairs with open_wait(): sees the waiter's memory.
  return waiter->word.compare_exchange_strong_acq_rel(ticket,
                                                      ticket | kWaitEnded);
}

/// The same in a section of company.h, where nobody else ends waits but who
/// fires their deadlines: cancel() brings company.
inline bool end_wait_alone(Waiter* waiter, uint64_t ticket) {
  if ((ticket & kWaitTimed) != 0) return end_wait(waiter, ticket);
  // ORDER-wait-1: as above.
  if (waiter->word.load_acquire() != ticket) return false;
  waiter->word.store_relaxed(ticket | kWaitEnded);
  return true;
}

/// Takes the first node whose wait is still open out of the list, and ends that
/// wait by it. Null: there is none.
inline WaitNode* end_first(WaitList* list, WaitResult result,
                           bool alone = false) {
  while (WaitNode* node = list->first) {
    list->remove(node);
    Waiter* waiter = node->waiter;
    const bool ended = alone ? end_wait_alone(waiter, node->ticket)
                             : end_wait(waiter, node->ticket);
    if (TRI_UNLIKELY(!ended)) continue;
    waiter->node = node;
    waiter->result = result;
    return node;
  }
  return nullptr;
}
/// All of them, chained by `next`.
WaitNode* end_all(WaitList* list, WaitResult result);

/// Wakes the waiter of a wait that the caller has ended; its nodes are gone
/// then. `p`: the caller's, may be null. `next`: as submit_local(). The quick
/// form is in quick.h.
void wake_waiter(P* p, Waiter* waiter, bool next = true);
/// What end_all() gave; the locks are not held any more.
void wake_all(P* p, WaitNode* nodes);

/// How a wait is to be made.
struct Wait {
  uint64_t deadline_ns = kNoDeadline;
  bool shielded = false;  ///< cancellation does not end it
  bool at_front = false;  ///< of wait_in_list(): of those that wait
  WaitReason reason = WaitReason::kPark;
  /// Lets go of the locks that guard the nodes. Reads nothing from the waiter's
  /// stack behind the last unlock. It may run when the wait is over already (by
  /// deadline or cancellation), so whoever wakes has to take each lock before
  /// it believes that it is done with. Null in wait_in_list(): the list's.
  void (*unlock)(P* p, void* ctx) = nullptr;
  void* ctx = nullptr;

  static constexpr uint64_t kNoDeadline = Deadline::kNever;
};

/// Suspends the calling task, or blocks its thread, until its wait is ended.
/// The caller holds the locks of its nodes' queues. Afterwards g->waiter has
/// the node; nodes left in queues are the caller's to take out.
WaitResult wait_current(Mutator& mu, const Wait& wait);
/// The same for a thread that is not attached.
WaitResult wait_thread(ThreadWaiter* waiter, const Wait& wait);

/// On the stack of who comes next: the task has left its own for its wait.
void finish_wait(M* m, G* g);

/// One node in one list, whose lock is held: pushes it, waits; neither is so
/// afterwards. `mu` null: the calling thread is not attached.
WaitResult wait_in_list(Mutator* mu, base::Mutex* lock, WaitList* list,
                        WaitNode* node, Wait* how) TRI_RELEASE(lock);

/// The node may still be in the list, if the wait was ended by nobody who had
/// taken it out; but somebody may have since.
void take_out(base::Mutex* lock, WaitList* list, WaitNode* node);

/// Whether the deadline has passed: then there is nothing to wait for.
bool has_passed(uint64_t deadline_ns);

/// Misuse unless a task or an attached thread calls from managed code, or, with
/// mu null, a thread that is none.
void check_may_wait(const Mutator* mu, const char* call);
/// The same, and a poll: a safepoint.
void begin_wait(Mutator* mu, const char* call);

}  // namespace tricolor::sched

#endif  // TRICOLOR_SCHED_WAIT_H_
