// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// The lexer's part for string literals and long brackets; see lexer.h.
#include <cctype>

#include "lexer.h"

namespace tlua {

bool Lexer::long_bracket(size_t* level) const {
  size_t n = 0;
  while (peek_char(1 + n) == '=') ++n;
  *level = n;
  return peek_char(1 + n) == '[';
}

std::string Lexer::read_long(size_t level, const char* what) {
  int start_line = line_;
  at_ += level + 2;
  if (peek_char() == '\n' || peek_char() == '\r') newline();
  std::string close = "]" + std::string(level, '=') + "]";
  std::string out;
  for (;;) {
    int c = peek_char();
    if (c == -1) {
      error_eof(std::string("unfinished long ") + what + " (starting at line " +
                std::to_string(start_line) + ")");
    }
    if (c == ']' && source_.substr(at_, close.size()) == close) {
      at_ += close.size();
      return out;
    }
    if (c == '\n' || c == '\r') {
      newline();
      out += '\n';
    } else {
      out += static_cast<char>(c);
      ++at_;
    }
  }
}

void Lexer::read_string(Lexeme* out, char quote) {
  std::string bytes;
  for (;;) {
    int c = peek_char();
    if (c == -1) error_eof("unfinished string");
    if (c == '\n' || c == '\r') error_text("unfinished string");
    if (c == '\\') {
      read_escape(&bytes);
      continue;
    }
    ++at_;
    if (c == quote) break;
    bytes += static_cast<char>(c);
  }
  strings_.push_back(std::move(bytes));
  out->token = Token::kString;
  out->text = strings_.back();
}

void Lexer::escape_error(const std::string& text, size_t from, bool with_next) {
  size_t end = at_ + (with_next && peek_char() != -1 ? 1 : 0);
  std::string raw(source_.substr(from, end - from));
  error_at(text + " near '" + raw + "'", line_);
}

int Lexer::read_hex_digit() {
  int c = peek_char();
  if (c == -1 || !std::isxdigit(c)) {
    escape_error("hexadecimal digit expected", token_start_, true);
  }
  ++at_;
  return std::isdigit(c) ? c - '0' : (c | 0x20) - 'a' + 10;
}

void Lexer::read_decimal_escape(std::string* out) {
  int value = 0;
  for (int i = 0; i < 3 && peek_char() != -1 && std::isdigit(peek_char());
       ++i) {
    value = value * 10 + (peek_char() - '0');
    ++at_;
  }
  if (value > 255) {
    escape_error("decimal escape too large", token_start_, true);
  }
  *out += static_cast<char>(value);
}

void Lexer::read_utf8_escape(std::string* out) {
  if (!accept('{'))
    escape_error("missing '{' in \\u{xxxx}", token_start_, true);
  uint64_t code = static_cast<uint64_t>(read_hex_digit());
  while (peek_char() != -1 && std::isxdigit(peek_char())) {
    code = code * 16 + static_cast<uint64_t>(read_hex_digit());
    if (code > 0x7fffffff) {
      escape_error("UTF-8 value too large", token_start_, true);
    }
  }
  if (!accept('}'))
    escape_error("missing '}' in \\u{xxxx}", token_start_, true);
  append_utf8(code, out);
}

void Lexer::read_escape(std::string* out) {
  ++at_;  // the backslash
  int c = peek_char();
  if (c == -1) error_eof("unfinished string");
  if (std::isdigit(c)) return read_decimal_escape(out);
  if (c == '\n' || c == '\r') {
    newline();
    *out += '\n';
    return;
  }
  constexpr std::string_view kFrom = "abfnrtv\\\"'";
  constexpr std::string_view kTo = "\a\b\f\n\r\t\v\\\"'";
  size_t simple = kFrom.find(static_cast<char>(c));
  if (simple != std::string_view::npos) {
    *out += kTo[simple];
    ++at_;
    return;
  }
  if (c == 'x') {
    ++at_;
    int high = read_hex_digit();
    *out += static_cast<char>(high * 16 + read_hex_digit());
  } else if (c == 'u') {
    ++at_;
    read_utf8_escape(out);
  } else if (c == 'z') {
    ++at_;
    for (int s = peek_char(); s != -1 && std::isspace(s); s = peek_char()) {
      if (s == '\n' || s == '\r') {
        newline();
      } else {
        ++at_;
      }
    }
  } else {
    escape_error("invalid escape sequence", token_start_, true);
  }
}

void append_utf8(uint64_t code, std::string* out) {
  if (code < 0x80) {
    *out += static_cast<char>(code);
    return;
  }
  char bytes[8];
  int n = 0;
  uint64_t first_max = 0x3f;  // what still fits beside the length mark
  do {
    bytes[n++] = static_cast<char>(0x80 | (code & 0x3f));
    code >>= 6;
    first_max >>= 1;
  } while (code > first_max);
  *out += static_cast<char>((~first_max << 1) | code);
  while (n > 0) *out += bytes[--n];
}

}  // namespace tlua
