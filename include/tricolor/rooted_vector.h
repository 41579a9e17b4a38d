// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// RootedVector: any number of roots in one slot of a Scope, for work lists,
// operand stacks, arguments: what would be a std::vector, which no collector
// looks into.
//
//   Scope<1> scope(mu);
//   RootedVector<Node> todo(scope);
//   for (todo.push_back(root); !todo.empty();) {
//     Local<Node> n(inner, todo.pop_back());
//     ...
//   }
//
// The values lie in a cell of the heap, which doubles: push_back, reserve and
// resize may collect, and root what they are given. The rest never does. Of the
// task whose Scope it is; like a Local it is not copied, moved or put on the
// heap, and its elements count as live up to size().
// Source of the idea: SpiderMonkey's RootedVector.
#ifndef TRICOLOR_ROOTED_VECTOR_H_
#define TRICOLOR_ROOTED_VECTOR_H_

#include <cstddef>

#include "tricolor/detail/mutator.h"
#include "tricolor/encoding.h"
#include "tricolor/field.h"
#include "tricolor/local.h"

namespace tricolor {

namespace detail {
/// A larger cell with the words of `*slot` (null: none yet), in its place: of
/// at least n words; returns how many it has. `cell` is rooted meanwhile. May
/// collect.
size_t grow_rooted(Mutator& mu, EncodingId encoding, void** slot, size_t n,
                   void* cell);
[[noreturn]] void rooted_bounds(size_t i, size_t n);
}  // namespace detail

/// T: a cell type, or an encoded value of 8 bytes with its encoding.
template <class T>
class RootedVector {
 public:
  using value_type = typename detail::SlotValue<T>::type;
  static_assert(sizeof(value_type) == 8, "values of 16 bytes: a cell of yours");

  template <size_t N>
  explicit RootedVector(Scope<N>& scope) : RootedVector(scope, kRawPointers) {
    static_assert(detail::kIsRawSlot<T>, "name the encoding");
  }
  /// `encoding`: how T is registered.
  template <size_t N>
  RootedVector(Scope<N>& scope, EncodingId encoding)
      : mu_(scope.mutator()), slot_(scope.take()), encoding_(encoding) {}
  RootedVector(const RootedVector&) = delete;
  RootedVector& operator=(const RootedVector&) = delete;
  static void* operator new(size_t) = delete;

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  size_t capacity() const { return capacity_; }

  value_type operator[](size_t i) const { return at(i).load(); }
  value_type back() const { return at(size_ - 1).load(); }
  void set(size_t i, value_type v) { at(i).store(mu_, v); }

  void push_back(value_type v) {
    if (TRI_DETAIL_UNLIKELY(size_ == capacity_)) grow(size_ + 1, v);
    fields()[size_++].store(mu_, v);
  }
  /// Returns what it was.
  value_type pop_back() {
    Field<T>& last = at(size_ - 1);
    const value_type v = last.load();
    last.store(mu_, value_type{});  // nobody is kept by what is above
    --size_;
    return v;
  }
  void reserve(size_t n) {
    if (n > capacity_) grow(n, value_type{});
  }
  /// The new ones are value_type{}.
  void resize(size_t n) {
    while (size_ > n) pop_back();
    reserve(n);
    while (size_ < n) push_back(value_type{});  // its word need not be 0
  }
  /// Empty again, and without its memory.
  void clear() {
    *slot_ = nullptr;
    size_ = capacity_ = 0;
  }

  /// By index, so that it may grow beside; what comes meanwhile is seen.
  class Iterator {
   public:
    Iterator(const RootedVector* v, size_t i) : v_(v), i_(i) {}
    value_type operator*() const { return (*v_)[i_]; }
    Iterator& operator++() {
      ++i_;
      return *this;
    }
    struct End {};
    bool operator!=(End) const { return i_ < v_->size(); }

   private:
    const RootedVector* v_;
    size_t i_;
  };
  Iterator begin() const { return {this, 0}; }
  typename Iterator::End end() const { return {}; }

 private:
  Field<T>* fields() const { return static_cast<Field<T>*>(*slot_); }
  Field<T>& at(size_t i) const {
    if (TRI_DETAIL_UNLIKELY(i >= size_)) detail::rooted_bounds(i, size_);
    return fields()[i];
  }
  void grow(size_t n, value_type v) {
    capacity_ = detail::grow_rooted(mu_, encoding_, slot_, n,
                                    ValueTraits<value_type>::cell(v));
  }

  Mutator& mu_;
  void** const slot_;
  const EncodingId encoding_;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

}  // namespace tricolor

#endif  // TRICOLOR_ROOTED_VECTOR_H_
