// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// table.sort: quicksort with the median of three, insertion sort for short
// ranges, and heapsort when the recursion gets too deep. It works on a copy of
// the list in an array of its own, because the comparison function may do
// anything to the table; the copy goes back at the end. Orders that contradict
// themselves are survived, and reported when they lead out of bounds.
#include <utility>

#include "lib_table.h"
#include "tricolor/local.h"
#include "vm_arith.h"

namespace tlua {

namespace {

constexpr int64_t kShort = 12;
constexpr int64_t kMaxList = int64_t{1} << 31;

class Sorter {
 public:
  Sorter(State& L, ValueSlot* a, Value compare)
      : L_(L), mu_(mutator(L)), a_(a), compare_(compare) {}

  void sort(int64_t low, int64_t high, int depth) {
    while (high - low >= kShort) {
      if (depth-- == 0) return heap_sort(low, high);
      int64_t middle = partition(low, high);
      if (middle - low < high - middle) {
        sort(low, middle - 1, depth);
        low = middle + 1;
      } else {
        sort(middle + 1, high, depth);
        high = middle - 1;
      }
    }
    insertion_sort(low, high);
  }

 private:
  Value at(int64_t i) const { return a_[i].load(); }
  void put(int64_t i, Value v) { a_[i].store(mu_, v); }
  void exchange(int64_t i, int64_t j) {
    Value v = at(i);
    put(i, at(j));
    put(j, v);
  }

  /// Both values are in the array or on the stack. A safepoint.
  bool before(Value x, Value y) {
    tri::poll(mu_);
    if (compare_.is_nil()) {
      Order order = fast_less<false>(x, y);
      if (order != Order::kUnknown) return order == Order::kYes;
      return less(L_, x, y);
    }
    ensure_stack(L_, 3);
    L_.top[0] = compare_;
    L_.top[1] = x;
    L_.top[2] = y;
    L_.top += 3;
    call(L_, 2, 1);
    return !(--L_.top)->is_falsy();
  }

  /// Puts the median of three at low + 1 as the pivot; sorts around it.
  int64_t partition(int64_t low, int64_t high) {
    int64_t middle = low + (high - low) / 2;
    if (before(at(middle), at(low))) exchange(middle, low);
    if (before(at(high), at(middle))) {
      exchange(high, middle);
      if (before(at(middle), at(low))) exchange(middle, low);
    }
    exchange(middle, high - 1);
    push(L_, at(high - 1));
    int64_t i = low, j = high - 1;
    for (;;) {
      while (before(at(++i), L_.top[-1])) {
        if (i >= high) invalid_order();
      }
      while (before(L_.top[-1], at(--j))) {
        if (j <= low) invalid_order();
      }
      if (i >= j) break;
      exchange(i, j);
    }
    pop(L_);
    exchange(i, high - 1);
    return i;
  }

  [[noreturn]] void invalid_order() {
    lib_error(L_, "invalid order function for sorting");
  }

  void insertion_sort(int64_t low, int64_t high) {
    for (int64_t i = low + 1; i <= high; ++i) {
      push(L_, at(i));
      int64_t j = i;
      for (; j > low && before(L_.top[-1], at(j - 1)); --j) put(j, at(j - 1));
      put(j, L_.top[-1]);
      pop(L_);
    }
  }

  void sift_down(int64_t low, int64_t i, int64_t n) {
    for (;;) {
      int64_t child = 2 * i + 1;
      if (child >= n) return;
      if (child + 1 < n && before(at(low + child), at(low + child + 1))) {
        ++child;
      }
      if (!before(at(low + i), at(low + child))) return;
      exchange(low + i, low + child);
      i = child;
    }
  }

  void heap_sort(int64_t low, int64_t high) {
    int64_t n = high - low + 1;
    for (int64_t i = n / 2 - 1; i >= 0; --i) sift_down(low, i, n);
    for (int64_t end = n - 1; end > 0; --end) {
      exchange(low, low + end);
      sift_down(low, 0, end);
    }
  }

  State& L_;
  Mutator& mu_;
  ValueSlot* a_;
  Value compare_;
};

}  // namespace

int table_sort(State& L, int) {
  Table* t = check_table(L, 1);
  bool plain = t->meta.load() == nullptr;
  int64_t n = length(t);
  if (!plain) {
    Value size = length_of(L, L.arg(1));
    if (!size.is_integer()) lib_error(L, "object length is not an integer");
    n = size.as_integer();
  }
  if (n < 2) return 0;
  if (n >= kMaxList) arg_error(L, 1, "array too big");
  if (!is_none_or_nil(L, 2) && !is_function(L.arg(2))) {
    arg_type_error(L, 2, "function");
  }
  Mutator& mu = mutator(L);
  tri::Scope<1> scope(mu);
  tri::Local<ValueSlot> copy(
      scope, static_cast<ValueSlot*>(
                 tri::allocate(mu, L.g->universe.values,
                               static_cast<size_t>(n) * sizeof(ValueSlot))));
  for (int64_t i = 0; i < n; ++i) {
    Value v = plain ? get_integer(t, i + 1)
                    : index(L, L.arg(1), Value::small_int(i + 1));
    copy.get()[i].store(mu, v);
  }
  int depth = 2 * (64 - __builtin_clzll(static_cast<uint64_t>(n)));
  Sorter(L, copy.get(), L.arg(2)).sort(0, n - 1, depth);
  for (int64_t i = 0; i < n; ++i) {
    push(L, copy.get()[i].load());
    if (plain) {
      set_integer(L, t, i + 1, L.top[-1]);
    } else {
      set_index(L, L.arg(1), Value::small_int(i + 1), L.top[-1]);
    }
    pop(L);
  }
  return 0;
}

}  // namespace tlua
