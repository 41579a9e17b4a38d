// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// MCentral: the spans of one (layout, size class) that no P caches. Four lists:
// {swept, unswept} x {partial, full}; swept and unswept swap roles by the
// parity of the heap's sweep generation, so that a stop touches none of them.
//
// Invariants
// 1. A span on the unswept lists has sweepgen == h - 2, on the swept ones h.
// 2. Taking a span from a list makes the taker its only holder.
// Threads: any; each call takes the lock (rank kMCentral).
#ifndef TRICOLOR_HEAP_MCENTRAL_H_
#define TRICOLOR_HEAP_MCENTRAL_H_

#include <cstdint>

#include "base/lock.h"
#include "heap/span.h"

namespace tricolor::heap {

class AddressSpace;

class MCentral {
 public:
  /// Zeroed memory is a valid MCentral except for its lock's rank.
  bool in_use() const { return in_use_ != 0; }
  void set_in_use() { in_use_ = 1; }

  /// Puts `span` on the list its sweepgen and `full` say.
  void push(AddressSpace& space, Span* span, bool full);
  /// Takes a swept span with free cells; null if none.
  Span* pop_partial_swept(AddressSpace& space, uint32_t sweepgen);
  /// Takes an unswept span: partial ones first; null if none.
  Span* pop_unswept(AddressSpace& space, uint32_t sweepgen);

 private:
  struct List {
    uint32_t head = 0;
  };
  static uint32_t index(uint32_t sweepgen, bool full) {
    return (sweepgen >> 1 & 1) * 2 + (full ? 1 : 0);
  }
  Span* pop_locked(AddressSpace& space, List* list) TRI_REQUIRES(lock_);

  base::Mutex lock_{base::LockRank::kMCentral};
  List lists_[4] TRI_GUARDED_BY(lock_);
  uint32_t in_use_ = 0;  // guarded by the heap's centrals_lock_
};

}  // namespace tricolor::heap

#endif  // TRICOLOR_HEAP_MCENTRAL_H_
