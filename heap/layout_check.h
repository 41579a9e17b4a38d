// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// What an embedder may register: a LayoutSpec or an Encoding is checked whole
// before anything is stored (heap/layout_table.h), and the error names the
// field. All there is to refuse about their contents is refused here; limits of
// the table, and what a trace function does when it is tried
// (gc/try_trace.h), elsewhere.
//
// Threads: any; nothing here has a state.
#ifndef TRICOLOR_HEAP_LAYOUT_CHECK_H_
#define TRICOLOR_HEAP_LAYOUT_CHECK_H_

#include "base/macros.h"
#include "heap/layout_table.h"

namespace tricolor::heap {

/// Checks `spec`, whose encoding must be one of `encodings`, and fills *out,
/// its own flags included, and *pattern. Where they lie is the caller's to say:
/// out->pattern stays null.
bool check_layout(const LayoutSpec& spec, const Encoding* encodings,
                  uint32_t encoding_count, HotLayout* out, TailPattern* pattern,
                  Error* error);

bool check_encoding(const Encoding& encoding, Error* error);

/// Fills *error, if there is one: "register_layout '<name>': <what>", a long
/// name cut short. Returns false.
bool refuse_layout(Error* error, ErrorCode code, const LayoutSpec& spec,
                   const char* format, ...) TRI_PRINTF(4, 5);

}  // namespace tricolor::heap

#endif  // TRICOLOR_HEAP_LAYOUT_CHECK_H_
