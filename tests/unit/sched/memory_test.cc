// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Memory after a spike: idle Ps give it back, return_memory() does so at once,
// churn does not multiply the process's mappings, and each runtime has a limit
// of its own.
#include <chrono>
#include <cstring>
#include <thread>
#include <vector>

#include "tests/support/stress.h"
#include "tests/unit/sched/fixture.h"

namespace tricolor::testing {
namespace {

constexpr size_t kMib = size_t{1} << 20;

LayoutId bytes_layout(Runtime& rt) {
  LayoutSpec spec;
  spec.name = "Bytes";
  spec.tail = LayoutSpec::Tail::kNoscan;
  return rt.register_layout(spec);
}

void spike(Mutator& mu, LayoutId layout, size_t mib) {
  Scope<2> scope(mu);
  Local<Link> list(scope);
  const Type<Link> type = link_type(runtime_of(mu));
  // Held by nothing when it returns.
  for (size_t i = 0; i < mib * kMib / 4096; i++) {
    auto* cell = static_cast<char*>(allocate(mu, layout, 4096));
    cell[0] = cell[2048] = 1;
    Link* link = make(mu, type);
    link->next.init(mu, list.get());
    list = link;
  }
}

TEST(sched_memory, return_memory_gives_it_back_at_once) {
  RuntimePtr rt = make_runtime(options(2, 0));
  const LayoutId layout = bytes_layout(*rt);
  rt->set_gc_percent(kGcOff);
  rt->run([&](Mutator& mu) {
    spike(mu, layout, 64);
    const Stats before = stats(runtime_of(mu));
    EXPECT_GE(before.heap_resident_bytes, 64 * kMib);
    EXPECT_GE(return_memory(mu), 60 * kMib);
    const Stats after = stats(runtime_of(mu));
    EXPECT_LE(after.heap_resident_bytes, 2 * kMib);
    EXPECT_GE(after.heap_returned_bytes - before.heap_returned_bytes,
              60 * kMib);
    spike(mu, layout, 8);  // and it can be had again
  });
}

TEST(sched_memory, idle_ps_give_it_back) {
  RuntimePtr rt = make_runtime(options(2));
  const LayoutId layout = bytes_layout(*rt);
  rt->run([&](Mutator& mu) {
    rt->set_gc_percent(2000);  // a goal of 160 MiB
    spike(mu, layout, 64);
    rt->set_gc_percent(100);
    collect(mu);  // the goal falls to 8 MiB
    for (int i = 0; i < 1000; i++) {
      if (stats(*rt).heap_resident_bytes <= 10 * kMib) break;
      sleep_ns(mu, 10'000'000);
    }
    const Stats s = stats(*rt);
    EXPECT_LE(s.heap_resident_bytes, 10 * kMib);
    EXPECT_GE(s.heap_returned_bytes, 50 * kMib);
  });
}

/// Waits, idle or polling, until cycles have begun for their age and what was
/// dropped has gone back.
void expect_it_goes_back(Mutator& mu, bool idle) {
  Runtime& rt = runtime_of(mu);
  const uint64_t cycles = stats(rt).cycles;
  const auto begin = std::chrono::steady_clock::now();
  while (stats(rt).heap_resident_bytes > 10 * kMib &&
         std::chrono::steady_clock::now() - begin < std::chrono::seconds(20)) {
    if (idle) {
      sleep_ns(mu, 1'000'000);
    } else {
      poll(mu);
    }
  }
  EXPECT_LE(stats(rt).heap_resident_bytes, 10 * kMib);
  EXPECT_GT(stats(rt).cycles, cycles);
}

TEST(sched_memory, what_is_dropped_goes_back_without_a_word) {
  for (uint32_t procs : {1, 2}) {
    for (bool idle : {true, false}) {
      Options o = options(procs);
      o.gc_period_ms = 20;
      RuntimePtr rt = make_runtime(o);
      const LayoutId layout = bytes_layout(*rt);
      rt->run([&](Mutator& mu) {
        Scope<1> scope(mu);
        Local<char> large(scope,
                          static_cast<char*>(allocate(mu, layout, 48 * kMib)));
        std::memset(large.get(), 1, 48 * kMib);
        collect(mu);
        large = nullptr;
        expect_it_goes_back(mu, idle);
      });
    }
  }
}

// Before the first cycle, with a main task alone.
TEST(sched_memory, the_first_cycle_comes_for_its_age_too) {
  Options o = options(2);
  o.gc_period_ms = 20;
  RuntimePtr rt = make_runtime(o);
  const LayoutId layout = bytes_layout(*rt);
  rt->run([&](Mutator& mu) {
    allocate(mu, layout, 64);
    for (int i = 0; i < 2000 && stats(*rt).cycles == 0; i++) {
      sleep_ns(mu, 5'000'000);
    }
    EXPECT_GT(stats(*rt).cycles, 0u);
  });
}

TEST(sched_memory, in_steps_without_threads) {
  Options o = options(1, 0);
  o.gc_period_ms = 20;
  RuntimePtr rt = make_runtime(o);
  rt->run([&](Mutator& mu) {
    const uint64_t before = stats(*rt).cycles;
    const auto begin = std::chrono::steady_clock::now();
    while (stats(*rt).cycles < before + 2 &&
           std::chrono::steady_clock::now() - begin <
               std::chrono::seconds(20)) {
      step(mu, 100);
    }
    EXPECT_GE(stats(*rt).cycles, before + 2);
  });
  Options never = options(1, 0);
  never.gc_period_ms = 0;
  rt = make_runtime(never);
  rt->run([&](Mutator& mu) {
    for (int i = 0; i < 100; i++) step(mu, 100);
    EXPECT_EQ(stats(*rt).cycles, 0u);
  });
}

TEST(sched_memory, churn_leaves_the_number_of_mappings_alone) {
  RuntimePtr rt = make_runtime(options(2));
  const LayoutId layout = bytes_layout(*rt);
  rt->run([&](Mutator& mu) {
    spike(mu, layout, 32);
    return_memory(mu);
    const int before = mapping_count();
    // 10 GiB in the long form.
    const int rounds = stress_scale(10, 320);
    for (int i = 0; i < rounds; i++) {
      spike(mu, layout, 32);
      if (i % 4 == 0) return_memory(mu);
    }
    // The worker's and sysmon's stacks may have come since.
    EXPECT_LE(mapping_count(), before + 16);
  });
}

/// Allocates nodes of a list until there is no more memory, three times; how
/// many bytes they were, each time.
std::vector<size_t> exhaust(Runtime& rt, size_t cell_bytes) {
  const LayoutId layout = bytes_layout(rt);
  const Type<Link> type = link_type(rt);
  std::vector<size_t> bytes;
  rt.run([&](Mutator& mu) {
    Scope<1> scope(mu);
    Local<Link> list(scope);
    for (int round = 0; round < 3; round++) {
      size_t all = 0;
      while (auto* cell = static_cast<Link*>(
                 try_allocate(mu, type.layout, cell_bytes))) {
        cell->next.init(mu, list.get());
        list = cell;
        all += cell_bytes;
      }
      EXPECT_EQ(try_allocate(mu, layout, 32 * kMib), nullptr);
      size_t found = 0;
      for (Link* l = list.get(); l != nullptr; l = l->next.load()) {
        found += cell_bytes;
      }
      EXPECT_EQ(found, all) << "nothing is lost";
      bytes.push_back(all);
      list = nullptr;
      collect(mu);
    }
  });
  return bytes;
}

TEST(sched_memory, two_runtimes_run_out_of_memory_side_by_side) {
  Options o = options(2);
  o.hard_limit_bytes = 8 * kMib;
  RuntimePtr small = make_runtime(o);
  o.hard_limit_bytes = 24 * kMib;
  RuntimePtr large = make_runtime(o);
  std::vector<size_t> of_small;
  std::vector<size_t> of_large;
  std::thread other([&] { of_small = exhaust(*small, 64); });
  of_large = exhaust(*large, 512);
  other.join();
  for (size_t i = 0; i < 3; i++) {
    EXPECT_GE(of_small[i], 7 * kMib);
    EXPECT_LE(of_small[i], 8 * kMib);
    EXPECT_GE(of_large[i], 22 * kMib);
    EXPECT_LE(of_large[i], 24 * kMib);
  }
}

}  // namespace
}  // namespace tricolor::testing
