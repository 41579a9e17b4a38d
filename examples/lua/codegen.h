// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// The code generator: a syntax tree to FunctionCode, off the managed heap
// (load.cc makes prototypes of it). One pass per function; locals live in
// registers by their order of declaration, temporaries above them.
//
// Rule for temporaries: a target register below `first_temp()` belongs to a
// live local, so nothing may be put there before all operands are read.
#ifndef TLUA_CODEGEN_H_
#define TLUA_CODEGEN_H_

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ast.h"
#include "opcodes.h"

namespace tlua {

struct Constant {
  enum class Kind : uint8_t { kNil, kFalse, kTrue, kInteger, kFloat, kString };
  Kind kind;
  int64_t integer;
  double number;
  std::string_view text;
};

struct UpvalueDesc {
  std::string_view name;
  bool in_stack;  // of the enclosing function; else its upvalue
  int index;
};

struct LocalDesc {
  std::string_view name;
  int first_pc;
  int end_pc;
  int reg;
};

struct FunctionCode {
  std::vector<uint32_t> code;
  std::vector<uint32_t> lines;
  std::vector<Constant> constants;
  std::vector<std::unique_ptr<FunctionCode>> children;
  std::vector<UpvalueDesc> upvalues;
  std::vector<LocalDesc> locals;
  int params = 0;
  int max_stack = 2;
  bool is_vararg = false;
  int line = 0;
};

using JumpList = std::vector<int>;

struct ActiveVar {
  std::string_view name;
  int reg;
  bool is_const;
  int local;  // index into FunctionCode::locals
};

struct Scope {
  size_t first_active;
  bool is_loop;
  bool captured = false;
  JumpList breaks;
};

/// The function being compiled.
struct FunctionState {
  FunctionState* parent;
  FunctionCode* out;
  std::vector<ActiveVar> active;
  std::vector<Scope> scopes;
  std::map<std::pair<int, std::string>, int> constant_index;
  int free_reg = 0;
  bool needs_close = false;
};

enum class VarKind : uint8_t { kLocal, kUpvalue, kGlobal };
struct VarRef {
  VarKind kind;
  int index;
  bool is_const;
};

class CodeGen {
 public:
  /// `native_limit`: recursion stops with an error below this address.
  CodeGen(std::string_view chunk_name, const char* native_limit)
      : chunk_name_(chunk_name), native_limit_(native_limit) {}
  std::unique_ptr<FunctionCode> generate(const Ast& ast);

 private:
  // Instructions, registers, constants, jumps, scopes (codegen.cc).
  int emit(uint32_t instr, int line);
  int emit_abc(Op op, int a, int b, int c, int line);
  int emit_abx(Op op, int a, int bx, int line);
  void emit_constant(int reg, int k, int line);
  int pc() const { return static_cast<int>(fs_->out->code.size()); }
  int alloc(int n = 1);
  int first_temp() const;
  bool is_temp(int reg) const { return reg >= first_temp(); }
  int add_constant(const Constant& c);
  int string_constant(std::string_view s);
  int constant_of(const Expr* e);  // -1 if e is no literal
  int jump(int line);
  uint32_t jump_instr(Op op, int distance) const;
  void patch(const JumpList& list, int target);
  void patch_here(const JumpList& list) { patch(list, pc()); }
  void patch_loop(int at, int distance, int line);
  void jump_back(int target, int line);
  void enter_scope(bool is_loop);
  void leave_scope(int line);
  void declare(std::string_view name, int reg, bool is_const);
  VarRef resolve(FunctionState* fs, std::string_view name);
  int add_upvalue(FunctionState* fs, std::string_view name, bool in_stack,
                  int index);
  [[noreturn]] void error(const std::string& text, int line) const;
  /// `text near 'token'`, where the expression being compiled ends.
  [[noreturn]] void error_near(const std::string& text) const;
  void come_to(const Expr* e) {
    if (e->near.line != 0) near_ = e->near;
  }
  /// An error if the native stack nears its end: the parser bounds how deep
  /// brackets nest, but not how long a chain of calls or fields is.
  void check_native_stack() const {
    const char* here = static_cast<const char*>(__builtin_frame_address(0));
    if (here < native_limit_) error_near("expression too complex");
  }
  /// `v` as an operand between `low` and `high`; else an error.
  uint32_t operand(int v, int low, int high, int line) const;

  // Functions and statements (codegen_stat.cc).
  std::unique_ptr<FunctionCode> function(const FunctionBody& body,
                                         FunctionState* parent);
  void finish_function(FunctionState& fs);
  void block(const Block& b);
  void statement(const Stat& s);
  void local_stat(const Stat& s);
  void assign_stat(const Stat& s);
  void multiple_assign(const Stat& s);
  void if_stat(const Stat& s);
  void while_stat(const Stat& s);
  void repeat_stat(const Stat& s);
  void numeric_for(const Stat& s);
  void generic_for(const Stat& s);
  void return_stat(const Stat& s);
  void break_stat(const Stat& s);
  /// Evaluates `values` into `want` consecutive new registers.
  void adjusted_list(const std::vector<Expr*>& values, int want, int line);

  struct Target {
    const Expr* expr;
    VarRef var;
    int table = 0;  // an index expression's operands
    Op op = Op::kSetTable;
    int key = 0;
  };
  Target prepare_target(const Expr* e, bool copy_locals);
  void store_reg(const Target& t, int reg, int line);
  void store_expr(const Target& t, const Expr* value, int line);

  // Expressions (codegen_expr.cc).
  void to_reg(const Expr* e, int dst);
  int any_reg(const Expr* e, int hint = -1);
  int next_reg(const Expr* e);
  void name_to_reg(const Expr* e, int dst);
  void index_to_reg(const Expr* e, int dst);
  void table_to_reg(const Expr* e, int dst);
  void table_item(const TableItem& item, int table);
  void closure_to_reg(const FunctionBody& body, int dst, int line);
  void call_to_reg(const Expr* e, int dst);
  /// Emits the call at a new base and returns it; want -1: all results.
  int call(const Expr* e, int want, bool tail = false);
  /// Leaves all results (a call's or ...) from the next free register on.
  void multi(const Expr* e);
  static bool is_multi(const Expr* e);
  int arguments(const std::vector<Expr*>& list);

  // Operators and conditions (codegen_ops.cc).
  void binary_to_reg(const Expr* e, int dst);
  void chain_to_reg(const Expr* e, int dst);
  void arith_to_reg(const Expr* e, int left, int dst);
  void comparison_to_reg(const Expr* e, int left, int dst);
  void concat_to_reg(const Expr* e, int dst);
  void unary_to_reg(const Expr* e, int dst);
  void boolean_to_reg(const Expr* e, int dst);
  void logic_to_reg(const Expr* e, int dst);
  /// Jumps if e's truth is `when`; falls through otherwise.
  void cond_jump(const Expr* e, bool when, JumpList* jumps);
  /// `left`: the register that has e->a already, or -1.
  void compare_jump(const Expr* e, int left, bool when, JumpList* jumps);
  bool compare_immediate(const Expr* e, int left, bool when, JumpList* jumps);
  /// If e's truth is `when`: dst = e and jump; else falls through.
  void value_jump(const Expr* e, int dst, bool when, JumpList* jumps);

  std::string_view chunk_name_;
  const char* native_limit_;
  FunctionState* fs_ = nullptr;
  TokenRef near_;
};

}  // namespace tlua

#endif  // TLUA_CODEGEN_H_
