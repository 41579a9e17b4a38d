// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Value encodings: how a VM's 8-byte value says that it is a managed pointer.
// A runtime registers each once; layouts, value stacks and Fields refer to it.
// ValueTraits<V> tells the same to the C++ templates at compile time.
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

/// Shapes: stride is 8 bytes. A word that the rule calls a pointer has the
/// address `(word & payload_mask)`; it may still lie outside the heap.
struct Encoding {
  EncodingKind kind = EncodingKind::kRaw;
  uint8_t tag_shift = 0;
  uint8_t tag_mask = 0xff;
  uint64_t tag_set[4] = {};  ///< bit t set: tag t is a pointer
  uint64_t range_lo = 0;
  uint64_t range_hi = 0;
  uint64_t payload_mask = ~uint64_t{0};
  uint64_t cleared_word = 0;  ///< written into a weak slot when it dies
};

/// Specialise for an encoded value type V (8 bytes, trivially copyable):
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
                "a managed value is 8 bytes and trivially copyable");
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

}  // namespace detail
}  // namespace tricolor

#endif  // TRICOLOR_ENCODING_H_
