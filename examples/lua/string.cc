// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Creation, hashing, comparison and interning of strings; see string.h.
#include "string.h"

#include <algorithm>
#include <cstring>

#include "table.h"

namespace tlua {

namespace {

inline constexpr size_t kMaxStringBytes = size_t{1} << 31;

uint64_t load64(const char* p) {
  uint64_t w;
  std::memcpy(&w, p, 8);
  return w;
}

uint64_t mix(uint64_t a, uint64_t b) {
  auto product = static_cast<unsigned __int128>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

}  // namespace

uint32_t hash_bytes(const char* data, size_t length) {
  constexpr uint64_t kOne = 0x9e3779b97f4a7c15;
  constexpr uint64_t kTwo = 0xd6e8feb86659fd93;
  uint64_t h = length * kTwo;
  const char* p = data;
  size_t n = length;
  for (; n >= 8; n -= 8, p += 8) h = mix(h ^ load64(p), kOne);
  uint64_t last = 0;
  for (size_t i = 0; i < n; ++i) {
    last |= uint64_t{static_cast<unsigned char>(p[i])} << (8 * i);
  }
  h = mix(h ^ last, kTwo);
  uint32_t folded = static_cast<uint32_t>(h ^ (h >> 32)) & 0x7fffffff;
  return folded == 0 ? 1 : folded;
}

uint32_t hash_string_slow(const String* s) {
  uint32_t h = hash_bytes(s->data, s->length);
  __atomic_store_n(const_cast<uint32_t*>(&s->hash), h, __ATOMIC_RELAXED);
  return h;
}

int string_compare(const String* a, const String* b) {
  size_t n = std::min(a->length, b->length);
  int order = std::memcmp(a->data, b->data, n);
  if (order != 0) return order;
  if (a->length == b->length) return 0;
  return a->length < b->length ? -1 : 1;
}

String* new_string_buffer(State& L, size_t length) {
  if (length >= kMaxStringBytes) run_error(L, "string length overflow");
  auto* s = static_cast<String*>(tri::allocate(
      mutator(L), L.g->universe.bytes, String::kHeaderBytes + length + 1));
  s->length = static_cast<uint32_t>(length);
  return s;
}

String* new_string(State& L, std::string_view bytes) {
  if (bytes.size() == 1) {
    auto c = static_cast<unsigned char>(bytes[0]);
    Value cached = L.g->roots.get(kRootChar0 + c);
    if (cached.is_string()) return cached.as_string();
  }
  String* s = new_string_buffer(L, bytes.size());
  std::memcpy(s->data, bytes.data(), bytes.size());
  return s;
}

String* intern(State& L, std::string_view bytes) {
  Table* interned = L.g->roots.get(kRootInterned).as_table();
  uint32_t hash = hash_bytes(bytes.data(), bytes.size());
  String* s = find_bytes(interned, hash, bytes);
  if (s != nullptr) return s;
  s = new_string(L, bytes);
  push(L, Value::of(s));
  set_string(L, interned, s, Value::boolean(true));
  pop(L);
  return s;
}

}  // namespace tlua
