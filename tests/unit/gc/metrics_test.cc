// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// gc_metrics.h: the numbers add up, those of a cycle are of one cycle, and the
// buckets of the histograms say what the percentiles say.
#include "tricolor/gc_metrics.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>

#include "base/rng.h"
#include "gc/published.h"
#include "tests/support/stress.h"
#include "tests/unit/gc/graph.h"
#include "tricolor/global.h"

namespace tricolor::testing {
namespace {

std::unique_ptr<GcMetrics> metrics_of(GcAlone& gc) {
  auto m = std::make_unique<GcMetrics>();
  read_gc_metrics(gc.runtime(), m.get());
  return m;
}

gc::CollectorOptions manual() {
  gc::CollectorOptions o;
  o.gc_percent = -1;
  return o;
}

TEST(gc_metrics, of_a_new_heap) {
  GcAlone gc(manual());
  auto m = metrics_of(gc);
  EXPECT_EQ(m->cycles, 0u);
  EXPECT_EQ(m->pauses.count, 0u);
  EXPECT_EQ(m->heap_goal_bytes, UINT64_MAX);
  EXPECT_EQ(m->limit_bytes, UINT64_MAX);
  EXPECT_EQ(m->gc_phase, static_cast<uint32_t>(GcPhase::kIdle));
}

TEST(gc_metrics, of_cycles) {
  GcAlone gc(manual());
  Type<Node> type = node_type(gc);
  LayoutSpec spec;
  spec.name = "bytes";
  spec.tail = LayoutSpec::Tail::kNoscan;
  const LayoutId bytes = gc.layout(spec);
  Scope<3> scope(gc.mu());
  Local<Node> tree(scope, make_tree(gc.mu(), type, 9));
  Global<Node> global(gc.runtime());
  *scope.take() = allocate(gc.mu(), bytes, 100'000);
  *scope.take() = allocate(gc.mu(), bytes, 700);
  make_tree(gc.mu(), type, 9);
  for (int i = 0; i < 3; ++i) gc.collect();
  auto m = metrics_of(gc);
  EXPECT_EQ(m->cycles, 3u);
  EXPECT_EQ(m->cycles_forced, 3u);
  EXPECT_EQ(m->live_cells, 1025u);
  EXPECT_EQ(m->scanned_bytes, 1023u * 32);
  uint64_t cells = 0;
  uint64_t small_bytes = 0;
  for (uint32_t c = 0; c < TRI_DETAIL_CLASS_COUNT; ++c) {
    cells += m->class_cells[c];
    small_bytes += m->class_cells[c] * tri_class_bytes(c);
    if (tri_class_bytes(c) == 32) {
      EXPECT_EQ(m->class_cells[c], 1023u);
    }
  }
  EXPECT_EQ(cells, m->live_cells);
  EXPECT_EQ(m->class_cells[0], 1u);
  EXPECT_EQ(small_bytes + (100'000 + 8191) / 8192 * 8192, m->live_bytes);
  EXPECT_GE(m->stack_bytes, 3 * sizeof(void*));
  EXPECT_LT(m->stack_bytes, 4096u);
  EXPECT_EQ(m->root_bytes, gc::GlobalChunk::kWords * 8) << "one chunk";
  EXPECT_EQ(m->pauses.count, 6u);
  EXPECT_EQ(m->ttsp.count, 6u);
  EXPECT_GE(m->pauses.sum_ns, m->pauses.max_ns);
  EXPECT_EQ(m->pauses.sum_ns, m->stop_wall_ns);
  EXPECT_EQ(m->cpu_gc_ns,
            m->cpu_gc_assist_ns + m->cpu_gc_worker_ns + m->cpu_gc_idle_ns);
  EXPECT_GT(m->cpu_gc_ns, 0u);
  EXPECT_GT(m->cpu_available_ns, m->cpu_gc_ns);
  EXPECT_EQ(m->total_bytes,
            m->heap_resident_bytes + m->table_bytes + m->external_bytes);
  EXPECT_LE(m->freed_bytes, m->allocated_bytes);
  EXPECT_GE(m->freed_bytes, 1023u * 32);
  EXPECT_GE(m->heap_resident_bytes, m->heap_in_use_bytes);
  EXPECT_GE(m->heap_in_use_bytes, m->heap_bytes);
  EXPECT_EQ(m->unswept_spans, 0u);
  // As Stats has them.
  Stats s{};
  gc.collector().stats(&s);
  EXPECT_EQ(s.cycles, m->cycles);
  EXPECT_EQ(s.live_cells, m->live_cells);
  EXPECT_EQ(s.pause_p99_ns, tri_histogram_percentile(&m->pauses, 990));
  EXPECT_EQ(check_tree(tree), 1023);
}

TEST(gc_metrics, in_mid_cycle_are_those_of_the_last) {
  GcAlone gc(manual());
  Type<Node> type = node_type(gc);
  Scope<2> scope(gc.mu());
  Local<Node> tree(scope, make_tree(gc.mu(), type, 5));
  gc.collect();
  Local<Node> more(scope, make_tree(gc.mu(), type, 5));
  gc.start();
  auto m = metrics_of(gc);
  EXPECT_EQ(m->gc_phase, static_cast<uint32_t>(GcPhase::kMark));
  EXPECT_EQ(m->cycles, 1u);
  EXPECT_EQ(m->live_cells, 63u);
  gc.finish();
  EXPECT_EQ(metrics_of(gc)->live_cells, 126u);
}

// Each value is in the bucket whose bounds it lies between.
TEST(gc_metrics, bounds_of_buckets) {
  base::Rng rng{test_seed()};
  for (size_t i = 1; i < TRI_HISTOGRAM_BUCKETS; ++i) {
    ASSERT_GT(tri_histogram_bound(i), tri_histogram_bound(i - 1));
  }
  for (int round = 0; round < 20'000; ++round) {
    const uint64_t ns = rng.next() >> rng.below(64);
    gc::Histogram h;
    h.add(ns);
    size_t at = 0;
    while (h.bucket(at) == 0) ++at;
    EXPECT_LE(tri_histogram_bound(at), ns);
    if (at + 1 < TRI_HISTOGRAM_BUCKETS) {
      EXPECT_LT(ns, tri_histogram_bound(at + 1));
    }
  }
}

TEST(gc_metrics, percentiles_from_buckets) {
  auto m = std::make_unique<tri_histogram>();
  EXPECT_EQ(tri_histogram_percentile(m.get(), 500), 0u);
  gc::Histogram h;
  for (uint64_t i = 1; i <= 100'000; ++i) h.add(i);
  for (size_t i = 0; i < TRI_HISTOGRAM_BUCKETS; ++i) m->counts[i] = h.bucket(i);
  m->count = h.count();
  m->max_ns = h.max();
  for (uint32_t pm : {1u, 500u, 990u, 1000u}) {
    const double exact = 100'000.0 * pm / 1000;
    const auto got = static_cast<double>(tri_histogram_percentile(m.get(), pm));
    EXPECT_GE(got, exact * 0.999) << pm;
    EXPECT_LE(got, exact * 1.13 + 1) << pm;
  }
}

// Whoever reads has one write's words, all of them.
TEST(gc_metrics, published_groups_are_whole) {
  gc::Published published;
  std::atomic<bool> stop{false};
  std::atomic<uint64_t> torn{0}, read{0};
  auto reader = [&] {
    gc::Published::Group g;
    uint64_t last = 0;
    while (!stop.load(std::memory_order_relaxed)) {
      published.read(&g);
      if (g.live_cells != g.cycles * 3 || g.goal != g.cycles * 5 ||
          g.class_cells[TRI_DETAIL_CLASS_COUNT - 1] != g.cycles * 7 ||
          g.cycles < last) {
        torn.fetch_add(1);
      }
      last = g.cycles;
      read.fetch_add(1, std::memory_order_relaxed);
    }
  };
  std::thread a(reader), b(reader);
  const auto writes = static_cast<uint64_t>(stress_scale(20'000, 2'000'000));
  for (uint64_t i = 1; i <= writes || read.load() < 100; ++i) {
    gc::Published::Group g{};
    g.cycles = i;
    g.live_cells = i * 3;
    g.goal = i * 5;
    g.class_cells[TRI_DETAIL_CLASS_COUNT - 1] = i * 7;
    published.write(g);
    if (i % 64 == 0) std::this_thread::yield();
  }
  stop.store(true);
  a.join();
  b.join();
  EXPECT_EQ(torn.load(), 0u);
}

}  // namespace
}  // namespace tricolor::testing
