// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// External bytes: memory outside the heap that lives and dies with managed
// objects (a malloc'ed buffer freed by on_dead, a texture, a mapped file). The
// embedder reports what it holds, and the collector paces itself by heap plus
// external bytes, so that small cells with large belongings are found dead in
// time. Nothing is allocated or freed here, and no limit is enforced.
// Source of the idea: V8's AdjustAmountOfExternalAllocatedMemory.
#ifndef TRICOLOR_EXTERNAL_H_
#define TRICOLOR_EXTERNAL_H_

#include <cstdint>

#include "tricolor/detail/mutator.h"

namespace tricolor {

class Runtime;

/// `delta` bytes more (or, below 0, less) are held. Every 64 KiB of growth on a
/// P counts as an allocation of that size: then the call may start a cycle,
/// make the caller assist, and is a safepoint; raw pointers to cells must be
/// rooted. A negative delta does nothing but count.
void adjust_external(Mutator& mu, int64_t delta);

/// The same, counting alone: any thread, any moment, on_dead included; neither
/// collects nor suspends. Growth is seen at the next refill of any P.
void adjust_external(Runtime& rt, int64_t delta);

/// The sum of all deltas, 0 while it is negative (an object's end may be
/// reported before its beginning, by another thread). Stops at INT64_MAX and
/// INT64_MIN: who has gone beyond counts wrong from then on, by what was lost.
/// Any thread.
uint64_t external_bytes(const Runtime& rt);

}  // namespace tricolor

#endif  // TRICOLOR_EXTERNAL_H_
