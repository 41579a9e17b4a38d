// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// See heap/layout_check.h.
#include "heap/layout_check.h"

#include <cstdarg>
#include <cstdio>
#include <cstring>

namespace tricolor::heap {

namespace {

using Strength = LayoutSpec::Strength;
using Tail = LayoutSpec::Tail;

constexpr auto kBad = ErrorCode::kInvalidArgument;

const char* name_of(Strength s) {
  if (s == Strength::kLongWeak) return "kLongWeak";
  return s == Strength::kWeak ? "kWeak" : "kEphemeron";
}

bool check_enums(const LayoutSpec& spec, Error* error) {
  if (spec.tail > Tail::kElements) {
    return refuse_layout(error, kBad, spec,
                         "tail is %u; it is one of kNone, kPointers, kEncoded, "
                         "kNoscan, kElements (0 to 4)",
                         static_cast<unsigned>(spec.tail));
  }
  const bool head = spec.head_strength > Strength::kLongWeak;
  if (head || spec.tail_strength > Strength::kLongWeak) {
    return refuse_layout(
        error, kBad, spec,
        "%s is %u; it is one of kStrong, kWeak, kEphemeron, kLongWeak (0 to 3)",
        head ? "head_strength" : "tail_strength",
        static_cast<unsigned>(head ? spec.head_strength : spec.tail_strength));
  }
  return true;
}

bool check_fields(const LayoutSpec& spec, uint32_t encodings, Error* error) {
  auto bad = [&](const char* what) {
    return refuse_layout(error, kBad, spec, "%s", what);
  };
  if (spec.encoding >= encodings) {
    return bad("encoding is not registered; see Runtime::register_encoding");
  }
  if (spec.head_bytes % 8 != 0) return bad("head_bytes is not a multiple of 8");
  if (spec.trace == nullptr && spec.tail == Tail::kNone &&
      spec.head_bytes == 0) {
    return bad("head_bytes is 0 and there is no tail: the cell would be empty");
  }
  const struct {
    const char* name;
    size_t count;
    const uint32_t* offsets;
  } arrays[] = {
      {"pointer", spec.pointer_count, spec.pointer_offsets},
      {"encoded", spec.encoded_count, spec.encoded_offsets},
      {"tail_pointer", spec.tail_pointer_count, spec.tail_pointer_offsets},
      {"tail_encoded", spec.tail_encoded_count, spec.tail_encoded_offsets},
  };
  for (const auto& a : arrays) {
    if (a.count == 0 || a.offsets != nullptr) continue;
    return refuse_layout(error, kBad, spec,
                         "%s_count is given without its array, %s_offsets",
                         a.name, a.name);
  }
  if (spec.encoding == kRawPointers &&
      (spec.tail == Tail::kEncoded || spec.encoded_count != 0 ||
       spec.tail_encoded_count != 0)) {
    return bad(
        "encoding is kRawPointers, but there are encoded words; give their "
        "encoding, or use pointer_offsets and Tail::kPointers");
  }
  return true;
}

/// A stride and offsets inside it come with kElements, and kElements with them.
bool check_elements(const LayoutSpec& spec, Error* error) {
  auto bad = [&](const char* what) {
    return refuse_layout(error, kBad, spec, "%s", what);
  };
  const bool offsets =
      spec.tail_pointer_count != 0 || spec.tail_encoded_count != 0;
  if (spec.tail != Tail::kElements) {
    if (spec.tail_stride != 0) {
      return bad("tail_stride is set, but tail is not kElements");
    }
    if (offsets) {
      return bad(
          "tail_pointer_offsets or tail_encoded_offsets are given, but tail is "
          "not kElements");
    }
    return true;
  }
  if (spec.tail_stride == 0) {
    return bad("tail is kElements, but tail_stride, the bytes of one, is 0");
  }
  if (spec.tail_stride % 8 != 0) {
    return bad("tail_stride is not a multiple of 8");
  }
  if (spec.tail_stride / 8 > kMaxHeadWords) {
    return refuse_layout(error, kBad, spec,
                         "tail_stride is %u; above 512 use a trace function",
                         spec.tail_stride);
  }
  if (!offsets) {
    return bad(
        "tail is kElements, but tail_pointer_offsets and tail_encoded_offsets "
        "are empty; use kNoscan");
  }
  return true;
}

/// Where values of 16 bytes may begin.
bool check_alignment(const LayoutSpec& spec, Error* error) {
  const bool elements = spec.tail_encoded_count != 0;
  if (!elements && spec.tail != Tail::kEncoded) return true;
  const bool head = spec.head_bytes % 16 != 0;
  if (!head && (!elements || spec.tail_stride % 16 == 0)) return true;
  return refuse_layout(error, kBad, spec,
                       "%s = %u is not a multiple of 16, at which the 16-byte "
                       "values of the tail lie",
                       head ? "head_bytes" : "tail_stride",
                       head ? spec.head_bytes : spec.tail_stride);
}

/// A trace function reports everything, and strongly.
bool check_custom(const LayoutSpec& spec, Error* error) {
  if (spec.trace == nullptr) {
    return !spec.deferred ||
           refuse_layout(error, kBad, spec,
                         "deferred is set without trace: only a call of yours "
                         "can be put off to a stop");
  }
  if (spec.pointer_count != 0 || spec.encoded_count != 0) {
    return refuse_layout(
        error, kBad, spec,
        "trace is set, so pointer_offsets and encoded_offsets must be empty: "
        "the trace function reports all pointers");
  }
  if (spec.tail != Tail::kNone && spec.tail != Tail::kNoscan) {
    return refuse_layout(
        error, kBad, spec,
        "trace is set, so tail must be kNone or kNoscan: the trace function "
        "reports all pointers");
  }
  const bool head = spec.head_strength != Strength::kStrong;
  if (head || spec.tail_strength != Strength::kStrong) {
    return refuse_layout(
        error, kBad, spec,
        "%s is %s, but trace is set: what a trace function reports is strong",
        head ? "head_strength" : "tail_strength",
        name_of(head ? spec.head_strength : spec.tail_strength));
  }
  return true;
}

/// The offsets of one kind in the head or in an element.
struct Offsets {
  const char* field;
  const uint32_t* at;
  size_t count;
  uint32_t value_bytes;  ///< of what begins there
};
/// What they lie in.
struct Extent {
  const char* field;
  uint32_t bytes;
};

/// Null if a value may begin at `at`.
const char* what_is_wrong_at(uint32_t at, uint32_t value_bytes, uint32_t end,
                             uint64_t bits) {
  if (at % 8 != 0) return "is not a multiple of 8";
  if (at % value_bytes != 0) {
    return "is not a multiple of 16, at which 16-byte values lie";
  }
  if (at >= end || end - at < value_bytes) return "lies outside ";
  if (at / 8 >= kMaxHeadWords) return "is not below 512; use a trace function";
  return (bits >> (at / 8) & 1) != 0 ? "is given twice" : nullptr;
}

bool offsets_to_bits(const LayoutSpec& spec, const Extent& in, const Offsets& o,
                     uint64_t* bits, Error* error) {
  for (size_t i = 0; i < o.count; ++i) {
    const uint32_t at = o.at[i];
    const char* why = what_is_wrong_at(at, o.value_bytes, in.bytes, *bits);
    if (why != nullptr) {
      const bool outside = why[std::strlen(why) - 1] == ' ';
      return refuse_layout(error, kBad, spec, "%s[%zu] = %u %s%s (%s = %u)",
                           o.field, i, at, why, outside ? in.field : "",
                           in.field, in.bytes);
    }
    *bits |= uint64_t{1} << (at / 8);
  }
  return true;
}

/// The offsets of raw pointers and of encoded values, which may not overlap.
bool check_offsets(const LayoutSpec& spec, const Extent& in,
                   const Offsets& pointers, const Offsets& encoded,
                   uint64_t* pointer_bits, uint64_t* encoded_bits,
                   Error* error) {
  if (!offsets_to_bits(spec, in, pointers, pointer_bits, error) ||
      !offsets_to_bits(spec, in, encoded, encoded_bits, error)) {
    return false;
  }
  uint64_t taken = *encoded_bits;
  if (encoded.value_bytes == 16) taken |= taken << 1;
  const uint64_t both = *pointer_bits & taken;
  if (both == 0) return true;
  return refuse_layout(
      error, kBad, spec, "offset %d is in both %s and %s%s",
      __builtin_ctzll(both) * 8, pointers.field, encoded.field,
      encoded.value_bytes == 16 ? " (values of 16 bytes)" : "");
}

bool check_all_offsets(const LayoutSpec& spec, uint32_t value_bytes,
                       HotLayout* hot, TailPattern* pattern, Error* error) {
  if (!check_offsets(
          spec, {"head_bytes", spec.head_bytes},
          {"pointer_offsets", spec.pointer_offsets, spec.pointer_count, 8},
          {"encoded_offsets", spec.encoded_offsets, spec.encoded_count,
           value_bytes},
          &hot->head_pointers, &hot->head_encoded, error)) {
    return false;
  }
  if (value_bytes == 16 && !check_alignment(spec, error)) return false;
  if (spec.tail != Tail::kElements) return true;
  pattern->words = spec.tail_stride / 8;
  return check_offsets(spec, {"tail_stride", spec.tail_stride},
                       {"tail_pointer_offsets", spec.tail_pointer_offsets,
                        spec.tail_pointer_count, 8},
                       {"tail_encoded_offsets", spec.tail_encoded_offsets,
                        spec.tail_encoded_count, value_bytes},
                       &pattern->pointers, &pattern->encoded, error);
}

/// Elements that are pointers, or encoded values, throughout are a tail of one
/// kind: those are scanned faster, and merged.
Tail simplest_tail(const LayoutSpec& spec, uint32_t value_bytes,
                   TailPattern* pattern) {
  if (spec.tail != Tail::kElements) return spec.tail;
  const uint64_t all = ~uint64_t{0} >> (64 - pattern->words);
  const uint64_t begins = value_bytes == 16 ? 0x5555'5555'5555'5555 : ~0ull;
  Tail tail = Tail::kElements;
  if (pattern->pointers == all) tail = Tail::kPointers;
  if (pattern->encoded == (all & begins)) tail = Tail::kEncoded;
  if (tail != Tail::kElements) *pattern = TailPattern{};
  return tail;
}

/// Words 2k and 2k + 1 of a cell make a pair; `bits` must be whole pairs.
bool check_pairs(const LayoutSpec& spec, const char* field, uint64_t bits,
                 Error* error) {
  constexpr uint64_t kKeys = 0x5555'5555'5555'5555;
  const uint64_t alone = ((bits >> 1) ^ bits) & kKeys;
  if (alone == 0) return true;
  const uint32_t key = static_cast<uint32_t>(__builtin_ctzll(alone)) * 8;
  const bool has_key = (bits >> (key / 8) & 1) != 0;
  return refuse_layout(
      error, kBad, spec,
      "%s is kEphemeron, but offset %u is given without offset %u: "
      "a key lies at a multiple of 16, its value 8 bytes behind",
      field, has_key ? key : key + 8, has_key ? key + 8 : key);
}

bool check_tail_strength(const LayoutSpec& spec, const TailPattern& pattern,
                         Error* error) {
  if (spec.tail_strength == Strength::kStrong) return true;
  if (spec.tail == Tail::kNone || spec.tail == Tail::kNoscan) {
    return refuse_layout(error, kBad, spec,
                         "tail_strength is %s, but tail is %s; it must be "
                         "kPointers, kEncoded or kElements",
                         name_of(spec.tail_strength),
                         spec.tail == Tail::kNone ? "kNone" : "kNoscan");
  }
  if (spec.tail_strength != Strength::kEphemeron) return true;
  const bool head = spec.head_bytes % 16 != 0;
  if (head || spec.tail_stride % 16 != 0) {
    return refuse_layout(
        error, kBad, spec,
        "tail_strength is kEphemeron, but %s = %u is not a multiple of "
        "16: the pairs of the tail would lie across",
        head ? "head_bytes" : "tail_stride",
        head ? spec.head_bytes : spec.tail_stride);
  }
  return check_pairs(spec, "tail_strength", pattern.pointers | pattern.encoded,
                     error);
}

bool check_strength(const LayoutSpec& spec, uint32_t value_bytes,
                    const HotLayout& hot, const TailPattern& pattern,
                    Error* error) {
  const uint64_t bits = hot.head_pointers | hot.head_encoded;
  if (spec.head_strength != Strength::kStrong && bits == 0) {
    return refuse_layout(
        error, kBad, spec,
        "head_strength is %s, but pointer_offsets and encoded_offsets are "
        "empty: there is nothing to hold so",
        name_of(spec.head_strength));
  }
  const bool head_pairs = spec.head_strength == Strength::kEphemeron;
  const bool head_weak = spec.head_strength != Strength::kStrong;
  if (value_bytes == 16 &&
      (head_weak || spec.tail_strength != Strength::kStrong)) {
    return refuse_layout(
        error, kBad, spec,
        "%s is %s, and encoding that of 16-byte values: what is cleared while "
        "others may write to it has 8",
        head_weak ? "head_strength" : "tail_strength",
        name_of(head_weak ? spec.head_strength : spec.tail_strength));
  }
  if (head_pairs && !check_pairs(spec, "head_strength", bits, error)) {
    return false;
  }
  return check_tail_strength(spec, pattern, error);
}

bool check_cleared_count(const LayoutSpec& spec, const HotLayout& hot,
                         Error* error) {
  const uint32_t at = spec.cleared_count_offset;
  if (at == 0) return true;
  auto bad = [&](const char* what) {
    return refuse_layout(error, kBad, spec, "cleared_count_offset = %u %s", at,
                         what);
  };
  if (spec.head_strength == Strength::kStrong &&
      spec.tail_strength == Strength::kStrong) {
    return bad("is set, but all words are strong: nothing is ever cleared");
  }
  if (at % 8 != 0) return bad("is not a multiple of 8");
  if (at >= spec.head_bytes || spec.head_bytes - at < 8) {
    return bad("lies outside head_bytes");
  }
  const uint64_t bits = hot.head_pointers | hot.head_encoded;
  if (at / 8 < kMaxHeadWords && (bits >> (at / 8) & 1) != 0) {
    return bad("is that of a pointer");
  }
  return true;
}

ScanKind kind_of(const LayoutSpec& spec, const HotLayout& hot) {
  if (spec.trace != nullptr) return ScanKind::kCustom;
  if (spec.head_strength != Strength::kStrong ||
      spec.tail_strength != Strength::kStrong) {
    return ScanKind::kWeak;
  }
  if (hot.tail == Tail::kElements) return ScanKind::kElements;
  bool scanned_tail = hot.tail == Tail::kPointers || hot.tail == Tail::kEncoded;
  if (!scanned_tail) {
    if (hot.head_encoded != 0) return ScanKind::kMixed;
    return hot.head_pointers != 0 ? ScanKind::kHeadPointers : ScanKind::kNoscan;
  }
  if (spec.head_bytes == 0) {
    return hot.tail == Tail::kPointers ? ScanKind::kAllPointers
                                       : ScanKind::kAllEncoded;
  }
  return ScanKind::kMixed;
}

}  // namespace

bool refuse_layout(Error* error, ErrorCode code, const LayoutSpec& spec,
                   const char* format, ...) {
  if (error == nullptr) return false;
  error->code = code;
  int n = std::snprintf(
      error->text, sizeof(error->text),
      "register_layout '%.40s': ", spec.name == nullptr ? "" : spec.name);
  va_list args;
  va_start(args, format);
  std::vsnprintf(error->text + n, sizeof(error->text) - static_cast<size_t>(n),
                 format, args);
  va_end(args);
  return false;
}

bool check_layout(const LayoutSpec& spec, const Encoding* encodings,
                  uint32_t encoding_count, HotLayout* out,
                  TailPattern* pattern_out, Error* error) {
  HotLayout hot{};
  TailPattern pattern{};
  if (!check_enums(spec, error) || !check_fields(spec, encoding_count, error) ||
      !check_custom(spec, error) || !check_elements(spec, error)) {
    return false;
  }
  const uint32_t value_bytes = encodings[spec.encoding].stride;
  if (!check_all_offsets(spec, value_bytes, &hot, &pattern, error) ||
      !check_strength(spec, value_bytes, hot, pattern, error) ||
      !check_cleared_count(spec, hot, error)) {
    return false;
  }
  hot.tail = simplest_tail(spec, value_bytes, &pattern);
  hot.kind = kind_of(spec, hot);
  hot.encoding = spec.encoding;
  hot.head_bytes = spec.head_bytes;
  hot.trace = spec.trace;
  if (spec.uninitialized && hot.kind != ScanKind::kNoscan) {
    return refuse_layout(
        error, kBad, spec,
        "uninitialized is set, but cells have pointers or a trace function: a "
        "collection would read garbage");
  }
  hot.flags = static_cast<uint8_t>((spec.on_dead ? kOnDead : 0) |
                                   (spec.uninitialized ? kNoZero : 0) |
                                   (spec.deferred ? kDeferred : 0));
  *out = hot;
  *pattern_out = pattern;
  return true;
}

}  // namespace tricolor::heap
