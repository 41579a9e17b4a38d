// SPDX-License-Identifier: MIT
// Copyright tricolor authors
//
// The x86-64 instructions that base/ needs by name. Another CPU gets a header
// of its own beside this one; base/atomics.h picks it.
#ifndef TRICOLOR_BASE_CPU_X86_64_H_
#define TRICOLOR_BASE_CPU_X86_64_H_

namespace tricolor::base {

// Tells the core that this is a spin loop (PAUSE).
inline void cpu_relax() { __builtin_ia32_pause(); }

}  // namespace tricolor::base

#endif  // TRICOLOR_BASE_CPU_X86_64_H_
