// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// RunQueue, see sched/run_queue.h. After Go's runqput, runqget, runqgrab and
// runqsteal (runtime/proc.go describes the protocol).
#include "sched/run_queue.h"

#include "base/check.h"
#include "base/sched_point.h"

namespace tricolor::sched {

// Moves half of a full ring, and g, to `overflow`, unless thieves are faster:
// then there is room.
bool RunQueue::put_slow(G* g, uint32_t head, uint32_t tail, GList* overflow) {
  constexpr uint32_t kHalf = kSize / 2;
  TRI_CHECK(tail - head == kSize);
  G* batch[kHalf];
  for (uint32_t i = 0; i < kHalf; i++) {
    batch[i] = ring_[(head + i) % kSize].load_relaxed();
  }
  // ORDER-runq-1: pairs with put(): the batch has been read.
  if (!head_.compare_exchange_strong_acq_rel(head, head + kHalf)) {
    put_at(tail, g);
    return true;
  }
  for (G* moved : batch) overflow->push_back(moved);
  overflow->push_back(g);
  return false;
}

// Half of what there is, and g, to `overflow`.
bool RunQueue::put_fresh_slow(G* g, GList* overflow) {
  for (uint32_t i = 0; i < FreshQueue::kSize / 2; i++) {
    G* moved = fresh_.steal();
    if (moved == nullptr) break;  // thieves were faster
    overflow->push_back(moved);
  }
  TRI_CHECK(fresh_.put(g, solo_));
  return overflow->head == nullptr;
}

bool RunQueue::demote(GList* overflow) {
  bool all = true;
  // As many as there are now: what comes meanwhile is of the next slice.
  for (uint32_t n = fresh_.size(); n > 0; n--) {
    G* g = fresh_.steal();
    if (g == nullptr) break;
    all &= put(g, overflow);
  }
  // ORDER-runq-3: pairs with put_next(). A thief may be faster.
  G* g = next_.exchange_seq_cst(nullptr);
  return (g == nullptr || put(g, overflow)) && all;
}

void RunQueue::drain(GList* out) {
  bool inherits;
  while (G* g = pop(&inherits)) out->push_back(g);
}

// The same with what the victim has spawned, the oldest first: nobody else has
// them from here on.
uint32_t RunQueue::grab_fresh(RunQueue* victim, uint32_t to) {
  uint32_t n = victim->fresh_.size();
  n -= n / 2;
  if (n > kSize / 2) n = kSize / 2;
  for (uint32_t i = 0; i < n; i++) {
    G* g = victim->fresh_.steal();
    if (g == nullptr) return i;
    ring_[(to + i) % kSize].store_relaxed(g);
  }
  return n;
}

// Copies up to half of the victim's ring to our slots from `to` on (not
// published yet) and takes it; returns how many.
uint32_t RunQueue::grab(RunQueue* victim, bool take_next, uint32_t to) {
  for (;;) {
    uint32_t head = victim->head_.load_acquire();
    // ORDER-runq-2: pairs with put(): sees the slots below tail.
    const uint32_t tail = victim->tail_.load_acquire();
    uint32_t n = tail - head;
    n -= n / 2;
    if (n == 0) {
      n = grab_fresh(victim, to);
      if (n != 0) return n;
      if (!take_next) return 0;
      // ORDER-runq-3: pairs with put_next(). Seq_cst: as looks_empty().
      G* g = victim->next_.load_seq_cst();
      if (g == nullptr) return 0;
      g = victim->next_.exchange_seq_cst(nullptr);
      if (g == nullptr) return 0;
      ring_[to % kSize].store_relaxed(g);
      return 1;
    }
    if (n > kSize / 2) continue;  // head and tail do not belong together
    for (uint32_t i = 0; i < n; i++) {
      ring_[(to + i) % kSize].store_relaxed(
          victim->ring_[(head + i) % kSize].load_relaxed());
    }
    // ORDER-runq-1: pairs with put(): the slots have been read.
    if (victim->head_.compare_exchange_strong_acq_rel(head, head + n)) return n;
  }
}

G* RunQueue::steal_from(RunQueue* victim, bool take_next) {
  TRI_SCHED_POINT(runq_steal);
  TRI_ASSERT(victim != this);
  const uint32_t tail = tail_.load_relaxed();  // ours
  TRI_ASSERT(tail == head_.load_relaxed(), "a thief has work of its own");
  uint32_t n = grab(victim, take_next, tail);
  if (n == 0) return nullptr;
  n--;
  G* g = ring_[(tail + n) % kSize].load_relaxed();
  // ORDER-runq-2: pairs with grab() and pop(): publishes the slots.
  if (n > 0) tail_.store_release(tail + n);
  return g;
}

}  // namespace tricolor::sched
