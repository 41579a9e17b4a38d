// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// FreshQueue: the tasks that a P has spawned and nobody has begun. The owner
// takes the one spawned last, thieves the oldest: a tree of tasks is walked in
// depth, so that as many exist as it is high and wide, not as it has leaves,
// and a thief gets the largest part of it. The deque of Chase and Lev ("Dynamic
// Circular Work-Stealing Deque", 2005), of one size.
//
// Invariants
// 1. Entries are [top, bottom). The owner alone moves bottom; top only grows,
//    by compare-exchange: by thieves, by the owner for the last entry (take)
//    and for the oldest (steal, also open to the owner).
// 2. A slot in [top, bottom) is not written before top has passed it.
//
// The last entry. The owner takes it away from thieves, then looks whether one
// has been there; a thief looks at what there is, then takes it by number. With
// both seq_cst one of them sees the other:
//
//   take                             steal
//   1. bottom = b (seq_cst)          1. t = top (seq_cst)
//   2. t = top (seq_cst)             2. b = bottom (seq_cst); t < b, or nothing
//   3. t < b: slot b is its own      3. top: t -> t + 1 (seq_cst), or too late
//      t == b: top: t -> t + 1, too
//
// A thief that read bottom (2, right) before 1 (left) may want slot t == b only
// if its top is still t; then 2 (left) reads t or less and the compare-exchange
// decides. If it was later, it has seen b and leaves slot b alone.
// tests/model/fresh.pml has this for spin, and what each rule is for.
//
// solo: as in RunQueue. Threads: put, take: the P's holder. steal, looks_empty,
// size: any.
#ifndef TRICOLOR_SCHED_FRESH_QUEUE_H_
#define TRICOLOR_SCHED_FRESH_QUEUE_H_

#include <cstdint>

#include "base/atomics.h"
#include "base/sched_point.h"

namespace tricolor::sched {

struct G;

class FreshQueue {
 public:
  /// For a burst; half of more than that goes to the global queue.
  static constexpr uint32_t kSize = 1024;

  /// `slots`: kSize of them, for as long as the queue is used.
  void init(base::Atomic<G*>* slots) { ring_ = slots; }

  /// False: it is full.
  bool put(G* g, bool solo) {
    TRI_SCHED_POINT(fresh_put);
    // ORDER-fresh-1: pairs with steal(): slots below top have been read.
    const uint32_t top = top_.load_acquire();
    const uint32_t bottom = bottom_.load_relaxed();  // ours
    if (TRI_UNLIKELY(bottom - top >= kSize)) return false;
    ring_[bottom % kSize].store_relaxed(g);  // published by bottom
    // ORDER-fresh-2: pairs with steal(): publishes slot and G. Seq_cst: the
    // store half of the race in wake.cc.
    if (solo) {
      bottom_.store_release(bottom + 1);
    } else {
      bottom_.exchange_seq_cst(bottom + 1);
    }
    return true;
  }

  /// By the owner: nothing to take. It may also be nothing if this is false.
  bool is_empty() const {
    return top_.load_relaxed() == bottom_.load_relaxed();  // bottom is ours
  }
  /// The one that was put last, if it is not is_empty(); null: thieves have
  /// been faster.
  G* take(bool solo) {
    TRI_SCHED_POINT(fresh_take);
    const uint32_t last = bottom_.load_relaxed() - 1;  // ours
    if (solo) {
      bottom_.store_relaxed(last);
      return ring_[last % kSize].load_relaxed();
    }
    // Seq_cst, as the next line: see the file comment.
    bottom_.exchange_seq_cst(last);
    uint32_t top = top_.load_seq_cst();
    if (static_cast<int32_t>(last - top) > 0) {
      return ring_[last % kSize].load_relaxed();
    }
    G* g = nullptr;
    if (last == top) {
      g = ring_[last % kSize].load_relaxed();
      if (!TRI_PLANTED(last_without_cas) &&
          !top_.compare_exchange_strong_seq_cst(top, top + 1)) {
        g = nullptr;
      }
    }
    // Empty: bottom as it was, and top with it.
    bottom_.store_release(last + 1);
    return g;
  }

  /// The one that was put first; null: none.
  G* steal() {
    for (;;) {
      TRI_SCHED_POINT(fresh_steal);
      uint32_t top = top_.load_seq_cst();
      // ORDER-fresh-2: pairs with put(): sees the slot. Seq_cst, as the others:
      // see the file comment.
      const uint32_t bottom = bottom_.load_seq_cst();
      if (static_cast<int32_t>(bottom - top) <= 0) return nullptr;
      G* g = ring_[top % kSize].load_relaxed();
      // ORDER-fresh-1: pairs with put(): the slot has been read.
      if (top_.compare_exchange_strong_seq_cst(top, top + 1)) return g;
    }
  }

  /// Seq_cst: one half of the race in wake.cc. While the owner takes, one fewer
  /// than there is: the owner has that.
  uint32_t size() const {
    const uint32_t top = top_.load_seq_cst();
    const auto n = static_cast<int32_t>(bottom_.load_seq_cst() - top);
    return n > 0 ? static_cast<uint32_t>(n) : 0;
  }

 private:
  base::Atomic<uint32_t> top_{0};
  base::Atomic<uint32_t> bottom_{0};
  base::Atomic<G*>* ring_ = nullptr;
};

}  // namespace tricolor::sched

#endif  // TRICOLOR_SCHED_FRESH_QUEUE_H_
