// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// No memory: what the try_ forms answer, and a handler that throws out of the
// forms that never return null. The heap is whole afterwards and goes on.
#include <gtest/gtest.h>

#include <cstdint>

#include "tests/unit/gc/graph.h"
#include "tricolor/finalizer.h"
#include "tricolor/resize.h"
#include "tricolor/weak.h"

namespace tricolor::testing {
namespace {

struct NoMemory {
  size_t bytes;
};

constexpr size_t kLimit = size_t{1} << 20;

class gc_out_of_memory : public ::testing::Test {
 protected:
  static gc::CollectorOptions collector() {
    gc::CollectorOptions o;
    o.gccheckmark = true;
    o.on_out_of_memory = [](Runtime&, size_t bytes, void*) {
      throw NoMemory{bytes};
    };
    return o;
  }
  static heap::HeapOptions heap() {
    heap::HeapOptions o;
    o.hard_limit_bytes = kLimit;
    return o;
  }
  gc_out_of_memory()
      : gc(collector(), heap()), type(node_type(gc)), mu(gc.mu()) {
    LayoutSpec spec;
    spec.name = "bytes";
    spec.tail = LayoutSpec::Tail::kNoscan;
    bytes = gc.layout(spec);
    spec.name = "array";
    spec.tail = LayoutSpec::Tail::kPointers;
    array = gc.layout(spec);
  }

  /// Links nodes to *head until `make` throws; how many there were.
  uint64_t fill(Local<Node>& head) {
    uint64_t n = 0;
    try {
      for (;;) {
        Scope<1> inner(mu);
        Local<Node> node(inner, make(mu, type));
        node->left.init(mu, head);
        node->seal(n++);
        head = node.get();
      }
    } catch (const NoMemory& e) {
      EXPECT_EQ(e.bytes, sizeof(Node));
    }
    return n;
  }
  static uint64_t count(Node* n) {
    uint64_t cells = 0;
    for (; n != nullptr; n = n->left.load()) cells += n->intact() ? 1 : 0;
    return cells;
  }

  uint64_t cycles() {
    Stats s;
    gc.collector().stats(&s);
    return s.cycles;
  }

  GcAlone gc;
  Type<Node> type;
  Mutator& mu;
  LayoutId bytes, array;
};

TEST_F(gc_out_of_memory, make_throws_and_the_heap_goes_on) {
  void** top = mu.shadow_top;
  for (int round = 0; round < 3; ++round) {
    Scope<1> scope(mu);
    Local<Node> head(scope);
    uint64_t n = fill(head);
    EXPECT_GT(n * sizeof(Node), kLimit / 2);
    EXPECT_EQ(count(head), n);
    EXPECT_EQ(try_make(mu, type), nullptr);
    EXPECT_THROW(make(mu, type), NoMemory);
    gc.collect();
    EXPECT_EQ(count(head), n) << "what is held is still there";
    head = nullptr;
    gc.collect();
    gc.heap().validate_stw(true);
    EXPECT_EQ(gc.live_cells(), 0u);
    EXPECT_NE(try_make(mu, type), nullptr);
  }
  EXPECT_EQ(mu.shadow_top, top);
}

TEST_F(gc_out_of_memory, a_refusal_costs_one_cycle) {
  Scope<1> scope(mu);
  Local<Node> head(scope);
  const uint64_t n = fill(head);
  for (size_t wanted : {size_t{64}, size_t{3000}, kLimit / 2}) {
    ASSERT_EQ(try_allocate(mu, bytes, wanted), nullptr) << wanted;
    const uint64_t before = cycles();
    for (int i = 0; i < 10; ++i) {
      ASSERT_EQ(try_allocate(mu, bytes, wanted), nullptr) << wanted;
    }
    // None is under way when one is asked for.
    EXPECT_EQ(cycles() - before, 10u) << wanted;
  }
  EXPECT_EQ(count(head), n);
  // What dies while it is asked for is found.
  head = nullptr;
  EXPECT_NE(try_allocate(mu, bytes, kLimit / 2), nullptr);
}

/// What revives cells may free them the next time: worth another try.
TEST_F(gc_out_of_memory, a_cycle_that_revived_something_is_not_the_last) {
  Scope<2> scope(mu);
  Local<Node> head(scope);
  fill(head);
  // In the place of the newest node, which is dead by the first collection.
  head = head->left.load();
  Local<Node> last(scope, make(mu, type));
  add_finalizer(mu, last.get(), [](Mutator&, void*, void*) {});
  ASSERT_EQ(try_allocate(mu, bytes, kLimit / 2), nullptr);
  last = nullptr;
  const uint64_t before = cycles();
  EXPECT_EQ(try_allocate(mu, bytes, kLimit / 2), nullptr);
  EXPECT_EQ(cycles() - before, 2u) << "one that revives it, and another";
}

TEST_F(gc_out_of_memory, sizes_that_cannot_be) {
  for (size_t n : {SIZE_MAX, SIZE_MAX - 14, SIZE_MAX / 2, size_t{1} << 47}) {
    EXPECT_EQ(try_allocate(mu, bytes, n), nullptr);
    EXPECT_THROW(allocate(mu, bytes, n), NoMemory);
    EXPECT_EQ(try_make_array<uint64_t>(mu, bytes, n), nullptr);
    EXPECT_THROW(make_array<uint64_t>(mu, bytes, n), NoMemory);
  }
  // 2^61 x 8 is 0 modulo 2^64: an overflow must not look like a small array.
  EXPECT_EQ(try_make_array<uint64_t>(mu, bytes, size_t{1} << 61), nullptr);
  EXPECT_EQ(try_make_array<uint64_t>(mu, bytes, (size_t{1} << 61) + 1),
            nullptr);
  EXPECT_NE(try_make_array<uint64_t>(mu, bytes, 3), nullptr);
  EXPECT_NE(try_make_array<uint64_t>(mu, bytes, 0), nullptr)
      << "an empty array is a cell";
  gc.collect();
  gc.heap().validate_stw(true);
}

TEST_F(gc_out_of_memory, large_objects) {
  EXPECT_EQ(try_allocate(mu, bytes, kLimit + 1), nullptr);
  EXPECT_THROW(allocate(mu, bytes, kLimit + 1), NoMemory);
  for (int i = 0; i < 20; ++i) {
    // Each fits only when the last is gone.
    EXPECT_NE(allocate(mu, bytes, kLimit * 3 / 4), nullptr);
  }
}

TEST_F(gc_out_of_memory, grow_leaves_the_cell_as_it_was) {
  Scope<1> scope(mu);
  Local<uint64_t> cell(scope, make_array<uint64_t>(mu, array, 10'000));
  Node* node = make(mu, type);
  node->seal(9);
  detail::store_slot<void*>(mu, &cell.get()[9'999], node);
  void** top = mu.shadow_top;
  for (size_t n : {kLimit, SIZE_MAX - 7, SIZE_MAX}) {
    EXPECT_EQ(try_grow(mu, cell, n), nullptr);
    EXPECT_THROW(grow(mu, cell, n), NoMemory);
  }
  EXPECT_EQ(mu.shadow_top, top) << "no Scope is left open";
  EXPECT_EQ(cell_size(gc.runtime(), cell.get()), 80'000u);
  gc.collect();
  EXPECT_TRUE(reinterpret_cast<Node*>(cell.get()[9'999])->intact());
}

TEST_F(gc_out_of_memory, a_weak_cell) {
  Scope<2> scope(mu);
  Local<Node> head(scope);
  fill(head);
  Local<void> weak(scope);
  void** top = mu.shadow_top;
  int made = 0;
  try {
    // The pages are gone; weak cells have a span of their own.
    for (; made < 10'000; ++made) Weak<Node>::make(mu, head);
  } catch (const NoMemory&) {
  }
  EXPECT_LT(made, 10'000);
  EXPECT_EQ(mu.shadow_top, top);
  gc.heap().validate_stw(gc.heap().all_swept());
}

TEST_F(gc_out_of_memory, while_marking) {
  Scope<1> scope(mu);
  Local<Node> head(scope);
  uint64_t n = fill(head);
  gc.start();
  gc.drain(1000);
  EXPECT_THROW(make_array<char>(mu, bytes, kLimit), NoMemory);
  EXPECT_EQ(gc.impl().phase(), gc::Phase::kIdle)
      << "the collections that were tried have ended";
  EXPECT_EQ(count(head), n);
  EXPECT_FALSE(gc.p().in_collector);
}

}  // namespace
}  // namespace tricolor::testing
