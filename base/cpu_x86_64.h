// SPDX-License-Identifier: MIT
// Copyright tricolor authors
//
// The x86-64 instructions that base/ needs by name. Another CPU gets a header
// of its own beside this one; base/atomics.h picks it.
#ifndef TRICOLOR_BASE_CPU_X86_64_H_
#define TRICOLOR_BASE_CPU_X86_64_H_

#include <cstdint>

#include "base/macros.h"

#if TRI_SIM
#include "base/sim.h"
#endif

namespace tricolor::base {

// Tells the core that this is a spin loop (PAUSE).
inline void cpu_relax() {
#if TRI_SIM
  sim::pause();
#else
  __builtin_ia32_pause();
#endif
}

// All ones if a < b, else 0. Compilers make five instructions of it, or a
// branch.
inline uint64_t ones_if_below(uint64_t a, uint64_t b) {
  uint64_t ones;
  asm("cmpq %2, %1\n\tsbbq %0, %0" : "=r"(ones) : "r"(a), "rm"(b) : "cc");
  return ones;
}

}  // namespace tricolor::base

#endif  // TRICOLOR_BASE_CPU_X86_64_H_
