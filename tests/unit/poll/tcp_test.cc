// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// TCP between tasks: bytes, addresses, ends of streams, errors of the network.
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

#include "tests/unit/poll/net_fixture.h"

namespace tricolor::testing {
namespace {

using net::IoResult;
using net::TcpConn;
using net::TcpListener;

using tcp = NetTest;
INSTANTIATE_TEST_SUITE_P(procs, tcp, ::testing::Values(1u, 2u, 8u));

void echo(Mutator& mu, net::RawSocket raw) {
  TcpConn conn(raw);
  char buffer[4096];
  for (;;) {
    IoResult got = conn.read(mu, buffer, sizeof(buffer));
    if (!got.ok() || got.bytes == 0) return;
    if (!conn.write(mu, buffer, got.bytes).ok()) return;
  }
}

TEST_P(tcp, echo) {
  run([](Mutator& mu) {
    TcpListener listener = listen_loopback(mu);
    auto server = spawn(
        mu,
        [](Mutator& mu, Plain<TcpListener> l) {
          TcpConn conn = l.p->accept(mu);
          EXPECT_TRUE(conn);
          echo(mu, conn.release());
        },
        plain(&listener));
    TcpConn client = net::dial_tcp(mu, listener.local_address().text);
    for (int i = 0; i < 100; i++) {
      const std::string message = "message " + std::to_string(i);
      EXPECT_EQ(message.size(),
                client.write(mu, message.data(), message.size()).bytes);
      std::string back(message.size(), '?');
      IoResult got = client.read_full(mu, back.data(), back.size());
      EXPECT_TRUE(got.ok());
      EXPECT_EQ(message, back);
    }
    client.close();
    join(mu, server);
  });
}

TEST_P(tcp, addresses_agree) {
  run([](Mutator& mu) {
    TcpListener listener = listen_loopback(mu);
    EXPECT_NE(0, listener.local_address().port);
    TcpConn a = net::dial_tcp(mu, listener.local_address().text);
    TcpConn b = listener.accept(mu);
    EXPECT_STREQ(listener.local_address().text, a.peer_address().text);
    EXPECT_STREQ(a.local_address().text, b.peer_address().text);
    EXPECT_STREQ(a.peer_address().text, b.local_address().text);
  });
}

TEST_P(tcp, ipv6) {
  run([](Mutator& mu) {
    Error error;
    TcpListener listener = net::listen_tcp(mu, "[::1]:0", {}, &error);
    if (!listener) {
      GTEST_SKIP() << "no IPv6 here: " << error.text;
    }
    TcpConn a = net::dial_tcp(mu, listener.local_address().text);
    TcpConn b = listener.accept(mu);
    EXPECT_EQ(3u, a.write(mu, "abc", 3).bytes);
    char buffer[3];
    EXPECT_EQ(3u, b.read_full(mu, buffer, 3).bytes);
  });
}

// More than all buffers on the way hold: both ends wait many times, and both
// directions at once. The stream repeats a block of an odd length.
struct Bulk {
  static constexpr size_t kBytes = 16 << 20;
  static constexpr size_t kBlock = 65'521;
  static const char* block() {
    static char bytes[kBlock];
    for (size_t i = 0; i < kBlock; i++) bytes[i] = static_cast<char>(i * 31);
    return bytes;
  }
  static void send(Mutator& mu, Plain<TcpConn> conn, Plain<const char> block) {
    for (size_t done = 0; done < kBytes;) {
      const size_t bytes = std::min(kBlock, kBytes - done);
      IoResult put = conn.p->write(mu, block.p, bytes);
      EXPECT_EQ(bytes, put.bytes);
      if (!put.ok()) break;
      done += bytes;
    }
    EXPECT_TRUE(conn.p->close_write().ok());
  }
  static void receive(Mutator& mu, Plain<TcpConn> conn,
                      Plain<const char> block) {
    std::vector<char> data(kBlock);
    size_t total = 0, bad = 0;
    for (;;) {
      const size_t at = total % kBlock;
      IoResult got = conn.p->read(mu, data.data(), kBlock - at);
      EXPECT_TRUE(got.ok());
      if (!got.ok() || got.bytes == 0) break;
      bad += std::memcmp(data.data(), block.p + at, got.bytes) != 0;
      total += got.bytes;
    }
    EXPECT_EQ(kBytes, total);
    EXPECT_EQ(0u, bad);
  }
};

TEST_P(tcp, bulk_in_both_directions) {
  run([](Mutator& mu) {
    Ends ends(mu);
    const auto block = plain(Bulk::block());
    auto t1 = spawn(mu, &Bulk::send, plain(&ends.a), block);
    auto t2 = spawn(mu, &Bulk::send, plain(&ends.b), block);
    auto t3 = spawn(mu, &Bulk::receive, plain(&ends.a), block);
    auto t4 = spawn(mu, &Bulk::receive, plain(&ends.b), block);
    join(mu, t1);
    join(mu, t2);
    join(mu, t3);
    join(mu, t4);
  });
}

TEST_P(tcp, half_close) {
  run([](Mutator& mu) {
    Ends ends(mu);
    EXPECT_EQ(5u, ends.a.write(mu, "hello", 5).bytes);
    EXPECT_TRUE(ends.a.close_write().ok());
    IoResult put = ends.a.write(mu, "x", 1);
    EXPECT_EQ(EPIPE, put.os_errno) << "and no SIGPIPE";
    char buffer[16];
    IoResult got = ends.b.read_full(mu, buffer, sizeof(buffer));
    EXPECT_TRUE(got.ok());
    EXPECT_EQ(5u, got.bytes) << "then the end of the stream";
    EXPECT_EQ(2u, ends.b.write(mu, "ok", 2).bytes) << "the other way is open";
    EXPECT_EQ(2u, ends.a.read_full(mu, buffer, 2).bytes);
  });
}

TEST_P(tcp, close_read_ends_a_waiting_read) {
  run([](Mutator& mu) {
    Ends ends(mu);
    auto reader = spawn(
        mu,
        [](Mutator& mu, Plain<TcpConn> conn) {
          char byte;
          IoResult got = conn.p->read(mu, &byte, 1);
          EXPECT_TRUE(got.ok());
          EXPECT_EQ(0u, got.bytes);
        },
        plain(&ends.a));
    yield(mu);
    EXPECT_TRUE(ends.a.close_read().ok());
    join(mu, reader);
  });
}

// A close with unread data makes the kernel send RST.
TEST_P(tcp, peer_reset) {
  run([](Mutator& mu) {
    Ends ends(mu);
    EXPECT_EQ(5u, ends.a.write(mu, "hello", 5).bytes);
    char byte;
    EXPECT_EQ(1u, ends.b.read(mu, &byte, 1).bytes) << "it has arrived";
    ends.b.close();
    IoResult got = ends.a.read(mu, &byte, 1);
    EXPECT_EQ(ErrorCode::kOs, got.code);
    EXPECT_EQ(ECONNRESET, got.os_errno);
    IoResult put = ends.a.write(mu, "x", 1);
    EXPECT_EQ(EPIPE, put.os_errno);
    EXPECT_STREQ("write: errno 32 (Broken pipe)", to_error(put, "write").text);
  });
}

TEST_P(tcp, connect_refused) {
  run([](Mutator& mu) {
    // A port that is taken, so that nobody else gets it, and not listened on.
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in any{};
    any.sin_family = AF_INET;
    any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* raw = reinterpret_cast<sockaddr*>(&any);
    socklen_t length = sizeof(any);
    ASSERT_EQ(0, ::bind(fd, raw, length));
    ASSERT_EQ(0, ::getsockname(fd, raw, &length));
    const std::string address =
        "127.0.0.1:" + std::to_string(ntohs(any.sin_port));
    Error error;
    EXPECT_FALSE(net::dial_tcp(mu, address.c_str(), &error));
    EXPECT_EQ(ErrorCode::kOs, error.code);
    EXPECT_EQ(ECONNREFUSED, error.os_errno);
    EXPECT_EQ("dial_tcp " + address + ": errno 111 (Connection refused)",
              error.text);
    ::close(fd);
  });
}

TEST_P(tcp, bad_addresses) {
  run([](Mutator& mu) {
    Error error;
    EXPECT_FALSE(net::dial_tcp(mu, "nowhere", &error));
    EXPECT_EQ(ErrorCode::kInvalidArgument, error.code);
    EXPECT_STREQ(
        "dial_tcp: the address \"nowhere\" is not of the form 127.0.0.1:80, "
        "[::1]:80 or :80",
        error.text);
    EXPECT_FALSE(net::listen_tcp(mu, nullptr, {}, &error));
    EXPECT_EQ(ErrorCode::kInvalidArgument, error.code);
    EXPECT_FALSE(net::listen_tcp(mu, "192.0.2.1:0", {}, &error));
    EXPECT_EQ(EADDRNOTAVAIL, error.os_errno);
    EXPECT_FALSE(net::listen_tcp(mu, "192.0.2.1:0")) << "no error wanted";
  });
}

TEST_P(tcp, address_in_use) {
  run([](Mutator& mu) {
    TcpListener listener = listen_loopback(mu);
    const net::Address taken = listener.local_address();
    Error error;
    EXPECT_FALSE(net::listen_tcp(mu, taken.text, {}, &error));
    EXPECT_EQ(EADDRINUSE, error.os_errno);
    net::ListenOptions shared;
    shared.reuse_port = true;
    TcpListener first = net::listen_tcp(mu, "127.0.0.1:0", shared);
    EXPECT_TRUE(net::listen_tcp(mu, first.local_address().text, shared));
  });
}

TEST_P(tcp, nothing_to_read_into) {
  run([](Mutator& mu) {
    Ends ends(mu);
    EXPECT_TRUE(ends.a.read(mu, nullptr, 0).ok());
    EXPECT_TRUE(ends.a.write(mu, nullptr, 0).ok());
    EXPECT_TRUE(ends.a.read_full(mu, nullptr, 0).ok());
  });
}

TEST_P(tcp, many_connections) {
  run([](Mutator& mu) {
    constexpr int kPairs = 150;
    TcpListener listener = listen_loopback(mu);
    std::vector<TcpConn> clients, servers;
    for (int i = 0; i < kPairs; i++) {
      clients.push_back(net::dial_tcp(mu, listener.local_address().text));
      servers.push_back(listener.accept(mu));
      ASSERT_TRUE(clients.back());
      ASSERT_TRUE(servers.back());
    }
    for (int i = kPairs - 1; i >= 0; i--) {
      EXPECT_EQ(sizeof(i), clients[i].write(mu, &i, sizeof(i)).bytes);
    }
    for (int i = 0; i < kPairs; i++) {
      int got = -1;
      EXPECT_EQ(sizeof(i), servers[i].read_full(mu, &got, sizeof(got)).bytes);
      EXPECT_EQ(i, got);
    }
  });
}

// One P. A socket that never makes its reader wait must not keep the others
// from running.
TEST(tcp_one_p, always_ready_socket_starves_nobody) {
  with_runtime(1, [](Mutator& mu) {
    Ends ends(mu);
    std::vector<char> data(20'000);
    EXPECT_EQ(data.size(), ends.a.write(mu, data.data(), data.size()).bytes);
    bool ran = false;
    auto other = spawn(
        mu, [](Mutator&, Plain<bool> ran) { *ran.p = true; }, plain(&ran));
    size_t reads = 0;
    for (char byte; !ran && reads < data.size(); reads++) {
      EXPECT_EQ(1u, ends.b.read(mu, &byte, 1).bytes);
    }
    EXPECT_TRUE(ran);
    join(mu, other);
  });
}

TEST(tcp_one_p, without_background_threads) {
  Options options;
  options.background_threads = 0;
  RuntimePtr rt = Runtime::create(options);
  rt->run([](Mutator& mu) {
    TcpListener listener = listen_loopback(mu);
    auto server = spawn(
        mu,
        [](Mutator& mu, Plain<TcpListener> l) {
          echo(mu, l.p->accept(mu).release());
        },
        plain(&listener));
    TcpConn client = net::dial_tcp(mu, listener.local_address().text);
    char back[4] = {};
    EXPECT_EQ(4u, client.write(mu, "ping", 4).bytes);
    EXPECT_EQ(4u, client.read_full(mu, back, 4).bytes);
    EXPECT_EQ(0, std::memcmp(back, "ping", 4));
    client.close();
    join(mu, server);
  });
}

TEST(tcp_runtime, no_fd_before_the_first_socket) {
  const int before = count_fds();
  RuntimePtr rt = Runtime::create({});
  rt->run([](Mutator& mu) {
    auto task = spawn(mu, [](Mutator& mu) { yield(mu); });
    join(mu, task);
  });
  EXPECT_EQ(before, count_fds());
}

TEST(tcp_runtime, several_at_once) {
  RuntimePtr one = Runtime::create({});
  RuntimePtr two = Runtime::create({});
  TcpListener listener;
  one->run([&](Mutator& mu) { listener = listen_loopback(mu); });
  TcpConn client;
  two->run([&](Mutator& mu) {
    client = net::dial_tcp(mu, listener.local_address().text);
    EXPECT_EQ(2u, client.write(mu, "hi", 2).bytes);
  });
  one->run([&](Mutator& mu) {
    TcpConn server = listener.accept(mu);
    char back[2];
    EXPECT_EQ(2u, server.read_full(mu, back, 2).bytes);
    listener.close();
  });
  client.close();
}

}  // namespace
}  // namespace tricolor::testing
