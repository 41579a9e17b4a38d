// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// See heap/layout_table.h. A spec is checked whole before anything is stored,
// and the error names the field.
#include "heap/layout_table.h"

#include <cstdarg>
#include <cstdio>
#include <cstring>

#include "base/check.h"

namespace tricolor::heap {

namespace {

bool refuse(Error* error, ErrorCode code, const char* format, ...)
    TRI_PRINTF(3, 4);

bool refuse(Error* error, ErrorCode code, const char* format, ...) {
  if (error != nullptr) {
    error->code = code;
    va_list args;
    va_start(args, format);
    std::vsnprintf(error->text, sizeof(error->text), format, args);
    va_end(args);
  }
  return false;
}

const char* name_of(const LayoutSpec& spec) {
  return spec.name == nullptr ? "" : spec.name;
}

bool offsets_to_bits(const LayoutSpec& spec, const char* field,
                     const uint32_t* offsets, size_t count, uint64_t* bits,
                     Error* error) {
  for (size_t i = 0; i < count; ++i) {
    uint32_t at = offsets[i];
    const char* why = nullptr;
    if (at % 8 != 0) why = "is not a multiple of 8";
    if (at + 8 > spec.head_bytes) why = "lies outside head_bytes";
    if (at / 8 >= kMaxHeadWords) why = "is not below 512; use a trace function";
    if (why == nullptr && (*bits >> (at / 8) & 1) != 0) why = "is given twice";
    if (why != nullptr) {
      return refuse(error, ErrorCode::kInvalidArgument,
                    "register_layout '%s': %s[%zu] = %u %s (head_bytes = %u)",
                    name_of(spec), field, i, at, why, spec.head_bytes);
    }
    *bits |= uint64_t{1} << (at / 8);
  }
  return true;
}

ScanKind kind_of(const LayoutSpec& spec, const HotLayout& hot) {
  using Tail = LayoutSpec::Tail;
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

bool check_spec(const LayoutSpec& spec, uint32_t encodings, Error* error) {
  auto bad = [&](const char* what) {
    return refuse(error, ErrorCode::kInvalidArgument,
                  "register_layout '%s': %s", name_of(spec), what);
  };
  if (spec.encoding >= encodings) {
    return bad("encoding is not registered; see Runtime::register_encoding");
  }
  if (spec.tail > LayoutSpec::Tail::kNoscan) {
    return refuse(error, ErrorCode::kInvalidArgument,
                  "register_layout '%s': tail is %u; it is one of kNone, "
                  "kPointers, kEncoded, kNoscan (0 to 3)",
                  name_of(spec), static_cast<unsigned>(spec.tail));
  }
  if (spec.head_bytes % 8 != 0) return bad("head_bytes is not a multiple of 8");
  if (spec.trace == nullptr && spec.tail == LayoutSpec::Tail::kNone &&
      spec.head_bytes == 0) {
    return bad("head_bytes is 0 and there is no tail: the cell would be empty");
  }
  if (spec.trace != nullptr &&
      (spec.pointer_count != 0 || spec.encoded_count != 0)) {
    return bad(
        "trace is set, so pointer_offsets and encoded_offsets must be "
        "empty: the trace function reports all pointers");
  }
  if ((spec.pointer_count != 0 && spec.pointer_offsets == nullptr) ||
      (spec.encoded_count != 0 && spec.encoded_offsets == nullptr)) {
    return bad("an offset count is given without its array");
  }
  return true;
}

}  // namespace

bool LayoutTable::init(base::MetaArena* meta) {
  meta_ = meta;
  hot_ = static_cast<HotLayout*>(
      meta->alloc(sizeof(HotLayout) * kMaxLayouts, alignof(HotLayout)));
  cold_ = static_cast<ColdLayout*>(
      meta->alloc(sizeof(ColdLayout) * kMaxLayouts, alignof(ColdLayout)));
  if (hot_ == nullptr || cold_ == nullptr) return false;
  encodings_[kRawPointers] = Encoding{};
  encoding_count_.store_release(1);
  count_.store_release(1);
  return true;
}

void LayoutTable::destroy() {}  // the MetaArena owns everything

LayoutId LayoutTable::find_equal_locked(const HotLayout& hot,
                                        const ColdLayout& cold) {
  uint32_t n = count_.load_relaxed();
  for (uint32_t id = 1; id < n; ++id) {
    const HotLayout& h = hot_[id];
    const ColdLayout& c = cold_[id];
    if (!c.distinct && h.kind == hot.kind && h.encoding == hot.encoding &&
        h.tail == hot.tail && h.flags == hot.flags &&
        h.head_bytes == hot.head_bytes &&
        h.head_pointers == hot.head_pointers &&
        h.head_encoded == hot.head_encoded && h.trace == hot.trace &&
        c.on_dead == cold.on_dead && c.user == cold.user) {
      return static_cast<LayoutId>(id);
    }
  }
  return kInvalidLayout;
}

LayoutId LayoutTable::add(const LayoutSpec& spec, uint8_t flags, Error* error) {
  HotLayout hot{};
  if (!check_spec(spec, encoding_count(), error) ||
      !offsets_to_bits(spec, "pointer_offsets", spec.pointer_offsets,
                       spec.pointer_count, &hot.head_pointers, error) ||
      !offsets_to_bits(spec, "encoded_offsets", spec.encoded_offsets,
                       spec.encoded_count, &hot.head_encoded, error)) {
    return kInvalidLayout;
  }
  if ((hot.head_pointers & hot.head_encoded) != 0) {
    refuse(error, ErrorCode::kInvalidArgument,
           "register_layout '%s': an offset is in both pointer_offsets and "
           "encoded_offsets",
           name_of(spec));
    return kInvalidLayout;
  }
  hot.kind = kind_of(spec, hot);
  hot.encoding = spec.encoding;
  hot.tail = spec.tail;
  hot.head_bytes = spec.head_bytes;
  hot.trace = spec.trace;
  if (spec.uninitialized && hot.kind != ScanKind::kNoscan) {
    refuse(
        error, ErrorCode::kInvalidArgument,
        "register_layout '%s': uninitialized is set, but cells have pointers "
        "or a trace function: a collection would read garbage",
        name_of(spec));
    return kInvalidLayout;
  }
  hot.flags = static_cast<uint8_t>(flags | (spec.on_dead ? kOnDead : 0) |
                                   (spec.uninitialized ? kNoZero : 0));
  ColdLayout cold{spec.on_dead, spec.user, nullptr, spec.distinct};
  const char* name = name_of(spec);

  base::LockGuard guard(lock_);
  if (!spec.distinct) {
    LayoutId same = find_equal_locked(hot, cold);
    if (same != kInvalidLayout) return same;
  }
  uint32_t id = count_.load_relaxed();
  if (id >= kMaxLayouts) {
    refuse(error, ErrorCode::kLimit,
           "register_layout '%s': %u layouts are registered; the limit is %u",
           name, id - 1, kMaxLayouts - 1);
    return kInvalidLayout;
  }
  size_t bytes = std::strlen(name) + 1;
  char* copy = static_cast<char*>(meta_->alloc(bytes, 1));
  if (copy == nullptr) {
    refuse(error, ErrorCode::kOutOfMemory,
           "register_layout '%s': no memory for its name", name);
    return kInvalidLayout;
  }
  std::memcpy(copy, name, bytes);
  cold.name = copy;
  hot_[id] = hot;
  cold_[id] = cold;
  // ORDER-layouts-1: pairs with count(): the entry is complete before its id.
  count_.store_release(id + 1);
  return static_cast<LayoutId>(id);
}

EncodingId LayoutTable::add_encoding(const Encoding& e, Error* error) {
  constexpr EncodingId kInvalid = 0xff;
  const char* why = nullptr;
  if (e.kind != EncodingKind::kRaw && e.kind != EncodingKind::kRange &&
      e.kind != EncodingKind::kTagSet) {
    why = "kind is not one of kRaw, kTagSet, kRange";
  }
  if (e.kind == EncodingKind::kRange && e.range_lo > e.range_hi) {
    why = "range_lo is above range_hi";
  }
  if (e.kind == EncodingKind::kTagSet && e.tag_shift > 63) {
    why = "tag_shift is above 63";
  }
  if ((e.payload_mask & 0x0000'7fff'ffff'fff0) != 0x0000'7fff'ffff'fff0) {
    why =
        "payload_mask drops address bits; cells are 16-byte aligned and "
        "below 2^47";
  }
  if (why == nullptr && e.kind != EncodingKind::kRaw &&
      decode(e, e.cleared_word) != nullptr) {
    why = "cleared_word itself encodes a pointer";
  }
  if (why != nullptr) {
    refuse(error, ErrorCode::kInvalidArgument, "register_encoding: %s", why);
    return kInvalid;
  }
  base::LockGuard guard(lock_);
  uint32_t id = encoding_count_.load_relaxed();
  if (id >= kMaxEncodings) {
    refuse(error, ErrorCode::kLimit, "register_encoding: the limit is %u",
           kMaxEncodings);
    return kInvalid;
  }
  encodings_[id] = e;
  encoding_count_.store_release(id + 1);
  return static_cast<EncodingId>(id);
}

}  // namespace tricolor::heap
