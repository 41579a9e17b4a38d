// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Many slots at once: copying, moving and filling Fields and PairFields of
// cells, for tables that grow, rehash, insert and delete. Never memmove or
// memcpy on managed slots: those tear words beside the marker, and hide
// pointers from it.
//
//   copy_fields(mu, &t->items[i], &t->items[i + 1], n);   // delete item i
//   init_fields(mu, fresh->items, old->items, n);         // a larger array
//   fill_fields(mu, t->items, nullptr, n);
//
// Every value passes the barrier and moves whole, in one access, as by
// Field::store. The call is not atomic as a whole: other threads may see a part
// done. Legal in any phase. Above 64 KiB the call is a safepoint every 8 KiB
// (it may suspend; a collection may begin or end): the caller roots the cells
// on both sides, as for every such call.
//
// `encoding`: how V is registered (Runtime::register_encoding); it must say of
// each value what ValueTraits<V> does. Another size of value, or a call in
// native code, is a misuse.
// Source of the idea: Go's bulkBarrierPreWrite and typedmemmove.
#ifndef TRICOLOR_BULK_H_
#define TRICOLOR_BULK_H_

#include <cstddef>
#include <type_traits>

#include "tricolor/detail/mutator.h"
#include "tricolor/encoding.h"
#include "tricolor/field.h"
#include "tricolor/pair.h"

namespace tricolor {

namespace detail {
/// `n` values of `width` bytes (0: as the encoding's stride says); `fresh`: the
/// target is null and nobody else has seen it.
void copy_values(Mutator& mu, EncodingId encoding, void* to, const void* from,
                 size_t n, size_t width, bool fresh);
void fill_values(Mutator& mu, EncodingId encoding, void* to, const void* value,
                 size_t n, size_t width);

/// Weak words (tricolor/weak.h) are read one by one: a bulk copy of them would
/// keep neither their targets nor the collector's account of them.
template <class F, class = void>
inline constexpr bool kIsStrong = true;
template <class F>
inline constexpr bool kIsStrong<F, std::void_t<decltype(F::kIsWeak)>> = false;
}  // namespace detail

/// n values from `from` to `to`, both in cells. The ranges may overlap: then as
/// if all were read first.
template <class F>
void copy_fields(Mutator& mu, EncodingId encoding, F* to, const F* from,
                 size_t n) {
  static_assert(detail::kIsStrong<F>, "weak words: load and store each");
  static_assert(sizeof(F) == sizeof(typename F::value_type));
  detail::copy_values(mu, encoding, to, from, n, sizeof(*to), /*fresh=*/false);
}
template <class T>
void copy_fields(Mutator& mu, Field<T>* to, const Field<T>* from, size_t n) {
  static_assert(detail::kIsRawSlot<T>, "name the encoding");
  detail::copy_values(mu, kRawPointers, to, from, n, sizeof(*to),
                      /*fresh=*/false);
}

/// The same into a cell that no one else has seen and whose fields are still
/// null: the insertion half alone. The ranges do not overlap.
template <class F>
void init_fields(Mutator& mu, EncodingId encoding, F* to, const F* from,
                 size_t n) {
  static_assert(detail::kIsStrong<F>, "weak words: load and store each");
  static_assert(sizeof(F) == sizeof(typename F::value_type));
  detail::copy_values(mu, encoding, to, from, n, sizeof(*to), /*fresh=*/true);
}
template <class T>
void init_fields(Mutator& mu, Field<T>* to, const Field<T>* from, size_t n) {
  static_assert(detail::kIsRawSlot<T>, "name the encoding");
  detail::copy_values(mu, kRawPointers, to, from, n, sizeof(*to),
                      /*fresh=*/true);
}

/// `v` into n fields. Roots `v` meanwhile.
template <class F>
void fill_fields(Mutator& mu, EncodingId encoding, F* to,
                 typename F::value_type v, size_t n) {
  static_assert(detail::kIsStrong<F>, "weak words: load and store each");
  static_assert(sizeof(F) == sizeof(typename F::value_type));
  detail::fill_values(mu, encoding, to, &v, n, sizeof(*to));
}
template <class T>
void fill_fields(Mutator& mu, Field<T>* to, typename Field<T>::value_type v,
                 size_t n) {
  static_assert(detail::kIsRawSlot<T>, "name the encoding");
  detail::fill_values(mu, kRawPointers, to, &v, n, sizeof(*to));
}

}  // namespace tricolor

#endif  // TRICOLOR_BULK_H_
