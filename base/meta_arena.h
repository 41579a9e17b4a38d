// SPDX-License-Identifier: MIT
// Copyright tricolor authors
//
// MetaArena: where a runtime keeps its own structures (spans, Gs, tables). A
// bump allocator over chunks mapped from the OS; no address is given back
// before the arena is destroyed, which unmaps all of it.
//
//     first_ -> [Header | cells ... | free] -> [Header | ...] -> null
//                                    ^cursor_    ^limit_ (newest chunk)
//
// 1. Memory is zeroed and never moves.
// 2. What does not fit a chunk well (kLargeBytes) has a mapping of its own.
// 3. bytes() counts every byte mapped, but for what discard() gave back.
//
// Threading: alloc and bytes from any thread; destruction alone. See
// base/fixed_pool.h for a free list on top, base/mmap_vector.h for tables.
#ifndef TRICOLOR_BASE_META_ARENA_H_
#define TRICOLOR_BASE_META_ARENA_H_

#include <cstddef>
#include <cstdint>

#include "base/atomics.h"
#include "base/lock.h"

namespace tricolor::base {

class MetaArena {
 public:
  static constexpr size_t kChunkBytes = 256 * 1024;
  static constexpr size_t kLargeBytes = 64 * 1024;

  constexpr MetaArena() = default;
  ~MetaArena();
  MetaArena(const MetaArena&) = delete;
  MetaArena& operator=(const MetaArena&) = delete;

  // `bytes` zeroed bytes aligned to `align` (a power of two). Null when the OS
  // refuses. Takes the arena's lock (rank kMeta).
  void* alloc(size_t bytes, size_t align);

  // Gives whole pages of what was allocated back to the OS. They are zeros then
  // (or, if the OS refuses, what they were), and may be used again at any time:
  // reclaim() says so to the statistics.
  void discard(void* p, size_t bytes);
  void reclaim(size_t bytes) { bytes_.fetch_add_relaxed(bytes); }

  // Bytes in use, see 3.
  size_t bytes() const { return bytes_.load_relaxed(); }

 private:
  struct Header {
    Header* next;
    size_t bytes;  // of the mapping, this header included
  };

  void* alloc_large_locked(size_t bytes, size_t align) TRI_REQUIRES(lock_);
  bool add_chunk_locked() TRI_REQUIRES(lock_);
  Header* map_locked(size_t bytes) TRI_REQUIRES(lock_);

  Mutex lock_{LockRank::kMeta};
  Header* first_ TRI_GUARDED_BY(lock_) = nullptr;
  uintptr_t cursor_ TRI_GUARDED_BY(lock_) = 0;
  uintptr_t limit_ TRI_GUARDED_BY(lock_) = 0;
  // Read by statistics: a stale value is fine.
  Atomic<size_t> bytes_{0};
};

}  // namespace tricolor::base

#include "base/fixed_pool.h"   // IWYU pragma: export
#include "base/mmap_vector.h"  // IWYU pragma: export

#endif  // TRICOLOR_BASE_META_ARENA_H_
