// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Chunks: source text to a closure on the managed heap.
#ifndef TLUA_LOAD_H_
#define TLUA_LOAD_H_

#include <string_view>

#include "state.h"

namespace tlua {

/// Pushes the main function of `source`, with the state's globals as _ENV.
/// On a syntax error pushes the message instead and returns false. `source`
/// must not move. A safepoint; compiling itself runs outside managed code.
bool load_chunk(State& L, std::string_view source, std::string_view chunk_name);

/// Whether the chunk is one that string.dump() of another Lua made.
inline bool is_binary_chunk(std::string_view source) {
  return !source.empty() && source[0] == '\x1b';
}

/// Pushes a closure of a copy of `proto` (of another state of this runtime)
/// whose constants are this state's own. Its upvalues are closed and nil.
Closure* adopt_prototype(State& L, const Proto* proto);

/// A closure with `upvalue_count` null upvalues. May allocate.
Closure* new_closure(State& L, Proto* proto, uint32_t upvalue_count);
/// A closed upvalue that holds v. May allocate.
Upvalue* new_closed_upvalue(State& L, Value v);

}  // namespace tlua

#endif  // TLUA_LOAD_H_
