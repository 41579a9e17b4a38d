// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Numbers to text and back, and exact comparisons; see number.h.
#include "number.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

namespace tlua {

namespace {

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
int hex_digit(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// Decimal without point or exponent that fits, or hexadecimal that wraps.
bool parse_integer(std::string_view s, int64_t* out) {
  bool negative = false;
  if (!s.empty() && (s[0] == '-' || s[0] == '+')) {
    negative = s[0] == '-';
    s.remove_prefix(1);
  }
  uint64_t value = 0;
  if (s.size() > 2 && s[0] == '0' && (s[1] == 'x' || s[1] == 'X')) {
    for (char c : s.substr(2)) {
      int digit = hex_digit(c);
      if (digit < 0) return false;
      value = value * 16 + static_cast<uint64_t>(digit);
    }
  } else {
    if (s.empty()) return false;
    for (char c : s) {
      if (!is_digit(c)) return false;
      auto digit = static_cast<uint64_t>(c - '0');
      uint64_t limit = (uint64_t{1} << 63) - (negative ? 0 : 1);
      if (value > (limit - digit) / 10) return false;
      value = value * 10 + digit;
    }
  }
  *out = static_cast<int64_t>(negative ? 0 - value : value);
  return true;
}

/// Digits, at most one point, an exponent after `e`: what strtod may see.
bool is_float_shape(std::string_view s, bool hex) {
  size_t i = !s.empty() && (s[0] == '-' || s[0] == '+') ? 1 : 0;
  if (hex) i += 2;
  bool digits = false, point = false;
  for (; i < s.size(); ++i) {
    char c = s[i];
    if (hex ? hex_digit(c) >= 0 : is_digit(c)) {
      digits = true;
    } else if (c == '.' && !point) {
      point = true;
    } else {
      break;
    }
  }
  if (!digits) return false;
  if (i == s.size()) return true;
  char mark = static_cast<char>(s[i] | 0x20);
  if (mark != (hex ? 'p' : 'e')) return false;
  ++i;
  if (i < s.size() && (s[i] == '-' || s[i] == '+')) ++i;
  if (i == s.size()) return false;
  for (; i < s.size(); ++i) {
    if (!is_digit(s[i])) return false;
  }
  return true;
}

bool parse_double(std::string_view s, double* out) {
  size_t sign = !s.empty() && (s[0] == '-' || s[0] == '+') ? 1 : 0;
  bool hex =
      s.size() > sign + 1 && s[sign] == '0' && (s[sign + 1] | 0x20) == 'x';
  if (!is_float_shape(s, hex)) return false;
  std::string copy(s);
  *out = std::strtod(copy.c_str(), nullptr);
  return true;
}

}  // namespace

bool parse_number(std::string_view text, Number* out) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  out->is_integer = parse_integer(text, &out->i);
  return out->is_integer || parse_double(text, &out->d);
}

size_t format_integer(int64_t i, char* out) {
  char digits[24];
  char* p = digits + sizeof(digits);
  auto w = static_cast<uint64_t>(i);
  if (i < 0) w = 0 - w;
  do {
    *--p = static_cast<char>('0' + w % 10);
    w /= 10;
  } while (w != 0);
  if (i < 0) *--p = '-';
  auto n = static_cast<size_t>(digits + sizeof(digits) - p);
  std::memcpy(out, p, n);
  return n;
}

size_t format_double(double d, char* out) {
  int64_t i;
  if (double_to_integer(d, &i) && i > -1000000000 && i < 1000000000 &&
      (i != 0 || !std::signbit(d))) {
    size_t n = format_integer(i, out);
    std::memcpy(out + n, ".0", 2);
    return n + 2;
  }
  auto n = static_cast<size_t>(std::snprintf(out, kNumberChars, "%.14g", d));
  if (std::strpbrk(out, ".eEnif") == nullptr) {
    std::memcpy(out + n, ".0", 2);
    n += 2;
  }
  return n;
}

bool less_int_double(int64_t a, double b) {
  if (b != b) return false;
  if (b >= 0x1p63) return true;
  if (b <= -0x1p63) return false;
  // a < b  <=>  a < ceil(b), and the ceiling is an int64.
  return a < static_cast<int64_t>(std::ceil(b));
}

bool less_equal_int_double(int64_t a, double b) {
  if (b != b) return false;
  if (b >= 0x1p63) return true;
  if (b < -0x1p63) return false;
  return a <= static_cast<int64_t>(std::floor(b));
}

bool less_double_int(double a, int64_t b) {
  if (a != a) return false;
  if (a >= 0x1p63) return false;
  if (a < -0x1p63) return true;
  return static_cast<int64_t>(std::floor(a)) < b;
}

bool less_equal_double_int(double a, int64_t b) {
  if (a != a) return false;
  if (a >= 0x1p63) return false;
  if (a <= -0x1p63) return true;
  return static_cast<int64_t>(std::ceil(a)) <= b;
}

}  // namespace tlua
