// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Value encodings: how a VM's value of 8 or 16 bytes says that it is a managed
// pointer. A runtime registers each once; layouts, value stacks and Fields
// refer to it. ValueTraits<V> tells the same to the C++ templates at compile
// time.
//
// Source of the idea: NaN boxing as in LuaJIT and SpiderMonkey ("compare
// range"), low-bit tagging as in V8 and most Schemes ("tag set").
#ifndef TRICOLOR_ENCODING_H_
#define TRICOLOR_ENCODING_H_

#include <cstdint>
#include <cstring>
#include <type_traits>

namespace tricolor {

using EncodingId = uint8_t;

/// Words are plain pointers (null, a cell start, or outside the heap).
inline constexpr EncodingId kRawPointers = 0;

enum class EncodingKind : uint8_t {
  kRaw,     ///< the word is the pointer
  kTagSet,  ///< (word >> tag_shift) & tag_mask selects a bit of tag_set
  kRange,   ///< pointer iff range_lo <= word <= range_hi (NaN boxes)
};

/// A value is one word (stride 8), or a tag word and a payload word side by
/// side at a multiple of 16 bytes (stride 16, kTagSet only). What the rule
/// calls a pointer, looking at the word or at the tag word, has the address
/// `(word & payload_mask)`, of the word or of the payload word; it may still
/// lie outside the heap.
///
/// Stride 16 is for layouts alone: PairField (tricolor/pair.h) moves such
/// values; a value stack, RootTable or Field does not take them. The marker
/// reads the two words one by one, so it may see half of one value and half of
/// another, and writers may store them one by one, in either order. What makes
/// that safe: every store, while marking, shades the cell of the old value and
/// that of the new one (or the writer's stack has been scanned, and the new one
/// is sure to be marked anyway). A torn pair then either is no pointer, and
/// nothing is lost, for neither cell needs this slot; or it has a pointer's
/// tag and the payload of an old value, of a new one, or of a number. Such a
/// payload is looked at as every word of the heap is: unless it is the start of
/// a cell that this cycle has found neither dead nor alive yet it is ignored;
/// else that cell is kept for one cycle more.
struct Encoding {
  EncodingKind kind = EncodingKind::kRaw;
  uint8_t stride = 8;          ///< bytes of a value: 8 or 16
  uint8_t tag_offset = 0;      ///< stride 16: of the tag word, 0 or 8
  uint8_t payload_offset = 8;  ///< stride 16: of the other word
  uint8_t tag_shift = 0;
  uint8_t tag_mask = 0xff;
  uint64_t tag_set[4] = {};  ///< bit t set: tag t is a pointer
  uint64_t range_lo = 0;
  uint64_t range_hi = 0;
  uint64_t payload_mask = ~uint64_t{0};
  /// Written into a weak slot when it dies; stride 16: its tag word, beside a
  /// payload of 0.
  uint64_t cleared_word = 0;
};

/// Specialise for an encoded value type V (8 bytes, or 16 for a PairField;
/// trivially copyable):
///   static void* cell(V v);   // the managed pointer in v, or null
/// Pointers T* need no specialisation.
template <class V>
struct ValueTraits;

template <class T>
struct ValueTraits<T*> {
  static void* cell(T* v) {
    return const_cast<void*>(static_cast<const void*>(v));
  }
};

namespace detail {

template <class V>
inline uint64_t to_word(V v) {
  static_assert(sizeof(V) == 8 && std::is_trivially_copyable_v<V>,
                "a managed value is 8 bytes and trivially copyable; for 16 "
                "bytes see tricolor/pair.h");
  uint64_t w;
  std::memcpy(&w, &v, 8);
  return w;
}

template <class V>
inline V from_word(uint64_t w) {
  V v;
  std::memcpy(&v, &w, 8);
  return v;
}

/// Field<T> for a class type T holds a T*; for an encoded value V, a V.
template <class T, class = void>
struct SlotValue {
  using type = T*;
};
template <class T>
struct SlotValue<T, std::void_t<decltype(&ValueTraits<T>::cell)>> {
  using type = T;
};

/// Whether a slot of T holds a plain pointer, as kRawPointers says. What roots
/// encoded values wants their encoding named.
template <class T>
inline constexpr bool kIsRawSlot =
    std::is_pointer_v<typename SlotValue<T>::type>;

}  // namespace detail
}  // namespace tricolor

#endif  // TRICOLOR_ENCODING_H_
