// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Code that is preempted although it never polls. What lies in a registered
// range may be stopped, or lose its P, between any two instructions: a signal
// (Options::preempt_signal) makes it call the scheduler there. All registers
// are kept; the whole native stack is scanned conservatively meanwhile, so a
// pointer to a cell may lie in any register or variable.
//
//   TRI_PREEMPTIBLE double sum(const double* v, size_t n) {
//     double s = 0;
//     for (size_t i = 0; i < n; i++) s += v[i];
//     return s;
//   }
//   ...
//   add_preemptible_section(rt, &error);
//
// What such code may not do: use the inline forms that allocate and store
// references (make, Field::store): it calls functions outside the range that
// do. A source file with TRI_PREEMPTIBLE functions defines TRI_PREEMPTIBLE_CODE
// before it includes anything of tricolor, so that registering its section can
// name the function that breaks the rule. What a function calls is not
// preempted, but if it is in a range, too.
//
// There is no handler before the first range is registered. Signals go only to
// threads that run managed code and have been asked to stop. Under
// ThreadSanitizer, and with Options::preempt_signal = 0, ranges are kept and
// nothing is sent.
// Source of the idea: Go's asyncPreempt.
#ifndef TRICOLOR_PREEMPTIBLE_H_
#define TRICOLOR_PREEMPTIBLE_H_

#include <cstddef>
#include <cstdint>

#include "tricolor/error.h"

/// A function, of C or C++, that lies in the section of its program or shared
/// object. No inlining into others; what is inlined into it lies there, too.
#ifdef TRI_PREEMPTIBLE_CODE
#define TRI_PREEMPTIBLE __attribute__((section("tri_preemptible"), noinline))
#else
#define TRI_PREEMPTIBLE define_TRI_PREEMPTIBLE_CODE_before_including_tricolor
#endif

extern "C" {
// Made by the linker for each object with such a section.
extern const char __start_tri_preemptible[]
    __attribute__((weak, visibility("hidden")));
extern const char __stop_tri_preemptible[]
    __attribute__((weak, visibility("hidden")));
extern const int __start_tri_inline_forms[]
    __attribute__((weak, visibility("hidden")));
extern const int __stop_tri_inline_forms[]
    __attribute__((weak, visibility("hidden")));
}

namespace tricolor {

class Runtime;

enum class CodeKind : uint32_t {
  /// Compiled code, which may hold addresses of thread-local variables: goes on
  /// on the thread that it was preempted on, which waits for that.
  kCompiled = 0,
  /// A JIT's, without such: goes on on any thread.
  kTlsFree = 1,
};

inline constexpr size_t kMaxPreemptibleRanges = 256;

/// Registers [lo, hi). Any thread. False with a reason: an empty range, one
/// that overlaps another, more than kMaxPreemptibleRanges.
bool add_preemptible_range(Runtime& rt, const void* lo, const void* hi,
                           CodeKind kind, Error* error = nullptr);

/// Takes it out again, before the code goes. False: it is not registered. No
/// task may be in the range.
bool remove_preemptible_range(Runtime& rt, const void* lo, const void* hi);

namespace detail {
/// Misuse if one of the addresses noted in [from, to) is in [lo, hi).
void refuse_inline_forms(const void* lo, const void* hi, const int* from,
                         const int* to);
}  // namespace detail

/// The TRI_PREEMPTIBLE functions of the program or shared object of the caller.
/// Ends the process with a message that names one that uses an inline form.
/// Again: nothing.
inline bool add_preemptible_section(Runtime& rt, Error* error = nullptr) {
  detail::refuse_inline_forms(__start_tri_preemptible, __stop_tri_preemptible,
                              __start_tri_inline_forms,
                              __stop_tri_inline_forms);
  return add_preemptible_range(rt, __start_tri_preemptible,
                               __stop_tri_preemptible, CodeKind::kCompiled,
                               error);
}

}  // namespace tricolor

#endif  // TRICOLOR_PREEMPTIBLE_H_
