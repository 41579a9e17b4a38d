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
/// gives. Must not throw.
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
  static Coroutine* create(Mutator& mu, CoroutineFn fn, void* arg, void* user,
                           const CoroutineOptions& options = {});

  /// Runs `co` until it yields or ends. `value` (a cell or null) becomes what
  /// its yield returns (ignored on the first resume). Returns what it yielded
  /// or returned. Misuse (fatal) unless status is kSuspended: ask first.
  static void* resume(Mutator& mu, Coroutine* co, void* value);

  /// Suspends the running coroutine; returns the next resume's value. Misuse
  /// outside a coroutine. `mu` is the coroutine's own.
  static void* yield(Mutator& mu, void* value);

  /// Ends a suspended coroutine: its stacks are given back now, its C++ frames
  /// are not unwound. False if it is not suspended.
  static bool close(Mutator& mu, Coroutine* co);

  /// The running coroutine of `mu`; null on a task's own stack.
  static Coroutine* running(Mutator& mu);

  CoroutineStatus status(Mutator& mu) const;

 private:
  Coroutine() = delete;
  friend struct CoroutineAccess;
  void* g_;
  uint64_t state_;
};

}  // namespace tricolor

#endif  // TRICOLOR_COROUTINE_H_
