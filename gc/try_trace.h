// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// A custom layout's trace function is tried when it is registered, on cells of
// zeros: markers may meet one at any time, and what goes wrong then would look
// like a damaged heap. Called by Runtime::register_layout, after the spec has
// passed heap/layout_check.h. A function that crashes on zeros does so there.
//
// Threads: any; no lock is held.
#ifndef TRICOLOR_GC_TRY_TRACE_H_
#define TRICOLOR_GC_TRY_TRACE_H_

#include "heap/heap.h"
#include "tricolor/error.h"
#include "tricolor/layout.h"

namespace tricolor::gc {

/// Calls spec.trace on the smallest cell there may be and on a longer one.
/// False, with an error that names `trace`, if it reports a pointer that is not
/// null, or words outside the cell, or writes. True without a trace function.
/// What lies around the cell is no zeros, so that a function that reads there
/// and reports it is noticed; 256 bytes behind it, a page without access.
/// AddressSanitizer reports every read around the cell.
bool try_trace(heap::Heap* heap, const LayoutSpec& spec, Error* error);

}  // namespace tricolor::gc

#endif  // TRICOLOR_GC_TRY_TRACE_H_
