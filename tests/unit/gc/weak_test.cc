// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Weak cells: cleared when the target dies, never before, in every phase.
#include "tricolor/weak.h"

#include <gtest/gtest.h>

#include "tests/unit/gc/graph.h"

namespace tricolor::testing {
namespace {

class gc_weak : public ::testing::Test {
 protected:
  static gc::CollectorOptions options() {
    gc::CollectorOptions o;
    o.gccheckmark = true;
    return o;
  }
  gc_weak() : gc(options()), type(node_type(gc)), mu(gc.mu()) {}

  GcAlone gc;
  Type<Node> type;
  Mutator& mu;
};

TEST_F(gc_weak, cleared_when_the_target_dies) {
  Scope<2> scope(mu);
  Local<Node> target(scope, make_tree(mu, type, 2));
  Local<Weak<Node>> weak(scope, Weak<Node>::make(mu, target));
  for (int i = 0; i < 5; ++i) {
    gc.collect();
    ASSERT_EQ(weak->get(mu), target.get());
  }
  target = nullptr;
  gc.collect();
  EXPECT_EQ(weak->get(mu), nullptr);
  EXPECT_EQ(gc.live_cells(), 1u);  // the weak cell itself
}

TEST_F(gc_weak, a_read_while_marking_is_strong) {
  Scope<2> scope(mu);
  Local<Weak<Node>> weak(scope, Weak<Node>::make(mu, make(mu, type)));
  Local<Node> got(scope);
  gc.start();
  gc.impl().scan_owner(&gc.p(), reinterpret_cast<gc::RootOwner*>(&mu));
  got = weak->get(mu);
  ASSERT_NE(got.get(), nullptr);
  got->seal(5);
  gc.finish();
  EXPECT_TRUE(got->intact());
  EXPECT_EQ(weak->get(mu), got.get());
}

TEST_F(gc_weak, a_read_after_marking_does_not_resurrect) {
  Scope<1> scope(mu);
  Local<Weak<Node>> weak(scope, Weak<Node>::make(mu, make(mu, type)));
  gc.start();
  while (gc.impl().phase() == gc::Phase::kMark) {
    gc.drain(4096);
    gc.impl().advance(&gc.p());
  }
  ASSERT_EQ(gc.impl().phase(), gc::Phase::kSettle);
  EXPECT_EQ(weak->get(mu), nullptr);
  gc.finish();
  EXPECT_EQ(weak->get(mu), nullptr);
}

TEST_F(gc_weak, made_while_marking_is_settled_in_that_cycle) {
  Scope<2> scope(mu);
  Local<Node> target(scope, make(mu, type));
  Local<Weak<Node>> weak(scope);
  gc.start();
  weak = Weak<Node>::make(mu, target);
  gc.finish();
  EXPECT_EQ(weak->get(mu), target.get());
  target = nullptr;
  gc.collect();
  EXPECT_EQ(weak->get(mu), nullptr);
}

TEST_F(gc_weak, many_weak_cells_share_and_die) {
  Scope<2> scope(mu);
  Local<Node> target(scope, make(mu, type));
  Local<Node> chain(scope);
  std::vector<Weak<Node>*> dead;
  LayoutSpec spec;
  spec.name = "array";
  spec.tail = LayoutSpec::Tail::kPointers;
  LayoutId id = gc.layout(spec);
  constexpr size_t kN = 20000;
  Scope<1> inner(mu);
  auto* array = make_array<uint64_t>(mu, id, kN);
  *inner.take() = array;
  for (size_t i = 0; i < kN; ++i) {
    Node* t = i % 2 == 0 ? target.get() : make(mu, type);
    detail::store_slot<void*>(mu, &array[i], Weak<Node>::make(mu, t));
  }
  gc.collect();
  for (size_t i = 0; i < kN; ++i) {
    auto* w = reinterpret_cast<Weak<Node>*>(array[i]);
    ASSERT_EQ(w->get(mu), i % 2 == 0 ? target.get() : nullptr) << i;
  }
}

}  // namespace
}  // namespace tricolor::testing
