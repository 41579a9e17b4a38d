// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Sysmon: how soon it takes a P from a native call, that it lets go of a P
// nobody wants, and what an idle runtime costs.
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>

#include "base/clock.h"
#include "sched/runtime.h"
#include "tests/unit/sched/fixture.h"

namespace tricolor::testing {
namespace {

uint64_t now_ns() { return base::monotonic_clock().now_ns(); }

uint64_t cpu_ns() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  auto ns = [](const timeval& t) {
    return static_cast<uint64_t>(t.tv_sec) * 1'000'000'000 +
           static_cast<uint64_t>(t.tv_usec) * 1000;
  };
  return ns(usage.ru_utime) + ns(usage.ru_stime);
}

// The only P, and a task that waits for it: not for 10 ms, as a running task
// might keep it.
TEST(sched_sysmon, a_native_call_loses_its_p_after_a_tick) {
  RuntimePtr rt = make_runtime(options(1));
  uint64_t best = ~uint64_t{0};
  rt->run([&](Mutator& mu) {
    for (int i = 0; i < 20; i++) {
      std::atomic<uint64_t> ran{0};
      auto t = spawn(
          mu,
          [](Mutator&, Plain<std::atomic<uint64_t>> ran) {
            ran.p->store(now_ns());
          },
          plain(&ran));
      const uint64_t start = now_ns();
      {
        NativeScope outside(mu);
        while (ran.load() == 0 && now_ns() - start < 1'000'000'000) usleep(50);
      }
      join(mu, t);
      const uint64_t took = ran.load() - start;
      if (took < best) best = took;
      sleep_ns(mu, 3'000'000);  // sysmon rests
    }
  });
  EXPECT_LT(best, 3'000'000u);
}

// Nobody wants it: it becomes idle all the same, and sysmon goes to sleep.
TEST(sched_sysmon, a_long_native_call_lets_it_sleep) {
  RuntimePtr rt = make_runtime(options(2));
  RuntimeImpl* impl = impl_of(*rt);
  rt->run([&](Mutator& mu) {
    auto t = spawn(mu, [](Mutator& mu) { yield(mu); });
    join(mu, t);
    NativeScope outside(mu);
    for (int i = 0; i < 5000 && !impl->sysmon.sleeps.load_relaxed(); i++) {
      usleep(1000);
    }
    EXPECT_TRUE(impl->sysmon.sleeps.load_relaxed());
    EXPECT_EQ(impl->sched.idle_p_count.load_relaxed(), 2u);
  });
}

// At most 30 ms of CPU in 30 s.
TEST(sched_sysmon, an_idle_runtime_costs_nothing) {
  if (TRI_ASAN || TRI_TSAN) GTEST_SKIP() << "costs of its own";
  const uint64_t seconds = static_cast<uint64_t>(stress_scale(2, 30));
  for (bool native : {false, true}) {
    RuntimePtr rt = make_runtime(options(4));
    const Type<Link> type = link_type(*rt);
    rt->run([&](Mutator& mu) {
      Task<void> tasks[8];
      for (auto& t : tasks) {
        t = spawn(
            mu,
            [](Mutator& mu, Plain<const Type<Link>> type) {
              for (int i = 0; i < 20; i++) {
                make_list(mu, *type.p, 1000);
                yield(mu);
              }
            },
            plain(&type));
      }
      for (auto& t : tasks) join(mu, t);
      collect(mu);
      sleep_ns(mu, 200'000'000);  // what is left to do after that
      const uint64_t before = cpu_ns();
      if (native) {
        NativeScope outside(mu);
        usleep(static_cast<useconds_t>(seconds * 1'000'000));
      } else {
        sleep_ns(mu, seconds * 1'000'000'000);
      }
      const uint64_t used = cpu_ns() - before;
      EXPECT_LT(used, seconds * 1'000'000) << (native ? "native" : "asleep");
      RecordProperty(native ? "native_us" : "asleep_us",
                     std::to_string(used / 1000));
    });
  }
}

// Two that never yield share the only P, slice by slice.
TEST(sched_sysmon, hogs_take_turns) {
  RuntimePtr rt = make_runtime(options(1));
  std::atomic<uint64_t> turns[2] = {};
  std::atomic<int> last{-1};
  std::atomic<bool> stop{false};
  struct Hogs {
    std::atomic<uint64_t>* turns;
    std::atomic<int>* last;
    std::atomic<bool>* stop;
  } hogs{turns, &last, &stop};
  rt->run([&](Mutator& mu) {
    Task<void> t[2];
    for (int i = 0; i < 2; i++) {
      t[i] = spawn(
          mu,
          [](Mutator& mu, Plain<Hogs> h, int me) {
            while (!h.p->stop->load()) {
              if (h.p->last->exchange(me) != me) h.p->turns[me]++;
              poll(mu);
            }
          },
          plain(&hogs), i);
    }
    sleep_ns(mu, 300'000'000);
    stop = true;
    for (auto& task : t) join(mu, task);
  });
  for (auto& n : turns) EXPECT_GE(n.load(), 4u);
}

}  // namespace
}  // namespace tricolor::testing
