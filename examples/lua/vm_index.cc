// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Indexing, length and equality with metamethods; see vm.h.
#include "number.h"
#include "vm.h"

namespace tlua {

namespace {

constexpr int kMaxChain = 2000;

}  // namespace

Value fast_metamethod(State& L, Table* meta, Meta event) {
  if (meta == nullptr) return Value::nil();
  auto bit = static_cast<unsigned>(event);
  if (bit < 8 && (meta->absent >> bit & 1) != 0) return Value::nil();
  Value v = get_string(meta, L.g->meta_names[bit]);
  if (bit < 8 && v.is_nil()) {
    meta->absent = static_cast<uint8_t>(meta->absent | 1u << bit);
  }
  return v;
}

Table* metatable_of(State& L, Value v) {
  if (v.is_table()) return v.as_table()->meta.load();
  if (v.is_string()) return L.g->string_meta();
  if (is_userdata(v)) {
    return static_cast<Userdata*>(v.as_object())->meta.load();
  }
  return nullptr;
}

Value metamethod(State& L, Value v, Meta event) {
  return fast_metamethod(L, metatable_of(L, v), event);
}

Value index(State& L, Value object, Value key) {
  for (int i = 0; i < kMaxChain; ++i) {
    Value handler;
    if (object.is_table()) {
      Table* t = object.as_table();
      Value v = get(t, key);
      if (!v.is_nil()) return v;
      handler = fast_metamethod(L, t->meta.load(), Meta::kIndex);
      if (handler.is_nil()) return v;
    } else {
      handler = metamethod(L, object, Meta::kIndex);
      if (handler.is_nil()) index_error(L, object);
    }
    if (is_function(handler)) return call_meta(L, handler, object, key);
    object = handler;
  }
  run_error(L, "'__index' chain too long; possible loop");
}

void set_index(State& L, Value object, Value key, Value v) {
  for (int i = 0; i < kMaxChain; ++i) {
    Value handler;
    if (object.is_table()) {
      Table* t = object.as_table();
      ValueSlot* slot = find(t, key);
      if (slot == nullptr || slot->load().is_nil()) {
        handler = fast_metamethod(L, t->meta.load(), Meta::kNewIndex);
      } else {
        handler = Value::nil();
      }
      if (handler.is_nil()) return set(L, t, key, v);
    } else {
      handler = metamethod(L, object, Meta::kNewIndex);
      if (handler.is_nil()) index_error(L, object);
    }
    if (is_function(handler)) {
      ensure_stack(L, 4);
      L.top[0] = handler;
      L.top[1] = object;
      L.top[2] = key;
      L.top[3] = v;
      L.top += 4;
      call(L, 3, 0);
      return;
    }
    object = handler;
  }
  run_error(L, "'__newindex' chain too long; possible loop");
}

Value length_of(State& L, Value v) {
  if (v.is_string()) return Value::small_int(v.as_string()->length);
  if (v.is_table()) {
    Value handler = fast_metamethod(L, v.as_table()->meta.load(), Meta::kLen);
    if (handler.is_nil()) return Value::small_int(length(v.as_table()));
    return call_meta(L, handler, v, v);
  }
  Value handler = metamethod(L, v, Meta::kLen);
  if (handler.is_nil()) operand_error(L, "get length of", v);
  return call_meta(L, handler, v, v);
}

bool raw_equal(Value a, Value b) {
  if (same_bits(a, b)) return !a.is_double() || a.as_double() == a.as_double();
  if (a.is_string()) {
    return b.is_string() && string_equal(a.as_string(), b.as_string());
  }
  if (a.is_double() && b.is_double()) return a.as_double() == b.as_double();
  if (!a.is_number() || !b.is_number()) return false;
  if (a.is_integer() && b.is_integer()) return a.as_integer() == b.as_integer();
  if (b.is_double()) std::swap(a, b);
  int64_t i;
  return double_to_integer(a.as_double(), &i) && i == b.as_integer();
}

bool equal(State& L, Value a, Value b) {
  if (raw_equal(a, b)) return true;
  bool tables = a.is_table() && b.is_table();
  bool userdata = is_userdata(a) && is_userdata(b);
  if (!tables && !userdata) return false;
  Value handler = metamethod(L, a, Meta::kEq);
  if (handler.is_nil()) handler = metamethod(L, b, Meta::kEq);
  if (handler.is_nil()) return false;
  return !call_meta(L, handler, a, b).is_falsy();
}

}  // namespace tlua
