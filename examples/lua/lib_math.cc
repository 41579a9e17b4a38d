// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// The mathematical library. The generator is xoshiro256**, seeded as PUC Lua
// seeds it, so equal seeds give equal sequences.
#include <cmath>
#include <ctime>
#include <limits>

#include "lib.h"
#include "number.h"

namespace tlua {

namespace {

int return_double(State& L, double d) {
  return return_value(L, Value::number(d));
}

/// A float as an integer if it fits, else as it is.
int return_rounded(State& L, double d) {
  int64_t i;
  if (double_to_integer(d, &i)) return return_integer(L, i);
  return return_double(L, d);
}

int math_floor(State& L, int) {
  if (L.arg(1).is_integer()) return return_value(L, L.arg(1));
  return return_rounded(L, std::floor(check_number(L, 1)));
}

int math_ceil(State& L, int) {
  if (L.arg(1).is_integer()) return return_value(L, L.arg(1));
  return return_rounded(L, std::ceil(check_number(L, 1)));
}

int math_abs(State& L, int) {
  Value v = L.arg(1);
  if (v.is_integer()) {
    int64_t i = v.as_integer();
    return return_integer(L, i < 0 ? wrap_sub(0, i) : i);
  }
  return return_double(L, std::fabs(check_number(L, 1)));
}

int math_fmod(State& L, int) {
  Value a = L.arg(1), b = L.arg(2);
  if (a.is_integer() && b.is_integer()) {
    int64_t d = b.as_integer();
    if (d == 0) arg_error(L, 2, "zero");
    return return_integer(L, d == -1 ? 0 : a.as_integer() % d);
  }
  double x = check_number(L, 1);
  return return_double(L, std::fmod(x, check_number(L, 2)));
}

int math_modf(State& L, int) {
  Value v = L.arg(1);
  if (v.is_integer()) {
    push(L, v);
    push(L, Value::number(0));
    return 2;
  }
  double d = check_number(L, 1);
  double whole = d < 0 ? std::ceil(d) : std::floor(d);
  return_rounded(L, whole);
  push(L, Value::number(d == whole ? 0.0 : d - whole));
  return 2;
}

int math_tointeger(State& L, int) {
  Value v = L.arg(1);
  check_any(L, 1);
  int64_t i;
  if (!to_integer(v, &i)) return return_value(L, Value::nil());
  return return_integer(L, i);
}

int math_type(State& L, int) {
  check_any(L, 1);
  Value v = L.arg(1);
  if (!v.is_number()) return return_value(L, Value::nil());
  return return_value(
      L, Value::of(intern(L, v.is_integer() ? "integer" : "float")));
}

int math_ult(State& L, int) {
  auto a = static_cast<uint64_t>(check_integer(L, 1));
  auto b = static_cast<uint64_t>(check_integer(L, 2));
  return return_value(L, Value::boolean(a < b));
}

int math_log(State& L, int) {
  double x = check_number(L, 1);
  if (is_none_or_nil(L, 2)) return return_double(L, std::log(x));
  double base = check_number(L, 2);
  if (base == 2) return return_double(L, std::log2(x));
  if (base == 10) return return_double(L, std::log10(x));
  return return_double(L, std::log(x) / std::log(base));
}

int math_atan(State& L, int) {
  double y = check_number(L, 1);
  double x = is_none_or_nil(L, 2) ? 1 : check_number(L, 2);
  return return_double(L, std::atan2(y, x));
}

template <double (*f)(double)>
int math_function(State& L, int) {
  return return_double(L, f(check_number(L, 1)));
}

/// The largest or smallest argument.
template <bool largest>
int math_extreme(State& L, int n) {
  check_any(L, 1);
  check_number(L, 1);
  int best = 1;
  for (int i = 2; i <= n; ++i) {
    check_number(L, i);
    bool better = largest ? less(L, L.arg(best), L.arg(i))
                          : less(L, L.arg(i), L.arg(best));
    if (better) best = i;
  }
  return return_value(L, L.arg(best));
}

// Random numbers -------------------------------------------------------------

uint64_t rotate_left(uint64_t x, int n) { return x << n | x >> (64 - n); }

uint64_t next_random(uint64_t* s) {
  uint64_t s0 = s[0], s1 = s[1], s2 = s[2] ^ s0, s3 = s[3] ^ s1;
  uint64_t result = rotate_left(s1 * 5, 7) * 9;
  s[0] = s0 ^ s3;
  s[1] = s0 ^ s[2] ^ s1;
  s[2] = s2 ^ (s1 << 17);
  s[3] = rotate_left(s3, 45);
  return result;
}

void seed_random(State& L, uint64_t a, uint64_t b) {
  uint64_t* s = L.g->random_state;
  s[0] = a;
  s[1] = 0xff;
  s[2] = b;
  s[3] = 0;
  for (int i = 0; i < 16; ++i) next_random(s);
}

/// A number in [0, n], without bias.
uint64_t random_below(uint64_t random, uint64_t n, uint64_t* s) {
  if ((n & (n + 1)) == 0) return random & n;
  uint64_t mask = ~uint64_t{0} >> __builtin_clzll(n);
  while ((random &= mask) > n) random = next_random(s);
  return random;
}

int math_random(State& L, int n) {
  uint64_t* s = L.g->random_state;
  uint64_t random = next_random(s);
  int64_t low = 1, high;
  if (n == 0) {
    return return_double(L, static_cast<double>(random >> 11) * 0x1p-53);
  }
  if (n == 1) {
    high = check_integer(L, 1);
    if (high == 0) return return_integer(L, static_cast<int64_t>(random));
  } else if (n == 2) {
    low = check_integer(L, 1);
    high = check_integer(L, 2);
  } else {
    lib_error(L, "wrong number of arguments");
  }
  if (low > high) arg_error(L, 1, "interval is empty");
  uint64_t span = static_cast<uint64_t>(high) - static_cast<uint64_t>(low);
  uint64_t r = random_below(random, span, s);
  return return_integer(L,
                        static_cast<int64_t>(r + static_cast<uint64_t>(low)));
}

int math_randomseed(State& L, int n) {
  uint64_t a, b = 0;
  if (n == 0) {
    a = static_cast<uint64_t>(std::time(nullptr));
    b = reinterpret_cast<uint64_t>(L.g);
  } else {
    Value v = L.arg(1);
    int64_t i;
    if (v.is_double() && !double_to_integer(v.as_double(), &i)) {
      a = v.bits;
    } else {
      a = static_cast<uint64_t>(check_integer(L, 1));
    }
    b = static_cast<uint64_t>(opt_integer(L, 2, 0));
  }
  seed_random(L, a, b);
  push_integer(L, static_cast<int64_t>(a));
  push_integer(L, static_cast<int64_t>(b));
  return 2;
}

double to_degrees(double x) { return x * (180.0 / M_PI); }
double to_radians(double x) { return x * (M_PI / 180.0); }

constexpr LibEntry kMath[] = {
    {"math.floor", math_floor},
    {"math.ceil", math_ceil},
    {"math.abs", math_abs},
    {"math.fmod", math_fmod},
    {"math.modf", math_modf},
    {"math.tointeger", math_tointeger},
    {"math.type", math_type},
    {"math.ult", math_ult},
    {"math.log", math_log},
    {"math.atan", math_atan},
    {"math.sqrt", math_function<std::sqrt>},
    {"math.sin", math_function<std::sin>},
    {"math.cos", math_function<std::cos>},
    {"math.tan", math_function<std::tan>},
    {"math.asin", math_function<std::asin>},
    {"math.acos", math_function<std::acos>},
    {"math.exp", math_function<std::exp>},
    {"math.deg", math_function<to_degrees>},
    {"math.rad", math_function<to_radians>},
    {"math.max", math_extreme<true>},
    {"math.min", math_extreme<false>},
    {"math.random", math_random},
    {"math.randomseed", math_randomseed},
};

}  // namespace

void open_math(State& L) {
  Table* lib = add_library(L, "math", kMath);
  set_name(L, lib, "pi", Value::number(M_PI));
  set_name(L, lib, "huge",
           Value::number(std::numeric_limits<double>::infinity()));
  push_integer(L, INT64_MAX);
  set_name(L, lib, "maxinteger", L.top[-1]);
  push_integer(L, INT64_MIN);
  set_name(L, lib, "mininteger", L.top[-1]);
  pop(L, 2);
  seed_random(L, static_cast<uint64_t>(std::time(nullptr)),
              reinterpret_cast<uint64_t>(L.g));
}

}  // namespace tlua
