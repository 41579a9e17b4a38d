// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// What the library functions share: reading arguments, registering functions.
// A library function gets the running thread and the number of its arguments,
// pushes its results and returns how many.
#ifndef TLUA_LIB_H_
#define TLUA_LIB_H_

#include <cstdio>

#include "string.h"
#include "table.h"
#include "vm.h"

namespace tlua {

struct LibEntry {
  const char* name;  // "string.rep", ":read"; the last part is the key
  CFunctionPtr fn;
};

/// Adds functions to `t`, which is rooted.
void add_functions(State& L, Table* t, const LibEntry* entries, size_t n);
template <size_t N>
void add_functions(State& L, Table* t, const LibEntry (&entries)[N]) {
  add_functions(L, t, entries, N);
}
/// A new table as global `name`, with these functions.
Table* add_library(State& L, const char* name, const LibEntry* entries,
                   size_t n);
template <size_t N>
Table* add_library(State& L, const char* name, const LibEntry (&entries)[N]) {
  return add_library(L, name, entries, N);
}

/// A C function with nil upvalues. May allocate; `name` is static.
CFunction* new_c_function(State& L, CFunctionPtr fn, const char* name,
                          uint32_t upvalue_count);
inline CFunction* running_function(State& L) {
  return as_c_function(L.stack()[L.frame->func]);
}

void open_base(State& L);
void open_collect(State& L);
void open_coroutine(State& L);
void open_io(State& L);
void open_math(State& L);
void open_os(State& L);
void open_string(State& L);
void open_string_pattern(State& L, Table* lib);
void open_table(State& L);
void open_task(State& L);
void open_utf8(State& L);

/// Waits for the tasks that nobody has joined, and reports their errors.
void join_all_tasks(State& L);
/// Reports the errors of those that have ended already.
void report_failed_tasks(State& L);

/// Ends the process at once: other tasks may be in the middle of something.
[[noreturn]] void leave_process(int code);

// Arguments, 1-based. Errors name the function and the argument. -------------

inline bool is_none(State& L, int i) { return i > arg_count(L); }
inline bool is_none_or_nil(State& L, int i) { return L.arg(i).is_nil(); }
void check_any(State& L, int i);
int64_t check_integer_slow(State& L, int i);
inline int64_t check_integer(State& L, int i) {
  Value v = L.arg(i);
  return v.is_small_int() ? v.as_small_int() : check_integer_slow(L, i);
}
int64_t opt_integer(State& L, int i, int64_t otherwise);
double check_number(State& L, int i);
/// A number is converted in place, so the string is rooted. May allocate.
String* check_string_slow(State& L, int i);
inline String* check_string(State& L, int i) {
  Value v = L.arg(i);
  return v.is_string() ? v.as_string() : check_string_slow(L, i);
}
Table* check_table(State& L, int i);

inline int return_value(State& L, Value v) {
  push(L, v);
  return 1;
}
inline int return_integer(State& L, int64_t i) {
  push_integer(L, i);
  return 1;
}
/// nil and what went wrong with a file: "name: text", errno.
int return_os_error(State& L, const char* name, int error);

/// Appends all of a file; false with errno set.
bool read_stream(FILE* f, std::string* out);
bool read_file(const char* name, std::string* out);

/// Where an error of `level` (1: the caller of the running function) is.
std::string position_of_level(State& L, int level);

}  // namespace tlua

#endif  // TLUA_LIB_H_
