// SPDX-License-Identifier: MIT
// Copyright tricolor authors
//
// Time as an injected interface: everything that waits or paces takes a
// `const Clock&`, the monotonic clock in production and a ManualClock in tests
// and in the deterministic build.
//
// Threading: a Clock may be read from any thread.
#ifndef TRICOLOR_BASE_CLOCK_H_
#define TRICOLOR_BASE_CLOCK_H_

#include <cstdint>

#include "base/atomics.h"

namespace tricolor::base {

struct Clock {
  uint64_t (*now_ns_fn)(void* ctx);
  void* ctx;

  // Nanoseconds since an arbitrary start; never goes back.
  uint64_t now_ns() const { return now_ns_fn(ctx); }
};

// CLOCK_MONOTONIC.
const Clock& monotonic_clock();

// A clock that stands still until it is told to advance.
class ManualClock {
 public:
  explicit ManualClock(uint64_t start_ns = 0)
      : now_ns_(start_ns), clock_{&ManualClock::read, this} {}
  ManualClock(const ManualClock&) = delete;
  ManualClock& operator=(const ManualClock&) = delete;

  const Clock& clock() const { return clock_; }
  // ORDER-manual-clock-1: pairs with read(): who sees the new time sees what
  // the test wrote before.
  void advance_ns(uint64_t ns) { now_ns_.fetch_add_acq_rel(ns); }

 private:
  static uint64_t read(void* self) {
    // ORDER-manual-clock-1: pairs with advance_ns().
    return static_cast<ManualClock*>(self)->now_ns_.load_acquire();
  }

  Atomic<uint64_t> now_ns_;
  const Clock clock_;
};

}  // namespace tricolor::base

#endif  // TRICOLOR_BASE_CLOCK_H_
