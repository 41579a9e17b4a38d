// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// The table library but for sort (lib_sort.cc). Tables without a metatable are
// accessed directly; others through the metamethods of the language.
#include <algorithm>
#include <cstring>
#include <string>

#include "lib_table.h"
#include "number.h"

namespace tlua {

namespace {

bool is_plain(Value v) {
  return v.is_table() && v.as_table()->meta.load() == nullptr;
}

/// Argument i works as a list: a table, or something with the metamethods.
void check_list(State& L, int i) {
  Value v = L.arg(i);
  if (v.is_table()) return;
  if (!metamethod(L, v, Meta::kIndex).is_nil()) return;
  arg_type_error(L, i, "table");
}

int64_t list_length(State& L, int i) {
  Value v = L.arg(i);
  if (is_plain(v)) return length(v.as_table());
  Value n = length_of(L, v);
  if (!n.is_integer()) lib_error(L, "object length is not an integer");
  return n.as_integer();
}

Value get_at(State& L, int list, int64_t i) {
  Value v = L.arg(list);
  if (is_plain(v)) return get_integer(v.as_table(), i);
  return index(L, v, make_integer(L, i));
}

/// `v` is rooted.
void set_at(State& L, int list, int64_t i, Value v) {
  Value t = L.arg(list);
  if (is_plain(t)) {
    set_integer(L, t.as_table(), i, v);
  } else {
    push(L, v);
    push_integer(L, i);
    set_index(L, L.arg(list), L.top[-1], v);
    pop(L, 2);
  }
}

int table_insert(State& L, int n) {
  check_list(L, 1);
  int64_t end = wrap_add(list_length(L, 1), 1);
  if (n == 2) {
    set_at(L, 1, end, L.arg(2));
    return 0;
  }
  if (n != 3) lib_error(L, "wrong number of arguments to 'insert'");
  int64_t at = check_integer(L, 2);
  if (static_cast<uint64_t>(at) - 1 >= static_cast<uint64_t>(end)) {
    arg_error(L, 2, "position out of bounds");
  }
  for (int64_t i = end; i > at; --i) {
    tri::poll(mutator(L));
    push(L, get_at(L, 1, i - 1));
    set_at(L, 1, i, L.top[-1]);
    pop(L);
  }
  set_at(L, 1, at, L.arg(3));
  return 0;
}

int table_remove(State& L, int) {
  check_list(L, 1);
  int64_t size = list_length(L, 1);
  int64_t at = opt_integer(L, 2, size);
  if (at != size &&
      static_cast<uint64_t>(at) - 1 > static_cast<uint64_t>(size)) {
    arg_error(L, 1, "position out of bounds");
  }
  push(L, get_at(L, 1, at));
  for (; at < size; ++at) {
    tri::poll(mutator(L));
    push(L, get_at(L, 1, at + 1));
    set_at(L, 1, at, L.top[-1]);
    pop(L);
  }
  set_at(L, 1, at, Value::nil());
  return 1;
}

/// concat of strings alone, all in the array part: measured, then copied.
/// Null if it is not of this kind.
String* concat_strings(State& L, const Table* t, std::string_view sep,
                       int64_t first, int64_t last) {
  if (first < 1 || last > t->array_used || first > last) return nullptr;
  const ValueSlot* array = t->array.load();
  size_t total = sep.size() * static_cast<size_t>(last - first);
  for (int64_t i = first - 1; i < last; ++i) {
    Value v = array[i].load();
    if (!v.is_string()) return nullptr;
    total += v.as_string()->length;
  }
  String* out = new_string_buffer(L, total);
  push(L, Value::of(out));
  char* to = out->data;
  for (int64_t i = first - 1; i < last; ++i) {
    tri::poll(mutator(L));
    std::string_view s = view(array[i].load());
    std::memcpy(to, s.data(), s.size());
    to += s.size();
    if (i + 1 == last) break;
    std::memcpy(to, sep.data(), sep.size());
    to += sep.size();
  }
  pop(L);
  return out;
}

int table_concat(State& L, int) {
  check_list(L, 1);
  int64_t size = list_length(L, 1);
  const String* sep = is_none_or_nil(L, 2) ? nullptr : check_string(L, 2);
  int64_t first = opt_integer(L, 3, 1);
  int64_t last = opt_integer(L, 4, size);
  if (is_plain(L.arg(1))) {
    std::string_view gap = sep == nullptr ? "" : view(sep);
    String* s = concat_strings(L, L.arg(1).as_table(), gap, first, last);
    if (s != nullptr) return return_value(L, Value::of(s));
  }
  std::string out;
  for (int64_t i = first; i <= last; ++i) {
    tri::poll(mutator(L));
    Value v = get_at(L, 1, i);
    char digits[kNumberChars];
    if (v.is_string()) {
      out.append(view(v));
    } else if (v.is_integer()) {
      out.append(digits, format_integer(v.as_integer(), digits));
    } else if (v.is_double()) {
      out.append(digits, format_double(v.as_double(), digits));
    } else {
      lib_error(L, "invalid value (%s) at index %lld in table for 'concat'",
                type_name(v), static_cast<long long>(i));
    }
    if (i == last) break;
    if (sep != nullptr) out.append(view(sep));
  }
  push_string(L, out);
  return 1;
}

int table_pack(State& L, int n) {
  Table* t = new_table(L);
  push(L, Value::of(t));
  init_table(L, t, static_cast<size_t>(n), 1);
  for (int i = 1; i <= n; ++i) set_integer(L, t, i, L.arg(i));
  set_name(L, t, "n", Value::small_int(n));
  return 1;
}

int table_unpack(State& L, int) {
  int64_t first = opt_integer(L, 2, 1);
  int64_t last = is_none_or_nil(L, 3) ? list_length(L, 1) : check_integer(L, 3);
  if (first > last) return 0;
  uint64_t n = static_cast<uint64_t>(last) - static_cast<uint64_t>(first);
  if (n >= 1000000) lib_error(L, "too many results to unpack");
  ensure_stack(L, n + 1);
  for (uint64_t i = 0; i <= n; ++i) {
    push(L, get_at(L, 1, first + static_cast<int64_t>(i)));
  }
  return static_cast<int>(n + 1);
}

int table_move(State& L, int) {
  check_list(L, 1);
  int64_t from = check_integer(L, 2);
  int64_t end = check_integer(L, 3);
  int64_t to = check_integer(L, 4);
  int target = is_none_or_nil(L, 5) ? 1 : 5;
  check_list(L, target);
  if (end < from) return return_value(L, L.arg(target));
  if (!(from > 0 || end < INT64_MAX + from)) {
    arg_error(L, 3, "too many elements to move");
  }
  int64_t n = end - from + 1;
  if (to > INT64_MAX - n + 1) arg_error(L, 4, "destination wrap around");
  bool same = target == 1 || raw_equal(L.arg(1), L.arg(5));
  bool backwards = same && to > from && to <= end;
  for (int64_t step = 0; step < n; ++step) {
    tri::poll(mutator(L));
    int64_t i = backwards ? n - 1 - step : step;
    push(L, get_at(L, 1, from + i));
    set_at(L, target, to + i, L.top[-1]);
    pop(L);
  }
  return return_value(L, L.arg(target));
}

constexpr LibEntry kTable[] = {
    {"table.insert", table_insert}, {"table.remove", table_remove},
    {"table.concat", table_concat}, {"table.pack", table_pack},
    {"table.unpack", table_unpack}, {"table.move", table_move},
    {"table.sort", table_sort},
};

}  // namespace

void open_table(State& L) { add_library(L, "table", kTable); }

}  // namespace tlua
