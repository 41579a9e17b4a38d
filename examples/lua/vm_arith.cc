// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Arithmetic, conversions, order and numeric loops, complete; see vm.h.
#include "vm_arith.h"

#include <algorithm>

#include "vm.h"

namespace tlua {

namespace {

/// The number in `v`, a numeral string's included.
bool to_number(Value v, Number* out) {
  if (v.is_double()) {
    out->is_integer = false;
    out->d = v.as_double();
    return true;
  }
  if (v.is_integer()) {
    out->is_integer = true;
    out->i = v.as_integer();
    return true;
  }
  return v.is_string() && parse_number(view(v), out);
}

double as_double(const Number& n) {
  return n.is_integer ? static_cast<double>(n.i) : n.d;
}

bool as_integer(const Number& n, int64_t* out) {
  if (!n.is_integer) return double_to_integer(n.d, out);
  *out = n.i;
  return true;
}

Value meta_of_op(State& L, Value v, ArithOp op) {
  // Strings do arithmetic themselves; their metatable has no such entries.
  auto event =
      static_cast<Meta>(static_cast<int>(Meta::kAdd) + static_cast<int>(op));
  return v.is_string() ? Value::nil() : metamethod(L, v, event);
}

Value arith_meta(State& L, ArithOp op, Value a, Value b) {
  Value handler = meta_of_op(L, a, op);
  if (handler.is_nil()) handler = meta_of_op(L, b, op);
  if (handler.is_nil()) arith_error(L, op, a, b);
  return call_meta(L, handler, a, b);
}

int64_t integer_op(State& L, ArithOp op, int64_t a, int64_t b) {
  switch (op) {
    case ArithOp::kAdd:
      return wrap_add(a, b);
    case ArithOp::kSub:
      return wrap_sub(a, b);
    case ArithOp::kMul:
      return wrap_mul(a, b);
    case ArithOp::kMod:
      if (b == 0) run_error(L, "attempt to perform 'n%%0'");
      return floor_mod(a, b);
    case ArithOp::kIdiv:
      if (b == 0) run_error(L, "attempt to divide by zero");
      return floor_div(a, b);
    case ArithOp::kBand:
      return a & b;
    case ArithOp::kBor:
      return a | b;
    case ArithOp::kBxor:
      return a ^ b;
    case ArithOp::kShl:
      return shift_left(a, b);
    default:
      return shift_right(a, b);
  }
}

double float_op(ArithOp op, double a, double b) {
  switch (op) {
    case ArithOp::kAdd:
      return a + b;
    case ArithOp::kSub:
      return a - b;
    case ArithOp::kMul:
      return a * b;
    case ArithOp::kMod:
      return floor_mod(a, b);
    case ArithOp::kPow:
      return power(a, b);
    case ArithOp::kDiv:
      return a / b;
    default:
      return std::floor(a / b);
  }
}

}  // namespace

Value arith(State& L, ArithOp op, Value a, Value b) {
  Number x, y;
  if (!to_number(a, &x) || !to_number(b, &y)) return arith_meta(L, op, a, b);
  if (op >= ArithOp::kBand) {
    int64_t i, j;
    if (a.is_string() || b.is_string() || !as_integer(x, &i) ||
        !as_integer(y, &j)) {
      return arith_meta(L, op, a, b);
    }
    return make_integer(L, integer_op(L, op, i, j));
  }
  bool integers = x.is_integer && y.is_integer && op != ArithOp::kPow &&
                  op != ArithOp::kDiv;
  if (integers) return make_integer(L, integer_op(L, op, x.i, y.i));
  return Value::number(float_op(op, as_double(x), as_double(y)));
}

Value negate(State& L, Value v) {
  Number n;
  if (to_number(v, &n)) {
    return n.is_integer ? make_integer(L, wrap_sub(0, n.i))
                        : Value::raw_double(-n.d);
  }
  Value handler = v.is_string() ? Value::nil() : metamethod(L, v, Meta::kUnm);
  if (!handler.is_nil()) return call_meta(L, handler, v, v);
  if (v.is_string()) {
    run_error(L, "attempt to unm a 'string' with a 'string'");
  }
  operand_error(L, "perform arithmetic on", v);
}

Value bitwise_not(State& L, Value v) {
  Number n;
  int64_t i;
  bool number = !v.is_string() && to_number(v, &n);
  if (number && as_integer(n, &i)) return make_integer(L, ~i);
  Value handler = v.is_string() ? Value::nil() : metamethod(L, v, Meta::kBnot);
  if (!handler.is_nil()) return call_meta(L, handler, v, v);
  arith_error(L, ArithOp::kBand, v, v);
}

bool to_double(Value v, double* out) {
  Number n;
  if (!to_number(v, &n)) return false;
  *out = as_double(n);
  return true;
}

bool to_integer(Value v, int64_t* out) {
  Number n;
  return to_number(v, &n) && as_integer(n, out);
}

// Order ----------------------------------------------------------------------

namespace {

bool less_numbers(Value a, Value b) {
  if (a.is_integer()) {
    int64_t i = a.as_integer();
    return b.is_integer() ? i < b.as_integer()
                          : less_int_double(i, b.as_double());
  }
  double d = a.as_double();
  return b.is_integer() ? less_double_int(d, b.as_integer())
                        : d < b.as_double();
}

bool less_equal_numbers(Value a, Value b) {
  if (a.is_integer()) {
    int64_t i = a.as_integer();
    return b.is_integer() ? i <= b.as_integer()
                          : less_equal_int_double(i, b.as_double());
  }
  double d = a.as_double();
  return b.is_integer() ? less_equal_double_int(d, b.as_integer())
                        : d <= b.as_double();
}

bool order_meta(State& L, Meta event, Value a, Value b) {
  Value handler = metamethod(L, a, event);
  if (handler.is_nil()) handler = metamethod(L, b, event);
  if (handler.is_nil()) compare_error(L, a, b);
  return !call_meta(L, handler, a, b).is_falsy();
}

}  // namespace

bool less(State& L, Value a, Value b) {
  if (a.is_number() && b.is_number()) return less_numbers(a, b);
  if (a.is_string() && b.is_string()) {
    return string_compare(a.as_string(), b.as_string()) < 0;
  }
  return order_meta(L, Meta::kLt, a, b);
}

bool less_equal(State& L, Value a, Value b) {
  if (a.is_number() && b.is_number()) return less_equal_numbers(a, b);
  if (a.is_string() && b.is_string()) {
    return string_compare(a.as_string(), b.as_string()) <= 0;
  }
  return order_meta(L, Meta::kLe, a, b);
}

// Numeric for ----------------------------------------------------------------

namespace {

[[noreturn]] void for_error(State& L, const char* what, Value v) {
  run_error(L, "bad 'for' %s (number expected, got %s)", what,
            type_name_of(L, v).c_str());
}

/// The last integer the loop may reach; false if there is none.
bool for_limit(State& L, int64_t init, Value v, int64_t step, int64_t* out) {
  if (v.is_integer()) {
    *out = v.as_integer();
  } else {
    double d = 0;
    if (!to_double(v, &d)) for_error(L, "limit", v);
    d = step < 0 ? std::ceil(d) : std::floor(d);
    if (d != d) return false;
    if (!double_to_integer(d, out)) {
      if (d > 0 && step < 0) return false;
      if (d < 0 && step > 0) return false;
      *out = d > 0 ? INT64_MAX : INT64_MIN;
    }
  }
  return step > 0 ? init <= *out : init >= *out;
}

bool prepare_integers(State& L, Value* ra) {
  uint32_t at = index_of(L, ra);
  int64_t init = ra[0].as_integer(), step = ra[2].as_integer();
  if (step == 0) run_error(L, "'for' step is zero");
  int64_t limit;
  if (!for_limit(L, init, ra[1], step, &limit)) return false;
  uint64_t span, stride;
  if (step > 0) {
    span = static_cast<uint64_t>(limit) - static_cast<uint64_t>(init);
    stride = static_cast<uint64_t>(step);
  } else {
    span = static_cast<uint64_t>(init) - static_cast<uint64_t>(limit);
    stride = 0 - static_cast<uint64_t>(step);
  }
  // Nobody lives to see a count that does not fit.
  uint64_t count = std::min(span / stride, (uint64_t{1} << 47) - 1);
  ra = L.stack() + at;
  ra[1] = Value::small_int(static_cast<int64_t>(count));
  ra[3] = ra[0];
  return true;
}

}  // namespace

bool for_prepare(State& L, Value* ra) {
  if (ra[0].is_integer() && ra[2].is_integer()) {
    return prepare_integers(L, ra);
  }
  double init = 0, limit = 0, step = 0;
  if (!to_double(ra[1], &limit)) for_error(L, "limit", ra[1]);
  if (!to_double(ra[2], &step)) for_error(L, "step", ra[2]);
  if (!to_double(ra[0], &init)) for_error(L, "initial value", ra[0]);
  if (step == 0) run_error(L, "'for' step is zero");
  ra[0] = ra[3] = Value::number(init);
  ra[1] = Value::number(limit);
  ra[2] = Value::number(step);
  return step > 0 ? init <= limit : limit <= init;
}

bool for_step_wide(State& L, Value* ra) {
  int64_t count = ra[1].as_small_int();
  if (count == 0) return false;
  uint32_t at = index_of(L, ra);
  Value next =
      make_integer(L, wrap_add(ra[0].as_integer(), ra[2].as_integer()));
  ra = L.stack() + at;
  ra[1] = Value::small_int(count - 1);
  ra[0] = ra[3] = next;
  return true;
}

}  // namespace tlua
