// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// lock_os_thread: the task stays, nobody else comes, and what becomes of the
// thread.
#include "tricolor/os_thread.h"

#include <unistd.h>

#include <atomic>
#include <thread>
#include <vector>

#include "sched/runtime.h"
#include "tests/unit/sched/fixture.h"

namespace tricolor::testing {
namespace {

struct Shared {
  std::atomic<int> done{0};
  std::atomic<int> locked_tids[8] = {};
  std::atomic<int> strangers{0};
  Type<Link> type;
};

bool is_locked_thread(const Shared& s, int tid) {
  for (const auto& t : s.locked_tids) {
    if (t.load() == tid) return true;
  }
  return false;
}

// Everything that may move a task, and yet the same thread.
void stay(Mutator& mu, Plain<Shared> s, int me) {
  lock_os_thread(mu);
  const int tid = gettid();
  s.p->locked_tids[me].store(tid);
  for (int i = 0; i < stress_scale(40, 1000); i++) {
    Scope<1> scope(mu);
    Local<Link> list(scope, make_list(mu, s.p->type, 20));
    switch (i % 6) {
      case 0:
        yield(mu);
        break;
      case 1:
        sleep_ns(mu, 20'000);
        break;
      case 2: {
        NativeScope outside(mu);
        usleep(100);
        break;
      }
      case 3: {
        auto t = spawn(mu, [](Mutator& mu) {
          yield(mu);
          return static_cast<int>(gettid());
        });
        EXPECT_NE(join(mu, t), tid);
        break;
      }
      case 4:
        collect(mu);
        break;
      default:
        runtime_of(mu).set_max_procs(1u + static_cast<uint32_t>(i) % 4);
    }
    EXPECT_EQ(gettid(), tid);
    EXPECT_TRUE(check_list(list, 20));
  }
  s.p->locked_tids[me].store(0);
  unlock_os_thread(mu);
  s.p->done++;
}

void roam(Mutator& mu, Plain<Shared> s, int tasks) {
  while (s.p->done.load() < tasks) {
    if (is_locked_thread(*s.p, gettid())) s.p->strangers++;
    yield(mu);
    make_list(mu, s.p->type, 5);
  }
}

class sched_os_thread : public AtProcs {};
INSTANTIATE_TEST_SUITE_P(at, sched_os_thread, ::testing::Values(1, 2, 8));

TEST_P(sched_os_thread, tasks_stay_and_are_alone) {
  Shared s;
  s.type = link_type(*rt_);
  constexpr int kTasks = 4;
  rt_->run([&](Mutator& mu) {
    Task<void> tasks[2 * kTasks];
    for (int i = 0; i < kTasks; i++) {
      tasks[i] = spawn(mu, &stay, plain(&s), i);
      tasks[kTasks + i] = spawn(mu, &roam, plain(&s), kTasks);
    }
    for (auto& t : tasks) join(mu, t);
  });
  EXPECT_EQ(s.strangers.load(), 0);
  EXPECT_EQ(impl_of(*rt_)->sched.locked_gs.load_relaxed(), 0u);
}

// Main on the thread inside run(), which is where it begins.
TEST_P(sched_os_thread, main) {
  Shared s;
  s.type = link_type(*rt_);
  const int tid = gettid();
  rt_->run([&](Mutator& mu) {
    EXPECT_EQ(gettid(), tid);
    lock_os_thread(mu);
    lock_os_thread(mu);  // counted
    unlock_os_thread(mu);
    Task<void> tasks[4];
    for (auto& t : tasks) {
      t = spawn(mu, [](Mutator& mu) {
        for (int i = 0; i < 20; i++) yield(mu);
      });
    }
    for (auto& t : tasks) {
      join(mu, t);
      EXPECT_EQ(gettid(), tid);
    }
    sleep_ns(mu, 1'000'000);
    EXPECT_EQ(gettid(), tid);
    // It may end locked: the thread is the program's.
  });
  EXPECT_EQ(gettid(), tid);
  rt_->run([&](Mutator& mu) { yield(mu); });
}

// A worker's thread ends with its locked task.
TEST_P(sched_os_thread, ends_with_its_task) {
  const int program = gettid();
  for (int round = 0; round < stress_scale(10, 100); round++) {
    rt_->run([&](Mutator& mu) {
      lock_os_thread(mu);  // so that the other one has another thread
      auto t = spawn(mu, [](Mutator& mu) {
        lock_os_thread(mu);
        yield(mu);
        return static_cast<int>(gettid());
      });
      const int tid = join(mu, t);
      // With all Ps busy main may have begun on a worker, and this one on the
      // program's thread, which stays.
      if (tid == program) return;
      for (int i = 0; i < 2000; i++) {
        char path[64];
        snprintf(path, sizeof(path), "/proc/self/task/%d", tid);
        if (access(path, F_OK) != 0) break;
        sleep_ns(mu, 1'000'000);
        EXPECT_LT(i, 1990);
      }
    });
  }
}

// Coroutines go where their resumer does.
TEST_P(sched_os_thread, coroutines_of_a_locked_task) {
  rt_->run([&](Mutator& mu) {
    lock_os_thread(mu);
    const int tid = gettid();
    Scope<1> scope(mu);
    Local<Coroutine> co(scope, Coroutine::create(
                                   mu,
                                   [](Mutator& mu, Coroutine*, void*, void* t) {
                                     const int tid = *static_cast<int*>(t);
                                     for (int i = 0; i < 10; i++) {
                                       sleep_ns(mu, 50'000);
                                       EXPECT_EQ(gettid(), tid);
                                       yield(mu);
                                       EXPECT_EQ(gettid(), tid);
                                     }
                                     return Coroutine::yield(mu, nullptr);
                                   },
                                   nullptr, const_cast<int*>(&tid)));
    for (int i = 0; i < 4; i++) {
      auto busy = spawn(mu, [](Mutator& mu) { yield(mu); });
      busy.detach();
    }
    Coroutine::resume(mu, co, nullptr);
    EXPECT_EQ(gettid(), tid);
    unlock_os_thread(mu);
  });
}

// The runtime's end, with locked tasks that wait, run, sleep.
TEST_P(sched_os_thread, left_at_the_end) {
  rt_->run([&](Mutator& mu) {
    for (int i = 0; i < 6; i++) {
      spawn(
          mu,
          [](Mutator& mu, int i) {
            lock_os_thread(mu);
            if (i % 3 == 0) park(mu, nullptr, nullptr);
            if (i % 3 == 1) sleep_ns(mu, ~uint64_t{0});
            while (true) yield(mu);
          },
          i)
          .detach();
    }
    lock_os_thread(mu);
    sleep_ns(mu, 3'000'000);
  });
}

// Locked Ms count as idle for the deadlock detector.
TEST(sched_os_thread_deadlock, is_told) {
  Options o = options(2);
  struct Told {
    std::atomic<int> calls{0};
    std::atomic<void*> waiter{nullptr};
  } told;
  o.on_deadlock_ctx = &told;
  o.on_deadlock = [](Runtime& rt, void* ctx) {
    auto* t = static_cast<Told*>(ctx);
    t->calls++;
    AttachScope attach(rt);
    ManagedScope managed(attach);
    ready(managed.mutator(), {t->waiter.exchange(nullptr)});
  };
  RuntimePtr rt = make_runtime(o);
  rt->run([&](Mutator& mu) {
    lock_os_thread(mu);
    for (int i = 0; i < 20; i++) {
      park(
          mu,
          [](ParkedTask task, void* ctx) {
            static_cast<Told*>(ctx)->waiter.store(task.g);
            return true;
          },
          &told);
    }
  });
  EXPECT_EQ(told.calls.load(), 20);
}

TEST(sched_os_thread_death, misuse) {
  RuntimePtr rt = make_runtime(options(1));
  EXPECT_DEATH(rt->run([](Mutator& mu) { unlock_os_thread(mu); }),
               "misuse of unlock_os_thread: more often than lock_os_thread");
  EXPECT_DEATH(rt->run([](Mutator& mu) {
    NativeScope outside(mu);
    lock_os_thread(mu);
  }),
               "misuse of lock_os_thread: called in native code");
}

// Each would sleep for ever, with nobody to wake it.
TEST(sched_os_thread_death, some_thread_runs_the_others) {
  for (int threads : {1, 2, 3}) {
    const int most = threads == 1 ? 1 : threads - 1;
    const auto lock_so_many = [threads](int n) {
      RuntimePtr rt = make_runtime(options(2, threads));
      rt->run([n](Mutator& mu) {
        std::atomic<int> locked{0};
        std::vector<Task<void>> tasks;
        for (int i = 0; i < n; i++) {
          tasks.push_back(spawn(
              mu,
              [](Mutator& mu, Plain<std::atomic<int>> locked, int n) {
                lock_os_thread(mu);
                ++*locked.p;
                while (*locked.p < n) sleep_ns(mu, 100'000);
              },
              plain(&locked), n));
        }
        for (auto& t : tasks) join(mu, t);
      });
    };
    lock_so_many(most);
    EXPECT_DEATH(lock_so_many(most + 1), "misuse of lock_os_thread: with back")
        << threads;
  }
}

TEST(sched_os_thread_attached, is_where_it_is) {
  RuntimePtr rt = make_runtime(options(1));
  AttachScope attach(*rt);
  ManagedScope managed(attach);
  lock_os_thread(managed.mutator());
  unlock_os_thread(managed.mutator());
}

}  // namespace
}  // namespace tricolor::testing
