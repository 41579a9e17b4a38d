// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Foreign threads. An attached thread brings its own P, outside max_procs. It
// is native by default: the collector never waits for it. Managed calls are
// legal inside a ManagedScope only. Both nest; the innermost end undoes the
// outermost begin.
#ifndef TRICOLOR_THREAD_H_
#define TRICOLOR_THREAD_H_

#include "tricolor/detail/mutator.h"

namespace tricolor {

class Runtime;
struct Error;

namespace detail {
Mutator* attach_thread(Runtime& rt);
Mutator* try_attach_thread(Runtime& rt, Error* error);  // null: refused
void detach_thread(Runtime& rt, Mutator* mu);
void enter_managed(Mutator& mu);
void leave_managed(Mutator& mu);
void enter_native(Mutator& mu);
void leave_native(Mutator& mu);
}  // namespace detail

/// Attaches the calling thread until the end of the scope; nests (a second one
/// for the same runtime gives the same Mutator). The first form ends the
/// process where there is no memory, or where Options::max_tasks is reached.
/// The second puts the reason in *error, which may be null, and is not ok()
/// then: nothing but its end is legal.
class AttachScope {
 public:
  explicit AttachScope(Runtime& rt) : rt_(rt), mu_(detail::attach_thread(rt)) {}
  AttachScope(Runtime& rt, Error* error)
      : rt_(rt), mu_(detail::try_attach_thread(rt, error)) {}
  ~AttachScope() {
    if (mu_ != nullptr) detail::detach_thread(rt_, mu_);
  }
  bool ok() const { return mu_ != nullptr; }
  AttachScope(const AttachScope&) = delete;
  AttachScope& operator=(const AttachScope&) = delete;
  Mutator& mutator() { return *mu_; }

 private:
  Runtime& rt_;
  Mutator* mu_;
};

/// Managed code on an attached thread. Begin and end are safepoints: both may
/// wait for a stop to end.
class ManagedScope {
 public:
  explicit ManagedScope(AttachScope& a) : mu_(a.mutator()) {
    detail::enter_managed(mu_);
  }
  ~ManagedScope() { detail::leave_managed(mu_); }
  ManagedScope(const ManagedScope&) = delete;
  ManagedScope& operator=(const ManagedScope&) = delete;
  Mutator& mutator() { return mu_; }

 private:
  Mutator& mu_;
};

/// A blocking or long native call inside a task or a ManagedScope: the
/// collector goes on without waiting. No managed cell may be touched inside;
/// Locals stay roots.
class NativeScope {
 public:
  explicit NativeScope(Mutator& mu) : mu_(mu) { detail::enter_native(mu_); }
  ~NativeScope() { detail::leave_native(mu_); }
  NativeScope(const NativeScope&) = delete;
  NativeScope& operator=(const NativeScope&) = delete;

 private:
  Mutator& mu_;
};

}  // namespace tricolor

#endif  // TRICOLOR_THREAD_H_
