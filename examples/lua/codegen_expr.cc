// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// The code generator for expressions without operators. See codegen.h.
#include "codegen.h"

namespace tlua {

namespace {

constexpr int kFlushItems = 50;

const Expr* without_parens(const Expr* e) {
  while (e->kind == ExprKind::kParen) e = e->a;
  return e;
}

bool fits_byte(int constant) { return constant >= 0 && constant <= 255; }

}  // namespace

bool CodeGen::is_multi(const Expr* e) {
  return e->kind == ExprKind::kCall || e->kind == ExprKind::kMethod ||
         e->kind == ExprKind::kVararg;
}

int CodeGen::any_reg(const Expr* e, int hint) {
  e = without_parens(e);
  come_to(e);
  if (e->kind == ExprKind::kName) {
    VarRef v = resolve(fs_, e->text);
    if (v.kind == VarKind::kLocal) return v.index;
  }
  int reg = hint >= 0 && is_temp(hint) ? hint : alloc();
  to_reg(e, reg);
  return reg;
}

int CodeGen::next_reg(const Expr* e) {
  come_to(e);
  int reg = alloc();
  to_reg(e, reg);
  return reg;
}

void CodeGen::to_reg(const Expr* e, int dst) {
  check_native_stack();
  come_to(e);
  switch (e->kind) {
    case ExprKind::kNil:
      emit_abc(Op::kLoadNil, dst, 0, 0, e->line);
      return;
    case ExprKind::kTrue:
      emit_abc(Op::kLoadTrue, dst, 0, 0, e->line);
      return;
    case ExprKind::kFalse:
      emit_abc(Op::kLoadFalse, dst, 0, 0, e->line);
      return;
    case ExprKind::kVararg:
      emit_abc(Op::kVararg, dst, 0, 2, e->line);
      return;
    case ExprKind::kFunction:
      return closure_to_reg(*e->function, dst, e->function->end_line);
    case ExprKind::kName:
      return name_to_reg(e, dst);
    case ExprKind::kIndex:
      return index_to_reg(e, dst);
    case ExprKind::kCall:
    case ExprKind::kMethod:
      return call_to_reg(e, dst);
    case ExprKind::kBinary:
      return binary_to_reg(e, dst);
    case ExprKind::kUnary:
      return unary_to_reg(e, dst);
    case ExprKind::kTable:
      return table_to_reg(e, dst);
    case ExprKind::kParen:
      return to_reg(e->a, dst);
    default:
      break;
  }
  if (e->kind == ExprKind::kInteger && e->integer == int16_t(e->integer)) {
    emit_abx(Op::kLoadI, dst, static_cast<int>(e->integer), e->line);
    return;
  }
  emit_constant(dst, constant_of(e), e->line);
}

void CodeGen::name_to_reg(const Expr* e, int dst) {
  VarRef v = resolve(fs_, e->text);
  if (v.kind == VarKind::kLocal) {
    if (v.index != dst) emit_abc(Op::kMove, dst, v.index, 0, e->line);
    return;
  }
  if (v.kind == VarKind::kUpvalue) {
    emit_abc(Op::kGetUpval, dst, v.index, 0, e->line);
    return;
  }
  VarRef env = resolve(fs_, "_ENV");
  int k = string_constant(e->text);
  if (fits_byte(k)) {
    Op op = env.kind == VarKind::kUpvalue ? Op::kGetTabUp : Op::kGetField;
    emit_abc(op, dst, env.index, k, e->line);
    return;
  }
  int mark = fs_->free_reg;
  int table = env.index;
  if (env.kind == VarKind::kUpvalue) {
    table = alloc();
    emit_abc(Op::kGetUpval, table, env.index, 0, e->line);
  }
  int key = alloc();
  emit_constant(key, k, e->line);
  emit_abc(Op::kGetTable, dst, table, key, e->line);
  fs_->free_reg = mark;
}

void CodeGen::index_to_reg(const Expr* e, int dst) {
  int mark = fs_->free_reg;
  int k = e->b->kind == ExprKind::kString ? string_constant(e->b->text) : -1;
  const Expr* object = without_parens(e->a);
  if (fits_byte(k) && object->kind == ExprKind::kName) {
    VarRef v = resolve(fs_, object->text);
    if (v.kind == VarKind::kUpvalue) {
      emit_abc(Op::kGetTabUp, dst, v.index, k, e->line);
      return;
    }
  }
  int table = any_reg(e->a, dst);
  if (fits_byte(k)) {
    emit_abc(Op::kGetField, dst, table, k, e->line);
  } else if (e->b->kind == ExprKind::kInteger && e->b->integer >= 0 &&
             e->b->integer <= 255) {
    emit_abc(Op::kGetI, dst, table, static_cast<int>(e->b->integer), e->line);
  } else {
    int key = any_reg(e->b);
    emit_abc(Op::kGetTable, dst, table, key, e->line);
  }
  fs_->free_reg = mark;
}

void CodeGen::closure_to_reg(const FunctionBody& body, int dst, int line) {
  std::unique_ptr<FunctionCode> child = function(body, fs_);
  auto index = static_cast<int>(fs_->out->children.size());
  if (index > static_cast<int>(kMaxBx)) {
    error("too many functions", body.line);
  }
  fs_->out->children.push_back(std::move(child));
  emit_abx(Op::kMakeClosure, dst, index, line);
}

// Calls ----------------------------------------------------------------------

void CodeGen::multi(const Expr* e) {
  if (e->kind == ExprKind::kVararg) {
    int base = alloc();
    emit_abc(Op::kVararg, base, 0, 0, e->line);
    fs_->free_reg = base;
    return;
  }
  call(e, -1);
}

int CodeGen::arguments(const std::vector<Expr*>& list) {
  for (size_t i = 0; i < list.size(); ++i) {
    if (i + 1 == list.size() && is_multi(list[i])) {
      multi(list[i]);
      return -1;
    }
    next_reg(list[i]);
  }
  return static_cast<int>(list.size());
}

int CodeGen::call(const Expr* e, int want, bool tail) {
  int base = alloc();
  bool method = e->kind == ExprKind::kMethod;
  if (method) {
    int object = any_reg(e->a, base);
    int self = alloc();
    int k = string_constant(e->text);
    if (fits_byte(k)) {
      emit_abc(Op::kSelf, base, object, k, e->line);
    } else {
      emit_constant(self, k, e->line);
      emit_abc(Op::kSelfR, base, object, self, e->line);
    }
  } else {
    to_reg(e->a, base);
  }
  int n = arguments(e->list);
  int b = n < 0 ? 0 : n + 1 + (method ? 1 : 0);
  if (tail) {
    emit_abc(Op::kTailCall, base, b, 0, e->line);
  } else {
    emit_abc(Op::kCall, base, b, want + 1, e->line);
  }
  fs_->free_reg = base;
  if (want > 0) alloc(want);
  return base;
}

void CodeGen::call_to_reg(const Expr* e, int dst) {
  if (is_temp(dst) && dst == fs_->free_reg - 1) {
    fs_->free_reg = dst;
    call(e, 1);
    return;
  }
  int mark = fs_->free_reg;
  int base = call(e, 1);
  emit_abc(Op::kMove, dst, base, 0, e->line);
  fs_->free_reg = mark;
}

// Table constructors ---------------------------------------------------------

void CodeGen::table_item(const TableItem& item, int table) {
  int mark = fs_->free_reg;
  int line = item.key->line;
  int k = item.key->kind == ExprKind::kString ? string_constant(item.key->text)
                                              : -1;
  Op op = Op::kSetTable;
  int key;
  if (fits_byte(k)) {
    op = Op::kSetField;
    key = k;
  } else if (item.key->kind == ExprKind::kInteger && item.key->integer >= 0 &&
             item.key->integer <= 255) {
    op = Op::kSetI;
    key = static_cast<int>(item.key->integer);
  } else {
    key = any_reg(item.key);
  }
  int constant = constant_of(item.value);
  if (fits_byte(constant)) {
    op = static_cast<Op>(static_cast<int>(op) + 1);  // the K form
    emit_abc(op, table, key, constant, line);
  } else {
    emit_abc(op, table, key, any_reg(item.value), line);
  }
  fs_->free_reg = mark;
}

void CodeGen::table_to_reg(const Expr* e, int dst) {
  int mark = fs_->free_reg;
  int table = is_temp(dst) && dst == mark - 1 ? dst : alloc();
  size_t keyed = 0;
  for (const TableItem& item : e->items) keyed += item.key != nullptr;
  int log = 0;
  while (keyed > 0 && (size_t{1} << log) < keyed) ++log;
  emit_abc(Op::kNewTable, table, keyed > 0 ? log + 1 : 0, 0, e->line);
  emit(static_cast<uint32_t>(e->items.size() - keyed), e->line);
  int pending = 0, stored = 0;
  auto flush = [&](int count) {
    emit_abc(Op::kSetList, table, count, 0, e->line);
    emit(static_cast<uint32_t>(stored), e->line);
    stored += pending;
    pending = 0;
    fs_->free_reg = table + 1;
  };
  for (size_t i = 0; i < e->items.size(); ++i) {
    const TableItem& item = e->items[i];
    if (item.key != nullptr) {
      table_item(item, table);
      continue;
    }
    if (i + 1 == e->items.size() && is_multi(item.value)) {
      multi(item.value);
      flush(0);
      break;
    }
    next_reg(item.value);
    if (++pending == kFlushItems) flush(pending);
  }
  if (pending > 0) flush(pending);
  if (table != dst) emit_abc(Op::kMove, dst, table, 0, e->line);
  fs_->free_reg = mark;
}

}  // namespace tlua
