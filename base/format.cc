// SPDX-License-Identifier: MIT
// Copyright tricolor authors
//
// The printf subset of base/format.h: a parser of one conversion (Spec), and
// one function per kind of argument. Invariant: no global state, no call that
// may allocate or lock.
#include "base/format.h"

#include <cstdint>
#include <cstring>

namespace tricolor::base {
namespace {

struct Spec {
  bool left = false;
  bool zero = false;
  int width = 0;
  int precision = -1;
  char length = 0;  // 'H' for hh, 'q' for ll, else the letter itself
  char conversion = 0;
};

struct Output {
  FormatPut put;
  void* ctx;

  void text(const char* s, size_t n) const {
    if (n > 0) put(ctx, s, n);
  }
  void fill(char c, size_t n) const {
    for (; n > 0; n--) put(ctx, &c, 1);
  }
};

// va_list is an array type on x86-64: wrapped, so that it can be passed by
// reference to the functions below.
struct Args {
  va_list list;
};

int parse_number(const char** p, Args& args) {
  if (**p == '*') {
    ++*p;
    return va_arg(args.list, int);
  }
  int n = 0;
  while (**p >= '0' && **p <= '9') {
    if (n < 10000) n = n * 10 + (**p - '0');
    ++*p;
  }
  return n;
}

char parse_length(const char** p) {
  const char c = **p;
  if (c != 'h' && c != 'l' && c != 'z' && c != 't' && c != 'j') return 0;
  ++*p;
  if ((c != 'h' && c != 'l') || **p != c) return c;
  ++*p;
  return c == 'h' ? 'H' : 'q';
}

// Reads what follows a '%'.
Spec parse_spec(const char** p, Args& args) {
  Spec spec;
  for (; **p == '-' || **p == '0'; ++*p) {
    if (**p == '-') spec.left = true;
    if (**p == '0') spec.zero = true;
  }
  spec.width = parse_number(p, args);
  if (spec.width < 0) {
    spec.left = true;
    spec.width = -spec.width;
  }
  if (**p == '.') {
    ++*p;
    spec.precision = parse_number(p, args);
  }
  spec.length = parse_length(p);
  spec.conversion = **p;
  if (**p != '\0') ++*p;
  return spec;
}

int64_t take_signed(const Spec& spec, Args& args) {
  switch (spec.length) {
    case 'H':
      return static_cast<signed char>(va_arg(args.list, int));
    case 'h':
      return static_cast<int16_t>(va_arg(args.list, int));
    case 0:
      return va_arg(args.list, int);
    default:
      return va_arg(args.list, int64_t);
  }
}

uint64_t take_unsigned(const Spec& spec, Args& args) {
  switch (spec.length) {
    case 'H':
      return static_cast<uint8_t>(va_arg(args.list, unsigned));
    case 'h':
      return static_cast<uint16_t>(va_arg(args.list, unsigned));
    case 0:
      return va_arg(args.list, unsigned);
    default:
      return va_arg(args.list, uint64_t);
  }
}

void print_padded(const Output& out, const Spec& spec, const char* prefix,
                  const char* s, size_t n) {
  const size_t prefix_n = strlen(prefix);
  const size_t width = static_cast<size_t>(spec.width);
  const size_t pad = width > prefix_n + n ? width - prefix_n - n : 0;
  const bool zeros = spec.zero && !spec.left;
  if (!spec.left && !zeros) out.fill(' ', pad);
  out.text(prefix, prefix_n);
  if (zeros) out.fill('0', pad);
  out.text(s, n);
  if (spec.left) out.fill(' ', pad);
}

void print_number(const Output& out, const Spec& spec, const char* prefix,
                  uint64_t value, unsigned radix) {
  const char* digits =
      spec.conversion == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
  char buffer[20];  // 2^64 has 20 decimal digits
  size_t at = sizeof(buffer);
  do {
    buffer[--at] = digits[value % radix];
    value /= radix;
  } while (value > 0);
  print_padded(out, spec, prefix, buffer + at, sizeof(buffer) - at);
}

void print_string(const Output& out, Spec spec, const char* s) {
  if (s == nullptr) s = "(null)";
  const size_t n = spec.precision < 0
                       ? strlen(s)
                       : strnlen(s, static_cast<size_t>(spec.precision));
  spec.zero = false;
  print_padded(out, spec, "", s, n);
}

void print_conversion(const Output& out, const Spec& spec, const char* begin,
                      const char* end, Args& args) {
  switch (spec.conversion) {
    case 's':
      return print_string(out, spec, va_arg(args.list, const char*));
    case 'c': {
      const char c = static_cast<char>(va_arg(args.list, int));
      return print_padded(out, spec, "", &c, 1);
    }
    case 'd':
    case 'i': {
      const int64_t value = take_signed(spec, args);
      const uint64_t bits = static_cast<uint64_t>(value);
      return print_number(out, spec, value < 0 ? "-" : "",
                          value < 0 ? 0 - bits : bits, 10);
    }
    case 'u':
      return print_number(out, spec, "", take_unsigned(spec, args), 10);
    case 'x':
    case 'X':
      return print_number(out, spec, "", take_unsigned(spec, args), 16);
    case 'p': {
      const void* p = va_arg(args.list, const void*);
      return print_number(out, spec, "0x", reinterpret_cast<uintptr_t>(p), 16);
    }
    case '%':
      return out.text("%", 1);
    default:
      return out.text(begin, static_cast<size_t>(end - begin));
  }
}

struct BufferTarget {
  char* out;
  size_t capacity;
  size_t length;  // of the whole text, also what did not fit

  static void put(void* self, const char* text, size_t n) {
    BufferTarget* t = static_cast<BufferTarget*>(self);
    if (t->length < t->capacity) {
      const size_t room = t->capacity - t->length;
      memcpy(t->out + t->length, text, n < room ? n : room);
    }
    t->length += n;
  }
};

}  // namespace

void format_to(FormatPut put, void* ctx, const char* fmt, va_list list) {
  const Output out{put, ctx};
  Args args;
  va_copy(args.list, list);
  const char* p = fmt;
  while (*p != '\0') {
    const char* begin = p;
    while (*p != '\0' && *p != '%') p++;
    out.text(begin, static_cast<size_t>(p - begin));
    if (*p == '\0') break;
    begin = p++;
    const Spec spec = parse_spec(&p, args);
    print_conversion(out, spec, begin, p, args);
  }
  va_end(args.list);
}

size_t format_buffer(char* out, size_t capacity, const char* fmt, ...) {
  BufferTarget target{out, capacity - 1, 0};
  va_list args;
  va_start(args, fmt);
  format_to(&BufferTarget::put, &target, fmt, args);
  va_end(args);
  out[target.length < capacity ? target.length : capacity - 1] = '\0';
  return target.length;
}

}  // namespace tricolor::base
