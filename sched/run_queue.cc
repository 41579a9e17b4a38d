// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// RunQueue, see sched/run_queue.h. After Go's runqput, runqget, runqgrab and
// runqsteal (runtime/proc.go describes the protocol).
#include "sched/run_queue.h"

#include "base/check.h"
#include "base/sched_point.h"

namespace tricolor::sched {

bool RunQueue::put(G* g, GList* overflow) {
  TRI_SCHED_POINT(runq_put);
  for (;;) {
    // ORDER-runq-1: pairs with pop() and grab(): slots below head have been
    // read.
    const uint32_t head = head_.load_acquire();
    const uint32_t tail = tail_.load_relaxed();  // ours
    if (tail - head < kSize) {
      ring_[tail % kSize].store_relaxed(g);  // published by tail
      // ORDER-runq-2: pairs with grab() and pop(): publishes slot and G.
      tail_.store_release(tail + 1);
      return true;
    }
    if (put_slow(g, head, tail, overflow)) return false;
  }
}

// Moves half of a full ring, and g, to `overflow`. False if thieves were
// faster: there is room now.
bool RunQueue::put_slow(G* g, uint32_t head, uint32_t tail, GList* overflow) {
  constexpr uint32_t kHalf = kSize / 2;
  TRI_CHECK(tail - head == kSize);
  G* batch[kHalf];
  for (uint32_t i = 0; i < kHalf; i++) {
    batch[i] = ring_[(head + i) % kSize].load_relaxed();
  }
  // ORDER-runq-1: pairs with put(): the batch has been read.
  if (!head_.compare_exchange_strong_acq_rel(head, head + kHalf)) return false;
  for (G* moved : batch) overflow->push_back(moved);
  overflow->push_back(g);
  return true;
}

bool RunQueue::put_next(G* g, GList* overflow) {
  TRI_SCHED_POINT(runq_put_next);
  // ORDER-runq-3: pairs with pop() and grab(): publishes the G. Seq_cst: the
  // store half of the race in wake.cc.
  G* before;
  if (solo_) {
    before = next_.load_relaxed();
    next_.store_release(g);
  } else {
    before = next_.exchange_seq_cst(g);
  }
  if (before == nullptr) return true;
  return put(before, overflow);
}

bool RunQueue::demote_next(GList* overflow) {
  // ORDER-runq-3: pairs with put_next(). A thief may be faster.
  G* g = next_.exchange_seq_cst(nullptr);
  return g == nullptr || put(g, overflow);
}

G* RunQueue::pop(bool* inherits) {
  TRI_SCHED_POINT(runq_pop);
  *inherits = false;
  if (next_.load_relaxed() != nullptr) {  // only the owner fills it
    // ORDER-runq-3: pairs with put_next(). A thief may be faster.
    G* g;
    if (solo_) {
      g = next_.load_acquire();
      next_.store_relaxed(nullptr);
    } else {
      g = next_.exchange_seq_cst(nullptr);
    }
    if (g != nullptr) {
      *inherits = true;
      return g;
    }
  }
  for (;;) {
    uint32_t head = head_.load_acquire();
    const uint32_t tail = tail_.load_relaxed();  // ours
    if (head == tail) return nullptr;
    G* g = ring_[head % kSize].load_relaxed();
    if (solo_ || TRI_PLANTED(pop_without_cas)) {
      head_.store_release(head + 1);
      return g;
    }
    // ORDER-runq-1: pairs with put(): the slot has been read.
    if (head_.compare_exchange_strong_acq_rel(head, head + 1)) return g;
  }
}

void RunQueue::drain(GList* out) {
  bool inherits;
  while (G* g = pop(&inherits)) out->push_back(g);
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
