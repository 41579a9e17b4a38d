// SPDX-License-Identifier: MIT
// Copyright tricolor authors
//
// Parsers for the values of TRIGC, TRIMEMLIMIT, TRIMAXPROCS and TRIDEBUG. They
// read text the caller has (getenv, options), allocate nothing, and leave
// *out alone when they return false.
//
// Threading: no state.
#ifndef TRICOLOR_BASE_ENV_H_
#define TRICOLOR_BASE_ENV_H_

#include <cstdint>
#include <string_view>

namespace tricolor::base {

// Decimal digits only.
bool parse_u32(std::string_view text, uint32_t* out);
bool parse_u64(std::string_view text, uint64_t* out);

// "100" -> 100, "off" -> -1. At most 2^31 - 1.
bool parse_percent(std::string_view text, int* out);

// "64MiB": a number and an optional B, KiB, MiB, GiB or TiB; "off" -> 2^64-1.
bool parse_bytes(std::string_view text, uint64_t* out);

// The same for NUL-terminated text; null (an unset variable) is not valid.
bool parse_u32(const char* text, uint32_t* out);
bool parse_u64(const char* text, uint64_t* out);
bool parse_percent(const char* text, int* out);
bool parse_bytes(const char* text, uint64_t* out);

// Walks over "a=1,b=2,c": keys a, b, c with values 1, 2 and "". Empty items
// are skipped. The views point into the text given.
//
//   KeyValueCursor it(getenv("TRIDEBUG"));
//   while (it.next()) { if (it.key() == "gctrace") ... it.value() ... }
class KeyValueCursor {
 public:
  explicit KeyValueCursor(const char* text)  // null: no items
      : rest_(text == nullptr ? std::string_view() : std::string_view(text)) {}
  explicit KeyValueCursor(std::string_view text) : rest_(text) {}

  bool next();
  std::string_view key() const { return key_; }
  std::string_view value() const { return value_; }
  std::string_view item() const { return item_; }  // as written

 private:
  std::string_view rest_;
  std::string_view key_;
  std::string_view value_;
  std::string_view item_;
};

}  // namespace tricolor::base

#endif  // TRICOLOR_BASE_ENV_H_
