// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Calls that leave the scheduler's world: on_system_stack, the blocking pool,
// and callbacks from native code into managed code, nested.
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstring>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "sched/runtime.h"
#include "tests/unit/sched/fixture.h"

namespace tricolor::testing {
namespace {

Type<Link> g_type;

class sched_native_calls : public AtProcs {
 protected:
  sched_native_calls() { g_type = link_type(*rt_); }
};
INSTANTIATE_TEST_SUITE_P(procs, sched_native_calls, ::testing::Values(1, 2, 8));

// --- on_system_stack.

// Uses 300 KiB of stack; a task has 64, or 256 under a sanitizer.
[[gnu::noinline]] uint64_t deep(int depth) {
  volatile char frame[3000];
  std::memset(const_cast<char*>(frame), depth, sizeof(frame));
  const uint64_t below = depth == 0 ? 0 : deep(depth - 1);
  return below + static_cast<unsigned char>(frame[depth]) % 2;
}

TEST_P(sched_native_calls, deep_calls_on_the_system_stack) {
  rt_->run([](Mutator& mu) {
    auto body = [](Mutator& mu, bool native) {
      Scope<1> scope(mu);
      Local<Link> list(scope, make_list(mu, g_type, 10));
      for (int i = 0; i < 20; i++) {
        uint64_t odd = 0;
        auto call = [&odd] { odd = deep(99); };
        if (native) {
          NativeScope outside(mu);
          on_system_stack(mu, call);
        } else {
          on_system_stack(mu, call);
        }
        EXPECT_EQ(odd, 50u);
        EXPECT_TRUE(check_list(list, 10));
        list = make_list(mu, g_type, 10);
        yield(mu);
      }
    };
    std::vector<Task<void>> tasks;
    for (int i = 0; i < 6; i++) tasks.push_back(spawn(mu, body, i % 2 == 0));
    for (int i = 0; i < 10; i++) collect(mu);
    for (auto& t : tasks) join(mu, t);
  });
}

TEST_P(sched_native_calls, what_the_system_stack_call_throws) {
  rt_->run([](Mutator& mu) {
    for (int i = 0; i < 10; i++) {
      try {
        try {
          throw std::runtime_error("outer");
        } catch (const std::runtime_error&) {
          on_system_stack(mu, [&mu] {
            EXPECT_NE(std::current_exception(), nullptr);
            on_system_stack(mu, [] { throw std::logic_error("inner"); });
          });
        }
        ADD_FAILURE();
      } catch (const std::logic_error& e) {
        EXPECT_STREQ(e.what(), "inner");
      }
      make_list(mu, g_type, 10);
      poll(mu);
    }
  });
}

// In coroutines, in coroutines of an attached thread, on its own stack.
void* goes_deep(Mutator& mu, Coroutine*, void*, void*) {
  for (int i = 0; i < 3; i++) {
    uint64_t odd = 0;
    on_system_stack(mu, [&odd] { odd = deep(99); });
    EXPECT_EQ(odd, 50u);
    Coroutine::yield(mu, nullptr);
  }
  return nullptr;
}

void go_deep_in_coroutines(Mutator& mu) {
  Scope<1> scope(mu);
  Local<Coroutine> co(scope,
                      Coroutine::create(mu, goes_deep, nullptr, nullptr));
  while (co->status(mu) != CoroutineStatus::kDead) {
    Coroutine::resume(mu, co, nullptr);
    make_list(mu, g_type, 10);
  }
}

TEST_P(sched_native_calls, system_stacks_of_coroutines) {
  std::thread thread([this] {
    AttachScope attach(*rt_);
    bool called = false;
    on_system_stack(attach.mutator(), [&called] { called = true; });
    EXPECT_TRUE(called);
    ManagedScope managed(attach);
    for (int i = 0; i < 10; i++) go_deep_in_coroutines(managed.mutator());
    on_system_stack(managed.mutator(), [&called] { called = false; });
    EXPECT_FALSE(called);
  });
  rt_->run([](Mutator& mu) {
    for (int i = 0; i < 10; i++) {
      go_deep_in_coroutines(mu);
      collect(mu);
    }
  });
  thread.join();
}

template <class F>
void run_it(F f) {
  RuntimePtr rt = make_runtime(options(1, 0));
  g_type = link_type(*rt);
  rt->run(f);
}

TEST(sched_native_calls_death, nothing_of_the_runtime_on_the_system_stack) {
  const auto inside = [](void (*f)(Mutator&)) {
    run_it([f](Mutator& mu) { on_system_stack(mu, [f, &mu] { f(mu); }); });
  };
  EXPECT_DEATH(inside([](Mutator& mu) { make_list(mu, g_type, 1); }),
               "allocate: .*native code");
  EXPECT_DEATH(inside([](Mutator& mu) { tri_detail_poll_slow(&mu); }),
               "poll: .*native code");
  EXPECT_DEATH(inside([](Mutator& mu) { yield(mu); }), "yield: .*native code");
  EXPECT_DEATH(inside([](Mutator& mu) { goexit(mu); }),
               "goexit: .*native code");
  EXPECT_DEATH(inside([](Mutator& mu) { NativeScope native(mu); }),
               "NativeScope: .*on_system_stack");
  EXPECT_DEATH(inside([](Mutator& mu) { tri_enter_managed(&mu); }),
               "ManagedScope: .*on_system_stack");
  EXPECT_DEATH(inside([](Mutator& mu) { blocking(mu, [] {}); }),
               "blocking: .*native code");
  EXPECT_DEATH(inside([](Mutator&) {
                 RuntimePtr other = make_runtime(options(1, 0));
                 other->run([](Mutator&) {});
               }),
               "another runtime is entered inside on_system_stack");
  EXPECT_DEATH(run_it([](Mutator& mu) {
                 NativeScope native(mu);
                 on_system_stack(mu, [&mu] { tri_enter_managed(&mu); });
               }),
               "ManagedScope: .*on_system_stack");
}

// --- The blocking pool.

TEST_P(sched_native_calls, blocking_results_and_exceptions) {
  rt_->run([this](Mutator& mu) {
    Scope<1> scope(mu);
    Local<Link> list(scope, make_list(mu, g_type, 20));
    for (int i = 0; i < 20; i++) {
      int result = 0;
      const std::thread::id self = std::this_thread::get_id();
      blocking(mu, [&] {
        result = i;
        EXPECT_NE(std::this_thread::get_id(), self);
        EXPECT_EQ(current(), nullptr);
        char name[32];
        pthread_getname_np(pthread_self(), name, sizeof(name));
        EXPECT_STREQ(name, "tricolor-blk");
      });
      EXPECT_EQ(result, i);
      EXPECT_THROW(blocking(mu, [] { throw std::runtime_error("pool"); }),
                   std::runtime_error);
      EXPECT_TRUE(check_list(list, 20));
      collect(mu);
    }
    const Stats s = stats(*rt_);
    EXPECT_EQ(s.blocking_calls, 40u);
    // More than one: a worker readies the task before it is idle itself.
    EXPECT_GE(s.blocking_threads, 1u);
    EXPECT_LE(s.blocking_threads, 40u);
    EXPECT_GE(s.threads, s.blocking_threads);
  });
}

// The others run meanwhile, even on one P; and all that wait do so at once.
TEST_P(sched_native_calls, blocking_calls_do_not_hold_a_p) {
  rt_->run([this](Mutator& mu) {
    int pipes[2];
    ASSERT_EQ(pipe(pipes), 0);
    std::vector<Task<char>> readers;
    for (int i = 0; i < 20; i++) {
      readers.push_back(spawn(
          mu,
          [](Mutator& mu, int fd) {
            char c = 0;
            blocking(mu, [&] { EXPECT_EQ(read(fd, &c, 1), 1); });
            return c;
          },
          pipes[0]));
    }
    while (stats(*rt_).blocking_pending < 20) yield(mu);
    EXPECT_EQ(stats(*rt_).blocking_threads, 20u);
    collect(mu);
    EXPECT_EQ(write(pipes[1], "12345678901234567890", 20), 20);
    int sum = 0;
    for (auto& t : readers) sum += join(mu, t) - '0';
    EXPECT_EQ(sum, 90);
    // It is taken off the books after its task has been readied.
    while (stats(*rt_).blocking_pending > 0) yield(mu);
    close(pipes[0]);
    close(pipes[1]);
  });
}

TEST_P(sched_native_calls, blocking_storm) {
  std::atomic<int> count{0};
  rt_->run([&count](Mutator& mu) {
    const int calls = stress_scale(20, 2000);
    std::vector<Task<void>> tasks;
    for (int i = 0; i < 10; i++) {
      tasks.push_back(spawn(
          mu,
          [](Mutator& mu, Plain<std::atomic<int>> count, int calls) {
            Scope<1> scope(mu);
            Local<Link> list(scope);
            for (int i = 0; i < calls; i++) {
              list = make_list(mu, g_type, 10);
              blocking(mu, [&] { (*count.p)++; });
              EXPECT_TRUE(check_list(list, 10));
            }
          },
          plain(&count), calls));
    }
    for (int i = 0; i < 10; i++) collect(mu);
    for (auto& t : tasks) join(mu, t);
    EXPECT_EQ(count, 10 * calls);
  });
}

// Calls of a coroutine, and of an attached thread, which runs them itself.
TEST_P(sched_native_calls, blocking_from_elsewhere) {
  std::thread thread([this] {
    AttachScope attach(*rt_);
    ManagedScope managed(attach);
    const std::thread::id self = std::this_thread::get_id();
    blocking(managed.mutator(),
             [self] { EXPECT_EQ(std::this_thread::get_id(), self); });
    EXPECT_THROW(blocking(managed.mutator(), [] { throw 1; }), int);
  });
  rt_->run([](Mutator& mu) {
    Scope<1> scope(mu);
    Local<Coroutine> co(scope,
                        Coroutine::create(
                            mu,
                            [](Mutator& mu, Coroutine*, void*, void*) -> void* {
                              int n = 0;
                              for (int i = 0; i < 10; i++) {
                                blocking(mu, [&n] { n++; });
                                Coroutine::yield(mu, nullptr);
                              }
                              EXPECT_EQ(n, 10);
                              return nullptr;
                            },
                            nullptr, nullptr));
    while (co->status(mu) != CoroutineStatus::kDead) {
      Coroutine::resume(mu, co, nullptr);
    }
  });
  thread.join();
}

TEST(sched_blocking_pool, in_order_and_within_its_limit) {
  Options o = options(2);
  o.blocking_threads = 1;
  RuntimePtr rt = make_runtime(o);
  static std::vector<int> order;
  order.clear();
  rt->run([&](Mutator& mu) {
    std::vector<Task<void>> tasks;
    for (int i = 0; i < 10; i++) {
      tasks.push_back(spawn(
          mu,
          [](Mutator& mu, int id) {
            blocking(mu, [id] {
              order.push_back(id);
              usleep(2000);
            });
          },
          i));
      while (stats(*rt).blocking_calls < static_cast<uint64_t>(i) + 1) {
        yield(mu);
      }
      EXPECT_LE(stats(*rt).blocking_threads, 1u);
    }
    for (auto& t : tasks) join(mu, t);
  });
  ASSERT_EQ(order.size(), 10u);
  for (int i = 0; i < 10; i++) EXPECT_EQ(order[i], i);
}

TEST(sched_blocking_pool, without_a_pool) {
  Options none = options(2);
  none.blocking_threads = 0;
  for (const Options& o : {none, options(1, 0)}) {
    RuntimePtr rt = make_runtime(o);
    rt->run([&](Mutator& mu) {
      std::thread::id where;
      blocking(mu, [&where] { where = std::this_thread::get_id(); });
      EXPECT_EQ(where, std::this_thread::get_id());
      EXPECT_THROW(blocking(mu, [] { throw 1; }), int);
      EXPECT_EQ(stats(*rt).blocking_calls, 0u);
    });
  }
}

TEST(sched_blocking_pool, idle_threads_end) {
  Options o = options(2);
  o.debug = "blockingidle=1";
  RuntimePtr rt = make_runtime(o);
  const int rounds = stress_scale(10, 300);
  rt->run([&](Mutator& mu) {
    for (int round = 0; round < rounds; round++) {
      std::vector<Task<void>> tasks;
      for (int i = 0; i < 5; i++) {
        tasks.push_back(
            spawn(mu, [](Mutator& mu) { blocking(mu, [] { usleep(500); }); }));
      }
      for (auto& t : tasks) join(mu, t);
      // Now and then in the very moment in which they end.
      if (round % 2 == 0) {
        while (stats(*rt).blocking_threads > 0) sleep_ns(mu, 100'000);
      } else {
        sleep_ns(mu, 1'000'000);
      }
    }
  });
}

// The destructor waits for what has begun; what has not is forgotten.
TEST(sched_blocking_pool, runtimes_go_with_calls_under_way) {
  const int threads = settled_thread_count();
  const int rounds = stress_scale(10, 500);
  for (int round = 0; round < rounds; round++) {
    std::atomic<int> begun{0};
    std::atomic<int> ended{0};
    Options o = options(2);
    o.blocking_threads = 2;
    RuntimePtr rt = make_runtime(o);
    rt->run([&](Mutator& mu) {
      for (int i = 0; i < 5; i++) {
        spawn(
            mu,
            [](Mutator& mu, Plain<std::atomic<int>> begun,
               Plain<std::atomic<int>> ended) {
              while (true) {
                blocking(mu, [&] {
                  (*begun.p)++;
                  usleep(300);
                  (*ended.p)++;
                });
              }
            },
            plain(&begun), plain(&ended))
            .detach();
      }
      while (begun < 3) yield(mu);
    });
    rt.reset();
    EXPECT_EQ(begun, ended);
    EXPECT_TRUE(thread_count_becomes(threads));
  }
}

// A call may come back into the runtime, on its own thread.
TEST_P(sched_native_calls, calls_of_the_pool_attach) {
  rt_->run([this](Mutator& mu) {
    for (int i = 0; i < 10; i++) {
      uint64_t value = 0;
      blocking(mu, [&] {
        AttachScope attach(*rt_);
        ManagedScope managed(attach);
        Mutator& own = managed.mutator();
        Scope<1> scope(own);
        Local<Link> list(scope, make_list(own, g_type, 10));
        auto t = spawn(own, [](Mutator& mu) { yield(mu); });
        collect(own);
        join(own, t);
        value = list->value;
      });
      EXPECT_EQ(value, 10u);
    }
  });
}

TEST(sched_native_calls_death, the_waiting_tasks_mutator) {
  EXPECT_DEATH(
      {
        RuntimePtr rt = make_runtime(options(2));
        g_type = link_type(*rt);
        rt->run([](Mutator& mu) {
          blocking(mu, [&mu] { make_list(mu, g_type, 1); });
        });
      },
      "allocate: .*native code");
  EXPECT_DEATH(run_it([](Mutator& mu) {
                 NativeScope native(mu);
                 blocking(mu, [] {});
               }),
               "blocking: .*native code");
}

// --- Callbacks.

struct Callback {
  Mutator& mu;
  int depth;
  uint64_t sum;
};

void call_back(void* ctx);

// As a C library would: native code that calls a function it was given.
extern "C" void native_library(void (*fn)(void*), void* ctx) { fn(ctx); }

uint64_t managed_level(Mutator& mu, int depth) {
  Scope<2> scope(mu);
  Local<Link> list(scope, make_list(mu, g_type, 10));
  if (depth == 0) {
    collect(mu);
    return 0;
  }
  Callback call{mu, depth - 1, 0};
  {
    NativeScope native(mu);
    native_library(call_back, &call);
  }
  EXPECT_TRUE(check_list(list, 10));
  list = make_list(mu, g_type, 5);
  sleep_ns(mu, 1000);
  EXPECT_TRUE(check_list(list, 5));
  return call.sum + 1;
}

void call_back(void* ctx) {
  auto* call = static_cast<Callback*>(ctx);
  tri_enter_managed(&call->mu);
  {
    Mutator& mu = call->mu;
    Scope<1> scope(mu);
    Local<Link> list(scope, make_list(mu, g_type, 7));
    auto t = spawn(mu, [](Mutator& mu) {
      yield(mu);
      return uint64_t{3};
    });
    sleep_ns(mu, 10'000);
    call->sum = managed_level(mu, call->depth);
    yield(mu);
    EXPECT_EQ(join(mu, t), 3u);
    EXPECT_TRUE(check_list(list, 7));
  }
  tri_leave_managed(&call->mu);
}

TEST_P(sched_native_calls, callbacks_nested_ten_deep) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; i++) {
    threads.emplace_back([this] {
      AttachScope attach(*rt_);
      ManagedScope managed(attach);
      EXPECT_EQ(managed_level(managed.mutator(), 10), 10u);
    });
  }
  rt_->run([](Mutator& mu) {
    std::vector<Task<uint64_t>> tasks;
    for (int i = 0; i < 8; i++) {
      tasks.push_back(spawn(mu, {.name = nullptr, .stack_bytes = 512 << 10},
                            [](Mutator& mu) { return managed_level(mu, 10); }));
    }
    for (int i = 0; i < 10; i++) collect(mu);
    for (auto& t : tasks) EXPECT_EQ(join(mu, t), 10u);
  });
  for (auto& t : threads) t.join();
}

// The callback throws through the native frames to the task that called them.
TEST_P(sched_native_calls, exceptions_through_callbacks) {
  rt_->run([](Mutator& mu) {
    Scope<1> scope(mu);
    Local<Link> list(scope, make_list(mu, g_type, 10));
    for (int i = 0; i < 20; i++) {
      try {
        NativeScope native(mu);
        struct Back {
          Mutator& mu;
          explicit Back(Mutator& mu) : mu(mu) { tri_enter_managed(&mu); }
          ~Back() { tri_leave_managed(&mu); }
        } back(mu);
        Scope<1> inner(mu);
        Local<Link> other(inner, make_list(mu, g_type, 3));
        sleep_ns(mu, 1000);
        throw std::runtime_error("back");
      } catch (const std::runtime_error&) {
        collect(mu);
        EXPECT_TRUE(check_list(list, 10));
      }
    }
  });
}

}  // namespace
}  // namespace tricolor::testing
