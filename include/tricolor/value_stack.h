// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// ValueStack: where a VM keeps its frames. Words in [base, top) are roots,
// read with the stack's encoding; stores into them need no barrier because the
// collector scans them only while their owner is suspended. A VM keeps `top`
// true at every safepoint and initialises words before it raises top.
//
// reserve() may move the stack (it does once growth exists): read base again
// after it, and keep indices, not addresses, across calls that may reserve.
#ifndef TRICOLOR_VALUE_STACK_H_
#define TRICOLOR_VALUE_STACK_H_

#include <cstddef>
#include <cstdint>

#include "tricolor/detail/mutator.h"
#include "tricolor/encoding.h"

namespace tricolor {

using ValueStack = ::tri_value_stack;

/// Mounts a fresh stack of `bytes` (rounded up to pages) on the calling task or
/// coroutine, which owns it until it ends. One per G: a second call is a
/// misuse. Null when there is no memory. Does not collect.
ValueStack* mount_value_stack(Mutator& mu, size_t bytes, EncodingId encoding);

/// Whether `words` more fit above top, moving the stack if needed. False: the
/// stack's limit is reached (report a stack overflow). A safepoint.
inline bool reserve(Mutator& mu, size_t words) {
  ValueStack* s = mu.value_stack;
  return static_cast<size_t>(s->limit - s->top) >= words;
}

}  // namespace tricolor

#endif  // TRICOLOR_VALUE_STACK_H_
