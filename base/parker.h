// SPDX-License-Identifier: MIT
// Copyright tricolor authors
//
// Parker: a binary semaphore with one token, on one futex word. An M sleeps on
// its Parker; whoever has work for it calls unpark().
//
// 1. An unpark() before or during park() is not lost: the token stays until
//    it is consumed. Two unparks before a park leave one token.
// 2. What was written before unpark() is seen after the park() it ends.
// 3. One thread parks (the owner); any thread unparks. The owner may destroy
//    the Parker as soon as its park() has returned.
//
//     kEmpty --unpark--> kToken --park, try_consume--> kEmpty
//     kEmpty --park--> kWaiting --unpark--> kToken (and wakes the owner)
//     kWaiting --park_for times out--> kEmpty
#ifndef TRICOLOR_BASE_PARKER_H_
#define TRICOLOR_BASE_PARKER_H_

#include <cstdint>

#include "base/atomics.h"

namespace tricolor::base {

class Parker {
 public:
  constexpr Parker() = default;
  Parker(const Parker&) = delete;
  Parker& operator=(const Parker&) = delete;

  // Waits for a token and consumes it.
  void park() { park_for(-1); }

  // The same, at most `timeout_ns` (negative: no limit). False on time-out.
  bool park_for(int64_t timeout_ns);

  // Leaves the token, and wakes the owner when it waits.
  void unpark();

  // Consumes the token if it is there; never waits. Owner only.
  bool try_consume() {
    uint32_t expected = kToken;
    // ORDER-parker-1: pairs with unpark(): sees what the giver wrote.
    return state_.compare_exchange_strong_acquire(expected, kEmpty);
  }

 private:
  enum State : uint32_t {
    kEmpty = 0,    // no token, nobody waits
    kToken = 1,    // a token waits for the owner
    kWaiting = 2,  // the owner sleeps, or is about to
  };

  Atomic<uint32_t> state_{kEmpty};
};

}  // namespace tricolor::base

#endif  // TRICOLOR_BASE_PARKER_H_
