// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Field<T>: a managed pointer (or encoded value) inside a managed cell.
// Stores pass the hybrid barrier and are release; loads are relaxed (see
// detail/config.h on dependency order). No call here may collect or suspend.
//
// The barrier: while marking, the old value is shaded (Yuasa: what was
// reachable at the start of the cycle stays reachable) and, as long as the
// task's own stack has not been scanned, so is the new one (Dijkstra: that
// stack may be the only place it is in). Both go to the P's buffer. No
// safepoint lies between the first access here and the last, so neither a phase
// nor the task's own colour changes in the middle, and whether the shading or
// the store comes first makes no difference; but the old value is read before
// it is overwritten. Each form may be used in any phase. Argument, litmus
// table and model: docs/design/0011-barrier.md. Source: Go's proposal 17503.
#ifndef TRICOLOR_FIELD_H_
#define TRICOLOR_FIELD_H_

#include "tricolor/detail/mutator.h"
#include "tricolor/encoding.h"

namespace tricolor {

namespace detail {

inline uint64_t load_slot(const uint64_t* slot) {
  TRI_DETAIL_STEP();
  return __atomic_load_n(slot, TRI_DETAIL_SLOT_LOAD);
}

template <class V>
inline void store_slot(Mutator& mu, uint64_t* slot, V v) {
  TRI_DETAIL_STEP();
  if (TRI_DETAIL_UNLIKELY(TRI_DETAIL_FORM(mu.barrier_on) != 0)) {
    tri_detail_shade_pair(&mu,
                          ValueTraits<V>::cell(from_word<V>(load_slot(slot))),
                          ValueTraits<V>::cell(v));
  }
  TRI_DETAIL_STEP();
  __atomic_store_n(slot, to_word(v), __ATOMIC_RELEASE);
}

}  // namespace detail

template <class T>
class Field {
 public:
  using value_type = typename detail::SlotValue<T>::type;

  Field() = default;
  /// Initialising store into a new, unpublished cell: the insertion half.
  Field(Mutator& mu, value_type v) { init(mu, v); }
  Field(const Field&) = delete;
  Field& operator=(const Field&) = delete;

  value_type load() const {
    return detail::from_word<value_type>(detail::load_slot(&word_));
  }
  value_type load_acquire() const {
    return detail::from_word<value_type>(
        __atomic_load_n(&word_, __ATOMIC_ACQUIRE));
  }

  void store(Mutator& mu, value_type v) { detail::store_slot(mu, &word_, v); }

  /// Only into a cell that no one else has seen and whose field is still null.
  void init(Mutator& mu, value_type v) {
    if (TRI_DETAIL_UNLIKELY(TRI_DETAIL_FORM(mu.barrier_on) ==
                            TRI_BARRIER_GREY)) {
      tri_detail_shade_pair(&mu, nullptr, ValueTraits<value_type>::cell(v));
    }
    TRI_DETAIL_STEP();
    __atomic_store_n(&word_, detail::to_word(v), __ATOMIC_RELEASE);
  }

  /// Stores `v`, returns what was there. Sequentially consistent.
  value_type exchange(Mutator& mu, value_type v) {
    uint64_t old =
        __atomic_exchange_n(&word_, detail::to_word(v), __ATOMIC_SEQ_CST);
    TRI_DETAIL_STEP();
    auto o = detail::from_word<value_type>(old);
    if (TRI_DETAIL_UNLIKELY(TRI_DETAIL_FORM(mu.barrier_on) != 0)) {
      tri_detail_shade_pair(&mu, ValueTraits<value_type>::cell(o),
                            ValueTraits<value_type>::cell(v));
    }
    return o;
  }

  /// Stores `desired` if the field holds `expected`; else loads into it, and
  /// nothing is shaded.
  bool compare_exchange(Mutator& mu, value_type& expected, value_type desired) {
    uint64_t e = detail::to_word(expected);
    if (!__atomic_compare_exchange_n(&word_, &e, detail::to_word(desired),
                                     false, __ATOMIC_SEQ_CST,
                                     __ATOMIC_ACQUIRE)) {
      expected = detail::from_word<value_type>(e);
      return false;
    }
    if (TRI_DETAIL_UNLIKELY(TRI_DETAIL_FORM(mu.barrier_on) != 0)) {
      tri_detail_shade_pair(&mu, ValueTraits<value_type>::cell(expected),
                            ValueTraits<value_type>::cell(desired));
    }
    return true;
  }

 private:
  uint64_t word_ = 0;
};

}  // namespace tricolor

#endif  // TRICOLOR_FIELD_H_
