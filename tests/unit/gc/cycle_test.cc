// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Whole cycles on one P: what is reachable stays, what is not goes, phases and
// numbers are right.
#include <gtest/gtest.h>

#include "base/os_memory.h"
#include "tests/unit/gc/graph.h"

namespace tricolor::testing {
namespace {

gc::CollectorOptions checked() {
  gc::CollectorOptions o;
  o.gccheckmark = true;
  return o;
}

TEST(gc_cycle, reachable_stays_garbage_goes) {
  GcAlone gc(checked());
  Type<Node> type = node_type(gc);
  Scope<1> scope(gc.mu());
  Local<Node> tree(scope, make_tree(gc.mu(), type, 10));
  for (int i = 0; i < 5; ++i) make_tree(gc.mu(), type, 10);
  gc.collect();
  EXPECT_EQ(check_tree(tree), 2047);
  EXPECT_EQ(gc.live_cells(), 2047u);
  tree = nullptr;
  gc.collect();
  EXPECT_EQ(gc.live_cells(), 0u);
}

TEST(gc_cycle, many_cycles_rotate_the_epochs) {
  GcAlone gc(checked());
  Type<Node> type = node_type(gc);
  Scope<1> scope(gc.mu());
  Local<Node> tree(scope, make_tree(gc.mu(), type, 8));
  for (int i = 0; i < 40; ++i) {
    make_tree(gc.mu(), type, 6);
    gc.collect();
    ASSERT_EQ(check_tree(tree), 511) << "cycle " << i;
    ASSERT_EQ(gc.live_cells(), 511u) << "cycle " << i;
    gc.heap().validate_stw(true);
  }
}

TEST(gc_cycle, allocation_triggers_cycles_and_memory_is_reused) {
  gc::CollectorOptions o = checked();
  o.initial_heap_bytes = 1 << 20;
  GcAlone gc(o);
  Type<Node> type = node_type(gc);
  Scope<1> scope(gc.mu());
  Local<Node> tree(scope, make_tree(gc.mu(), type, 9));
  for (int i = 0; i < 400; ++i) make_tree(gc.mu(), type, 9);
  Stats s{};
  gc.collector().stats(&s);
  EXPECT_GT(s.cycles, 5u);
  EXPECT_LT(s.heap_mapped_bytes, 12u << 20);
  EXPECT_EQ(check_tree(tree), 1023);
}

TEST(gc_cycle, cells_allocated_while_marking_are_black) {
  GcAlone gc(checked());
  Type<Node> type = node_type(gc);
  Scope<2> scope(gc.mu());
  Local<Node> old(scope, make_tree(gc.mu(), type, 8));
  gc.start();
  gc.drain(1000);
  Local<Node> fresh(scope, make_tree(gc.mu(), type, 8));
  gc.finish();
  EXPECT_EQ(check_tree(old), 511);
  EXPECT_EQ(check_tree(fresh), 511);
  fresh = nullptr;
  gc.collect();
  EXPECT_EQ(gc.live_cells(), 511u);
}

TEST(gc_cycle, parked_owners_are_roots) {
  GcAlone gc(checked());
  Type<Node> type = node_type(gc);
  gc::RootOwner* other = gc.add_owner();
  Node* tree = make_tree(gc.mu(), type, 7);
  *other->mu.shadow_top++ = tree;
  gc.collect();
  EXPECT_EQ(check_tree(tree), 255);
  --other->mu.shadow_top;
  other->result_root = reinterpret_cast<uint64_t>(tree);
  gc.collect();
  EXPECT_EQ(gc.live_cells(), 255u);
  other->result_root = 0;
  gc.collect();
  EXPECT_EQ(gc.live_cells(), 0u);
}

TEST(gc_cycle, step_paces_a_cycle_without_threads) {
  GcAlone gc(checked());
  Type<Node> type = node_type(gc);
  Scope<1> scope(gc.mu());
  Local<Node> tree(scope, make_tree(gc.mu(), type, 12));
  gc.start();
  int steps = 0;
  while (gc.collector().step(&gc.mu(), 1)) ++steps;
  EXPECT_GT(steps, 3);
  EXPECT_EQ(check_tree(tree), 8191);
}

TEST(gc_cycle, stress_option_starts_a_cycle_at_every_nth_refill) {
  gc::CollectorOptions o = checked();
  o.gcstress = 1;
  heap::HeapOptions h;
  h.max_run_cells = 1;
  GcAlone gc(o, h);
  Type<Node> type = node_type(gc);
  Scope<1> scope(gc.mu());
  Local<Node> tree(scope, make_tree(gc.mu(), type, 6));
  Stats s{};
  gc.collector().stats(&s);
  EXPECT_GT(s.cycles, 20u);
  EXPECT_EQ(check_tree(tree), 127);
}

TEST(gc_cycle, percent_off_never_collects_by_itself) {
  gc::CollectorOptions o;
  o.gc_percent = -1;
  GcAlone gc(o);
  Type<Node> type = node_type(gc);
  for (int i = 0; i < 200; ++i) make_tree(gc.mu(), type, 9);
  EXPECT_EQ(gc.collector().cycle(), 0u);
  EXPECT_EQ(gc.collector().set_gc_percent(50), -1);
  EXPECT_EQ(gc.collector().set_gc_percent(-5), 50);
  EXPECT_EQ(gc.collector().set_gc_percent(INT32_MIN), kGcOff);
  EXPECT_EQ(gc.collector().set_gc_percent(50), kGcOff);
  make_tree(gc.mu(), type, 9);
  EXPECT_GE(gc.collector().cycle(), 1u);
}

// Percent off while a sweep is under way: it ends all the same, by the refills
// of a layout that has nothing to sweep.
TEST(gc_cycle, a_sweep_ends_though_no_cycle_is_to_follow) {
  GcAlone gc;
  int dead = 0;
  LayoutSpec spec;
  spec.name = "Mortal";
  spec.tail = LayoutSpec::Tail::kNoscan;
  spec.user = &dead;
  spec.on_dead = [](void*, size_t, void* user) { ++*static_cast<int*>(user); };
  const LayoutId mortal = gc.layout(spec);
  spec = {};
  spec.name = "Other";
  spec.tail = LayoutSpec::Tail::kNoscan;
  const LayoutId other = gc.layout(spec);
  gc.collector().set_gc_percent(kGcOff);
  constexpr int kMortals = 20'000;
  for (int i = 0; i < kMortals; ++i) allocate(gc.mu(), mortal, 64);
  gc.start();
  while (gc.impl().phase() != gc::Phase::kSweep) {
    gc.drain(SIZE_MAX);
    gc.impl().advance(&gc.p());
  }
  EXPECT_LT(dead, kMortals);
  for (int i = 0; i < 100'000; ++i) allocate(gc.mu(), other, 1024);
  EXPECT_EQ(dead, kMortals);
  EXPECT_EQ(gc.impl().phase(), gc::Phase::kIdle);
}

// An array whose elements are all grey at once needs more mark stack than the
// first chunks hold, and the OS has no more.
TEST(gc_cycle, no_memory_for_the_mark_stack_costs_time_only) {
  constexpr size_t kChildren = 100'000;
  gc::CollectorOptions o = checked();
  o.gc_percent = kGcOff;
  GcAlone gc(o);
  Type<Node> type = node_type(gc);
  LayoutSpec spec;
  spec.name = "Children";
  spec.tail = LayoutSpec::Tail::kPointers;
  const LayoutId array = gc.layout(spec);
  Scope<1> scope(gc.mu());
  Local<Field<Node>> children(scope);
  children = make_array<Field<Node>>(gc.mu(), array, kChildren);
  for (size_t i = 0; i < kChildren; ++i) {
    Node* tree = make_tree(gc.mu(), type, 2);
    children.get()[i].store(gc.mu(), tree);
  }
  for (int i = 0; i < 20'000; ++i) make_tree(gc.mu(), type, 1);
  const base::OsFaultHook no_memory{[](void*, base::OsCall call, size_t) {
                                      return call == base::OsCall::kMmap;
                                    },
                                    nullptr};
  {
    base::OsFaultScope scope_of_fault(no_memory);
    gc.start();
    gc.finish();
  }
  EXPECT_EQ(gc.live_cells(), 1 + 7 * kChildren);
  for (size_t i = 0; i < kChildren; ++i) {
    ASSERT_EQ(check_tree(children.get()[i].load()), 7) << i;
  }
  EXPECT_TRUE(gc.impl().work.most_bytes() < 100 * 4096) << "it was not short";
  gc.collect();
  EXPECT_EQ(gc.live_cells(), 1 + 7 * kChildren);
}

// While somebody tries to end a phase, which may mean to wait for a task that
// runs for long, there is nothing for idle Ps to do, again and again; one is
// woken when that is over.
TEST(gc_cycle, idle_procs_rest_while_another_moves_the_phase) {
  GcAlone gc;
  gc::CollectorImpl& c = gc.impl();
  static int woken;
  c.world.wake_for_gc = [](void*) { ++woken; };
  gc.start();
  EXPECT_TRUE(c.has_idle_work()) << "roots";
  gc.drain(SIZE_MAX);
  EXPECT_TRUE(c.has_idle_work()) << "the end of the mark";
  ASSERT_TRUE(c.try_advance());
  EXPECT_FALSE(c.has_idle_work());
  c.end_advance();
  EXPECT_TRUE(c.has_idle_work());
  while (c.phase() != gc::Phase::kIdle) {
    const gc::Phase before = c.phase();
    woken = 0;
    gc.p().worker.publish();
    if (!c.advance(&gc.p())) c.run_worker(&gc.p(), &gc.mu(), UINT64_MAX / 4);
    if (c.phase() != before && c.phase() != gc::Phase::kIdle) {
      EXPECT_GE(woken, 1) << static_cast<int>(before);
    }
  }
  EXPECT_FALSE(c.has_idle_work());
}

}  // namespace
}  // namespace tricolor::testing
