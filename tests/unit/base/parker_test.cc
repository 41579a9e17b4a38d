// SPDX-License-Identifier: MIT
// Copyright tricolor authors
//
// base/parker.h: the token, time-outs, and that no wake-up is lost between
// two threads that hand a turn back and forth.
#include "base/parker.h"

#include <gtest/gtest.h>

#include "base/clock.h"
#include "base/rng.h"
#include "tests/unit/base/test_thread.h"

namespace tricolor::base {
namespace {

TEST(base_parker, unpark_before_park_is_kept) {
  Parker parker;
  parker.unpark();
  parker.park();
  EXPECT_FALSE(parker.try_consume());
}

TEST(base_parker, one_token_only) {
  Parker parker;
  parker.unpark();
  parker.unpark();
  EXPECT_TRUE(parker.try_consume());
  EXPECT_FALSE(parker.park_for(0));
}

TEST(base_parker, times_out) {
  Parker parker;
  const uint64_t start = monotonic_clock().now_ns();
  EXPECT_FALSE(parker.park_for(5'000'000));
  EXPECT_GE(monotonic_clock().now_ns() - start, 5'000'000u);
  // The time-out leaves no trace.
  parker.unpark();
  EXPECT_TRUE(parker.park_for(-1));
}

// Two threads take turns: a lost wake-up hangs, an early one breaks the count.
TEST(base_parker, ping_pong_loses_nothing) {
  constexpr uint64_t kTurns = 50'000;
  Parker ping;
  Parker pong;
  uint64_t turn = 0;  // handed over by the parkers alone
  {
    TestThread other([&] {
      for (uint64_t i = 0; i < kTurns; i++) {
        ping.park();
        if (turn != 2 * i + 1) return;
        turn++;
        pong.unpark();
      }
    });
    for (uint64_t i = 0; i < kTurns; i++) {
      ASSERT_EQ(turn, 2 * i);
      turn++;
      ping.unpark();
      pong.park();
    }
  }
  EXPECT_EQ(turn, 2 * kTurns);
}

// The parking side mixes very short time-outs with real waits; every item that
// was announced must be seen, though tokens merge.
TEST(base_parker, short_timeouts_lose_nothing) {
  constexpr uint32_t kItems = 30'000;
  Parker parker;
  Atomic<uint32_t> produced{0};
  {
    TestThread producer([&] {
      Rng rng(7);
      for (uint32_t i = 0; i < kItems; i++) {
        produced.store_release(i + 1);
        parker.unpark();
        for (uint32_t spin = rng.below(64); spin > 0; spin--) cpu_relax();
      }
    });
    Rng rng(8);
    while (produced.load_acquire() < kItems) {
      const bool short_wait = rng.below(4) != 0;
      if (short_wait) {
        parker.park_for(1 + rng.below(2000));
      } else if (produced.load_acquire() < kItems) {
        parker.park();
      }
    }
  }
  EXPECT_EQ(produced.load_acquire(), kItems);
}

}  // namespace
}  // namespace tricolor::base
