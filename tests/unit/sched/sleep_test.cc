// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// sleep_ns: at least as long as asked, shorter ones first, in every kind of
// runtime, and while others keep the Ps busy.
#include <atomic>
#include <chrono>
#include <vector>

#include "tests/unit/sched/fixture.h"

namespace tricolor::testing {
namespace {

uint64_t now_ns() {
  return static_cast<uint64_t>(
      std::chrono::steady_clock::now().time_since_epoch() /
      std::chrono::nanoseconds(1));
}

constexpr uint64_t kMs = 1'000'000;

void sleep_at_least(Mutator& mu, uint64_t ns) {
  const uint64_t start = now_ns();
  sleep_ns(mu, ns);
  EXPECT_GE(now_ns() - start, ns);
}

class sched_sleep : public AtProcs {};
INSTANTIATE_TEST_SUITE_P(procs, sched_sleep, ::testing::Values(1, 2, 8));

TEST_P(sched_sleep, not_shorter_than_asked) {
  rt_->run([](Mutator& mu) {
    for (uint64_t ns : {uint64_t{0}, uint64_t{1}, kMs / 10, 2 * kMs}) {
      sleep_at_least(mu, ns);
    }
  });
}

// Deadlines far enough apart that the order says who was woken first.
TEST_P(sched_sleep, order) {
  rt_->run([](Mutator& mu) {
    static std::atomic<int> next;
    static int woken[5];
    next = 0;
    std::vector<Task<void>> tasks;
    for (int i = 4; i >= 0; i--) {
      tasks.push_back(spawn(
          mu,
          [](Mutator& mu, int i) {
            sleep_ns(mu, static_cast<uint64_t>(i + 1) * 40 * kMs);
            woken[next++] = i;
          },
          i));
    }
    for (auto& t : tasks) join(mu, t);
    for (int i = 0; i < 5; i++) EXPECT_EQ(woken[i], i);
  });
}

TEST_P(sched_sleep, while_others_are_busy) {
  rt_->run([](Mutator& mu) {
    static std::atomic<bool> stop;
    stop = false;
    std::vector<Task<void>> busy;
    for (int i = 0; i < 10; i++) {
      busy.push_back(spawn(mu, [](Mutator& mu) {
        while (!stop) {
          poll(mu);
        }
      }));
    }
    sleep_at_least(mu, 5 * kMs);
    stop = true;
    for (auto& t : busy) join(mu, t);
  });
}

// An earlier deadline must wake whoever sleeps until a later one.
TEST_P(sched_sleep, an_earlier_one_comes_later) {
  rt_->run([](Mutator& mu) {
    const uint64_t start = now_ns();
    auto late = spawn(mu, [](Mutator& mu) { sleep_ns(mu, 10'000 * kMs); });
    sleep_at_least(mu, 20 * kMs);
    auto early = spawn(mu, [](Mutator& mu) { sleep_ns(mu, kMs); });
    join(mu, early);
    EXPECT_LT(now_ns() - start, 9'000 * kMs);
    late.detach();  // the runtime goes before it wakes
  });
}

TEST(sched_sleep_alone, without_threads) {
  RuntimePtr rt = make_runtime(options(2, 0));
  rt->run([](Mutator& mu) {
    auto t = spawn(mu, [](Mutator& mu) { sleep_at_least(mu, 3 * kMs); });
    sleep_at_least(mu, kMs);
    join(mu, t);
  });
}

TEST(sched_sleep_alone, attached) {
  RuntimePtr rt = make_runtime(options(2));
  AttachScope attach(*rt);
  ManagedScope managed(attach);
  sleep_at_least(managed.mutator(), 2 * kMs);
}

}  // namespace
}  // namespace tricolor::testing
