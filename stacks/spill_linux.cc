// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Where the calling thread's stack lies, see stacks/spill.h.
#include <pthread.h>

#include "stacks/spill.h"

namespace tricolor::stacks {

StackBounds thread_stack_bounds() {
  StackBounds bounds;
  pthread_attr_t attr;
  if (pthread_getattr_np(pthread_self(), &attr) != 0) return bounds;
  void* lo = nullptr;
  size_t bytes = 0;
  if (pthread_attr_getstack(&attr, &lo, &bytes) == 0) {
    bounds.lo = static_cast<char*>(lo);
    bounds.hi = bounds.lo + bytes;
  }
  pthread_attr_destroy(&attr);
  return bounds;
}

}  // namespace tricolor::stacks
