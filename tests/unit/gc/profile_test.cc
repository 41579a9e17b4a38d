// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// The sampling allocation profile: how many samples, of what, and when not.
#include "tricolor/profile.h"
#include "tricolor/external.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <vector>

#include "base/macros.h"
#include "tests/unit/gc/graph.h"
#include "tricolor/heap_inspect.h"
#include "tricolor/resize.h"

namespace tricolor::testing {
namespace {

struct Samples {
  std::map<LayoutId, uint64_t> count;
  std::map<LayoutId, uint64_t> bytes;
  void* last = nullptr;
  const Runtime* rt = nullptr;
};

void on_sample(Mutator& mu, const AllocSample& s, void* ctx) {
  auto* samples = static_cast<Samples*>(ctx);
  ++samples->count[s.layout];
  samples->bytes[s.layout] += s.bytes;
  samples->last = s.cell;
  EXPECT_NE(mu.p, nullptr);
  CellInfo info{};
  EXPECT_TRUE(find_cell(*samples->rt, s.cell, &info));
  EXPECT_EQ(info.cell, s.cell);
  EXPECT_EQ(info.layout, s.layout);
  EXPECT_EQ(*static_cast<uint64_t*>(s.cell), 0u);
}

std::vector<LayoutId> many_layouts(GcAlone& gc, int n) {
  std::vector<LayoutId> layouts;
  for (int i = 0; i < n; ++i) {
    LayoutSpec spec;
    spec.name = "rare";
    spec.distinct = true;
    spec.tail = LayoutSpec::Tail::kNoscan;
    layouts.push_back(gc.layout(spec));
  }
  return layouts;
}

class gc_profile : public ::testing::Test {
 protected:
  gc_profile() : type(node_type(gc)), mu(gc.mu()) {
    LayoutSpec spec;
    spec.name = "bytes";
    spec.tail = LayoutSpec::Tail::kNoscan;
    bytes = gc.layout(spec);
    samples.rt = &gc.runtime();
  }
  void start(size_t interval, bool exponential) {
    AllocProfile p;
    p.fn = &on_sample;
    p.ctx = &samples;
    p.interval_bytes = interval;
    p.exponential = exponential;
    set_alloc_profile(mu, p);
  }

  GcAlone gc;
  Type<Node> type;
  Mutator& mu;
  LayoutId bytes;
  Samples samples;
};

TEST_F(gc_profile, a_fixed_interval_is_kept_to_a_cell) {
  start(10'000, /*exponential=*/false);
  for (int i = 0; i < 100'000; ++i) make(mu, type);
  // 3.2 MB in cells of 32: the cell with every 10,000th byte.
  EXPECT_EQ(samples.count[type.layout], 320u);
  EXPECT_EQ(samples.bytes[type.layout], samples.count[type.layout] * 32);
}

TEST_F(gc_profile, samples_follow_bytes_whatever_the_sizes) {
  for (bool exponential : {false, true}) {
    samples.count.clear();
    start(8192, exponential);
    // Four times as many bytes in Nodes as in `bytes`, small and large mixed.
    for (int i = 0; i < 20'000; ++i) {
      for (int k = 0; k < 8; ++k) make(mu, type);
      if (i % 2 == 0) allocate(mu, bytes, 112);
      if (i % 1000 == 0) allocate(mu, bytes, 8192);
    }
    double expected = 20'000.0 * 8 * 32 / 8192;  // 625
    EXPECT_NEAR(static_cast<double>(samples.count[type.layout]), expected,
                expected / 4);
    expected = 20'000.0 / 2 * 112 / 8192 + 20;
    EXPECT_NEAR(static_cast<double>(samples.count[bytes]), expected,
                expected / 2);
  }
}

TEST_F(gc_profile, large_objects_and_reused_cells_count) {
  start(1 << 20, false);
  for (int i = 0; i < 64; ++i) allocate(mu, bytes, 512 << 10);
  EXPECT_NEAR(static_cast<double>(samples.count[bytes]), 32, 2);
  samples.count.clear();
  Node* node = make(mu, type);
  for (int i = 0; i < 100'000; ++i) {
    release(mu, node);
    node = make(mu, type);
  }
  EXPECT_NEAR(static_cast<double>(samples.count[type.layout]), 3, 1);
}

// Cycles flush the runs, and what is left of them has not been allocated. Of 40
// layouts that hardly ever use up a run, beside one that does.
TEST_F(gc_profile, what_a_flush_gives_back_is_not_sampled) {
  const std::vector<LayoutId> rare = many_layouts(gc, 40);
  constexpr double kInterval = 4096;
  constexpr int kCycles = 300;
  constexpr double kOfRare = kCycles * 40 * 5 * 48 / kInterval;  // 703
  constexpr double kOfNodes = kCycles * 1000 * 32 / kInterval;   // 2,344
  for (bool exponential : {true, false}) {
    SCOPED_TRACE(exponential);
    start(static_cast<size_t>(kInterval), exponential);
    samples.count.clear();
    for (int cycle = 0; cycle < kCycles; ++cycle) {
      for (LayoutId layout : rare) {
        for (int i = 0; i < 5; ++i) allocate(mu, layout, 48);
      }
      for (int i = 0; i < 1000; ++i) make(mu, type);
      gc.collect();
    }
    double of_rare = 0;
    for (LayoutId layout : rare) {
      of_rare += static_cast<double>(samples.count[layout]);
    }
    const auto of_nodes = static_cast<double>(samples.count[type.layout]);
    EXPECT_NEAR(of_rare + of_nodes, kOfRare + kOfNodes,
                5 * std::sqrt(kOfRare + kOfNodes));
    if (!exponential) continue;  // which may beat with a program that repeats
    // Five standard deviations, as each byte is as likely as any other.
    EXPECT_NEAR(of_rare, kOfRare, 5 * std::sqrt(kOfRare));
    EXPECT_NEAR(of_nodes, kOfNodes, 5 * std::sqrt(kOfNodes));
  }
}

TEST_F(gc_profile, fixed_intervals_near_the_size_of_a_cell) {
  for (size_t interval : {100, 1000, 1024, 1025, 4096, 5000}) {
    samples.count.clear();
    start(interval, /*exponential=*/false);
    for (int i = 0; i < 4000; ++i) allocate(mu, bytes, 1024);
    const size_t lines = 4000 * 1024 / interval;
    EXPECT_EQ(samples.count[bytes], lines < 4000 ? lines : 4000) << interval;
  }
}

// A draw says something of the cell behind a run's end, too: that is forgotten
// whatever it was. Of cells of 1 KiB at a mean distance of 4 KiB each is a
// sample with probability 1 - exp(-1/4).
TEST_F(gc_profile, cells_behind_the_end_of_a_run) {
  const double p = 1 - std::exp(-0.25);
  auto expect = [&](const char* what, int n) {
    SCOPED_TRACE(what);
    EXPECT_NEAR(static_cast<double>(samples.count[bytes]), n * p,
                5 * std::sqrt(n * p * (1 - p)));
  };
  constexpr int kCells = 60'000;
  start(4096, /*exponential=*/true);
  for (int i = 0; i < kCells; ++i) allocate(mu, bytes, 1024);
  expect("fresh spans", kCells);

  samples.count.clear();
  // A cycle takes 20 ms under ThreadSanitizer. The bias was 78 %.
  constexpr int kFlushes = TRI_TSAN || TRI_ASAN ? 400 : 6000;
  for (int i = 0; i < kFlushes; ++i) {
    allocate(mu, bytes, 1024);
    gc.collect();
  }
  expect("a flush after each", kFlushes);

  // Every other cell stays, so that all runs are one cell or cut short.
  samples.count.clear();
  gc.collector().set_gc_percent(kGcOff);
  Scope<1> scope(mu);
  Local<Node> list(scope);
  for (int i = 0; i < 2000; ++i) {
    Node* node = make(mu, type);
    node->left.init(mu, list);
    list = node;
    list->right.init(mu, static_cast<Node*>(allocate(mu, bytes, 1024)));
    allocate(mu, bytes, 1024);
  }
  samples.count.clear();
  int n = 0;
  for (int round = 0; round < 30; ++round) {
    gc.collect();
    for (int i = 0; i < 1500; ++i, ++n) allocate(mu, bytes, 1024);
  }
  expect("holes", n);
}

TEST_F(gc_profile, a_profile_does_not_count_what_came_before_it) {
  std::vector<LayoutId> layouts = many_layouts(gc, 200);
  for (LayoutId layout : layouts) allocate(mu, layout, 48);
  start(4096, /*exponential=*/false);
  uint64_t n = 0;
  for (int round = 0; round < 4; ++round) {
    for (int i = 0; i < 1000; ++i) allocate(mu, bytes, 1024);
    EXPECT_NEAR(static_cast<double>(samples.count[bytes] - n), 250, 1) << round;
    n = samples.count[bytes];
    gc.collect();
  }
}

TEST_F(gc_profile, every_allocation) {
  start(1, false);
  for (int i = 0; i < 1000; ++i) {
    Node* node = make(mu, type);
    ASSERT_EQ(node, samples.last);
  }
  EXPECT_EQ(samples.count[type.layout], 1000u);
}

TEST_F(gc_profile, can_be_changed_and_ended) {
  start(64, true);
  for (int i = 0; i < 1000; ++i) make(mu, type);
  uint64_t n = samples.count[type.layout];
  EXPECT_GT(n, 200u);
  set_alloc_profile(mu, {});
  for (int i = 0; i < 10'000; ++i) make(mu, type);
  EXPECT_EQ(samples.count[type.layout], n);
  start(320'000, false);
  for (int i = 0; i < 100'000; ++i) make(mu, type);
  EXPECT_NEAR(static_cast<double>(samples.count[type.layout] - n), 9.5, 1.5);
  gc.collect();
  gc.heap().validate_stw(true);
}

/// Samples each allocation by `fn`, which finds the test as its ctx.
template <class Fn>
void sample_all(Mutator& mu, const Fn& fn) {
  AllocProfile p;
  p.fn = [](Mutator& m, const AllocSample& s, void* ctx) {
    (*static_cast<const Fn*>(ctx))(m, s);
  };
  p.ctx = const_cast<void*>(static_cast<const void*>(&fn));
  p.interval_bytes = 1;
  p.exponential = false;
  set_alloc_profile(mu, p);
}

TEST_F(gc_profile, what_a_callback_may_not_do) {
  const auto inside = [this](auto f) {
    sample_all(mu, f);
    make(mu, type);
  };
  using S = const AllocSample&;
  const char* words = ": called from the callback of an allocation profile";
  const auto in_callback = [words](const char* call) {
    return std::string(call) + words;
  };
  EXPECT_DEATH(inside([&](Mutator& m, S) { allocate(m, bytes, 48); }),
               in_callback("allocate"));
  EXPECT_DEATH(inside([&](Mutator& m, S) { allocate(m, bytes, 1 << 20); }),
               in_callback("allocate"));
  EXPECT_DEATH(inside([&](Mutator&, S) { gc.collect(); }),
               in_callback("collect"));
  EXPECT_DEATH(inside([&](Mutator& m, S s) { release(m, s.cell); }),
               in_callback("release"));
  EXPECT_DEATH(inside([&](Mutator& m, S) { verify_heap(m); }),
               in_callback("verify_heap"));
  EXPECT_DEATH(inside([&](Mutator& m, S) { set_alloc_profile(m, {}); }),
               in_callback("set_alloc_profile"));
  EXPECT_DEATH(inside([&](Mutator& m, S) { adjust_external(m, 1 << 20); }),
               in_callback("adjust_external"));
  const auto large = [&](Mutator& m, S s) { release(m, s.cell); };
  sample_all(mu, large);
  EXPECT_DEATH(allocate(mu, bytes, 1 << 20), in_callback("release"));
}

TEST_F(gc_profile, a_callback_may_throw) {
  int left = 10;
  const auto thrower = [&](Mutator&, const AllocSample&) {
    if (--left >= 0) throw left;
  };
  sample_all(mu, thrower);
  for (int i = 0; i < 5; ++i) {
    EXPECT_THROW(make(mu, type), int);
    EXPECT_THROW(allocate(mu, bytes, 1 << 20), int);
  }
  Scope<1> scope(mu);
  Local<Node> tree(scope, make_tree(mu, type, 6));
  gc.collect();
  verify_heap(mu);
  EXPECT_EQ(check_tree(tree), 127);
}

TEST_F(gc_profile, an_interval_of_nothing_is_refused) {
  EXPECT_DEATH(start(0, false), "set_alloc_profile: interval_bytes is 0");
}

}  // namespace
}  // namespace tricolor::testing
