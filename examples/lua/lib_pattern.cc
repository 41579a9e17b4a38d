// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// string.find, match, gmatch and gsub, over the matcher of lib_pattern.h.
#include "lib_pattern.h"

#include <cctype>
#include <cstring>
#include <string>

#include "lib_string.h"

namespace tlua {

namespace {

bool has_specials(std::string_view pattern) {
  return pattern.find_first_of("^$*+?.([%-") != std::string_view::npos;
}

int push_match(State& L, Matcher& m, std::string_view s, const char* start,
               const char* end, bool find) {
  if (!find) return m.push_captures(start, end);
  push_integer(L, start - s.data() + 1);
  push_integer(L, end - s.data());
  return m.push_captures(nullptr, nullptr) + 2;
}

int find_or_match(State& L, bool find) {
  std::string_view s = view(check_string(L, 1));
  std::string_view pattern = view(check_string(L, 2));
  size_t start = start_position(opt_integer(L, 3, 1), s.size()) - 1;
  if (start > s.size()) return return_value(L, Value::nil());
  if (find && (!L.arg(4).is_falsy() || !has_specials(pattern))) {
    size_t at = s.find(pattern, start);
    if (at == std::string_view::npos) return return_value(L, Value::nil());
    push_integer(L, static_cast<int64_t>(at + 1));
    push_integer(L, static_cast<int64_t>(at + pattern.size()));
    return 2;
  }
  Matcher m(L, s, pattern);
  size_t anchor = !pattern.empty() && pattern[0] == '^' ? 1 : 0;
  for (const char* at = s.data() + start; at <= s.data() + s.size(); ++at) {
    tri::poll(mutator(L));
    const char* end = m.match_at(at, anchor);
    if (end != nullptr) return push_match(L, m, s, at, end, find);
    if (anchor != 0) break;
  }
  return return_value(L, Value::nil());
}

int string_find(State& L, int) { return find_or_match(L, true); }
int string_match(State& L, int) { return find_or_match(L, false); }

/// The iterator of gmatch; upvalues: subject, pattern, where to look next, and
/// where the last match ended (an empty one may not follow it).
int gmatch_step(State& L, int) {
  CFunction* self = running_function(L);
  std::string_view s = view(self->upvalues[0].load());
  std::string_view pattern = view(self->upvalues[1].load());
  const char* at = s.data() + self->upvalues[2].load().as_small_int();
  int64_t last = self->upvalues[3].load().as_small_int();
  Matcher m(L, s, pattern);
  for (; at <= s.data() + s.size(); ++at) {
    tri::poll(mutator(L));
    const char* end = m.match_at(at, 0);
    if (end == nullptr || end - s.data() == last) continue;
    Value next = Value::small_int(end - s.data());
    self->upvalues[2].store(mutator(L), next);
    self->upvalues[3].store(mutator(L), next);
    return m.push_captures(at, end);
  }
  return return_value(L, Value::nil());
}

int string_gmatch(State& L, int) {
  String* s = check_string(L, 1);
  check_string(L, 2);
  size_t start = start_position(opt_integer(L, 3, 1), s->length) - 1;
  if (start > s->length) start = size_t{s->length} + 1;
  CFunction* f = new_c_function(L, gmatch_step, ":gmatch", 4);
  Mutator& mu = mutator(L);
  f->upvalues[0].init(mu, L.arg(1));
  f->upvalues[1].init(mu, L.arg(2));
  f->upvalues[2].init(mu, Value::small_int(static_cast<int64_t>(start)));
  f->upvalues[3].init(mu, Value::small_int(-1));
  return return_value(L, Value::of(f));
}

// gsub -----------------------------------------------------------------------

/// The state of one gsub call; the replacement is argument 3.
class Substitution {
 public:
  Substitution(State& L, Matcher& m) : L_(L), m_(m) {}

  /// Appends what replaces the match [s, e).
  void add(const char* s, const char* e) {
    Value r = L_.arg(3);
    if (r.is_string()) {
      add_template(view(r), s, e);
      return;
    }
    if (r.is_table()) {
      m_.push_capture(0, s, e);
      Value v = index(L_, r, L_.top[-1]);
      L_.top[-1] = v;
    } else {
      push(L_, r);
      int n = m_.push_captures(s, e);
      call(L_, n, 1);
    }
    add_value(L_.top[-1], s, e);
    pop(L_);
  }
  std::string out;

 private:
  void add_value(Value v, const char* s, const char* e) {
    if (v.is_falsy()) {
      out.append(s, e);
      return;
    }
    const String* text = to_string_or_null(L_, v);
    if (text == nullptr) {
      lib_error(L_, "invalid replacement value (a %s)", type_name(v));
    }
    out.append(view(text));
  }

  void add_template(std::string_view t, const char* s, const char* e) {
    for (size_t i = 0; i < t.size(); ++i) {
      if (t[i] != '%') {
        out += t[i];
        continue;
      }
      char c = ++i < t.size() ? t[i] : '\0';
      if (c == '%') {
        out += '%';
      } else if (c == '0') {
        out.append(s, e);
      } else if (std::isdigit(static_cast<uint8_t>(c))) {
        add_capture(c - '1', s, e);
      } else {
        lib_error(L_, "invalid use of '%%' in replacement string");
      }
    }
  }

  void add_capture(int i, const char* s, const char* e) {
    if (i >= m_.capture_count() && i != 0) {
      lib_error(L_, "invalid capture index %%%d", i + 1);
    }
    int64_t position;
    std::string_view text = m_.capture_text(i, s, e, &position);
    if (position != 0) {
      out += std::to_string(position);
    } else {
      out.append(text);
    }
  }

  State& L_;
  Matcher& m_;
};

int string_gsub(State& L, int) {
  std::string_view s = view(check_string(L, 1));
  std::string_view pattern = view(check_string(L, 2));
  Value r = L.arg(3);
  if (r.is_number()) {
    check_string(L, 3);
  } else if (!r.is_string() && !r.is_table() && !is_function(r)) {
    arg_type_error(L, 3, "string/function/table");
  }
  int64_t most = opt_integer(L, 4, static_cast<int64_t>(s.size()) + 1);
  size_t anchor = !pattern.empty() && pattern[0] == '^' ? 1 : 0;
  Matcher m(L, s, pattern);
  Substitution sub(L, m);
  const char* at = s.data();
  const char* end_of_s = at + s.size();
  const char* last = nullptr;
  int64_t count = 0;
  while (count < most) {
    tri::poll(mutator(L));
    const char* end = m.match_at(at, anchor);
    if (end != nullptr && end != last) {
      ++count;
      sub.add(at, end);
      at = last = end;
    } else if (at < end_of_s) {
      sub.out += *at++;
    } else {
      break;
    }
    if (anchor != 0) break;
  }
  if (count == 0) {
    push(L, L.arg(1));
  } else {
    sub.out.append(at, end_of_s);
    push_string(L, sub.out);
  }
  push_integer(L, count);
  return 2;
}

constexpr LibEntry kPattern[] = {
    {"string.find", string_find},
    {"string.match", string_match},
    {"string.gmatch", string_gmatch},
    {"string.gsub", string_gsub},
};

}  // namespace

void open_string_pattern(State& L, Table* lib) {
  add_functions(L, lib, kPattern);
}

}  // namespace tlua
