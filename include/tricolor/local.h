// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Scope<N> and Local<T>: precise roots on the native stack. The heap does not
// move cells, so a Local keeps its pointer in a register and only stores a copy
// into the G's shadow stack: one store when set, none when read.
//
//   Scope<2> scope(mu);
//   Local<Node> a(scope, make(mu, node_type));
//   Local<Node> b(scope);
//   b = a->next.load();
//
// Stores to shadow slots need no barrier: the collector scans them only while
// their owner is suspended. Owner thread only; nothing here collects.
// Local cannot be copied, moved or heap-allocated. After longjmp over scopes
// call scope_reset with what scope_mark gave.
#ifndef TRICOLOR_LOCAL_H_
#define TRICOLOR_LOCAL_H_

#include <cstddef>
#include <cstdint>

#include "tricolor/detail/mutator.h"
#include "tricolor/encoding.h"

namespace tricolor {

namespace detail {
[[noreturn]] void scope_overflow(size_t capacity);

class ScopeBase {
 public:
  Mutator& mutator() const { return mu_; }

 protected:
  ScopeBase(Mutator& mu, size_t n) : mu_(mu) {
    void** top = mu.shadow_top;
    if (TRI_DETAIL_UNLIKELY(static_cast<size_t>(mu.shadow_limit - top) < n)) {
      top = tri_detail_shadow_grow(&mu, n);
    }
    slots_ = top;
    for (size_t i = 0; i < n; ++i) top[i] = nullptr;
    mu.shadow_top = top + n;
  }
  ~ScopeBase() {
    if (TRI_DETAIL_UNLIKELY(slots_ == mu_.shadow_base)) {
      tri_detail_shadow_shrink(&mu_, slots_);
    } else {
      mu_.shadow_top = slots_;
    }
  }
  ScopeBase(const ScopeBase&) = delete;
  ScopeBase& operator=(const ScopeBase&) = delete;

  Mutator& mu_;
  void** slots_;
  size_t used_ = 0;
};

}  // namespace detail

/// Reserves N zeroed shadow slots until it ends. Scopes nest strictly.
template <size_t N>
class Scope : public detail::ScopeBase {
 public:
  static_assert(N > 0 && N <= 1024, "a Scope holds 1 to 1024 slots");
  explicit Scope(Mutator& mu) : ScopeBase(mu, N) {}
  static void* operator new(size_t) = delete;

  /// The next free slot; ends the process when all N are taken.
  void** take() {
    if (TRI_DETAIL_UNLIKELY(used_ >= N)) detail::scope_overflow(N);
    return &slots_[used_++];
  }
};

/// A rooted T* (T a cell type) or encoded value.
template <class T>
class Local {
 public:
  using value_type = typename detail::SlotValue<T>::type;

  template <size_t N>
  explicit Local(Scope<N>& scope, value_type v = value_type{})
      : slot_(scope.take()), value_(v) {
    *slot_ = ValueTraits<value_type>::cell(v);
  }
  Local(const Local&) = delete;
  Local& operator=(const Local&) = delete;
  static void* operator new(size_t) = delete;

  Local& operator=(value_type v) {
    value_ = v;
    *slot_ = ValueTraits<value_type>::cell(v);
    return *this;
  }
  value_type get() const { return value_; }
  operator value_type() const { return value_; }  // NOLINT: reads like T*
  value_type operator->() const { return value_; }

 private:
  void** slot_;
  value_type value_;
};

/// For longjmp: the Scopes, Managed- and NativeScopes that the task is in ...
struct ScopeMark {
  void** top;      ///< of the shadow stack
  uint32_t modes;  ///< how many of the latter
};
ScopeMark scope_mark(Mutator& mu);
/// ... and back to them, also to managed or native code as it was then: a
/// safepoint if that is another mode than now. `mark` must come from the same
/// task or thread and still be below. Out of on_system_stack, blocking,
/// call_native, NoSafepointScope and AttachScope no longjmp is legal.
void scope_reset(Mutator& mu, ScopeMark mark);

}  // namespace tricolor

#endif  // TRICOLOR_LOCAL_H_
