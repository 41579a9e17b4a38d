// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Closing: under a waiting call, twice, in a destructor, with the runtime; and
// what handles find afterwards.
#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <utility>

#include "tests/unit/poll/net_fixture.h"

namespace tricolor::testing {
namespace {

using net::IoResult;
using net::RawSocket;
using net::TcpConn;
using net::TcpListener;

using tcp_close = NetTest;
INSTANTIATE_TEST_SUITE_P(procs, tcp_close, ::testing::Values(1u, 2u, 8u));

void read_until_closed(Mutator& mu, Plain<TcpConn> conn) {
  char byte;
  expect_closed(conn.p->read(mu, &byte, 1));
}

TEST_P(tcp_close, wakes_the_reader) {
  run([](Mutator& mu) {
    for (int i = 0; i < 100; i++) {
      Ends ends(mu);
      auto reader = spawn(mu, &read_until_closed, plain(&ends.a));
      if (i % 2 == 0) yield(mu);
      ends.a.close();
      join(mu, reader);
    }
  });
}

TEST_P(tcp_close, wakes_the_writer) {
  run([](Mutator& mu) {
    Ends ends(mu);
    static char data[64 << 20];
    auto writer = spawn(
        mu,
        [](Mutator& mu, Plain<TcpConn> conn) {
          IoResult put = conn.p->write(mu, data, sizeof(data));
          expect_closed(put);
          EXPECT_LT(put.bytes, sizeof(data));
        },
        plain(&ends.a));
    // The other end takes nothing: once bytes have arrived, the buffers fill
    // up and the writer waits, or is about to.
    char byte;
    EXPECT_EQ(1u, ends.b.read(mu, &byte, 1).bytes);
    ends.a.close();
    join(mu, writer);
  });
}

TEST_P(tcp_close, wakes_the_acceptor) {
  run([](Mutator& mu) {
    TcpListener listener = listen_loopback(mu);
    auto acceptor = spawn(
        mu,
        [](Mutator& mu, Plain<TcpListener> l) {
          Error error;
          EXPECT_FALSE(l.p->accept(mu, &error));
          EXPECT_EQ(ErrorCode::kState, error.code);
          EXPECT_STREQ(
              "accept: errno 9 (the socket has been closed at this end)",
              error.text);
        },
        plain(&listener));
    yield(mu);
    listener.close();
    join(mu, acceptor);
  });
}

TEST_P(tcp_close, calls_after_it) {
  run([](Mutator& mu) {
    Ends ends(mu);
    ends.a.close();
    ends.a.close();
    char byte = 'x';
    expect_closed(ends.a.read(mu, &byte, 1));
    expect_closed(ends.a.write(mu, &byte, 1));
    expect_closed(ends.a.close_write());
    EXPECT_STREQ("", ends.a.peer_address().text);
    EXPECT_FALSE(ends.a);
    TcpConn empty;
    EXPECT_FALSE(empty);
    empty.close();
    expect_closed(empty.read(mu, &byte, 1));
    IoResult end = ends.b.read(mu, &byte, 1);
    EXPECT_TRUE(end.ok());
    EXPECT_EQ(0u, end.bytes) << "the other end sees the end of the stream";
  });
}

TEST_P(tcp_close, stale_handle_does_not_hit_the_next_socket) {
  run([](Mutator& mu) {
    Ends first(mu);
    const RawSocket raw = first.a.release();
    TcpConn copy(raw);  // against the rules: two owners
    first.a = TcpConn(raw);
    copy.close();
    first.b.close();
    Ends second(mu);  // takes the freed descriptors
    first.a.close();
    char byte;
    expect_closed(first.a.read(mu, &byte, 1));
    EXPECT_EQ(1u, second.a.write(mu, "x", 1).bytes);
    EXPECT_EQ(1u, second.b.read(mu, &byte, 1).bytes);
  });
}

// Whichever of the two comes second is refused at once; the first waits on.
TEST_P(tcp_close, second_reader_is_refused) {
  struct Both {
    TcpConn* conn;
    std::atomic<int> refused{0};
  };
  run([](Mutator& mu) {
    Ends ends(mu);
    Both both{&ends.a};
    auto read = [](Mutator& mu, Plain<Both> both) {
      char byte;
      IoResult got = both.p->conn->read(mu, &byte, 1);
      EXPECT_EQ(ErrorCode::kState, got.code);
      if (got.os_errno != EBUSY) return expect_closed(got);
      EXPECT_STREQ(
          "read: errno 16 (another call in this direction is under way)",
          to_error(got, "read").text);
      both.p->refused++;
    };
    auto one = spawn(mu, read, plain(&both));
    auto two = spawn(mu, read, plain(&both));
    while (both.refused.load() == 0) yield(mu);
    EXPECT_EQ(1, both.refused.load());
    ends.a.close();
    join(mu, one);
    join(mu, two);
  });
}

TEST_P(tcp_close, destructor_closes) {
  run([](Mutator& mu) {
    const int before = count_fds();
    {
      Ends ends(mu);
      EXPECT_LT(before, count_fds());
      TcpConn moved = std::move(ends.a);
      EXPECT_FALSE(ends.a);
      EXPECT_EQ(1u, moved.write(mu, "x", 1).bytes);
      ends.b = std::move(moved);
      char byte;
      expect_closed(ends.a.read(mu, &byte, 1));
    }
    EXPECT_GE(before + 2, count_fds()) << "the poller's own";
  });
}

TEST_P(tcp_close, runtime_closes_what_is_left) {
  run([](Mutator& mu) {
    TcpListener listener = listen_loopback(mu);
    for (int i = 0; i < 20; i++) {
      net::dial_tcp(mu, listener.local_address().text).release();
      // This task waits for ever and never runs its destructor.
      spawn(
          mu,
          [](Mutator& mu, RawSocket raw) {
            TcpConn conn(raw);
            char byte;
            (void)conn.read(mu, &byte, 1);
          },
          listener.accept(mu).release())
          .detach();
    }
    listener.release();
    yield(mu);
  });
}

TEST(tcp_close_one, closed_handles_may_outlive_the_runtime) {
  TcpListener listener;
  TcpConn conn;
  with_runtime(1, [&](Mutator& mu) {
    listener = listen_loopback(mu);
    conn = net::dial_tcp(mu, listener.local_address().text);
    listener.close();
    conn.close();
  });
}

TEST(tcp_close_one, errno_stays) {
  with_runtime(1, [](Mutator& mu) {
    Ends ends(mu);
    errno = 1234;
    char byte;
    (void)ends.a.write(mu, "x", 1);
    (void)ends.b.read(mu, &byte, 1);
    ends.b.close();
    (void)ends.a.read(mu, &byte, 1);
    (void)net::dial_tcp(mu, "127.0.0.1:1");
    ends.a.close();
    EXPECT_EQ(1234, errno);
  });
}

}  // namespace
}  // namespace tricolor::testing
