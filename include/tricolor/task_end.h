// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// How tasks end: by a return, by goexit from any depth, or with an error; and
// the form of join that tells these apart.
#ifndef TRICOLOR_TASK_END_H_
#define TRICOLOR_TASK_END_H_

#include <cstddef>
#include <cstdint>
#include <utility>

#include "tricolor/task.h"

namespace tricolor {

/// Ends the calling task now, from any depth, as Go's runtime.Goexit; its
/// joiner gets Outcome::kExited. No destructor of its frames runs: what they
/// own stays owned, as after longjmp (an exception being handled is one of
/// these things). Locals, value stack and stack go back. In main of
/// Runtime::run it is like a return: run() returns, other tasks go on. Misuse
/// in native code, in a coroutine and on an attached thread.
[[noreturn]] void goexit(Mutator& mu);

/// The same as a failure with a number, for programs without exceptions: its
/// joiner gets Outcome::kFailed, and join throws TaskErrorCode.
[[noreturn]] void exit_with_error(Mutator& mu, uint64_t code);

namespace detail {
void check_may_exit(Mutator& mu, const char* call);
}  // namespace detail

#if TRI_DETAIL_EXCEPTIONS
/// goexit() with destructors: throws a type of its own through the frames of
/// the task. A catch (...) on the way that does not throw it on stops it, and a
/// noexcept function ends the process.
[[noreturn]] inline void goexit_unwind(Mutator& mu) {
  detail::check_may_exit(mu, "goexit_unwind");
  throw detail::TaskExit{};
}
#endif

/// What a task has failed with. Move-only; dropped with its owner.
class TaskError {
 public:
  TaskError() = default;
  explicit TaskError(detail::Failure failure) : failure_(failure) {}
  TaskError(TaskError&& o) noexcept : failure_(std::exchange(o.failure_, {})) {}
  TaskError& operator=(TaskError&& o) noexcept {
    std::swap(failure_, o.failure_);
    return *this;
  }
  ~TaskError() {
    if (failure_.kind != nullptr) failure_.kind->drop(failure_.word);
  }
  explicit operator bool() const { return failure_.kind != nullptr; }

  /// Some text for a message: of a std::exception its what().
  void describe(char* text, size_t bytes) const {
    failure_.kind->describe(failure_.word, text, bytes);
  }
  /// The number given to exit_with_error; 0 for an exception.
  uint64_t code() const {
    if (failure_.kind == nullptr || failure_.kind->rethrow != nullptr) return 0;
    return reinterpret_cast<uint64_t>(failure_.word);
  }
#if TRI_DETAIL_EXCEPTIONS
  /// Throws it, or TaskErrorCode; this is empty then. Must not be empty.
  [[noreturn]] void rethrow() {
    const detail::Failure failure = std::exchange(failure_, {});
    if (failure.kind->rethrow != nullptr) failure.kind->rethrow(failure.word);
    throw TaskErrorCode{reinterpret_cast<uint64_t>(failure.word)};
  }
#endif

 private:
  detail::Failure failure_;
};

/// `value` is zeros unless outcome is kValue, `error` empty unless kFailed.
template <class R>
struct JoinResult {
  Outcome outcome;
  R value;
  TaskError error;
};
template <>
struct JoinResult<void> {
  Outcome outcome;
  TaskError error;
};

/// As join(), but throws nothing and says how the task has ended. A value that
/// is a cell is not rooted.
template <class R>
JoinResult<R> try_join(Mutator& mu, Task<R>& task) {
  detail::Failure failure;
  alignas(16) unsigned char result[16];
  const Outcome outcome = detail::join(mu, task.release(), result,
                                       detail::result_bytes<R>(), &failure);
  if constexpr (std::is_void_v<R>) {
    return {outcome, TaskError(failure)};
  } else {
    return {outcome, *std::launder(reinterpret_cast<R*>(result)),
            TaskError(failure)};
  }
}

/// What Options::on_task_failure is told: a task has failed, and nobody joins
/// it. The pointers are good during the call.
struct TaskFailure {
  uint64_t task;     ///< task_id()
  const char* name;  ///< "" if it has none
  const char* what;  ///< of a std::exception its what()
  uint64_t code;     ///< given to exit_with_error, else 0
};

}  // namespace tricolor

#endif  // TRICOLOR_TASK_END_H_
