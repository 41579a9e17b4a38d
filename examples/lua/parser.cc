// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Statements; see parser.h. Expressions are in parser_expr.cc.
#include "parser.h"

namespace tlua {

// Small pieces ---------------------------------------------------------------

Stat* Parser::new_stat(StatKind kind, int line) {
  Stat& s = ast_.stats.emplace_back();
  s.kind = kind;
  s.line = line;
  return &s;
}

bool Parser::accept(Token t) {
  if (!lex_.is(t)) return false;
  lex_.next();
  return true;
}

bool Parser::accept(char c) {
  if (!lex_.is(c)) return false;
  lex_.next();
  return true;
}

void Parser::expect(Token t) {
  if (!accept(t)) lex_.error_near(Lexer::describe(t, 0) + " expected");
}

void Parser::expect(char c) {
  if (!accept(c)) {
    lex_.error_near(Lexer::describe(Token::kChar, c) + " expected");
  }
}

void Parser::expect_match(Token t, Token open, int line) {
  if (accept(t)) return;
  if (line == lex_.line()) expect(t);
  lex_.error_near(Lexer::describe(t, 0) + " expected (to close " +
                  Lexer::describe(open, 0) + " at line " +
                  std::to_string(line) + ")");
}

void Parser::expect_match(char c, char open, int line) {
  if (accept(c)) return;
  if (line == lex_.line()) expect(c);
  lex_.error_near(Lexer::describe(Token::kChar, c) + " expected (to close " +
                  Lexer::describe(Token::kChar, open) + " at line " +
                  std::to_string(line) + ")");
}

std::string_view Parser::expect_name() {
  if (!lex_.is(Token::kName)) lex_.error_near("<name> expected");
  std::string_view name = lex_.text();
  lex_.next();
  return name;
}

void Parser::new_local() {
  constexpr int kMaxLocals = 200;
  if (++locals_ <= kMaxLocals) return;
  std::string where = function_line_ == 0 ? "main function"
                                          : "function at line " +
                                                std::to_string(function_line_);
  lex_.error_near("too many local variables (limit is 200) in " + where);
}

// Blocks ---------------------------------------------------------------------

void Parser::parse_chunk() {
  FunctionBody& main = ast_.functions.emplace_back();
  ast_.main = &main;
  main.is_vararg = true;
  lex_.next();
  main.block = parse_block();
  if (!lex_.is(Token::kEof)) lex_.error_near("'<eof>' expected");
  main.end_line = lex_.line();
}

bool Parser::block_ends() const {
  switch (lex_.token()) {
    case Token::kElse:
    case Token::kElseif:
    case Token::kEnd:
    case Token::kEof:
    case Token::kUntil:
      return true;
    default:
      return false;
  }
}

Block Parser::parse_block() {
  Level level(*this);
  Block block;
  int outer_locals = locals_;
  while (!block_ends()) {
    if (accept(';')) continue;
    bool last = lex_.is(Token::kReturn);
    block.stats.push_back(parse_statement());
    if (last) break;
  }
  block.end_line = lex_.line();
  locals_ = outer_locals;
  return block;
}

Stat* Parser::parse_statement() {
  int line = lex_.line();
  switch (lex_.token()) {
    case Token::kIf:
      return parse_if(line);
    case Token::kWhile:
      return parse_while(line);
    case Token::kDo: {
      lex_.next();
      Stat* s = new_stat(StatKind::kDo, line);
      s->blocks.push_back(parse_block());
      expect_match(Token::kEnd, Token::kDo, line);
      return s;
    }
    case Token::kFor:
      return parse_for(line);
    case Token::kRepeat:
      return parse_repeat(line);
    case Token::kFunction:
      return parse_function_stat(line);
    case Token::kLocal:
      return parse_local(line);
    case Token::kReturn:
      return parse_return(line);
    case Token::kBreak:
      lex_.next();
      if (loops_ == 0) {
        lex_.error_at("break outside loop at line " + std::to_string(line),
                      lex_.line());
      }
      return new_stat(StatKind::kBreak, line);
    case Token::kGoto:
    case Token::kDoubleColon:
      lex_.error_near("goto and labels are not part of this Lua");
    default:
      return parse_expression_stat();
  }
}

// Control structures ---------------------------------------------------------

Stat* Parser::parse_if(int line) {
  Stat* s = new_stat(StatKind::kIf, line);
  do {
    lex_.next();
    s->targets.push_back(parse_expr());
    expect(Token::kThen);
    s->blocks.push_back(parse_block());
  } while (lex_.is(Token::kElseif));
  if (accept(Token::kElse)) s->blocks.push_back(parse_block());
  expect_match(Token::kEnd, Token::kIf, line);
  return s;
}

Stat* Parser::parse_while(int line) {
  Stat* s = new_stat(StatKind::kWhile, line);
  lex_.next();
  s->targets.push_back(parse_expr());
  expect(Token::kDo);
  ++loops_;
  s->blocks.push_back(parse_block());
  --loops_;
  expect_match(Token::kEnd, Token::kWhile, line);
  return s;
}

Stat* Parser::parse_repeat(int line) {
  Stat* s = new_stat(StatKind::kRepeat, line);
  lex_.next();
  ++loops_;
  s->blocks.push_back(parse_block());
  --loops_;
  expect_match(Token::kUntil, Token::kRepeat, line);
  s->targets.push_back(parse_expr());
  return s;
}

Stat* Parser::parse_for(int line) {
  lex_.next();
  std::string_view name = expect_name();
  Stat* s = nullptr;
  int outer_locals = locals_;
  if (lex_.is('=')) {
    s = parse_numeric_for(line, name);
  } else if (lex_.is(',') || lex_.is(Token::kIn)) {
    s = parse_generic_for(line, name);
  } else {
    lex_.error_near("'=' or 'in' expected");
  }
  if (s->kind == StatKind::kNumericFor) s->line = lex_.line();
  expect(Token::kDo);
  ++loops_;
  s->blocks.push_back(parse_block());
  --loops_;
  locals_ = outer_locals;
  expect_match(Token::kEnd, Token::kFor, line);
  return s;
}

Stat* Parser::parse_numeric_for(int line, std::string_view name) {
  Stat* s = new_stat(StatKind::kNumericFor, line);
  s->names.push_back(name);
  for (int i = 0; i < 4; ++i) new_local();  // its state has three
  lex_.next();
  s->values.push_back(parse_expr());
  expect(',');
  s->values.push_back(parse_expr());
  if (accept(',')) s->values.push_back(parse_expr());
  return s;
}

Stat* Parser::parse_generic_for(int line, std::string_view name) {
  Stat* s = new_stat(StatKind::kGenericFor, line);
  s->names.push_back(name);
  for (int i = 0; i < 5; ++i) new_local();  // PUC's state has four
  while (accept(',')) {
    s->names.push_back(expect_name());
    new_local();
  }
  expect(Token::kIn);
  s->line = lex_.line();
  s->values = parse_expr_list();
  return s;
}

// Declarations and the rest --------------------------------------------------

Stat* Parser::parse_function_stat(int line) {
  lex_.next();
  Stat* s = new_stat(StatKind::kFunction, line);
  Expr* target = new_name(expect_name(), line);
  bool is_method = false;
  while (lex_.is('.') || lex_.is(':')) {
    is_method = lex_.is(':');
    lex_.next();
    int key_line = lex_.line();
    Expr* key = new_string(expect_name(), key_line);
    target = new_tree(ExprKind::kIndex, key_line, target, key);
    if (is_method) break;
  }
  s->targets.push_back(target);
  s->function = parse_body(is_method, line);
  set_near(target);
  return s;
}

bool Parser::parse_attribute() {
  if (!accept('<')) return false;
  std::string name(expect_name());
  expect('>');
  if (name == "const") return true;
  if (name == "close") {
    lex_.error_near("to-be-closed variables are not part of this Lua");
  }
  lex_.error_near("unknown attribute '" + name + "'");
}

Stat* Parser::parse_local(int line) {
  lex_.next();
  if (accept(Token::kFunction)) {
    Stat* s = new_stat(StatKind::kLocalFunction, line);
    s->names.push_back(expect_name());
    new_local();
    s->function = parse_body(false, lex_.line());
    return s;
  }
  Stat* s = new_stat(StatKind::kLocal, line);
  do {
    s->names.push_back(expect_name());
    new_local();
    s->constants.push_back(parse_attribute());
  } while (accept(','));
  if (accept('=')) s->values = parse_expr_list();
  return s;
}

Stat* Parser::parse_return(int line) {
  lex_.next();
  Stat* s = new_stat(StatKind::kReturn, line);
  if (!block_ends() && !lex_.is(';')) s->values = parse_expr_list();
  accept(';');
  if (!block_ends()) lex_.error_near("'<eof>' expected");
  return s;
}

Stat* Parser::parse_expression_stat() {
  int line = lex_.line();
  Expr* e = parse_suffixed();
  if (!lex_.is('=') && !lex_.is(',')) {
    if (e->kind != ExprKind::kCall && e->kind != ExprKind::kMethod) {
      lex_.error_near("syntax error");
    }
    Stat* s = new_stat(StatKind::kCall, line);
    s->values.push_back(e);
    return s;
  }
  Stat* s = new_stat(StatKind::kAssign, line);
  for (;;) {
    if (e->kind != ExprKind::kName && e->kind != ExprKind::kIndex) {
      lex_.error_near("syntax error");
    }
    set_near(e);
    s->targets.push_back(e);
    if (!accept(',')) break;
    e = parse_suffixed();
  }
  expect('=');
  s->values = parse_expr_list();
  return s;
}

}  // namespace tlua
