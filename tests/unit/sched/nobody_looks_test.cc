// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// What has to happen although no M is about to look: timers while all Ps are in
// native code or run() is over, ends of tasks that only call native code, of
// threads whose destructors stop the world, and a task that spawns for ever.
#include <unistd.h>

#include <atomic>

#include "tests/unit/sched/fixture.h"

namespace tricolor::testing {
namespace {

class sched_nobody_looks : public AtProcs {};
INSTANTIATE_TEST_SUITE_P(procs, sched_nobody_looks, ::testing::Values(1, 2, 4));

std::atomic<int> g_came;

void wait_natively(int n) {
  for (int i = 0; i < 20'000 && g_came < n; i++) usleep(1000);
}

TEST_P(sched_nobody_looks, timers_fire_while_all_ps_are_in_native_code) {
  g_came = 0;
  Timer timer(
      *rt_, [](void*) { g_came++; }, nullptr);
  rt_->run([&](Mutator& mu) {
    spawn(mu, [](Mutator& mu) {
      sleep_ns(mu, 30'000'000);
      g_came++;
    }).detach();
    for (uint32_t i = 1; i < GetParam(); i++) {
      spawn(mu, [](Mutator& mu) {
        NativeScope native(mu);
        wait_natively(2);
      }).detach();
    }
    yield(mu);
    timer.start(mu, Deadline::in(30'000'000));
    {
      NativeScope native(mu);
      wait_natively(2);
    }
    EXPECT_EQ(g_came, 2);
  });
}

TEST_P(sched_nobody_looks, sleepers_wake_when_run_is_over) {
  for (int i = 0; i < 10; i++) {
    g_came = 0;
    rt_->run([](Mutator& mu) {
      spawn(mu, [](Mutator& mu) {
        sleep_ns(mu, 5'000'000);
        g_came++;
      }).detach();
      yield(mu);
    });
    wait_natively(1);
    EXPECT_EQ(g_came, 1);
  }
}

TEST_P(sched_nobody_looks, a_loop_of_native_calls_ends_with_the_runtime) {
  for (int i = 0; i < 5; i++) {
    RuntimePtr rt = make_runtime(options(GetParam()));
    rt->run([](Mutator& mu) {
      for (int task = 0; task < 3; task++) {
        spawn(mu, [](Mutator& mu) {
          for (;;) {
            NativeScope native(mu);
            usleep(100);
          }
        }).detach();
      }
      sleep_ns(mu, 2'000'000);
    });
  }
}

// Who spawns more than others can run has its turn behind them.
TEST_P(sched_nobody_looks, who_spawns_for_ever_does_not_have_all_tasks) {
  static std::atomic<uint64_t> most;
  most = 0;
  rt_->run([&](Mutator& mu) {
    for (int i = 0; i < 200'000; i++) {
      spawn(mu, [](Mutator&) {}).detach();
      if (i % 500 != 0) continue;
      const uint64_t alive = stats(*rt_).tasks_alive;
      if (alive > most) most = alive;
    }
  });
  EXPECT_LT(most, 20'000u);
}

Runtime* g_rt;

// Of a worker that ends with the task that was locked to it.
struct CollectsAtTheEnd {
  ~CollectsAtTheEnd() {
    if (g_rt == nullptr) return;
    usleep(1000);
    {
      AttachScope attached(*g_rt);
      ManagedScope managed(attached);
      collect(managed.mutator());
    }
    g_came++;  // detached: the runtime may go
  }
  int touched = 0;
};
thread_local CollectsAtTheEnd t_collects;

TEST_P(sched_nobody_looks, destructors_of_a_workers_thread_may_collect) {
  g_came = 0;
  {
    RuntimePtr rt = make_runtime(options(GetParam()));
    g_rt = rt.get();
    rt->run([](Mutator& mu) {
      // Main has this thread.
      lock_os_thread(mu);
      for (int i = 0; i < 30; i++) {
        auto body = [](Mutator& mu) {
          lock_os_thread(mu);
          t_collects.touched++;
          sleep_ns(mu, 100'000);
        };
        auto one = spawn(mu, body);
        auto two = spawn(mu, body);
        join(mu, one);
        join(mu, two);
      }
      unlock_os_thread(mu);
    });
    // They attach, so that the runtime has to outlive them.
    wait_natively(60);
    EXPECT_EQ(g_came, 60);
  }
  g_rt = nullptr;
}

TEST(sched_nobody_looks_DeathTest, tasks_of_another_runtime_are_not_joined) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        RuntimePtr a = make_runtime(options(1, 0));
        RuntimePtr b = make_runtime(options(1, 0));
        a->run([&](Mutator& mu) {
          auto task = spawn(mu, [](Mutator&) {});
          b->run([&](Mutator& other) { join(other, task); });
        });
      },
      "the task is one of another runtime");
}

}  // namespace
}  // namespace tricolor::testing
