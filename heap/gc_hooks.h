// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// GcHooks: the heap's one upward interface. A refill, before it takes a run,
// lets the collector start a cycle, assist, or stop; a failed one asks for a
// collection and then for the embedder's handler. Implemented in gc/.
//
// Every hook is a safepoint and is called with no lock held and no run half
// taken.
#ifndef TRICOLOR_HEAP_GC_HOOKS_H_
#define TRICOLOR_HEAP_GC_HOOKS_H_

#include <cstddef>

#include "tricolor/detail/mutator.h"

namespace tricolor::heap {

struct GcHooks {
  void* ctx = nullptr;
  /// About to hand `bytes` of cells to `mu`. Left out while the P's unsettled
  /// bytes are under 32 KiB and the slot's span is not used up.
  void (*before_refill)(void* ctx, tri_mutator* mu, size_t bytes) = nullptr;
  /// Nothing left: collect. True if it is worth trying again. `begun`:
  /// Heap::cycles_begun() when the allocation was asked for.
  bool (*collect_for_memory)(void* ctx, tri_mutator* mu, size_t bytes,
                             uint32_t begun, int attempt) = nullptr;
  /// `make` failed for good: the embedder's handler; does not return normally.
  void (*out_of_memory)(void* ctx, tri_mutator* mu, size_t bytes) = nullptr;
};

}  // namespace tricolor::heap

#endif  // TRICOLOR_HEAP_GC_HOOKS_H_
