// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// What execute() does to frames, apart from its instructions.
#ifndef TLUA_VM_FRAME_H_
#define TLUA_VM_FRAME_H_

#include "vm.h"

namespace tlua {

inline const Value* constants_of(const Proto* p) {
  // Immutable once the prototype is published, so plain reads will do.
  return reinterpret_cast<const Value*>(p->constants.load());
}

/// Back in the Lua frame on top: its end is the stack's again, but for
/// `results_end` (or null) if all results of a call are to be taken.
inline void restore_top(State& L, const Frame* frame, Value* results_end) {
  Value* end = L.stack() + frame->top;
  L.top = results_end != nullptr ? results_end : end;
  L.vs->top = reinterpret_cast<uint64_t*>(L.top > end ? L.top : end);
}
/// The Lua frame on top has all of the stack there is.
inline void take_top(State& L, Frame* frame) {
  L.top = reinterpret_cast<Value*>(L.vs->top);
  frame->top = static_cast<uint32_t>(L.vs->top - L.vs->base);
}

/// Moves n results to `to`, padding with nil to `wanted` (-1: all); returns
/// their end.
inline Value* move_results(Value* to, const Value* from, int n, int wanted) {
  if (wanted < 0) wanted = n;
  int i = 0;
  for (; i < n && i < wanted; ++i) to[i] = from[i];
  for (; i < wanted; ++i) to[i] = Value::nil();
  return to + wanted;
}

/// The variable arguments: moves the fixed ones above them.
void prepare_varargs(State& L, int params);
/// Copies `wanted` (-1: all) variable arguments to register a.
void get_varargs(State& L, uint32_t a, int wanted);
/// Turns the running frame into one for the function at ra (a closure).
void replace_frame(State& L, Value* ra, int nargs);
/// A new closure of the child prototype in register a.
void make_closure(State& L, uint32_t a, uint32_t child);
/// R[a][first + 1...] = R[a + 1...].
void set_list(State& L, Value* ra, int n, uint32_t first);
/// Starts and steps generic loops; see vm_for.cc.
void for_in_prepare(State& L, Value* ra);
/// Steps without a call if it can; false: the call must be made.
bool for_in_step(State& L, Value* ra, int vars);

}  // namespace tlua

#endif  // TLUA_VM_FRAME_H_
