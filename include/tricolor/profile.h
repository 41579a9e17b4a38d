// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Sampling allocation profile: a callback about every N bytes allocated, with
// the cell that crossed the line. The inline allocation path knows nothing of
// it; a run of cells is only cut short where a sample is due.
#ifndef TRICOLOR_PROFILE_H_
#define TRICOLOR_PROFILE_H_

#include <cstddef>

#include "tricolor/detail/mutator.h"
#include "tricolor/layout.h"

namespace tricolor {

struct AllocSample {
  void* cell;             ///< new: zeroed, not constructed, not rooted
  size_t bytes;           ///< of the cell (its class; a large object's pages)
  size_t interval_bytes;  ///< the mean distance between samples
  LayoutId layout;
};

/// Called on the thread that allocates, inside the allocation: take the task's
/// or the VM's stack here. It may throw: the allocation has then failed, as far
/// as the caller can tell. It must not longjmp, block, or store managed
/// pointers; nor allocate managed memory, release, resize, collect, walk,
/// suspend, or report external bytes with a Mutator: such a call, if it gets
/// past the inline path, ends the process with a message.
using AllocSampleFn = void (*)(Mutator& mu, const AllocSample& sample,
                               void* ctx);

struct AllocProfile {
  AllocSampleFn fn = nullptr;  ///< null: off
  void* ctx = nullptr;
  size_t interval_bytes = size_t{512} << 10;  ///< at least 1
  /// Distances are drawn so that each byte is as likely as any other (a cell of
  /// s bytes is sampled with probability 1 - exp(-s / interval)); else every
  /// distance is interval_bytes, which repeats but may beat with the program.
  bool exponential = true;
};

/// Starts, changes or ends (fn null) the profile of this runtime. A safepoint
/// that stops the world for a moment: when it returns, no call of the old
/// callback is under way, and none will come. Cells allocated from runs taken
/// before it are not sampled.
void set_alloc_profile(Mutator& mu, const AllocProfile& profile);

}  // namespace tricolor

#endif  // TRICOLOR_PROFILE_H_
