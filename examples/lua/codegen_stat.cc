// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// The code generator for functions and statements. See codegen.h.
#include "codegen.h"

namespace tlua {

// Functions ------------------------------------------------------------------

std::unique_ptr<FunctionCode> CodeGen::function(const FunctionBody& body,
                                                FunctionState* parent) {
  auto out = std::make_unique<FunctionCode>();
  FunctionState fs;
  fs.parent = parent;
  fs.out = out.get();
  FunctionState* outer = fs_;
  fs_ = &fs;
  out->line = body.line;
  out->is_vararg = body.is_vararg;
  out->params = static_cast<int>(body.params.size());
  if (parent == nullptr) add_upvalue(&fs, "_ENV", true, 0);
  enter_scope(false);
  if (body.is_vararg) emit_abc(Op::kVarargPrep, out->params, 0, 0, body.line);
  for (std::string_view name : body.params) declare(name, alloc(), false);
  for (const Stat* s : body.block.stats) statement(*s);
  emit_abc(Op::kReturn0, 0, 0, 0, body.end_line);
  finish_function(fs);
  fs_ = outer;
  return out;
}

void CodeGen::finish_function(FunctionState& fs) {
  for (const ActiveVar& v : fs.active) {
    fs.out->locals[static_cast<size_t>(v.local)].end_pc = pc();
  }
  if (!fs.needs_close) return;
  auto& code = fs.out->code;
  for (size_t i = 0; i < code.size(); ++i) {
    uint32_t a = a_of(code[i]), b = b_of(code[i]);
    switch (op_of(code[i])) {
      case Op::kReturn:
      case Op::kTailCall:
        code[i] = make_abc(op_of(code[i]), a, b, 1);
        break;
      case Op::kReturn0:
        code[i] = make_abc(Op::kReturn, 0, 1, 1);
        break;
      case Op::kReturn1:
        code[i] = make_abc(Op::kReturn, a, 2, 1);
        break;
      default:
        if (has_word(op_of(code[i]))) ++i;
    }
  }
}

void CodeGen::block(const Block& b) {
  enter_scope(false);
  for (const Stat* s : b.stats) statement(*s);
  leave_scope(b.end_line);
}

void CodeGen::statement(const Stat& s) {
  switch (s.kind) {
    case StatKind::kLocal:
      local_stat(s);
      break;
    case StatKind::kAssign:
      assign_stat(s);
      break;
    case StatKind::kCall:
      call(s.values[0], 0);
      break;
    case StatKind::kDo:
      block(s.blocks[0]);
      break;
    case StatKind::kWhile:
      while_stat(s);
      break;
    case StatKind::kRepeat:
      repeat_stat(s);
      break;
    case StatKind::kIf:
      if_stat(s);
      break;
    case StatKind::kNumericFor:
      numeric_for(s);
      break;
    case StatKind::kGenericFor:
      generic_for(s);
      break;
    case StatKind::kFunction: {
      Target t = prepare_target(s.targets[0], false);
      int reg = alloc();
      closure_to_reg(*s.function, reg, s.function->end_line);
      store_reg(t, reg, s.line);
      break;
    }
    case StatKind::kLocalFunction: {
      int reg = alloc();
      declare(s.names[0], reg, false);
      closure_to_reg(*s.function, reg, s.function->end_line);
      break;
    }
    case StatKind::kReturn:
      return_stat(s);
      break;
    case StatKind::kBreak:
      break_stat(s);
      break;
  }
  fs_->free_reg = first_temp();
}

// Assignments ----------------------------------------------------------------

void CodeGen::adjusted_list(const std::vector<Expr*>& values, int want,
                            int line) {
  int have = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    const Expr* e = values[i];
    if (i + 1 == values.size() && is_multi(e) && have + 1 < want) {
      int rest = want - have;
      if (e->kind == ExprKind::kVararg) {
        emit_abc(Op::kVararg, alloc(rest), 0, rest + 1, e->line);
      } else {
        call(e, rest);
      }
      return;
    }
    int mark = fs_->free_reg;
    next_reg(e);
    ++have;
    if (have > want) fs_->free_reg = mark;  // evaluated for its effects
  }
  if (have >= want) return;
  int first = alloc(want - have);
  emit_abc(Op::kLoadNil, first, want - have - 1, 0, line);
}

void CodeGen::local_stat(const Stat& s) {
  int first = fs_->free_reg;
  adjusted_list(s.values, static_cast<int>(s.names.size()), s.line);
  for (size_t i = 0; i < s.names.size(); ++i) {
    declare(s.names[i], first + static_cast<int>(i), s.constants[i]);
  }
}

CodeGen::Target CodeGen::prepare_target(const Expr* e, bool copy_locals) {
  Target t;
  t.expr = e;
  if (e->kind == ExprKind::kName) {
    t.var = resolve(fs_, e->text);
    if (t.var.is_const) {
      error(
          "attempt to assign to const variable '" + std::string(e->text) + "'",
          e->near.line);
    }
    return t;
  }
  auto operand = [&](const Expr* x) {
    if (!copy_locals) return any_reg(x);
    return next_reg(x);
  };
  t.table = operand(e->a);
  const Expr* key = e->b;
  int k = key->kind == ExprKind::kString ? string_constant(key->text) : -1;
  if (k >= 0 && k <= 255) {
    t.op = Op::kSetField;
    t.key = k;
  } else if (key->kind == ExprKind::kInteger && key->integer >= 0 &&
             key->integer <= 255) {
    t.op = Op::kSetI;
    t.key = static_cast<int>(key->integer);
  } else {
    t.key = operand(key);
  }
  return t;
}

void CodeGen::store_reg(const Target& t, int reg, int line) {
  if (t.expr->kind == ExprKind::kIndex) {
    emit_abc(t.op, t.table, t.key, reg, line);
    return;
  }
  if (t.var.kind == VarKind::kLocal) {
    if (t.var.index != reg) emit_abc(Op::kMove, t.var.index, reg, 0, line);
    return;
  }
  if (t.var.kind == VarKind::kUpvalue) {
    emit_abc(Op::kSetUpval, reg, t.var.index, 0, line);
    return;
  }
  VarRef env = resolve(fs_, "_ENV");
  int k = string_constant(t.expr->text);
  if (k <= 255) {
    Op op = env.kind == VarKind::kUpvalue ? Op::kSetTabUp : Op::kSetField;
    emit_abc(op, env.index, k, reg, line);
    return;
  }
  int mark = fs_->free_reg;
  int table = env.index;
  if (env.kind == VarKind::kUpvalue) {
    table = alloc();
    emit_abc(Op::kGetUpval, table, env.index, 0, line);
  }
  int key = alloc();
  emit_constant(key, k, line);
  emit_abc(Op::kSetTable, table, key, reg, line);
  fs_->free_reg = mark;
}

void CodeGen::store_expr(const Target& t, const Expr* value, int line) {
  bool index = t.expr->kind == ExprKind::kIndex;
  if (!index && t.var.kind == VarKind::kLocal) {
    to_reg(value, t.var.index);
    return;
  }
  int k = constant_of(value);
  if (k >= 0 && k <= 255) {
    if (index) {
      emit_abc(static_cast<Op>(static_cast<int>(t.op) + 1), t.table, t.key, k,
               line);
      return;
    }
    int name = string_constant(t.expr->text);
    VarRef env = resolve(fs_, "_ENV");
    if (t.var.kind == VarKind::kGlobal && name <= 255) {
      Op op = env.kind == VarKind::kUpvalue ? Op::kSetTabUpK : Op::kSetFieldK;
      emit_abc(op, env.index, name, k, line);
      return;
    }
  }
  store_reg(t, any_reg(value), line);
}

void CodeGen::assign_stat(const Stat& s) {
  if (s.targets.size() > 1 || s.values.size() > 1) return multiple_assign(s);
  Target t = prepare_target(s.targets[0], false);
  store_expr(t, s.values[0], s.line);
}

void CodeGen::multiple_assign(const Stat& s) {
  bool has_local = false;
  for (const Expr* e : s.targets) {
    if (e->kind == ExprKind::kName) {
      has_local |= resolve(fs_, e->text).kind == VarKind::kLocal;
    }
  }
  std::vector<Target> targets;
  for (const Expr* e : s.targets) {
    targets.push_back(prepare_target(e, has_local));
  }
  int first = fs_->free_reg;
  adjusted_list(s.values, static_cast<int>(targets.size()), s.line);
  for (size_t i = targets.size(); i > 0; --i) {
    store_reg(targets[i - 1], first + static_cast<int>(i - 1), s.line);
  }
}

// Control structures ---------------------------------------------------------

void CodeGen::if_stat(const Stat& s) {
  JumpList end;
  for (size_t i = 0; i < s.targets.size(); ++i) {
    JumpList otherwise;
    cond_jump(s.targets[i], false, &otherwise);
    block(s.blocks[i]);
    bool last = i + 1 == s.blocks.size();
    if (!last) end.push_back(jump(s.blocks[i].end_line));
    patch_here(otherwise);
  }
  if (s.blocks.size() > s.targets.size()) block(s.blocks.back());
  patch_here(end);
}

void CodeGen::while_stat(const Stat& s) {
  int start = pc();
  JumpList exit;
  cond_jump(s.targets[0], false, &exit);
  enter_scope(true);
  block(s.blocks[0]);
  jump_back(start, s.blocks[0].end_line);
  patch_here(exit);
  leave_scope(s.blocks[0].end_line);
}

void CodeGen::repeat_stat(const Stat& s) {
  int start = pc();
  int line = s.blocks[0].end_line;
  enter_scope(true);
  enter_scope(false);
  for (const Stat* inner : s.blocks[0].stats) statement(*inner);
  JumpList exit;
  cond_jump(s.targets[0], true, &exit);
  fs_->free_reg = first_temp();
  if (fs_->scopes.back().captured) {
    int first = fs_->active[fs_->scopes.back().first_active].reg;
    emit_abc(Op::kClose, first, 0, 0, line);
  }
  jump_back(start, line);
  patch_here(exit);
  leave_scope(line);
  leave_scope(line);
}

void CodeGen::break_stat(const Stat& s) {
  size_t i = fs_->scopes.size();
  int close = -1;
  while (!fs_->scopes[i - 1].is_loop) {
    const Scope& scope = fs_->scopes[--i];
    if (scope.captured) close = fs_->active[scope.first_active].reg;
  }
  if (close >= 0) emit_abc(Op::kClose, close, 0, 0, s.line);
  fs_->scopes[i - 1].breaks.push_back(jump(s.line));
}

void CodeGen::numeric_for(const Stat& s) {
  enter_scope(true);
  int base = fs_->free_reg;
  next_reg(s.values[0]);
  next_reg(s.values[1]);
  int step = alloc();
  if (s.values.size() > 2) {
    to_reg(s.values[2], step);
  } else {
    emit_abx(Op::kLoadI, step, 1, s.line);
  }
  for (int i = 0; i < 3; ++i) declare("(for state)", base + i, true);
  int prep = emit_abx(Op::kForPrep, base, 0, s.line);
  enter_scope(false);
  declare(s.names[0], alloc(), false);
  for (const Stat* inner : s.blocks[0].stats) statement(*inner);
  leave_scope(s.blocks[0].end_line);
  int loop = emit_abx(Op::kForLoop, base, 0, s.line);
  int end_line = s.blocks[0].end_line;
  patch_loop(prep, pc() - (prep + 1), end_line);
  patch_loop(loop, pc() - (prep + 1), end_line);
  leave_scope(s.blocks[0].end_line);
}

void CodeGen::generic_for(const Stat& s) {
  enter_scope(true);
  int base = fs_->free_reg;
  adjusted_list(s.values, 3, s.line);
  for (int i = 0; i < 3; ++i) declare("(for state)", base + i, true);
  int names = static_cast<int>(s.names.size());
  int prep = emit_abx(Op::kTForPrep, base, 0, s.line);
  enter_scope(false);
  int first = alloc(names < 3 ? 3 : names);  // the call needs three
  for (int i = 0; i < names; ++i) {
    declare(s.names[static_cast<size_t>(i)], first + i, false);
  }
  fs_->free_reg = first_temp();
  for (const Stat* inner : s.blocks[0].stats) statement(*inner);
  leave_scope(s.blocks[0].end_line);
  int end_line = s.blocks[0].end_line;
  patch_loop(prep, pc() - (prep + 1), end_line);
  emit_abc(Op::kTForCall, base, 0, names, s.line);
  int loop = emit_abx(Op::kTForLoop, base, 0, s.line);
  patch_loop(loop, pc() - (prep + 1), end_line);
  leave_scope(s.blocks[0].end_line);
}

void CodeGen::return_stat(const Stat& s) {
  const auto& values = s.values;
  if (values.empty()) {
    emit_abc(Op::kReturn0, 0, 0, 0, s.line);
    return;
  }
  if (values.size() == 1) {
    const Expr* e = values[0];
    if (e->kind == ExprKind::kCall || e->kind == ExprKind::kMethod) {
      call(e, -1, true);
    } else if (e->kind == ExprKind::kVararg) {
      int base = fs_->free_reg;
      multi(e);
      emit_abc(Op::kReturn, base, 0, 0, s.line);
    } else {
      emit_abc(Op::kReturn1, any_reg(e), 0, 0, s.line);
    }
    return;
  }
  int base = fs_->free_reg;
  int n = arguments(values);
  emit_abc(Op::kReturn, base, n < 0 ? 0 : n + 1, 0, s.line);
}

}  // namespace tlua
