// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// How tables come to be and grow: choosing the size of both parts, moving keys
// between them, and the insertion of a new key. See table.h.
//
// When the hash part is full, the array part gets the largest size n (a power
// of two) such that more than half of 1..n are in use, as in PUC Lua. Besides,
// appending to a full array part doubles it at once, so that a list never goes
// through the hash part.
#include <algorithm>

#include "table_internal.h"
#include "tricolor/local.h"

namespace tlua {

namespace {

inline constexpr uint32_t kMaxArray = 1u << 28;
inline constexpr uint32_t kSmallArray = 4096;  // copied without safepoint
inline constexpr int kSizeClasses = 30;

ValueSlot* new_array(State& L, size_t n) {
  auto* a = static_cast<ValueSlot*>(
      tri::allocate(mutator(L), L.g->universe.values, n * sizeof(ValueSlot)));
  for (size_t i = 0; i < n; ++i) a[i].init(mutator(L), Value::nil());
  return a;
}

Node* new_nodes(State& L, size_t n) {
  auto* a = static_cast<Node*>(
      tri::allocate(mutator(L), L.g->universe.values, n * sizeof(Node)));
  for (size_t i = 0; i < n; ++i) {
    a[i].key.init(mutator(L), Value::nil());
    a[i].value.init(mutator(L), Value::nil());
  }
  return a;
}

uint32_t power_of_two(size_t n) {
  uint32_t p = 1;
  while (p < n) p *= 2;
  return p;
}

Node* take_free_node(Table* t) {
  Node* nodes = t->nodes.load();
  while (t->free_node > 0) {
    Node* n = &nodes[--t->free_node];
    if (n->key.load().is_nil()) return n;
  }
  return nullptr;
}

/// Frees the taken main position `mp` for a key that belongs there, or says
/// which node the key goes to instead. Null when no node is free.
Node* make_place(State& L, Table* t, Node* mp) {
  Mutator& mu = mutator(L);
  Node* free = take_free_node(t);
  if (free == nullptr) return nullptr;
  Node* other = t->nodes.load() + (mp->hash() & t->node_mask);
  if (other == mp) {  // mp is at home: the new key joins its chain
    int32_t next = mp->next();
    int32_t rest = next == 0 ? 0 : static_cast<int32_t>(mp + next - free);
    free->set_meta(0, rest);
    mp->set_meta(mp->hash(), static_cast<int32_t>(free - mp));
    return free;
  }
  // mp is a guest from another chain: it moves out.
  while (other + other->next() != mp) other += other->next();
  other->set_meta(other->hash(), static_cast<int32_t>(free - other));
  int32_t next = mp->next();
  int32_t rest = next == 0 ? 0 : static_cast<int32_t>(mp + next - free);
  free->key.store(mu, mp->key.load());
  free->value.store(mu, mp->value.load());
  free->set_meta(mp->hash(), rest);
  mp->set_meta(0, 0);
  mp->value.store(mu, Value::nil());
  return mp;
}

/// Inserts without growing; false if there is no free node.
bool insert_node(State& L, Table* t, Value key, uint32_t hash, Value v) {
  Node* n = t->nodes.load() + (hash & t->node_mask);
  if (!n->value.load().is_nil()) {
    n = make_place(L, t, n);
    if (n == nullptr) return false;
  }
  n->key.store(mutator(L), key);
  n->set_meta(hash, n->next());
  n->value.store(mutator(L), v);
  return true;
}

/// Puts an entry of the old parts into the new ones, which have room.
void reinsert(State& L, Table* t, Value key, uint32_t hash, Value v) {
  if (key.is_small_int()) {
    uint64_t i = static_cast<uint64_t>(key.as_small_int()) - 1;
    if (i < t->array_size) {
      t->array.load()[i].store(mutator(L), v);
      t->array_used = std::max(t->array_used, static_cast<uint32_t>(i + 1));
      return;
    }
    if (key.as_small_int() > 0) t->int_in_hash = 1;
  }
  insert_node(L, t, key, hash, v);
}

/// Copies n slots into a fresh array. Both cells are rooted: a safepoint now
/// and then, so that a large table does not delay a stop.
void copy_slots(State& L, ValueSlot* to, const ValueSlot* from, uint32_t n) {
  constexpr uint32_t kPiece = 4096;
  for (uint32_t i = 0; i < n; ++i) {
    to[i].init(mutator(L), from[i].load());
    if (i % kPiece == kPiece - 1) tri::poll(mutator(L));
  }
}

/// How many integer keys lie in (2^(i-1), 2^i], and in all.
struct KeyCount {
  uint32_t by_class[kSizeClasses] = {};
  uint32_t integers = 0;
  uint32_t all = 0;

  void add(Value key) {
    ++all;
    if (!key.is_small_int()) return;
    int64_t i = key.as_small_int();
    if (i < 1 || i > (1 << (kSizeClasses - 2))) return;
    ++by_class[i == 1 ? 0 : 64 - __builtin_clzll(static_cast<uint64_t>(i - 1))];
    ++integers;
  }
  /// The array size that more than half fills; *in_array says how many.
  uint32_t best_array(uint32_t* in_array) const {
    uint32_t sum = 0, best = 0;
    *in_array = 0;
    for (int c = 0; c < kSizeClasses - 1; ++c) {
      uint32_t size = 1u << c;
      if (integers <= size / 2) break;
      sum += by_class[c];
      if (sum > size / 2) {
        best = size;
        *in_array = sum;
      }
    }
    return best;
  }
};

/// The hash part is full: new sizes that have room for `key` as well.
void rehash(State& L, Table* t, Value key) {
  uint32_t nodes = node_count(t);
  bool integers = t->int_in_hash != 0 || key.is_small_int();
  KeyCount count;
  count.add(key);
  const Node* n = t->nodes.load();
  for (uint32_t i = 0; i < nodes; ++i) {
    if (!n[i].value.load().is_nil()) count.add(n[i].key.load());
  }
  uint32_t in_hash = count.all;
  uint32_t array = t->array_size;
  if (integers) {
    const ValueSlot* a = t->array.load();
    for (uint32_t i = 0; i < t->array_used; ++i) {
      if (!a[i].load().is_nil()) count.add(Value::small_int(i + 1));
    }
    uint32_t in_array;
    array = count.best_array(&in_array);
    in_hash = count.all - in_array;
  }
  if (in_hash == 1) in_hash = 2;  // one more is likely to follow
  resize(L, t, array, in_hash);
}

}  // namespace

Table* new_table(State& L) {
  auto* t = static_cast<Table*>(
      tri::allocate(mutator(L), L.g->universe.table.layout, sizeof(Table)));
  t->nodes.init(mutator(L), no_nodes());
  return t;
}

void init_table(State& L, Table* t, size_t array_size, size_t hash_size) {
  if (array_size > 0 && array_size <= kMaxArray) {
    t->array.store(mutator(L), new_array(L, array_size));
    t->array_size = static_cast<uint32_t>(array_size);
  }
  if (hash_size > 0) {
    uint32_t n = power_of_two(hash_size);
    t->nodes.store(mutator(L), new_nodes(L, n));
    t->node_mask = n - 1;
    t->free_node = n;
  }
}

void insert_new(State& L, Table* t, Value key, Value v) {
  t->absent = 0;
  if (has_nodes(t) && insert_node(L, t, key, hash_of_key(key), v)) return;
  rehash(L, t, key);
  set(L, t, key, v);  // the key may belong to the array part now
}

void resize(State& L, Table* t, size_t array_size, size_t hash_size) {
  if (array_size > kMaxArray || hash_size > kMaxArray) {
    run_error(L, "table overflow");
  }
  Mutator& mu = mutator(L);
  tri::Scope<4> scope(mu);
  tri::Local<ValueSlot> array(scope);
  tri::Local<Node> nodes(scope, no_nodes());
  uint32_t old_used = t->array_used;
  if (array_size == t->array_size) {
    array = t->array.load();
  } else if (array_size > 0) {
    array = new_array(L, array_size);
  }
  uint32_t count = hash_size == 0 ? 0 : power_of_two(hash_size);
  if (count > 0) nodes = new_nodes(L, count);
  // The old parts stay rooted while their entries move: there are safepoints.
  tri::Local<ValueSlot> old_array(scope, t->array.load());
  tri::Local<Node> old_nodes(scope, t->nodes.load());
  uint32_t old_count = node_count(t);
  t->nodes.store(mu, nodes.get());
  t->node_mask = count == 0 ? 0 : count - 1;
  t->free_node = count;
  t->int_in_hash = 0;
  if (array.get() != old_array.get()) {
    uint32_t kept = std::min(old_used, static_cast<uint32_t>(array_size));
    copy_slots(L, array, old_array, kept);
    t->array.store(mu, array.get());
    t->array_size = static_cast<uint32_t>(array_size);
    t->array_used = kept;
    trim_array(L, t);
    for (uint32_t i = kept; i < old_used; ++i) {
      Value v = old_array.get()[i].load();
      Value key = Value::small_int(i + 1);
      if (!v.is_nil()) reinsert(L, t, key, hash_of_key(key), v);
    }
  }
  for (uint32_t i = 0; i < old_count; ++i) {
    tri::poll(mu);
    const Node& n = old_nodes.get()[i];
    Value v = n.value.load();
    if (!v.is_nil()) reinsert(L, t, n.key.load(), n.hash(), v);
  }
}

bool grow_array(State& L, Table* t) {
  uint32_t old_size = t->array_size;
  if (old_size >= kMaxArray) return false;
  uint32_t size = old_size == 0 ? 4 : old_size * 2;
  Mutator& mu = mutator(L);
  ValueSlot* array = new_array(L, size);
  if (old_size <= kSmallArray) {
    const ValueSlot* old = t->array.load();
    for (uint32_t i = 0; i < old_size; ++i) array[i].init(mu, old[i].load());
  } else {
    tri::Scope<1> scope(mu);
    tri::Local<ValueSlot> root(scope, array);
    copy_slots(L, array, t->array.load(), old_size);
  }
  t->array.store(mu, array);
  t->array_size = size;
  if (t->int_in_hash == 0) return true;
  Node* nodes = t->nodes.load();
  for (uint32_t i = 0, n = node_count(t); i < n; ++i) {
    Value key = nodes[i].key.load();
    Value v = nodes[i].value.load();
    if (!key.is_small_int() || v.is_nil()) continue;
    uint64_t k = static_cast<uint64_t>(key.as_small_int()) - 1;
    if (k >= size) continue;
    array[k].store(mu, v);
    t->array_used = std::max(t->array_used, static_cast<uint32_t>(k + 1));
    nodes[i].value.store(mu, Value::nil());
  }
  return true;
}

}  // namespace tlua
