// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Where a value or a function got its name: for the texts of errors and
// tracebacks. Works on the bytecode, so running code pays nothing for it.
#ifndef TLUA_DEBUG_H_
#define TLUA_DEBUG_H_

#include <string>

#include "objects.h"

namespace tlua {

struct ObjectName {
  const char* kind;  // "local", "global", ...; null: unknown
  std::string name;
};

/// Who is in register `reg` when the instruction at `pc` runs.
ObjectName name_of_register(const Proto* p, int pc, int reg);
ObjectName name_of_upvalue(const Proto* p, int index);

/// The function of `frame` as its caller names it.
ObjectName name_of_function(State& L, const Frame* frame);

/// The index of the instruction a Lua frame is at.
int current_pc(const State& L, const Frame* frame);
const Proto* proto_of(const State& L, const Frame* frame);

}  // namespace tlua

#endif  // TLUA_DEBUG_H_
