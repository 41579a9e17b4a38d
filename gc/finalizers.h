// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Finalizers: what is to be called when which cell has died, and the queue of
// those that have.
//
//   blocks_[4 MiB] -> heads[8 KiB page] -> Entry -> Entry   registered
//   dead_: a heap by order                                  found dead
//   queue_: a list, in order                                to be called
//
// A registered cell is found from its address through its page, so a cell can
// be cancelled, nothing is ever rehashed, and one look at all of them is a walk
// over pages that can stop anywhere. A registered cell is no root. One in the
// queue is: it was marked by gc/settle.cc before it came there.
//
// Threads: register, cancel, take from any mutator, under the lock; find_dead,
// next_dead, enqueue, publish by the holder of `advancing_` in kSettle.
#ifndef TRICOLOR_GC_FINALIZERS_H_
#define TRICOLOR_GC_FINALIZERS_H_

#include <cstddef>
#include <cstdint>

#include "base/atomics.h"
#include "base/lock.h"
#include "base/meta_arena.h"
#include "tricolor/finalizer.h"

namespace tricolor::heap {
class Heap;
}

namespace tricolor::gc {

class Finalizers {
 public:
  struct Entry {
    Entry* next;  ///< first: see base/fixed_pool.h
    void* object;
    FinalizerFn fn;
    void* data;
    uint64_t order;
  };

  bool init(base::MetaArena* meta, heap::Heap* heap);
  void destroy();

  // --- Mutators.
  /// One for each cell: a second takes the place of the first, and its turn.
  bool add(void* object, FinalizerFn fn, void* data);
  bool cancel(const void* object);
  bool has(const void* object);
  /// What was registered for `from` is for `to` from now on; false: nothing.
  bool move(const void* from, void* to);
  /// The next one of the queue, which leaves it; its cell is the caller's to
  /// root and, while marking, to shade.
  bool take(Finalizable* out);
  void set_order(FinalizerOrder order) {
    newest_first_.store_relaxed(order == FinalizerOrder::kNewestFirst ? 1 : 0);
  }
  uint64_t registered() const { return registered_.load_relaxed(); }
  uint64_t queued() const { return queued_.load_relaxed(); }

  // --- Settling.
  void begin_settle() { page_ = 0; }
  /// Moves those of dead cells to dead_, looking at about `limit` entries or
  /// pages; true: all were looked at.
  bool find_dead(size_t limit);
  /// The first in order of those found, or null.
  Entry* next_dead();
  void enqueue(Entry* entry);
  /// Makes what was enqueued visible to take(); how many.
  size_t publish();

  // --- Roots. Between the stops of a cycle the queue only shrinks.
  void begin_cycle_stw();
  /// Fills `cells` with the next ones to mark; 0: there are none left.
  size_t take_roots(void** cells, size_t n);
  // ORDER-queue-roots-1: pairs with take_roots().
  bool roots_taken() const { return scan_.load_acquire() == nullptr; }
  /// World stopped: every queued cell.
  template <class F>
  void each_queued_stw(F&& fn) {
    base::LockGuard guard(lock_);
    for (Entry* e = queue_; e != nullptr; e = e->next) fn(e->object);
  }

  /// Of the array of those found dead.
  size_t dead_bytes() const { return dead_bytes_.load_relaxed(); }

 private:
  static constexpr size_t kBlockShift = 22;
  static constexpr size_t kPages = size_t{1} << (kBlockShift - 13);
  struct Block {
    uint64_t count;
    Entry* heads[kPages];
  };

  Entry** head_locked(const void* object, Block** block) TRI_REQUIRES(lock_);
  Entry* unlink_locked(const void* object) TRI_REQUIRES(lock_);
  bool make_block_locked(const void* object) TRI_REQUIRES(lock_);
  void link_locked(Entry* entry) TRI_REQUIRES(lock_);
  /// Those of dead cells, linked, from page_ on, which moves on.
  Entry* take_dead_locked(size_t pages, size_t limit) TRI_REQUIRES(lock_);
  void push_dead(Entry* entry);
  bool before(const Entry* a, const Entry* b) const;

  heap::Heap* heap_ = nullptr;
  base::MetaArena* meta_ = nullptr;
  base::Mutex lock_{base::LockRank::kWeak};
  Block** blocks_ TRI_GUARDED_BY(lock_) = nullptr;
  base::FixedPool<Entry> entries_ TRI_GUARDED_BY(lock_);
  uint64_t order_ TRI_GUARDED_BY(lock_) = 0;
  Entry* queue_ TRI_GUARDED_BY(lock_) = nullptr;
  Entry* queue_end_ TRI_GUARDED_BY(lock_) = nullptr;
  /// Of the queue, the first that this cycle has not marked; written under the
  /// lock.
  base::Atomic<Entry*> scan_{nullptr};
  base::Atomic<uint64_t> registered_{0};  // written under the lock
  base::Atomic<uint64_t> queued_{0};      // written under the lock
  base::Atomic<uint32_t> newest_first_{0};

  // Holder of advancing_.
  size_t page_ = 0;  ///< where find_dead() goes on
  bool sorts_newest_first_ = false;
  Entry** dead_ = nullptr;  ///< a binary heap
  size_t dead_count_ = 0;
  size_t dead_room_ = 0;
  base::Atomic<uint64_t> dead_bytes_{0};  ///< of dead_
  Entry* unordered_ = nullptr;            ///< found dead, no room in dead_
  Entry* fresh_ = nullptr;                ///< enqueued, not yet published
  Entry* fresh_end_ = nullptr;
  size_t fresh_count_ = 0;
};

}  // namespace tricolor::gc

#endif  // TRICOLOR_GC_FINALIZERS_H_
