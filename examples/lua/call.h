// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Calls: frames, calls of C functions, calls from C++ into Lua, protected
// calls. Calls between Lua functions happen inside execute() (vm.cc) and do
// not use the native stack.
#ifndef TLUA_CALL_H_
#define TLUA_CALL_H_

#include "state.h"

namespace tlua {

inline constexpr int kMaxCDepth = 200;
inline constexpr int kHandlerCDepth = 20;  // more, for message handlers

/// Grows the frame array; may allocate.
void grow_frames(State& L);
inline Frame* push_frame(State& L) {
  if (L.frame + 1 == L.frame_end) grow_frames(L);
  return ++L.frame;
}

/// Calls the function at L.top - nargs - 1 with the arguments above it. Its
/// results replace it and them: `wanted` of them, or all if that is -1.
void call(State& L, int nargs, int wanted);

/// The same; a Lua error is caught: false, and the error value is pushed in the
/// place of the function. `handler`: stack index of xpcall's handler, or 0.
bool protected_call(State& L, int nargs, int wanted, uint32_t handler = 0);

/// Calls the C function in `func`; results go to func..., L.top after them.
void call_c(State& L, Value* func, int nargs, int wanted);

/// Enters a frame for the closure at func; execute() then runs it.
void enter_closure(State& L, Value* func, int nargs, int wanted);

/// Puts the __call metamethod of *func before it; a Lua error if it has none.
/// May move the stack: returns func's new address.
Value* insert_call_metamethod(State& L, Value* func);

/// Calls f(a, b) and returns its first result, unrooted.
Value call_meta(State& L, Value f, Value a, Value b);

/// Runs the frame on top until it returns to C++ (vm.cc).
void execute(State& L);

// Upvalues -------------------------------------------------------------------

/// The open upvalue of stack word `index`, made if need be. May allocate.
Upvalue* find_upvalue(State& L, uint32_t index);
/// Closes those of `owner` at and above `index`. `mu` is the running thread's:
/// the owner may be another one, suspended.
void close_upvalues(Mutator& mu, State& owner, uint32_t index);
inline void close_upvalues(State& L, uint32_t index) {
  close_upvalues(mutator(L), L, index);
}

/// L's value stack has moved by so many bytes.
void move_upvalues(State& L, ptrdiff_t bytes);

inline Value get_upvalue(const Upvalue* u) { return *u->at; }
/// A store into the stack of another thread takes the barrier, as that stack
/// may have been scanned already.
inline void set_upvalue(State& L, Upvalue* u, Value v) {
  State* owner = u->owner.load();
  if (owner == nullptr) {
    u->value.store(mutator(L), v);
  } else if (owner == &L) {
    *u->at = v;
  } else {
    tri::detail::store_slot(mutator(L), reinterpret_cast<uint64_t*>(u->at), v);
  }
}

}  // namespace tlua

#endif  // TLUA_CALL_H_
