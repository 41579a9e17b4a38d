// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Argument checks and registration for all libraries; see lib.h.
#include "lib.h"

#include <cerrno>
#include <cstring>

#include "number.h"

namespace tlua {

CFunction* new_c_function(State& L, CFunctionPtr fn, const char* name,
                          uint32_t upvalue_count) {
  auto* f = static_cast<CFunction*>(
      tri::allocate(mutator(L), L.g->universe.c_functions,
                    CFunction::kHeaderBytes + upvalue_count * sizeof(Value)));
  f->kind = ObjectKind::kCFunction;
  f->fn = fn;
  f->name = name;
  f->upvalue_count = upvalue_count;
  for (uint32_t i = 0; i < upvalue_count; ++i) {
    f->upvalues[i].init(mutator(L), Value::nil());
  }
  return f;
}

void add_functions(State& L, Table* t, const LibEntry* entries, size_t n) {
  for (size_t i = 0; i < n; ++i) {
    const char* name = entries[i].name;
    const char* dot = std::strpbrk(name, ".:");
    push(L, Value::of(new_c_function(L, entries[i].fn, name, 0)));
    set_name(L, t, dot != nullptr ? dot + 1 : name, L.top[-1]);
    pop(L);
  }
}

Table* add_library(State& L, const char* name, const LibEntry* entries,
                   size_t n) {
  Table* t = new_table(L);
  push(L, Value::of(t));
  Table* globals = L.g->roots.get(kRootGlobalTable).as_table();
  set_name(L, globals, name, Value::of(t));
  add_functions(L, t, entries, n);
  pop(L);
  return t;
}

void check_any(State& L, int i) {
  if (is_none(L, i)) arg_error(L, i, "value expected");
}

int64_t check_integer_slow(State& L, int i) {
  Value v = L.arg(i);
  int64_t out;
  if (to_integer(v, &out)) return out;
  double d;
  if (to_double(v, &d)) {
    arg_error(L, i, "number has no integer representation");
  }
  arg_type_error(L, i, "number");
}

int64_t opt_integer(State& L, int i, int64_t otherwise) {
  return is_none_or_nil(L, i) ? otherwise : check_integer(L, i);
}

double check_number(State& L, int i) {
  Value v = L.arg(i);
  if (v.is_double()) return v.as_double();
  double d;
  if (!to_double(v, &d)) arg_type_error(L, i, "number");
  return d;
}

String* check_string_slow(State& L, int i) {
  String* s = to_string_or_null(L, L.arg(i));
  if (s == nullptr) arg_type_error(L, i, "string");
  L.slot(i) = Value::of(s);
  return s;
}

Table* check_table(State& L, int i) {
  Value v = L.arg(i);
  if (!v.is_table()) arg_type_error(L, i, "table");
  return v.as_table();
}

bool read_stream(FILE* f, std::string* out) {
  char block[1 << 14];
  size_t n;
  while ((n = std::fread(block, 1, sizeof(block), f)) > 0) {
    out->append(block, n);
  }
  return std::ferror(f) == 0;
}

bool read_file(const char* name, std::string* out) {
  FILE* f = std::fopen(name, "rb");
  if (f == nullptr) return false;
  bool ok = read_stream(f, out);
  int error = errno;
  std::fclose(f);
  errno = error;
  return ok;
}

int return_os_error(State& L, const char* name, int error) {
  push(L, Value::nil());
  std::string text = name != nullptr ? std::string(name) + ": " : "";
  push_string(L, text + std::strerror(error));
  push_integer(L, error);
  return 3;
}

}  // namespace tlua
