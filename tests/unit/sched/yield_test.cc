// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Fairness: yielding tasks take turns; a task that only polls is preempted.
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <vector>

#include "tests/unit/sched/fixture.h"

namespace tricolor::testing {
namespace {

TEST(sched_yield, tasks_take_turns_on_one_p) {
  RuntimePtr rt = make_runtime(options(1, 0));
  rt->run([](Mutator& mu) {
    static std::vector<int> order;
    order.clear();
    auto body = [](Mutator& mu, int id) {
      for (int i = 0; i < 5; i++) {
        order.push_back(id);
        yield(mu);
      }
    };
    auto a = spawn(mu, body, 0);
    auto b = spawn(mu, body, 1);
    auto c = spawn(mu, body, 2);
    join(mu, a);
    join(mu, b);
    join(mu, c);
    ASSERT_EQ(order.size(), 15u);
    for (int round = 0; round < 5; round++) {
      std::vector<int> turn(order.begin() + 3 * round,
                            order.begin() + 3 * round + 3);
      std::sort(turn.begin(), turn.end());
      EXPECT_EQ(turn, (std::vector<int>{0, 1, 2})) << "round " << round;
    }
  });
}

// The global queue is served while local tasks yield for ever.
TEST(sched_yield, global_queue_does_not_starve) {
  RuntimePtr rt = make_runtime(options(1, 0));
  static std::atomic<bool> came;
  came = false;
  rt->run([&](Mutator& mu) {
    auto a = spawn(mu, [](Mutator& mu) {
      while (!came) yield(mu);
    });
    // Overflow the ring so that the last task lands in the global queue.
    for (int i = 0; i < 300; i++) {
      spawn(mu, [](Mutator& mu) {
        while (!came) yield(mu);
      }).detach();
    }
    auto last = spawn(mu, [](Mutator&) { came = true; });
    join(mu, last);
    join(mu, a);
  });
}

// A polling loop gives way to others within some ticks of sysmon, on any
// number of Ps.
TEST(sched_yield, polling_loops_are_preempted) {
  for (uint32_t procs : {1u, 2u}) {
    RuntimePtr rt = make_runtime(options(procs));
    static std::atomic<bool> stop;
    stop = false;
    rt->run([procs](Mutator& mu) {
      std::vector<Task<void>> hogs;
      for (uint32_t i = 0; i < procs; i++) {
        hogs.push_back(spawn(mu, [](Mutator& mu) {
          while (!stop) poll(mu);
        }));
      }
      yield(mu);  // the hogs have the Ps now; without preemption for ever
      stop = true;
      for (auto& h : hogs) join(mu, h);
    });
  }
}

// Two that yield to each other get as much together as one that computes: where
// it is away it is away for a slice, not for one turn of each.
TEST(sched_yield, a_pair_has_slices_beside_a_hog) {
  constexpr uint64_t kYields = 500;  // in one absence: microseconds each
  RuntimePtr rt = make_runtime(options(1));
  static std::atomic<uint64_t> yields;
  static std::atomic<bool> stop;
  yields = 0;
  stop = false;
  rt->run([](Mutator& mu) {
    auto pair = [](Mutator& mu) {
      while (!stop) {
        yields++;
        yield(mu);
      }
    };
    auto a = spawn(mu, pair);
    auto b = spawn(mu, pair);
    auto hog = spawn(mu, [](Mutator& mu) {
      uint64_t absences = 0;
      while (absences < 3) {
        const uint64_t before = yields;
        poll(mu);
        if (yields - before >= kYields) absences++;
      }
    });
    join(mu, hog);
    stop = true;
    join(mu, a);
    join(mu, b);
  });
}

// Tasks that come while there is more than enough to do do not keep those that
// have begun from ending.
TEST(sched_yield, who_has_begun_ends_under_overload) {
  RuntimePtr rt = make_runtime(options(1));
  static std::atomic<int> begun;
  static std::atomic<int> ended;
  begun = ended = 0;
  rt->run([](Mutator& mu) {
    constexpr uint64_t kWorkNs = 15'000'000;
    constexpr uint64_t kEveryNs = 7'000'000;
    uint64_t next = now_ns();
    while (ended < 5) {
      spawn(mu, [](Mutator& mu) {
        begun++;
        uint64_t worked = 0;
        for (uint64_t last = now_ns(); worked < kWorkNs && ended < 5;) {
          poll(mu);
          const uint64_t now = now_ns();
          if (now - last < 1'000'000) worked += now - last;
          last = now;
        }
        ended++;
      }).detach();
      next += kEveryNs;
      (void)sleep_until(mu, Deadline{next});
    }
    while (ended < begun) yield(mu);
  });
}

// One that is preempted because its thread has to leave has spent no slice: it
// comes again, with sysmon or without.
TEST(sched_yield, a_thread_that_leaves_costs_no_slice) {
  RuntimePtr rt = make_runtime(options(1, 0));
  static std::atomic<int> blocked;
  static std::atomic<bool> stop;
  blocked = 0;
  stop = false;
  AttachScope attach(*rt);
  ManagedScope managed(attach);
  Mutator& mu = managed.mutator();
  auto native = spawn(mu, [](Mutator& mu) {
    while (!stop) {
      {
        NativeScope outside(mu);
        usleep(1500);
      }
      poll(mu);
      blocked++;
      yield(mu);
    }
  });
  auto yields = spawn(mu, [](Mutator& mu) {
    while (!stop) yield(mu);
  });
  while (blocked < 20) step(mu, 1000);
  stop = true;
  native.detach();
  yields.detach();
  for (int i = 0; i < 10; i++) step(mu, 1000);
}

// What is spawned later runs earlier, but only for a time slice.
TEST(sched_yield, tasks_that_spawn_for_ever_keep_out_nobody) {
  static std::atomic<int> came;
  static std::atomic<bool> stop;
  for (const bool with_sysmon : {true, false}) {
    came = 0;
    stop = false;
    RuntimePtr rt = make_runtime(options(1, with_sysmon ? -1 : 0));
    rt->run([&](Mutator& mu) {
      // Spawned before, and woken: both have to come.
      auto first = spawn(mu, [](Mutator&) { came++; });
      auto woken = spawn(mu, [](Mutator& mu) {
        for (int i = 0; i < 10; i++) yield(mu);
        sleep_ns(mu, 1'000'000);
        came++;
      });
      spawn(mu, [](Mutator& mu) {
        while (!stop) {
          spawn(mu, [](Mutator&) {}).detach();
          yield(mu);
        }
      }).detach();
      auto chain = spawn(mu, [](Mutator& mu) {
        struct One {
          static void link(Mutator& mu) {
            if (!stop) spawn(mu, &One::link).detach();
          }
        };
        One::link(mu);
      });
      join(mu, first);
      join(mu, woken);
      stop = true;
      join(mu, chain);
    });
    EXPECT_EQ(came, 2);
  }
}

}  // namespace
}  // namespace tricolor::testing
