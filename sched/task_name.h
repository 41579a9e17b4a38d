// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Names of tasks, for dumps. A G has a pointer only, since most tasks have no
// name. Names are type-stable: a dump that reads one while it changes hands
// prints a wrong name, cut off at its last byte, which is always null.
//
// Threads: any (lock, rank kTaskNames).
#ifndef TRICOLOR_SCHED_TASK_NAME_H_
#define TRICOLOR_SCHED_TASK_NAME_H_

#include <cstddef>

#include "base/fixed_pool.h"
#include "base/lock.h"
#include "base/meta_arena.h"

namespace tricolor::sched {

inline constexpr size_t kTaskNameBytes = 32;

struct alignas(8) TaskName {
  char text[kTaskNameBytes];  ///< ends with a null
};

class TaskNamePool {
 public:
  void init(base::MetaArena* meta) {
    base::LockGuard guard(lock_);
    pool_.init(*meta);
  }
  /// A copy of what fits of `text`. Null: no memory.
  TaskName* get(const char* text);
  void put(TaskName* name);

 private:
  base::Mutex lock_{base::LockRank::kTaskNames};
  base::FixedPool<TaskName> pool_ TRI_GUARDED_BY(lock_);
};

}  // namespace tricolor::sched

#endif  // TRICOLOR_SCHED_TASK_NAME_H_
