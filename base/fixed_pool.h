// SPDX-License-Identifier: MIT
// Copyright tricolor authors
//
// FixedPool<T>: cells of one type over a MetaArena, with a free list.
//
// 1. Type-stable: memory that was a T stays a T until the arena dies, so a
//    late reader sees an old T, never something else.
// 2. Zeroed on first use. A reused cell comes back as it was freed, except for
//    its first word: the link while it is free, null when alloc returns it.
// 3. Constructors and destructors are the caller's business.
//
// Threading: none of its own; the owner's lock guards it.
#ifndef TRICOLOR_BASE_FIXED_POOL_H_
#define TRICOLOR_BASE_FIXED_POOL_H_

#include <cstddef>

#include "base/check.h"
#include "base/meta_arena.h"

namespace tricolor::base {

template <class T>
class FixedPool {
 public:
  constexpr FixedPool() = default;
  explicit FixedPool(MetaArena& arena) : arena_(&arena) {}
  FixedPool(const FixedPool&) = delete;
  FixedPool& operator=(const FixedPool&) = delete;

  // For pools that are members built before their arena. Once.
  void init(MetaArena& arena) {
    TRI_ASSERT(arena_ == nullptr);
    arena_ = &arena;
  }

  // Memory for a T (see 2); null when the OS refuses.
  T* alloc() {
    static_assert(sizeof(T) >= sizeof(Link) && alignof(T) >= alignof(Link));
    void* p = free_;
    if (p != nullptr) {
      free_ = static_cast<Link*>(p)->next;
      static_cast<Link*>(p)->next = nullptr;
    } else {
      if (fresh_left_ == 0 && !refill_slow()) return nullptr;
      p = fresh_;
      fresh_ += sizeof(T);
      fresh_left_--;
    }
    in_use_++;
    return static_cast<T*>(p);
  }

  void free(T* cell) {
    TRI_ASSERT(cell != nullptr && in_use_ > 0);
    Link* link = reinterpret_cast<Link*>(cell);
    link->next = free_;
    free_ = link;
    in_use_--;
  }

  size_t in_use() const { return in_use_; }

 private:
  struct Link {
    Link* next;
  };
  // Cells taken from the arena at a time: about a page, to spare its lock.
  static constexpr size_t kBatch = sizeof(T) >= 2048 ? 1 : 4096 / sizeof(T);

  TRI_NOINLINE bool refill_slow() {
    TRI_CHECK(arena_ != nullptr, "FixedPool used before init");
    void* p = arena_->alloc(kBatch * sizeof(T), alignof(T));
    if (p == nullptr) return false;
    fresh_ = static_cast<char*>(p);
    fresh_left_ = kBatch;
    return true;
  }

  MetaArena* arena_ = nullptr;
  Link* free_ = nullptr;
  char* fresh_ = nullptr;
  size_t fresh_left_ = 0;
  size_t in_use_ = 0;
};

}  // namespace tricolor::base

#endif  // TRICOLOR_BASE_FIXED_POOL_H_
