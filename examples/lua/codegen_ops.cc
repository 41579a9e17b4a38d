// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// The code generator for operators and conditions. See codegen.h.
#include "codegen.h"

namespace tlua {

namespace {

bool is_comparison(const Expr* e) {
  return e->kind == ExprKind::kBinary && e->binary >= BinaryOp::kEq &&
         e->binary <= BinaryOp::kGe;
}
bool is_not(const Expr* e) {
  return e->kind == ExprKind::kUnary && e->unary == UnaryOp::kNot;
}
bool is_logic(const Expr* e) {
  return e->kind == ExprKind::kBinary &&
         (e->binary == BinaryOp::kAnd || e->binary == BinaryOp::kOr);
}
bool is_concat(const Expr* e) {
  return e->kind == ExprKind::kBinary && e->binary == BinaryOp::kConcat;
}
bool always_true(const Expr* e) {
  return e->kind == ExprKind::kTrue || e->kind == ExprKind::kInteger ||
         e->kind == ExprKind::kFloat || e->kind == ExprKind::kString;
}
bool always_false(const Expr* e) {
  return e->kind == ExprKind::kNil || e->kind == ExprKind::kFalse;
}
bool is_byte(const Expr* e) {
  return e->kind == ExprKind::kInteger && e->integer >= -128 &&
         e->integer <= 127;
}
bool is_numeral(const Expr* e) {
  return e->kind == ExprKind::kInteger || e->kind == ExprKind::kFloat;
}
bool is_literal(const Expr* e) {
  return is_numeral(e) || e->kind == ExprKind::kNil ||
         e->kind == ExprKind::kTrue || e->kind == ExprKind::kFalse ||
         e->kind == ExprKind::kString;
}
const Expr* without_parens(const Expr* e) {
  while (e->kind == ExprKind::kParen) e = e->a;
  return e;
}
/// Arithmetic or a comparison.
bool is_link(const Expr* e) {
  return e->kind == ExprKind::kBinary && !is_logic(e) && !is_concat(e);
}
/// The operands of a left-associative chain of e's operator, last one first:
/// such chains may be too long for recursion.
std::vector<const Expr*> logic_operands(const Expr* e) {
  std::vector<const Expr*> operands;
  const Expr* x = e;
  for (; is_logic(x) && x->binary == e->binary; x = without_parens(x->a)) {
    operands.push_back(x->b);
  }
  operands.push_back(x);
  return operands;
}
Op offset(Op op, int by) { return static_cast<Op>(static_cast<int>(op) + by); }

}  // namespace

void CodeGen::binary_to_reg(const Expr* e, int dst) {
  if (is_logic(e)) return logic_to_reg(e, dst);
  if (is_concat(e)) return concat_to_reg(e, dst);
  chain_to_reg(e, dst);
}

void CodeGen::chain_to_reg(const Expr* e, int dst) {
  // Without recursion, as a + b + c + ... leans to the left and may be long.
  int mark = fs_->free_reg;
  std::vector<const Expr*> links;
  for (const Expr* x = e; is_link(x); x = x->a) links.push_back(x);
  int between = links.size() == 1 || is_temp(dst) ? dst : alloc();
  int left = -1;
  for (size_t i = links.size(); i > 0; --i) {
    int to = i == 1 ? dst : between;
    if (is_comparison(links[i - 1])) {
      comparison_to_reg(links[i - 1], left, to);
    } else {
      arith_to_reg(links[i - 1], left, to);
    }
    left = to;
  }
  fs_->free_reg = mark;
}

void CodeGen::comparison_to_reg(const Expr* e, int left, int dst) {
  int mark = fs_->free_reg;
  JumpList yes;
  compare_jump(e, left, true, &yes);
  fs_->free_reg = mark;
  emit_abc(Op::kLFalseSkip, dst, 0, 0, e->line);
  patch_here(yes);
  emit_abc(Op::kLoadTrue, dst, 0, 0, e->line);
}

void CodeGen::arith_to_reg(const Expr* e, int left, int dst) {
  int mark = fs_->free_reg;
  if (left < 0) left = any_reg(e->a, dst);
  int nth = static_cast<int>(e->binary);
  const Expr* b = e->b;
  if (is_byte(b) && e->binary == BinaryOp::kAdd) {
    emit_abc(Op::kAddI, dst, left, static_cast<int>(b->integer), e->line);
  } else if (is_byte(b) && e->binary == BinaryOp::kSub) {
    emit_abc(Op::kSubI, dst, left, static_cast<int>(b->integer), e->line);
  } else {
    int k = is_numeral(b) ? constant_of(b) : -1;
    if (k >= 0 && k <= 255) {
      emit_abc(offset(Op::kAddK, nth), dst, left, k, e->line);
    } else {
      emit_abc(offset(Op::kAdd, nth), dst, left, any_reg(b), e->line);
    }
  }
  fs_->free_reg = mark;
}

void CodeGen::concat_to_reg(const Expr* e, int dst) {
  int mark = fs_->free_reg;
  int base = fs_->free_reg;
  int n = 1;
  int line = e->line;
  next_reg(e->a);
  const Expr* right = e->b;
  while (is_concat(right)) {  // right associative: one instruction for all
    next_reg(right->a);
    line = right->line;
    ++n;
    right = right->b;
  }
  next_reg(right);
  emit_abc(Op::kConcat, base, n + 1, 0, line);
  if (base != dst) emit_abc(Op::kMove, dst, base, 0, line);
  fs_->free_reg = mark;
}

void CodeGen::unary_to_reg(const Expr* e, int dst) {
  if (e->unary == UnaryOp::kNot &&
      (is_comparison(without_parens(e->a)) || is_not(e->a))) {
    return boolean_to_reg(e, dst);
  }
  constexpr Op kOps[] = {Op::kUnm, Op::kBnot, Op::kNot, Op::kLen};
  int mark = fs_->free_reg;
  int operand = any_reg(e->a, dst);
  emit_abc(kOps[static_cast<int>(e->unary)], dst, operand, 0, e->line);
  fs_->free_reg = mark;
}

void CodeGen::boolean_to_reg(const Expr* e, int dst) {
  int mark = fs_->free_reg;
  JumpList yes;
  cond_jump(e, true, &yes);
  fs_->free_reg = mark;
  emit_abc(Op::kLFalseSkip, dst, 0, 0, e->line);
  patch_here(yes);
  emit_abc(Op::kLoadTrue, dst, 0, 0, e->line);
}

void CodeGen::logic_to_reg(const Expr* e, int dst) {
  int mark = fs_->free_reg;
  int reg = is_temp(dst) ? dst : alloc();
  JumpList end;
  value_jump(e->a, reg, e->binary == BinaryOp::kOr, &end);
  to_reg(e->b, reg);
  patch_here(end);
  if (reg != dst) emit_abc(Op::kMove, dst, reg, 0, e->line);
  fs_->free_reg = mark;
}

void CodeGen::value_jump(const Expr* e, int dst, bool when, JumpList* jumps) {
  e = without_parens(e);
  int mark = fs_->free_reg;
  if (when ? always_false(e) : always_true(e)) return;
  if (when ? always_true(e) : always_false(e)) {
    to_reg(e, dst);
    jumps->push_back(jump(e->line));
  } else if (is_logic(e)) {
    bool is_or = e->binary == BinaryOp::kOr;
    if (is_or == when) {
      std::vector<const Expr*> operands = logic_operands(e);
      for (size_t i = operands.size(); i > 0; --i) {
        value_jump(operands[i - 1], dst, when, jumps);
      }
    } else {
      JumpList skip;
      cond_jump(e->a, !when, &skip);
      value_jump(e->b, dst, when, jumps);
      patch_here(skip);
    }
  } else if (is_comparison(e) || is_not(e)) {
    JumpList skip;
    cond_jump(e, !when, &skip);
    emit_abc(when ? Op::kLoadTrue : Op::kLoadFalse, dst, 0, 0, e->line);
    jumps->push_back(jump(e->line));
    patch_here(skip);
  } else {
    int reg = any_reg(e, dst);
    if (reg == dst) {
      emit_abc(Op::kTest, reg, 0, when, e->line);
    } else {
      emit_abc(Op::kTestSet, dst, reg, when, e->line);
    }
    jumps->push_back(jump(e->line));
  }
  fs_->free_reg = mark;
}

void CodeGen::cond_jump(const Expr* e, bool when, JumpList* jumps) {
  e = without_parens(e);
  int mark = fs_->free_reg;
  if (always_true(e) || always_false(e)) {
    if (always_true(e) == when) jumps->push_back(jump(e->line));
  } else if (is_not(e)) {
    cond_jump(e->a, !when, jumps);
  } else if (is_logic(e)) {
    bool is_or = e->binary == BinaryOp::kOr;
    if (is_or == when) {
      std::vector<const Expr*> operands = logic_operands(e);
      for (size_t i = operands.size(); i > 0; --i) {
        cond_jump(operands[i - 1], when, jumps);
      }
    } else {
      JumpList skip;
      cond_jump(e->a, !when, &skip);
      cond_jump(e->b, when, jumps);
      patch_here(skip);
    }
  } else if (is_comparison(e)) {
    compare_jump(e, -1, when, jumps);
  } else {
    emit_abc(Op::kTest, any_reg(e), 0, when, e->line);
    jumps->push_back(jump(e->line));
  }
  fs_->free_reg = mark;
}

bool CodeGen::compare_immediate(const Expr* e, int left, bool when,
                                JumpList* jumps) {
  bool flipped = left < 0 && is_byte(e->a);
  const Expr* immediate = flipped ? e->a : e->b;
  const Expr* operand = flipped ? e->b : e->a;
  if (!is_byte(immediate)) return false;
  Op op;
  switch (e->binary) {
    case BinaryOp::kEq:
    case BinaryOp::kNe:
      op = Op::kEqI;
      break;
    case BinaryOp::kLt:
      op = flipped ? Op::kGtI : Op::kLtI;
      break;
    case BinaryOp::kLe:
      op = flipped ? Op::kGeI : Op::kLeI;
      break;
    case BinaryOp::kGt:
      op = flipped ? Op::kLtI : Op::kGtI;
      break;
    default:
      op = flipped ? Op::kLeI : Op::kGeI;
      break;
  }
  if (e->binary == BinaryOp::kNe) when = !when;
  int reg = left >= 0 ? left : any_reg(operand);
  emit_abc(op, reg, static_cast<int>(immediate->integer), when, e->line);
  jumps->push_back(jump(e->line));
  return true;
}

void CodeGen::compare_jump(const Expr* e, int left, bool when,
                           JumpList* jumps) {
  if (compare_immediate(e, left, when, jumps)) return;
  bool equality = e->binary == BinaryOp::kEq || e->binary == BinaryOp::kNe;
  if (e->binary == BinaryOp::kNe) when = !when;
  if (equality && (is_literal(e->a) || is_literal(e->b))) {
    const Expr* literal = is_literal(e->b) ? e->b : e->a;
    const Expr* operand = literal == e->b ? e->a : e->b;
    int k = constant_of(literal);
    if (k <= 255) {
      int reg = left >= 0 ? left : any_reg(operand);
      emit_abc(Op::kEqK, reg, k, when, e->line);
      jumps->push_back(jump(e->line));
      return;
    }
  }
  int a = left >= 0 ? left : any_reg(e->a);
  int b = any_reg(e->b);
  switch (e->binary) {
    case BinaryOp::kLt:
      emit_abc(Op::kLt, a, b, when, e->line);
      break;
    case BinaryOp::kLe:
      emit_abc(Op::kLe, a, b, when, e->line);
      break;
    case BinaryOp::kGt:
      emit_abc(Op::kLt, b, a, when, e->line);
      break;
    case BinaryOp::kGe:
      emit_abc(Op::kLe, b, a, when, e->line);
      break;
    default:
      emit_abc(Op::kEq, a, b, when, e->line);
      break;
  }
  jumps->push_back(jump(e->line));
}

}  // namespace tlua
