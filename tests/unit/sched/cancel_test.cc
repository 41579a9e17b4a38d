// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Cancellation and deadlines of joins: each wait ends once, with one reason.
#include <atomic>
#include <thread>
#include <vector>

#include "tests/unit/sched/fixture.h"

namespace tricolor::testing {
namespace {

constexpr uint64_t kMs = 1'000'000;
using Numbers = Channel<uint64_t>;

class sched_cancel : public AtProcs {};
INSTANTIATE_TEST_SUITE_P(procs, sched_cancel, ::testing::Values(1, 2, 8));

TEST_P(sched_cancel, ends_each_kind_of_wait) {
  rt_->run([](Mutator& mu) {
    Scope<1> scope(mu);
    Local<Numbers> ch(scope, make_channel<uint64_t>(mu, 0));
    std::vector<Task<WaitResult>> tasks;
    tasks.push_back(spawn(
        mu, [](Mutator& mu) { return sleep_until(mu, Deadline::never()); }));
    tasks.push_back(spawn(
        mu,
        [](Mutator& mu, Numbers* ch) {
          uint64_t v;
          return receive(mu, ch, &v);
        },
        ch.get()));
    tasks.push_back(spawn(
        mu,
        [](Mutator& mu, Numbers* ch) {
          uint64_t v;
          return select(mu, {}, on_receive(ch, &v)).result;
        },
        ch.get()));
    tasks.push_back(spawn(mu, [](Mutator& mu) {
      auto child =
          spawn(mu, [](Mutator& mu) { sleep_until(mu, Deadline::never()); });
      const WaitResult r = wait_for(mu, child);
      EXPECT_TRUE(is_cancelled(mu));
      cancel(child);
      join(mu, child);  // not cancellable: it would lose the child
      return r;
    }));
    sleep_ns(mu, 5 * kMs);
    for (auto& t : tasks) cancel(t);
    for (auto& t : tasks) EXPECT_EQ(join(mu, t), WaitResult::kCancelled);
    EXPECT_FALSE(is_cancelled(mu));
  });
}

// A handle cancels a task that is being joined, or was detached, and nobody
// when the task has ended: not the one that has its G since.
TEST_P(sched_cancel, by_handles) {
  const int rounds = stress_scale(200, 10'000);
  rt_->run([rounds](Mutator& mu) {
    for (int i = 0; i < rounds; i++) {
      auto sleeper = spawn(
          mu, [](Mutator& mu) { return sleep_until(mu, Deadline::never()); });
      const CancelHandle handle(sleeper);
      auto canceller = spawn(
          mu,
          [](Mutator& mu, Plain<const CancelHandle> h) {
            yield(mu);
            cancel(*h.p);
          },
          plain(&handle));
      EXPECT_EQ(join(mu, sleeper), WaitResult::kCancelled);
      join(mu, canceller);
      cancel(handle);  // it has ended
      // It has the G of the first, mostly.
      auto next = spawn(mu, [](Mutator& mu) {
        yield(mu);
        return is_cancelled(mu) ? WaitResult::kCancelled
                                : sleep_until(mu, Deadline::in(1000));
      });
      cancel(handle);
      EXPECT_EQ(join(mu, next), WaitResult::kOk);
    }
  });
}

// Late cancellations from outside against a G that tasks follow each other on,
// one of which is cancelled, and hears of it.
TEST_P(sched_cancel, late_ones_reach_nobody) {
  rt_->run([](Mutator& mu) {
    std::atomic<bool> stop{false};
    auto first = spawn(mu, [](Mutator&) {});
    const CancelHandle old(first);
    join(mu, first);
    std::thread late([&] {
      while (!stop) cancel(old);
    });
    const int rounds = stress_scale(300, 20'000);
    for (int i = 0; i < rounds; i++) {
      auto t = spawn(
          mu, [](Mutator& mu) { return sleep_until(mu, Deadline::never()); });
      cancel(t);
      EXPECT_EQ(join(mu, t), WaitResult::kCancelled);
      auto u = spawn(
          mu, [](Mutator& mu) { return sleep_until(mu, Deadline::in(100)); });
      EXPECT_EQ(join(mu, u), WaitResult::kOk);
    }
    stop = true;
    call_native(mu, [&late] { late.join(); });
  });
}

// Before it waits, while it goes to sleep, and when it has been woken by
// something else already: never lost, never twice.
TEST_P(sched_cancel, races_with_the_wait) {
  rt_->run([](Mutator& mu) {
    for (int i = 0; i < 400; i++) {
      auto t = spawn(
          mu,
          [](Mutator& mu, int i) {
            WaitResult r = WaitResult::kOk;
            for (int k = 0; r == WaitResult::kOk; k++) {
              r = sleep_ns(mu, static_cast<uint64_t>(i % 7) * 1000);
            }
            EXPECT_EQ(r, WaitResult::kCancelled);
            EXPECT_EQ(sleep_ns(mu, 1), WaitResult::kCancelled);
          },
          i);
      if (i % 3 != 0) yield(mu);
      if (i % 5 == 0) sleep_ns(mu, 20'000);
      cancel(t);
      join(mu, t);
    }
  });
}

TEST_P(sched_cancel, from_a_plain_thread) {
  rt_->run([](Mutator& mu) {
    for (int i = 0; i < 20; i++) {
      auto t = spawn(
          mu, [](Mutator& mu) { return sleep_until(mu, Deadline::never()); });
      call_native(mu, [&] {
        std::thread thread([&] { cancel(t); });
        thread.join();
      });
      EXPECT_EQ(join(mu, t), WaitResult::kCancelled);
    }
  });
}

TEST_P(sched_cancel, inside_a_coroutine) {
  rt_->run([](Mutator& mu) {
    auto t = spawn(mu, [](Mutator& mu) {
      Scope<1> scope(mu);
      Local<Coroutine> co(
          scope, Coroutine::create(
                     mu,
                     [](Mutator& mu, Coroutine*, void*, void*) -> void* {
                       EXPECT_EQ(sleep_until(mu, Deadline::never()),
                                 WaitResult::kCancelled);
                       EXPECT_TRUE(is_cancelled(mu));
                       return nullptr;
                     },
                     nullptr, nullptr));
      Coroutine::resume(mu, co, nullptr);
    });
    sleep_ns(mu, 3 * kMs);
    cancel(t);
    join(mu, t);
  });
}

TEST_P(sched_cancel, join_with_a_deadline) {
  rt_->run([](Mutator& mu) {
    Scope<1> scope(mu);
    Local<Numbers> ch(scope, make_channel<uint64_t>(mu, 0));
    auto t = spawn(
        mu,
        [](Mutator& mu, Numbers* ch) {
          uint64_t v = 0;
          receive(mu, ch, &v);
          return v;
        },
        ch.get());
    EXPECT_EQ(wait_for(mu, t, Deadline::now()), WaitResult::kTimeout);
    EXPECT_EQ(wait_for(mu, t, Deadline::in(kMs)), WaitResult::kTimeout);
    EXPECT_EQ(wait_for(mu, t, Deadline::in(kMs)), WaitResult::kTimeout);
    send(mu, ch.get(), 9);
    EXPECT_EQ(wait_for(mu, t), WaitResult::kOk);
    EXPECT_EQ(wait_for(mu, t, Deadline::now()), WaitResult::kOk);
    EXPECT_EQ(join(mu, t), 9u);
  });
}

// The end of the task and the end of the patience at the same time.
TEST_P(sched_cancel, join_races_with_its_deadline) {
  rt_->run([](Mutator& mu) {
    int in_time = 0;
    int late = 0;
    for (uint64_t i = 0; i < 500; i++) {
      const uint64_t ns = 20'000 + i % 50 * 400;
      auto t = spawn(
          mu,
          [](Mutator& mu, uint64_t ns) {
            sleep_ns(mu, ns);
            return ns;
          },
          ns);
      const WaitResult r = wait_for(mu, t, Deadline::in(30'000));
      (r == WaitResult::kOk ? in_time : late)++;
      EXPECT_EQ(join(mu, t), ns);
    }
    EXPECT_GT(in_time + late, 0);
  });
}

}  // namespace
}  // namespace tricolor::testing
