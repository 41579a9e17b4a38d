// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// A mistake of the embedder's that many calls of heap/ and gc/ can meet, worded
// once. It ends the process.
//
// Threads: any.
#ifndef TRICOLOR_HEAP_MISUSE_H_
#define TRICOLOR_HEAP_MISUSE_H_

#include "base/check.h"

namespace tricolor::heap {

/// For calls that need a P, made by a Mutator that has none.
[[noreturn]] TRI_NOINLINE inline void misuse_in_native(const char* call) {
  TRI_MISUSE(call,
             "the calling task or thread is in native code: enter a "
             "ManagedScope (or leave the NativeScope); or the Mutator is "
             "not of the task or coroutine that runs, which has its own");
}

}  // namespace tricolor::heap

#endif  // TRICOLOR_HEAP_MISUSE_H_
