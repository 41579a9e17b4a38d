// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// WeakList: the weak cells met (or made) in this cycle, linked through
// themselves. After strong marking has ended, those whose target is not marked
// are cleared; see gc/settle.cc.
//
// Invariant: WeakCell::link is null unless the cell is on the list; who takes
// it from null to kClaimed pushes it, so it is there once.
#ifndef TRICOLOR_GC_WEAK_LIST_H_
#define TRICOLOR_GC_WEAK_LIST_H_

#include <cstddef>
#include <cstdint>

#include "base/atomics.h"

namespace tricolor::heap {
class Heap;
}

namespace tricolor::gc {

class WeakTargets;

enum class WeakAnswer : int {
  kDead = 0,
  kAlive = 1,
  kSettled = 2,  ///< look at the word again: it is as it should be by now
};

/// The memory of a tricolor::Weak<T> or LongWeak<T>.
struct WeakCell {
  uint64_t target;
  uint64_t link;
};
static_assert(sizeof(WeakCell) == 16);

class WeakList {
 public:
  /// Any thread that marks or allocates while marking.
  void add(void* weak_cell);
  /// Clears dead targets, up to `limit` cells; true if the list is empty
  /// after it. `targets` (may be null) forgets them. One thread at a time,
  /// between stop 2 and the handshake.
  bool settle(heap::Heap* heap, WeakTargets* targets, size_t limit);
  bool empty() const { return head_.load_relaxed() == kEnd; }

 private:
  static constexpr uint64_t kEnd = 1;  // also the claim of a cell in mid-push
  base::Atomic<uint64_t> head_{kEnd};
};

}  // namespace tricolor::gc

#endif  // TRICOLOR_GC_WEAK_LIST_H_
