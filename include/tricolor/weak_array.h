// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Arrays of weak words and of ephemerons, and a single ephemeron, as cells: the
// backing store of a VM's weak tables. A VM that has a layout of its own for
// that gives it the strengths of LayoutSpec and uses the fields of weak.h.
//
//   LayoutId weak = register_weak_array(rt, LayoutSpec::Strength::kWeak);
//   auto* a = WeakArray<Node>::make(mu, weak, 100);
//   a->store(mu, 7, node);
//   Node* n = a->load(mu, 7);         // null once it has died
//   if (a->cleared() > 50) ...        // time for a smaller one
//
// Cells are zeroed: every slot is null, or the encoding's word 0. A slot is
// written by one thread at a time.
#ifndef TRICOLOR_WEAK_ARRAY_H_
#define TRICOLOR_WEAK_ARRAY_H_

#include <cstddef>
#include <cstdint>

#include "tricolor/allocate.h"
#include "tricolor/error.h"
#include "tricolor/layout.h"
#include "tricolor/weak.h"

namespace tricolor {

class Runtime;

namespace detail {
struct WeakArrayHead {
  uint64_t length;
  uint64_t cleared;  // the collector's
};
/// `encoded`: what the slots hold are no plain pointers.
void* make_weak_array(Mutator& mu, LayoutId layout, size_t n, size_t slot_bytes,
                      bool encoded);
[[noreturn]] void weak_array_bounds(size_t i, size_t n);
}  // namespace detail

/// The layout of arrays whose slots are of `strength` (not kStrong) and read
/// with `encoding`, of 8 bytes: for encoded values theirs (make() is a misuse
/// otherwise). kInvalidLayout: *error says why. Any thread;
/// the same arguments give the same layout.
LayoutId register_weak_array(Runtime& rt, LayoutSpec::Strength strength,
                             EncodingId encoding = kRawPointers,
                             Error* error = nullptr);

/// T: a cell type, or an encoded value.
template <class T>
class WeakArray : detail::WeakArrayHead {
 public:
  using value_type = typename WeakField<T>::value_type;

  /// `layout`: register_weak_array's, kWeak or kLongWeak. Never null; may
  /// collect.
  static WeakArray* make(Mutator& mu, LayoutId layout, size_t n) {
    return static_cast<WeakArray*>(detail::make_weak_array(
        mu, layout, n, sizeof(WeakField<T>), !detail::kIsRawSlot<T>));
  }
  size_t size() const { return length; }
  /// Slots the collector has cleared since the array was made.
  uint64_t cleared() const {
    return __atomic_load_n(&this->WeakArrayHead::cleared, __ATOMIC_RELAXED);
  }
  value_type load(Mutator& mu, size_t i,
                  value_type if_dead = value_type{}) const {
    return at(i).load(mu, if_dead);
  }
  void store(Mutator& mu, size_t i, value_type v) {
    const_cast<WeakField<T>&>(at(i)).store(mu, v);
  }

 private:
  WeakArray() = delete;
  const WeakField<T>& at(size_t i) const {
    if (TRI_DETAIL_UNLIKELY(i >= length)) detail::weak_array_bounds(i, length);
    return reinterpret_cast<const WeakField<T>*>(this + 1)[i];
  }
};

/// Pairs whose value is kept while their key is alive; cleared together.
template <class K, class V>
class EphemeronArray : detail::WeakArrayHead {
 public:
  using Pair = EphemeronField<K, V>;

  /// `layout`: register_weak_array's, kEphemeron. Never null; may collect.
  static EphemeronArray* make(Mutator& mu, LayoutId layout, size_t n) {
    return static_cast<EphemeronArray*>(detail::make_weak_array(
        mu, layout, n, sizeof(Pair),
        !detail::kIsRawSlot<K> || !detail::kIsRawSlot<V>));
  }
  size_t size() const { return length; }
  /// Pairs the collector has cleared since the array was made.
  uint64_t cleared() const {
    return __atomic_load_n(&this->WeakArrayHead::cleared, __ATOMIC_RELAXED);
  }
  Pair& operator[](size_t i) {
    if (TRI_DETAIL_UNLIKELY(i >= length)) detail::weak_array_bounds(i, length);
    return reinterpret_cast<Pair*>(this + 1)[i];
  }

 private:
  EphemeronArray() = delete;
};

/// One pair as a cell: an EphemeronArray of length 1.
template <class K, class V>
using Ephemeron = EphemeronArray<K, V>;

}  // namespace tricolor

#endif  // TRICOLOR_WEAK_ARRAY_H_
