// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Weak<T>: a managed cell that refers to a T without keeping it alive ("short":
// cleared before any resurrection). Immutable once made.
#ifndef TRICOLOR_WEAK_H_
#define TRICOLOR_WEAK_H_

#include "tricolor/detail/mutator.h"

namespace tricolor {

namespace detail {
void* make_weak(Mutator& mu, void* target);
}

template <class T>
class Weak {
 public:
  /// A new weak cell; `target` is rooted by the call. May collect. Keep the
  /// result in a Local<Weak<T>> or Field<Weak<T>>.
  static Weak* make(Mutator& mu, T* target) {
    return static_cast<Weak*>(detail::make_weak(mu, target));
  }
  /// The target while it is alive, null afterwards. The result is strong: it
  /// is shaded while marking. Does not collect.
  T* get(Mutator& mu) const {
    return static_cast<T*>(tri_detail_weak_load(&mu, &target_));
  }

 private:
  Weak() = delete;
  void* target_;
  void* link_;  // the collector's
};

}  // namespace tricolor

#endif  // TRICOLOR_WEAK_H_
