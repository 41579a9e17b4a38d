// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// GTable: all Gs of one runtime, by index, and those that wait for reuse.
//
// Invariants
// 1. Elements below count() never change; count() only grows.
// 2. A G on a free list is kIdle, without stack, value stack or roots.
//
// Threads: any (lock, rank kAllGs); a P's free list belongs to its holder.
// Collected coroutines come in from sweepers, which may hold locks of the heap:
// they are pushed without a lock and taken apart later, by reap_coroutines.
#ifndef TRICOLOR_SCHED_G_TABLE_H_
#define TRICOLOR_SCHED_G_TABLE_H_

#include <cstddef>
#include <cstdint>

#include "base/atomics.h"
#include "base/fixed_pool.h"
#include "base/lock.h"
#include "base/mmap_vector.h"
#include "sched/g.h"
#include "sched/p.h"

namespace tricolor::sched {

class GTable {
 public:
  /// At most `max` Gs. Up to a quarter of them may lie in the free lists of
  /// Ps, where others cannot get at them.
  bool init(RuntimeImpl* rt, size_t max);
  void destroy();
  /// The number of Ps has changed: each has another share.
  void set_procs_stw(uint32_t procs);

  /// A kIdle G with empty roots; null when max or memory is reached. `p`: whose
  /// free list to use, may be null.
  G* get(P* p);
  /// Takes back a G that has become kIdle.
  void put(P* p, G* g);
  /// A P goes away: its free list becomes common.
  void put_all(P* p);

  /// From a sweeper: a kSuspended coroutine whose cell is dead.
  void push_collected(G* g);
  bool has_collected() const { return collected_.load_relaxed() != nullptr; }
  /// One of them, or null. One at a time, so that what one M has not got round
  /// to is there for another that has reached the limit.
  G* pop_collected();

  // ORDER-gtable-1: pairs with make_locked(): sees elements and their Gs.
  size_t count() const { return count_.load_acquire(); }
  /// As many exist as ever may: get() has no other reason than memory else.
  bool is_full() {
    base::LockGuard guard(lock_);
    return all_.size() == all_.capacity();
  }
  /// index < count().
  G* at(size_t index) const { return all_.data()[index]; }

 private:
  G* make_locked() TRI_REQUIRES(lock_);

  // Immutable after init.
  RuntimeImpl* rt_ = nullptr;
  // Written while the world is stopped, read by holders of Ps.
  uint32_t per_p_max_ = 0;

  base::Mutex lock_{base::LockRank::kAllGs};
  base::MmapVector<G*> all_;  // appended under lock_
  base::FixedPool<G> pool_ TRI_GUARDED_BY(lock_);
  G* free_ TRI_GUARDED_BY(lock_) = nullptr;
  base::Atomic<size_t> count_{0};
  base::Atomic<G*> collected_{nullptr};
};

}  // namespace tricolor::sched

#endif  // TRICOLOR_SCHED_G_TABLE_H_
