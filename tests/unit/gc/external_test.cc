// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// External bytes: they bring cycles on, move the goal, and leave it again.
#include "tricolor/external.h"

#include <gtest/gtest.h>

#include "tests/unit/gc/graph.h"
#include "tricolor/gc.h"

namespace tricolor::testing {
namespace {

constexpr int64_t kMiB = int64_t{1} << 20;

struct Held {
  GcAlone* gc;
  int64_t bytes;
};

class gc_external : public ::testing::Test {
 protected:
  gc_external() : mu(gc.mu()) {
    held = {&gc, kMiB};
    LayoutSpec spec;
    spec.name = "Handle";
    spec.tail = LayoutSpec::Tail::kNoscan;
    spec.user = &held;
    spec.on_dead = [](void*, size_t, void* user) {
      auto* h = static_cast<Held*>(user);
      adjust_external(h->gc->runtime(), -h->bytes);
    };
    handle = gc.layout(spec);
  }
  Stats now() {
    Stats s{};
    gc.collector().stats(&s);
    return s;
  }

  GcAlone gc;
  Mutator& mu;
  Held held;
  LayoutId handle;
};

TEST_F(gc_external, handles_with_large_belongings_are_collected_in_time) {
  // 16 bytes of heap and 1 MiB outside each: 1 GiB in all, of which little is
  // held at once.
  uint64_t most = 0;
  for (int i = 0; i < 1000; ++i) {
    allocate(mu, handle, 16);
    adjust_external(mu, held.bytes);
    uint64_t held_now = external_bytes(gc.runtime());
    most = held_now > most ? held_now : most;
  }
  EXPECT_GT(now().cycles, 100u);
  EXPECT_LT(most, 16u << 20);
  gc.collect();
  EXPECT_EQ(external_bytes(gc.runtime()), 0u);
}

TEST_F(gc_external, counting_alone_is_seen_at_the_next_refill) {
  adjust_external(gc.runtime(), 100 * kMiB);
  EXPECT_EQ(now().cycles, 0u);
  for (int i = 0; i < 3000; ++i) allocate(mu, handle, 16);
  held.bytes = 0;
  EXPECT_NE(gc.impl().cycle_.load_relaxed(), 0u) << "a cycle has begun";
  gc.finish();
  adjust_external(gc.runtime(), -100 * kMiB);
}

TEST_F(gc_external, the_goal_counts_what_is_still_held_after_the_sweep) {
  adjust_external(gc.runtime(), 20 * kMiB);  // held for good
  for (int i = 0; i < 50; ++i) allocate(mu, handle, 16);
  adjust_external(gc.runtime(), 50 * kMiB);  // dies in the next cycle
  gc.collect();
  EXPECT_EQ(external_bytes(gc.runtime()), uint64_t{20} << 20);
  EXPECT_NEAR(static_cast<double>(now().heap_goal_bytes), 40.0 * kMiB, kMiB);
  adjust_external(gc.runtime(), -20 * kMiB);
  gc.collect();
  EXPECT_EQ(now().heap_goal_bytes, 2u << 20) << "back at the minimum";
}

TEST_F(gc_external, ends_may_be_reported_before_beginnings) {
  adjust_external(gc.runtime(), -5 * kMiB);
  EXPECT_EQ(external_bytes(gc.runtime()), 0u);
  gc.collect();
  EXPECT_EQ(now().heap_goal_bytes, 2u << 20);
  adjust_external(mu, 5 * kMiB);
  EXPECT_EQ(external_bytes(gc.runtime()), 0u);
  Mutator native{};
  EXPECT_DEATH(adjust_external(native, 1), "adjust_external: .*native code");
}

TEST_F(gc_external, the_sum_stops_at_the_ends) {
  adjust_external(gc.runtime(), INT64_MAX);
  adjust_external(gc.runtime(), INT64_MAX);
  EXPECT_EQ(external_bytes(gc.runtime()), uint64_t{INT64_MAX});
  adjust_external(mu, 5);
  adjust_external(mu, INT64_MAX);
  EXPECT_EQ(external_bytes(gc.runtime()), uint64_t{INT64_MAX});
  gc.finish();
  adjust_external(gc.runtime(), -INT64_MAX);
  EXPECT_EQ(external_bytes(gc.runtime()), 0u);
  adjust_external(gc.runtime(), INT64_MIN);
  adjust_external(gc.runtime(), INT64_MIN);
  adjust_external(gc.runtime(), INT64_MAX);
  EXPECT_EQ(external_bytes(gc.runtime()), 0u);
  gc.collect();
}

}  // namespace
}  // namespace tricolor::testing
