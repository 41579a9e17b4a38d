// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// What all waits have in common: how they end, and until when they last. A wait
// of a task suspends the task, one of an attached thread blocks the thread, in
// native code as far as the collector is concerned. The forms without a Mutator
// are for threads that are not attached; they block.
#ifndef TRICOLOR_WAIT_H_
#define TRICOLOR_WAIT_H_

#include <cstddef>
#include <cstdint>

#include "tricolor/detail/mutator.h"

namespace tricolor {

enum class WaitResult : uint8_t {
  kOk,
  kClosed,     ///< the channel is closed (and empty, for a receiver)
  kTimeout,    ///< the deadline came first
  kCancelled,  ///< the task has been cancelled: cancel() in tricolor/task.h
};

/// Nanoseconds of the monotonic clock that deadlines are given in.
uint64_t now_ns();

/// When a wait ends by itself. Deadline::now() does not wait at all.
struct Deadline {
  static constexpr uint64_t kNever = ~uint64_t{0};
  uint64_t at_ns = kNever;

  static Deadline never() { return {}; }
  static Deadline now() { return {0}; }
  static Deadline at(uint64_t ns) { return {ns}; }
  /// From now on; what is beyond the end of time is never.
  static Deadline in(uint64_t ns) {
    const uint64_t start = now_ns();
    return {ns < kNever - start ? start + ns : kNever};
  }
};

namespace detail {

/// A list of waiters with the lock that guards it, and whatever else the owner
/// puts under that lock. The words are the private WaitQueue of sched/wait.h.
struct WaitQueueRep {
  static constexpr uint64_t kFreeLock = uint64_t{18} << 32;  // rank kWait
  uint64_t lock = kFreeLock;
  void* first = nullptr;
  void* last = nullptr;
};

}  // namespace detail
}  // namespace tricolor

#endif  // TRICOLOR_WAIT_H_
