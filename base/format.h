// SPDX-License-Identifier: MIT
// Copyright tricolor authors
//
// A printf subset that never allocates, never locks and may run in a signal
// handler. The fatal path and the trace lines (gctrace, schedtrace) use it.
//
// Understood: %s %c %d %i %u %x %X %p %%, the length modifiers hh h l ll z t j,
// the flags 0 and -, a width, and a precision for %s (both may be *). Floating
// point is not: print scaled integers. Anything else is copied as it stands.
//
// Threading: no state.
#ifndef TRICOLOR_BASE_FORMAT_H_
#define TRICOLOR_BASE_FORMAT_H_

#include <cstdarg>
#include <cstddef>

#include "base/macros.h"

namespace tricolor::base {

// Takes the next `n` bytes of formatted text.
using FormatPut = void (*)(void* ctx, const char* text, size_t n);

// Formats `fmt` and hands the text to `put` in pieces.
void format_to(FormatPut put, void* ctx, const char* fmt, va_list args)
    TRI_PRINTF(3, 0);

// Formats into `out`, which always ends in a NUL (capacity > 0). Returns the
// length the whole text has, which is >= capacity when it was cut.
size_t format_buffer(char* out, size_t capacity, const char* fmt, ...)
    TRI_PRINTF(3, 4);

}  // namespace tricolor::base

#endif  // TRICOLOR_BASE_FORMAT_H_
