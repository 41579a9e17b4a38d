// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Foreign threads. An attached thread brings its own P, outside max_procs. It
// is native by default: the collector never waits for it. Managed calls are
// legal inside a ManagedScope only. Both nest; the innermost end undoes the
// outermost begin.
#ifndef TRICOLOR_THREAD_H_
#define TRICOLOR_THREAD_H_

#include <type_traits>

#include "tricolor/detail/mutator.h"

extern "C" {
// By the C API's names: these read the caller's registers, so nothing may lie
// between (see Options::conservative_stacks).
struct tri_runtime;
struct tri_error;
tri_mutator* tri_attach(struct tri_runtime* rt);
tri_mutator* tri_try_attach(struct tri_runtime* rt, struct tri_error* error);
void tri_detach_thread(struct tri_runtime* rt, tri_mutator* mu);
void tri_enter_managed(tri_mutator* mu);
void tri_leave_managed(tri_mutator* mu);
void tri_enter_native(tri_mutator* mu);
void tri_leave_native(tri_mutator* mu);
void tri_call_native(tri_mutator* mu, void (*fn)(void* arg), void* arg);
}

namespace tricolor {

class Runtime;
struct Error;

/// Attaches the calling thread until the end of the scope; nests (a second one
/// for the same runtime gives the same Mutator). The first form ends the
/// process where there is no memory, or where Options::max_tasks is reached.
/// A thread that ends attached, in native or in managed code, is detached after
/// its own destructors of thread-specific data, in which it may yet attach,
/// collect and detach.
/// The second puts the reason in *error, which may be null, and is not ok()
/// then: nothing but its end is legal.
class AttachScope {
 public:
  explicit AttachScope(Runtime& rt) : rt_(c(rt)), mu_(tri_attach(rt_)) {}
  AttachScope(Runtime& rt, Error* error)
      : rt_(c(rt)),
        mu_(tri_try_attach(rt_, reinterpret_cast<tri_error*>(error))) {}
  ~AttachScope() {
    if (mu_ != nullptr) tri_detach_thread(rt_, mu_);
  }
  bool ok() const { return mu_ != nullptr; }
  AttachScope(const AttachScope&) = delete;
  AttachScope& operator=(const AttachScope&) = delete;
  Mutator& mutator() { return *mu_; }

 private:
  static tri_runtime* c(Runtime& rt) {
    return reinterpret_cast<tri_runtime*>(&rt);
  }
  tri_runtime* rt_;
  Mutator* mu_;
};

/// Managed code on an attached thread. Begin and end are safepoints: both may
/// wait for a stop to end.
class ManagedScope {
 public:
  explicit ManagedScope(AttachScope& a) : mu_(a.mutator()) {
    tri_enter_managed(&mu_);
  }
  ~ManagedScope() { tri_leave_managed(&mu_); }
  ManagedScope(const ManagedScope&) = delete;
  ManagedScope& operator=(const ManagedScope&) = delete;
  Mutator& mutator() { return mu_; }

 private:
  Mutator& mu_;
};

/// A blocking or long native call inside a task or a ManagedScope: the
/// collector goes on without waiting. No managed cell may be touched inside;
/// Locals stay roots. With Options::conservative_stacks call_native is better:
/// see there.
class NativeScope {
 public:
  explicit NativeScope(Mutator& mu) : mu_(mu) { tri_enter_native(&mu_); }
  ~NativeScope() { tri_leave_native(&mu_); }
  NativeScope(const NativeScope&) = delete;
  NativeScope& operator=(const NativeScope&) = delete;

 private:
  Mutator& mu_;
};

/// The same for f(), which must not throw or longjmp. With conservative_stacks
/// all that the caller keeps in its variables stays a root, because the caller
/// does not go on meanwhile. A function that opens a NativeScope does, and its
/// compiler may move a variable from one place to another while the collector
/// looks: what its callers keep is safe, what it keeps itself only in a Local,
/// or in a variable declared volatile.
template <class F>
void call_native(Mutator& mu, F&& f) {
  tri_call_native(
      &mu,
      [](void* arg) { (*static_cast<std::remove_reference_t<F>*>(arg))(); },
      const_cast<void*>(static_cast<const void*>(&f)));
}

}  // namespace tricolor

#endif  // TRICOLOR_THREAD_H_
