// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// What table.cc and table_resize.cc share and nobody else uses.
#ifndef TLUA_TABLE_INTERNAL_H_
#define TLUA_TABLE_INTERNAL_H_

#include "table.h"

namespace tlua {

inline uint32_t hash_integer(int64_t i) {
  return static_cast<uint32_t>(
      (static_cast<uint64_t>(i) * 0x9e3779b97f4a7c15) >> 33);
}
/// `key` is neither nil nor NaN nor a float with an integer value.
uint32_t hash_of_key(Value key);

/// Adds a key that is not in the table, growing it if need be.
void insert_new(State& L, Table* t, Value key, Value v);

/// Doubles the full array part and moves integer keys over from the hash part.
/// False if the array would become too large.
bool grow_array(State& L, Table* t);

}  // namespace tlua

#endif  // TLUA_TABLE_INTERNAL_H_
