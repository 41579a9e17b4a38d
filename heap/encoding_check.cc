// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// check_encoding of heap/layout_check.h.
#include <cstdio>

#include "heap/layout_check.h"

namespace tricolor::heap {

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
    if (e.stride == 8 &&
        (t << e.tag_shift & e.payload_mask & ~kAddressBits) != 0) {
      return "payload_mask leaves bits of a pointer's tag in its address";
    }
  }
  return any ? nullptr : "tag_set has no tag that tag_mask lets through";
}

const char* what_is_wrong_with_stride(const Encoding& e) {
  if (e.stride == 8) return nullptr;
  if (e.stride != 16) return "stride is not 8 or 16";
  if (e.kind != EncodingKind::kTagSet) {
    return "stride is 16, but kind is not kTagSet";
  }
  if ((e.tag_offset != 0 && e.tag_offset != 8) ||
      e.tag_offset + e.payload_offset != 8) {
    return "tag_offset and payload_offset are not 0 and 8 or 8 and 0";
  }
  return nullptr;
}

const char* what_is_wrong(const Encoding& e) {
  if (e.kind != EncodingKind::kRaw && e.kind != EncodingKind::kRange &&
      e.kind != EncodingKind::kTagSet) {
    return "kind is not one of kRaw, kTagSet, kRange";
  }
  if (const char* why = what_is_wrong_with_stride(e)) return why;
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
  // Any payload but 0 tells whether the tag is a pointer's.
  const void* cleared = e.stride == 16
                            ? decode_pair(e, e.cleared_word, kAddressBits)
                            : decode(e, e.cleared_word);
  if (e.kind != EncodingKind::kRaw && cleared != nullptr) {
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
