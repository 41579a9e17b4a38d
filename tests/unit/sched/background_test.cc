// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// background_threads: none means none; a limit is kept; an idle runtime has
// none; step() does what threads would.
#include <atomic>

#include "tests/unit/sched/fixture.h"

namespace tricolor::testing {
namespace {

TEST(sched_background, none) {
  const int before = settled_thread_count();
  RuntimePtr rt = make_runtime(options(4, 0));
  static Type<Link> type;
  type = link_type(*rt);
  rt->run([before](Mutator& mu) {
    Scope<1> scope(mu);
    Local<Link> keep(scope, make_list(mu, type, 1000));
    auto body = [](Mutator& mu) {
      for (int i = 0; i < 50; i++) {
        make_list(mu, type, 200);
        yield(mu);
      }
    };
    auto a = spawn(mu, body);
    auto b = spawn(mu, body);
    collect(mu);
    EXPECT_EQ(thread_count(), before);
    join(mu, a);
    join(mu, b);
    sleep_ns(mu, 1000);
    EXPECT_TRUE(check_list(keep, 1000));
    EXPECT_EQ(thread_count(), before);
  });
  EXPECT_EQ(stats(*rt).threads, 0u);
}

TEST(sched_background, started_when_needed_and_gone_at_the_end) {
  const int before = settled_thread_count();
  {
    RuntimePtr rt = make_runtime(options(2));
    EXPECT_EQ(thread_count(), before);
    rt->run([](Mutator& mu) { yield(mu); });
    EXPECT_EQ(thread_count(), before);
    rt->run([](Mutator& mu) {
      static std::atomic<int> there;
      there = 0;
      auto meet = [](Mutator& mu) {
        there++;
        while (there < 2) poll(mu);
      };
      auto t = spawn(mu, meet);
      meet(mu);  // needs a second M
      join(mu, t);
    });
    EXPECT_GT(thread_count(), before);
    EXPECT_GE(stats(*rt).threads, 1u);
  }
  EXPECT_TRUE(thread_count_becomes(before));
}

TEST(sched_background, limit) {
  const int before = settled_thread_count();
  RuntimePtr rt = make_runtime(options(8, 2));
  rt->run([before](Mutator& mu) {
    for (int i = 0; i < 500; i++) {
      auto t = spawn(mu, [](Mutator& mu) { yield(mu); });
      EXPECT_LE(thread_count(), before + 2);
      join(mu, t);
    }
  });
}

TEST(sched_background, step_from_main_and_from_a_thread) {
  RuntimePtr rt = make_runtime(options(1, 0));
  static Type<Link> type;
  static std::atomic<int> done;
  type = link_type(*rt);
  done = 0;
  auto body = [](Mutator& mu) {
    for (int i = 0; i < 10; i++) {
      make_list(mu, type, 20);
      yield(mu);
    }
    sleep_ns(mu, 1000);
    done++;
  };
  rt->run([&](Mutator& mu) {
    spawn(mu, body).detach();
    while (done < 1) step(mu, 100);
  });
  AttachScope attach(*rt);
  ManagedScope managed(attach);
  Mutator& mu = managed.mutator();
  Scope<1> scope(mu);
  Local<Link> keep(scope, make_list(mu, type, 100));
  spawn(mu, body).detach();
  spawn(mu, body).detach();
  while (done < 3) step(mu, 100);
  EXPECT_TRUE(check_list(keep, 100));
  EXPECT_EQ(current(), &mu);
}

}  // namespace
}  // namespace tricolor::testing
