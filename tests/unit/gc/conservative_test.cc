// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Words as roots: which of them keep a cell, and which are ignored. The native
// stack is a vector here.
#include "gc/conservative.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "tests/unit/gc/graph.h"
#include "tricolor/resize.h"

namespace tricolor::testing {
namespace {

class gc_conservative : public ::testing::Test {
 protected:
  gc_conservative() {
    g_stack = &stack_;
    gc_.impl().world.conservative = true;
    gc_.impl().world.native_roots = [](void*, gc::RootOwner*, const char* here,
                                       gc::NativeRoots* out) {
      EXPECT_NE(here, nullptr);
      out->add(g_stack->data(), g_stack->data() + g_stack->size());
    };
  }
  void push(const void* p) { stack_.push_back(reinterpret_cast<uint64_t>(p)); }
  static gc::CollectorOptions options() {
    gc::CollectorOptions o;
    o.gccheckmark = true;
    o.clobberfree = true;
    return o;
  }
  static heap::HeapOptions heap_options() {
    heap::HeapOptions o;
    o.clobber_free = true;
    return o;
  }

  static inline std::vector<uint64_t>* g_stack;
  GcAlone gc_{options(), heap_options()};
  Mutator& mu_ = gc_.mu();
  Type<Node> node_ = node_type(gc_);
  std::vector<uint64_t> stack_;
};

TEST_F(gc_conservative, a_graph_hangs_on_one_word) {
  Node* root = make_tree(mu_, node_, 8);
  push(root);
  for (int i = 0; i < 3; i++) {
    gc_.collect();
    EXPECT_EQ(gc_.live_cells(), 511u);
  }
  EXPECT_EQ(check_tree(root), 511);
  stack_.clear();
  gc_.collect();
  EXPECT_EQ(gc_.live_cells(), 0u);
}

// Every byte of cells of all kinds of spans, and the first one past them.
TEST_F(gc_conservative, every_byte_of_a_cell_counts_and_none_beyond) {
  LayoutSpec spec;
  spec.name = "bytes";
  spec.tail = LayoutSpec::Tail::kNoscan;
  const LayoutId bytes = gc_.layout(spec);
  const uint32_t before = heap::kRareBytes;
  for (size_t size :
       {size_t{16}, size_t{48}, size_t{112}, size_t{512}, size_t{1280},
        size_t{9472}, size_t{32768}, size_t{40000}, size_t{1} << 20}) {
    // The first ones lie in a mixed span, the last in one of their own.
    for (size_t skip : {size_t{0}, 2 * before / size}) {
      char* cell = nullptr;
      for (size_t i = 0; i <= skip; i++) {
        cell = static_cast<char*>(allocate(mu_, bytes, size));
      }
      heap::Heap& heap = gc_.heap();
      const size_t usable = heap.cell_bytes(cell);
      const size_t step = size > 4096 ? 997 : 1;
      for (size_t at = 0; at < usable; at += step) {
        ASSERT_EQ(heap.cell_around(cell + at), cell) << size << " + " << at;
      }
      EXPECT_EQ(heap.cell_around(cell + usable - 1), cell);
      EXPECT_NE(heap.cell_around(cell + usable), cell);
      EXPECT_NE(heap.cell_around(cell - 1), cell);
      for (size_t at : {size_t{0}, size_t{1}, usable / 2, usable - 1}) {
        stack_ = {reinterpret_cast<uint64_t>(cell + at)};
        gc_.collect();
        EXPECT_EQ(gc_.live_cells(), 1u) << size << " + " << at;
      }
      stack_.clear();
      gc_.collect();
      EXPECT_EQ(gc_.live_cells(), 0u) << size;
      EXPECT_EQ(heap.cell_around(cell), nullptr);
    }
  }
}

TEST_F(gc_conservative, words_that_mean_nothing_are_ignored) {
  Node* live = make(mu_, node_);
  push(live);
  const auto base = reinterpret_cast<uint64_t>(gc_.heap().space().base());
  const uint64_t committed = gc_.heap().space().committed_bytes();
  for (uint64_t word :
       {uint64_t{0}, uint64_t{1}, ~uint64_t{0}, base, base - 1,
        base + committed - 1, base + committed, base + (uint64_t{1} << 40),
        reinterpret_cast<uint64_t>(this)}) {
    stack_.push_back(word);
  }
  for (uint64_t at = base; at < base + committed; at += 4096) {
    stack_.push_back(at + 8);
  }
  stack_.erase(std::remove_if(stack_.begin() + 1, stack_.end(),
                              [&](uint64_t w) {
                                return gc_.heap().cell_around(
                                           reinterpret_cast<void*>(w)) == live;
                              }),
               stack_.end());
  gc_.collect();
  // What lies in a run a P owns may be marked, and is free again by now.
  EXPECT_EQ(gc_.live_cells(), 1u);
  EXPECT_EQ(live->id, 0u);
}

TEST_F(gc_conservative, a_released_cell_stays_released) {
  LayoutSpec spec;
  spec.name = "bytes";
  spec.tail = LayoutSpec::Tail::kNoscan;
  const LayoutId bytes = gc_.layout(spec);
  for (size_t size : {size_t{32}, size_t{2048}, size_t{100000}}) {
    void* cell = allocate(mu_, bytes, size);
    push(cell);
    push(static_cast<char*>(cell) + 8);
    EXPECT_EQ(gc_.heap().cell_around(cell), cell);
    ASSERT_TRUE(release(mu_, cell));
    EXPECT_EQ(gc_.heap().cell_around(cell), nullptr);
    gc_.collect();
    EXPECT_EQ(gc_.live_cells(), 0u) << size;
    stack_.clear();
  }
}

// Released while it is being marked, and found by a stale word after that.
TEST_F(gc_conservative, a_cell_released_during_the_mark) {
  LayoutSpec spec;
  spec.name = "bytes";
  spec.tail = LayoutSpec::Tail::kNoscan;
  const LayoutId bytes = gc_.layout(spec);
  void* cell = allocate(mu_, bytes, 64);
  gc::RootOwner* other = gc_.add_owner();
  (void)other;
  push(cell);
  gc_.start();
  release(mu_, cell);
  gc_.drain(SIZE_MAX);
  gc_.finish();
  stack_.clear();
  gc_.collect();
  EXPECT_EQ(gc_.live_cells(), 0u);
}

TEST_F(gc_conservative, what_was_allocated_before_the_cycle_and_not_stored) {
  gc::RootOwner* other = gc_.add_owner();
  (void)other;
  Node* node = make(mu_, node_);
  node->seal(7);
  push(reinterpret_cast<char*>(node) + 9);
  gc_.start();
  for (int i = 0; i < 1000; i++) make(mu_, node_);
  gc_.finish();
  EXPECT_TRUE(node->intact());
  gc_.collect();
  EXPECT_TRUE(node->intact());
  EXPECT_EQ(gc_.live_cells(), 1u);
}

TEST_F(gc_conservative, what_is_read_counts_as_scanned) {
  stack_.assign(100'000, 0);
  gc_.collect();
  EXPECT_GE(gc_.p().stack_bytes, stack_.size() * 8);
}

}  // namespace
}  // namespace tricolor::testing
