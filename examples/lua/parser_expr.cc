// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Expressions; see parser.h.
#include <utility>

#include "fold.h"
#include "parser.h"

namespace tlua {

namespace {

struct Priority {
  BinaryOp op;
  int left;
  int right;  // lower than left: right associative
};
constexpr int kUnaryPriority = 12;

bool character_priority(int c, Priority* out) {
  switch (c) {
    case '<':
      *out = {BinaryOp::kLt, 3, 3};
      return true;
    case '>':
      *out = {BinaryOp::kGt, 3, 3};
      return true;
    case '|':
      *out = {BinaryOp::kBor, 4, 4};
      return true;
    case '~':
      *out = {BinaryOp::kBxor, 5, 5};
      return true;
    case '&':
      *out = {BinaryOp::kBand, 6, 6};
      return true;
    case '+':
      *out = {BinaryOp::kAdd, 10, 10};
      return true;
    case '-':
      *out = {BinaryOp::kSub, 10, 10};
      return true;
    case '*':
      *out = {BinaryOp::kMul, 11, 11};
      return true;
    case '/':
      *out = {BinaryOp::kDiv, 11, 11};
      return true;
    case '%':
      *out = {BinaryOp::kMod, 11, 11};
      return true;
    case '^':
      *out = {BinaryOp::kPow, 14, 13};
      return true;
    default:
      return false;
  }
}

bool binary_priority(const Lexer& lex, Priority* out) {
  switch (lex.token()) {
    case Token::kOr:
      *out = {BinaryOp::kOr, 1, 1};
      return true;
    case Token::kAnd:
      *out = {BinaryOp::kAnd, 2, 2};
      return true;
    case Token::kLe:
      *out = {BinaryOp::kLe, 3, 3};
      return true;
    case Token::kGe:
      *out = {BinaryOp::kGe, 3, 3};
      return true;
    case Token::kNe:
      *out = {BinaryOp::kNe, 3, 3};
      return true;
    case Token::kEq:
      *out = {BinaryOp::kEq, 3, 3};
      return true;
    case Token::kShl:
      *out = {BinaryOp::kShl, 7, 7};
      return true;
    case Token::kShr:
      *out = {BinaryOp::kShr, 7, 7};
      return true;
    case Token::kConcat:
      *out = {BinaryOp::kConcat, 9, 8};
      return true;
    case Token::kIdiv:
      *out = {BinaryOp::kIdiv, 11, 11};
      return true;
    case Token::kChar:
      return character_priority(lex.character(), out);
    default:
      return false;
  }
}

}  // namespace

Expr* Parser::new_expr(ExprKind kind, int line) {
  Expr& e = ast_.exprs.emplace_back();
  e.kind = kind;
  e.line = line;
  return &e;
}

Expr* Parser::new_tree(ExprKind kind, int line, Expr* a, Expr* b) {
  Expr* e = new_expr(kind, line);
  e->a = a;
  e->b = b;
  return e;
}

Expr* Parser::new_string(std::string_view text, int line) {
  Expr* e = new_expr(ExprKind::kString, line);
  e->text = text;
  return e;
}

Expr* Parser::new_name(std::string_view text, int line) {
  Expr* e = new_expr(ExprKind::kName, line);
  e->text = text;
  return e;
}

std::vector<Expr*> Parser::parse_expr_list() {
  std::vector<Expr*> list;
  for (;;) {
    Expr* e = parse_expr();
    list.push_back(e);
    bool more = accept(',');
    set_near(e);
    if (!more) return list;
  }
}

Expr* Parser::parse_unary(UnaryOp op, int line) {
  lex_.next();
  Expr* operand = parse_expr(kUnaryPriority);
  Expr* e = new_tree(ExprKind::kUnary, line, operand, nullptr);
  e->unary = op;
  fold_unary(e);
  return e;
}

Expr* Parser::parse_expr(int limit) {
  Level level(*this);
  int line = lex_.line();
  Expr* e;
  if (lex_.is(Token::kNot)) {
    e = parse_unary(UnaryOp::kNot, line);
  } else if (lex_.is('-')) {
    e = parse_unary(UnaryOp::kNegate, line);
  } else if (lex_.is('~')) {
    e = parse_unary(UnaryOp::kBnot, line);
  } else if (lex_.is('#')) {
    e = parse_unary(UnaryOp::kLength, line);
  } else {
    e = parse_simple();
  }
  Priority p;
  while (binary_priority(lex_, &p) && p.left > limit) {
    int op_line = lex_.line();
    lex_.next();
    set_near(e);
    Expr* right = parse_expr(p.right);
    set_near(right);
    e = new_tree(ExprKind::kBinary, op_line, e, right);
    e->binary = p.op;
    bool comparison = p.op >= BinaryOp::kEq && p.op <= BinaryOp::kGe;
    if (comparison) e->line = lex_.last_line();
    fold_binary(e);
  }
  set_near(e);
  return e;
}

Expr* Parser::parse_simple() {
  int line = lex_.line();
  ExprKind kind;
  switch (lex_.token()) {
    case Token::kInteger:
      kind = ExprKind::kInteger;
      break;
    case Token::kFloat:
      kind = ExprKind::kFloat;
      break;
    case Token::kString:
      kind = ExprKind::kString;
      break;
    case Token::kNil:
      kind = ExprKind::kNil;
      break;
    case Token::kTrue:
      kind = ExprKind::kTrue;
      break;
    case Token::kFalse:
      kind = ExprKind::kFalse;
      break;
    case Token::kDots:
      if (!in_vararg_) {
        lex_.error_near("cannot use '...' outside a vararg function");
      }
      kind = ExprKind::kVararg;
      break;
    case Token::kFunction: {
      lex_.next();
      Expr* e = new_expr(ExprKind::kFunction, line);
      e->function = parse_body(false, line);
      return e;
    }
    default:
      return lex_.is('{') ? parse_table() : parse_suffixed();
  }
  Expr* e = new_expr(kind, line);
  e->text = lex_.text();
  e->integer = lex_.number().i;
  e->number = lex_.number().d;
  lex_.next();
  return e;
}

Expr* Parser::parse_primary() {
  int line = lex_.line();
  if (lex_.is(Token::kName)) return new_name(expect_name(), line);
  if (!accept('(')) lex_.error_near("unexpected symbol");
  Expr* inner = parse_expr();
  expect_match(')', '(', line);
  return new_tree(ExprKind::kParen, line, inner, nullptr);
}

Expr* Parser::parse_suffixed() {
  int line = lex_.line();
  Expr* e = parse_primary();
  for (;;) {
    if (lex_.is('.')) {
      lex_.next();
      int key_line = lex_.line();
      Expr* key = new_string(expect_name(), key_line);
      e = new_tree(ExprKind::kIndex, key_line, e, key);
    } else if (lex_.is('[')) {
      lex_.next();
      Expr* key = parse_expr();
      int key_line = lex_.line();
      expect(']');
      e = new_tree(ExprKind::kIndex, key_line, e, key);
    } else if (lex_.is(':')) {
      lex_.next();
      std::string_view name = expect_name();
      Expr* call = parse_call(e, line);
      call->kind = ExprKind::kMethod;
      call->text = name;
      e = call;
    } else if (lex_.is('(') || lex_.is('{') || lex_.is(Token::kString)) {
      e = parse_call(e, line);
    } else {
      return e;
    }
  }
}

std::vector<Expr*> Parser::parse_arguments() {
  int line = lex_.line();
  if (lex_.is(Token::kString)) {
    Expr* e = new_string(lex_.text(), line);
    lex_.next();
    return {e};
  }
  if (lex_.is('{')) return {parse_table()};
  if (!accept('(')) lex_.error_near("function arguments expected");
  std::vector<Expr*> list;
  if (!lex_.is(')')) list = parse_expr_list();
  expect_match(')', '(', line);
  return list;
}

Expr* Parser::parse_call(Expr* callee, int line) {
  set_near(callee);
  std::vector<Expr*> arguments = parse_arguments();
  if (!arguments.empty()) set_near(arguments.back());
  Expr* e = new_tree(ExprKind::kCall, line, callee, nullptr);
  e->list = std::move(arguments);
  return e;
}

Expr* Parser::parse_table() {
  int line = lex_.line();
  Expr* e = new_expr(ExprKind::kTable, line);
  set_near(e);
  expect('{');
  while (!lex_.is('}')) {
    TableItem item{nullptr, nullptr};
    if (lex_.is('[')) {
      lex_.next();
      item.key = parse_expr();
      expect(']');
      expect('=');
    } else if (lex_.is(Token::kName) && lex_.peek() == Token::kChar &&
               lex_.peek_character() == '=') {
      item.key = new_string(lex_.text(), lex_.line());
      lex_.next();
      lex_.next();
    }
    item.value = parse_expr();
    e->items.push_back(item);
    bool more = accept(',') || accept(';');
    set_near(item.value);
    if (!more) break;
  }
  expect_match('}', '{', line);
  return e;
}

FunctionBody* Parser::parse_body(bool is_method, int line) {
  FunctionBody& f = ast_.functions.emplace_back();
  f.line = line;
  f.is_method = is_method;
  int outer_locals = std::exchange(locals_, 0);
  int outer_line = std::exchange(function_line_, line);
  expect('(');
  if (is_method) {
    f.params.push_back("self");
    new_local();
  }
  if (!lex_.is(')')) {
    do {
      if (accept(Token::kDots)) {
        f.is_vararg = true;
        break;
      }
      f.params.push_back(expect_name());
      new_local();
    } while (accept(','));
  }
  expect(')');
  bool outer_vararg = std::exchange(in_vararg_, f.is_vararg);
  int outer_loops = std::exchange(loops_, 0);
  f.block = parse_block();
  in_vararg_ = outer_vararg;
  loops_ = outer_loops;
  locals_ = outer_locals;
  function_line_ = outer_line;
  f.end_line = lex_.line();
  expect_match(Token::kEnd, Token::kFunction, line);
  return &f;
}

}  // namespace tlua
