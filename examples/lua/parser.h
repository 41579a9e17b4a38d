// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// The parser: tokens to a syntax tree, by recursive descent with operator
// precedence. Throws SyntaxError.
#ifndef TLUA_PARSER_H_
#define TLUA_PARSER_H_

#include "ast.h"
#include "lexer.h"

namespace tlua {

class Parser {
 public:
  /// `native_limit`: recursion stops with an error below this address.
  Parser(Lexer& lexer, Ast& ast, const char* native_limit)
      : lex_(lexer), ast_(ast), native_limit_(native_limit) {}

  void parse_chunk();

 private:
  class Level;

  // Statements (parser.cc).
  Block parse_block();
  bool block_ends() const;
  Stat* parse_statement();
  Stat* parse_if(int line);
  Stat* parse_while(int line);
  Stat* parse_repeat(int line);
  Stat* parse_for(int line);
  Stat* parse_numeric_for(int line, std::string_view name);
  Stat* parse_generic_for(int line, std::string_view name);
  Stat* parse_function_stat(int line);
  Stat* parse_local(int line);
  Stat* parse_return(int line);
  Stat* parse_expression_stat();
  bool parse_attribute();

  // Expressions (parser_expr.cc).
  Expr* parse_expr(int limit = 0);
  Expr* parse_unary(UnaryOp op, int line);
  Expr* parse_simple();
  Expr* parse_primary();
  Expr* parse_suffixed();
  Expr* parse_call(Expr* callee, int line);
  Expr* parse_table();
  FunctionBody* parse_body(bool is_method, int line);
  std::vector<Expr*> parse_expr_list();
  std::vector<Expr*> parse_arguments();

  /// Counts a local variable of the running function.
  void new_local();
  /// The parser has understood `e`. A constructor keeps its brace.
  void set_near(Expr* e) {
    if (e->kind != ExprKind::kTable || e->near.line == 0) {
      e->near = {lex_.raw(), lex_.line()};
    }
  }
  Expr* new_expr(ExprKind kind, int line);
  Expr* new_tree(ExprKind kind, int line, Expr* a, Expr* b);
  Expr* new_string(std::string_view text, int line);
  Expr* new_name(std::string_view text, int line);
  Stat* new_stat(StatKind kind, int line);
  std::string_view expect_name();
  bool accept(Token t);
  bool accept(char c);
  void expect(Token t);
  void expect(char c);
  /// Expects what closes `open` of `line`.
  void expect_match(Token t, Token open, int line);
  void expect_match(char c, char open, int line);

  Lexer& lex_;
  Ast& ast_;
  const char* native_limit_;
  int levels_ = 0;
  int loops_ = 0;
  int locals_ = 0;         // in scope, of the running function
  int function_line_ = 0;  // 0: the main chunk
  bool in_vararg_ = true;
};

/// Counts nested constructs, so that neither this recursion nor the code
/// generator's exhausts the native stack.
class Parser::Level {
 public:
  explicit Level(Parser& p) : p_(p) {
    const char* here = static_cast<const char*>(__builtin_frame_address(0));
    if (++p.levels_ > 200 || here < p.native_limit_) {
      p.lex_.error_near("C stack overflow");
    }
  }
  ~Level() { --p_.levels_; }

 private:
  Parser& p_;
};

}  // namespace tlua

#endif  // TLUA_PARSER_H_
