// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// LayoutSpec::deferred: what is behind such a cell is no Field's, so its trace
// function must find the world stopped, and the stops must be short.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "tests/unit/gc/graph.h"
#include "tricolor/finalizer.h"
#include "tricolor/global.h"
#include "tricolor/resize.h"

namespace tricolor::testing {
namespace {

/// A cell with its pointers in a std::vector.
struct Bag {
  std::vector<void*>* items;
};

GcAlone* g_gc;
int g_traced;
int g_in_one_stop;
int g_last_stop;
int g_most_in_one_stop;

void trace_bag(Tracer& tracer, void* cell, size_t, void*) {
  auto* items = static_cast<Bag*>(cell)->items;
  if (items == nullptr) return;  // a new one, or the trial
  EXPECT_TRUE(g_gc->stopped());
  g_in_one_stop = g_gc->stops() == g_last_stop ? g_in_one_stop + 1 : 1;
  g_last_stop = g_gc->stops();
  g_most_in_one_stop = std::max(g_most_in_one_stop, g_in_one_stop);
  ++g_traced;
  for (void* p : *items) tracer.visit(p);
}

class gc_deferred : public ::testing::Test {
 protected:
  explicit gc_deferred(bool checks = true)
      : gc(options(checks)), mu(gc.mu()), node(node_type(gc)) {
    g_gc = &gc;
    LayoutSpec spec;
    spec.name = "Bag";
    spec.head_bytes = sizeof(Bag);
    spec.trace = trace_bag;
    spec.deferred = true;
    bag = Type<Bag>(gc.layout(spec));
    g_traced = g_in_one_stop = g_last_stop = g_most_in_one_stop = 0;
  }
  static gc::CollectorOptions options(bool checks) {
    gc::CollectorOptions o;
    o.gc_percent = -1;
    o.gccheckmark = checks;
    return o;
  }
  Bag* make_bag() {
    Bag* b = make(mu, bag);
    items_.push_back(std::make_unique<std::vector<void*>>());
    b->items = items_.back().get();
    return b;
  }

  std::vector<std::unique_ptr<std::vector<void*>>> items_;
  GcAlone gc;
  Mutator& mu;
  Type<Node> node;
  Type<Bag> bag;
};

class gc_deferred_stops : public gc_deferred {
 protected:
  gc_deferred_stops() : gc_deferred(/*checks=*/false) {}
};

TEST_F(gc_deferred, is_traced_in_stops_alone) {
  Scope<2> scope(mu);
  Local<Bag> keep(scope, make_bag());
  for (int i = 0; i < 10; ++i) keep->items->push_back(make_tree(mu, node, 3));
  make_bag()->items->push_back(make(mu, node));
  gc.collect();
  EXPECT_EQ(gc.live_cells(), 1u + 10 * 15);
  for (void* p : *keep->items) EXPECT_EQ(check_tree(static_cast<Node*>(p)), 15);
  EXPECT_GE(g_traced, 2) << "by the mark and by the second one";
}

TEST_F(gc_deferred, chains_and_what_hangs_off_them) {
  Scope<2> scope(mu);
  Local<Bag> head(scope);
  for (int i = 0; i < 200; ++i) {
    Local<Bag>& h = head;
    Bag* b = make_bag();
    b->items->push_back(h.get());
    head = b;
    b->items->push_back(make_tree(mu, node, 2));
  }
  gc.collect();
  EXPECT_EQ(gc.live_cells(), 200u * 8);
}

// Beside a mutator that moves things between them as it may.
TEST_F(gc_deferred, changes_beside_the_mark_are_told_by_shade) {
  Scope<2> scope(mu);
  Local<Bag> a(scope, make_bag());
  Local<Bag> b(scope, make_bag());
  for (int i = 0; i < 64; ++i) {
    a->items->push_back(make_tree(mu, node, 2));
  }
  gc.set_look_ns(200'000);  // one of them in a stop
  for (int round = 0; round < 50; ++round) {
    gc.start();
    gc.scan_owner(0);
    for (int i = 0; gc.impl().phase() == gc::Phase::kMark; ++i) {
      Bag* from = (i & 1) == 0 ? a.get() : b.get();
      Bag* to = (i & 1) == 0 ? b.get() : a.get();
      for (int k = 0; k < round % 5 && !from->items->empty(); ++k) {
        void* moved = from->items->back();
        shade(mu, moved);
        from->items->pop_back();
        to->items->push_back(moved);
      }
      gc.drain(64);
      gc.impl().advance(&gc.p());
    }
    gc.finish();
  }
  EXPECT_EQ(a->items->size() + b->items->size(), 64u);
  EXPECT_EQ(gc.live_cells(), 2u + 64 * 7);
}

TEST_F(gc_deferred_stops, are_short_and_leave_time_between) {
  Scope<1> scope(mu);
  Local<Bag> head(scope, make_bag());
  for (int i = 0; i < 300; ++i) {
    Bag* b = make_bag();
    head->items->push_back(b);
    b->items->push_back(make(mu, node));
  }
  gc.set_look_ns(20'000);  // a look after each: five of them are 100 us
  const int before = gc.stops();
  gc.collect();
  EXPECT_EQ(g_traced, 301);
  EXPECT_LE(g_most_in_one_stop, 6);
  EXPECT_GE(gc.stops() - before, 301 / 6);
  EXPECT_EQ(gc.live_cells(), 601u);
  // A fifth of the time at most.
  const gc::CycleRecord& r = gc.impl().record;
  EXPECT_GT(r.mark_end_ns - r.mark_start_ns, 4 * r.stop2_ns);
}

TEST_F(gc_deferred, what_a_finalizer_revives) {
  Scope<1> scope(mu);
  Local<Bag> kept(scope);
  {
    Bag* b = make_bag();
    b->items->push_back(make_tree(mu, node, 3));
    b->items->push_back(make_bag());
    static_cast<Bag*>(b->items->back())->items->push_back(make(mu, node));
    add_finalizer(
        mu, b, [](Mutator&, void*, void*) {}, nullptr);
  }
  gc.collect();
  Finalizable dead;
  ASSERT_TRUE(take_finalizable(mu, &dead));
  kept = static_cast<Bag*>(dead.object);
  gc.collect();
  EXPECT_EQ(check_tree(static_cast<Node*>((*kept->items)[0])), 15);
  EXPECT_EQ(gc.live_cells(), 1u + 15 + 1 + 1);
}

TEST_F(gc_deferred, is_not_grown_and_wants_a_trace_function) {
  Scope<1> scope(mu);
  Local<Bag> b(scope, make_bag());
  EXPECT_DEATH(grow(mu, b.get(), 64), "layout 'Bag' is deferred");
  LayoutSpec spec;
  spec.name = "Odd";
  spec.head_bytes = 16;
  spec.deferred = true;
  Error error;
  EXPECT_EQ(gc.heap().layouts().add(spec, 0, &error), kInvalidLayout);
  EXPECT_NE(std::string(error.text).find("deferred is set without trace"),
            std::string::npos);
}

}  // namespace
}  // namespace tricolor::testing
