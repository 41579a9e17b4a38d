// SPDX-License-Identifier: MIT
// Copyright tricolor authors
//
// The parsers of base/env.h. No state, no allocation.
#include "base/env.h"

#include <climits>
#include <cstddef>

namespace tricolor::base {
namespace {

// Binary units only, as in the variables of Go: "MB" is refused, not guessed.
struct Unit {
  std::string_view name;
  unsigned shift;
};
constexpr Unit kUnits[] = {
    {"KiB", 10}, {"MiB", 20}, {"GiB", 30}, {"TiB", 40}, {"B", 0},
};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

template <class T>
bool parse_c_string(bool (*parse)(std::string_view, T*), const char* text,
                    T* out) {
  return text != nullptr && parse(std::string_view(text), out);
}

}  // namespace

bool parse_u64(std::string_view text, uint64_t* out) {
  if (text.empty()) return false;
  uint64_t n = 0;
  for (const char c : text) {
    if (!is_digit(c)) return false;
    if (__builtin_mul_overflow(n, uint64_t{10}, &n)) return false;
    if (__builtin_add_overflow(n, static_cast<uint64_t>(c - '0'), &n))
      return false;
  }
  *out = n;
  return true;
}

bool parse_u32(std::string_view text, uint32_t* out) {
  uint64_t n = 0;
  if (!parse_u64(text, &n) || n > UINT32_MAX) return false;
  *out = static_cast<uint32_t>(n);
  return true;
}

bool parse_percent(std::string_view text, int* out) {
  if (text == "off") {
    *out = -1;
    return true;
  }
  uint64_t n = 0;
  if (!parse_u64(text, &n) || n > INT_MAX) return false;
  *out = static_cast<int>(n);
  return true;
}

bool parse_bytes(std::string_view text, uint64_t* out) {
  if (text == "off") {
    *out = UINT64_MAX;
    return true;
  }
  size_t digits = 0;
  while (digits < text.size() && is_digit(text[digits])) digits++;
  const std::string_view number(text.data(), digits);
  text.remove_prefix(digits);
  unsigned shift = 0;
  if (!text.empty()) {
    const Unit* unit = nullptr;
    for (const Unit& u : kUnits) {
      if (u.name == text) unit = &u;
    }
    if (unit == nullptr) return false;
    shift = unit->shift;
  }
  uint64_t n = 0;
  if (!parse_u64(number, &n) || n > (UINT64_MAX >> shift)) return false;
  *out = n << shift;
  return true;
}

bool parse_u32(const char* text, uint32_t* out) {
  return parse_c_string<uint32_t>(&parse_u32, text, out);
}

bool parse_u64(const char* text, uint64_t* out) {
  return parse_c_string<uint64_t>(&parse_u64, text, out);
}

bool parse_percent(const char* text, int* out) {
  return parse_c_string<int>(&parse_percent, text, out);
}

bool parse_bytes(const char* text, uint64_t* out) {
  return parse_c_string<uint64_t>(&parse_bytes, text, out);
}

bool KeyValueCursor::next() {
  while (!rest_.empty()) {
    size_t end = 0;
    size_t equals = SIZE_MAX;
    for (; end < rest_.size() && rest_[end] != ','; end++) {
      if (rest_[end] == '=' && equals == SIZE_MAX) equals = end;
    }
    const char* item = rest_.data();
    rest_.remove_prefix(end < rest_.size() ? end + 1 : end);
    if (end == 0) continue;
    item_ = std::string_view(item, end);
    key_ = std::string_view(item, equals < end ? equals : end);
    value_ = equals < end
                 ? std::string_view(item + equals + 1, end - equals - 1)
                 : std::string_view();
    return true;
  }
  return false;
}

}  // namespace tricolor::base
