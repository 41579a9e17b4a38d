// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// tricolor/tricolor_layout.h over the C++ API, as sched/c_api.cc does for the
// rest. Trace functions are called as they are, without one of ours between:
// a tri_tracer* is a Tracer*, which is how a Tracer& travels.
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <type_traits>

#include "tricolor/all.h"
#include "tricolor/tricolor.h"

using tricolor::Encoding;
using tricolor::EncodingKind;
using tricolor::Error;
using tricolor::LayoutSpec;
using tricolor::Runtime;
using tricolor::Tracer;

static_assert(TRI_TAIL_POINTERS ==
              static_cast<int>(LayoutSpec::Tail::kPointers));
static_assert(TRI_TAIL_ENCODED == static_cast<int>(LayoutSpec::Tail::kEncoded));
static_assert(TRI_TAIL_NOSCAN == static_cast<int>(LayoutSpec::Tail::kNoscan));
static_assert(TRI_TAIL_ELEMENTS ==
              static_cast<int>(LayoutSpec::Tail::kElements));
static_assert(TRI_EPHEMERON ==
              static_cast<int>(LayoutSpec::Strength::kEphemeron));
static_assert(TRI_ENCODING_RANGE == static_cast<int>(EncodingKind::kRange));
static_assert(TRI_RAW_POINTERS == tricolor::kRawPointers);
static_assert(TRI_INVALID_ENCODING == Runtime::kInvalidEncoding);
static_assert(std::is_standard_layout_v<Tracer> && sizeof(Tracer) == 8);

namespace {

Runtime& cpp(tri_runtime* rt) { return *reinterpret_cast<Runtime*>(rt); }
const Runtime& cpp(const tri_runtime* rt) {
  return *reinterpret_cast<const Runtime*>(rt);
}
Tracer& cpp(tri_tracer* tracer) { return *reinterpret_cast<Tracer*>(tracer); }

/// What has no such value becomes 0xff, which is refused below.
uint8_t byte_of(int64_t value) {
  return static_cast<uint8_t>(value >= 0 && value < 0xff ? value : 0xff);
}

bool refuse(tri_error* error, const char* call, const char* what) {
  if (error == nullptr) return false;
  error->code = static_cast<int>(tricolor::ErrorCode::kInvalidArgument);
  std::snprintf(error->text, sizeof(error->text), "%s: %s", call, what);
  return false;
}

/// Copies a struct that begins with its size. Fields that one side does not
/// have must be zero where the caller has them, and keep their value in *to
/// where it has not.
template <class T>
bool take(const T* from, T* to, const char* call, tri_error* error) {
  if (from == nullptr) return refuse(error, call, "the argument is null");
  const size_t size = from->size;
  if (size == 0) {
    return refuse(error, call, "size is 0; start from the struct's _INIT");
  }
  if (size < offsetof(T, size) + sizeof(from->size) || size > 4096) {
    return refuse(error, call, "size is that of no version of the struct");
  }
  const auto* bytes = reinterpret_cast<const unsigned char*>(from);
  for (size_t i = sizeof(T); i < size; ++i) {
    if (bytes[i] != 0) {
      return refuse(error, call,
                    "a field is set that this library, which is older than "
                    "the header, does not have");
    }
  }
  std::memcpy(to, from, size < sizeof(T) ? size : sizeof(T));
  return true;
}

}  // namespace

extern "C" {

void tri_visit(tri_tracer* tracer, const void* cell) {
  cpp(tracer).visit(cell);
}

void tri_visit_words(tri_tracer* tracer, const uint64_t* words, size_t n,
                     uint8_t encoding) {
  cpp(tracer).visit_words(words, n, encoding);
}

uint8_t tri_encoding_register(tri_runtime* rt, const tri_encoding* encoding,
                              tri_error* error) {
  tri_encoding from = TRI_ENCODING_INIT;
  if (!take(encoding, &from, "tri_encoding_register", error)) {
    return TRI_INVALID_ENCODING;
  }
  if (from.tag_mask > 0xff) {
    refuse(error, "tri_encoding_register", "tag_mask is above 255");
    return TRI_INVALID_ENCODING;
  }
  Encoding e;
  e.kind = static_cast<EncodingKind>(byte_of(from.kind));
  e.stride = byte_of(from.stride);
  e.tag_offset = byte_of(from.tag_offset);
  e.payload_offset = byte_of(from.payload_offset);
  e.tag_shift = byte_of(from.tag_shift);
  e.tag_mask = static_cast<uint8_t>(from.tag_mask);
  std::memcpy(e.tag_set, from.tag_set, sizeof(e.tag_set));
  e.range_lo = from.range_lo;
  e.range_hi = from.range_hi;
  e.payload_mask = from.payload_mask;
  e.cleared_word = from.cleared_word;
  return cpp(rt).register_encoding(e, reinterpret_cast<Error*>(error));
}

uint16_t tri_layout_register(tri_runtime* rt, const tri_layout_spec* spec,
                             tri_error* error) {
  tri_layout_spec from = TRI_LAYOUT_SPEC_INIT;
  if (!take(spec, &from, "tri_layout_register", error)) {
    return tricolor::kInvalidLayout;
  }
  LayoutSpec s;
  s.name = from.name;
  s.head_bytes = from.head_bytes;
  s.pointer_offsets = from.pointer_offsets;
  s.pointer_count = from.pointer_count;
  s.encoded_offsets = from.encoded_offsets;
  s.encoded_count = from.encoded_count;
  s.tail = static_cast<LayoutSpec::Tail>(byte_of(from.tail));
  s.tail_stride = from.tail_stride;
  s.tail_pointer_offsets = from.tail_pointer_offsets;
  s.tail_pointer_count = from.tail_pointer_count;
  s.tail_encoded_offsets = from.tail_encoded_offsets;
  s.tail_encoded_count = from.tail_encoded_count;
  s.encoding = from.encoding;
  s.head_strength =
      static_cast<LayoutSpec::Strength>(byte_of(from.head_strength));
  s.tail_strength =
      static_cast<LayoutSpec::Strength>(byte_of(from.tail_strength));
  auto* any = reinterpret_cast<void (*)()>(from.trace);
  s.trace = reinterpret_cast<tricolor::TraceFn>(any);
  s.on_dead = from.on_dead;
  s.user = from.user;
  s.deferred = from.deferred;
  s.distinct = from.distinct;
  s.uninitialized = from.uninitialized;
  s.cleared_count_offset = from.cleared_count_offset;
  return cpp(rt).register_layout(s, reinterpret_cast<Error*>(error));
}

const char* tri_layout_name(const tri_runtime* rt, uint16_t layout) {
  return cpp(rt).layout_name(layout);
}

void* tri_layout_user(const tri_runtime* rt, uint16_t layout) {
  return cpp(rt).layout_user(layout);
}

}  // extern "C"
