// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Connections come and go: tasks dial, talk a little, and end in one of several
// ways, among them a close from another task under a waiting call. Descriptors
// are reused all the time, so stale events and handles abound. Everybody ends.
#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <vector>

#include "base/rng.h"
#include "tests/support/stress.h"
#include "tricolor/all.h"
#include "tricolor/net.h"

namespace tricolor {
namespace {

using net::IoResult;
using net::TcpConn;
using net::TcpListener;

struct Churn {
  TcpListener listener;
  int rounds = 0;
  uint64_t seed = 0;
  std::atomic<int> served{0};
  std::atomic<int> dialed{0};
  std::atomic<int> wrong{0};
};

// What a connection may end with.
bool expected(const IoResult& r) {
  return r.ok() || r.os_errno == EBADF || r.os_errno == EPIPE ||
         r.os_errno == ECONNRESET;
}

void serve_one(Mutator& mu, Plain<Churn> churn, net::RawSocket raw) {
  TcpConn conn(raw);
  char buffer[64];
  for (;;) {
    IoResult got = conn.read(mu, buffer, sizeof(buffer));
    if (!expected(got)) churn.p->wrong++;
    if (!got.ok() || got.bytes == 0) break;
    IoResult put = conn.write(mu, buffer, got.bytes);
    if (!expected(put)) churn.p->wrong++;
    if (!put.ok()) break;
  }
  churn.p->served++;
}

void serve(Mutator& mu, Plain<Churn> churn) {
  for (;;) {
    Error error;
    TcpConn conn = churn.p->listener.accept(mu, &error);
    if (!conn) {
      EXPECT_EQ(ErrorCode::kState, error.code) << error.text;
      return;
    }
    spawn(mu, &serve_one, churn, conn.release()).detach();
  }
}

void read_to_the_end(Mutator& mu, Plain<TcpConn> conn, Plain<Churn> churn) {
  char buffer[64];
  for (;;) {
    IoResult got = conn.p->read(mu, buffer, sizeof(buffer));
    if (!expected(got)) churn.p->wrong++;
    if (!got.ok() || got.bytes == 0) return;
  }
}

void one_round(Mutator& mu, Plain<Churn> churn, base::Rng& rng) {
  Error error;
  TcpConn conn =
      net::dial_tcp(mu, churn.p->listener.local_address().text, &error);
  if (!conn) {
    churn.p->wrong++;
    ADD_FAILURE() << error.text;
    return;
  }
  churn.p->dialed++;
  auto reader = spawn(mu, &read_to_the_end, plain(&conn), churn);
  for (uint32_t i = rng.below(4); i > 0; i--) {
    char data[16] = {};
    IoResult put = conn.write(mu, data, sizeof(data));
    if (!expected(put)) churn.p->wrong++;
    if (rng.below(2) == 0) yield(mu);
  }
  switch (rng.below(3)) {
    case 0:  // the reader sees the end of the stream
      if (!expected(conn.close_write())) churn.p->wrong++;
      break;
    case 1:  // the reader is woken, unread data may mean RST
      conn.close();
      break;
    default:
      if (!expected(conn.close_read())) churn.p->wrong++;
      break;
  }
  join(mu, reader);
}

void dial(Mutator& mu, Plain<Churn> churn, int id) {
  base::Rng rng(churn.p->seed + static_cast<uint64_t>(id));
  for (int i = 0; i < churn.p->rounds; i++) one_round(mu, churn, rng);
}

struct ChurnStress : ::testing::TestWithParam<uint32_t> {};
using stress_churn = ChurnStress;
INSTANTIATE_TEST_SUITE_P(procs, stress_churn, ::testing::Values(1u, 2u, 8u));

TEST_P(stress_churn, everybody_ends) {
  constexpr int kDialers = 20;
  Churn churn;
  churn.rounds = testing::stress_scale(50, 5'000);
  churn.seed = testing::test_seed();
  Options options;
  options.max_procs = GetParam();
  RuntimePtr rt = Runtime::create(options);
  ASSERT_NE(nullptr, rt);
  rt->run([&](Mutator& mu) {
    Error error;
    churn.listener = net::listen_tcp(mu, "127.0.0.1:0", {}, &error);
    ASSERT_TRUE(churn.listener) << error.text;
    auto server = spawn(mu, &serve, plain(&churn));
    std::vector<Task<void>> dialers;
    for (int i = 0; i < kDialers; i++) {
      dialers.push_back(spawn(mu, &dial, plain(&churn), i));
    }
    for (Task<void>& dialer : dialers) join(mu, dialer);
    EXPECT_EQ(kDialers * churn.rounds, churn.dialed.load());
    // A connection that was reset in the accept queue is never served.
    churn.listener.close();
    join(mu, server);
  });
  EXPECT_EQ(0, churn.wrong.load());
  EXPECT_LE(churn.served.load(), churn.dialed.load());
}

}  // namespace
}  // namespace tricolor
