// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// The modes of verification in whole runtimes: tasks share a graph with every
// one of them on, on 1, 2 and 8 Ps, and nothing is reported; a store past the
// barrier is, whichever P it was made on.
#include <atomic>
#include <memory>
#include <vector>

#include "tests/unit/sched/fixture.h"
#include "tricolor/gc_metrics.h"

namespace tricolor::testing {
namespace {

constexpr const char* kAll =
    "gccheckmark=1,barriercheck=1,badptr=1,clobberfree=2,gcstress=20";

Options zealous(uint32_t procs, const char* debug) {
  Options o = options(procs);
  o.initial_heap_bytes = 256 << 10;
  o.debug = debug;
  return o;
}

struct Shared {
  static constexpr size_t kSlots = 64;
  Type<Link> type;
  RootTable<Link*>* table;
  std::atomic<int> running{0};
};
Shared* g_shared;

/// Lists come and go in a table that all tasks write to.
void churn(Mutator& mu, uint64_t seed, int rounds) {
  Shared& s = *g_shared;
  uint64_t x = seed * 0x9e3779b97f4a7c15 + 1;
  for (int i = 0; i < rounds; ++i) {
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    Scope<2> scope(mu);
    Local<Link> list(scope, make_list(mu, s.type, x % 20 + 1));
    const size_t at = x / 64 % Shared::kSlots;
    Local<Link> old(scope, s.table->get(at));
    if (old.get() != nullptr && x % 3 == 0) list->next.store(mu, old.get());
    if (old.get() != nullptr && x % 5 == 0) old->next.store(mu, nullptr);
    s.table->set(mu, at, x % 7 == 0 ? nullptr : list.get());
    poll(mu);
    if (i % 40 == 39) collect(mu);
    if (x % 11 == 0) yield(mu);
  }
}

class sched_zeal : public ::testing::TestWithParam<uint32_t> {};
INSTANTIATE_TEST_SUITE_P(procs, sched_zeal, ::testing::Values(1u, 2u, 8u));

uint64_t run_tasks(const Options& o, int rounds) {
  RuntimePtr rt = make_runtime(o);
  Shared shared;
  shared.type = link_type(*rt);
  g_shared = &shared;
  rt->run([&](Mutator& mu) {
    RootTable<Link*> table(*rt, Shared::kSlots);
    shared.table = &table;
    static int per_task;
    per_task = rounds;
    std::vector<Task<void>> tasks;
    auto body = [](Mutator& mu, uint64_t seed) { churn(mu, seed, per_task); };
    for (uint64_t i = 0; i < 6; ++i) tasks.push_back(spawn(mu, body, i + 1));
    for (auto& t : tasks) join(mu, t);
    collect(mu);
  });
  auto m = std::make_unique<GcMetrics>();
  read_gc_metrics(*rt, m.get());
  EXPECT_EQ(m->pauses.count >= 2 * m->cycles, true);
  return m->cycles;
}

TEST_P(sched_zeal, an_honest_program_passes_with_everything_on) {
  EXPECT_GT(run_tasks(zealous(GetParam(), kAll), stress_scale(120, 20'000)),
            3u);
}

TEST_P(sched_zeal, small_buffers) {
  EXPECT_GT(
      run_tasks(zealous(GetParam(), "gccheckmark=1,smallbuffers=1,gcstress=10"),
                stress_scale(120, 20'000)),
      3u);
}

// Nothing is allocated: the safepoints start the cycles.
TEST_P(sched_zeal, a_cycle_at_every_nth_safepoint) {
  Options o = zealous(GetParam(), "pollstress=4,gccheckmark=1");
  o.gc_percent = kGcOff;
  RuntimePtr rt = make_runtime(o);
  static Type<Link> type;
  type = link_type(*rt);
  rt->run([](Mutator& mu) {
    Scope<1> scope(mu);
    Local<Link> keep(scope, make_list(mu, type, 50));
    // How far a cycle gets in a number of polls is up to the OS.
    auto body = [](Mutator& mu) {
      for (int i = 0; i < 1'000'000; ++i) {
        if (stats(runtime_of(mu)).cycles > 5) break;
        poll(mu);
      }
    };
    auto a = spawn(mu, body);
    body(mu);
    join(mu, a);
    EXPECT_TRUE(check_list(keep, 50));
  });
  EXPECT_GT(stats(*rt).cycles, 5u);
}

TEST_P(sched_zeal, a_store_past_the_barrier_is_found) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  auto plant = [] {
    RuntimePtr rt = make_runtime(zealous(GetParam(), "barriercheck=1"));
    static Type<Link> type;
    type = link_type(*rt);
    rt->run([](Mutator& mu) {
      Scope<2> scope(mu);
      Local<Link> list(scope, make_list(mu, type, 50));
      Local<Link> other(scope, make_list(mu, type, 1));
      collect(mu);
      auto task = spawn(
          mu,
          [](Mutator&, Link* a, Link* b) {
            __atomic_store_n(reinterpret_cast<Link**>(a), b, __ATOMIC_RELEASE);
          },
          list.get(), other.get());
      join(mu, task);
      collect(mu);
    });
  };
  EXPECT_DEATH(plant(),
               "barriercheck: a store went past the write barrier.*offset 0 of "
               "cell .*layout 'Link'");
}

}  // namespace
}  // namespace tricolor::testing
