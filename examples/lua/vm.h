// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// The operations of the language with all their rules: metamethods, coercions,
// errors. execute() does the common cases itself and comes here for the rest;
// libraries always come here. All of them may allocate and run Lua code; their
// arguments are rooted by the caller, results are not.
#ifndef TLUA_VM_H_
#define TLUA_VM_H_

#include "ast.h"
#include "call.h"
#include "table.h"

namespace tlua {

Value index(State& L, Value object, Value key);
void set_index(State& L, Value object, Value key, Value v);

using ArithOp = BinaryOp;  // kAdd ... kShr
Value arith(State& L, ArithOp op, Value a, Value b);
Value negate(State& L, Value v);
Value bitwise_not(State& L, Value v);
Value length_of(State& L, Value v);

bool equal(State& L, Value a, Value b);
bool raw_equal(Value a, Value b);
bool less(State& L, Value a, Value b);
bool less_equal(State& L, Value a, Value b);

/// Joins the n values from stack index `first` on into the first of them.
void concat(State& L, uint32_t first, int n);

/// Prepares R[A..A+3] of a numeric for; false if the body never runs.
bool for_prepare(State& L, Value* ra);
/// The step of a loop whose integers need more than 48 bits.
bool for_step_wide(State& L, Value* ra);

/// What a number or numeral string converts to.
bool to_double(Value v, double* out);
/// Integers, floats with an integer value, strings of those.
bool to_integer(Value v, int64_t* out);
/// Numbers and strings as a string; null otherwise. May allocate.
String* to_string_or_null(State& L, Value v);
/// tostring(): __tostring, __name. May run Lua code.
String* to_display_string(State& L, Value v);

/// m's metamethod through the cache of absent ones.
Value fast_metamethod(State& L, Table* meta, Meta event);

// Errors about operands (debug.cc) -------------------------------------------

[[noreturn]] void call_error(State& L, Value v);
[[noreturn]] void index_error(State& L, Value object);
[[noreturn]] void arith_error(State& L, ArithOp op, Value a, Value b);
[[noreturn]] void concat_error(State& L, Value a, Value b);
[[noreturn]] void compare_error(State& L, Value a, Value b);
/// "attempt to <what> a <type> value (<variable>)".
[[noreturn]] void operand_error(State& L, const char* what, Value v);

/// The line a Lua frame is at.
int current_line(const State& L, const Frame* frame);
/// The name by which the running C function was called, or "?"; *is_method if
/// by a method call.
std::string called_name(State& L, const Frame* frame, bool* is_method);
std::string traceback(State& L, std::string_view message, int level);

}  // namespace tlua

#endif  // TLUA_VM_H_
