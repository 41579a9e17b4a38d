// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Allocation. The fast path is load, add, compare, store on the P's run of
// free cells: no atomic, no call, no metadata. Every call here may collect and
// is a safepoint: raw pointers to cells do not survive it unless rooted.
// Memory is zeroed. `make` and `allocate` never return null (they call
// Options::on_out_of_memory); the try_ forms do.
#ifndef TRICOLOR_ALLOCATE_H_
#define TRICOLOR_ALLOCATE_H_

#include <cstdint>
#include <new>
#include <type_traits>
#include <utility>

#include "tricolor/detail/mutator.h"
#include "tricolor/detail/size_class.h"
#include "tricolor/layout.h"
#include "tricolor/local.h"

namespace tricolor {

namespace detail {

inline void* bump(Mutator& mu, uint32_t slot_id, size_t cell_bytes,
                  size_t bytes, bool may_fail) {
  tri_slot& slot = mu.slots[slot_id];
  char* cell = TRI_DETAIL_FORM(slot.cursor);
  // limit - cursor, not cursor + size: an empty slot is {null, null}.
  if (TRI_DETAIL_UNLIKELY(static_cast<size_t>(slot.limit - cell) <
                          cell_bytes)) {
    return tri_detail_allocate_slow(&mu, slot_id, bytes, may_fail);
  }
  slot.cursor = cell + cell_bytes;
  return cell;
}

inline void* allocate(Mutator& mu, LayoutId layout, size_t bytes,
                      bool may_fail) {
  uint32_t c = tri_detail_size_class(bytes);
  if (TRI_DETAIL_UNLIKELY(c == 0 || TRI_DETAIL_BAD_LAYOUT(layout))) {
    return tri_detail_allocate_large(&mu, layout, bytes, may_fail);
  }
  return bump(mu, (uint32_t{layout} << TRI_DETAIL_CLASS_SHIFT) | c,
              tri_detail_class_bytes(c), bytes, may_fail);
}

template <class T>
concept SafepointFree = T::kSafepointFreeConstructor;

/// A constructor may allocate, so the cell is rooted while it runs; not so for
/// aggregates and for types that declare
/// `static constexpr bool kSafepointFreeConstructor = true`.
template <class T, class... Args>
inline T* construct(Mutator& mu, void* cell, Args&&... args) {
  if constexpr (std::is_aggregate_v<T> || SafepointFree<T>) {
    return ::new (cell) T{std::forward<Args>(args)...};
  } else {
    Scope<1> scope(mu);  // the constructor may allocate
    *scope.take() = cell;
    return ::new (cell) T(std::forward<Args>(args)...);
  }
}

}  // namespace detail

/// `bytes` zeroed bytes of `layout`, 16-byte aligned. Any size is legal: what
/// can never fit is out of memory. The handler may throw or longjmp (then see
/// scope_reset in local.h); the heap is whole when it is called. `layout` is
/// one that this runtime registered: another one ends the process, by a message
/// or by a fault here.
inline void* allocate(Mutator& mu, LayoutId layout, size_t bytes) {
  return detail::allocate(mu, layout, bytes, false);
}
/// The same; null when the hard limit or the reservation is reached.
inline void* try_allocate(Mutator& mu, LayoutId layout, size_t bytes) {
  return detail::allocate(mu, layout, bytes, true);
}

/// A T constructed in a new cell. T is trivially destructible: cells die
/// silently. Arguments that hold managed pointers must be rooted.
template <class T, class... Args>
inline T* make(Mutator& mu, const Type<T>& type, Args&&... args) {
  static_assert(std::is_trivially_destructible_v<T>,
                "cells are reclaimed without running destructors");
  void* cell =
      detail::bump(mu, type.slot_id, type.cell_bytes, sizeof(T), false);
  return detail::construct<T>(mu, cell, std::forward<Args>(args)...);
}

/// The same; null when there is no memory.
template <class T, class... Args>
inline T* try_make(Mutator& mu, const Type<T>& type, Args&&... args) {
  static_assert(std::is_trivially_destructible_v<T>);
  void* cell = detail::bump(mu, type.slot_id, type.cell_bytes, sizeof(T), true);
  if (cell == nullptr) return nullptr;
  return detail::construct<T>(mu, cell, std::forward<Args>(args)...);
}

/// `count` zeroed Ts (T is all-zero valid), of a layout with a tail. Refuses
/// (as out of memory) a product that overflows.
template <class T>
inline T* make_array(Mutator& mu, LayoutId layout, size_t count) {
  static_assert(std::is_trivially_destructible_v<T>);
  size_t bytes;
  if (__builtin_mul_overflow(count, sizeof(T), &bytes)) bytes = SIZE_MAX;
  return static_cast<T*>(allocate(mu, layout, bytes));
}

/// The same; null when there is no memory, or could never be.
template <class T>
inline T* try_make_array(Mutator& mu, LayoutId layout, size_t count) {
  static_assert(std::is_trivially_destructible_v<T>);
  size_t bytes;
  if (__builtin_mul_overflow(count, sizeof(T), &bytes)) bytes = SIZE_MAX;
  return static_cast<T*>(try_allocate(mu, layout, bytes));
}

/// The usable size of a cell in bytes (>= what was asked for). Any thread; the
/// cell must be alive.
size_t cell_size(const Runtime& rt, const void* cell);

/// A safepoint: one relaxed load unless the runtime wants something. May
/// collect, stop, or let another task run.
inline void poll(Mutator& mu) {
  TRI_DETAIL_STEP();
  if (TRI_DETAIL_UNLIKELY(__atomic_load_n(&mu.poll_request, __ATOMIC_RELAXED) !=
                          0)) {
    tri_detail_poll_slow(&mu);
  }
}

}  // namespace tricolor

#endif  // TRICOLOR_ALLOCATE_H_
