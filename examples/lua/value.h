// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Value: one Lua value in 8 bytes (a NaN box), and how the collector reads it.
// Used by everything in this folder; docs/design/0001-lua-values.md has the
// reasons.
//
//   0x0000... - 0xfff8_0000_0000_0000   a double, as it is
//   0xfff9 : 0 | 1 | 2                  nil, false, true
//   0xfff9 : n + 16                     internal: position of a table iterator
//   0xfffa : address                    an integer that needs 64 bits, boxed
//   0xfffb : address                    String
//   0xfffc : address                    Table
//   0xfffd : address                    Closure (a Lua function)
//   0xfffe : address                    Object (C function, thread, userdata)
//   0xffff : 48 bits                    an integer in [-2^47, 2^47)
//
// Invariants
// 1. An integer is immediate if and only if it fits in 48 bits, so two equal
//    immediates have equal bits and an immediate never equals a boxed one.
// 2. Every NaN is one of the two quiet ones with an empty payload.
// 3. Words whose top 16 bits are zero (addresses, small counts) read as
//    doubles; the VM may keep such words in places the collector scans.
#ifndef TLUA_VALUE_H_
#define TLUA_VALUE_H_

#include <cstdint>
#include <cstring>

#include "tricolor/encoding.h"

namespace tlua {

namespace tri = tricolor;

struct String;
struct Table;
struct Closure;
struct Object;

/// A boxed integer: a noscan cell of 16 bytes.
struct BoxedInt {
  int64_t value;
};

inline constexpr uint64_t kTagMisc = 0xfff9;
inline constexpr uint64_t kTagBoxedInt = 0xfffa;
inline constexpr uint64_t kTagString = 0xfffb;
inline constexpr uint64_t kTagTable = 0xfffc;
inline constexpr uint64_t kTagClosure = 0xfffd;
inline constexpr uint64_t kTagObject = 0xfffe;
inline constexpr uint64_t kTagInt = 0xffff;
inline constexpr uint64_t kPayloadMask = (uint64_t{1} << 48) - 1;
inline constexpr uint64_t kLastDouble = uint64_t{0xfff8} << 48;
inline constexpr uint64_t kNilBits = kTagMisc << 48;
inline constexpr uint64_t kPointerLo = kTagBoxedInt << 48;
inline constexpr uint64_t kPointerHi = (kTagInt << 48) - 1;
inline constexpr uint64_t kIterBase = kNilBits + 16;

struct Value {
  uint64_t bits;

  static Value nil() { return {kNilBits}; }
  static Value boolean(bool b) { return {kNilBits + 1 + (b ? 1 : 0)}; }
  /// `i` must fit in 48 bits.
  static Value small_int(int64_t i) {
    return {(static_cast<uint64_t>(i) & kPayloadMask) | (kTagInt << 48)};
  }
  /// A double computed by the CPU from canonical operands.
  static Value raw_double(double d) {
    uint64_t w;
    std::memcpy(&w, &d, 8);
    return {w};
  }
  /// Any double, whatever payload a NaN carries.
  static Value number(double d) {
    uint64_t w;
    std::memcpy(&w, &d, 8);
    if (d != d) w &= kLastDouble;
    return {w};
  }
  static Value pointer(uint64_t tag, const void* p) {
    return {reinterpret_cast<uint64_t>(p) | (tag << 48)};
  }
  static Value of(const String* s) { return pointer(kTagString, s); }
  static Value of(const Table* t) { return pointer(kTagTable, t); }
  static Value of(const Closure* c) { return pointer(kTagClosure, c); }
  static Value of(const Object* o) { return pointer(kTagObject, o); }
  static Value of(const BoxedInt* b) { return pointer(kTagBoxedInt, b); }

  uint64_t tag() const { return bits >> 48; }
  bool is_nil() const { return bits == kNilBits; }
  bool is_boolean() const { return bits - kNilBits - 1 <= 1; }
  bool is_true() const { return bits == kNilBits + 2; }
  /// nil or false.
  bool is_falsy() const { return bits - kNilBits <= 1; }
  bool is_double() const { return bits <= kLastDouble; }
  bool is_small_int() const { return static_cast<int64_t>(bits) >> 48 == -1; }
  bool is_boxed_int() const { return tag() == kTagBoxedInt; }
  bool is_integer() const { return is_small_int() || is_boxed_int(); }
  bool is_number() const { return is_double() || is_integer(); }
  bool is_string() const { return tag() == kTagString; }
  bool is_table() const { return tag() == kTagTable; }
  bool is_closure() const { return tag() == kTagClosure; }
  bool is_object() const { return tag() == kTagObject; }
  bool is_pointer() const {
    return bits - kPointerLo <= kPointerHi - kPointerLo;
  }

  double as_double() const {
    double d;
    std::memcpy(&d, &bits, 8);
    return d;
  }
  int64_t as_small_int() const {
    return static_cast<int64_t>(bits << 16) >> 16;
  }
  void* address() const { return reinterpret_cast<void*>(bits & kPayloadMask); }
  String* as_string() const { return static_cast<String*>(address()); }
  Table* as_table() const { return static_cast<Table*>(address()); }
  Closure* as_closure() const { return static_cast<Closure*>(address()); }
  Object* as_object() const { return static_cast<Object*>(address()); }
  /// Any integer, immediate or boxed.
  int64_t as_integer() const {
    if (is_small_int()) return as_small_int();
    return static_cast<BoxedInt*>(address())->value;
  }
};

static_assert(sizeof(Value) == 8);

inline bool fits_small(int64_t i) {
  return static_cast<int64_t>(static_cast<uint64_t>(i) << 16) >> 16 == i;
}

inline bool same_bits(Value a, Value b) { return a.bits == b.bits; }

}  // namespace tlua

template <>
struct tricolor::ValueTraits<tlua::Value> {
  static void* cell(tlua::Value v) {
    return v.is_pointer() ? v.address() : nullptr;
  }
};

#endif  // TLUA_VALUE_H_
