// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Universe: what all Lua states of one runtime share: the value encoding and
// the layouts of objects.h. Made once per runtime; immutable afterwards, but
// for `task_failed`, which any state may set.
#ifndef TLUA_TYPES_H_
#define TLUA_TYPES_H_

#include <atomic>

#include "objects.h"
#include "tricolor/layout.h"
#include "tricolor/runtime.h"

namespace tlua {

struct Universe {
  explicit Universe(tri::Runtime& rt);

  tri::Runtime& runtime;
  tri::EncodingId encoding;
  tri::LayoutId bytes;     // strings, code, lines, frames, boxed integers
  tri::LayoutId values;    // arrays of Value, nodes
  tri::LayoutId pointers;  // arrays of Field<Proto>
  tri::LayoutId closures;
  tri::LayoutId c_functions;
  tri::Type<BoxedInt> boxed_int;
  tri::Type<Table> table;
  tri::Type<Proto> proto;
  tri::Type<Upvalue> upvalue;
  tri::Type<State> thread;
  tri::Type<Userdata> task;
  tri::Type<Userdata> file;  // closes its FILE when it dies
  /// A task failed and nobody asked; relaxed, as the runtime joins all tasks
  /// before main() reads it.
  std::atomic<bool> task_failed{false};
};

}  // namespace tlua

#endif  // TLUA_TYPES_H_
