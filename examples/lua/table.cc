// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Lookup, raw assignment and traversal of tables; growing is in
// table_resize.cc. See table.h.
#include "table.h"

#include <algorithm>

#include "number.h"
#include "table_internal.h"

namespace tlua {

namespace {

ValueSlot* find_bits(const Table* t, uint32_t hash, Value key) {
  Node* n = t->nodes.load() + (hash & t->node_mask);
  for (;;) {
    if (same_bits(n->key.load(), key)) return &n->value;
    int32_t next = n->next();
    if (next == 0) return nullptr;
    n += next;
  }
}

ValueSlot* find_boxed(const Table* t, int64_t key) {
  Node* n = t->nodes.load() + (hash_integer(key) & t->node_mask);
  for (;;) {
    Value k = n->key.load();
    if (k.is_boxed_int() && k.as_integer() == key) return &n->value;
    int32_t next = n->next();
    if (next == 0) return nullptr;
    n += next;
  }
}

}  // namespace

// Never written: a table without nodes makes some before it stores a key.
const uint64_t kNoNodes[3] = {kNilBits, kNilBits, 0};

uint32_t hash_of_key(Value key) {
  if (key.is_string()) return hash_of(key.as_string());
  if (key.is_integer()) return hash_integer(key.as_integer());
  return hash_integer(static_cast<int64_t>(key.bits >> 4 ^ key.bits));
}

ValueSlot* find_integer_slow(const Table* t, int64_t key) {
  if (static_cast<uint64_t>(key) - 1 < t->array_size) return nullptr;
  if (!fits_small(key)) return find_boxed(t, key);
  return find_bits(t, hash_integer(key), Value::small_int(key));
}

ValueSlot* find(const Table* t, Value key) {
  if (key.is_string()) return find_string(t, key.as_string());
  if (key.is_small_int()) return find_integer(t, key.as_small_int());
  if (key.is_double()) {
    int64_t i;
    if (double_to_integer(key.as_double(), &i)) return find_integer(t, i);
    if (key.as_double() != key.as_double()) return nullptr;
  } else if (key.is_boxed_int()) {
    return find_boxed(t, key.as_integer());
  } else if (key.is_nil()) {
    return nullptr;
  }
  return find_bits(t, hash_of_key(key), key);
}

String* find_bytes(const Table* t, uint32_t hash, std::string_view bytes) {
  Node* n = t->nodes.load() + (hash & t->node_mask);
  for (;;) {
    Value k = n->key.load();
    if (n->hash() == hash && k.is_string() && view(k) == bytes) {
      return k.as_string();
    }
    int32_t next = n->next();
    if (next == 0) return nullptr;
    n += next;
  }
}

void trim_array(State& L, Table* t) {
  static_cast<void>(L);
  ValueSlot* array = t->array.load();
  uint32_t used = t->array_used;
  while (used > 0 && array[used - 1].load().is_nil()) --used;
  t->array_used = used;
}

void set_integer(State& L, Table* t, int64_t key, Value v) {
  Mutator& mu = mutator(L);
  uint64_t i = static_cast<uint64_t>(key) - 1;
  if (i < t->array_used) {
    t->array.load()[i].store(mu, v);
    if (v.is_nil() && i + 1 == t->array_used) trim_array(L, t);
    return;
  }
  if (i < t->array_size) {
    if (v.is_nil()) return;
    t->array.load()[i].store(mu, v);
    t->array_used = static_cast<uint32_t>(i + 1);
    return;
  }
  ValueSlot* slot = find_integer_slow(t, key);
  if (slot != nullptr) {
    slot->store(mu, v);
    return;
  }
  if (v.is_nil()) return;
  if (i == t->array_size && t->array_used == t->array_size &&
      grow_array(L, t)) {
    t->array.load()[i].store(mu, v);
    t->array_used = std::max(t->array_used, static_cast<uint32_t>(i + 1));
    return;
  }
  if (key > 0) t->int_in_hash = 1;
  Value boxed = make_integer(L, key);
  push(L, boxed);
  insert_new(L, t, boxed, v);
  pop(L);
}

void set_string(State& L, Table* t, String* key, Value v) {
  t->absent = 0;
  ValueSlot* slot = find_string(t, key);
  if (slot != nullptr) {
    slot->store(mutator(L), v);
  } else if (!v.is_nil()) {
    insert_new(L, t, Value::of(key), v);
  }
}

void set(State& L, Table* t, Value key, Value v) {
  if (key.is_string()) return set_string(L, t, key.as_string(), v);
  if (key.is_integer()) return set_integer(L, t, key.as_integer(), v);
  if (key.is_nil()) run_error(L, "table index is nil");
  if (key.is_double()) {
    int64_t i;
    if (double_to_integer(key.as_double(), &i)) return set_integer(L, t, i, v);
    if (key.as_double() != key.as_double()) {
      run_error(L, "table index is NaN");
    }
  }
  ValueSlot* slot = find_bits(t, hash_of_key(key), key);
  if (slot != nullptr) {
    slot->store(mutator(L), v);
  } else if (!v.is_nil()) {
    insert_new(L, t, key, v);
  }
}

void set_name(State& L, Table* t, std::string_view name, Value v) {
  set_string(L, t, intern(L, name), v);
}

namespace {

/// A border above `low`, which is present, when keys go on in the hash part.
int64_t hash_border(const Table* t, int64_t low) {
  auto present = [t](int64_t i) { return !get_integer(t, i).is_nil(); };
  int64_t high = low == 0 ? 1 : low;
  while (present(high)) {
    low = high;
    if (high > (int64_t{1} << 61)) return high;
    high *= 2;
  }
  while (high - low > 1) {
    int64_t middle = low + (high - low) / 2;
    (present(middle) ? low : high) = middle;
  }
  return low;
}

}  // namespace

int64_t length(const Table* t) {
  if (t->array_used < t->array_size || t->int_in_hash == 0) {
    return t->array_used;
  }
  int64_t n = t->array_used;
  if (get_integer(t, n + 1).is_nil()) return n;
  return hash_border(t, n + 1);
}

bool next_entry(State& L, const Table* t, uint64_t* position, Value* key,
                Value* v) {
  uint64_t i = *position;
  const ValueSlot* array = t->array.load();
  for (; i < t->array_used; ++i) {
    Value element = array[i].load();
    if (element.is_nil()) continue;
    *position = i + 1;
    *key = make_integer(L, static_cast<int64_t>(i + 1));
    *v = element;
    return true;
  }
  uint64_t j = i > t->array_size ? i - t->array_size : 0;
  const Node* nodes = t->nodes.load();
  for (uint64_t end = node_count(t); j < end; ++j) {
    Value element = nodes[j].value.load();
    if (element.is_nil()) continue;
    *position = t->array_size + j + 1;
    *key = nodes[j].key.load();
    *v = element;
    return true;
  }
  *position = t->array_size + j;
  return false;
}

uint64_t position_after(State& L, const Table* t, Value key) {
  if (key.is_nil()) return 0;
  int64_t i = 0;
  bool integer = key.is_integer();
  if (integer) i = key.as_integer();
  if (key.is_double()) integer = double_to_integer(key.as_double(), &i);
  if (integer && static_cast<uint64_t>(i) - 1 < t->array_size) {
    return static_cast<uint64_t>(i);
  }
  ValueSlot* slot = has_nodes(t) ? find(t, key) : nullptr;
  if (slot == nullptr) run_error(L, "invalid key to 'next'");
  auto offset =
      reinterpret_cast<char*>(slot) - reinterpret_cast<char*>(t->nodes.load());
  return t->array_size + static_cast<uint64_t>(offset) / sizeof(Node) + 1;
}

}  // namespace tlua
