// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Foreign threads: attach, detach, nesting, managed and native scopes, churn
// against stops, several runtimes inside one another.
#include <pthread.h>
#include <unistd.h>

#include <atomic>
#include <thread>
#include <vector>

#include "sched/runtime.h"
#include "tests/unit/sched/fixture.h"

namespace tricolor::testing {
namespace {

TEST(sched_attach, current_follows_the_scopes) {
  RuntimePtr rt = make_runtime(options(1));
  EXPECT_EQ(current(), nullptr);
  {
    AttachScope outer(*rt);
    EXPECT_EQ(current(), &outer.mutator());
    {
      AttachScope inner(*rt);
      EXPECT_EQ(&inner.mutator(), &outer.mutator());
    }
    EXPECT_EQ(current(), &outer.mutator());
  }
  EXPECT_EQ(current(), nullptr);
  rt->run([](Mutator& mu) {
    EXPECT_EQ(current(), &mu);
    AttachScope inside(runtime_of(mu));
    EXPECT_EQ(&inside.mutator(), &mu);
  });
  EXPECT_EQ(current(), nullptr);
}

TEST(sched_attach, a_limit_that_is_reached_comes_back_as_an_error) {
  Options o = options(1);
  o.max_tasks = 1;
  RuntimePtr rt = make_runtime(o);
  for (int round = 0; round < 3; round++) {
    Error error;
    AttachScope first(*rt, &error);
    EXPECT_TRUE(first.ok()) << error.text;
    std::thread([&] {
      Error why;
      AttachScope second(*rt, &why);
      EXPECT_FALSE(second.ok());
      EXPECT_EQ(why.code, ErrorCode::kLimit);
      EXPECT_NE(std::string(why.text).find("max_tasks is 1"), std::string::npos)
          << why.text;
      EXPECT_EQ(current(), nullptr) << "nothing of it is left";
      AttachScope third(*rt, nullptr);
      EXPECT_FALSE(third.ok());
    }).join();
  }
  EXPECT_DEATH(
      {
        AttachScope first(*rt);
        std::thread([&] { AttachScope second(*rt); }).join();
      },
      "AttachScope: .*max_tasks is 1");
}

TEST(sched_attach, scopes_nest_in_any_order) {
  RuntimePtr rt = make_runtime(options(1));
  const Type<Link> type = link_type(*rt);
  AttachScope attach(*rt);
  Mutator& mu = attach.mutator();
  EXPECT_EQ(mu.p, nullptr);
  {
    ManagedScope managed(attach);
    EXPECT_NE(mu.p, nullptr);
    Scope<1> scope(mu);
    Local<Link> list(scope, make_list(mu, type, 10));
    {
      NativeScope native(mu);
      EXPECT_EQ(mu.p, nullptr);
      {
        ManagedScope again(attach);
        ManagedScope and_again(attach);
        EXPECT_NE(mu.p, nullptr);
        collect(mu);
        NativeScope native_in_it(mu);
        EXPECT_EQ(mu.p, nullptr);
      }
      EXPECT_EQ(mu.p, nullptr);
    }
    EXPECT_NE(mu.p, nullptr);
    EXPECT_TRUE(check_list(list, 10));
  }
  EXPECT_EQ(mu.p, nullptr);
}

// Locals of a thread in native code are roots.
TEST(sched_attach, native_threads_keep_their_roots) {
  RuntimePtr rt = make_runtime(options(2));
  const Type<Link> type = link_type(*rt);
  std::atomic<int> phase{0};
  std::thread thread([&] {
    AttachScope attach(*rt);
    ManagedScope managed(attach);
    Mutator& mu = managed.mutator();
    Scope<1> scope(mu);
    Local<Link> list(scope, make_list(mu, type, 1000));
    {
      NativeScope native(mu);
      phase = 1;
      while (phase != 2) std::this_thread::yield();
    }
    EXPECT_TRUE(check_list(list, 1000));
  });
  while (phase != 1) std::this_thread::yield();
  rt->run([&](Mutator& mu) {
    for (int i = 0; i < 5; i++) {
      make_list(mu, type, 1000);
      collect(mu);
    }
  });
  phase = 2;
  thread.join();
}

// Threads that end attached: natively, in managed code, inside another runtime,
// or from their own destructors of thread-specific data, which may run before
// the runtime's and may collect.
enum class Ends { kNative, kManaged, kNested, kInDestructor, kNestedDeep };

struct Ending {
  Runtime* rt;
  Runtime* other;
  Type<Link> type;
  pthread_key_t key;
  std::atomic<int> detached{0};
};

void in_destructor(void* arg) {
  auto* e = static_cast<Ending*>(arg);
  Mutator* mu = current();
  ASSERT_NE(mu, nullptr) << "still attached";
  tri_enter_managed(mu);
  {
    Scope<1> scope(*mu);
    Local<Link> list(scope, make_list(*mu, e->type, 5));
    collect(*mu);
    EXPECT_TRUE(check_list(list, 5));
  }
  tri_leave_managed(mu);
  tri_detach_thread(reinterpret_cast<tri_runtime*>(e->rt), mu);
  EXPECT_EQ(current(), nullptr);
  e->detached++;
}

void end_attached(Ending* e, Ends how) {
  tri_mutator* mu = tri_attach(reinterpret_cast<tri_runtime*>(e->rt));
  if (how == Ends::kInDestructor) {
    pthread_setspecific(e->key, e);
    return;
  }
  if (how == Ends::kNative) return;
  tri_enter_managed(mu);
  void** slots = mu->shadow_top;  // roots that nobody pops
  slots[0] = slots[1] = nullptr;
  mu->shadow_top += 2;
  slots[0] = make_list(*mu, e->type, 5);
  if (how == Ends::kManaged) return;
  tri_mutator* inner = tri_attach(reinterpret_cast<tri_runtime*>(e->other));
  if (how == Ends::kNested) return;
  for (int i = 0; i < 50; i++) {
    tri_enter_managed(inner);
    tri_enter_native(inner);
  }
}

class sched_attach_ends : public ::testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(conservative, sched_attach_ends, ::testing::Bool());

TEST_P(sched_attach_ends, a_thread_that_ends_attached) {
  Options o = options(2);
  o.conservative_stacks = GetParam();
  o.debug = "gccheckmark=1";
  RuntimePtr rt = make_runtime(o);
  RuntimePtr other = make_runtime(options(1));
  Ending e{rt.get(), other.get(), link_type(*rt), {}, {}};
  ASSERT_EQ(pthread_key_create(&e.key, in_destructor), 0);
  const int rounds = stress_scale(20, 500);
  rt->run([&](Mutator& mu) {
    for (int round = 0; round < rounds; round++) {
      std::vector<std::thread> threads;
      for (Ends how : {Ends::kNative, Ends::kManaged, Ends::kNested,
                       Ends::kInDestructor, Ends::kNestedDeep}) {
        threads.emplace_back(end_attached, &e, how);
      }
      collect(mu);
      call_native(mu, [&threads] {
        for (auto& t : threads) t.join();
      });
      EXPECT_EQ(impl_of(mu)->attached_threads.load_relaxed(), 0u);
      collect(mu);
    }
    collect(mu);
    collect(mu);
    EXPECT_EQ(stats(runtime_of(mu)).live_cells, 0u) << "their roots are gone";
  });
  EXPECT_EQ(e.detached, rounds);
  pthread_key_delete(e.key);
}

TEST(sched_attach, churn_against_collections) {
  RuntimePtr rt = make_runtime(options(2));
  static Type<Link> type;
  type = link_type(*rt);
  const int rounds = stress_scale(100, 5000);
  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; t++) {
    threads.emplace_back([&] {
      while (!stop) {
        AttachScope attach(*rt);
        for (int i = 0; i < 3; i++) {
          ManagedScope managed(attach);
          Mutator& mu = managed.mutator();
          Scope<1> scope(mu);
          Local<Link> list(scope, make_list(mu, type, 50));
          poll(mu);
          EXPECT_TRUE(check_list(list, 50));
        }
      }
    });
  }
  rt->run([rounds](Mutator& mu) {
    for (int i = 0; i < rounds; i++) collect(mu);
  });
  stop = true;
  for (auto& t : threads) t.join();
}

TEST(sched_attach, spawn_and_join_from_a_thread) {
  RuntimePtr rt = make_runtime(options(2));
  AttachScope attach(*rt);
  ManagedScope managed(attach);
  Mutator& mu = managed.mutator();
  for (int i = 0; i < 50; i++) {
    auto t = spawn(
        mu,
        [](Mutator& mu, int n) {
          yield(mu);
          return n + 1;
        },
        i);
    EXPECT_EQ(join(mu, t), i + 1);
  }
}

// The P of a task in a long native call is handed on: the others go on.
TEST(sched_attach, long_native_calls_do_not_hold_up_others) {
  RuntimePtr rt = make_runtime(options(1));
  static std::atomic<bool> ran;
  ran = false;
  rt->run([](Mutator& mu) {
    auto other = spawn(mu, [](Mutator&) { ran = true; });
    {
      NativeScope native(mu);
      while (!ran) usleep(1000);
    }
    join(mu, other);
  });
  EXPECT_TRUE(ran);
}

TEST(sched_attach, several_blocked_native_calls) {
  RuntimePtr rt = make_runtime(options(2));
  static std::atomic<int> inside;
  inside = 0;
  rt->run([](Mutator& mu) {
    std::vector<Task<void>> tasks;
    for (int i = 0; i < 6; i++) {
      tasks.push_back(spawn(mu, [](Mutator& mu) {
        NativeScope native(mu);
        inside++;
        while (inside < 6) usleep(1000);
      }));
    }
    for (auto& t : tasks) join(mu, t);
  });
  EXPECT_EQ(inside, 6);
}

TEST(sched_attach, one_runtime_inside_another) {
  RuntimePtr a = make_runtime(options(1));
  RuntimePtr b = make_runtime(options(1));
  static Type<Link> type;
  type = link_type(*a);
  std::atomic<bool> stop{false};
  std::thread collector([&] {
    AttachScope attach(*a);
    while (!stop) {
      ManagedScope managed(attach);
      collect(managed.mutator());
    }
  });
  a->run([&](Mutator& mu_a) {
    Scope<1> scope(mu_a);
    Local<Link> list(scope, make_list(mu_a, type, 100));
    for (int i = 0; i < 20; i++) {
      b->run([&](Mutator& mu_b) {
        EXPECT_EQ(current(), &mu_b);
        EXPECT_EQ(mu_a.p, nullptr);  // A does not wait for what B does
        auto t = spawn(mu_b, [](Mutator& mu) {
          yield(mu);
          return 1;
        });
        EXPECT_EQ(join(mu_b, t), 1);
      });
      EXPECT_EQ(current(), &mu_a);
      EXPECT_TRUE(check_list(list, 100));
    }
  });
  stop = true;
  collector.join();
}

TEST(sched_attach, run_from_several_threads) {
  RuntimePtr rt = make_runtime(options(2));
  std::vector<std::thread> threads;
  std::atomic<long> sum{0};
  for (int t = 0; t < 4; t++) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 10; i++) {
        rt->run([&](Mutator& mu) {
          auto task = spawn(
              mu,
              [](Mutator& mu, int n) {
                yield(mu);
                return long{n};
              },
              t);
          sum += join(mu, task);
        });
      }
    });
  }
  for (auto& t : threads) t.join();
  EXPECT_EQ(sum, 10 * (0 + 1 + 2 + 3));
}

}  // namespace
}  // namespace tricolor::testing
