// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Options::on_deadlock: it is told of each deadlock, once, and of nothing that
// is none.
#include <unistd.h>

#include <atomic>
#include <string>
#include <thread>

#include "sched/runtime.h"
#include "tests/unit/sched/fixture.h"

namespace tricolor::testing {
namespace {

/// One task waits here until somebody opens it.
struct Gate {
  std::atomic<void*> waiter{nullptr};

  void wait(Mutator& mu) {
    park(
        mu,
        [](ParkedTask task, void* self) {
          static_cast<Gate*>(self)->waiter.store(task.g);
          return true;
        },
        this);
  }
  bool open(Mutator& mu) {
    void* g = waiter.exchange(nullptr);
    if (g == nullptr) return false;
    ready(mu, {g});
    return true;
  }
};

struct Told {
  std::atomic<int> calls{0};
  Gate gate;
};

/// Opens the gate, as a thread that attaches for it.
void open_gate(Runtime& rt, void* ctx) {
  auto* told = static_cast<Told*>(ctx);
  told->calls++;
  AttachScope attach(rt);
  ManagedScope managed(attach);
  EXPECT_TRUE(told->gate.open(managed.mutator()));
}

Options watched(uint32_t procs, int threads, Told* told) {
  Options o = options(procs, threads);
  o.on_deadlock = &open_gate;
  o.on_deadlock_ctx = told;
  return o;
}

TEST(sched_deadlock, is_told_each_time_and_may_be_resolved) {
  for (uint32_t procs : {1u, 2u, 8u}) {
    for (int threads : {-1, 0, 1}) {
      Told told;
      RuntimePtr rt = make_runtime(watched(procs, threads, &told));
      const int n = stress_scale(20, 500);
      rt->run([&](Mutator& mu) {
        for (int i = 0; i < n; i++) {
          told.gate.wait(mu);
          EXPECT_EQ(told.calls.load(), i + 1);
        }
      });
      EXPECT_EQ(told.calls.load(), n);
    }
  }
}

TEST(sched_deadlock, of_tasks_that_wait_for_each_other) {
  Told told;
  RuntimePtr rt = make_runtime(watched(2, -1, &told));
  rt->run([&](Mutator& mu) {
    auto t = spawn(
        mu, [](Mutator& mu, Plain<Told> told) { told.p->gate.wait(mu); },
        plain(&told));
    join(mu, t);
  });
  EXPECT_EQ(told.calls.load(), 1);
}

// Each of these could still wake main.
TEST(sched_deadlock, none_while_something_can_wake_a_task) {
  Told told;
  RuntimePtr rt = make_runtime(watched(2, -1, &told));
  rt->run([&](Mutator& mu) {
    // A timer.
    sleep_ns(mu, 30'000'000);
    EXPECT_EQ(told.calls.load(), 0);
    // A native call, whose P has been handed on.
    auto native = spawn(mu, [](Mutator& mu) {
      NativeScope outside(mu);
      usleep(60'000);
    });
    auto sleeper = spawn(mu, [](Mutator& mu) { sleep_ns(mu, 30'000'000); });
    join(mu, sleeper);
    join(mu, native);
    EXPECT_EQ(told.calls.load(), 0);
  });
  // A thread that is attached, and one that has been.
  std::thread other;
  rt->run([&](Mutator& mu) {
    std::atomic<bool> attached{false};
    other = std::thread([&] {
      AttachScope attach(*rt);
      attached = true;
      usleep(50'000);
      ManagedScope managed(attach);
      EXPECT_TRUE(told.gate.open(managed.mutator()));
    });
    while (!attached) yield(mu);
    told.gate.wait(mu);
    EXPECT_EQ(told.calls.load(), 0);
  });
  other.join();
  // Somebody who said so.
  impl_of(*rt)->sched.wakers.fetch_add_seq_cst(1);
  rt->run([&](Mutator& mu) {
    std::thread opener([&] {
      usleep(30'000);
      impl_of(*rt)->sched.wakers.fetch_sub_seq_cst(1);
      open_gate(*rt, &told);
    });
    told.gate.wait(mu);
    opener.join();
    EXPECT_EQ(told.calls.load(), 1);  // by the opener
  });
}

// The last attached thread goes and leaves main alone.
TEST(sched_deadlock, when_the_last_attached_thread_detaches) {
  Told told;
  RuntimePtr rt = make_runtime(watched(2, -1, &told));
  std::thread other;
  rt->run([&](Mutator& mu) {
    std::atomic<bool> attached{false};
    other = std::thread([&] {
      AttachScope attach(*rt);
      attached = true;
      usleep(30'000);
    });
    while (!attached) yield(mu);
    told.gate.wait(mu);
  });
  other.join();
  EXPECT_EQ(told.calls.load(), 1);
}

// Tasks that are left when main has gone are not waited for by anybody.
TEST(sched_deadlock, none_without_main) {
  Told told;
  RuntimePtr rt = make_runtime(watched(2, -1, &told));
  rt->run([&](Mutator& mu) {
    spawn(
        mu, [](Mutator& mu, Plain<Told> told) { told.p->gate.wait(mu); },
        plain(&told))
        .detach();
    yield(mu);
  });
  usleep(30'000);
  EXPECT_EQ(told.calls.load(), 0);
}

// Told once, however often an M wakes up for nothing.
TEST(sched_deadlock, once_however_often_somebody_looks) {
  Told told;
  Options o = options(2);
  o.on_deadlock_ctx = &told;
  o.on_deadlock = [](Runtime&, void* ctx) { static_cast<Told*>(ctx)->calls++; };
  RuntimePtr rt = make_runtime(o);
  std::thread opener([&] {
    while (told.calls.load() == 0) usleep(1000);
    for (int i = 0; i < 20; i++) {
      sched::wake_p(impl_of(*rt));
      usleep(1000);
    }
    EXPECT_EQ(told.calls.load(), 1);
    AttachScope attach(*rt);
    ManagedScope managed(attach);
    EXPECT_TRUE(told.gate.open(managed.mutator()));
  });
  rt->run([&](Mutator& mu) { told.gate.wait(mu); });
  opener.join();
}

TEST(sched_deadlock_death, dump_and_end) {
  auto hang = [](const char* debug) {
    Options o = options(2);
    o.debug = debug;
    if (debug == nullptr) o.on_deadlock = &abort_at_deadlock;
    RuntimePtr rt = make_runtime(o);
    rt->run([](Mutator& mu) {
      auto t = spawn(mu, [](Mutator& mu) { park(mu, nullptr, nullptr); });
      join(mu, t);
    });
  };
  for (const char* debug : {static_cast<const char*>(nullptr), "deadlock=2"}) {
    EXPECT_DEATH(hang(debug),
                 "main task 1 \\[waiting: join(.|\n)*task [0-9]+ \\[waiting: "
                 "park(.|\n)*    0x(.|\n)*nothing is left that could wake");
  }
}

}  // namespace
}  // namespace tricolor::testing
