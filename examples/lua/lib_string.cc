// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// The string library but for patterns (lib_pattern.cc) and format()
// (lib_format.cc).
#include <algorithm>
#include <cstring>

#include "lib_string.h"

namespace tlua {

size_t start_position(int64_t i, size_t length) {
  auto n = static_cast<int64_t>(length);
  if (i > 0) return static_cast<size_t>(i);
  if (i == 0 || i < -n) return 1;
  return static_cast<size_t>(n + i + 1);
}

namespace {

size_t end_position(int64_t i, size_t length) {
  auto n = static_cast<int64_t>(length);
  if (i > n) return length;
  if (i >= 0) return static_cast<size_t>(i);
  return i < -n ? 0 : static_cast<size_t>(n + i + 1);
}

int string_len(State& L, int) {
  return return_integer(L, check_string(L, 1)->length);
}

int string_sub(State& L, int) {
  String* s = check_string(L, 1);
  size_t first = start_position(check_integer(L, 2), s->length);
  size_t last = end_position(opt_integer(L, 3, -1), s->length);
  if (first > last) return return_value(L, Value::of(new_string(L, "")));
  if (first == 1 && last == s->length) return return_value(L, L.arg(1));
  push_string(L, view(s).substr(first - 1, last - first + 1));
  return 1;
}

int string_byte(State& L, int) {
  String* s = check_string(L, 1);
  int64_t i = opt_integer(L, 2, 1);
  size_t first = start_position(i, s->length);
  size_t last = is_none_or_nil(L, 3)
                    ? end_position(static_cast<int64_t>(first), s->length)
                    : end_position(check_integer(L, 3), s->length);
  if (first > last) return 0;
  if (last - first >= 1000000) lib_error(L, "string slice too long");
  ensure_stack(L, last - first + 1);
  for (size_t at = first; at <= last; ++at) {
    push(L, Value::small_int(static_cast<uint8_t>(s->data[at - 1])));
  }
  return static_cast<int>(last - first + 1);
}

int string_char(State& L, int n) {
  for (int i = 1; i <= n; ++i) {
    int64_t c = check_integer(L, i);
    if (c < 0 || c > 255) arg_error(L, i, "value out of range");
  }
  if (n == 1) {
    auto c = static_cast<char>(check_integer(L, 1));
    push_string(L, {&c, 1});
    return 1;
  }
  String* s = new_string_buffer(L, static_cast<size_t>(n));
  for (int i = 1; i <= n; ++i) {
    s->data[i - 1] = static_cast<char>(check_integer(L, i));
  }
  return return_value(L, Value::of(s));
}

int string_rep(State& L, int) {
  String* s = check_string(L, 1);
  int64_t n = check_integer(L, 2);
  const String* sep = is_none_or_nil(L, 3) ? nullptr : check_string(L, 3);
  size_t gap = sep == nullptr ? 0 : sep->length;
  if (n <= 0) return return_value(L, Value::of(new_string(L, "")));
  size_t each = s->length + gap;
  if (each > 0 && static_cast<uint64_t>(n) > (size_t{1} << 31) / each) {
    lib_error(L, "resulting string too large");
  }
  String* out = new_string_buffer(L, each * static_cast<size_t>(n) - gap);
  char* to = out->data;
  for (int64_t i = 0; i < n; ++i) {
    std::memcpy(to, s->data, s->length);
    to += s->length;
    if (gap != 0 && i + 1 < n) {
      std::memcpy(to, sep->data, gap);
      to += gap;
    }
  }
  return return_value(L, Value::of(out));
}

int string_reverse(State& L, int) {
  String* s = check_string(L, 1);
  String* out = new_string_buffer(L, s->length);
  std::reverse_copy(s->data, s->data + s->length, out->data);
  return return_value(L, Value::of(out));
}

char to_upper(char c) { return c >= 'a' && c <= 'z' ? char(c - 32) : c; }
char to_lower(char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; }

template <char (*convert)(char)>
int string_convert(State& L, int) {
  String* s = check_string(L, 1);
  String* out = new_string_buffer(L, s->length);
  for (uint32_t i = 0; i < s->length; ++i) {
    out->data[i] = convert(s->data[i]);
  }
  return return_value(L, Value::of(out));
}

constexpr LibEntry kString[] = {
    {"string.len", string_len},
    {"string.sub", string_sub},
    {"string.byte", string_byte},
    {"string.char", string_char},
    {"string.rep", string_rep},
    {"string.reverse", string_reverse},
    {"string.upper", string_convert<to_upper>},
    {"string.lower", string_convert<to_lower>},
    {"string.format", string_format},
};

}  // namespace

void open_string(State& L) {
  Table* lib = add_library(L, "string", kString);
  open_string_pattern(L, lib);
  Table* meta = new_table(L);
  L.g->roots.set(mutator(L), kRootStringMeta, Value::of(meta));
  set_name(L, meta, "__index", Value::of(lib));
}

}  // namespace tlua
