// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Lua's number rules away from the heap: conversions between integers, floats
// and text, and the integer operations that C defines differently.
#ifndef TLUA_NUMBER_H_
#define TLUA_NUMBER_H_

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tlua {

/// The integer equal to `d`, if there is one.
inline bool double_to_integer(double d, int64_t* out) {
  if (!(d >= -0x1p63 && d < 0x1p63)) return false;
  auto i = static_cast<int64_t>(d);
  if (static_cast<double>(i) != d) return false;
  *out = i;
  return true;
}

/// What a literal or a string in arithmetic stands for.
struct Number {
  bool is_integer;
  int64_t i;
  double d;
};

/// The whole of `text` (white space around it allowed) as a number; false if it
/// is none.
bool parse_number(std::string_view text, Number* out);

/// Writes the text of a number as tostring() gives it; returns its length.
/// `out` has kNumberChars.
inline constexpr size_t kNumberChars = 48;
size_t format_integer(int64_t i, char* out);
size_t format_double(double d, char* out);

inline int64_t wrap_add(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) +
                              static_cast<uint64_t>(b));
}
inline int64_t wrap_sub(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) -
                              static_cast<uint64_t>(b));
}
inline int64_t wrap_mul(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) *
                              static_cast<uint64_t>(b));
}
/// Rounds towards minus infinity; b is not 0.
inline int64_t floor_div(int64_t a, int64_t b) {
  if (b == -1) return wrap_sub(0, a);
  int64_t q = a / b;
  return (a % b != 0 && (a ^ b) < 0) ? q - 1 : q;
}
/// The remainder that goes with floor_div; b is not 0.
inline int64_t floor_mod(int64_t a, int64_t b) {
  if (b == -1) return 0;
  int64_t r = a % b;
  return (r != 0 && (r ^ b) < 0) ? r + b : r;
}
inline double floor_mod(double a, double b) {
  double r = std::fmod(a, b);
  if (r != 0 && (r < 0) != (b < 0)) r += b;
  return r;
}
inline double power(double a, double b) {
  return b == 2 ? a * a : std::pow(a, b);
}
/// Logical shift; a negative count goes the other way.
inline int64_t shift_left(int64_t a, int64_t count) {
  auto w = static_cast<uint64_t>(a);
  if (count <= -64 || count >= 64) return 0;
  return static_cast<int64_t>(count >= 0 ? w << count : w >> -count);
}
inline int64_t shift_right(int64_t a, int64_t count) {
  return shift_left(a, wrap_sub(0, count));
}

/// Exact comparisons of an integer with a float.
bool less_int_double(int64_t a, double b);
bool less_equal_int_double(int64_t a, double b);
bool less_double_int(double a, int64_t b);
bool less_equal_double_int(double a, int64_t b);

}  // namespace tlua

#endif  // TLUA_NUMBER_H_
