// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// The races of poll_desc.cc between real threads: no wake-up is lost, no task
// is taken twice. A "task" here is a Parker its thread sleeps on; the test
// hangs, and times out, if a wake-up gets lost.
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>

#include "base/parker.h"
#include "poll/poll_desc.h"
#include "tests/support/stress.h"

namespace tricolor::netpoll {
namespace {

constexpr Direction kRead = Direction::kRead;

struct Player {
  Player() {
    d->poller = reinterpret_cast<Poller*>(this);  // not null, not used
    seq = d->begin(7);
  }

  // What Call::wait does, with this thread for the task.
  void wait() {
    if (!d->begin_wait(kRead)) return;
    if (!d->closed() && d->commit_wait(kRead, ParkedTask{&parker})) {
      parker.park();
    }
    d->end_wait(kRead);
  }
  void wake(bool ready) {
    const ParkedTask task = d->wake(kRead, ready);
    if (task.g != nullptr) static_cast<base::Parker*>(task.g)->unpark();
  }

  std::unique_ptr<PollDesc> d = std::make_unique<PollDesc>();
  uint32_t seq;
  base::Parker parker;
};

// Bytes come one at a time, an event after each; the reader takes what is
// there and waits when nothing is.
TEST(poll_race, no_event_is_lost) {
  const int total = testing::stress_scale(50'000, 2'000'000);
  Player player;
  std::atomic<int> sent{0};
  std::thread kernel([&] {
    for (int i = 1; i <= total; i++) {
      sent.store(i);
      player.wake(true);
    }
  });
  int received = 0;
  while (received < total) {
    player.d->clear_ready(kRead);
    int there = sent.load();
    while (there == received) {
      player.wait();
      there = sent.load();
    }
    received = there;
  }
  kernel.join();
  EXPECT_TRUE(player.d->is_valid());
}

TEST(poll_race, close_reaches_every_waiter) {
  const int rounds = testing::stress_scale(500, 100'000);
  for (int round = 0; round < rounds; round++) {
    Player player;
    std::atomic<bool> go{false};
    std::thread closer([&] {
      while (!go.load()) {
      }
      EXPECT_TRUE(player.d->mark_closed(player.seq));
      player.wake(false);
      player.d->unpin(Use::kOther);
    });
    std::thread events([&] {
      while (!go.load()) {
      }
      player.wake(true);
    });
    ASSERT_EQ(Pin::kOk, player.d->pin(player.seq, Use::kRead));
    go.store(true);
    while (!player.d->closed()) player.wait();
    player.d->unpin(Use::kRead);
    closer.join();
    events.join();
    ASSERT_TRUE(player.d->is_free());
  }
}

TEST(poll_race, one_of_many_frees) {
  const int rounds = testing::stress_scale(1'000, 50'000);
  for (int round = 0; round < rounds; round++) {
    Player player;
    std::atomic<int> freed{0};
    auto use = [&] {
      for (int i = 0; i < 20; i++) {
        if (player.d->pin(player.seq, Use::kOther) != Pin::kOk) return;
        if (player.d->unpin(Use::kOther)) freed++;
      }
    };
    std::thread a(use), b(use);
    EXPECT_TRUE(player.d->mark_closed(player.seq));
    if (player.d->unpin(Use::kOther)) freed++;
    a.join();
    b.join();
    ASSERT_EQ(1, freed.load());
  }
}

}  // namespace
}  // namespace tricolor::netpoll
