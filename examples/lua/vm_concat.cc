// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Concatenation, and conversion of values to strings; see vm.h.
#include <algorithm>
#include <cstdio>
#include <cstring>

#include "number.h"
#include "vm.h"

namespace tlua {

namespace {

constexpr int kMaxPieces = 32;

struct Pieces {
  std::string_view text[kMaxPieces];
  char digits[kMaxPieces][kNumberChars];
};

bool is_piece(Value v) { return v.is_string() || v.is_number(); }

std::string_view number_text(Value v, char* out) {
  size_t n = v.is_integer() ? format_integer(v.as_integer(), out)
                            : format_double(v.as_double(), out);
  return {out, n};
}

/// Joins the strings and numbers of [from, to) of the stack into one string.
Value join(State& L, uint32_t from, uint32_t to) {
  Pieces pieces;
  size_t total = 0;
  uint32_t n = to - from;
  const Value* v = L.stack() + from;
  for (uint32_t i = 0; i < n; ++i) {
    pieces.text[i] =
        v[i].is_string() ? view(v[i]) : number_text(v[i], pieces.digits[i]);
    total += pieces.text[i].size();
  }
  String* s = new_string_buffer(L, total);
  char* out = s->data;
  for (uint32_t i = 0; i < n; ++i) {
    std::memcpy(out, pieces.text[i].data(), pieces.text[i].size());
    out += pieces.text[i].size();
  }
  return Value::of(s);
}

}  // namespace

void concat(State& L, uint32_t first, int n) {
  uint32_t end = first + static_cast<uint32_t>(n);
  while (end - first > 1) {
    Value* v = L.stack() + end - 2;
    if (!is_piece(v[0]) || !is_piece(v[1])) {
      Value handler = metamethod(L, v[0], Meta::kConcat);
      if (handler.is_nil()) handler = metamethod(L, v[1], Meta::kConcat);
      if (handler.is_nil()) concat_error(L, v[0], v[1]);
      Value joined = call_meta(L, handler, v[0], v[1]);
      L.stack()[end - 2] = joined;
      --end;
      continue;
    }
    uint32_t from = end - 2;
    while (from > first && end - from < kMaxPieces &&
           is_piece(L.stack()[from - 1])) {
      --from;
    }
    Value joined = join(L, from, end);
    L.stack()[from] = joined;
    end = from + 1;
  }
}

String* to_string_or_null(State& L, Value v) {
  if (v.is_string()) return v.as_string();
  if (!v.is_number()) return nullptr;
  char digits[kNumberChars];
  return new_string(L, number_text(v, digits));
}

String* to_display_string(State& L, Value v) {
  Value handler = metamethod(L, v, Meta::kToString);
  if (!handler.is_nil()) {
    Value s = call_meta(L, handler, v, Value::nil());
    if (s.is_number()) return to_string_or_null(L, s);
    if (!s.is_string()) lib_error(L, "'__tostring' must return a string");
    return s.as_string();
  }
  if (is_piece(v)) return to_string_or_null(L, v);
  if (v.is_nil()) return new_string(L, "nil");
  if (v.is_boolean()) return new_string(L, v.is_true() ? "true" : "false");
  char address[32];
  std::snprintf(address, sizeof(address), ": %p", v.address());
  return new_string(L, type_name_of(L, v) + address);
}

}  // namespace tlua
