// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Calls that need another place to run than a task's stack and its turn: deep C
// code (on_system_stack), and calls that block for long (blocking). For calls
// that are neither, call_native of tricolor/thread.h is the cheapest.
//
//   NativeScope native(mu);                          // deep and slow
//   on_system_stack(mu, [&] { error = getaddrinfo(host, port, 0, &list); });
//
//   blocking(mu, [&] { n = read(fd, buffer, sizeof(buffer)); });
//
// Results come back by reference: a waiting task keeps its stack. An exception
// that f throws is thrown again to the caller. f must touch no managed cell and
// not longjmp out.
#ifndef TRICOLOR_NATIVE_H_
#define TRICOLOR_NATIVE_H_

#include <type_traits>

#include "tricolor/detail/failure.h"
#include "tricolor/detail/mutator.h"

extern "C" {
void tri_on_system_stack(tri_mutator* mu, void (*fn)(void* arg), void* arg);
void tri_blocking(tri_mutator* mu, void (*fn)(void* arg), void* arg);
}

namespace tricolor {

namespace detail {

template <bool kCatch, class F>
void call_elsewhere(Mutator& mu,
                    void (*where)(tri_mutator*, void (*)(void*), void*), F& f) {
  struct Call {
    F* fn;
    bool exited;
    Failure failure;
  } call{&f, false, {}};
  where(
      &mu,
      [](void* arg) {
        auto* call = static_cast<Call*>(arg);
        call->failure = call_caught<kCatch>(&call->exited, *call->fn);
      },
      &call);
  if (TRI_DETAIL_UNLIKELY(call.failure.kind != nullptr)) {
    raise_failure<kCatch>(mu, 0, call.failure);
  }
}

}  // namespace detail

/// Runs f() on the stack of the thread that the task is on: 1 MiB on threads of
/// the runtime, of the thread that called Runtime::run its own. An attached
/// thread is there already. In managed code no stop of the world can happen
/// until f returns, so f should be quick, or a NativeScope around the call; the
/// runtime's calls inside f, ManagedScope included, are a misuse. Neither a
/// safepoint nor a suspension.
template <bool kCatch = TRI_DETAIL_EXCEPTIONS, class F>
void on_system_stack(Mutator& mu, F&& f) {
  detail::call_elsewhere<kCatch>(mu, tri_on_system_stack, f);
}

/// Runs f() on a thread of the blocking pool while the task waits and others
/// run: at most Options::blocking_threads at once, in the order of the calls.
/// f may attach to the runtime and call into it by an AttachScope; the task's
/// own Mutator is not for it. On the caller's own thread, in native code: from
/// an attached thread, and where there is no pool (Options::background_threads
/// or blocking_threads 0) or no thread to be had. ~Runtime waits for calls that
/// have begun; those that have not are forgotten. Suspends.
template <bool kCatch = TRI_DETAIL_EXCEPTIONS, class F>
void blocking(Mutator& mu, F&& f) {
  detail::call_elsewhere<kCatch>(mu, tri_blocking, f);
}

}  // namespace tricolor

#endif  // TRICOLOR_NATIVE_H_
