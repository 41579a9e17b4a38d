// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// The lexer: source text to tokens. Off the managed heap; throws SyntaxError.
#ifndef TLUA_LEXER_H_
#define TLUA_LEXER_H_

#include <deque>
#include <string>
#include <string_view>

#include "number.h"

namespace tlua {

/// What compiling a bad chunk throws: a complete message with its position.
struct SyntaxError {
  std::string message;
};

enum class Token : uint8_t {
  // Reserved words, in the order of kReserved in lexer.cc.
  kAnd,
  kBreak,
  kDo,
  kElse,
  kElseif,
  kEnd,
  kFalse,
  kFor,
  kFunction,
  kGoto,
  kIf,
  kIn,
  kLocal,
  kNil,
  kNot,
  kOr,
  kRepeat,
  kReturn,
  kThen,
  kTrue,
  kUntil,
  kWhile,
  // Operators and punctuation of more than one character.
  kIdiv,
  kConcat,
  kDots,
  kEq,
  kGe,
  kLe,
  kNe,
  kShl,
  kShr,
  kDoubleColon,
  // With a value.
  kEof,
  kFloat,
  kInteger,
  kName,
  kString,
  // A single character; which one is in Lexer::character().
  kChar,
};

/// "file.lua" of "@file.lua", or `[string "first line..."]`.
std::string chunk_display_name(std::string_view chunk_name);

/// Appends the UTF-8 form of `code`, below 2^31.
void append_utf8(uint64_t code, std::string* out);

class Lexer {
 public:
  /// Both views must outlive the lexer.
  Lexer(std::string_view source, std::string_view chunk_name);

  /// Reads the next token into the members below.
  void next();
  /// The one after it, without moving on.
  Token peek();
  char peek_character() const { return ahead_.character; }

  Token token() const { return now_.token; }
  char character() const { return now_.character; }
  bool is(char c) const {
    return now_.token == Token::kChar && now_.character == c;
  }
  bool is(Token t) const { return now_.token == t; }
  /// A name's or string's bytes; valid as long as the lexer.
  std::string_view text() const { return now_.text; }
  const Number& number() const { return now_.number; }
  int line() const { return now_.line; }
  /// The current token as written; empty at the end.
  std::string_view raw() const { return now_.raw; }
  /// Line of the token before the current one.
  int last_line() const { return last_line_; }

  /// Throws `text near 'current token'`.
  [[noreturn]] void error_near(const std::string& text) const;
  /// Throws `text`, at `line`.
  [[noreturn]] void error_at(const std::string& text, int line) const;

  static std::string describe(Token t, char c);

 private:
  struct Lexeme {
    Token token = Token::kEof;
    char character = 0;
    int line = 1;
    std::string_view text;  // bytes of a name or string
    std::string_view raw;   // as written
    Number number{};
  };

  int peek_char(size_t ahead = 0) const {
    return at_ + ahead < source_.size()
               ? static_cast<unsigned char>(source_[at_ + ahead])
               : -1;
  }
  bool accept(char c) {
    if (peek_char() != c) return false;
    ++at_;
    return true;
  }
  [[noreturn]] void error_text(const std::string& text) const;
  [[noreturn]] void error_eof(const std::string& text) const;
  void scan(Lexeme* out);
  void skip_blanks(Lexeme* out);
  void skip_comment(Lexeme* out);
  void newline();
  void read_name(Lexeme* out);
  void read_number(Lexeme* out);
  void read_string(Lexeme* out, char quote);
  void read_escape(std::string* out);
  void read_decimal_escape(std::string* out);
  void read_utf8_escape(std::string* out);
  int read_hex_digit();
  [[noreturn]] void escape_error(const std::string& text, size_t from,
                                 bool with_next);
  bool long_bracket(size_t* level) const;
  std::string read_long(size_t level, const char* what);
  void read_symbol(Lexeme* out);
  void set_operator(Lexeme* out, Token t, size_t chars);
  std::string near_text(const Lexeme& x) const;

  std::string_view source_;
  std::string display_name_;
  size_t at_ = 0;
  size_t token_start_ = 0;
  int line_ = 1;
  int last_line_ = 1;
  Lexeme now_;
  Lexeme ahead_;
  bool has_ahead_ = false;
  std::deque<std::string> strings_;
};

}  // namespace tlua

#endif  // TLUA_LEXER_H_
