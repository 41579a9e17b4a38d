// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// See fold.h.
#include "fold.h"

#include "number.h"

namespace tlua {

namespace {

bool is_numeral(const Expr* e) {
  return e->kind == ExprKind::kInteger || e->kind == ExprKind::kFloat;
}

double to_double(const Expr* e) {
  return e->kind == ExprKind::kInteger ? static_cast<double>(e->integer)
                                       : e->number;
}

bool to_integer(const Expr* e, int64_t* out) {
  if (e->kind == ExprKind::kFloat) return double_to_integer(e->number, out);
  *out = e->integer;
  return true;
}

void become_integer(Expr* e, int64_t i) {
  e->kind = ExprKind::kInteger;
  e->integer = i;
}

void become_float(Expr* e, double d) {
  if (d != d || d == 0) return;
  e->kind = ExprKind::kFloat;
  e->number = d;
}

void fold_bits(Expr* e) {
  int64_t a, b;
  if (!to_integer(e->a, &a) || !to_integer(e->b, &b)) return;
  switch (e->binary) {
    case BinaryOp::kBand:
      return become_integer(e, a & b);
    case BinaryOp::kBor:
      return become_integer(e, a | b);
    case BinaryOp::kBxor:
      return become_integer(e, a ^ b);
    case BinaryOp::kShl:
      return become_integer(e, shift_left(a, b));
    default:
      return become_integer(e, shift_right(a, b));
  }
}

void fold_integers(Expr* e) {
  int64_t a = e->a->integer, b = e->b->integer;
  switch (e->binary) {
    case BinaryOp::kAdd:
      return become_integer(e, wrap_add(a, b));
    case BinaryOp::kSub:
      return become_integer(e, wrap_sub(a, b));
    case BinaryOp::kMul:
      return become_integer(e, wrap_mul(a, b));
    case BinaryOp::kIdiv:
      if (b != 0) become_integer(e, floor_div(a, b));
      return;
    default:
      if (b != 0) become_integer(e, floor_mod(a, b));
      return;
  }
}

void fold_floats(Expr* e) {
  double a = to_double(e->a), b = to_double(e->b);
  switch (e->binary) {
    case BinaryOp::kAdd:
      return become_float(e, a + b);
    case BinaryOp::kSub:
      return become_float(e, a - b);
    case BinaryOp::kMul:
      return become_float(e, a * b);
    case BinaryOp::kPow:
      return become_float(e, power(a, b));
    case BinaryOp::kDiv:
      if (b != 0) become_float(e, a / b);
      return;
    case BinaryOp::kIdiv:
      if (b != 0) become_float(e, std::floor(a / b));
      return;
    default:
      if (b != 0) become_float(e, floor_mod(a, b));
      return;
  }
}

}  // namespace

void fold_unary(Expr* e) {
  if (!is_numeral(e->a)) return;
  int64_t i;
  if (e->unary == UnaryOp::kNegate) {
    if (e->a->kind == ExprKind::kInteger) {
      become_integer(e, wrap_sub(0, e->a->integer));
    } else {
      become_float(e, -e->a->number);
    }
  } else if (e->unary == UnaryOp::kBnot && to_integer(e->a, &i)) {
    become_integer(e, ~i);
  }
}

void fold_binary(Expr* e) {
  if (!is_numeral(e->a) || !is_numeral(e->b)) return;
  BinaryOp op = e->binary;
  if (op > BinaryOp::kShr) return;
  if (op >= BinaryOp::kBand) return fold_bits(e);
  bool floats = op == BinaryOp::kPow || op == BinaryOp::kDiv ||
                e->a->kind == ExprKind::kFloat ||
                e->b->kind == ExprKind::kFloat;
  if (floats) return fold_floats(e);
  fold_integers(e);
}

}  // namespace tlua
