// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Weak references, as cells of their own and as words of cells.
//
//   Weak<T>, LongWeak<T>   a cell that refers to a T without keeping it alive
//   WeakField<T>           a word of strength kWeak or kLongWeak in a cell
//   EphemeronField<K, V>   a pair: the value is kept while the key is alive
//
// *Short* ones (Weak, kWeak) are cleared when their target is found dead,
// before finalizers see it, except in cells resurrected together with it;
// *long* ones, and pairs, when it is dead and no finalizer has resurrected it.
// A cleared word holds null, or Encoding::cleared_word.
//
// A read gives a target that is alive, and keeps it so while marking; it never
// waits. Between the end of marking and the clearing it answers as if it were
// cleared; that holds for a long one, too, whose target a finalizer is about to
// get. Arrays of weak words: tricolor/weak_array.h.
//
// Source of the idea: ephemerons as in Hayes, OOPSLA 1997; short and long weak
// references as in .NET.
#ifndef TRICOLOR_WEAK_H_
#define TRICOLOR_WEAK_H_

#include "tricolor/detail/weak.h"
#include "tricolor/field.h"

namespace tricolor {

namespace detail {

void* make_weak(Mutator& mu, void* target, bool is_long);

/// A weak read of an encoded value or pointer.
template <class V>
inline V weak_load(Mutator& mu, const uint64_t* slot, V if_dead) {
  V v = from_word<V>(__atomic_load_n(slot, __ATOMIC_ACQUIRE));
  void* cell = ValueTraits<V>::cell(v);
  if (cell == nullptr) return v;
  switch (tri_detail_weak_answer(&mu, cell)) {
    case 0:
      return if_dead;
    case 1:
      return v;
    default:
      return from_word<V>(__atomic_load_n(slot, __ATOMIC_ACQUIRE));
  }
}

/// Immutable once made.
template <class T, bool kLong>
class WeakCellOf {
 public:
  /// A new weak cell; `target` is rooted by the call. May collect. Keep the
  /// result in a Local<Weak<T>> or Field<Weak<T>>.
  static WeakCellOf* make(Mutator& mu, T* target) {
    return static_cast<WeakCellOf*>(make_weak(mu, target, kLong));
  }
  /// The target while it is alive, null afterwards. The result is strong: it
  /// is shaded while marking. Does not collect.
  T* get(Mutator& mu) const {
    return static_cast<T*>(tri_detail_weak_load(&mu, &target_));
  }

 private:
  WeakCellOf() = delete;
  void* target_;
  void* link_;  // the collector's
};

}  // namespace detail

template <class T>
using Weak = detail::WeakCellOf<T, false>;
template <class T>
using LongWeak = detail::WeakCellOf<T, true>;

/// A word of a cell whose layout holds it weakly. T: a cell type, or an encoded
/// value. No call here may collect or suspend.
template <class T>
class WeakField {
 public:
  using value_type = typename detail::SlotValue<T>::type;
  static constexpr bool kIsWeak = true;  // to tricolor/bulk.h

  WeakField() = default;
  WeakField(const WeakField&) = delete;
  WeakField& operator=(const WeakField&) = delete;

  /// What is there, or `if_dead` (null) in the place of a target that is about
  /// to be cleared.
  value_type load(Mutator& mu, value_type if_dead = value_type{}) const {
    return detail::weak_load<value_type>(mu, &word_, if_dead);
  }
  void store(Mutator& mu, value_type v) {
    tri_detail_weak_store(&mu, &word_, detail::to_word(v),
                          ValueTraits<value_type>::cell(v));
  }

 private:
  uint64_t word_ = 0;
};

/// A pair of strength kEphemeron in a cell, at a multiple of 16 bytes. One
/// thread at a time writes it; the collector, which clears it, sees to itself.
/// No call here may collect or suspend.
template <class K, class V>
class alignas(16) EphemeronField {
 public:
  using key_type = typename detail::SlotValue<K>::type;
  using value_type = typename detail::SlotValue<V>::type;

  EphemeronField() = default;
  EphemeronField(const EphemeronField&) = delete;
  EphemeronField& operator=(const EphemeronField&) = delete;

  /// A weak read.
  key_type key(Mutator& mu, key_type if_dead = key_type{}) const {
    return detail::weak_load<key_type>(mu, &words_[0], if_dead);
  }
  /// Of a pair whose key the caller holds.
  value_type value(Mutator& mu, value_type if_dead = value_type{}) const {
    return detail::weak_load<value_type>(mu, &words_[1], if_dead);
  }
  void store(Mutator& mu, key_type k, value_type v) {
    const auto old = detail::from_word<value_type>(
        __atomic_load_n(&words_[1], __ATOMIC_ACQUIRE));
    const tri_pair_store s = {
        detail::to_word(k), detail::to_word(v), ValueTraits<key_type>::cell(k),
        ValueTraits<value_type>::cell(v), ValueTraits<value_type>::cell(old)};
    tri_detail_pair_store(&mu, words_, &s);
  }

 private:
  uint64_t words_[2] = {0, 0};
};

}  // namespace tricolor

#endif  // TRICOLOR_WEAK_H_
