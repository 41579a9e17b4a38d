// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// The basic functions. collectgarbage is in lib_collect.cc.
#include <cctype>
#include <cerrno>
#include <cstring>
#include <string>

#include "lib.h"
#include "load.h"
#include "number.h"

namespace tlua {

namespace {

int base_print(State& L, int n) {
  for (int i = 1; i <= n; ++i) {
    Value v = L.arg(i);
    const String* s = v.is_string() ? v.as_string() : to_display_string(L, v);
    if (i > 1) std::fputc('\t', stdout);
    std::fwrite(s->data, 1, s->length, stdout);
  }
  std::fputc('\n', stdout);
  return 0;
}

int base_type(State& L, int) {
  check_any(L, 1);
  return return_value(L, L.g->roots.get(kRootType0 + type_index(L.arg(1))));
}

int base_tostring(State& L, int) {
  check_any(L, 1);
  return return_value(L, Value::of(to_display_string(L, L.arg(1))));
}

/// Digits of `base`, a sign and white space around them; false if malformed.
bool parse_in_base(std::string_view text, int base, int64_t* out) {
  size_t i = 0;
  auto skip = [&] {
    while (i < text.size() && std::isspace(static_cast<uint8_t>(text[i]))) ++i;
  };
  skip();
  bool negative = i < text.size() && text[i] == '-';
  if (negative) ++i;
  uint64_t value = 0;
  size_t first = i;
  for (; i < text.size(); ++i) {
    int c = static_cast<uint8_t>(text[i]);
    if (!std::isalnum(c)) break;
    int digit = std::isdigit(c) ? c - '0' : std::toupper(c) - 'A' + 10;
    if (digit >= base) return false;
    value = value * static_cast<uint64_t>(base) + static_cast<uint64_t>(digit);
  }
  if (i == first) return false;
  skip();
  *out = static_cast<int64_t>(negative ? 0 - value : value);
  return i == text.size();
}

int base_tonumber(State& L, int) {
  Value v = L.arg(1);
  if (is_none_or_nil(L, 2)) {
    if (v.is_number()) return return_value(L, v);
    check_any(L, 1);
    Number n;
    if (!v.is_string() || !parse_number(view(v), &n)) {
      return return_value(L, Value::nil());
    }
    return n.is_integer ? return_integer(L, n.i)
                        : return_value(L, Value::number(n.d));
  }
  int64_t base = check_integer(L, 2);
  if (!v.is_string()) arg_type_error(L, 1, "string");
  if (base < 2 || base > 36) arg_error(L, 2, "base out of range");
  int64_t out;
  if (!parse_in_base(view(v), static_cast<int>(base), &out)) {
    return return_value(L, Value::nil());
  }
  return return_integer(L, out);
}

int base_next(State& L, int) {
  Table* t = check_table(L, 1);
  uint64_t position = position_after(L, t, L.arg(2));
  Value key, v;
  if (!next_entry(L, t, &position, &key, &v)) {
    return return_value(L, Value::nil());
  }
  push(L, key);
  push(L, v);
  return 2;
}

int base_pairs(State& L, int) {
  check_any(L, 1);
  Value handler = metamethod(L, L.arg(1), Meta::kPairs);
  if (!handler.is_nil()) {
    push(L, handler);
    push(L, L.arg(1));
    call(L, 1, 3);
    return 3;
  }
  push(L, L.g->next_function);
  push(L, L.arg(1));
  push(L, Value::nil());
  return 3;
}

int ipairs_step(State& L, int) {
  int64_t i = wrap_add(check_integer(L, 2), 1);
  Value v = index(L, L.arg(1), make_integer(L, i));
  if (v.is_nil()) return return_value(L, v);
  push(L, v);
  push_integer(L, i);
  std::swap(L.top[-1], L.top[-2]);
  return 2;
}

int base_ipairs(State& L, int) {
  check_any(L, 1);
  push(L, L.g->ipairs_iterator);
  push(L, L.arg(1));
  push(L, Value::small_int(0));
  return 3;
}

int base_select(State& L, int n) {
  Value v = L.arg(1);
  if (v.is_string() && view(v) == "#") return return_integer(L, n - 1);
  int64_t i = check_integer(L, 1);
  if (i < 0) {
    i = n + i;
    if (i < 1) arg_error(L, 1, "index out of range");
  } else if (i == 0) {
    arg_error(L, 1, "index out of range");
  }
  return i >= n ? 0 : static_cast<int>(n - i);  // they are on top already
}

int base_rawget(State& L, int) {
  Table* t = check_table(L, 1);
  check_any(L, 2);
  return return_value(L, get(t, L.arg(2)));
}

int base_rawset(State& L, int) {
  Table* t = check_table(L, 1);
  check_any(L, 2);
  check_any(L, 3);
  set(L, t, L.arg(2), L.arg(3));
  return return_value(L, L.arg(1));
}

int base_rawequal(State& L, int) {
  check_any(L, 1);
  check_any(L, 2);
  return return_value(L, Value::boolean(raw_equal(L.arg(1), L.arg(2))));
}

int base_rawlen(State& L, int) {
  Value v = L.arg(1);
  if (v.is_table()) return return_integer(L, length(v.as_table()));
  if (!v.is_string()) arg_type_error(L, 1, "table or string");
  return return_integer(L, v.as_string()->length);
}

int base_getmetatable(State& L, int) {
  check_any(L, 1);
  Table* meta = metatable_of(L, L.arg(1));
  if (meta == nullptr) return return_value(L, Value::nil());
  Value guard = fast_metamethod(L, meta, Meta::kMetatable);
  return return_value(L, guard.is_nil() ? Value::of(meta) : guard);
}

int base_setmetatable(State& L, int) {
  Table* t = check_table(L, 1);
  Value meta = L.arg(2);
  if ((!meta.is_nil() && !meta.is_table()) || is_none(L, 2)) {
    arg_type_error(L, 2, "nil or table");
  }
  if (!metamethod(L, L.arg(1), Meta::kMetatable).is_nil()) {
    lib_error(L, "cannot change a protected metatable");
  }
  t->meta.store(mutator(L), meta.is_nil() ? nullptr : meta.as_table());
  return return_value(L, L.arg(1));
}

// Errors ---------------------------------------------------------------------

/// Raises v, with a position in front if it is a string and level > 0.
[[noreturn]] void raise(State& L, Value v, int level) {
  if (v.is_string() && level > 0) {
    std::string text = position_of_level(L, level);
    text.append(view(v));
    push_string(L, text);
    v = L.top[-1];
  }
  throw_value(L, v);
}

int base_error(State& L, int) {
  raise(L, L.arg(1), static_cast<int>(opt_integer(L, 2, 1)));
}

int base_assert(State& L, int n) {
  if (!L.arg(1).is_falsy()) return n;
  check_any(L, 1);
  if (n >= 2) raise(L, L.arg(2), 1);
  lib_error(L, "assertion failed!");
}

int base_pcall(State& L, int n) {
  check_any(L, 1);
  bool ok = protected_call(L, n - 1, -1);
  int results = arg_count(L);
  push(L, Value::nil());
  for (Value* p = L.top - 1; p > L.top - 1 - results; --p) *p = p[-1];
  L.slot(1) = Value::boolean(ok);
  return results + 1;
}

int base_xpcall(State& L, int n) {
  if (!is_function(L.arg(2))) arg_type_error(L, 2, "function");
  std::swap(L.slot(1), L.slot(2));
  uint32_t handler = L.frame->base;
  bool ok = protected_call(L, n - 2, -1, handler);
  L.slot(1) = Value::boolean(ok);
  return arg_count(L);
}

// Chunks ---------------------------------------------------------------------

/// Gives the function on top the environment in argument `i`, if there is one.
void set_environment(State& L, int i) {
  if (is_none(L, i)) return;
  Closure* c = L.top[-1].as_closure();
  if (c->upvalue_count > 0) {
    set_upvalue(L, c->upvalues[0].load(), L.arg(i));
  }
}

/// What the reader function in argument 1 delivers, joined.
std::string read_pieces(State& L) {
  std::string text;
  for (;;) {
    push(L, L.arg(1));
    call(L, 0, 1);
    Value piece = L.top[-1];
    if (piece.is_nil() || (piece.is_string() && view(piece).empty())) break;
    if (!piece.is_string()) {
      lib_error(L, "reader function must return a string");
    }
    text.append(view(piece));
    pop(L);
  }
  pop(L);
  return text;
}

int load_failed(State& L) {
  push(L, Value::nil());
  std::swap(L.top[-1], L.top[-2]);
  return 2;
}

int base_load(State& L, int n) {
  Value chunk = L.arg(1);
  std::string text;
  std::string name;
  if (is_function(chunk)) {
    text = read_pieces(L);
    name = "=(load)";
  } else {
    text = view(check_string(L, 1));
    name = text;
  }
  if (!is_none_or_nil(L, 2)) name = view(check_string(L, 2));
  if (!is_none_or_nil(L, 3)) {
    std::string mode(view(check_string(L, 3)));
    bool binary = is_binary_chunk(text);
    if (mode.find(binary ? 'b' : 't') == std::string::npos) {
      push_string(L, std::string("attempt to load a ") +
                         (binary ? "binary" : "text") + " chunk (mode is '" +
                         mode + "')");
      return load_failed(L);
    }
  }
  if (!load_chunk(L, text, name)) return load_failed(L);
  if (n >= 4) set_environment(L, 4);
  return 1;
}

int base_dofile(State& L, int) {
  std::string name(view(check_string(L, 1)));
  std::string text;
  if (!read_file(name.c_str(), &text)) {
    push_string(L, "cannot open " + name + ": " + std::strerror(errno));
    throw_value(L, L.top[-1]);
  }
  if (!load_chunk(L, text, "@" + name)) throw_value(L, L.top[-1]);
  uint32_t at = index_of(L, L.top) - 1;
  call(L, 0, -1);
  return static_cast<int>(index_of(L, L.top) - at);
}

constexpr LibEntry kBase[] = {
    {"print", base_print},
    {"type", base_type},
    {"tostring", base_tostring},
    {"tonumber", base_tonumber},
    {"next", base_next},
    {"pairs", base_pairs},
    {"ipairs", base_ipairs},
    {"select", base_select},
    {"rawget", base_rawget},
    {"rawset", base_rawset},
    {"rawequal", base_rawequal},
    {"rawlen", base_rawlen},
    {"getmetatable", base_getmetatable},
    {"setmetatable", base_setmetatable},
    {"error", base_error},
    {"assert", base_assert},
    {"pcall", base_pcall},
    {"xpcall", base_xpcall},
    {"load", base_load},
    {"dofile", base_dofile},
};

}  // namespace

void open_base(State& L) {
  Table* globals = L.g->roots.get(kRootGlobalTable).as_table();
  add_functions(L, globals, kBase);
  set_name(L, globals, "_G", Value::of(globals));
  push_string(L, "Lua 5.4");
  set_name(L, globals, "_VERSION", L.top[-1]);
  pop(L);
  L.g->next_function = get_string(globals, intern(L, "next"));
  L.g->roots.set(mutator(L), kRootNext, L.g->next_function);
  L.g->ipairs_iterator =
      Value::of(new_c_function(L, ipairs_step, ":ipairs_iterator", 0));
  L.g->roots.set(mutator(L), kRootIpairs, L.g->ipairs_iterator);
}

}  // namespace tlua
