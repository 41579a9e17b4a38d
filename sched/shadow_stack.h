// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// ShadowPool: overflow chunks of shadow stacks, for recursion deeper than the
// 32 slots in the G. Chunks double from 128 to 8,192 slots; larger requests get
// one to measure. See gc/root_owner.h for how a G links them.
//
// Threads: any (lock, rank kLeaf).
#ifndef TRICOLOR_SCHED_SHADOW_STACK_H_
#define TRICOLOR_SCHED_SHADOW_STACK_H_

#include <cstddef>
#include <cstdint>

#include "base/lock.h"
#include "base/meta_arena.h"
#include "gc/root_owner.h"

namespace tricolor::sched {

inline constexpr size_t kMinChunkSlots = 128;
inline constexpr uint32_t kChunkClasses = 20;

class ShadowPool {
 public:
  void init(base::MetaArena* meta) { meta_ = meta; }
  /// Room for at least `slots`, a class's worth. Null: no memory.
  gc::ShadowChunk* get(size_t slots);
  void put(gc::ShadowChunk* chunk);

 private:
  base::MetaArena* meta_ = nullptr;
  base::Mutex lock_{base::LockRank::kLeaf};
  gc::ShadowChunk* free_[kChunkClasses] TRI_GUARDED_BY(lock_) = {};
};

}  // namespace tricolor::sched

#endif  // TRICOLOR_SCHED_SHADOW_STACK_H_
