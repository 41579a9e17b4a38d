// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// The common cases of arithmetic and comparison, inlined into execute(): small
// integers and floats. Each returns false when arith() or less() of vm.h must
// decide. None allocates.
#ifndef TLUA_VM_ARITH_H_
#define TLUA_VM_ARITH_H_

#include "ast.h"
#include "number.h"
#include "value.h"

namespace tlua {

#define TLUA_INLINE inline __attribute__((always_inline))

TLUA_INLINE bool both_small(Value a, Value b) {
  return static_cast<int64_t>(a.bits & b.bits) >> 48 == -1;
}
/// A small integer's payload in the high 48 bits: sums overflow as they should.
TLUA_INLINE int64_t high_payload(Value v) {
  return static_cast<int64_t>(v.bits << 16);
}
TLUA_INLINE Value from_high_payload(int64_t high) {
  return {(static_cast<uint64_t>(high) >> 16) | (kTagInt << 48)};
}
TLUA_INLINE bool fast_double(Value v, double* out) {
  if (v.is_double()) {
    *out = v.as_double();
    return true;
  }
  *out = static_cast<double>(v.as_small_int());
  return v.is_small_int();
}

template <BinaryOp op>
TLUA_INLINE bool small_arith(Value a, Value b, Value* out) {
  int64_t r;
  if constexpr (op == BinaryOp::kAdd) {
    if (__builtin_add_overflow(high_payload(a), high_payload(b), &r)) {
      return false;
    }
    *out = from_high_payload(r);
    return true;
  } else if constexpr (op == BinaryOp::kSub) {
    if (__builtin_sub_overflow(high_payload(a), high_payload(b), &r)) {
      return false;
    }
    *out = from_high_payload(r);
    return true;
  } else if constexpr (op == BinaryOp::kMul) {
    if (__builtin_mul_overflow(a.as_small_int(), high_payload(b), &r)) {
      return false;
    }
    *out = from_high_payload(r);
    return true;
  } else {
    int64_t x = a.as_small_int(), y = b.as_small_int();
    if (static_cast<uint64_t>(x | y) >> 32 == 0 && y != 0) {
      // A 32-bit division takes a fraction of the time.
      auto n = static_cast<uint32_t>(x), d = static_cast<uint32_t>(y);
      *out = Value::small_int(op == BinaryOp::kMod ? n % d : n / d);
      return true;
    }
    if (y == 0) return false;
    r = op == BinaryOp::kMod ? floor_mod(x, y) : floor_div(x, y);
    *out = Value::small_int(r);
    return fits_small(r);
  }
}

template <BinaryOp op>
TLUA_INLINE double double_arith(double x, double y) {
  if constexpr (op == BinaryOp::kAdd) return x + y;
  if constexpr (op == BinaryOp::kSub) return x - y;
  if constexpr (op == BinaryOp::kMul) return x * y;
  if constexpr (op == BinaryOp::kDiv) return x / y;
  if constexpr (op == BinaryOp::kPow) return power(x, y);
  if constexpr (op == BinaryOp::kMod) return floor_mod(x, y);
  return std::floor(x / y);
}

template <BinaryOp op>
TLUA_INLINE bool fast_arith(Value a, Value b, Value* out) {
  if constexpr (op != BinaryOp::kDiv && op != BinaryOp::kPow) {
    if (both_small(a, b)) return small_arith<op>(a, b, out);
  }
  double x, y;
  if (!fast_double(a, &x) || !fast_double(b, &y)) return false;
  double r = double_arith<op>(x, y);
  *out = Value::raw_double(r);
  return true;
}

template <BinaryOp op>
TLUA_INLINE bool fast_bits(Value a, Value b, Value* out) {
  if (!both_small(a, b)) return false;
  if constexpr (op == BinaryOp::kBand) {
    out->bits = a.bits & b.bits;
  } else if constexpr (op == BinaryOp::kBor) {
    out->bits = a.bits | b.bits;
  } else if constexpr (op == BinaryOp::kBxor) {
    out->bits = (a.bits ^ b.bits) | (kTagInt << 48);
  } else {
    int64_t x = a.as_small_int(), n = b.as_small_int();
    int64_t r = op == BinaryOp::kShl ? shift_left(x, n) : shift_right(x, n);
    if (!fits_small(r)) return false;
    *out = Value::small_int(r);
  }
  return true;
}

/// Small integers convert to doubles exactly, so mixed pairs compare as those.
enum class Order : uint8_t { kNo, kYes, kUnknown };
template <bool or_equal>
TLUA_INLINE Order fast_less(Value a, Value b) {
  if (both_small(a, b)) {
    int64_t x = high_payload(a), y = high_payload(b);
    return (or_equal ? x <= y : x < y) ? Order::kYes : Order::kNo;
  }
  double x, y;
  if (!fast_double(a, &x) || !fast_double(b, &y)) return Order::kUnknown;
  return (or_equal ? x <= y : x < y) ? Order::kYes : Order::kNo;
}

}  // namespace tlua

#endif  // TLUA_VM_ARITH_H_
