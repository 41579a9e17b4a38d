// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Sockets on attached threads: they wait in the kernel, the collector does not
// wait for them, and close() from elsewhere gets them out.
#include <gtest/gtest.h>

#include <atomic>
#include <cstring>
#include <thread>

#include "tests/unit/poll/net_fixture.h"

namespace tricolor::testing {
namespace {

using net::IoResult;
using net::TcpConn;
using net::TcpListener;

// Runs f(mu) on a thread of its own, attached and managed.
template <class F>
std::thread on_thread(Runtime& rt, F f) {
  return std::thread([&rt, f] {
    AttachScope attached(rt);
    ManagedScope managed(attached);
    f(managed.mutator());
  });
}

struct TcpAttached : ::testing::Test {
  TcpAttached() { EXPECT_NE(nullptr, rt); }
  ~TcpAttached() override {
    rt.reset();
    EXPECT_EQ(before, count_fds());
  }
  int before = count_fds();
  RuntimePtr rt = Runtime::create({});
};
using tcp_attached = TcpAttached;

TEST_F(tcp_attached, echo_without_any_task) {
  std::thread t = on_thread(*rt, [&](Mutator& mu) {
    TcpListener listener = listen_loopback(mu);
    const net::Address address = listener.local_address();
    std::thread other = on_thread(*rt, [&](Mutator& mu) {
      TcpConn conn = net::dial_tcp(mu, address.text);
      char buffer[4];
      for (int i = 0; i < 100; i++) {
        EXPECT_EQ(4u, conn.write(mu, "ping", 4).bytes);
        EXPECT_EQ(4u, conn.read_full(mu, buffer, 4).bytes);
      }
    });
    TcpConn conn = listener.accept(mu);
    char buffer[4];
    for (int i = 0; i < 100; i++) {
      EXPECT_EQ(4u, conn.read_full(mu, buffer, 4).bytes);
      EXPECT_EQ(0, std::memcmp(buffer, "ping", 4));
      EXPECT_EQ(4u, conn.write(mu, buffer, 4).bytes);
    }
    NativeScope native(mu);
    other.join();
  });
  t.join();
}

TEST_F(tcp_attached, collections_run_while_it_waits) {
  TcpListener listener;
  rt->run([&](Mutator& mu) { listener = listen_loopback(mu); });
  std::atomic<bool> accepted{false};
  std::thread t = on_thread(*rt, [&](Mutator& mu) {
    EXPECT_TRUE(listener.accept(mu));
    accepted.store(true);
  });
  rt->run([&](Mutator& mu) {
    collect(mu);
    collect(mu);
    EXPECT_FALSE(accepted.load());
    TcpConn conn = net::dial_tcp(mu, listener.local_address().text);
    EXPECT_TRUE(conn);
  });
  t.join();
  listener.close();
}

TEST_F(tcp_attached, close_ends_the_wait) {
  for (int i = 0; i < 50; i++) {
    TcpListener listener;
    TcpConn a, b;
    std::thread setup = on_thread(*rt, [&](Mutator& mu) {
      listener = listen_loopback(mu);
      a = net::dial_tcp(mu, listener.local_address().text);
      b = listener.accept(mu);
    });
    setup.join();
    std::atomic<int> ready{0};
    std::thread reader = on_thread(*rt, [&](Mutator& mu) {
      ready++;
      char byte;
      expect_closed(a.read(mu, &byte, 1));
    });
    std::thread acceptor = on_thread(*rt, [&](Mutator& mu) {
      ready++;
      Error error;
      EXPECT_FALSE(listener.accept(mu, &error));
      EXPECT_EQ(ErrorCode::kState, error.code);
    });
    while (ready.load() < 2) std::this_thread::yield();
    // This thread is not attached to anything.
    listener.close();
    a.close();
    b.close();
    reader.join();
    acceptor.join();
  }
}

TEST_F(tcp_attached, thread_and_task) {
  TcpListener listener;
  std::thread t =
      on_thread(*rt, [&](Mutator& mu) { listener = listen_loopback(mu); });
  t.join();
  std::thread client = on_thread(*rt, [&](Mutator& mu) {
    TcpConn conn = net::dial_tcp(mu, listener.local_address().text);
    char buffer[4];
    EXPECT_EQ(4u, conn.write(mu, "ping", 4).bytes);
    EXPECT_EQ(4u, conn.read_full(mu, buffer, 4).bytes);
    EXPECT_EQ(0, std::memcmp(buffer, "pong", 4));
  });
  rt->run([&](Mutator& mu) {
    TcpConn conn = listener.accept(mu);
    char buffer[4];
    EXPECT_EQ(4u, conn.read_full(mu, buffer, 4).bytes);
    EXPECT_EQ(4u, conn.write(mu, "pong", 4).bytes);
    IoResult end = conn.read(mu, buffer, 1);
    EXPECT_EQ(0u, end.bytes);
  });
  client.join();
  listener.close();
}

}  // namespace
}  // namespace tricolor::testing
