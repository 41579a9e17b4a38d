// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// SlabPool: blocks of one fixed stride, carved from few large mappings and
// recycled in LIFO order. Under stacks/stack_pool.h, one pool per size class.
//
//   slab (one mapping, NOHUGEPAGE, touched lazily)
//   +--------+--------+--------+-- ... --+--------+
//   |g block |g block |g block |         |g block |   g: guard page, if any
//   +--------+--------+--------+-- ... --+--------+
//                     ^cursor_  ^guarded_         ^limit_
//
// Invariants
// 1. A block is handed out to one owner at a time, and its address space never
//    given back to the OS before destroy(); slabs double in size, so their
//    number is small. The pages of free blocks are, by trim(): such a block is
//    cold, and like a new one but for its guard page.
// 2. A guarded block's guard page is installed before its first use, those of
//    the blocks up to guarded_ ahead of it.
// 3. While a block is free, the word at block + link_offset is its link: that
//    end of it has been in use and is resident. Cold blocks are listed aside.
//
// Threads: get, put from any thread (lock, rank kStackPool); destroy alone.
#ifndef TRICOLOR_STACKS_SLAB_POOL_H_
#define TRICOLOR_STACKS_SLAB_POOL_H_

#include <cstddef>
#include <cstdint>

#include "base/lock.h"
#include "base/meta_arena.h"
#include "base/mmap_vector.h"
#include "stacks/stack_guard.h"

namespace tricolor::stacks {

struct SlabPoolOptions {
  size_t stride = 0;            ///< multiple of the page size
  size_t link_offset = 0;       ///< where a free block's link lies
  StackGuard* guard = nullptr;  ///< null: no guard pages
};

/// Why get() gave nothing. A sentence part, or null.
using Refusal = const char*;

struct Block {
  char* lo = nullptr;  ///< null: refused
  uint32_t index = 0;  ///< for colouring: counts the blocks carved (and cold
                       ///< ones taken); a recycled block has kRecycled
  static constexpr uint32_t kRecycled = ~uint32_t{0};
};

class SlabPool {
 public:
  constexpr SlabPool() = default;
  SlabPool(const SlabPool&) = delete;
  SlabPool& operator=(const SlabPool&) = delete;

  void init(base::MetaArena* meta, const SlabPoolOptions& options);
  /// Unmaps every slab.
  void destroy();

  Block get(Refusal* refusal);
  void put(char* lo);
  /// Gives the pages of blocks back that have been free since the last trim but
  /// one, at most `most` of them. Returns how many there are still to do.
  size_t trim(size_t most);
  /// Every block ever carved, free or not. Alone.
  void for_each_block(void (*fn)(char* lo, size_t stride));

  size_t stride() const { return options_.stride; }
  size_t mapped_bytes() const { return mapped_bytes_.load_relaxed(); }

 private:
  struct Slab {
    Slab* next;
    char* lo;
    size_t bytes;
    uint64_t*
        valgrind_stacks;  ///< its number of each block; null: not run by it
  };
  char** link_of(char* lo) const {
    return reinterpret_cast<char**>(lo + options_.link_offset);
  }
  // A block of free_; the count of those that nobody has wanted goes down.
  char* pop_free_locked() TRI_REQUIRES(lock_);
  void tell_valgrind_locked(char* lo) TRI_REQUIRES(lock_);
  bool add_slab_locked(Refusal* refusal) TRI_REQUIRES(lock_);
  bool guard_some_locked(Refusal* refusal) TRI_REQUIRES(lock_);

  // Immutable after init.
  base::MetaArena* meta_ = nullptr;
  SlabPoolOptions options_;

  base::Mutex lock_{base::LockRank::kStackPool};
  char* free_ TRI_GUARDED_BY(lock_) = nullptr;
  size_t free_count_ TRI_GUARDED_BY(lock_) = 0;
  size_t unwanted_ TRI_GUARDED_BY(lock_) = 0;  ///< free all the time since trim
  /// Cold blocks; mapped at the first trim.
  base::MmapVector<char*> cold_ TRI_GUARDED_BY(lock_);
  char* cursor_ TRI_GUARDED_BY(lock_) = nullptr;
  char* guarded_ TRI_GUARDED_BY(lock_) = nullptr;  ///< below: with guards
  char* limit_ TRI_GUARDED_BY(lock_) = nullptr;
  uint32_t carved_ TRI_GUARDED_BY(lock_) = 0;
  Slab* slabs_ TRI_GUARDED_BY(lock_) = nullptr;
  size_t next_slab_bytes_ TRI_GUARDED_BY(lock_) = 0;
  // Written under the lock, read by statistics: a stale value is fine.
  base::Atomic<size_t> mapped_bytes_{0};
};

}  // namespace tricolor::stacks

#endif  // TRICOLOR_STACKS_SLAB_POOL_H_
