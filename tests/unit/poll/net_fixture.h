// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// What the tests of the public sockets share: a runtime, a connected pair over
// the loopback, and the count of file descriptors before and after.
#ifndef TESTS_UNIT_POLL_NET_FIXTURE_H_
#define TESTS_UNIT_POLL_NET_FIXTURE_H_

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <utility>

#include "tests/unit/poll/fds.h"
#include "tricolor/all.h"
#include "tricolor/net.h"

namespace tricolor::testing {

/// Runs `f(mu)` as the main task of a runtime with that many Ps; nothing is
/// left open afterwards.
template <class F>
void with_runtime(uint32_t procs, F f) {
  const int before = count_fds();
  {
    Options options;
    options.max_procs = procs;
    Error error;
    RuntimePtr rt = Runtime::create(options, &error);
    ASSERT_NE(nullptr, rt) << error.text;
    rt->run(f);
  }
  EXPECT_EQ(before, count_fds());
}

struct NetTest : ::testing::TestWithParam<uint32_t> {
  template <class F>
  void run(F f) {
    with_runtime(GetParam(), f);
  }
};

inline net::TcpListener listen_loopback(Mutator& mu) {
  Error error;
  net::TcpListener listener = net::listen_tcp(mu, "127.0.0.1:0", {}, &error);
  EXPECT_TRUE(listener) << error.text;
  return listener;
}

/// Two ends of one connection.
struct Ends {
  explicit Ends(Mutator& mu) {
    net::TcpListener listener = listen_loopback(mu);
    Error error;
    a = net::dial_tcp(mu, listener.local_address().text, &error);
    EXPECT_TRUE(a) << error.text;
    b = listener.accept(mu, &error);
    EXPECT_TRUE(b) << error.text;
  }
  net::TcpConn a, b;
};

inline void expect_closed(const net::IoResult& r) {
  EXPECT_EQ(ErrorCode::kState, r.code);
  EXPECT_EQ(EBADF, r.os_errno);
}

}  // namespace tricolor::testing

#endif  // TESTS_UNIT_POLL_NET_FIXTURE_H_
