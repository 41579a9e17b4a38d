// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Idle threads end, free stacks give their memory back, and both come back when
// they are wanted; the end of a runtime with tasks in every state.
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <thread>

#include "sched/runtime.h"
#include "tests/unit/sched/fixture.h"

namespace tricolor::testing {
namespace {

Options impatient(uint32_t procs) {
  Options o = options(procs);
  o.debug = "idle=30";
  return o;
}

// So many threads at once, each in a native call.
void use_threads(Mutator& mu, int n) {
  std::atomic<int> inside{0};
  Task<void> tasks[16];
  for (int i = 0; i < n; i++) {
    tasks[i] = spawn(
        mu,
        [](Mutator& mu, Plain<std::atomic<int>> inside, int n) {
          NativeScope outside(mu);
          inside.p->fetch_add(1);
          while (inside.p->load() < n) usleep(100);
        },
        plain(&inside), n);
  }
  for (int i = 0; i < n; i++) join(mu, tasks[i]);
}

TEST(sched_give_back, idle_threads_end_but_one) {
  const int before = settled_thread_count();
  {
    RuntimePtr rt = make_runtime(impatient(4));
    for (int round = 0; round < stress_scale(3, 20); round++) {
      rt->run([&](Mutator& mu) {
        use_threads(mu, 12);
        EXPECT_GE(stats(*rt).threads, 8u);
        sleep_ns(mu, 1'000'000);
      });
      for (int i = 0; i < 5000 && stats(*rt).threads > 2; i++) usleep(1000);
      EXPECT_LE(stats(*rt).threads, 2u);  // sysmon and one to spare
      EXPECT_TRUE(
          thread_count_becomes(before + static_cast<int>(stats(*rt).threads)));
    }
  }
  EXPECT_TRUE(thread_count_becomes(before));
}

size_t resident_bytes() {
  FILE* f = std::fopen("/proc/self/statm", "r");
  unsigned long all = 0;
  unsigned long resident = 0;
  if (f == nullptr || std::fscanf(f, "%lu %lu", &all, &resident) != 2) return 0;
  std::fclose(f);
  return resident * 4096;
}

void many_at_once(Mutator& mu, int n) {
  std::atomic<int> left{n};
  for (int i = 0; i < n; i++) {
    spawn(
        mu,
        [](Mutator& mu, Plain<std::atomic<int>> left) {
          sleep_ns(mu, 300'000'000);  // until all have begun
          left.p->fetch_sub(1);
        },
        plain(&left))
        .detach();
  }
  while (left.load() > 0) sleep_ns(mu, 1'000'000);
}

TEST(sched_give_back, stacks_of_a_spike) {
  if (TRI_ASAN || TRI_TSAN) GTEST_SKIP() << "stacks are kept there";
  constexpr int kTasks = 20'000;
  RuntimePtr rt = make_runtime(impatient(2));
  rt->run([&](Mutator& mu) { many_at_once(mu, kTasks); });
  const size_t high = resident_bytes();
  size_t low = high;
  for (int i = 0; i < 3000 && high - low < kTasks * size_t{4096} / 2; i++) {
    usleep(1000);
    low = resident_bytes() < high ? resident_bytes() : high;
  }
  EXPECT_GE(high - low, kTasks * size_t{4096} / 2) << high << " " << low;
  // Cold stacks are as good as new ones.
  rt->run([&](Mutator& mu) { many_at_once(mu, kTasks); });
}

// Of Gs whole blocks, whose Gs have new ids and no old waits when they return.
TEST(sched_give_back, gs_of_a_spike) {
  if (TRI_TSAN) GTEST_SKIP() << "Gs are kept there";
  constexpr int kTasks = 5'000;
  constexpr size_t kMost = kTasks * sizeof(sched::G);
  RuntimePtr rt = make_runtime(impatient(2));
  sched::GTable& gs = impl_of(*rt)->gs;
  size_t made = 0;
  uint64_t last_id = 0;
  for (int round = 0; round < stress_scale(3, 30); round++) {
    rt->run([&](Mutator& mu) {
      many_at_once(mu, kTasks);
      EXPECT_GT(task_id(mu), last_id);
      last_id = task_id(mu);
    });
    if (made == 0) made = gs.count();
    for (int i = 0; i < 5000 && gs.returned_bytes() < kMost / 10 * 9; i++) {
      usleep(1000);
    }
    EXPECT_GE(gs.returned_bytes(), kMost / 10 * 9);
    // Most of them are not made now, and read as idle.
    rt->collect();
    dump_tasks(
        *rt, [](const char*, size_t, void*) {}, nullptr);
    EXPECT_LE(gs.count(), made + 200);  // they are used again
  }
}

// With as many tasks as there may be, the last block being none.
TEST(sched_give_back, all_the_gs_there_may_be) {
  if (TRI_TSAN) GTEST_SKIP() << "Gs are kept there";
  constexpr int kTasks = 1003;
  Options o = impatient(1);
  o.max_tasks = kTasks + 1;
  RuntimePtr rt = make_runtime(o);
  sched::GTable& gs = impl_of(*rt)->gs;
  for (int round = 0; round < 3; round++) {
    rt->run([&](Mutator& mu) { many_at_once(mu, kTasks); });
    EXPECT_LE(gs.count(), size_t{kTasks} + 1);
    for (int i = 0; i < 5000 && gs.returned_bytes() < 500 * sizeof(sched::G);
         i++) {
      usleep(1000);
    }
    EXPECT_GE(gs.returned_bytes(), 500 * sizeof(sched::G));
  }
}

// Whatever a task is doing, the runtime's end is orderly.
TEST(sched_give_back, the_end_with_tasks_in_every_state) {
  const int before = settled_thread_count();
  for (int i = 0; i < stress_scale(20, 300); i++) {
    std::atomic<bool> stop{false};
    std::thread releaser;
    {
      RuntimePtr rt = make_runtime(options(1u + static_cast<uint32_t>(i % 4)));
      const Type<Link> type = link_type(*rt);
      rt->run([&](Mutator& mu) {
        spawn(mu, [](Mutator& mu) {
          while (true) poll(mu);
        }).detach();
        spawn(mu, [](Mutator& mu) {
          while (true) yield(mu);
        }).detach();
        spawn(mu, [](Mutator& mu) { sleep_ns(mu, ~uint64_t{0}); }).detach();
        spawn(mu, [](Mutator& mu) { park(mu, nullptr, nullptr); }).detach();
        spawn(
            mu,
            [](Mutator& mu, Plain<const Type<Link>> type) {
              while (true) make_list(mu, *type.p, 10);
            },
            plain(&type))
            .detach();
        spawn(
            mu,
            [](Mutator& mu, Plain<std::atomic<bool>> stop) {
              NativeScope outside(mu);
              while (!stop.p->load()) usleep(50);
            },
            plain(&stop))
            .detach();
        sleep_ns(mu, static_cast<uint64_t>(i) * 10'000);
        // The native call ends while run(), whose thread may be in it, or the
        // runtime's end waits for it.
        releaser = std::thread([&] {
          usleep(500);
          stop = true;
        });
      });
    }
    releaser.join();
  }
  EXPECT_TRUE(thread_count_becomes(before));
}

}  // namespace
}  // namespace tricolor::testing
