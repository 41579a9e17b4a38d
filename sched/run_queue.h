// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// RunQueue: a P's runnable Gs: a ring of 256 that others may steal from, and
// `next`, the G that was readied last and runs next. Go's algorithm. What it
// has spawned itself lies beside the ring (fresh_queue.h) and comes before it,
// the last one first; it shares the time slice of who has spawned it, as `next`
// does, and goes to the end of the ring when that is over.
//
// Invariants
// 1. tail - head <= kSize. The owner alone moves tail; head moves by
//    compare-exchange, by the owner's pop and by thieves.
// 2. A slot in [head, tail) is not written before head has passed it.
// 3. `next` is changed by exchange only; its operations are seq_cst because
//    they are one half of the wake-up race (see wake.cc).
//
// 4. solo: the runtime has one P, so there are no thieves, and who puts holds
//    the only P, so nobody idle could miss it. Plain stores do then. It changes
//    while the world is stopped; resize.cc has the argument for the moment
//    after that.
//
// Threads: put, pop: the P's holder. steal, looks_empty: any.
#ifndef TRICOLOR_SCHED_RUN_QUEUE_H_
#define TRICOLOR_SCHED_RUN_QUEUE_H_

#include <cstdint>

#include "base/atomics.h"
#include "base/sched_point.h"
#include "sched/fresh_queue.h"
#include "sched/g.h"

namespace tricolor::sched {

/// A chain of Gs, linked by G::link.
struct GList {
  G* head = nullptr;
  G* tail = nullptr;
  uint32_t count = 0;

  void push_back(G* g) {
    g->link = nullptr;
    if (tail == nullptr) {
      head = g;
    } else {
      tail->link = g;
    }
    tail = g;
    count++;
  }
  G* pop_front() {
    G* g = head;
    if (g == nullptr) return nullptr;
    head = g->link;
    if (head == nullptr) tail = nullptr;
    g->link = nullptr;
    count--;
    return g;
  }
  void append(GList* other) {
    if (other->head == nullptr) return;
    if (tail == nullptr) {
      head = other->head;
    } else {
      tail->link = other->head;
    }
    tail = other->tail;
    count += other->count;
    *other = GList{};
  }
};

class RunQueue {
 public:
  static constexpr uint32_t kSize = 256;

  /// Before the first use, or while the world is stopped.
  void set_solo(bool solo) { solo_ = solo; }
  bool is_solo() const { return solo_; }
  /// Before the first put_fresh(): FreshQueue::kSize slots.
  void init_fresh(base::Atomic<G*>* slots) { fresh_.init(slots); }

  /// Appends `g`. False when the ring is full: half of it and `g` are then in
  /// *overflow, for the global queue.
  bool put(G* g, GList* overflow) {
    TRI_SCHED_POINT(runq_put);
    // ORDER-runq-1: pairs with pop() and grab(): slots below head have been
    // read.
    const uint32_t head = head_.load_acquire();
    const uint32_t tail = tail_.load_relaxed();  // ours
    if (TRI_UNLIKELY(tail - head == kSize)) {
      return put_slow(g, head, tail, overflow);
    }
    put_at(tail, g);
    return true;
  }
  /// Makes `g` the next; the one it replaces goes to the ring, as put.
  bool put_next(G* g, GList* overflow) {
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
    return before == nullptr || put(before, overflow);
  }

  /// `g` has been spawned by who runs here: it is the one after `next`. False
  /// as put().
  bool put_fresh(G* g, GList* overflow) {
    return TRI_LIKELY(fresh_.put(g, solo_)) || put_fresh_slow(g, overflow);
  }

  /// The time slice is over, also for who would inherit it: all that would go
  /// to the ring, as put.
  bool demote(GList* overflow);

  /// The next G; *inherits: it shares the time slice of the one before.
  TRI_ALWAYS_INLINE G* pop(bool* inherits) {
    TRI_SCHED_POINT(runq_pop);
    if (next_.load_relaxed() != nullptr) {  // only the owner fills it
      // ORDER-runq-3: pairs with put_next(). A thief may be faster.
      G* g;
      if (solo_) {
        g = next_.load_acquire();
        next_.store_relaxed(nullptr);
      } else {
        g = next_.exchange_seq_cst(nullptr);
      }
      *inherits = true;
      if (g != nullptr) return g;
    }
    if (!fresh_.is_empty()) {
      *inherits = true;
      if (G* g = fresh_.take(solo_)) return g;
    }
    *inherits = false;
    return pop_ring();
  }
  /// The same, but the ring comes first: now and then, so that who was woken
  /// does not wait until all that was spawned has run.
  G* pop_in_turn(bool* inherits) {
    if (fresh_.is_empty()) return pop(inherits);
    G* g = pop_ring();
    if (g == nullptr) return pop(inherits);
    *inherits = true;  // or the slice would never end
    return g;
  }
  /// The first one of the ring; null: it is empty.
  G* pop_ring() {
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
  /// Everything, for the global queue.
  void drain(GList* out);

  /// Takes half of `victim`'s ring into this queue; if it is empty, half of
  /// what it has spawned; then, if asked for, its `next`. Returns one of them,
  /// or null.
  G* steal_from(RunQueue* victim, bool take_next);

  /// Nothing to run. Seq_cst on `next`: see invariant 3.
  bool looks_empty() const {
    return next_.load_seq_cst() == nullptr && fresh_.size() == 0 &&
           head_.load_acquire() == tail_.load_acquire();
  }
  uint32_t size() const {
    return tail_.load_acquire() - head_.load_acquire() + fresh_.size() +
           (next_.load_relaxed() != nullptr ? 1 : 0);
  }

 private:
  void put_at(uint32_t tail, G* g) {
    ring_[tail % kSize].store_relaxed(g);  // published by tail
    // ORDER-runq-2: pairs with grab() and pop(): publishes slot and G.
    tail_.store_release(tail + 1);
  }
  bool put_slow(G* g, uint32_t head, uint32_t tail, GList* overflow);
  bool put_fresh_slow(G* g, GList* overflow);
  uint32_t grab(RunQueue* victim, bool take_next, uint32_t to);
  uint32_t grab_fresh(RunQueue* victim, uint32_t to);

  bool solo_ = false;  // written while the world is stopped
  base::Atomic<uint32_t> head_{0};
  base::Atomic<uint32_t> tail_{0};
  base::Atomic<G*> next_{nullptr};
  FreshQueue fresh_;
  base::Atomic<G*> ring_[kSize];
};

}  // namespace tricolor::sched

#endif  // TRICOLOR_SCHED_RUN_QUEUE_H_
