// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Layouts: where a cell's pointers are. A cell has no header; its span's
// layout is found from its page. A layout is registered once per runtime
// (Runtime::register_layout) and never goes away; two specs that look alike
// are merged unless `distinct` is set: same shape, functions and `user`,
// whatever their names; the first name stays.
#ifndef TRICOLOR_LAYOUT_H_
#define TRICOLOR_LAYOUT_H_

#include <cstddef>
#include <cstdint>
#include <initializer_list>

#include "tricolor/detail/size_class.h"
#include "tricolor/encoding.h"

namespace tricolor {

using LayoutId = uint16_t;
inline constexpr LayoutId kInvalidLayout = 0;

/// Handed to a custom trace function. Valid during that call only.
class Tracer {
 public:
  /// Reports a managed pointer (null and outside addresses are ignored).
  void visit(const void* cell);
  /// Reports `n` words read with `encoding`: whole values.
  void visit_words(const uint64_t* words, size_t n, EncodingId encoding);

 private:
  friend struct TracerAccess;
  explicit Tracer(void* impl) : impl_(impl) {}
  void* impl_;
};

/// `custom`, concurrent: reads only Fields and immutable words of the cell; may
/// run twice, in parallel, beside the mutator, on an all-zero or
/// half-initialised cell; takes no lock and does not allocate. It is tried when
/// the layout is registered, on cells of zeros of two sizes that are not in the
/// heap: one that reports a pointer there, or words outside the cell, or
/// writes, is refused (of cells beyond 2 MiB the first and last MiB are looked
/// at); one that crashes does so there. It throws nothing.
using TraceFn = void (*)(Tracer&, void* cell, size_t cell_bytes, void* user);
/// Once per dead cell, on any thread; no allocation, no other managed cell.
using OnDeadFn = void (*)(void* cell, size_t cell_bytes, void* user);

/// Offsets are in bytes, multiples of 8, below 512 and inside the head, which
/// is `head_bytes` long and part of every cell. From there to the end of the
/// cell every word is of the kind that `tail` says; with kNone there is nothing
/// to scan there. With kElements the tail is an array of records or hash
/// entries of `tail_stride` bytes each, all alike: tail_pointer_offsets and
/// tail_encoded_offsets are counted from the start of an element, and what they
/// leave out is not scanned. A cell may be longer than was asked for: elements
/// go on to its end, and the last may be cut short.
///
/// Encoded values of 16 bytes (Encoding::stride) are given by the offset of
/// their first byte. They lie at multiples of 16, so head_bytes (before a tail
/// of them) and tail_stride are multiples of 16, too.
///
/// Deferred cells are traced as a mark ends, in stops of about 100 us, or of
/// one call if that takes longer, with four times as much time for the tasks in
/// between: their number is not bounded, the tracing of one is yours to bound.
/// The rest is as for `custom`, zeros included, but that it runs alone. What a
/// task does to the words behind it is still told: shade() the value that goes,
/// before the next safepoint, and the one that comes. They are not grown.
///
/// How a cell holds what it refers to is separate from where: `head_strength`
/// is for all offsets given, `tail_strength` for every word of the tail.
/// Weak words and pairs are read and written through tricolor/weak.h only. The
/// pairs of an ephemeron lie at multiples of 16 bytes of the cell, key first.
struct LayoutSpec {
  enum class Tail : uint8_t { kNone, kPointers, kEncoded, kNoscan, kElements };
  enum class Strength : uint8_t {
    kStrong,     ///< keeps the target alive
    kWeak,       ///< cleared when the target dies (Encoding::cleared_word)
    kEphemeron,  ///< pairs: the value is kept while the key is alive
    kLongWeak,   ///< as kWeak, but not while a finalizer has the target
  };

  const char* name = "";
  uint32_t head_bytes = 0;
  const uint32_t* pointer_offsets = nullptr;  ///< raw pointers in the head
  size_t pointer_count = 0;
  const uint32_t* encoded_offsets = nullptr;  ///< encoded values in the head
  size_t encoded_count = 0;
  Tail tail = Tail::kNone;   ///< every word of the tail is of this kind
  uint32_t tail_stride = 0;  ///< kElements: bytes of one, at most 512
  const uint32_t* tail_pointer_offsets = nullptr;  ///< in each element
  size_t tail_pointer_count = 0;
  const uint32_t* tail_encoded_offsets = nullptr;  ///< in each element
  size_t tail_encoded_count = 0;
  EncodingId encoding = kRawPointers;  ///< of all encoded words
  Strength head_strength = Strength::kStrong;
  Strength tail_strength = Strength::kStrong;
  /// Of a word of the head that the collector adds the number of words or pairs
  /// to that it has cleared in the cell; 0: none.
  uint32_t cleared_count_offset = 0;
  TraceFn trace = nullptr;  ///< set: the layout is `custom`
  /// The trace function wants the tasks stopped: it may read what they change
  /// without Fields, a std::vector or a table behind a pointer. See below.
  bool deferred = false;
  OnDeadFn on_dead = nullptr;
  void* user = nullptr;
  bool distinct = false;
  /// Cells come with arbitrary bytes instead of zeros, for who writes them
  /// whole anyway. Only for cells without pointers.
  bool uninitialized = false;
};

/// What make<T> needs: the layout, and the slot of its size class.
template <class T>
struct Type {
  using value_type = T;
  LayoutId layout = kInvalidLayout;
  uint32_t slot_id = 0;
  uint32_t cell_bytes = 16;  ///< never 0: an unset Type takes the slow path

  Type() = default;
  explicit Type(LayoutId id) : layout(id) {
    static_assert(sizeof(T) <= TRI_DETAIL_SMALL_MAX,
                  "use allocate(mu, layout, bytes) above 32 KiB");
    static_assert(alignof(T) <= 16, "cells are 16-byte aligned");
    uint32_t c = tri_detail_size_class(sizeof(T));
    slot_id = (uint32_t{id} << TRI_DETAIL_CLASS_SHIFT) | c;
    cell_bytes = tri_detail_class_bytes(c);
  }
};

/// The offset of a member, for LayoutSpec: offset_of(&Node::left).
template <class T, class M>
uint32_t offset_of(M T::*member) {
  alignas(T) static char storage[sizeof(T)];
  auto* object = reinterpret_cast<T*>(storage);
  return static_cast<uint32_t>(reinterpret_cast<char*>(&(object->*member)) -
                               storage);
}

}  // namespace tricolor

#endif  // TRICOLOR_LAYOUT_H_
