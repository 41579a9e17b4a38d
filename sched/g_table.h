// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// GTable: all Gs of one runtime, by index, and those that wait for reuse.
//
// Gs lie in blocks of whole pages. A block whose Gs have all been free for some
// seconds gives its pages back (trim()), and has its Gs made anew when they are
// wanted.
//
// Between Ps and blocks there is a depot of free Gs by the batch: a P has up to
// two, and gives or takes one as a whole (Bonwick and Adams, "Magazines and
// Vmem", 2001). Every some seconds the depot is taken apart into blocks.
//
// Invariants
// 1. Elements below count() never change; count() only grows.
// 2. A G on a free list is kIdle, without stack, value stack or roots.
// 3. A block is in partly_ if some of its Gs are free, in whole_ if all are, in
//    cold_ if it has given its pages back and none has been made since. Gs on
//    the lists of Ps are not free in this sense.
// 4. A G that is not made reads as zeros: kIdle, no id. A late poke may write
//    to it, which is undone when it is made.
//
// Threads: any (lock, rank kAllGs); a P's free list belongs to its holder.
// Collected coroutines come in from sweepers, which may hold locks of the heap:
// they are pushed without a lock and taken apart later, by reap_coroutines.
#ifndef TRICOLOR_SCHED_G_TABLE_H_
#define TRICOLOR_SCHED_G_TABLE_H_

#include <cstddef>
#include <cstdint>

#include "base/atomics.h"
#include "base/lock.h"
#include "base/mmap_vector.h"
#include "sched/g.h"
#include "sched/p.h"

namespace tricolor::sched {

/// Some Gs of consecutive indexes.
struct GBlock {
  char* base;
  uint32_t free;  ///< bit i: so is its i-th G
  uint32_t made;  ///< bit i: so is its i-th G
  uint32_t next;  ///< in its list, as prev: the index of a block, plus 1
  uint32_t prev;
};

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
  G* get(P* p) {
    if (TRI_UNLIKELY(p == nullptr || p->free_gs == nullptr)) return get_slow(p);
    G* g = p->free_gs;
    p->free_gs = g->link;
    p->free_g_count--;
    g->link = nullptr;
    return g;
  }
  /// Takes back a G that has become kIdle.
  void put(P* p, G* g) {
    TRI_ASSERT(g_state(g) == GState::kIdle && g->stack == nullptr);
    if (TRI_UNLIKELY(p == nullptr || p->free_g_count >= batch_)) {
      return put_slow(p, g);
    }
    g->link = p->free_gs;
    p->free_gs = g;
    p->free_g_count++;
  }
  /// A P goes away: its free Gs go to their blocks.
  void put_all(P* p);
  /// Those of the depot do, a batch at a time.
  void empty_depot();

  /// By sysmon, every some seconds: gives some blocks back that nobody has
  /// wanted since the last time. True: there are more, to be called again.
  bool trim();
  /// Bytes of blocks that have given them back.
  size_t returned_bytes();

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
  static constexpr size_t kBlockBytes = 16 * 1024;
  static constexpr uint32_t kPerBlock =
      kBlockBytes / sizeof(G) < 32 ? kBlockBytes / sizeof(G) : 32;
  static constexpr uint32_t kAll =
      static_cast<uint32_t>((uint64_t{1} << kPerBlock) - 1);

  struct Blocks {
    uint32_t first = 0;  ///< indexes plus 1
    uint32_t last = 0;
    uint32_t count = 0;
  };

  static constexpr uint32_t kDepot = 64;
  struct Batch {
    G* first;
    uint32_t count;
  };

  G* get_slow(P* p);
  void put_slow(P* p, G* g);
  G* take_batch_locked(P* p) TRI_REQUIRES(lock_);
  void add_batch_locked(Batch batch) TRI_REQUIRES(lock_);
  void take_apart_locked(G* first) TRI_REQUIRES(lock_);
  void push_locked(Blocks* list, GBlock* block) TRI_REQUIRES(lock_);
  void remove_locked(Blocks* list, GBlock* block) TRI_REQUIRES(lock_);
  G* take_free_locked() TRI_REQUIRES(lock_);
  void add_free_locked(G* g) TRI_REQUIRES(lock_);
  GBlock* block_to_make_locked() TRI_REQUIRES(lock_);
  G* make_locked() TRI_REQUIRES(lock_);
  void note_unwanted_locked() TRI_REQUIRES(lock_);
  void trim_one_locked() TRI_REQUIRES(lock_);

  // Immutable after init.
  RuntimeImpl* rt_ = nullptr;
  // Written while the world is stopped, read by holders of Ps.
  uint32_t batch_ = 0;

  base::Mutex lock_{base::LockRank::kAllGs};
  base::MmapVector<G*> all_;  // appended under lock_
  base::MmapVector<GBlock> blocks_ TRI_GUARDED_BY(lock_);
  Batch depot_[kDepot] TRI_GUARDED_BY(lock_) = {};
  uint32_t depot_count_ TRI_GUARDED_BY(lock_) = 0;
  Blocks partly_ TRI_GUARDED_BY(lock_);
  Blocks whole_ TRI_GUARDED_BY(lock_);
  Blocks cold_ TRI_GUARDED_BY(lock_);
  uint32_t making_ TRI_GUARDED_BY(lock_) = 0;  ///< block, plus 1; 0: none.
                                               ///< Not one of cold_
  /// Of whole_, nobody has wanted so many since the last trim.
  uint32_t unwanted_ TRI_GUARDED_BY(lock_) = 0;
  /// No wait of a G that is made anew has a ticket that one had before.
  uint64_t tickets_ TRI_GUARDED_BY(lock_) = 0;
  base::Atomic<size_t> count_{0};
  base::Atomic<G*> collected_{nullptr};
};

}  // namespace tricolor::sched

#endif  // TRICOLOR_SCHED_G_TABLE_H_
