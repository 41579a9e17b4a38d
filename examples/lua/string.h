// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Strings: immutable cells. Strings made at run time are not interned; equality
// is the pointer, then hash and length, then the bytes. Constants of compiled
// code, names of metamethods and of library functions are interned per state,
// so that a table access by a constant name mostly ends at the pointer.
#ifndef TLUA_STRING_H_
#define TLUA_STRING_H_

#include <string_view>

#include "state.h"

namespace tlua {

inline std::string_view view(const String* s) { return {s->data, s->length}; }
inline std::string_view view(Value v) { return view(v.as_string()); }

/// 31 bits, never 0.
uint32_t hash_bytes(const char* data, size_t length);
uint32_t hash_string_slow(const String* s);
inline uint32_t hash_of(const String* s) {
  // Relaxed: every thread computes the same value.
  uint32_t h = __atomic_load_n(&s->hash, __ATOMIC_RELAXED);
  return h != 0 ? h : hash_string_slow(s);
}

inline bool string_equal(const String* a, const String* b) {
  if (a == b) return true;
  return a->length == b->length &&
         std::memcmp(a->data, b->data, a->length) == 0;
}
/// strcoll as Lua does it in the C locale: bytes, embedded zeros included.
int string_compare(const String* a, const String* b);

/// An uninitialised string of `length` bytes; the caller fills data before the
/// next safepoint. May allocate. A Lua error beyond 2 GiB.
String* new_string_buffer(State& L, size_t length);
/// A new string (or the cached one of a single byte). May allocate; `bytes`
/// must not point into an unrooted cell.
String* new_string(State& L, std::string_view bytes);
/// The string with these bytes that constants share. May allocate.
String* intern(State& L, std::string_view bytes);

inline void push_string(State& L, std::string_view bytes) {
  push(L, Value::of(new_string(L, bytes)));
}

}  // namespace tlua

#endif  // TLUA_STRING_H_
