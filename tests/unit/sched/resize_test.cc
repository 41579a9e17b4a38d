// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// set_max_procs: from everywhere, both ways, under load; what it promises when
// it returns; and what it leaves behind.
#include <unistd.h>

#include <atomic>
#include <thread>
#include <vector>

#include "sched/runtime.h"
#include "tests/unit/sched/fixture.h"
#include "tricolor/tricolor.h"

namespace tricolor::testing {
namespace {

struct Load {
  std::atomic<bool> stop{false};
  std::atomic<int> done{0};
  Type<Link> type;
  bool yields = false;  ///< where nobody preempts
};

void work(Mutator& mu, Plain<Load> load, int kind) {
  while (!load.p->stop.load()) {
    Scope<1> scope(mu);
    Local<Link> list(scope, make_list(mu, load.p->type, 50));
    switch (kind) {
      case 0:
        for (int i = 0; i < 100; i++) poll(mu);
        break;
      case 1:
        sleep_ns(mu, 50'000);
        break;
      case 2: {
        NativeScope outside(mu);
        usleep(300);
        break;
      }
      case 3: {
        auto t = spawn(mu, [](Mutator& mu) {
          yield(mu);
          return 1;
        });
        EXPECT_EQ(join(mu, t), 1);
        break;
      }
      default:
        collect(mu);
    }
    EXPECT_TRUE(check_list(list, 50));
    if (load.p->yields) yield(mu);
  }
  load.p->done++;
}

constexpr int kWorkers = 12;

void start_load(Mutator& mu, Load* load) {
  for (int i = 0; i < kWorkers; i++) {
    spawn(mu, &work, plain(load), i % 5).detach();
  }
}

void end_load(Mutator& mu, Load* load) {
  load->stop = true;
  while (load->done.load() < kWorkers) sleep_ns(mu, 100'000);
}

constexpr uint32_t kSizes[] = {8, 1, 4, 2, 3, 1, 8, 7, 1};

void check_now(Runtime& rt, uint32_t n) {
  EXPECT_EQ(rt.max_procs(), n);
  EXPECT_EQ(stats(rt).max_procs, n);
}

class sched_resize : public AtProcs {};
INSTANTIATE_TEST_SUITE_P(at, sched_resize, ::testing::Values(1, 2, 8));

TEST_P(sched_resize, from_a_task_under_load) {
  Load load;
  load.type = link_type(*rt_);
  rt_->run([&](Mutator& mu) {
    start_load(mu, &load);
    uint32_t before = GetParam();
    for (int i = 0; i < stress_scale(10, 60); i++) {
      for (uint32_t n : kSizes) {
        EXPECT_EQ(runtime_of(mu).set_max_procs(n), before);
        before = n;
        check_now(runtime_of(mu), n);
        yield(mu);
      }
    }
    end_load(mu, &load);
  });
}

TEST_P(sched_resize, from_native_code) {
  Load load;
  load.type = link_type(*rt_);
  rt_->run([&](Mutator& mu) {
    start_load(mu, &load);
    for (uint32_t n : kSizes) {
      NativeScope outside(mu);
      rt_->set_max_procs(n);
      check_now(*rt_, n);
    }
    end_load(mu, &load);
  });
}

TEST_P(sched_resize, from_threads_two_at_once) {
  Load load;
  load.type = link_type(*rt_);
  std::vector<std::thread> threads;
  std::atomic<int> left{2};
  threads.emplace_back([&] {  // attached
    AttachScope attach(*rt_);
    for (int i = 0; i < stress_scale(20, 100); i++) {
      if (i % 2 == 0) {
        ManagedScope managed(attach);
        rt_->set_max_procs(kSizes[i % 9]);
      } else {
        rt_->set_max_procs(kSizes[i % 9]);
      }
    }
    left--;
  });
  threads.emplace_back([&] {  // plain
    for (int i = 0; i < stress_scale(20, 100); i++) {
      rt_->set_max_procs(kSizes[i * 5 % 9]);
      EXPECT_GE(rt_->max_procs(), 1u);
      EXPECT_LE(rt_->max_procs(), 8u);
    }
    left--;
  });
  rt_->run([&](Mutator& mu) {
    start_load(mu, &load);
    while (left.load() > 0) {
      rt_->set_max_procs(3);
      sleep_ns(mu, 100'000);
    }
    end_load(mu, &load);
  });
  for (auto& t : threads) t.join();
}

// No more than the number run at once: whoever runs says so, and looks.
struct Census {
  std::atomic<int> inside{0};
  std::atomic<int> most{0};
  std::atomic<bool> stop{false};
  std::atomic<int> done{0};
};

void count_me(Mutator& mu, Plain<Census> census) {
  Census* c = census.p;
  while (!c->stop.load()) {
    const int now = ++c->inside;
    int most = c->most.load();
    while (most < now && !c->most.compare_exchange_weak(most, now)) {
    }
    for (int i = 0; i < 2000; i++) {
      if (c->stop.load()) break;
    }
    c->inside--;
    poll(mu);
    yield(mu);
  }
  c->done++;
}

TEST(sched_resize_census, no_more_than_that_run_when_it_returns) {
  RuntimePtr rt = make_runtime(options(4));
  Census census;
  rt->run([&](Mutator& mu) {
    for (int i = 0; i < 6; i++) spawn(mu, &count_me, plain(&census)).detach();
    for (int round = 0; round < stress_scale(10, 50); round++) {
      for (uint32_t n : {1u, 3u, 2u, 4u, 1u}) {
        rt->set_max_procs(n);
        census.most = 0;
        sleep_ns(mu, 500'000);
        EXPECT_LE(census.most.load(), static_cast<int>(n));
      }
    }
    census.stop = true;
    while (census.done.load() < 6) yield(mu);
  });
}

// Two tasks that need each other at the same time: the second P is real.
TEST(sched_resize_census, growth_is_used_at_once) {
  RuntimePtr rt = make_runtime(options(1));
  rt->run([&](Mutator& mu) {
    for (int round = 0; round < 20; round++) {
      rt->set_max_procs(2);
      std::atomic<int> here{0};
      auto t = spawn(
          mu,
          [](Mutator&, Plain<std::atomic<int>> here) {
            here.p->fetch_add(1);
            while (here.p->load() < 2) {
            }
          },
          plain(&here));
      while (here.load() < 1) {
      }
      here++;
      join(mu, t);
      rt->set_max_procs(1);
    }
  });
}

// The dropped Ps' queues, free tasks and runs go to the others.
TEST(sched_resize_census, nothing_stays_with_the_dropped) {
  RuntimePtr rt = make_runtime(options(8));
  const Type<Link> type = link_type(*rt);
  RuntimeImpl* impl = impl_of(*rt);
  rt->run([&](Mutator& mu) {
    Load load;
    load.type = type;
    start_load(mu, &load);
    sleep_ns(mu, 3'000'000);
    rt->set_max_procs(1);
    end_load(mu, &load);
    EXPECT_EQ(impl->sched.proc_count.load_relaxed(), 8u);
    for (uint32_t i = 1; i < 8; i++) {
      sched::P* p = impl->sched.procs.data()[i];
      EXPECT_EQ(sched::p_state(p), sched::PState::kDead);
      EXPECT_TRUE(p->runq.looks_empty());
      EXPECT_EQ(p->free_gs, nullptr);
      EXPECT_EQ(p->barrier_count, 0u);
      EXPECT_EQ(p->active_count, 0u);
    }
    // Dead Ps come back rather than new ones.
    rt->set_max_procs(8);
    EXPECT_EQ(impl->sched.proc_count.load_relaxed(), 8u);
  });
}

TEST(sched_resize_census, attached_threads_between) {
  RuntimePtr rt = make_runtime(options(1));
  const Type<Link> type = link_type(*rt);
  AttachScope attach(*rt);  // its P comes before the second regular one
  std::thread other([&] {
    rt->run([&](Mutator& mu) {
      Load load;
      load.type = type;
      rt->set_max_procs(4);
      start_load(mu, &load);
      sleep_ns(mu, 2'000'000);
      rt->set_max_procs(2);
      end_load(mu, &load);
    });
  });
  ManagedScope managed(attach);
  Mutator& mu = managed.mutator();
  for (int i = 0; i < 20; i++) {
    Scope<1> scope(mu);
    Local<Link> list(scope, make_list(mu, type, 100));
    collect(mu);
    EXPECT_TRUE(check_list(list, 100));
  }
  {
    NativeScope outside(mu);
    other.join();
  }
}

TEST(sched_resize_census, without_threads_and_with_one) {
  for (int threads : {0, 1, 2}) {
    RuntimePtr rt = make_runtime(options(4, threads));
    const Type<Link> type = link_type(*rt);
    rt->run([&](Mutator& mu) {
      Load load;
      load.type = type;
      load.yields = true;
      start_load(mu, &load);
      for (uint32_t n : kSizes) {
        rt->set_max_procs(n);
        sleep_ns(mu, 200'000);
      }
      end_load(mu, &load);
    });
  }
}

// What goes by the number: the least heap goal, and the CPU time there is.
TEST(sched_resize_census, the_collector_hears_of_it) {
  RuntimePtr rt = make_runtime(options(1));
  const uint64_t goal = stats(*rt).heap_goal_bytes;
  EXPECT_EQ(rt->set_max_procs(4), 1u);
  EXPECT_EQ(stats(*rt).heap_goal_bytes, 4 * goal);
  const uint64_t cpu = stats(*rt).total_cpu_ns;
  EXPECT_EQ(rt->set_max_procs(1), 4u);
  EXPECT_EQ(stats(*rt).heap_goal_bytes, goal);
  EXPECT_GE(stats(*rt).total_cpu_ns, cpu);
  EXPECT_EQ(rt->set_max_procs(0), 1u);
  EXPECT_EQ(tri_set_max_procs(reinterpret_cast<tri_runtime*>(rt.get()), 2), 1u);
  EXPECT_EQ(rt->max_procs(), 2u);
}

TEST(sched_resize_death, too_many) {
  RuntimePtr rt = make_runtime(options(1));
  EXPECT_DEATH(rt->set_max_procs(1025),
               "misuse of Runtime::set_max_procs: 1025 Ps, at most 1024");
}

}  // namespace
}  // namespace tricolor::testing
