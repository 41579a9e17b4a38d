// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Cycles that are asked for without waiting, and times without cycles.
#include <gtest/gtest.h>

#include "tests/unit/gc/graph.h"

namespace tricolor::testing {
namespace {

class gc_request : public ::testing::Test {
 protected:
  static gc::CollectorOptions options() {
    gc::CollectorOptions o;
    o.gccheckmark = true;
    o.initial_heap_bytes = 1 << 20;
    o.period_ns = 1'000'000;
    return o;
  }
  gc_request() : gc(options()), type(node_type(gc)) {}

  /// 2 MiB of garbage.
  void churn() {
    for (int i = 0; i < 64; ++i) make_tree(gc.mu(), type, 9);
  }
  Stats now() {
    Stats s{};
    gc.collector().stats(&s);
    return s;
  }

  GcAlone gc;
  Type<Node> type;
};

TEST_F(gc_request, begins_a_cycle_and_returns) {
  gc.collector().set_gc_percent(kGcOff);
  make_tree(gc.mu(), type, 10);
  gc.collector().request_collect(&gc.mu());
  EXPECT_TRUE(gc.collector().marking());
  EXPECT_EQ(gc.collector().cycle(), 1u);
  gc.finish();
  EXPECT_EQ(gc.live_cells(), 0u);
  EXPECT_EQ(now().cycles_forced, 1u);
  EXPECT_FALSE(gc.impl().record.work.forced) << "the pacer learns from it";
  EXPECT_FALSE(gc.collector().has_work());
}

TEST_F(gc_request, many_while_one_is_under_way_are_one_more) {
  gc.collector().set_gc_percent(kGcOff);
  Scope<1> scope(gc.mu());
  Local<Node> tree(scope, make_tree(gc.mu(), type, 10));
  gc.collector().request_collect(&gc.mu());
  tree = nullptr;  // it was reachable when the first began
  for (int i = 0; i < 3; ++i) gc.collector().request_collect(&gc.mu());
  gc.collector().ask_for_cycle();
  EXPECT_EQ(gc.collector().cycle(), 1u);
  EXPECT_EQ(gc.live_cells(), 0u) << "none has ended";
  gc.finish();  // a worker that goes on as long as there is work
  EXPECT_EQ(gc.collector().cycle(), 2u);
  EXPECT_EQ(now().cycles_forced, 2u);
  EXPECT_EQ(gc.live_cells(), 0u);
  churn();
  EXPECT_EQ(gc.collector().cycle(), 2u);
}

TEST_F(gc_request, collect_answers_what_was_asked_before) {
  gc.collector().ask_for_cycle();
  gc.collect();
  EXPECT_EQ(gc.collector().cycle(), 1u);
  EXPECT_FALSE(gc.collector().has_work());
}

TEST_F(gc_request, percent_off_takes_back_age_but_not_requests) {
  gc.collector().request_periodic(UINT64_MAX / 2);
  EXPECT_TRUE(gc.collector().has_work());
  gc.collector().ask_for_cycle();
  gc.collector().set_gc_percent(kGcOff);
  EXPECT_TRUE(gc.collector().has_work());
  gc.collect();
  EXPECT_FALSE(gc.collector().has_work());
}

TEST_F(gc_request, no_cycle_begins_by_itself_while_forbidden) {
  ASSERT_TRUE(gc.collector().suspend(+1));
  ASSERT_TRUE(gc.collector().suspend(+1));
  for (int i = 0; i < 4; ++i) churn();
  gc.collector().request_collect(&gc.mu());
  gc.collector().request_periodic(UINT64_MAX / 2);
  EXPECT_LT(gc.collector().until_periodic(UINT64_MAX / 2), 0);
  churn();
  while (gc.collector().step(&gc.mu(), 10'000)) {
  }
  EXPECT_EQ(gc.collector().cycle(), 0u);
  EXPECT_FALSE(gc.collector().has_idle_work());
  EXPECT_TRUE(gc.collector().is_idle());
  ASSERT_TRUE(gc.collector().suspend(-1));
  churn();
  EXPECT_EQ(gc.collector().cycle(), 0u) << "it nests";
  ASSERT_TRUE(gc.collector().suspend(-1));
  EXPECT_FALSE(gc.collector().suspend(-1)) << "and does not go below 0";
  EXPECT_TRUE(gc.collector().has_idle_work()) << "for what was asked";
  churn();
  EXPECT_GE(gc.collector().cycle(), 1u);
}

TEST_F(gc_request, a_start_that_comes_too_late_is_taken_back) {
  for (int i = 0; i < 4; ++i) {
    gc.collector().suspend(+1);
    // What a task does that has just seen the trigger passed.
    EXPECT_FALSE(gc.impl().start_cycle(&gc.p(), /*wait=*/false));
    EXPECT_EQ(gc.collector().cycle(), 0u);
    gc.collector().suspend(-1);
  }
  EXPECT_EQ(gc.impl().phase(), gc::Phase::kIdle);
}

TEST_F(gc_request, what_is_under_way_goes_on_and_collect_collects) {
  Scope<1> scope(gc.mu());
  Local<Node> tree(scope, make_tree(gc.mu(), type, 12));
  gc.start();
  gc.collector().suspend(+1);
  churn();
  gc.finish();
  EXPECT_EQ(gc.collector().cycle(), 1u);
  EXPECT_EQ(check_tree(tree), 8191);
  gc.collect();
  EXPECT_EQ(gc.collector().cycle(), 2u);
  EXPECT_EQ(gc.live_cells(), 8191u);
  gc.collector().suspend(-1);
}

TEST_F(gc_request, the_soft_limit_is_kept_to_all_the_same) {
  gc.collector().set_memory_limit(uint64_t{24} << 20);
  gc.collector().suspend(+1);
  for (int i = 0; i < 40; ++i) churn();
  EXPECT_GE(gc.collector().cycle(), 2u);
  EXPECT_LE(gc.collector().cycle(), 20u) << "and no earlier";
  EXPECT_LE(now().memory_bytes, uint64_t{26} << 20);
  gc.collector().suspend(-1);
}

TEST(gc_requests, stress_does_not_come_in_either) {
  gc::CollectorOptions o;
  o.gcstress = 1;
  heap::HeapOptions h;
  h.max_run_cells = 1;
  GcAlone gc(o, h);
  Type<Node> type = node_type(gc);
  gc.collector().suspend(+1);
  make_tree(gc.mu(), type, 6);
  EXPECT_EQ(gc.collector().cycle(), 0u);
  gc.collector().suspend(-1);
  make_tree(gc.mu(), type, 6);
  EXPECT_GT(gc.collector().cycle(), 3u);
}

}  // namespace
}  // namespace tricolor::testing
