// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// 200 connections echo messages of random sizes, each message a new cell at
// both ends, while collections run; at 1, 2 and 8 Ps. Afterwards no byte was
// wrong, no cell was lost, and no fd is left.
#include <dirent.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <cstring>
#include <string>
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

constexpr int kConnections = 200;
constexpr uint32_t kMessageBytesMax = 3000;
constexpr int kCollectionsMin = 5;  // before the clients may end

// Their names, so that a failure says what is left.
std::string open_fds() {
  std::string all;
  DIR* dir = ::opendir("/proc/self/fd");
  while (dirent* entry = ::readdir(dir)) {
    if (std::atoi(entry->d_name) == ::dirfd(dir)) continue;
    all += std::string(entry->d_name) + " ";
  }
  ::closedir(dir);
  return all;
}

struct Load {
  LayoutId bytes_layout;
  TcpListener listener;
  int messages = 0;
  uint64_t seed = 0;
  std::atomic<bool> stop{false};
  std::atomic<int> collections{0};
  std::atomic<int> served{0};
  std::atomic<int> failures{0};
};

void fail(Load* load, const char* what, const IoResult& r) {
  if (load->failures++ == 0) ADD_FAILURE() << net::to_error(r, what).text;
}

// "length, then that many bytes" into a new cell. False: end or failure.
bool read_message(Mutator& mu, Load* load, TcpConn& conn, Local<char>& cell,
                  uint32_t* bytes) {
  IoResult got = conn.read_full(mu, bytes, sizeof(*bytes));
  if (got.ok() && got.bytes == 0) return false;
  if (got.ok() && got.bytes == sizeof(*bytes)) {
    cell = static_cast<char*>(allocate(mu, load->bytes_layout, *bytes));
    got = conn.read_full(mu, cell.get(), *bytes);
    if (got.ok() && got.bytes == *bytes) return true;
  }
  fail(load, "read", got);
  return false;
}

bool write_message(Mutator& mu, Load* load, TcpConn& conn, const char* cell,
                   uint32_t bytes) {
  IoResult put = conn.write(mu, &bytes, sizeof(bytes));
  if (put.ok()) put = conn.write(mu, cell, bytes);
  if (!put.ok()) fail(load, "write", put);
  return put.ok();
}

void serve_one(Mutator& mu, Plain<Load> load, net::RawSocket raw) {
  TcpConn conn(raw);
  Scope<1> scope(mu);
  Local<char> cell(scope);
  uint32_t bytes;
  while (read_message(mu, load, conn, cell, &bytes)) {
    if (!write_message(mu, load, conn, cell, bytes)) break;
  }
  load.p->served++;
}

void serve(Mutator& mu, Plain<Load> load) {
  for (;;) {
    Error error;
    TcpConn conn = load.p->listener.accept(mu, &error);
    if (!conn) {
      EXPECT_EQ(ErrorCode::kState, error.code) << error.text;
      return;
    }
    spawn(mu, &serve_one, load, conn.release()).detach();
  }
}

void be_client(Mutator& mu, Plain<Load> load, int id) {
  base::Rng rng(load.p->seed + static_cast<uint64_t>(id));
  Error error;
  TcpConn conn =
      net::dial_tcp(mu, load.p->listener.local_address().text, &error);
  if (!conn) {
    load.p->failures++;
    ADD_FAILURE() << error.text;
    return;
  }
  Scope<2> scope(mu);
  Local<char> sent(scope), back(scope);
  for (int m = 0;
       m < load.p->messages || load.p->collections.load() < kCollectionsMin;
       m++) {
    const uint32_t bytes = 1 + rng.below(kMessageBytesMax);
    sent = static_cast<char*>(allocate(mu, load.p->bytes_layout, bytes));
    std::memset(sent.get(), id + m, bytes);
    uint32_t back_bytes = 0;
    if (!write_message(mu, load, conn, sent, bytes)) return;
    if (!read_message(mu, load, conn, back, &back_bytes)) {
      load.p->failures++;
      return;
    }
    if (back_bytes != bytes || std::memcmp(sent, back, bytes) != 0) {
      load.p->failures++;
      ADD_FAILURE() << "client " << id << ", message " << m;
    }
  }
}

void run_load(Mutator& mu, Load& load) {
  Error error;
  load.listener = net::listen_tcp(mu, "127.0.0.1:0", {}, &error);
  ASSERT_TRUE(load.listener) << error.text;
  auto server = spawn(mu, &serve, plain(&load));
  auto collections = spawn(
      mu,
      [](Mutator& mu, Plain<Load> load) {
        while (!load.p->stop.load()) {
          collect(mu);
          load.p->collections++;
          sleep_ns(mu, 1'000'000);
        }
      },
      plain(&load));
  std::vector<Task<void>> clients;
  for (int i = 0; i < kConnections; i++) {
    clients.push_back(spawn(mu, &be_client, plain(&load), i));
  }
  for (Task<void>& client : clients) join(mu, client);
  load.stop.store(true);
  join(mu, collections);
  load.listener.close();
  join(mu, server);
  while (load.served.load() < kConnections && load.failures.load() == 0) {
    yield(mu);
  }
}

struct EchoStress : ::testing::TestWithParam<uint32_t> {};
using stress_poll = EchoStress;
INSTANTIATE_TEST_SUITE_P(procs, stress_poll, ::testing::Values(1u, 2u, 8u));

TEST_P(stress_poll, echo_while_collecting) {
  const std::string before = open_fds();
  {
    Load load;
    load.messages = testing::stress_scale(20, 1'000);
    load.seed = testing::test_seed();
    Options options;
    options.max_procs = GetParam();
    Error error;
    RuntimePtr rt = Runtime::create(options, &error);
    ASSERT_NE(nullptr, rt) << error.text;
    LayoutSpec spec;
    spec.name = "message";
    spec.tail = LayoutSpec::Tail::kNoscan;
    load.bytes_layout = rt->register_layout(spec, &error);
    ASSERT_NE(kInvalidLayout, load.bytes_layout) << error.text;
    rt->run([&](Mutator& mu) { run_load(mu, load); });
    EXPECT_EQ(0, load.failures.load());
    EXPECT_EQ(kConnections, load.served.load());
  }
  EXPECT_EQ(before, open_fds());
}

}  // namespace
}  // namespace tricolor
