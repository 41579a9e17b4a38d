// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// The lexer, but for strings (lexer_string.cc); see lexer.h.
#include "lexer.h"

#include <cctype>

namespace tlua {

namespace {

constexpr const char* kReserved[] = {
    "and",      "break",  "do",   "else", "elseif", "end",  "false", "for",
    "function", "goto",   "if",   "in",   "local",  "nil",  "not",   "or",
    "repeat",   "return", "then", "true", "until",  "while"};
constexpr const char* kOperators[] = {
    "//", "..", "...", "==", ">=", "<=", "~=", "<<", ">>", "::"};
constexpr int kReservedCount = 22;

bool is_name_start(int c) { return std::isalpha(c) || c == '_'; }
bool is_name_char(int c) { return c != -1 && (std::isalnum(c) || c == '_'); }

}  // namespace

std::string chunk_display_name(std::string_view name) {
  constexpr size_t kMax = 59;
  if (!name.empty() && name[0] == '=') {
    return std::string(name.substr(1, kMax));
  }
  if (!name.empty() && name[0] == '@') {
    name.remove_prefix(1);
    if (name.size() <= kMax) return std::string(name);
    return "..." + std::string(name.substr(name.size() - (kMax - 3)));
  }
  size_t end = name.find('\n');
  std::string_view line = name.substr(0, end);
  constexpr size_t kRoom = kMax - 14;  // of [string "..."]
  if (end == std::string_view::npos && line.size() <= kRoom) {
    return "[string \"" + std::string(line) + "\"]";
  }
  return "[string \"" + std::string(line.substr(0, kRoom)) + "...\"]";
}

Lexer::Lexer(std::string_view source, std::string_view chunk_name)
    : source_(source), display_name_(chunk_display_name(chunk_name)) {}

void Lexer::error_at(const std::string& text, int line) const {
  throw SyntaxError{display_name_ + ":" + std::to_string(line) + ": " + text};
}

std::string Lexer::describe(Token t, char c) {
  auto index = static_cast<int>(t);
  if (t == Token::kChar) return std::string("'") + c + "'";
  if (t == Token::kEof) return "<eof>";
  if (t == Token::kName) return "<name>";
  if (index < kReservedCount) return std::string("'") + kReserved[index] + "'";
  return std::string("'") + kOperators[index - kReservedCount] + "'";
}

std::string Lexer::near_text(const Lexeme& x) const {
  switch (x.token) {
    case Token::kName:
    case Token::kString:
    case Token::kFloat:
    case Token::kInteger:
      return "'" + std::string(x.raw) + "'";
    case Token::kChar:
      if (!std::isprint(static_cast<unsigned char>(x.character))) {
        int code = static_cast<unsigned char>(x.character);
        return "'<\\" + std::to_string(code) + ">'";
      }
      [[fallthrough]];
    default:
      return describe(x.token, x.character);
  }
}

void Lexer::error_near(const std::string& text) const {
  error_at(text + " near " + near_text(now_), line_);
}

void Lexer::error_text(const std::string& text) const {
  std::string raw(source_.substr(token_start_, at_ - token_start_));
  error_at(text + " near '" + raw + "'", line_);
}

void Lexer::error_eof(const std::string& text) const {
  error_at(text + " near <eof>", line_);
}

void Lexer::next() {
  last_line_ = now_.line;
  if (has_ahead_) {
    now_ = ahead_;
    has_ahead_ = false;
    return;
  }
  scan(&now_);
}

Token Lexer::peek() {
  if (!has_ahead_) {
    scan(&ahead_);
    has_ahead_ = true;
  }
  return ahead_.token;
}

void Lexer::newline() {
  int first = peek_char();
  ++at_;
  int second = peek_char();
  if ((second == '\n' || second == '\r') && second != first) ++at_;
  ++line_;
}

void Lexer::skip_comment(Lexeme* out) {
  static_cast<void>(out);
  at_ += 2;
  size_t level;
  if (peek_char() == '[' && long_bracket(&level)) {
    read_long(level, "comment");
    return;
  }
  while (peek_char() != -1 && peek_char() != '\n' && peek_char() != '\r') ++at_;
}

void Lexer::skip_blanks(Lexeme* out) {
  for (;;) {
    int c = peek_char();
    if (c == '\n' || c == '\r') {
      newline();
    } else if (c == ' ' || c == '\t' || c == '\v' || c == '\f') {
      ++at_;
    } else if (c == '-' && peek_char(1) == '-') {
      token_start_ = at_;
      skip_comment(out);
    } else {
      return;
    }
  }
}

void Lexer::scan(Lexeme* out) {
  skip_blanks(out);
  token_start_ = at_;
  out->line = line_;
  int c = peek_char();
  size_t level;
  if (c == -1) {
    out->token = Token::kEof;
  } else if (is_name_start(c)) {
    read_name(out);
  } else if (std::isdigit(c) || (c == '.' && std::isdigit(peek_char(1)))) {
    read_number(out);
  } else if (c == '"' || c == '\'') {
    ++at_;
    read_string(out, static_cast<char>(c));
  } else if (c == '[' && long_bracket(&level)) {
    strings_.push_back(read_long(level, "string"));
    out->token = Token::kString;
    out->text = strings_.back();
  } else {
    read_symbol(out);
  }
  out->line = line_;
  out->raw = source_.substr(token_start_, at_ - token_start_);
}

void Lexer::read_name(Lexeme* out) {
  while (is_name_char(peek_char())) ++at_;
  out->text = source_.substr(token_start_, at_ - token_start_);
  out->token = Token::kName;
  for (int i = 0; i < kReservedCount; ++i) {
    if (out->text == kReserved[i]) out->token = static_cast<Token>(i);
  }
}

void Lexer::read_number(Lexeme* out) {
  bool hex = peek_char() == '0' && (peek_char(1) | 0x20) == 'x';
  if (hex) at_ += 2;
  for (;;) {
    int c = peek_char();
    if (c != -1 && (c | 0x20) == (hex ? 'p' : 'e')) {
      ++at_;
      if (peek_char() == '+' || peek_char() == '-') ++at_;
    } else if (c != -1 && (std::isxdigit(c) || c == '.')) {
      ++at_;
    } else {
      break;
    }
  }
  while (is_name_char(peek_char())) ++at_;
  std::string_view raw = source_.substr(token_start_, at_ - token_start_);
  if (!parse_number(raw, &out->number)) error_text("malformed number");
  out->token = out->number.is_integer ? Token::kInteger : Token::kFloat;
}

void Lexer::set_operator(Lexeme* out, Token t, size_t chars) {
  at_ += chars;
  out->token = t;
}

void Lexer::read_symbol(Lexeme* out) {
  int c = peek_char(), d = peek_char(1);
  if (c == '/' && d == '/') return set_operator(out, Token::kIdiv, 2);
  if (c == '.' && d == '.') {
    if (peek_char(2) == '.') return set_operator(out, Token::kDots, 3);
    return set_operator(out, Token::kConcat, 2);
  }
  if (c == '=' && d == '=') return set_operator(out, Token::kEq, 2);
  if (c == '>' && d == '=') return set_operator(out, Token::kGe, 2);
  if (c == '<' && d == '=') return set_operator(out, Token::kLe, 2);
  if (c == '~' && d == '=') return set_operator(out, Token::kNe, 2);
  if (c == '<' && d == '<') return set_operator(out, Token::kShl, 2);
  if (c == '>' && d == '>') return set_operator(out, Token::kShr, 2);
  if (c == ':' && d == ':') return set_operator(out, Token::kDoubleColon, 2);
  out->character = static_cast<char>(c);
  set_operator(out, Token::kChar, 1);
}

}  // namespace tlua
