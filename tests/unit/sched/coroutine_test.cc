// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Coroutines: values both ways, nesting, other tasks, death, close, and the
// collector (suspended ones are reached through their cell only).
#include <stdlib.h>

#include <atomic>
#include <thread>
#include <vector>

#include "sched/runtime.h"
#include "tests/unit/sched/fixture.h"

namespace tricolor::testing {
namespace {

Type<Link> g_type;

class sched_coroutine : public AtProcs {
 protected:
  sched_coroutine() { g_type = link_type(*rt_); }
};
INSTANTIATE_TEST_SUITE_P(procs, sched_coroutine, ::testing::Values(1, 2, 8));

Link* cell(Mutator& mu, uint64_t value) {
  Link* link = make(mu, g_type);
  link->value = value;
  return link;
}

uint64_t value_of(void* cell) { return static_cast<Link*>(cell)->value; }

// Yields 1 .. user, adding what it is sent to its own sum; returns the sum.
void* counter(Mutator& mu, Coroutine*, void*, void* user) {
  const auto n = reinterpret_cast<uint64_t>(user);
  uint64_t sum = 0;
  for (uint64_t i = 1; i <= n; i++) {
    void* sent = Coroutine::yield(mu, cell(mu, i));
    if (sent != nullptr) sum += value_of(sent);
  }
  return cell(mu, sum);
}

void* user(uint64_t n) { return reinterpret_cast<void*>(n); }

TEST_P(sched_coroutine, generator) {
  rt_->run([](Mutator& mu) {
    Scope<1> scope(mu);
    Local<Coroutine> co(scope,
                        Coroutine::create(mu, counter, nullptr, user(100)));
    EXPECT_EQ(co->status(mu), CoroutineStatus::kSuspended);
    for (uint64_t i = 1; i <= 100; i++) {
      Link* sent = i == 1 ? nullptr : cell(mu, 2);
      EXPECT_EQ(value_of(Coroutine::resume(mu, co, sent)), i);
      if (i % 10 == 0) collect(mu);
    }
    EXPECT_EQ(value_of(Coroutine::resume(mu, co, cell(mu, 2))), 200u);
    EXPECT_EQ(co->status(mu), CoroutineStatus::kDead);
    EXPECT_EQ(Coroutine::running(mu), nullptr);
  });
}

// What a suspended coroutine holds, on its stack and as its argument, lives.
TEST_P(sched_coroutine, keeps_its_roots) {
  rt_->run([](Mutator& mu) {
    Scope<2> scope(mu);
    Local<Link> arg(scope, make_list(mu, g_type, 30));
    Local<Coroutine> co(
        scope, Coroutine::create(
                   mu,
                   [](Mutator& mu, Coroutine*, void* arg, void*) -> void* {
                     Scope<1> scope(mu);
                     Local<Link> list(scope, make_list(mu, g_type, 20));
                     for (int i = 0; i < 10; i++) {
                       Coroutine::yield(mu, nullptr);
                       EXPECT_TRUE(check_list(list, 20));
                       EXPECT_TRUE(check_list(static_cast<Link*>(arg), 30));
                       list = make_list(mu, g_type, 20);
                     }
                     return nullptr;
                   },
                   arg, nullptr));
    arg = nullptr;
    while (co->status(mu) != CoroutineStatus::kDead) {
      for (int i = 0; i < 20; i++) make_list(mu, g_type, 100);
      collect(mu);
      Coroutine::resume(mu, co, nullptr);
    }
  });
}

void* nested(Mutator& mu, Coroutine* self, void*, void* depth) {
  const auto d = reinterpret_cast<uint64_t>(depth);
  EXPECT_EQ(Coroutine::running(mu), self);
  EXPECT_EQ(self->status(mu), CoroutineStatus::kRunning);
  if (d == 0) return cell(mu, 0);
  Scope<1> scope(mu);
  Local<Coroutine> inner(scope,
                         Coroutine::create(mu, nested, self, user(d - 1)));
  uint64_t steps = 0;
  void* last = nullptr;
  while (inner->status(mu) != CoroutineStatus::kDead) {
    last = Coroutine::resume(mu, inner, nullptr);
    if (inner->status(mu) == CoroutineStatus::kDead) break;
    steps++;
    Coroutine::yield(mu, nullptr);
  }
  collect(mu);
  (void)last;
  Coroutine::yield(mu, nullptr);
  return cell(mu, steps);
}

TEST_P(sched_coroutine, nested_eight_deep) {
  rt_->run([](Mutator& mu) {
    Scope<1> scope(mu);
    Local<Coroutine> co(scope, Coroutine::create(mu, nested, nullptr, user(8)));
    int resumes = 0;
    while (co->status(mu) != CoroutineStatus::kDead) {
      Coroutine::resume(mu, co, nullptr);
      resumes++;
    }
    EXPECT_EQ(resumes, 9);
  });
}

// A coroutine may wait like a task; its resumer waits with it.
TEST_P(sched_coroutine, parks_and_yields) {
  rt_->run([](Mutator& mu) {
    std::vector<Task<void>> tasks;
    for (int i = 0; i < 10; i++) {
      tasks.push_back(spawn(mu, [](Mutator& mu) {
        Scope<1> scope(mu);
        Local<Coroutine> co(
            scope, Coroutine::create(
                       mu,
                       [](Mutator& mu, Coroutine*, void*, void*) -> void* {
                         for (int i = 0; i < 20; i++) {
                           auto t = spawn(mu, [](Mutator& mu) { yield(mu); });
                           yield(mu);
                           join(mu, t);
                           sleep_ns(mu, 1000);
                           Coroutine::yield(mu, nullptr);
                         }
                         return nullptr;
                       },
                       nullptr, nullptr));
        while (co->status(mu) != CoroutineStatus::kDead) {
          Coroutine::resume(mu, co, nullptr);
        }
      }));
    }
    for (int i = 0; i < 10; i++) collect(mu);
    for (auto& t : tasks) join(mu, t);
  });
}

// Begun in one task, continued in another.
TEST_P(sched_coroutine, moves_between_tasks) {
  rt_->run([](Mutator& mu) {
    Scope<1> scope(mu);
    Local<Coroutine> co(scope,
                        Coroutine::create(mu, counter, nullptr, user(50)));
    for (uint64_t i = 1; i <= 50; i++) {
      auto t = spawn(
          mu,
          [](Mutator& mu, Coroutine* co) {
            return value_of(Coroutine::resume(mu, co, nullptr));
          },
          co.get());
      EXPECT_EQ(join(mu, t), i);
    }
  });
}

TEST_P(sched_coroutine, close) {
  rt_->run([](Mutator& mu) {
    Scope<1> scope(mu);
    Local<Coroutine> co(scope,
                        Coroutine::create(mu, counter, nullptr, user(10)));
    EXPECT_TRUE(Coroutine::close(mu, co));  // never started
    EXPECT_FALSE(Coroutine::close(mu, co));
    co = Coroutine::create(mu, counter, nullptr, user(10));
    Coroutine::resume(mu, co, nullptr);
    EXPECT_TRUE(Coroutine::close(mu, co));
    EXPECT_EQ(co->status(mu), CoroutineStatus::kDead);
    collect(mu);
  });
}

// A few thousand come and go under a limit of a few hundred: dropped ones are
// collected with their stacks.
TEST(sched_coroutine_gc, dropped_ones_are_collected) {
  Options o = options(2);
  o.max_tasks = 400;
  o.gc_percent = kGcOff;  // no cycle comes before the limit is reached
  RuntimePtr rt = make_runtime(o);
  g_type = link_type(*rt);
  const int count = stress_scale(2000, 100000);
  rt->run([count](Mutator& mu) {
    Scope<1> scope(mu);
    Local<Coroutine> co(scope);
    int refused = 0;
    for (int i = 0; i < count; i++) {
      co = Coroutine::create(mu, counter, nullptr, user(10));
      if (co.get() == nullptr) {  // all 400 taken by garbage
        refused++;
        collect(mu);
        co = Coroutine::create(mu, counter, nullptr, user(10));
      }
      ASSERT_NE(co.get(), nullptr);
      Coroutine::resume(mu, co, nullptr);
    }
    EXPECT_GT(refused, 0);
  });
}

TEST_P(sched_coroutine, on_an_attached_thread) {
  std::atomic<bool> stop{false};
  std::thread thread([&] {
    AttachScope attach(*rt_);
    while (!stop) {
      ManagedScope managed(attach);
      Mutator& mu = managed.mutator();
      Scope<1> scope(mu);
      Local<Coroutine> co(
          scope, Coroutine::create(
                     mu,
                     [](Mutator& mu, Coroutine*, void*, void*) -> void* {
                       auto t = spawn(mu, [](Mutator&) { return 7; });
                       Coroutine::yield(mu, nullptr);
                       EXPECT_EQ(join(mu, t), 7);  // blocks the thread
                       return nullptr;
                     },
                     nullptr, nullptr));
      Coroutine::resume(mu, co, nullptr);
      Coroutine::resume(mu, co, nullptr);
      EXPECT_EQ(co->status(mu), CoroutineStatus::kDead);
    }
  });
  rt_->run([](Mutator& mu) {
    for (int i = 0; i < 30; i++) collect(mu);
  });
  stop = true;
  thread.join();
}

// Resumed by several at once: one of them runs it, the others are told.
TEST_P(sched_coroutine, resumed_by_several_at_once) {
  static std::atomic<uint64_t> steps;
  rt_->run([](Mutator& mu) {
    const int rounds = stress_scale(20, 2000);
    for (int round = 0; round < rounds; round++) {
      steps = 0;
      Scope<1> scope(mu);
      Local<Coroutine> co(scope,
                          Coroutine::create(mu, counter, nullptr, user(100)));
      auto body = [](Mutator& mu, Coroutine* co) {
        CoroutineStatus found;
        uint64_t sum = 0;
        do {
          void* result = nullptr;
          found = Coroutine::try_resume(mu, co, nullptr, &result);
          if (found == CoroutineStatus::kSuspended) {
            sum += value_of(result);
            steps++;
          }
          yield(mu);
        } while (found != CoroutineStatus::kDead);
        return sum;
      };
      uint64_t sum = 0;
      std::vector<Task<uint64_t>> tasks;
      for (int i = 0; i < 4; i++) tasks.push_back(spawn(mu, body, co.get()));
      collect(mu);
      for (auto& t : tasks) sum += join(mu, t);
      EXPECT_EQ(sum, 5050u);
      EXPECT_EQ(steps, 101u);
      EXPECT_EQ(co->status(mu), CoroutineStatus::kDead);
    }
  });
}

// The same against close, while others make coroutines of the same Gs.
TEST_P(sched_coroutine, closed_and_resumed_at_once) {
  rt_->run([](Mutator& mu) {
    const int rounds = stress_scale(300, 30000);
    for (int round = 0; round < rounds; round++) {
      Scope<2> scope(mu);
      Local<Coroutine> co(scope,
                          Coroutine::create(mu, counter, nullptr, user(3)));
      auto resumes = spawn(
          mu,
          [](Mutator& mu, Coroutine* co) {
            void* result;
            while (Coroutine::try_resume(mu, co, nullptr, &result) !=
                   CoroutineStatus::kDead) {
              poll(mu);
            }
          },
          co.get());
      auto closes = spawn(
          mu,
          [](Mutator& mu, Coroutine* co) {
            if (!Coroutine::close(mu, co)) return;  // it runs, or is dead
            EXPECT_FALSE(Coroutine::close(mu, co));
          },
          co.get());
      Local<Coroutine> other(scope,
                             Coroutine::create(mu, counter, nullptr, user(1)));
      EXPECT_EQ(value_of(Coroutine::resume(mu, other, nullptr)), 1u);
      join(mu, resumes);
      join(mu, closes);
    }
  });
}

// What is refused changes nothing.
void* asks(Mutator& mu, Coroutine* self, void*, void*) {
  EXPECT_TRUE(Coroutine::is_yieldable(mu));
  EXPECT_FALSE(Coroutine::close(mu, self));
  void* result = nullptr;
  EXPECT_EQ(Coroutine::try_resume(mu, self, nullptr, &result),
            CoroutineStatus::kRunning);
  Scope<1> scope(mu);
  Local<Coroutine> inner(
      scope, Coroutine::create(
                 mu,
                 [](Mutator& mu, Coroutine*, void* outer, void*) -> void* {
                   void* result = nullptr;
                   auto* co = static_cast<Coroutine*>(outer);
                   EXPECT_EQ(co->status(mu), CoroutineStatus::kNormal);
                   EXPECT_EQ(Coroutine::try_resume(mu, co, nullptr, &result),
                             CoroutineStatus::kNormal);
                   EXPECT_FALSE(Coroutine::close(mu, co));
                   return nullptr;
                 },
                 self, nullptr));
  Coroutine::resume(mu, inner, nullptr);
  {
    NativeScope native(mu);
    EXPECT_FALSE(Coroutine::is_yieldable(mu));
  }
  Coroutine::yield(mu, nullptr);
  return self;
}

TEST_P(sched_coroutine, refusals_change_nothing) {
  rt_->run([](Mutator& mu) {
    EXPECT_FALSE(Coroutine::is_yieldable(mu));
    EXPECT_EQ(Coroutine::running(mu), nullptr);
    Scope<1> scope(mu);
    Local<Coroutine> co(scope, Coroutine::create(mu, asks, nullptr, nullptr));
    EXPECT_EQ(Coroutine::resume(mu, co, nullptr), nullptr);
    EXPECT_EQ(Coroutine::resume(mu, co, nullptr), co.get());
    void* result = nullptr;
    EXPECT_EQ(Coroutine::try_resume(mu, co, nullptr, &result),
              CoroutineStatus::kDead);
    EXPECT_FALSE(Coroutine::close(mu, co));
  });
}

// C code between the coroutine's body and its yields, by way of qsort.
extern "C" int compare_and_yield(const void* a, const void* b, void* mu) {
  Coroutine::yield(*static_cast<Mutator*>(mu), nullptr);
  return *static_cast<const int*>(a) - *static_cast<const int*>(b);
}

void* sorts(Mutator& mu, Coroutine*, void*, void* numbers) {
  qsort_r(numbers, 20, sizeof(int), compare_and_yield, &mu);
  return nullptr;
}

TEST_P(sched_coroutine, yields_across_c_frames) {
  rt_->run([](Mutator& mu) {
    int numbers[2][20];
    for (int i = 0; i < 20; i++) {
      numbers[0][i] = i * 7 % 20;
      numbers[1][i] = i * 11 % 20;
    }
    Scope<2> scope(mu);
    Local<Coroutine> a(scope,
                       Coroutine::create(mu, sorts, nullptr, numbers[0]));
    Local<Coroutine> b(scope,
                       Coroutine::create(mu, sorts, nullptr, numbers[1]));
    // Both sorts are under way at once.
    bool going = true;
    while (going) {
      going = false;
      for (Local<Coroutine>* co : {&a, &b}) {
        void* result;
        if (Coroutine::try_resume(mu, *co, nullptr, &result) ==
            CoroutineStatus::kSuspended) {
          going = true;
        }
      }
      yield(mu);
    }
    for (auto& row : numbers) {
      for (int i = 0; i < 20; i++) EXPECT_EQ(row[i], i);
    }
  });
}

// Many tasks, each with coroutines that hold structures, during many cycles.
TEST_P(sched_coroutine, storm) {
  static std::atomic<bool> stop;
  stop = false;
  rt_->run([](Mutator& mu) {
    auto body = [](Mutator& mu) {
      while (!stop) {
        Scope<1> scope(mu);
        Local<Coroutine> co(
            scope,
            Coroutine::create(
                mu,
                [](Mutator& mu, Coroutine*, void*, void*) -> void* {
                  Scope<2> scope(mu);
                  Local<Link> list(scope, make_list(mu, g_type, 10));
                  Local<Link> got(scope);
                  for (int i = 0; i < 10; i++) {
                    got = static_cast<Link*>(Coroutine::yield(mu, list.get()));
                    list = nullptr;
                    list = make_list(mu, g_type, 10);
                    EXPECT_TRUE(check_list(got, 5));
                  }
                  return nullptr;
                },
                nullptr, nullptr));
        Coroutine::resume(mu, co, nullptr);
        for (int i = 0; i < 10; i++) {
          void* got = Coroutine::resume(mu, co, make_list(mu, g_type, 5));
          if (got != nullptr) {
            EXPECT_TRUE(check_list(static_cast<Link*>(got), 10));
          }
        }
      }
    };
    std::vector<Task<void>> tasks;
    for (int i = 0; i < 4; i++) tasks.push_back(spawn(mu, body));
    const int cycles = stress_scale(40, 3000);
    for (int i = 0; i < cycles; i++) collect(mu);
    stop = true;
    for (auto& t : tasks) join(mu, t);
  });
}

}  // namespace
}  // namespace tricolor::testing
