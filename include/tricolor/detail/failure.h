// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// How an exception gets from the stack it has left to the one that takes it. It
// is caught and thrown in these inline functions, in the embedder's code; the
// library carries a word and a table of what may be done with it, and knows
// nothing of exceptions.
//
// The word is the std::exception_ptr itself, which is one pointer in the
// Itanium C++ ABI and may lie anywhere. A Failure owns it: exactly one of
// drop() and rethrow() is called, once.
//
// Not scanned: an exception may refer to managed cells only if something else
// keeps them.
#ifndef TRICOLOR_DETAIL_FAILURE_H_
#define TRICOLOR_DETAIL_FAILURE_H_

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "tricolor/detail/mutator.h"

#if TRI_DETAIL_EXCEPTIONS
#include <exception>
#endif

namespace tricolor {

/// What join throws for a task that has ended by exit_with_error().
struct TaskErrorCode {
  uint64_t code;
};

namespace detail {

struct FailureKind {
  void (*drop)(void* word);
  void (*rethrow)(void* word);  ///< does not return; null: it is a plain code
  /// Some text for a message, with its null.
  void (*describe)(void* word, char* text, size_t bytes);
};

struct Failure {
  const FailureKind* kind = nullptr;  ///< null: there is none
  void* word = nullptr;
};

/// The calling task or coroutine ends with this when its body returns.
void set_failure(Mutator& mu, Failure failure);
/// The same without a value: as by goexit().
void set_exited(Mutator& mu);
/// Nobody takes the failure of task `id`: tells Options::on_task_failure.
void report_failure(Mutator& mu, uint64_t id, Failure failure);

#if TRI_DETAIL_EXCEPTIONS

/// What goexit_unwind() throws.
struct TaskExit {};

inline std::exception_ptr exception_of(void* word) {
  std::exception_ptr exception;
  static_assert(sizeof(exception) == sizeof(word));
  std::memcpy(static_cast<void*>(&exception), &word, sizeof(word));
  return exception;
}

inline void drop_exception(void* word) { exception_of(word); }

inline void rethrow_exception(void* word) {
  // Null: it was of another language.
  if (word == nullptr) throw std::bad_exception();
  std::rethrow_exception(exception_of(word));
}

inline void describe_exception(void* word, char* text, size_t bytes) {
  const char* what = "an exception of another language";
  if (word != nullptr) {
    try {
      std::exception_ptr copy = exception_of(word);
      std::exception_ptr again = copy;
      // `copy` has the word's reference, which stays the word's.
      ::new (static_cast<void*>(&copy)) std::exception_ptr();
      std::rethrow_exception(again);
    } catch (const std::exception& e) {
      std::strncpy(text, e.what(), bytes - 1);
      text[bytes - 1] = '\0';
      return;
    } catch (...) {
      what = "an exception that is no std::exception";
    }
  }
  std::strncpy(text, what, bytes - 1);
  text[bytes - 1] = '\0';
}

inline constexpr FailureKind kException{drop_exception, rethrow_exception,
                                        describe_exception};

/// Inside a catch block: the exception that has been caught.
inline Failure current_failure() {
  std::exception_ptr exception = std::current_exception();
  Failure failure{&kException, nullptr};
  std::memcpy(&failure.word, static_cast<void*>(&exception),
              sizeof(failure.word));
  ::new (static_cast<void*>(&exception)) std::exception_ptr();  // given away
  return failure;
}

#endif  // TRI_DETAIL_EXCEPTIONS

/// Calls f(). Returns what has left it; a TaskExit sets *exited.
template <bool kCatch, class F>
Failure call_caught([[maybe_unused]] bool* exited, F&& f) {
#if TRI_DETAIL_EXCEPTIONS
  if constexpr (kCatch) {
    try {
      f();
    } catch (const TaskExit&) {
      *exited = true;
    } catch (...) {
      return current_failure();
    }
    return {};
  }
#endif
  f();
  return {};
}

/// The body of a task or coroutine: what leaves it is set as its end.
template <bool kCatch, class F>
void call_body(Mutator& mu, F&& f) {
  bool exited = false;
  const Failure failure = call_caught<kCatch>(&exited, f);
  if (exited) set_exited(mu);
  if (failure.kind != nullptr) set_failure(mu, failure);
}

/// Throws a failure here, or, where nothing can be thrown, reports it.
template <bool kThrow>
void raise_failure(Mutator& mu, uint64_t id, Failure failure) {
#if TRI_DETAIL_EXCEPTIONS
  if constexpr (kThrow) {
    if (failure.kind->rethrow != nullptr) failure.kind->rethrow(failure.word);
    throw TaskErrorCode{reinterpret_cast<uint64_t>(failure.word)};
  }
#endif
  report_failure(mu, id, failure);
}

}  // namespace detail
}  // namespace tricolor

#endif  // TRICOLOR_DETAIL_FAILURE_H_
