// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// The poller without a scheduler: events from real sockets, stale ones, wakes,
// timeouts, and what is left behind.
#include "poll/poller.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "tests/unit/poll/fds.h"

namespace tricolor::netpoll {
namespace {

using testing::count_fds;
using testing::SocketPair;

constexpr Direction kRead = Direction::kRead;
constexpr Direction kWrite = Direction::kWrite;

struct PollerTest : ::testing::Test {
  PollerTest() {
    // The runtime is only ever handed through to ready_task().
    p = Poller::create(*reinterpret_cast<Runtime*>(this), &error);
    EXPECT_NE(nullptr, p) << error.text;
  }
  ~PollerTest() override {
    p->destroy();
    EXPECT_EQ(fds_before, count_fds());
  }

  PollDesc* open(int fd, uint32_t* seq) {
    int err = 0;
    PollDesc* d = p->open(fd, seq, &err);
    EXPECT_NE(nullptr, d) << err;
    return d;
  }
  // Parks `task` as a reader or writer of `d`.
  void park(PollDesc* d, Direction direction, void* task) {
    d->clear_ready(direction);
    EXPECT_TRUE(d->begin_wait(direction));
    p->add_waiter();
    EXPECT_TRUE(d->commit_wait(direction, ParkedTask{task}));
  }
  std::vector<void*> poll(int64_t timeout_ns) {
    ParkedTask tasks[64];
    std::vector<void*> out;
    const size_t n = p->poll(timeout_ns, tasks, 64);
    for (size_t i = 0; i < n; i++) out.push_back(tasks[i].g);
    return out;
  }
  void drain() {
    while (!poll(0).empty()) {
    }
  }

  int fds_before = count_fds();
  Error error;
  Poller* p;
  char tasks[1024];  // addresses that stand for tasks
};
using poller = PollerTest;
using Tasks = std::vector<void*>;

TEST_F(poller, readable_wakes_the_reader) {
  SocketPair pair;
  uint32_t seq;
  PollDesc* d = open(pair.fds[0], &seq);
  poll(0);
  park(d, kRead, &tasks[8]);
  EXPECT_TRUE(p->has_waiters());
  EXPECT_EQ(Tasks{}, poll(0)) << "nothing has happened";
  ASSERT_EQ(1, ::write(pair.fds[1], "x", 1));
  EXPECT_EQ(Tasks{&tasks[8]}, poll(-1));
  EXPECT_FALSE(p->has_waiters());
  EXPECT_EQ(Tasks{}, poll(0)) << "edges come once";
  ::close(pair.fds[1]);
}

TEST_F(poller, one_event_wakes_reader_and_writer) {
  SocketPair pair;
  uint32_t seq;
  PollDesc* d = open(pair.fds[0], &seq);
  poll(0);
  park(d, kRead, &tasks[8]);
  park(d, kWrite, &tasks[16]);
  ::close(pair.fds[1]);
  EXPECT_EQ((Tasks{&tasks[8], &tasks[16]}), poll(-1));
}

// The kernel hands over an event; before it is dispatched, the descriptor is
// closed and reused, and its next user parks.
TEST_F(poller, stale_event_is_dropped) {
  SocketPair first, second;
  uint32_t seq, next;
  PollDesc* d = open(first.fds[0], &seq);
  const PollEvent stale{PollTag::make(d, seq), true, true};
  ParkedTask out[2];
  ASSERT_TRUE(p->close(d, seq));
  EXPECT_EQ(0u, p->dispatch(&stale, 1, out)) << "free";
  ASSERT_EQ(d, open(second.fds[0], &next)) << "reused at once";
  EXPECT_NE(seq, next);
  drain();
  park(d, kRead, &tasks[8]);
  EXPECT_EQ(0u, p->dispatch(&stale, 1, out)) << "reused";
  EXPECT_EQ(Tasks{}, poll(0));
  const PollEvent current{PollTag::make(d, next), true, true};
  ASSERT_EQ(1u, p->dispatch(&current, 1, out));
  EXPECT_EQ(&tasks[8], out[0].g);
  ::close(first.fds[1]);
  ::close(second.fds[1]);
}

TEST_F(poller, close_waits_for_the_last_call) {
  SocketPair pair;
  uint32_t seq;
  PollDesc* d = open(pair.fds[0], &seq);
  EXPECT_EQ(1u, p->count_open_for_testing());
  ASSERT_EQ(Pin::kOk, d->pin(seq, Use::kRead));
  const int before = count_fds();
  EXPECT_TRUE(p->close(d, seq));
  EXPECT_EQ(before, count_fds()) << "a call is under way";
  p->unpin(d, Use::kRead);
  EXPECT_EQ(before - 1, count_fds());
  EXPECT_FALSE(p->close(d, seq));
  EXPECT_EQ(0u, p->count_open_for_testing());
  ::close(pair.fds[1]);
}

TEST_F(poller, small_capacity_loses_nothing) {
  constexpr int kPairs = 20;
  SocketPair pairs[kPairs];
  Tasks expected, got;
  for (int i = 0; i < kPairs; i++) {
    uint32_t seq;
    PollDesc* d = open(pairs[i].fds[0], &seq);
    drain();
    park(d, kRead, &tasks[8 * i + 8]);
    expected.push_back(&tasks[8 * i + 8]);
  }
  for (SocketPair& pair : pairs) ASSERT_EQ(1, ::write(pair.fds[1], "x", 1));
  for (int i = 0; i < kPairs + 1; i++) {
    ParkedTask two[2];
    const size_t n = p->poll(0, two, 2);
    for (size_t k = 0; k < n; k++) got.push_back(two[k].g);
  }
  std::sort(got.begin(), got.end());
  EXPECT_EQ(expected, got);
  for (SocketPair& pair : pairs) ::close(pair.fds[1]);
}

TEST_F(poller, wake_ends_the_wait) {
  std::thread waker([&] { p->wake(); });
  EXPECT_EQ(Tasks{}, poll(-1));
  waker.join();
}

TEST_F(poller, wake_before_the_wait_is_kept) {
  p->wake();
  p->wake();
  EXPECT_EQ(Tasks{}, poll(0)) << "a poll that does not wait leaves it";
  EXPECT_EQ(Tasks{}, poll(-1));
  // Both wakes were one: now the wait lasts until its time is up.
  const uint64_t start = base::monotonic_clock().now_ns();
  EXPECT_EQ(Tasks{}, poll(2'000'000));
  EXPECT_GE(base::monotonic_clock().now_ns() - start, 2'000'000u);
}

TEST_F(poller, wakes_are_never_lost) {
  constexpr int kRounds = 20'000;
  std::atomic<int> asked{0};
  std::thread waker([&] {
    for (int i = 1; i <= kRounds; i++) {
      asked.store(i);
      p->wake();
    }
  });
  // Hangs if a wake is lost.
  while (asked.load() < kRounds) poll(-1);
  waker.join();
}

TEST_F(poller, waits_less_than_a_millisecond) {
  constexpr long kEpollPwait2 = 441;
  ::syscall(kEpollPwait2, -1, nullptr, 0, nullptr, nullptr, size_t{0});
  if (errno == ENOSYS || errno == EPERM) {
    GTEST_SKIP() << "no epoll_pwait2: Linux before 5.11, or a filter";
  }
  // The best of many: another program may have the CPU in the others.
  uint64_t best_ns = ~uint64_t{0};
  for (int i = 0; i < 200; i++) {
    const uint64_t start = base::monotonic_clock().now_ns();
    poll(50'000);
    best_ns = std::min(best_ns, base::monotonic_clock().now_ns() - start);
  }
  EXPECT_GE(best_ns, 50'000u);
  EXPECT_LT(best_ns, 1'000'000u);
}

TEST_F(poller, refuses_an_fd_that_cannot_be_polled) {
  FILE* file = std::tmpfile();
  uint32_t seq;
  int err = 0;
  EXPECT_EQ(nullptr, p->open(::fileno(file), &seq, &err));
  EXPECT_EQ(EPERM, err);
  EXPECT_EQ(0u, p->count_open_for_testing());
  std::fclose(file);
}

TEST_F(poller, destroy_closes_what_is_open) {
  std::vector<int> others;
  for (int i = 0; i < 50; i++) {
    SocketPair pair;
    uint32_t seq;
    open(pair.fds[0], &seq);
    others.push_back(pair.fds[1]);
  }
  EXPECT_EQ(50u, p->count_open_for_testing());
  for (int fd : others) ::close(fd);
  // The fixture destroys the poller and counts.
}

TEST_F(poller, errno_stays) {
  errno = 1234;
  SocketPair pair;
  errno = 1234;
  uint32_t seq;
  PollDesc* d = open(pair.fds[0], &seq);
  poll(1'000);
  p->wake();
  poll(-1);
  p->close(d, seq);
  EXPECT_EQ(1234, errno);
  ::close(pair.fds[1]);
}

TEST(poller_create, says_why_it_cannot) {
  rlimit before;
  ASSERT_EQ(0, ::getrlimit(RLIMIT_NOFILE, &before));
  rlimit none = before;
  none.rlim_cur = 3;  // all in use: every open() fails with EMFILE
  const int fds = count_fds();
  ASSERT_EQ(0, ::setrlimit(RLIMIT_NOFILE, &none));
  Error error;
  int rt = 0;
  Poller* p = Poller::create(*reinterpret_cast<Runtime*>(&rt), &error);
  ::setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_EQ(nullptr, p);
  EXPECT_EQ(ErrorCode::kOs, error.code);
  EXPECT_EQ(EMFILE, error.os_errno);
  EXPECT_STREQ(
      "the poller needs two file descriptors: errno 24 (Too many open files)",
      error.text);
  EXPECT_EQ(fds, count_fds());
}

}  // namespace
}  // namespace tricolor::netpoll
