// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// spawn, join, detach: results, arguments, roots, trees of tasks, reuse.
#include <atomic>
#include <vector>

#include "tests/unit/sched/fixture.h"

namespace tricolor::testing {
namespace {

class sched_spawn : public AtProcs {};
INSTANTIATE_TEST_SUITE_P(procs, sched_spawn, ::testing::Values(1, 2, 8));

struct Pair {
  long a;
  long b;
};

TEST_P(sched_spawn, results_and_arguments) {
  rt_->run([](Mutator& mu) {
    auto sum = spawn(
        mu, [](Mutator&, int a, long b) { return a + b; }, 3, 4L);
    EXPECT_EQ(join(mu, sum), 7);
    auto pair = spawn(mu, [](Mutator&) { return Pair{1, 2}; });
    const Pair p = join(mu, pair);
    EXPECT_EQ(p.a + 10 * p.b, 21);
    int hit = 0;
    auto none = spawn(
        mu, [](Mutator&, Plain<int> h) { *h.p = 5; }, plain(&hit));
    join(mu, none);
    EXPECT_EQ(hit, 5);
    EXPECT_FALSE(none.joinable());
  });
}

long fib(Mutator& mu, int n) {
  if (n < 2) return n;
  auto a = spawn(mu, fib, n - 1);
  const long b = fib(mu, n - 2);
  return join(mu, a) + b;
}

TEST_P(sched_spawn, tree_of_tasks) {
  const int n = stress_scale(14, 24);
  rt_->run([n](Mutator& mu) { EXPECT_EQ(fib(mu, n), n == 14 ? 377 : 46368); });
  const Stats s = stats(*rt_);
  EXPECT_EQ(s.tasks_alive, 0u);
  EXPECT_GT(s.tasks_created, 300u);
}

// More than a run queue holds, more than are joined in order.
TEST_P(sched_spawn, many_at_once) {
  rt_->run([](Mutator& mu) {
    std::vector<Task<int>> tasks;
    for (int i = 0; i < 2000; i++) {
      tasks.push_back(spawn(
          mu,
          [](Mutator& mu, int i) {
            yield(mu);
            return i;
          },
          i));
    }
    long sum = 0;
    for (size_t i = tasks.size(); i-- > 0;) sum += join(mu, tasks[i]);
    EXPECT_EQ(sum, 2000L * 1999 / 2);
  });
}

// A cell goes in as an argument and comes out as a result while the parent has
// no other root for it and collections run.
TEST_P(sched_spawn, cells_in_and_out) {
  static Type<Link> type;
  type = link_type(*rt_);
  rt_->run([](Mutator& mu) {
    for (int i = 0; i < 20; i++) {
      Link* list = make_list(mu, type, 100);
      auto t = spawn(
          mu,
          [](Mutator& mu, Link* in) {
            collect(mu);
            EXPECT_TRUE(check_list(in, 100));
            return make_list(mu, type, 50);
          },
          list);
      collect(mu);
      yield(mu);
      collect(mu);  // the result of a dead task is a root
      EXPECT_TRUE(check_list(join(mu, t), 50));
    }
  });
}

TEST_P(sched_spawn, detached_tasks_end_by_themselves) {
  static std::atomic<int> ended;
  ended = 0;
  rt_->run([](Mutator& mu) {
    for (int i = 0; i < 100; i++) {
      spawn(mu, [](Mutator& mu) {
        yield(mu);
        ended++;
      }).detach();
      {
        auto dropped = spawn(mu, [](Mutator&) { ended++; });
      }
    }
    while (ended < 200) yield(mu);
  });
  EXPECT_EQ(ended, 200);
}

// The joiner is another task than the spawner.
TEST_P(sched_spawn, joined_by_another_task) {
  rt_->run([](Mutator& mu) {
    static Task<int> task;
    task = spawn(mu, [](Mutator& mu) {
      for (int i = 0; i < 10; i++) yield(mu);
      return 42;
    });
    auto joiner = spawn(mu, [](Mutator& mu) { return join(mu, task); });
    EXPECT_EQ(join(mu, joiner), 42);
  });
}

TEST_P(sched_spawn, large_stacks) {
  rt_->run([](Mutator& mu) {
    auto body = [](Mutator&, void*, void**, void*) {
      volatile char deep[3 << 20];
      for (size_t i = 0; i < sizeof(deep); i += 1000) deep[i] = 1;
    };
    detail::SpawnRequest request;
    request.entry = body;
    request.stack_bytes = size_t{4} << 20;
    for (int i = 0; i < 3; i++) {
      detail::join(mu, detail::spawn(mu, request), nullptr, 0);
    }
  });
}

TEST_P(sched_spawn, two_runs_after_another) {
  for (int i = 0; i < 3; i++) {
    rt_->run([](Mutator& mu) { EXPECT_EQ(fib(mu, 8), 21); });
  }
}

}  // namespace
}  // namespace tricolor::testing
