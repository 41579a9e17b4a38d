// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// What a program may say about when and by whom it is collected: frames that
// call step(), NoGcScope, request_collect(), assist policies, idle workers.
#include <atomic>
#include <thread>

#include "sched/runtime.h"
#include "tests/unit/sched/fixture.h"

namespace tricolor::testing {
namespace {

uint32_t cycle_of(Mutator& mu) { return impl_of(mu)->collector->cycle(); }

/// True as soon as `done` says so; false after some ten seconds.
template <class F>
bool becomes(Mutator& mu, F done) {
  for (int i = 0; i < 10'000; ++i) {
    if (done()) return true;
    sleep_ns(mu, 1'000'000);
  }
  return false;
}

void regions(Mutator& mu, Type<Link> type, int n) {
  for (int i = 0; i < n; ++i) {
    NoGcScope scope(runtime_of(mu));
    const uint32_t before = cycle_of(mu);
    make_list(mu, type, 100);
    if (i % 4 == 0) request_collect(mu);
    yield(mu);
    EXPECT_EQ(cycle_of(mu), before);
  }
}

class gc_control : public ::testing::TestWithParam<uint32_t> {};
INSTANTIATE_TEST_SUITE_P(procs, gc_control, ::testing::Values(1u, 2u, 8u));

// Other tasks allocate as fast as they can. From the constructor's return to
// the destructor's call nobody begins a cycle.
TEST_P(gc_control, no_cycle_begins_in_a_region) {
  Options o = options(GetParam());
  o.initial_heap_bytes = 256 << 10;
  RuntimePtr rt = make_runtime(o);
  static Type<Link> type;
  static std::atomic<bool> stop;
  type = link_type(*rt);
  stop = false;
  const int rounds = stress_scale(200, 5000);
  rt->run([&](Mutator& mu) {
    auto churn = [](Mutator& mu) {
      while (!stop) {
        make_list(mu, type, 100);
        yield(mu);
      }
    };
    auto a = spawn(mu, churn);
    auto b = spawn(mu, churn);
    auto c = spawn(mu, regions, type, rounds);
    regions(mu, type, rounds);
    join(mu, c);
    const uint32_t in_regions = cycle_of(mu);
    EXPECT_TRUE(becomes(mu, [&] { return cycle_of(mu) > in_regions + 3; }));
    stop = true;
    join(mu, a);
    join(mu, b);
  });
}

TEST_P(gc_control, what_is_asked_for_comes_without_allocation) {
  RuntimePtr rt = make_runtime(options(GetParam()));
  const Type<Link> type = link_type(*rt);
  rt->run([&](Mutator& mu) {
    make_list(mu, type, 1000);
    request_collect(mu);
    EXPECT_TRUE(becomes(mu, [&] { return stats(*rt).cycles == 1; }));
    std::thread([&] { request_collect(*rt); }).join();
    EXPECT_TRUE(becomes(mu, [&] { return stats(*rt).cycles == 2; }));
    EXPECT_EQ(stats(*rt).cycles_forced, 2u);
    {
      NoGcScope outer(*rt);
      NoGcScope inner(*rt);
      request_collect(mu);
      sleep_ns(mu, 5'000'000);
      EXPECT_EQ(cycle_of(mu), 2u);
    }
    EXPECT_TRUE(becomes(mu, [&] { return stats(*rt).cycles == 3; }));
  });
}

TEST_P(gc_control, idle_ps_that_only_do_their_share_end_cycles_too) {
  Options o = options(GetParam());
  o.gc_idle_workers = false;
  RuntimePtr rt = make_runtime(o);
  const Type<Link> type = link_type(*rt);
  rt->run([&](Mutator& mu) {
    Scope<1> scope(mu);
    Local<Link> keep(scope, make_list(mu, type, 20'000));
    for (uint64_t i = 1; i <= 3; ++i) {
      request_collect(mu);
      EXPECT_TRUE(becomes(mu, [&] { return stats(*rt).cycles == i; })) << i;
    }
    EXPECT_TRUE(check_list(keep, 20'000));
  });
}

TEST_P(gc_control, every_policy_keeps_what_is_reachable) {
  for (const AssistPolicy policy :
       {AssistPolicy::kClassic, AssistPolicy::kBounded, AssistPolicy::kOff}) {
    Options o = options(GetParam());
    o.assist_policy = policy;
    o.assist_budget_us = 20;
    o.initial_heap_bytes = 1 << 20;
    o.debug = "gccheckmark=1";
    RuntimePtr rt = make_runtime(o);
    static Type<Link> type;
    type = link_type(*rt);
    rt->run([&](Mutator& mu) {
      auto body = [](Mutator& mu) {
        Scope<1> scope(mu);
        Local<Link> keep(scope, make_list(mu, type, 5000));
        const Runtime& rt = runtime_of(mu);
        for (int i = 0; i < 100'000 && stats(rt).cycles < 4; ++i) {
          make_list(mu, type, 500);
          yield(mu);
        }
        EXPECT_TRUE(check_list(keep, 5000));
      };
      auto a = spawn(mu, body);
      auto b = spawn(mu, body);
      join(mu, a);
      join(mu, b);
    });
    EXPECT_GE(stats(*rt).cycles, 4u);
    const bool none = policy == AssistPolicy::kOff;
    EXPECT_TRUE(!none || stats(*rt).gc_assist_ns == 0);
  }
}

// A game: no threads, a little allocated in each frame, then a step.
TEST(gc_controls, frames_with_steps_need_no_thread) {
  const int before = settled_thread_count();
  Options o = options(1, 0);
  o.assist_policy = AssistPolicy::kBounded;
  o.assist_budget_us = 20;
  o.gc_worker_percent = 0;
  o.initial_heap_bytes = 1 << 20;
  RuntimePtr rt = make_runtime(o);
  const Type<Link> type = link_type(*rt);
  AttachScope attach(*rt);
  ManagedScope managed(attach);
  Mutator& mu = managed.mutator();
  Scope<1> scope(mu);
  Local<Link> keep(scope, make_list(mu, type, 10'000));
  int frames = 0;
  for (; frames < 100'000 && stats(*rt).cycles < 10; ++frames) {
    make_list(mu, type, 1000);
    step(mu, 200);
  }
  EXPECT_GE(stats(*rt).cycles, 10u);
  EXPECT_EQ(stats(*rt).cycles_forced, 0u);
  EXPECT_EQ(thread_count(), before);
  EXPECT_TRUE(check_list(keep, 10'000));
}

TEST(gc_controls, one_enable_too_many_is_named) {
  EXPECT_DEATH(
      {
        RuntimePtr rt = make_runtime(options(1));
        { NoGcScope scope(*rt); }
        detail::gc_enable(*rt);
      },
      "tri_gc_enable: .*tri_gc_disable");
  EXPECT_DEATH(
      {
        RuntimePtr rt = make_runtime(options(1));
        rt->run([](Mutator& mu) {
          const NativeScope native(mu);
          request_collect(mu);
        });
      },
      "request_collect: .*native code");
}

}  // namespace
}  // namespace tricolor::testing
