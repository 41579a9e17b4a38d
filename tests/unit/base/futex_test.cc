// SPDX-License-Identifier: MIT
// Copyright tricolor authors
//
// base/futex.h: return values, time-outs, wakes, and errno left alone.
#include "base/futex.h"

#include <gtest/gtest.h>
#include <time.h>
#include <cerrno>

#include "base/clock.h"
#include "tests/unit/base/test_thread.h"

namespace tricolor::base {
namespace {

TEST(base_futex, wait_on_changed_word_returns_at_once) {
  Atomic<uint32_t> word{1};
  errno = 77;
  EXPECT_EQ(futex_wait(&word, 0, -1), EAGAIN);
  EXPECT_EQ(errno, 77);
}

TEST(base_futex, wait_times_out) {
  Atomic<uint32_t> word{0};
  errno = 77;
  const uint64_t start = monotonic_clock().now_ns();
  int rc = futex_wait(&word, 0, 5'000'000);
  while (rc == EINTR) rc = futex_wait(&word, 0, 5'000'000);
  EXPECT_EQ(rc, ETIMEDOUT);
  EXPECT_GE(monotonic_clock().now_ns() - start, 5'000'000u);
  EXPECT_EQ(errno, 77);
}

TEST(base_futex, wake_without_sleepers) {
  Atomic<uint32_t> word{0};
  EXPECT_EQ(futex_wake(&word, 8), 0);
}

TEST(base_futex, wake_wakes) {
  Atomic<uint32_t> word{0};
  Atomic<int> awake{0};
  {
    const auto sleep = [&] {
      while (word.load_acquire() == 0) futex_wait(&word, 0, -1);
      awake.fetch_add_relaxed(1);
    };
    TestThread a(sleep);
    TestThread b(sleep);
    const timespec pause{0, 2'000'000};
    nanosleep(&pause, nullptr);
    word.store_release(1);
    EXPECT_LE(futex_wake(&word, 8), 2);
  }
  EXPECT_EQ(awake.load_relaxed(), 2);
}

}  // namespace
}  // namespace tricolor::base
