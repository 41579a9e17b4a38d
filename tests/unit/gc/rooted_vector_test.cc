// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// RootedVector: against std::vector, at any phase, with what it holds.
#include "tricolor/rooted_vector.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/rng.h"
#include "tests/support/stress.h"
#include "tests/unit/gc/graph.h"

namespace tricolor::testing {
namespace {

gc::CollectorOptions checked() {
  gc::CollectorOptions o;
  o.gccheckmark = true;
  o.gc_percent = -1;
  return o;
}

TEST(gc_rooted_vector, is_a_vector_whatever_the_collector_does) {
  GcAlone gc(checked());
  const Type<Node> type = node_type(gc);
  Mutator& mu = gc.mu();
  base::Rng rng(test_seed());
  Scope<1> scope(mu);
  RootedVector<Node> vector(scope);
  std::vector<uint64_t> model;
  const int rounds = stress_scale(20'000, 2'000'000);
  for (int i = 0; i < rounds; ++i) {
    const auto id = static_cast<uint64_t>(i);
    switch (rng.below(12)) {
      case 0:
        if (!model.empty()) {
          const Node* n = vector.pop_back();
          ASSERT_TRUE(n->intact());
          ASSERT_EQ(n->id, model.back());
          model.pop_back();
        }
        break;
      case 1:
        if (!model.empty()) {
          const size_t at = rng.below(model.size());
          Node* n = make(mu, type);
          n->seal(id);
          vector.set(at, n);
          model[at] = id;
        }
        break;
      case 2:
        if (gc.impl().phase() == gc::Phase::kIdle) gc.start();
        gc.drain(rng.below(2000));
        break;
      case 3:
        if (rng.below(50) == 0) gc.finish();
        if (rng.below(50) == 0) gc.scan_owner(0);
        if (rng.below(2000) == 0) {
          vector.clear();
          model.clear();
        }
        break;
      default: {
        Node* n = make(mu, type);
        n->seal(id);
        vector.push_back(n);
        model.push_back(id);
      }
    }
    ASSERT_EQ(vector.size(), model.size());
  }
  gc.finish();
  gc.collect();
  size_t i = 0;
  for (const Node* n : vector) {
    ASSERT_TRUE(n->intact());
    ASSERT_EQ(n->id, model[i++]);
  }
  EXPECT_EQ(i, model.size());
  EXPECT_EQ(gc.live_cells(), model.size() + (model.empty() ? 0 : 1));
}

TEST(gc_rooted_vector, what_is_popped_or_cleared_is_free) {
  GcAlone gc(checked());
  const Type<Node> type = node_type(gc);
  Scope<1> scope(gc.mu());
  RootedVector<Node> vector(scope);
  gc.collect();
  EXPECT_EQ(gc.live_cells(), 0u);
  for (int i = 0; i < 100; ++i) vector.push_back(make(gc.mu(), type));
  gc.collect();
  EXPECT_EQ(gc.live_cells(), 101u);
  vector.resize(40);
  EXPECT_GE(vector.capacity(), 100u);
  gc.collect();
  EXPECT_EQ(gc.live_cells(), 41u);
  vector.resize(60);
  EXPECT_EQ(vector[59], nullptr);
  EXPECT_NE(vector[39], nullptr);
  vector.clear();
  gc.collect();
  EXPECT_EQ(gc.live_cells(), 0u);
  vector.push_back(make(gc.mu(), type));
  gc.collect();
  EXPECT_EQ(gc.live_cells(), 2u);
}

// A push that grows the vector may collect before the value is in it.
TEST(gc_rooted_vector, roots_what_it_is_given) {
  gc::CollectorOptions o = checked();
  o.gcstress = 1;
  GcAlone gc(o);
  const Type<Node> type = node_type(gc);
  Scope<1> scope(gc.mu());
  RootedVector<Node> vector(scope);
  for (uint64_t i = 0; i < 300; ++i) {
    Node* n = make(gc.mu(), type);
    n->seal(i);
    vector.push_back(n);
  }
  for (uint64_t i = 0; i < 300; ++i) {
    ASSERT_TRUE(vector[i]->intact() && vector[i]->id == i) << i;
  }
}

TEST(gc_rooted_vector_DeathTest, mistakes) {
  GcAlone gc(checked());
  Scope<3> scope(gc.mu());
  RootedVector<Node> vector(scope);
  EXPECT_DEATH(vector[0], "RootedVector: index 0 of a vector of 0");
  EXPECT_DEATH(vector.pop_back(), "RootedVector: index -1 of a vector of 0");
  vector.resize(3);
  EXPECT_DEATH(vector.set(3, nullptr), "index 3 of a vector of 3");
  RootedVector<Node> unknown(scope, EncodingId{200});
  EXPECT_DEATH(unknown.reserve(1), "encoding 200 is not registered");
}

}  // namespace
}  // namespace tricolor::testing
