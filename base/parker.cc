// SPDX-License-Identifier: MIT
// Copyright tricolor authors
//
// The sleeping half of base/parker.h. Called by the owner (park_for) and by
// anybody (unpark). A wake cannot be lost: the owner sleeps only while the word
// is kWaiting, and unpark() replaces the word before it looks for a sleeper.
#include "base/parker.h"

#include <ctime>

#include "base/check.h"
#include "base/clock.h"
#include "base/futex.h"

namespace tricolor::base {

bool Parker::park_for(int64_t timeout_ns) {
  if (try_consume()) return true;
  if (timeout_ns == 0) return false;
  const uint64_t start_ns = timeout_ns > 0 ? monotonic_clock().now_ns() : 0;
  uint32_t expected = kEmpty;
  // ORDER-parker-1: when this fails there is a token: as in try_consume().
  if (!state_.compare_exchange_strong_acquire(expected, kWaiting)) {
    TRI_CHECK(expected == kToken, "two threads park on one Parker");
    return try_consume();
  }
  int64_t left_ns = timeout_ns;
  while (left_ns != 0) {
    futex_wait(&state_, kWaiting, left_ns);
    if (try_consume()) return true;
    if (timeout_ns < 0) continue;
    const int64_t gone_ns =
        static_cast<int64_t>(monotonic_clock().now_ns() - start_ns);
    left_ns = gone_ns < timeout_ns ? timeout_ns - gone_ns : 0;
  }
  // ORDER-parker-1: a token may have come since: consume it all the same.
  return state_.exchange_acquire(kEmpty) == kToken;
}

void Parker::unpark() {
  // ORDER-parker-1: pairs with try_consume() and park_for(): publishes what
  // this thread wrote before. The owner may be gone after this line; waking an
  // address that nobody waits on does nothing.
  if (state_.exchange_release(kToken) == kWaiting) futex_wake(&state_, 1);
}

}  // namespace tricolor::base
