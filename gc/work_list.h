// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// WorkList: the global pool of marking work: chunks of marked cells that
// workers hand over, and the pieces of large arrays. A chunk moves every 500
// cells or so, so one lock is enough here.
//
// Invariant: has_work() is false only if no chunk and no piece is listed; work
// that a worker holds locally is not counted (termination looks there itself).
// Threads: any.
#ifndef TRICOLOR_GC_WORK_LIST_H_
#define TRICOLOR_GC_WORK_LIST_H_

#include <cstddef>
#include <cstdint>

#include "base/atomics.h"
#include "base/lock.h"
#include "base/mmap_vector.h"

namespace tricolor::gc {

struct WorkChunk {
  static constexpr uint32_t kCells = 510;
  WorkChunk* next;
  uint32_t count;
  uint32_t reserved;
  void* cells[kCells];
};
static_assert(sizeof(WorkChunk) == 4096);

/// A large object of which [from, bytes) is still to be scanned.
struct LargePiece {
  void* cell;
  size_t from;
  size_t bytes;
};

class WorkList {
 public:
  bool init();
  void destroy();

  /// Relaxed hint; exact under a stopped world.
  bool has_work() const { return pending_.load_relaxed() != 0; }

  void put(WorkChunk* chunk);
  WorkChunk* take();
  /// False: the list is full, and the caller is to scan it.
  bool put_large(const LargePiece& piece);
  bool take_large(LargePiece* piece);

  /// An empty chunk; null if metadata memory is gone. A cell that cannot be
  /// listed stays marked and unscanned: who drops it says so.
  WorkChunk* get_empty();
  void note_overflow() { overflowed_.store_relaxed(1); }
  void clear_overflow() { overflowed_.store_relaxed(0); }
  bool overflowed() const { return overflowed_.load_relaxed() != 0; }
  void put_empty(WorkChunk* chunk);
  /// World stopped: from now on most_bytes() is of this cycle.
  void begin_cycle_stw();
  /// In chunks handed out at once, at most, since the cycle began.
  size_t most_bytes() const { return most_out_.load_relaxed() * kChunkBytes; }
  /// Of memory in chunks.
  size_t resident_bytes() const {
    return (chunks_made_.load_relaxed() - bare_count_.load_relaxed()) *
           kChunkBytes;
  }
  /// Gives the memory of empty chunks back, but for as many as were out at once
  /// in this cycle; some tens of them at a call. True: there may be more.
  bool trim();

 private:
  static constexpr size_t kChunkBytes = sizeof(WorkChunk);
  static constexpr size_t kChunksInSlab = 64;

  WorkChunk* carve_locked() TRI_REQUIRES(lock_);

  base::Mutex lock_{base::LockRank::kGcWork};
  WorkChunk* full_ TRI_GUARDED_BY(lock_) = nullptr;
  WorkChunk* empty_ TRI_GUARDED_BY(lock_) = nullptr;
  size_t empty_count_ TRI_GUARDED_BY(lock_) = 0;
  size_t out_ TRI_GUARDED_BY(lock_) = 0;  // neither empty nor bare
  // Without memory; it comes with the first touch.
  base::MmapVector<WorkChunk*> bare_ TRI_GUARDED_BY(lock_);
  base::MmapVector<char*> slabs_ TRI_GUARDED_BY(lock_);
  size_t carved_ TRI_GUARDED_BY(lock_) = kChunksInSlab;  // of the newest slab
  base::MmapVector<LargePiece> large_ TRI_GUARDED_BY(lock_);
  base::Atomic<uint64_t> pending_{0};  // chunks and pieces listed
  // Written under lock_.
  base::Atomic<uint64_t> chunks_made_{0};
  base::Atomic<uint64_t> bare_count_{0};
  base::Atomic<uint64_t> most_out_{0};
  base::Atomic<uint32_t> overflowed_{0};  // read for certain in stop 2
};

}  // namespace tricolor::gc

#endif  // TRICOLOR_GC_WORK_LIST_H_
