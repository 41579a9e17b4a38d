// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// The syntax tree: what parser.cc makes of a chunk and the code generator
// walks. Nodes live in an Ast and die with it; nothing here is managed.
#ifndef TLUA_AST_H_
#define TLUA_AST_H_

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace tlua {

enum class BinaryOp : uint8_t {
  // In the order of the arithmetic instructions and metamethods.
  kAdd,
  kSub,
  kMul,
  kMod,
  kPow,
  kDiv,
  kIdiv,
  kBand,
  kBor,
  kBxor,
  kShl,
  kShr,
  kConcat,
  kEq,
  kNe,
  kLt,
  kLe,
  kGt,
  kGe,
  kAnd,
  kOr,
};
enum class UnaryOp : uint8_t { kNegate, kBnot, kNot, kLength };

enum class ExprKind : uint8_t {
  kNil,
  kTrue,
  kFalse,
  kVararg,
  kInteger,
  kFloat,
  kString,
  kFunction,
  kName,
  kIndex,   // a[b]
  kCall,    // a(list)
  kMethod,  // a:text(list)
  kBinary,
  kUnary,
  kTable,
  kParen,
};

struct FunctionBody;
struct Expr;

/// A token of the source, for "near 'raw'" in messages; empty: the end.
struct TokenRef {
  std::string_view raw;
  int line = 0;
};

struct TableItem {
  Expr* key;  // null: positional
  Expr* value;
};

struct Expr {
  ExprKind kind = ExprKind::kNil;
  BinaryOp binary = BinaryOp::kAdd;
  UnaryOp unary = UnaryOp::kNot;
  int line = 0;
  int64_t integer = 0;
  double number = 0;
  std::string_view text;
  TokenRef near;  // where the parser was when it had understood this
  Expr* a = nullptr;
  Expr* b = nullptr;
  std::vector<Expr*> list;
  std::vector<TableItem> items;
  FunctionBody* function = nullptr;
};

enum class StatKind : uint8_t {
  kLocal,
  kAssign,
  kCall,
  kDo,
  kWhile,
  kRepeat,
  kIf,
  kNumericFor,
  kGenericFor,
  kFunction,
  kLocalFunction,
  kReturn,
  kBreak,
};

struct Stat;
struct Block {
  std::vector<Stat*> stats;
  int end_line = 0;
};

struct Stat {
  StatKind kind = StatKind::kDo;
  int line = 0;
  std::vector<std::string_view> names;
  std::vector<bool> constants;  // of names: declared <const>
  std::vector<Expr*> targets;   // of an assignment; conditions of an if
  std::vector<Expr*> values;
  std::vector<Block> blocks;  // of an if: one more for the else part
  FunctionBody* function = nullptr;
};

struct FunctionBody {
  std::vector<std::string_view> params;
  bool is_vararg = false;
  bool is_method = false;
  Block block;
  int line = 0;
  int end_line = 0;
};

struct Ast {
  std::deque<Expr> exprs;
  std::deque<Stat> stats;
  std::deque<FunctionBody> functions;
  FunctionBody* main = nullptr;
};

}  // namespace tlua

#endif  // TLUA_AST_H_
