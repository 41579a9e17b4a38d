// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Coroutine: an asymmetric coroutine with its own native stack, so C++ frames
// may be yielded across. It is a managed cell: a suspended coroutine that is no
// longer referenced is collected with its stacks (no C++ destructor of its
// frames runs). Resume and yield switch directly on the same thread and P.
#ifndef TRICOLOR_COROUTINE_H_
#define TRICOLOR_COROUTINE_H_

#include <cstddef>
#include <cstdint>

#include "tricolor/detail/failure.h"
#include "tricolor/detail/mutator.h"

namespace tricolor {

enum class CoroutineStatus : uint8_t {
  kSuspended,  ///< not started, or in a yield
  kRunning,    ///< the one that asks
  kNormal,     ///< has resumed another
  kDead,
};

/// The body. `arg` is the managed cell given to create (rooted for the whole
/// life), `user` the plain word. Its return value is what the last resume
/// gives; an exception that leaves it is thrown by that resume.
class Coroutine;
using CoroutineFn = void* (*)(Mutator& mu, Coroutine* self, void* arg,
                              void* user);

struct CoroutineOptions {
  size_t stack_bytes = 0;  ///< 0: as tasks
};

class Coroutine {
 public:
  /// A new suspended coroutine; root it (Local<Coroutine>). May collect. Null
  /// when max_tasks or memory is reached.
  template <bool kCatch = TRI_DETAIL_EXCEPTIONS>
  static Coroutine* create(Mutator& mu, CoroutineFn fn, void* arg, void* user,
                           const CoroutineOptions& options = {}) {
    return create_with(mu, body<kCatch>, fn, arg, user, options);
  }

  /// Runs `co` until it yields or ends. `value` (a cell or null) becomes what
  /// its yield returns (ignored on the first resume). Returns what it yielded
  /// or returned, or throws what has left its body, which makes it dead.
  /// Misuse (fatal) unless it is suspended; of several threads that resume it
  /// at once one does, and the others have misused it.
  template <bool kThrow = TRI_DETAIL_EXCEPTIONS>
  static void* resume(Mutator& mu, Coroutine* co, void* value) {
    detail::Failure failure;
    void* result = nullptr;
    if (TRI_DETAIL_UNLIKELY(resume_with(mu, co, value, &result, &failure) !=
                            CoroutineStatus::kSuspended)) {
      misuse_resume(co);
    }
    if (TRI_DETAIL_UNLIKELY(failure.kind != nullptr)) {
      detail::raise_failure<kThrow>(mu, 0, failure);
    }
    return result;
  }

  /// The same where others may have been quicker: returns the status it has
  /// found. kSuspended: it has run, *result is what it gave. Any other: nothing
  /// has happened.
  template <bool kThrow = TRI_DETAIL_EXCEPTIONS>
  static CoroutineStatus try_resume(Mutator& mu, Coroutine* co, void* value,
                                    void** result) {
    detail::Failure failure;
    const CoroutineStatus found = resume_with(mu, co, value, result, &failure);
    if (TRI_DETAIL_UNLIKELY(failure.kind != nullptr)) {
      detail::raise_failure<kThrow>(mu, 0, failure);
    }
    return found;
  }

  /// Suspends the running coroutine; returns the next resume's value. Misuse
  /// unless is_yieldable(mu). `mu` is the coroutine's own.
  static void* yield(Mutator& mu, void* value);

  /// Whether `mu` is a running coroutine's, in managed code.
  static bool is_yieldable(const Mutator& mu);

  /// Ends a suspended coroutine: its stacks are given back now, its C++ frames
  /// are not unwound. False, and nothing happens, if it is not suspended.
  static bool close(Mutator& mu, Coroutine* co);

  /// The running coroutine of `mu`; null on a task's own stack.
  static Coroutine* running(Mutator& mu);

  /// As of now: another thread may change it any moment.
  CoroutineStatus status(Mutator& mu) const;

 private:
  Coroutine() = delete;
  /// Calls fn; what leaves it is set as the coroutine's end.
  using Body = void* (*)(CoroutineFn fn, Mutator& mu, Coroutine* self,
                         void* arg, void* user);
  template <bool kCatch>
  static void* body(CoroutineFn fn, Mutator& mu, Coroutine* self, void* arg,
                    void* user) {
    void* result = nullptr;
    detail::call_body<kCatch>(mu, [&] { result = fn(mu, self, arg, user); });
    return result;
  }
  static Coroutine* create_with(Mutator& mu, Body body, CoroutineFn fn,
                                void* arg, void* user,
                                const CoroutineOptions& options);
  /// Returns the status found, see try_resume.
  static CoroutineStatus resume_with(Mutator& mu, Coroutine* co, void* value,
                                     void** result, detail::Failure* failure);
  [[noreturn]] static void misuse_resume(const Coroutine* co);

  friend struct CoroutineAccess;
  void* g_;
  uint64_t state_;
};

}  // namespace tricolor

#endif  // TRICOLOR_COROUTINE_H_
