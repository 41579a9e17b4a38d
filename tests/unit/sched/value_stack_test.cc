// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Value stacks: mounted on tasks and coroutines, scanned up to top, freed with
// their owner.
#include <algorithm>

#include "base/rng.h"
#include "sched/g.h"
#include "tests/unit/sched/fixture.h"
#include "tricolor/heap_inspect.h"
#include "tricolor/semaphore.h"

namespace tricolor::testing {
namespace {

Type<Link> g_type;

void push(Mutator& mu, Link* link) {
  ASSERT_TRUE(reserve(mu, 1));
  *mu.value_stack->top = reinterpret_cast<uint64_t>(link);
  mu.value_stack->top++;
}

Link* at(Mutator& mu, size_t i) {
  return reinterpret_cast<Link*>(mu.value_stack->base[i]);
}

void fill_and_check(Mutator& mu) {
  for (uint64_t i = 0; i < 100; i++) {
    Link* list = make_list(mu, g_type, i % 7);
    push(mu, list);
    if (i % 20 == 0) collect(mu);
  }
  collect(mu);
  for (uint64_t i = 0; i < 100; i++) EXPECT_TRUE(check_list(at(mu, i), i % 7));
}

TEST(sched_value_stack, roots_of_a_task) {
  RuntimePtr rt = make_runtime(options(2));
  g_type = link_type(*rt);
  rt->run([](Mutator& mu) {
    ValueStack* stack = mount_value_stack(mu, 1000, kRawPointers);
    ASSERT_NE(stack, nullptr);
    EXPECT_EQ(stack, mu.value_stack);
    EXPECT_TRUE(reserve(mu, 125));
    EXPECT_FALSE(reserve(mu, size_t{1} << 30));
    fill_and_check(mu);
  });
  // The next main gets the block of the first; nothing of it is live.
  rt->run([](Mutator& mu) {
    EXPECT_EQ(mu.value_stack, nullptr);
    mount_value_stack(mu, 1000, kRawPointers);
    collect(mu);
    EXPECT_EQ(stats(runtime_of(mu)).live_cells, 0u);
  });
}

TEST(sched_value_stack, roots_of_coroutines) {
  RuntimePtr rt = make_runtime(options(2));
  g_type = link_type(*rt);
  rt->run([](Mutator& mu) {
    Scope<1> scope(mu);
    Local<Coroutine> co(scope,
                        Coroutine::create(
                            mu,
                            [](Mutator& mu, Coroutine*, void*, void*) -> void* {
                              mount_value_stack(mu, 4096, kRawPointers);
                              for (uint64_t i = 0; i < 50; i++) {
                                push(mu, make_list(mu, g_type, i));
                                Coroutine::yield(mu, nullptr);
                                for (uint64_t k = 0; k <= i; k++) {
                                  EXPECT_TRUE(check_list(at(mu, k), k));
                                }
                              }
                              return nullptr;
                            },
                            nullptr, nullptr));
    while (co->status(mu) != CoroutineStatus::kDead) {
      Coroutine::resume(mu, co, nullptr);
      collect(mu);
    }
  });
}

/// A task whose stack takes many pieces to scan, and that turns it round
/// between two of them: what had not been scanned lies where the scan has been.
struct Turner {
  static constexpr size_t kWords = 100'000;
  Semaphore turns{0};
  Semaphore turned{0};
  sched::G* g = nullptr;
  bool stop = false;

  static void body(Mutator& mu, Plain<Turner> self) { self.p->run(mu); }

  void run(Mutator& mu) {
    g = sched::g_of(&mu);
    ASSERT_NE(mount_value_stack(mu, kWords * 8, kRawPointers), nullptr);
    for (size_t i = 0; i < kWords; i++) push(mu, make_list(mu, g_type, 1));
    turned.release(mu);
    base::Rng rng(test_seed());
    for (turns.acquire(mu); !stop; turns.acquire(mu)) {
      uint64_t* base = mu.value_stack->base;
      const size_t by = 1 + rng.below(kWords - 1);
      std::rotate(base, base + by, base + kWords);
      turned.release(mu);
    }
    for (size_t i = 0; i < kWords; i++) EXPECT_TRUE(check_list(at(mu, i), 1));
  }
};

class sched_value_stack_at : public ::testing::TestWithParam<uint32_t> {};
INSTANTIATE_TEST_SUITE_P(procs, sched_value_stack_at,
                         ::testing::Values(1, 2, 8));

TEST_P(sched_value_stack_at, is_turned_round_between_two_pieces) {
  const uint32_t procs = GetParam();
  Options o = options(procs, procs == 1 ? 0 : -1);
  o.debug = "gccheckmark=1";
  RuntimePtr rt = make_runtime(o);
  g_type = link_type(*rt);
  int partial = 0;
  rt->run([&partial, procs](Mutator& mu) {
    Turner turner;
    Task task = spawn(mu, &Turner::body, plain(&turner));
    turner.turned.acquire(mu);
    const int rounds = stress_scale(30, 1000);
    for (int round = 0; round < rounds; round++) {
      request_collect(mu);
      for (int i = 0; i <= round % 7; i++) step(mu, 20);
      if (procs == 1) partial += turner.g->partial_pieces != 0 ? 1 : 0;
      turner.turns.release(mu);
      turner.turned.acquire(mu);
      for (int i = 0; i < 20; i++) step(mu, 20);
    }
    turner.stop = true;
    turner.turns.release(mu);
    join(mu, task);
  });
  if (procs == 1) {
    EXPECT_GT(partial, 2);
  }
}

// What is left of deep stacks is for whoever marks: a step with time enough
// ends the mark, however often one before it was cut short.
TEST(sched_value_stack, what_a_short_step_leaves_a_long_one_takes) {
  constexpr int kTasks = 8;
  Options o = options(1, 0);
  o.debug = "gccheckmark=1";
  RuntimePtr rt = make_runtime(o);
  g_type = link_type(*rt);
  rt->run([](Mutator& mu) {
    Turner turners[kTasks];
    Task<void> tasks[kTasks];
    for (int i = 0; i < kTasks; i++) {
      tasks[i] = spawn(mu, &Turner::body, plain(&turners[i]));
      turners[i].turned.acquire(mu);
    }
    for (int round = 0; round < 5; round++) {
      collect(mu);
      request_collect(mu);
      for (int i = 0; i < 20; i++) step(mu, 1);
      int partial = 0;
      for (Turner& t : turners) partial += t.g->partial_pieces != 0 ? 1 : 0;
      EXPECT_GT(partial, 0);
      // One for each phase, at most.
      int steps = 0;
      while (step(mu, 60'000'000)) steps++;
      EXPECT_LE(steps, 4);
    }
    for (int i = 0; i < kTasks; i++) {
      turners[i].stop = true;
      turners[i].turns.release(mu);
      join(mu, tasks[i]);
    }
  });
}

/// A coroutine with as deep a stack, suspended: it yields when it has turned
/// it.
struct TurningCoroutine {
  const size_t words = Turner::kWords;
  sched::G* g = nullptr;
  static void* body(Mutator& mu, Coroutine*, void*, void* user) {
    static_cast<TurningCoroutine*>(user)->run(mu);
    return nullptr;
  }
  void run(Mutator& mu) {
    g = sched::g_of(&mu);
    ASSERT_NE(mount_value_stack(mu, words * 8, kRawPointers), nullptr);
    for (size_t i = 0; i < words; i++) push(mu, make_list(mu, g_type, 1));
    base::Rng rng(test_seed());
    for (;;) {
      Coroutine::yield(mu, nullptr);
      uint64_t* base = mu.value_stack->base;
      const size_t by = 1 + rng.below(words - 1);
      std::rotate(base, base + by, base + words);
    }
  }
};

TEST_P(sched_value_stack_at, of_a_coroutine_is_scanned_in_pieces) {
  const uint32_t procs = GetParam();
  Options o = options(procs, procs == 1 ? 0 : -1);
  o.debug = "gccheckmark=1";
  RuntimePtr rt = make_runtime(o);
  g_type = link_type(*rt);
  int partial = 0;
  rt->run([&partial, procs](Mutator& mu) {
    TurningCoroutine turner;
    Scope<1> scope(mu);
    Local<Coroutine> co(scope, Coroutine::create(mu, &TurningCoroutine::body,
                                                 nullptr, &turner));
    Coroutine::resume(mu, co, nullptr);
    const int rounds = stress_scale(30, 1000);
    for (int round = 0; round < rounds; round++) {
      request_collect(mu);
      for (int i = 0; i <= round % 7; i++) step(mu, 20);
      if (procs == 1) partial += turner.g->partial_pieces != 0 ? 1 : 0;
      if (round % 3 != 0) Coroutine::resume(mu, co, nullptr);
      for (int i = 0; i < 20; i++) step(mu, 20);
    }
    for (size_t i = 0; i < Turner::kWords; i++) {
      const auto* base = turner.g->mu.value_stack->base;
      EXPECT_TRUE(check_list(reinterpret_cast<Link*>(base[i]), 1));
    }
  });
  if (procs == 1) {
    EXPECT_GT(partial, 2);
  }
}

// verify_heap() looks into suspended coroutines as a marker does, also in the
// middle of a mark, and must not leave one for scanned that waits with a
// marker.
TEST(sched_value_stack, verify_heap_in_a_mark_scans_no_coroutine) {
  Options o = options(1, 0);
  o.debug = "gccheckmark=1";
  RuntimePtr rt = make_runtime(o);
  g_type = link_type(*rt);
  rt->run([](Mutator& mu) {
    TurningCoroutine turner{1000};
    Scope<1> scope(mu);
    Local<Coroutine> co(scope, Coroutine::create(mu, &TurningCoroutine::body,
                                                 nullptr, &turner));
    Coroutine::resume(mu, co, nullptr);
    for (int round = 0; round < 10; round++) {
      collect(mu);
      request_collect(mu);
      for (int i = 0; i < round; i++) step(mu, 1);
      verify_heap(mu);
      if (round % 2 == 0) Coroutine::resume(mu, co, nullptr);
      while (step(mu, 1000)) {
      }
    }
  });
}

}  // namespace
}  // namespace tricolor::testing
