// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Published: the numbers of the last cycle, written together at its end and
// read together from anywhere, without a lock: a sequence lock. An odd number
// says that somebody writes; who reads tries again if it was odd, or changed.
//
// Threads: write() by the holder of advancing_; read() by any. A reader waits
// for a writer's few dozen stores at most; cycles are not so short that it
// would meet one again and again.
#ifndef TRICOLOR_GC_PUBLISHED_H_
#define TRICOLOR_GC_PUBLISHED_H_

#include <cstddef>
#include <cstdint>

#include "base/atomics.h"
#include "tricolor/detail/size_class.h"

namespace tricolor::gc {

class Published {
  static constexpr size_t kWords = 11 + TRI_DETAIL_CLASS_COUNT;

 public:
  /// As in tri_gc_metrics.
  struct Group {
    uint64_t cycles, forced, concurrent;
    uint64_t live_bytes, live_cells, scanned, stacks, roots;
    uint64_t heap_start, heap_end, goal;
    uint64_t class_cells[TRI_DETAIL_CLASS_COUNT];
  };
  static_assert(sizeof(Group) == kWords * sizeof(uint64_t));

  void write(const Group& group);
  void read(Group* group) const;

 private:
  base::Atomic<uint32_t> seq_{0};
  base::Atomic<uint64_t> words_[kWords];
};

}  // namespace tricolor::gc

#endif  // TRICOLOR_GC_PUBLISHED_H_
