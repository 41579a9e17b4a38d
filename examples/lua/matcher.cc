// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// The pattern matcher; see lib_pattern.h. Backtracking over the items of the
// pattern: a single character class with an optional repetition, a capture, a
// balanced pair, a frontier, or a back reference.
#include <cctype>
#include <cstring>

#include "lib.h"
#include "lib_pattern.h"

namespace tlua {

namespace {

constexpr char kEscape = '%';

/// Which classes each byte belongs to, as bits, in the C locale.
enum Class : uint16_t {
  kAlpha = 1,
  kControl = 2,
  kDigit = 4,
  kGraph = 8,
  kLower = 16,
  kPunct = 32,
  kSpace = 64,
  kUpper = 128,
  kHex = 256,
  kZero = 512
};

struct ClassTables {
  uint16_t of_byte[256] = {};
  uint16_t of_letter[256] = {};  // by the lower-case letter behind '%'

  constexpr ClassTables() {
    for (int c = 0; c < 128; ++c) {
      bool lower = c >= 'a' && c <= 'z', upper = c >= 'A' && c <= 'Z';
      bool digit = c >= '0' && c <= '9';
      bool hex = digit || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
      unsigned bits = 0;
      if (lower) bits |= kLower | kAlpha;
      if (upper) bits |= kUpper | kAlpha;
      if (digit) bits |= kDigit;
      if (hex) bits |= kHex;
      if (c < 32 || c == 127) bits |= kControl;
      if (c == ' ' || (c >= '\t' && c <= '\r')) bits |= kSpace;
      if (c > 32 && c < 127) bits |= kGraph;
      if (c > 32 && c < 127 && !lower && !upper && !digit) bits |= kPunct;
      if (c == 0) bits |= kZero;
      of_byte[c] = static_cast<uint16_t>(bits);
    }
    struct {
      int letter;
      unsigned bits;
    } constexpr kLetters[] = {
        {'a', kAlpha}, {'c', kControl},        {'d', kDigit}, {'g', kGraph},
        {'l', kLower}, {'p', kPunct},          {'s', kSpace}, {'u', kUpper},
        {'x', kHex},   {'w', kAlpha | kDigit}, {'z', kZero}};
    for (const auto& l : kLetters) {
      of_letter[l.letter] = static_cast<uint16_t>(l.bits);
    }
  }
};
constexpr ClassTables kClasses;

bool in_class(int c, int letter) {
  bool negated = letter >= 'A' && letter <= 'Z';
  uint16_t mask = kClasses.of_letter[negated ? letter + 32 : letter];
  if (mask == 0) return letter == c;
  return ((kClasses.of_byte[c] & mask) != 0) != negated;
}

uint8_t byte(const char* p) { return static_cast<uint8_t>(*p); }

/// c against the set [p, last]; p at '[', last at ']'.
bool in_set(int c, const char* p, const char* last) {
  bool found = true;
  if (p[1] == '^') {
    found = false;
    ++p;
  }
  while (++p < last) {
    if (*p == kEscape) {
      ++p;
      if (in_class(c, byte(p))) return found;
    } else if (p[1] == '-' && p + 2 < last) {
      p += 2;
      if (byte(p - 2) <= c && c <= byte(p)) return found;
    } else if (byte(p) == c) {
      return found;
    }
  }
  return !found;
}

}  // namespace

const char* Matcher::match_at(const char* s, size_t p) {
  level_ = 0;
  depth_ = 0;
  return match(s, pattern_.data() + p);
}

const char* Matcher::class_end(const char* p) {
  char c = *p++;
  if (c == kEscape) {
    if (p == pattern_end()) {
      lib_error(L_, "malformed pattern (ends with '%%')");
    }
    return p + 1;
  }
  if (c != '[') return p;
  if (p < pattern_end() && *p == '^') ++p;
  do {  // a ']' that comes first stands for itself
    if (p == pattern_end()) {
      lib_error(L_, "malformed pattern (missing ']')");
    }
    if (*p++ == kEscape && p < pattern_end()) ++p;
  } while (p == pattern_end() || *p != ']');
  return p + 1;
}

bool Matcher::single_match(const char* s, const char* p, const char* ep) const {
  if (s >= subject_end()) return false;
  int c = byte(s);
  switch (*p) {
    case '.':
      return true;
    case kEscape:
      return in_class(c, byte(p + 1));
    case '[':
      return in_set(c, p, ep - 1);
    default:
      return byte(p) == c;
  }
}

const char* Matcher::match_balance(const char* s, const char* p) {
  if (p + 1 >= pattern_end()) {
    lib_error(L_, "malformed pattern (missing arguments to '%%b')");
  }
  if (s >= subject_end() || *s != *p) return nullptr;
  int open = 1;
  while (++s < subject_end()) {
    if (*s == p[1]) {
      if (--open == 0) return s + 1;
    } else if (*s == *p) {
      ++open;
    }
  }
  return nullptr;
}

const char* Matcher::max_expand(const char* s, const char* p, const char* ep) {
  ptrdiff_t n = 0;
  ptrdiff_t most = subject_end() - s;
  if (*p == kEscape) {
    while (n < most && in_class(byte(s + n), byte(p + 1))) ++n;
  } else {
    while (single_match(s + n, p, ep)) ++n;
  }
  if (ep + 1 == pattern_end()) return s + n;
  for (; n >= 0; --n) {
    const char* end = match(s + n, ep + 1);
    if (end != nullptr) return end;
  }
  return nullptr;
}

const char* Matcher::min_expand(const char* s, const char* p, const char* ep) {
  for (;;) {
    const char* end = match(s, ep + 1);
    if (end != nullptr) return end;
    if (!single_match(s, p, ep)) return nullptr;
    ++s;
  }
}

const char* Matcher::start_capture(const char* s, const char* p,
                                   ptrdiff_t what) {
  if (level_ >= kMaxCaptures) lib_error(L_, "too many captures");
  captures_[level_] = {s, what};
  ++level_;
  const char* end = match(s, p);
  if (end == nullptr) --level_;
  return end;
}

int Matcher::capture_to_close() {
  for (int i = level_ - 1; i >= 0; --i) {
    if (captures_[i].length == kOpen) return i;
  }
  lib_error(L_, "invalid pattern capture");
}

const char* Matcher::end_capture(const char* s, const char* p) {
  int i = capture_to_close();
  captures_[i].length = s - captures_[i].start;
  const char* end = match(s, p);
  if (end == nullptr) captures_[i].length = kOpen;
  return end;
}

int Matcher::check_capture(char digit) {
  int i = digit - '1';
  if (i < 0 || i >= level_ || captures_[i].length == kOpen) {
    lib_error(L_, "invalid capture index %%%d", i + 1);
  }
  return i;
}

const char* Matcher::match_back_reference(const char* s, int index) {
  auto n = static_cast<size_t>(captures_[index].length);
  if (static_cast<size_t>(subject_end() - s) < n ||
      std::memcmp(captures_[index].start, s, n) != 0) {
    return nullptr;
  }
  return s + n;
}

bool Matcher::match_frontier(const char* s, const char* set,
                             const char* set_end) {
  int before = s == subject_.data() ? 0 : byte(s - 1);
  int after = s == subject_end() ? 0 : byte(s);
  return !in_set(before, set, set_end - 1) && in_set(after, set, set_end - 1);
}

/// A single character with its repetition. *done: the result is final;
/// otherwise matching goes on at the result with the pattern at *next.
const char* Matcher::match_default(const char* s, const char* p, bool* done,
                                   const char** next) {
  const char* ep = class_end(p);
  char repeat = ep < pattern_end() ? *ep : '\0';
  *done = true;
  if (repeat == '*') return max_expand(s, p, ep);
  if (repeat == '-') return min_expand(s, p, ep);
  if (repeat == '+') {
    return single_match(s, p, ep) ? max_expand(s + 1, p, ep) : nullptr;
  }
  if (repeat == '?') {
    if (single_match(s, p, ep)) {
      const char* end = match(s + 1, ep + 1);
      if (end != nullptr) return end;
    }
    *done = false;
    *next = ep + 1;
    return s;
  }
  if (!single_match(s, p, ep)) return nullptr;
  *done = false;
  *next = ep;
  return s + 1;
}

const char* Matcher::match(const char* s, const char* p) {
  if (++depth_ > kMaxDepth) lib_error(L_, "pattern too complex");
  bool done = false;
  while (!done && p != pattern_end()) {
    char following = p + 1 < pattern_end() ? p[1] : '\0';
    done = true;
    if (*p == '(') {
      s = following == ')' ? start_capture(s, p + 2, kPosition)
                           : start_capture(s, p + 1, kOpen);
    } else if (*p == ')') {
      s = end_capture(s, p + 1);
    } else if (*p == '$' && p + 1 == pattern_end()) {
      if (s != subject_end()) s = nullptr;
    } else if (*p == kEscape && following == 'b') {
      s = match_balance(s, p + 2);
      p += 4;
      done = s == nullptr;
    } else if (*p == kEscape && following == 'f') {
      p += 2;
      if (p == pattern_end() || *p != '[') {
        lib_error(L_, "missing '[' after '%%f' in pattern");
      }
      const char* ep = class_end(p);
      done = !match_frontier(s, p, ep);
      if (done) s = nullptr;
      p = ep;
    } else if (*p == kEscape && std::isdigit(byte(p + 1))) {
      s = match_back_reference(s, check_capture(following));
      p += 2;
      done = s == nullptr;
    } else {
      s = match_default(s, p, &done, &p);
    }
  }
  --depth_;
  return s;
}

// Results --------------------------------------------------------------------

std::string_view Matcher::capture_text(int i, const char* s, const char* e,
                                       int64_t* position) {
  *position = 0;
  if (i >= level_) {
    if (i != 0) lib_error(L_, "invalid capture index %%%d", i + 1);
    return {s, static_cast<size_t>(e - s)};
  }
  const Capture& c = captures_[i];
  if (c.length == kOpen) lib_error(L_, "unfinished capture");
  if (c.length == kPosition) {
    *position = c.start - subject_.data() + 1;
    return {};
  }
  return {c.start, static_cast<size_t>(c.length)};
}

void Matcher::push_capture(int i, const char* s, const char* e) {
  int64_t position;
  std::string_view text = capture_text(i, s, e, &position);
  if (position != 0) {
    push_integer(L_, position);
  } else {
    push_string(L_, text);
  }
}

int Matcher::push_captures(const char* s, const char* e) {
  int n = level_ == 0 && s != nullptr ? 1 : level_;
  ensure_stack(L_, static_cast<size_t>(n));
  for (int i = 0; i < n; ++i) push_capture(i, s, e);
  return n;
}

}  // namespace tlua
