// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// See heap/layout_check.h.
#include "heap/layout_check.h"

#include <cstdarg>
#include <cstdio>

namespace tricolor::heap {

namespace {

using Strength = LayoutSpec::Strength;
using Tail = LayoutSpec::Tail;

constexpr auto kBad = ErrorCode::kInvalidArgument;

const char* name_of(Strength s) {
  return s == Strength::kWeak ? "kWeak" : "kEphemeron";
}

bool check_enums(const LayoutSpec& spec, Error* error) {
  if (spec.tail > Tail::kNoscan) {
    return refuse_layout(error, kBad, spec,
                         "tail is %u; it is one of kNone, kPointers, kEncoded, "
                         "kNoscan (0 to 3)",
                         static_cast<unsigned>(spec.tail));
  }
  const bool head = spec.head_strength > Strength::kEphemeron;
  if (head || spec.tail_strength > Strength::kEphemeron) {
    return refuse_layout(
        error, kBad, spec,
        "%s is %u; it is one of kStrong, kWeak, kEphemeron (0 to 2)",
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
  if ((spec.pointer_count != 0 && spec.pointer_offsets == nullptr) ||
      (spec.encoded_count != 0 && spec.encoded_offsets == nullptr)) {
    return bad("an offset count is given without its array");
  }
  if (spec.encoding == kRawPointers &&
      (spec.tail == Tail::kEncoded || spec.encoded_count != 0)) {
    return bad(
        "encoding is kRawPointers, but there are encoded words; give their "
        "encoding, or use pointer_offsets and Tail::kPointers");
  }
  return true;
}

/// A trace function reports everything, and strongly.
bool check_custom(const LayoutSpec& spec, Error* error) {
  if (spec.trace == nullptr) return true;
  if (spec.pointer_count != 0 || spec.encoded_count != 0) {
    return refuse_layout(
        error, kBad, spec,
        "trace is set, so pointer_offsets and encoded_offsets must be empty: "
        "the trace function reports all pointers");
  }
  if (spec.tail == Tail::kPointers || spec.tail == Tail::kEncoded) {
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

bool offsets_to_bits(const LayoutSpec& spec, const char* field,
                     const uint32_t* offsets, size_t count, uint64_t* bits,
                     Error* error) {
  for (size_t i = 0; i < count; ++i) {
    uint32_t at = offsets[i];
    const char* why = nullptr;
    if (at % 8 != 0) {
      why = "is not a multiple of 8";
    } else if (at >= spec.head_bytes) {  // multiples of 8, both
      why = "lies outside head_bytes";
    } else if (at / 8 >= kMaxHeadWords) {
      why = "is not below 512; use a trace function";
    } else if ((*bits >> (at / 8) & 1) != 0) {
      why = "is given twice";
    }
    if (why != nullptr) {
      return refuse_layout(error, kBad, spec,
                           "%s[%zu] = %u %s (head_bytes = %u)", field, i, at,
                           why, spec.head_bytes);
    }
    *bits |= uint64_t{1} << (at / 8);
  }
  return true;
}

/// Words 2k and 2k + 1 of a cell make a pair; `bits` must be whole pairs.
bool check_head_pairs(const LayoutSpec& spec, uint64_t bits, Error* error) {
  constexpr uint64_t kKeys = 0x5555'5555'5555'5555;
  const uint64_t alone = ((bits >> 1) ^ bits) & kKeys;
  if (alone == 0) return true;
  const uint32_t key = static_cast<uint32_t>(__builtin_ctzll(alone)) * 8;
  const bool has_key = (bits >> (key / 8) & 1) != 0;
  return refuse_layout(
      error, kBad, spec,
      "head_strength is kEphemeron, but offset %u is given without offset %u: "
      "a key lies at a multiple of 16, its value 8 bytes behind",
      has_key ? key : key + 8, has_key ? key + 8 : key);
}

bool check_strength(const LayoutSpec& spec, const HotLayout& hot,
                    Error* error) {
  const uint64_t bits = hot.head_pointers | hot.head_encoded;
  if (spec.head_strength != Strength::kStrong && bits == 0) {
    return refuse_layout(
        error, kBad, spec,
        "head_strength is %s, but pointer_offsets and encoded_offsets are "
        "empty: there is nothing to hold so",
        name_of(spec.head_strength));
  }
  if (spec.head_strength == Strength::kEphemeron &&
      !check_head_pairs(spec, bits, error)) {
    return false;
  }
  if (spec.tail_strength == Strength::kStrong) return true;
  if (spec.tail != Tail::kPointers && spec.tail != Tail::kEncoded) {
    return refuse_layout(error, kBad, spec,
                         "tail_strength is %s, but tail is %s; it must be "
                         "kPointers or kEncoded",
                         name_of(spec.tail_strength),
                         spec.tail == Tail::kNone ? "kNone" : "kNoscan");
  }
  if (spec.tail_strength == Strength::kEphemeron && spec.head_bytes % 16 != 0) {
    return refuse_layout(
        error, kBad, spec,
        "tail_strength is kEphemeron, but head_bytes = %u is not a multiple of "
        "16: the pairs of the tail would lie across",
        spec.head_bytes);
  }
  return true;
}

ScanKind kind_of(const LayoutSpec& spec, const HotLayout& hot) {
  if (spec.trace != nullptr) return ScanKind::kCustom;
  bool scanned_tail =
      spec.tail == Tail::kPointers || spec.tail == Tail::kEncoded;
  if (!scanned_tail) {
    if (hot.head_encoded != 0) return ScanKind::kMixed;
    return hot.head_pointers != 0 ? ScanKind::kHeadPointers : ScanKind::kNoscan;
  }
  if (spec.head_bytes == 0) {
    return spec.tail == Tail::kPointers ? ScanKind::kAllPointers
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

bool check_layout(const LayoutSpec& spec, uint32_t encodings, HotLayout* out,
                  Error* error) {
  HotLayout hot{};
  if (!check_enums(spec, error) || !check_fields(spec, encodings, error) ||
      !check_custom(spec, error) ||
      !offsets_to_bits(spec, "pointer_offsets", spec.pointer_offsets,
                       spec.pointer_count, &hot.head_pointers, error) ||
      !offsets_to_bits(spec, "encoded_offsets", spec.encoded_offsets,
                       spec.encoded_count, &hot.head_encoded, error)) {
    return false;
  }
  if ((hot.head_pointers & hot.head_encoded) != 0) {
    return refuse_layout(
        error, kBad, spec,
        "offset %d is in both pointer_offsets and encoded_offsets",
        __builtin_ctzll(hot.head_pointers & hot.head_encoded) * 8);
  }
  if (!check_strength(spec, hot, error)) return false;
  hot.kind = kind_of(spec, hot);
  hot.encoding = spec.encoding;
  hot.tail = spec.tail;
  hot.head_bytes = spec.head_bytes;
  hot.trace = spec.trace;
  if (spec.uninitialized && hot.kind != ScanKind::kNoscan) {
    return refuse_layout(
        error, kBad, spec,
        "uninitialized is set, but cells have pointers or a trace function: a "
        "collection would read garbage");
  }
  hot.flags = static_cast<uint8_t>((spec.on_dead ? kOnDead : 0) |
                                   (spec.uninitialized ? kNoZero : 0));
  *out = hot;
  return true;
}

namespace {

constexpr uint64_t kAddressBits = 0x0000'7fff'ffff'fff0;

/// Whether payload_mask leaves some bit that every pointer of a range has, and
/// no address: all of them would count as outside the heap.
bool range_is_outside(const Encoding& e) {
  const uint64_t differ = e.range_lo ^ e.range_hi;
  const uint64_t common =
      differ == 0 ? ~uint64_t{0} : ~(~uint64_t{0} >> __builtin_clzll(differ));
  return (e.range_lo & common & e.payload_mask & ~(kAddressBits | 15)) != 0;
}

/// Whether tag t can be read at all, and is a pointer's.
bool is_pointer_tag(const Encoding& e, uint64_t t) {
  return (t & ~uint64_t{e.tag_mask}) == 0 &&
         (e.tag_set[t >> 6] >> (t & 63) & 1) != 0;
}

const char* what_is_wrong_with_tags(const Encoding& e) {
  if (e.tag_shift > 63) return "tag_shift is above 63";
  bool any = false;
  for (uint64_t t = 0; t < 256; ++t) {
    if (!is_pointer_tag(e, t)) continue;
    any = true;
    if ((t << e.tag_shift & e.payload_mask & ~kAddressBits) != 0) {
      return "payload_mask leaves bits of a pointer's tag in its address";
    }
  }
  return any ? nullptr : "tag_set has no tag that tag_mask lets through";
}

const char* what_is_wrong(const Encoding& e) {
  if (e.kind != EncodingKind::kRaw && e.kind != EncodingKind::kRange &&
      e.kind != EncodingKind::kTagSet) {
    return "kind is not one of kRaw, kTagSet, kRange";
  }
  if (e.kind == EncodingKind::kRange && e.range_lo > e.range_hi) {
    return "range_lo is above range_hi";
  }
  if ((e.payload_mask & kAddressBits) != kAddressBits) {
    return "payload_mask drops address bits; cells are 16-byte aligned and "
           "below 2^47";
  }
  if (e.kind == EncodingKind::kRange && range_is_outside(e)) {
    return "payload_mask leaves bits of the range in the address; clear those "
           "above 2^47";
  }
  if (e.kind == EncodingKind::kTagSet) {
    const char* why = what_is_wrong_with_tags(e);
    if (why != nullptr) return why;
  }
  if (e.kind != EncodingKind::kRaw && decode(e, e.cleared_word) != nullptr) {
    return "cleared_word itself encodes a pointer";
  }
  return nullptr;
}

}  // namespace

bool check_encoding(const Encoding& e, Error* error) {
  const char* why = what_is_wrong(e);
  if (why == nullptr) return true;
  if (error != nullptr) {
    error->code = ErrorCode::kInvalidArgument;
    std::snprintf(error->text, sizeof(error->text), "register_encoding: %s",
                  why);
  }
  return false;
}

}  // namespace tricolor::heap
