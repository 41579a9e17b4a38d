// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Everything a task can do, at random, at the same time, during collections:
// spawn and join with cells in and out, coroutines that are dropped or run to
// their end, sleeps, native code, yields, deep recursion, value stacks; and
// attached threads that do the same. Each list knows its length and content, so
// a root that was missed shows as a damaged list (the runtime clobbers what it
// frees) or in the second mark.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdio>
#include <thread>
#include <vector>

#include "tests/support/stress.h"
#include "tricolor/all.h"

namespace tricolor::testing {
namespace {

struct Link {
  Field<Link> next;
  uint64_t value;
};

Type<Link> g_type;

Link* make_list(Mutator& mu, uint64_t n) {
  Scope<1> scope(mu);
  Local<Link> head(scope);
  for (uint64_t i = 1; i <= n; i++) {
    Link* link = make(mu, g_type);
    link->value = i;
    link->next.store(mu, head.get());
    head = link;
  }
  return head;
}

bool intact(const Link* list, uint64_t n) {
  for (; list != nullptr; list = list->next.load(), n--) {
    if (list->value != n) return false;
  }
  return n == 0;
}

struct Random {
  uint64_t state;
  uint64_t below(uint64_t n) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state % n;
  }
};

std::atomic<long> g_actions{0};

void act(Mutator& mu, Random& random, int depth);

void spawn_and_join(Mutator& mu, Random& random, int depth) {
  const uint64_t n = random.below(40);
  auto task = spawn(
      mu,
      [](Mutator& mu, Link* in, uint64_t n, uint64_t seed, int depth) {
        Scope<1> scope(mu);
        Local<Link> keep(scope, in);
        Random random{seed};
        act(mu, random, depth + 1);
        EXPECT_TRUE(intact(keep, n));
        return make_list(mu, n + 1);
      },
      make_list(mu, n), n, random.state, depth);
  act(mu, random, depth + 1);
  if (random.below(8) == 0) {
    task.detach();
  } else {
    EXPECT_TRUE(intact(join(mu, task), n + 1));
  }
}

// Yields lists of 1, 2, 3 ... cells; what it is sent has 7.
void* generator(Mutator& mu, Coroutine*, void* arg, void*) {
  Scope<2> scope(mu);
  Local<Link> list(scope);
  Local<Link> sent(scope);
  mount_value_stack(mu, 4096, kRawPointers);
  for (uint64_t i = 1; i < 20; i++) {
    list = make_list(mu, i);
    *mu.value_stack->top = reinterpret_cast<uint64_t>(make_list(mu, i + 3));
    mu.value_stack->top++;
    sent = static_cast<Link*>(Coroutine::yield(mu, list.get()));
    EXPECT_TRUE(intact(sent, 7));
    EXPECT_TRUE(intact(list, i));
    EXPECT_TRUE(intact(static_cast<Link*>(arg), 5));
    for (uint64_t k = 0; k < i; k++) {
      EXPECT_TRUE(
          intact(reinterpret_cast<Link*>(mu.value_stack->base[k]), k + 4));
    }
    if (i % 5 == 0) yield(mu);
  }
  return nullptr;
}

void run_coroutine(Mutator& mu, Random& random) {
  Scope<1> scope(mu);
  Local<Coroutine> co(
      scope, Coroutine::create(mu, generator, make_list(mu, 5), nullptr));
  const uint64_t steps = random.below(25);  // often not to its end
  for (uint64_t i = 1; i <= steps; i++) {
    if (co->status(mu) == CoroutineStatus::kDead) return;
    auto* got = static_cast<Link*>(Coroutine::resume(mu, co, make_list(mu, 7)));
    if (i < 20) {
      EXPECT_TRUE(intact(got, i));
    }
  }
  if (random.below(4) == 0) Coroutine::close(mu, co);
}

void recurse(Mutator& mu, uint64_t depth) {
  Scope<2> scope(mu);
  Local<Link> list(scope, make_list(mu, depth % 10));
  if (depth > 0) recurse(mu, depth - 1);
  EXPECT_TRUE(intact(list, depth % 10));
}

void act(Mutator& mu, Random& random, int depth) {
  g_actions++;
  Scope<1> scope(mu);
  const uint64_t n = random.below(30);
  Local<Link> keep(scope, make_list(mu, n));
  switch (depth < 4 ? random.below(9) : 2 + random.below(7)) {
    case 0:
    case 1:
      spawn_and_join(mu, random, depth);
      break;
    case 2:
      run_coroutine(mu, random);
      break;
    case 3:
      sleep_ns(mu, random.below(20'000));
      break;
    case 4: {
      NativeScope native(mu);
      std::this_thread::yield();
      break;
    }
    case 5:
      recurse(mu, random.below(60));
      break;
    case 6:
      if (random.below(50) == 0) collect(mu);
      break;
    default:
      yield(mu);
      break;
  }
  EXPECT_TRUE(intact(keep, n));
}

class stress_sched : public ::testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(procs, stress_sched, ::testing::Values(1, 2, 8));

TEST_P(stress_sched, everything_at_once) {
  Options o;
  o.env_prefix = "";
  o.max_procs = static_cast<uint32_t>(GetParam());
  o.max_tasks = 5000;
  o.gc_percent = 20;
  o.initial_heap_bytes = 64 << 10;
  o.reservation_bytes = size_t{1} << 30;
  o.debug = "clobberfree=1,gccheckmark=1,gcstress=200";
  RuntimePtr rt = Runtime::create(o);
  ASSERT_NE(rt, nullptr);
  const uint32_t offsets[] = {0};
  LayoutSpec spec;
  spec.name = "Link";
  spec.head_bytes = sizeof(Link);
  spec.pointer_offsets = offsets;
  spec.pointer_count = 1;
  g_type = Type<Link>(rt->register_layout(spec));
  g_actions = 0;
  const long goal = stress_scale(20000, 1000000);
  const uint64_t seed = test_seed();
  std::vector<std::thread> threads;
  for (int t = 0; t < 2; t++) {
    threads.emplace_back([&, t] {
      Random random{seed + 100 + static_cast<uint64_t>(t)};
      while (g_actions < goal) {
        AttachScope attach(*rt);
        ManagedScope managed(attach);
        for (int i = 0; i < 5; i++) act(managed.mutator(), random, 2);
      }
    });
  }
  rt->run([&](Mutator& mu) {
    std::vector<Task<void>> tasks;
    for (uint64_t i = 0; i < 6; i++) {
      tasks.push_back(spawn(
          mu,
          [](Mutator& mu, uint64_t seed, long goal) {
            Random random{seed};
            while (g_actions < goal) act(mu, random, 0);
          },
          seed + i, goal));
    }
    for (auto& t : tasks) join(mu, t);
  });
  for (auto& t : threads) t.join();
  const Stats s = stats(*rt);
  EXPECT_GT(s.cycles, 3u);
  std::printf("%ld actions, %lu tasks, %lu cycles\n", g_actions.load(),
              static_cast<unsigned long>(s.tasks_created),
              static_cast<unsigned long>(s.cycles));
}

}  // namespace
}  // namespace tricolor::testing
