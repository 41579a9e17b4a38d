// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// The listener: each phase of each cycle once, in order.
#include "tricolor/gc_events.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/unit/gc/graph.h"

namespace tricolor::testing {
namespace {

using Events = std::vector<GcEvent>;

gc::CollectorOptions listening(Events* events) {
  gc::CollectorOptions o;
  o.gc_percent = -1;
  o.on_gc_event_ctx = events;
  o.on_gc_event = [](Runtime&, const GcEvent& e, void* ctx) {
    static_cast<Events*>(ctx)->push_back(e);
  };
  return o;
}

TEST(gc_events, each_phase_once_and_in_order) {
  Events events;
  GcAlone gc(listening(&events));
  Type<Node> type = node_type(gc);
  Scope<1> scope(gc.mu());
  Local<Node> tree(scope, make_tree(gc.mu(), type, 9));
  make_tree(gc.mu(), type, 9);
  for (int i = 0; i < 3; ++i) gc.collect();
  ASSERT_EQ(events.size(), 15u);
  for (size_t i = 0; i < events.size(); ++i) {
    const GcEvent& e = events[i];
    EXPECT_EQ(e.cycle, i / 5 + 1);
    EXPECT_EQ(static_cast<size_t>(e.phase), (i + 1) % 5);
    EXPECT_TRUE(e.forced);
    EXPECT_EQ(e.goal_bytes, UINT64_MAX);
    if (i > 0) {
      EXPECT_GT(e.time_ns, events[i - 1].time_ns);
    }
    const bool after_stop =
        e.phase == GcPhase::kMark || e.phase == GcPhase::kSettle;
    EXPECT_EQ(e.stop_ns != 0, after_stop) << i;
    EXPECT_LE(e.ttsp_ns, e.stop_ns);
    if (e.phase != GcPhase::kMark) {
      EXPECT_EQ(e.marked_bytes, 1023u * 32);
    }
  }
  // Counted by runs.
  EXPECT_NEAR(static_cast<double>(events[0].heap_bytes), 2046 * 32, 8192);
  EXPECT_NEAR(static_cast<double>(events[4].heap_bytes), 1023 * 32, 8192);
  EXPECT_EQ(check_tree(tree), 1023);
}

TEST(gc_events, a_cycle_that_is_paced_is_not_forced) {
  Events events;
  gc::CollectorOptions o = listening(&events);
  o.gc_percent = 100;
  GcAlone gc(o);
  Type<Node> type = node_type(gc);
  while (events.size() < 10) make_tree(gc.mu(), type, 9);
  EXPECT_FALSE(events[0].forced);
  EXPECT_GE(events[0].goal_bytes, events[0].heap_bytes);
}

TEST(gc_events, a_listener_may_not_collect) {
  static GcAlone* alone;
  gc::CollectorOptions o;
  o.gc_percent = -1;
  o.on_gc_event = [](Runtime&, const GcEvent& e, void*) {
    if (e.phase == GcPhase::kMark) alone->collect();
  };
  GcAlone gc(o);
  alone = &gc;
  EXPECT_DEATH(gc.collect(), "collect: called from a GC listener");
}

}  // namespace
}  // namespace tricolor::testing
