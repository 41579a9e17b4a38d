// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Under AddressSanitizer a free cell is poisoned: a missing root is reported at
// the first touch. Elsewhere these are nothing.
#ifndef TRICOLOR_HEAP_POISON_H_
#define TRICOLOR_HEAP_POISON_H_

#include <cstddef>

#include "base/macros.h"

#if TRI_ASAN
#include <sanitizer/asan_interface.h>
#endif

namespace tricolor::heap {

inline void poison([[maybe_unused]] void* p, [[maybe_unused]] size_t n) {
#if TRI_ASAN
  __asan_poison_memory_region(p, n);
#endif
}

inline void unpoison([[maybe_unused]] void* p, [[maybe_unused]] size_t n) {
#if TRI_ASAN
  __asan_unpoison_memory_region(p, n);
#endif
}

}  // namespace tricolor::heap

#endif  // TRICOLOR_HEAP_POISON_H_
