// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// release and grow beside the collector: barriers of the copy, weak targets,
// stale Locals, all under the second mark.
#include "tricolor/resize.h"

#include <gtest/gtest.h>

#include <cstring>

#include "tests/unit/gc/graph.h"
#include "tricolor/weak.h"

namespace tricolor::testing {
namespace {

class gc_resize : public ::testing::Test {
 protected:
  static gc::CollectorOptions options() {
    gc::CollectorOptions o;
    o.gccheckmark = true;
    o.gc_percent = -1;
    return o;
  }
  gc_resize() : gc(options()), type(node_type(gc)), mu(gc.mu()) {
    LayoutSpec spec;
    spec.name = "array";
    spec.tail = LayoutSpec::Tail::kPointers;
    array = gc.layout(spec);
    spec.name = "bytes";
    spec.tail = LayoutSpec::Tail::kNoscan;
    bytes = gc.layout(spec);
    spec = {};
    spec.name = "custom";
    spec.head_bytes = 48;
    spec.trace = [](Tracer& t, void* cell, size_t, void*) {
      auto* words = static_cast<void**>(cell);
      // A count in word 1: what a released cell must not be asked for.
      for (size_t i = 0; i < reinterpret_cast<size_t>(words[1]); ++i) {
        t.visit(words[2 + i]);
      }
    };
    custom = gc.layout(spec);
  }
  size_t size_of(void* cell) { return cell_size(gc.runtime(), cell); }

  GcAlone gc;
  Type<Node> type;
  Mutator& mu;
  LayoutId array, bytes, custom;
};

TEST_F(gc_resize, grow_copies_and_releases) {
  Scope<1> scope(mu);
  Local<uint64_t> cell(scope, make_array<uint64_t>(mu, bytes, 8));
  for (uint64_t i = 0; i < 8; ++i) cell.get()[i] = i + 1;
  void* old = cell.get();
  cell = static_cast<uint64_t*>(grow(mu, cell, 200));
  EXPECT_NE(cell.get(), old);
  EXPECT_GE(size_of(cell), 200u);
  for (uint64_t i = 0; i < 8; ++i) EXPECT_EQ(cell.get()[i], i + 1);
  for (uint64_t i = 8; i < 25; ++i) EXPECT_EQ(cell.get()[i], 0u);
  EXPECT_TRUE(gc.heap().is_released(old));
  EXPECT_EQ(grow(mu, cell, 10), cell.get()) << "large enough";
}

TEST_F(gc_resize, grow_while_marking_shades_what_it_copies) {
  // The only references to the nodes lie in the old array, which was not
  // scanned yet; afterwards in the new one, which is black.
  for (size_t n : {size_t{6}, size_t{30'000}}) {
    Scope<1> scope(mu);
    Local<uint64_t> cell(scope, make_array<uint64_t>(mu, array, n));
    for (size_t i = 0; i < n; i += 1 + n / 100) {
      Node* node = make(mu, type);
      node->seal(i);
      detail::store_slot<void*>(mu, &cell.get()[i], node);
    }
    gc.start();
    gc.impl().scan_owner(&gc.p(), reinterpret_cast<gc::RootOwner*>(&mu));
    cell = static_cast<uint64_t*>(grow(mu, cell, n * 16));
    gc.finish();
    for (size_t i = 0; i < n; i += 1 + n / 100) {
      auto* node = reinterpret_cast<Node*>(cell.get()[i]);
      ASSERT_TRUE(node->intact()) << i;
    }
    gc.collect();
  }
}

TEST_F(gc_resize, a_cycle_that_begins_in_the_middle_of_a_copy) {
  // try_grow of a large array polls between chunks; here the cycle begins in
  // the allocation that precedes the copy, and goes on in the test's hands.
  constexpr size_t kN = 40'000;
  Scope<1> scope(mu);
  Local<uint64_t> cell(scope, make_array<uint64_t>(mu, array, kN));
  for (size_t i = 0; i < kN; i += 500) {
    Node* node = make(mu, type);
    node->seal(i);
    detail::store_slot<void*>(mu, &cell.get()[i], node);
  }
  gc.start();
  gc.drain(1000);
  cell = static_cast<uint64_t*>(try_grow(mu, cell, kN * 9));
  ASSERT_NE(cell.get(), nullptr);
  gc.drain(100'000);
  gc.finish();
  gc.collect();
  for (size_t i = 0; i < kN; i += 500) {
    ASSERT_TRUE(reinterpret_cast<Node*>(cell.get()[i])->intact());
  }
}

TEST_F(gc_resize, grow_of_a_custom_cell_shades_what_it_traces) {
  Scope<1> scope(mu);
  Local<uint64_t> cell(scope, static_cast<uint64_t*>(allocate(mu, custom, 48)));
  for (uint64_t i = 0; i < 3; ++i) {
    Node* node = make(mu, type);
    node->seal(i);
    detail::store_slot<void*>(mu, &cell.get()[2 + i], node);
    cell.get()[1] = i + 1;
  }
  gc.start();
  gc.impl().scan_owner(&gc.p(), reinterpret_cast<gc::RootOwner*>(&mu));
  cell = static_cast<uint64_t*>(grow(mu, cell, 80));
  gc.finish();
  for (uint64_t i = 0; i < 3; ++i) {
    EXPECT_TRUE(reinterpret_cast<Node*>(cell.get()[2 + i])->intact());
  }
}

TEST_F(gc_resize, a_stale_local_to_a_released_cell_harms_nobody) {
  Scope<5> scope(mu);
  Local<uint64_t> a(scope, static_cast<uint64_t*>(allocate(mu, custom, 48)));
  Local<Node> b(scope, make_tree(mu, type, 3));
  Local<Node> c(scope, make(mu, type));
  Local<uint64_t> d(scope, make_array<uint64_t>(mu, array, 10'000));
  // No large object, but scanned in pieces.
  Local<uint64_t> e(scope, make_array<uint64_t>(mu, array, 2'500));
  EXPECT_TRUE(release(mu, e.get()));
  EXPECT_TRUE(release(mu, a.get()));
  EXPECT_TRUE(release(mu, b.get()));
  EXPECT_TRUE(release(mu, c.get()));
  EXPECT_TRUE(release(mu, d.get()));
  gc.collect();
  gc.collect();
  a = nullptr;
  b = nullptr;
  c = nullptr;
  d = nullptr;
  e = nullptr;
  gc.collect();
  EXPECT_EQ(gc.live_cells(), 0u);
}

TEST_F(gc_resize, the_target_of_a_weak_cell_is_left_to_the_cycle) {
  Scope<1> scope(mu);
  Local<Weak<Node>> weak(scope, Weak<Node>::make(mu, make(mu, type)));
  Node* target = weak->get(mu);
  EXPECT_FALSE(release(mu, target));
  EXPECT_FALSE(release(mu, weak.get())) << "a weak cell itself";
  EXPECT_EQ(weak->get(mu), target) << "not handed out again";
  gc.collect();
  EXPECT_EQ(weak->get(mu), nullptr);
  // The bit went with the target: the next cell there is released at once.
  Node* again = make(mu, type);
  for (int i = 0; again != target && i < 1000; ++i) again = make(mu, type);
  ASSERT_EQ(again, target);
  EXPECT_TRUE(release(mu, again));
}

TEST_F(gc_resize, release_while_marking_keeps_the_snapshot) {
  // parent -> child; the child is moved out of the parent, which is released
  // before anybody has scanned it.
  Scope<2> scope(mu);
  Local<Node> child(scope);
  Local<Node> parent(scope, make(mu, type));
  Node* node = make(mu, type);
  node->seal(7);
  parent->left.store(mu, node);
  gc.start();
  gc.impl().scan_owner(&gc.p(), reinterpret_cast<gc::RootOwner*>(&mu));
  child = parent->left.load();  // a black stack, no barrier: it is in `parent`
  EXPECT_FALSE(release(mu, parent.get()));
  parent = nullptr;
  gc.finish();
  EXPECT_TRUE(child->intact());
}

TEST_F(gc_resize, weak_cells_and_on_dead_layouts_do_not_grow) {
  LayoutSpec spec;
  spec.name = "Handle";
  spec.tail = LayoutSpec::Tail::kNoscan;
  spec.on_dead = [](void*, size_t, void*) {};
  LayoutId handle = gc.layout(spec);
  EXPECT_DEATH(grow(mu, allocate(mu, handle, 16), 32),
               "grow.*'Handle'.*has on_dead");
  EXPECT_DEATH(release(mu, nullptr), "release.*not a cell of this runtime");
  Mutator native{};
  EXPECT_DEATH(release(native, nullptr), "release.*native code");
}

}  // namespace
}  // namespace tricolor::testing
