// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Tables: an array part for the keys 1..array_size and a hash part for the
// rest (chained scatter table with Brent's variation, as PUC Lua has it).
//
// Invariants
// 1. An integer key in [1, array_size] is never in the hash part.
// 2. Array slots at and beyond array_used are nil; the last used one is not.
//    So array_used is a border, unless the hash part goes on with it.
// 3. `nodes` points at kNoNodes (outside the heap) when there is no hash part;
//    node_mask is 0 then.
// 4. A removed key stays in its node with a nil value until the next rehash,
//    so that next() finds its way from it.
// 5. absent is cleared whenever a key is inserted.
// Owner task only. Values stored are rooted by the caller.
#ifndef TLUA_TABLE_H_
#define TLUA_TABLE_H_

#include "string.h"

namespace tlua {

/// A node without key that all tables without a hash part share.
extern const uint64_t kNoNodes[3];
inline Node* no_nodes() {
  return reinterpret_cast<Node*>(const_cast<uint64_t*>(kNoNodes));
}

Table* new_table(State& L);  // may allocate
/// Gives a new, rooted table room for this many elements. May allocate.
void init_table(State& L, Table* t, size_t array_size, size_t hash_size);

inline bool has_nodes(const Table* t) { return t->nodes.load() != no_nodes(); }
inline uint32_t node_count(const Table* t) {
  return has_nodes(t) ? t->node_mask + 1 : 0;
}

/// Where the value of an interned or any other string key lies; null if the
/// key is absent (a slot with nil may be returned as well).
inline ValueSlot* find_string(const Table* t, const String* key) {
  uint32_t hash = hash_of(key);
  Node* n = t->nodes.load() + (hash & t->node_mask);
  const Value want = Value::of(key);
  for (;;) {
    Value k = n->key.load();
    if (same_bits(k, want)) return &n->value;
    uint64_t meta = n->load_meta();
    if (static_cast<uint32_t>(meta >> 32) == hash && k.is_string() &&
        string_equal(k.as_string(), key)) {
      return &n->value;
    }
    int32_t next = static_cast<int32_t>(meta);
    if (next == 0) return nullptr;
    n += next;
  }
}

ValueSlot* find_integer_slow(const Table* t, int64_t key);
inline ValueSlot* find_integer(const Table* t, int64_t key) {
  uint64_t i = static_cast<uint64_t>(key) - 1;
  if (i < t->array_used) return &t->array.load()[i];
  return find_integer_slow(t, key);
}
/// Any key; nil and NaN are absent.
ValueSlot* find(const Table* t, Value key);
/// The string of these bytes among the keys, or null.
String* find_bytes(const Table* t, uint32_t hash, std::string_view bytes);

inline Value value_or_nil(const ValueSlot* slot) {
  return slot != nullptr ? slot->load() : Value::nil();
}
inline Value get_integer(const Table* t, int64_t key) {
  return value_or_nil(find_integer(t, key));
}
inline Value get_string(const Table* t, const String* key) {
  return value_or_nil(find_string(t, key));
}
inline Value get(const Table* t, Value key) {
  return value_or_nil(find(t, key));
}

/// Raw assignments. May allocate. A Lua error if key is nil or NaN.
void set(State& L, Table* t, Value key, Value v);
void set_integer(State& L, Table* t, int64_t key, Value v);
void set_string(State& L, Table* t, String* key, Value v);
/// By a name the VM interns; for setting up libraries. `v` is rooted.
void set_name(State& L, Table* t, std::string_view name, Value v);

/// The array slot i (0-based) got a nil: keeps invariant 2.
void trim_array(State& L, Table* t);

/// A border.
int64_t length(const Table* t);

/// Iteration by position: 0 starts. False at the end; else the entry's key and
/// value, and the position after it.
bool next_entry(State& L, const Table* t, uint64_t* position, Value* key,
                Value* v);
/// The position after `key` (nil: 0); a Lua error if it is no key of t.
uint64_t position_after(State& L, const Table* t, Value key);

/// Makes room; keys move between the parts. May allocate.
void resize(State& L, Table* t, size_t array_size, size_t hash_size);

}  // namespace tlua

#endif  // TLUA_TABLE_H_
