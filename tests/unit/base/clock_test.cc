// SPDX-License-Identifier: MIT
// Copyright tricolor authors
//
// base/clock.h: the monotonic clock moves on, the manual one on request.
#include "base/clock.h"

#include <gtest/gtest.h>

namespace tricolor::base {
namespace {

TEST(base_clock, monotonic_never_goes_back) {
  uint64_t last = monotonic_clock().now_ns();
  EXPECT_GT(last, 0u);
  for (int i = 0; i < 1000; i++) {
    const uint64_t now = monotonic_clock().now_ns();
    ASSERT_GE(now, last);
    last = now;
  }
}

TEST(base_clock, manual_stands_still) {
  ManualClock manual(100);
  const Clock& clock = manual.clock();
  EXPECT_EQ(clock.now_ns(), 100u);
  EXPECT_EQ(clock.now_ns(), 100u);
  manual.advance_ns(50);
  EXPECT_EQ(clock.now_ns(), 150u);
}

}  // namespace
}  // namespace tricolor::base
