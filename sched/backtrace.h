// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Return addresses on a stack that was switched away from, without an unwinder:
// each word that points behind a call instruction of a loaded object is one.
// What is found so may be left over from an earlier call; nothing that is there
// is missing but JIT code and what has been inlined. Frame pointers are not
// enough: code that does without them keeps the register, so that the chain
// goes on behind its frames, as if these were not there.
//
// Threads: any; the stack does not change meanwhile (or garbage comes out).
#ifndef TRICOLOR_SCHED_BACKTRACE_H_
#define TRICOLOR_SCHED_BACKTRACE_H_

#include <cstddef>
#include <cstdint>

#include "base/fatal.h"

namespace tricolor::sched {

inline constexpr size_t kMaxFrames = 40;

/// What may be asked of the dynamic linker, which takes locks.
enum class Symbols : uint8_t {
  kNo,   ///< nothing: in a crash. Then frame pointers, for want of better
  kYes,  ///< what is code, and its names, where the program has dladdr
};

/// Of the context saved at `sp` (context_x86_64.S) on the stack that ends at
/// `hi`. Returns how many are in `out`.
size_t backtrace_saved(const void* sp, const void* hi, Symbols symbols,
                       uintptr_t (&out)[kMaxFrames]);

/// Of code at `pc` whose stack is [sp, hi) and does not change: with names. For
/// the first frame pc + 1 is given, as if a call ended there.
size_t backtrace_running(uintptr_t pc, const void* sp, const void* hi,
                         uintptr_t (&out)[kMaxFrames]);

/// A line for each.
void print_frames(base::FatalSink& sink, const uintptr_t* frames, size_t n,
                  Symbols symbols);

}  // namespace tricolor::sched

#endif  // TRICOLOR_SCHED_BACKTRACE_H_
