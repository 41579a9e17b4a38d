// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// The code generator's base: instructions, registers, constants, jumps, scopes
// and names. See codegen.h.
#include "codegen.h"

#include <cstring>

#include "lexer.h"

namespace tlua {

namespace {

constexpr int kMaxRegisters = 254;
constexpr size_t kMaxUpvalues = 255;

}  // namespace

void CodeGen::error(const std::string& text, int line) const {
  throw SyntaxError{chunk_display_name(chunk_name_) + ":" +
                    std::to_string(line) + ": " + text};
}

void CodeGen::error_near(const std::string& text) const {
  std::string token =
      near_.raw.empty() ? "<eof>" : "'" + std::string(near_.raw) + "'";
  error(text + " near " + token, near_.line);
}

std::unique_ptr<FunctionCode> CodeGen::generate(const Ast& ast) {
  return function(*ast.main, nullptr);
}

int CodeGen::emit(uint32_t instr, int line) {
  fs_->out->code.push_back(instr);
  fs_->out->lines.push_back(static_cast<uint32_t>(line));
  return pc() - 1;
}

uint32_t CodeGen::operand(int v, int low, int high, int line) const {
  // The callers keep to the fields' ranges. Should one not, a chunk that does
  // not compile is better than one that does something else.
  if (v < low || v > high) error("operand too large for an instruction", line);
  return static_cast<uint32_t>(v);
}

int CodeGen::emit_abc(Op op, int a, int b, int c, int line) {
  constexpr int kMin = INT8_MIN, kMax = kMaxByte;  // of signed and unsigned
  return emit(make_abc(op, operand(a, 0, kMax, line),
                       operand(b, kMin, kMax, line) & 0xff,
                       operand(c, kMin, kMax, line) & 0xff),
              line);
}

int CodeGen::emit_abx(Op op, int a, int bx, int line) {
  constexpr int kMin = INT16_MIN, kMax = kMaxBx;
  return emit(make_abx(op, operand(a, 0, kMaxByte, line),
                       operand(bx, kMin, kMax, line) & 0xffff),
              line);
}

void CodeGen::emit_constant(int reg, int k, int line) {
  if (k <= static_cast<int>(kMaxBx)) {
    emit_abx(Op::kLoadK, reg, k, line);
    return;
  }
  emit_abx(Op::kLoadKX, reg, 0, line);
  emit(static_cast<uint32_t>(k), line);
}

int CodeGen::alloc(int n) {
  int first = fs_->free_reg;
  fs_->free_reg += n;
  if (fs_->free_reg > kMaxRegisters) {
    error_near("function or expression needs too many registers");
  }
  if (fs_->free_reg > fs_->out->max_stack) {
    fs_->out->max_stack = fs_->free_reg;
  }
  return first;
}

int CodeGen::first_temp() const {
  return fs_->active.empty() ? 0 : fs_->active.back().reg + 1;
}

// Constants ------------------------------------------------------------------

int CodeGen::add_constant(const Constant& c) {
  std::string key;
  if (c.kind == Constant::Kind::kString) {
    key = c.text;
  } else if (c.kind == Constant::Kind::kInteger) {
    key.assign(reinterpret_cast<const char*>(&c.integer), 8);
  } else if (c.kind == Constant::Kind::kFloat) {
    key.assign(reinterpret_cast<const char*>(&c.number), 8);
  }
  auto [it, added] = fs_->constant_index.try_emplace(
      {static_cast<int>(c.kind), key},
      static_cast<int>(fs_->out->constants.size()));
  if (added) fs_->out->constants.push_back(c);
  return it->second;
}

int CodeGen::string_constant(std::string_view s) {
  return add_constant({Constant::Kind::kString, 0, 0, s});
}

int CodeGen::constant_of(const Expr* e) {
  using Kind = Constant::Kind;
  switch (e->kind) {
    case ExprKind::kNil:
      return add_constant({Kind::kNil, 0, 0, {}});
    case ExprKind::kFalse:
      return add_constant({Kind::kFalse, 0, 0, {}});
    case ExprKind::kTrue:
      return add_constant({Kind::kTrue, 0, 0, {}});
    case ExprKind::kInteger:
      return add_constant({Kind::kInteger, e->integer, 0, {}});
    case ExprKind::kFloat:
      return add_constant({Kind::kFloat, 0, e->number, {}});
    case ExprKind::kString:
      return string_constant(e->text);
    default:
      return -1;
  }
}

// Jumps ----------------------------------------------------------------------

int CodeGen::jump(int line) { return emit(make_j(Op::kJmp, 0), line); }

uint32_t CodeGen::jump_instr(Op op, int distance) const {
  if (distance > kMaxJump || distance < -kMaxJump) {
    error_near("control structure too long");
  }
  return make_j(op, distance);
}

void CodeGen::patch(const JumpList& list, int target) {
  for (int at : list) {
    uint32_t instr = jump_instr(Op::kJmp, target - (at + 1));
    fs_->out->code[static_cast<size_t>(at)] = instr;
  }
}

void CodeGen::jump_back(int target, int line) {
  emit(jump_instr(Op::kJmpBack, target - (pc() + 1)), line);
}

void CodeGen::patch_loop(int at, int distance, int line) {
  if (distance > static_cast<int>(kMaxBx)) {
    error("control structure too long near 'end'", line);
  }
  uint32_t& instr = fs_->out->code[static_cast<size_t>(at)];
  instr = make_abx(op_of(instr), a_of(instr), static_cast<uint32_t>(distance));
}

// Scopes and names -----------------------------------------------------------

void CodeGen::enter_scope(bool is_loop) {
  fs_->scopes.push_back({fs_->active.size(), is_loop, false, {}});
}

void CodeGen::leave_scope(int line) {
  Scope scope = std::move(fs_->scopes.back());
  fs_->scopes.pop_back();
  if (fs_->active.size() > scope.first_active) {
    int first = fs_->active[scope.first_active].reg;
    if (scope.captured) emit_abc(Op::kClose, first, 0, 0, line);
    for (size_t i = scope.first_active; i < fs_->active.size(); ++i) {
      fs_->out->locals[static_cast<size_t>(fs_->active[i].local)].end_pc = pc();
    }
    fs_->active.resize(scope.first_active);
    fs_->free_reg = first;
  }
  patch_here(scope.breaks);
}

void CodeGen::declare(std::string_view name, int reg, bool is_const) {
  fs_->active.push_back(
      {name, reg, is_const, static_cast<int>(fs_->out->locals.size())});
  fs_->out->locals.push_back({name, pc(), pc(), reg});
}

int CodeGen::add_upvalue(FunctionState* fs, std::string_view name,
                         bool in_stack, int index) {
  auto& list = fs->out->upvalues;
  if (list.size() >= kMaxUpvalues) {
    error_near("too many upvalues (limit is 255) in function at line " +
               std::to_string(fs->out->line));
  }
  list.push_back({name, in_stack, index});
  return static_cast<int>(list.size()) - 1;
}

VarRef CodeGen::resolve(FunctionState* fs, std::string_view name) {
  for (size_t i = fs->active.size(); i > 0; --i) {
    const ActiveVar& v = fs->active[i - 1];
    if (v.name == name) return {VarKind::kLocal, v.reg, v.is_const};
  }
  for (size_t i = 0; i < fs->out->upvalues.size(); ++i) {
    if (fs->out->upvalues[i].name != name) continue;
    bool is_const = false;
    if (fs->parent != nullptr) {
      is_const = resolve(fs->parent, name).is_const;
    }
    return {VarKind::kUpvalue, static_cast<int>(i), is_const};
  }
  if (fs->parent == nullptr) return {VarKind::kGlobal, 0, false};
  VarRef outer = resolve(fs->parent, name);
  if (outer.kind == VarKind::kGlobal) return outer;
  bool in_stack = outer.kind == VarKind::kLocal;
  if (in_stack) {
    FunctionState* p = fs->parent;
    p->needs_close = true;
    size_t var = 0;
    while (p->active[var].reg != outer.index) ++var;
    for (size_t i = p->scopes.size(); i > 0; --i) {
      if (p->scopes[i - 1].first_active > var) continue;
      p->scopes[i - 1].captured = true;
      break;
    }
  }
  int index = add_upvalue(fs, name, in_stack, outer.index);
  return {VarKind::kUpvalue, index, outer.is_const};
}

}  // namespace tlua
