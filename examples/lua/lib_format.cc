// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// string.format: C's conversions, checked before they reach snprintf.
#include <cctype>
#include <cmath>
#include <cstring>
#include <string>

#include "lib_string.h"
#include "number.h"

namespace tlua {

namespace {

/// One conversion specification: flags, width and precision as written.
struct Spec {
  std::string text;  // "%-5.2"
  char conversion = 0;
  size_t end = 0;  // in the format
};

bool is_one_of(char c, const char* set) {
  return c != '\0' && std::strchr(set, c) != nullptr;
}

/// Which flags a conversion takes; null if there is no such conversion.
const char* allowed_flags(char conversion) {
  switch (conversion) {
    case 'd':
    case 'i':
      return "-+0 ";
    case 'u':
      return "-0";
    case 'o':
    case 'x':
    case 'X':
      return "-#0";
    case 'a':
    case 'A':
    case 'f':
    case 'F':
    case 'e':
    case 'E':
    case 'g':
    case 'G':
      return "-+#0 ";
    case 'c':
    case 'p':
    case 's':
      return "-";
    case 'q':
      return "";
    default:
      return nullptr;
  }
}

/// Flags, at most two digits of width, and the same of precision.
bool is_well_formed(const Spec& spec) {
  const std::string& t = spec.text;
  size_t i = 1;
  if (spec.conversion == 'q') return true;  // complains by itself
  while (i < t.size() && is_one_of(t[i], allowed_flags(spec.conversion))) ++i;
  auto digits = [&] {
    for (int n = 0; n < 2 && i < t.size() && std::isdigit(t[i]); ++n) ++i;
  };
  if (i < t.size() && t[i] == '0') return false;  // a flag it does not take
  digits();
  bool precision = spec.conversion != 'c' && spec.conversion != 'p';
  if (precision && i < t.size() && t[i] == '.') {
    ++i;
    digits();
  }
  return i == t.size();
}

/// Reads the specification at `at`, just behind the '%'.
Spec read_spec(State& L, std::string_view format, size_t at) {
  Spec spec;
  size_t i = at;
  while (i < format.size() && is_one_of(format[i], "-+ #0123456789.")) ++i;
  spec.text = "%" + std::string(format.substr(at, i - at));
  if (spec.text.size() > 22) lib_error(L, "invalid format string to 'format'");
  spec.conversion = i < format.size() ? format[i] : '\0';
  spec.end = i + 1;
  std::string whole = spec.text;
  if (i < format.size()) whole += spec.conversion;
  if (allowed_flags(spec.conversion) == nullptr) {
    lib_error(L, "invalid conversion '%s' to 'format'", whole.c_str());
  }
  if (!is_well_formed(spec)) {
    lib_error(L, "invalid conversion specification: '%s'", whole.c_str());
  }
  return spec;
}

void append_printf(std::string* out, const std::string& format, auto value) {
  char small[128];
  int n = std::snprintf(small, sizeof(small), format.c_str(), value);
  if (n < static_cast<int>(sizeof(small))) {
    out->append(small, static_cast<size_t>(n));
    return;
  }
  size_t old = out->size();
  out->resize(old + static_cast<size_t>(n) + 1);
  std::snprintf(out->data() + old, static_cast<size_t>(n) + 1, format.c_str(),
                value);
  out->resize(old + static_cast<size_t>(n));
}

void append_quoted_string(std::string* out, std::string_view s) {
  *out += '"';
  for (size_t i = 0; i < s.size(); ++i) {
    auto c = static_cast<uint8_t>(s[i]);
    if (c == '"' || c == '\\' || c == '\n') {
      *out += '\\';
      *out += static_cast<char>(c);
    } else if (std::iscntrl(c)) {
      bool digit =
          i + 1 < s.size() && std::isdigit(static_cast<uint8_t>(s[i + 1]));
      append_printf(out, digit ? "\\%03d" : "\\%d", static_cast<int>(c));
    } else {
      *out += static_cast<char>(c);
    }
  }
  *out += '"';
}

void append_quoted(State& L, std::string* out, int arg) {
  Value v = L.arg(arg);
  if (v.is_string()) return append_quoted_string(out, view(v));
  if (v.is_integer()) {
    int64_t i = v.as_integer();
    if (i == INT64_MIN) {
      *out += "0x8000000000000000";
    } else {
      *out += std::to_string(i);
    }
  } else if (v.is_double()) {
    double d = v.as_double();
    if (d != d) {
      *out += "(0/0)";
    } else if (std::isinf(d)) {
      *out += d > 0 ? "1e9999" : "-1e9999";
    } else {
      append_printf(out, "%a", d);
    }
  } else if (v.is_nil() || v.is_boolean()) {
    *out += v.is_nil() ? "nil" : v.is_true() ? "true" : "false";
  } else {
    arg_error(L, arg, "value has no literal form");
  }
}

void append_text(State& L, std::string* out, const Spec& spec, int arg) {
  String* s = to_display_string(L, L.arg(arg));
  push(L, Value::of(s));
  if (spec.text == "%") {
    out->append(view(s));
  } else if (std::strlen(s->data) != s->length) {
    arg_error(L, arg, "string contains zeros");
  } else {
    append_printf(out, spec.text + "s", s->data);
  }
  pop(L);
}

void append_pointer(State& L, std::string* out, const Spec& spec, int arg) {
  Value v = L.arg(arg);
  bool object =
      v.is_string() || v.is_table() || v.is_closure() || v.is_object();
  if (object) return append_printf(out, spec.text + "p", v.address());
  append_printf(out, spec.text + "s", "(null)");
}

void append_converted(State& L, std::string* out, const Spec& spec, int arg) {
  switch (spec.conversion) {
    case 'c':
      append_printf(out, spec.text + "c",
                    static_cast<int>(check_integer(L, arg)));
      return;
    case 'd':
    case 'i':
      append_printf(out, spec.text + "lld",
                    static_cast<long long>(check_integer(L, arg)));
      return;
    case 'u':
    case 'o':
    case 'x':
    case 'X':
      append_printf(out, spec.text + "ll" + spec.conversion,
                    static_cast<unsigned long long>(check_integer(L, arg)));
      return;
    case 'a':
    case 'A':
    case 'f':
    case 'F':
    case 'e':
    case 'E':
    case 'g':
    case 'G':
      append_printf(out, spec.text + spec.conversion, check_number(L, arg));
      return;
    case 's':
      return append_text(L, out, spec, arg);
    case 'p':
      return append_pointer(L, out, spec, arg);
    case 'q':
      if (spec.text != "%") {
        lib_error(L, "specifier '%%q' cannot have modifiers");
      }
      return append_quoted(L, out, arg);
    default:
      return;
  }
}

/// "%d" of an integer and "%s" of a string, without flags.
bool append_simple(State& L, std::string* out, std::string_view format,
                   size_t at, int arg) {
  if (at >= format.size()) return false;
  Value v = L.arg(arg);
  if (format[at] == 's' && v.is_string()) {
    out->append(view(v));
    return true;
  }
  if (format[at] == 'd' && v.is_integer()) {
    char digits[kNumberChars];
    out->append(digits, format_integer(v.as_integer(), digits));
    return true;
  }
  return false;
}

}  // namespace

int string_format(State& L, int) {
  std::string_view format = view(check_string(L, 1));
  std::string out;
  int arg = 1;
  for (size_t i = 0; i < format.size();) {
    size_t percent = format.find('%', i);
    if (percent == std::string_view::npos) percent = format.size();
    out.append(format.substr(i, percent - i));
    if (percent == format.size()) break;
    if (percent + 1 < format.size() && format[percent + 1] == '%') {
      out += '%';
      i = percent + 2;
      continue;
    }
    if (append_simple(L, &out, format, percent + 1, arg + 1)) {
      ++arg;
      i = percent + 2;
      continue;
    }
    if (is_none(L, ++arg)) arg_error(L, arg, "no value");
    Spec spec = read_spec(L, format, percent + 1);
    append_converted(L, &out, spec, arg);
    i = spec.end;
  }
  push_string(L, out);
  return 1;
}

}  // namespace tlua
