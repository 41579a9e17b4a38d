// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Value stacks: mounted on tasks and coroutines, scanned up to top, freed with
// their owner.
#include <algorithm>
#include <cstring>
#include <memory>
#include <vector>

#include "base/rng.h"
#include "sched/runtime.h"
#include "sched/value_stack.h"
#include "tests/unit/sched/fixture.h"
#include "tricolor/heap_inspect.h"
#include "tricolor/semaphore.h"

namespace tricolor::testing {
namespace {

Type<Link> g_type;

void push(Mutator& mu, Link* fresh) {
  Scope<1> scope(mu);
  const Local<Link> link(scope, fresh);
  ASSERT_TRUE(reserve(mu, 1));
  *mu.value_stack->top = reinterpret_cast<uint64_t>(link.get());
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

// --- Growing.

ValueStackOptions growing(size_t limit_bytes) {
  ValueStackOptions o;
  o.limit_bytes = limit_bytes;
  return o;
}

size_t capacity(Mutator& mu) {
  return sched::capacity_of(sched::header_of(*mu.value_stack));
}

// Deep and back again, with lists hanging off every word, open "upvalues" into
// it, and collections all along; returns how often it has moved.
int go_deep_and_back(Mutator& mu, size_t deepest) {
  int moves = 0;
  ValueStackOptions o = growing(size_t{64} << 20);
  o.ctx = &moves;
  o.on_moved = [](Mutator& mu, ptrdiff_t bytes, void* ctx) {
    EXPECT_NE(bytes, 0);
    EXPECT_NE(mu.value_stack, nullptr);
    ++*static_cast<int*>(ctx);
  };
  EXPECT_NE(mount_value_stack(mu, o), nullptr);
  base::Rng rng(test_seed());
  std::vector<std::unique_ptr<StackPointer>> upvalues;
  std::vector<size_t> at_word;
  size_t next_collection = 100;
  while (static_cast<size_t>(mu.value_stack->top - mu.value_stack->base) <
         deepest) {
    const auto depth =
        static_cast<size_t>(mu.value_stack->top - mu.value_stack->base);
    push(mu, make_list(mu, g_type, depth % 5));
    if (rng.below(50) == 0) {
      upvalues.push_back(
          std::make_unique<StackPointer>(mu, mu.value_stack->base + depth));
      at_word.push_back(depth);
    }
    if (depth >= next_collection) {
      next_collection *= 2;
      collect(mu);
    }
  }
  const int grown = moves;
  for (size_t i = 0; i < upvalues.size(); i++) {
    EXPECT_EQ(upvalues[i]->get(), mu.value_stack->base + at_word[i]);
    EXPECT_TRUE(
        check_list(reinterpret_cast<Link*>(**upvalues[i]), at_word[i] % 5));
  }
  // Every other one goes first, so that the list is cut in the middle.
  for (size_t i = 0; i < upvalues.size(); i += 2) upvalues[i].reset();
  upvalues.clear();
  const size_t most = capacity(mu);
  for (size_t depth = deepest; depth-- > 0;) {
    EXPECT_TRUE(check_list(at(mu, depth), depth % 5));
    mu.value_stack->top--;
    if (rng.below(1000) != 0) continue;
    collect(mu);
    EXPECT_TRUE(reserve(mu, 1));
  }
  for (int i = 0; i < 20; i++) {
    collect(mu);
    EXPECT_TRUE(reserve(mu, 1));
  }
  EXPECT_LE(capacity(mu), std::max(most / 16, size_t{1016}));
  return grown;
}

TEST_P(sched_value_stack_at, grows_and_shrinks) {
  for (const char* debug : {"gccheckmark=1", "gccheckmark=1,movestack=1"}) {
    Options o = options(GetParam());
    o.debug = debug;
    RuntimePtr rt = make_runtime(o);
    g_type = link_type(*rt);
    const bool zeal = std::strstr(debug, "movestack") != nullptr;
    const size_t deepest = zeal ? 1000 : 40'000;
    rt->run([=](Mutator& mu) {
      std::vector<Task<int>> tasks;
      for (int i = 0; i < 4; i++) {
        tasks.push_back(spawn(
            mu, [](Mutator& mu, size_t n) { return go_deep_and_back(mu, n); },
            deepest));
      }
      for (auto& t : tasks) {
        const int moves = join(mu, t);
        if (zeal) {
          EXPECT_GE(moves, static_cast<int>(deepest));
        } else {
          EXPECT_GE(moves, 6);
          EXPECT_LE(moves, 20) << "by doubling";
        }
      }
    });
    EXPECT_EQ(impl_of(*rt)->value_stack_bytes.load_relaxed(), 0u);
  }
}

// A coroutine's moves while it runs, and is scanned where it is then.
TEST_P(sched_value_stack_at, of_a_coroutine_grows_and_shrinks) {
  Options o = options(GetParam());
  o.debug = "gccheckmark=1,gcstress=3";
  RuntimePtr rt = make_runtime(o);
  g_type = link_type(*rt);
  rt->run([](Mutator& mu) {
    const auto body = [](Mutator& mu, Coroutine*, void*, void*) -> void* {
      EXPECT_NE(mount_value_stack(mu, growing(size_t{1} << 20)), nullptr);
      const int rounds = stress_scale(6, 100);
      for (int round = 0; round < rounds; round++) {
        const uint64_t n = round % 2 == 0 ? 6000 : 10;
        for (uint64_t i = 0; i < n; i++) {
          push(mu, make_list(mu, g_type, i % 3));
          if (i % 100 == 0) Coroutine::yield(mu, nullptr);
        }
        for (uint64_t i = n; i-- > 0;) {
          EXPECT_TRUE(check_list(at(mu, i), i % 3));
          mu.value_stack->top--;
          if (i % 500 == 0) Coroutine::yield(mu, nullptr);
        }
      }
      return nullptr;
    };
    Scope<2> scope(mu);
    Local<Coroutine> a(scope, Coroutine::create(mu, body, nullptr, nullptr));
    Local<Coroutine> b(scope, Coroutine::create(mu, body, nullptr, nullptr));
    while (a->status(mu) != CoroutineStatus::kDead) {
      Coroutine::resume(mu, a, nullptr);
      if (b->status(mu) != CoroutineStatus::kDead) {
        Coroutine::resume(mu, b, nullptr);
      }
    }
    // What suspended ones hold counts, and goes with them.
    b = nullptr;
    const uint64_t before = stats(runtime_of(mu)).memory_bytes;
    {
      std::vector<Global<Coroutine>> many;
      for (int i = 0; i < 50; i++) {
        many.emplace_back(
            mu, Coroutine::create(
                    mu,
                    [](Mutator& mu, Coroutine*, void*, void*) -> void* {
                      mount_value_stack(mu, growing(size_t{4} << 20));
                      EXPECT_TRUE(reserve(mu, 30'000));
                      return Coroutine::yield(mu, nullptr);
                    },
                    nullptr, nullptr));
        Coroutine::resume(mu, many.back().get(), nullptr);
      }
      EXPECT_GE(stats(runtime_of(mu)).memory_bytes,
                before + 50 * 30'000 * sizeof(uint64_t));
    }
    collect(mu);
    collect(mu);
    EXPECT_LT(stats(runtime_of(mu)).memory_bytes,
              before + 25 * 30'000 * sizeof(uint64_t));
  });
}

TEST(sched_value_stack, a_limit_is_an_answer) {
  RuntimePtr rt = make_runtime(options(1));
  g_type = link_type(*rt);
  rt->run([](Mutator& mu) {
    mount_value_stack(mu, growing(100'000 * sizeof(uint64_t)));
    uint64_t n = 0;
    while (reserve(mu, 1)) {
      *mu.value_stack->top =
          reinterpret_cast<uint64_t>(make_list(mu, g_type, 1));
      mu.value_stack->top++;
      n++;
    }
    EXPECT_EQ(n, 100'000u) << "exactly";
    EXPECT_FALSE(reserve(mu, 1));
    EXPECT_FALSE(reserve(mu, size_t{1} << 40));
    mu.value_stack->top -= 10;
    EXPECT_FALSE(reserve(mu, 11));
    EXPECT_TRUE(reserve(mu, 10));
    collect(mu);
    for (uint64_t i = 0; i < n - 10; i++) EXPECT_TRUE(check_list(at(mu, i), 1));
  });
}

// Its address is the VM's to keep.
TEST(sched_value_stack, a_fixed_one_never_moves) {
  Options o = options(2);
  o.debug = "movestack=1";
  RuntimePtr rt = make_runtime(o);
  g_type = link_type(*rt);
  rt->run([](Mutator& mu) {
    mount_value_stack(mu, 1 << 20, kRawPointers);
    const uint64_t* base = mu.value_stack->base;
    const uint64_t* limit = mu.value_stack->limit;
    for (int i = 0; i < 100; i++) {
      push(mu, make_list(mu, g_type, 1));
      collect(mu);
      EXPECT_EQ(mu.value_stack->base, base);
      EXPECT_EQ(mu.value_stack->limit, limit);
    }
    EXPECT_FALSE(reserve(mu, 1 << 20));
  });
}

TEST(sched_value_stack_death, misuse) {
  const auto run = [](void (*f)(Mutator&)) {
    RuntimePtr rt = make_runtime(options(1, 0));
    rt->run(f);
  };
  EXPECT_DEATH(run([](Mutator& mu) {
                 ValueStackOptions o;
                 o.initial_bytes = 8192;
                 o.limit_bytes = 4096;
                 mount_value_stack(mu, o);
               }),
               "mount_value_stack: a limit of 4096 bytes");
  EXPECT_DEATH(run([](Mutator& mu) {
                 mount_value_stack(mu, ValueStackOptions{});
                 uint64_t outside = 0;
                 const StackPointer p(mu, &outside);
               }),
               "StackPointer: .*not in the value stack");
}

}  // namespace
}  // namespace tricolor::testing
