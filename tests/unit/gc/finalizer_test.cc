// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Finalizers: once, with a whole cell, in order; and what they may do.
#include "tricolor/finalizer.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/unit/gc/graph.h"
#include "tricolor/heap_inspect.h"
#include "tricolor/resize.h"
#include "tricolor/weak_array.h"

namespace tricolor::testing {
namespace {

using Strength = LayoutSpec::Strength;
using Ids = std::vector<uint64_t>;

class gc_finalizer : public ::testing::Test {
 protected:
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
  gc_finalizer()
      : gc(options(), heap_options()), type(node_type(gc)), mu(gc.mu()) {}

  Node* node(uint64_t id) {
    Node* n = make(mu, type);
    n->seal(id);
    return n;
  }
  static void note(Mutator&, void* object, void* data) {
    auto* n = static_cast<Node*>(object);
    EXPECT_TRUE(n->intact());
    static_cast<Ids*>(data)->push_back(n->id);
  }

  GcAlone gc;
  Type<Node> type;
  Mutator& mu;
  Ids ids;
};

// What they keep for another cycle counts, for the goal of the next one too.
TEST_F(gc_finalizer, what_is_revived_is_part_of_what_lives) {
  {
    Scope<1> scope(mu);
    Local<Node> root(scope, make_tree(mu, type, 17));  // 8 MiB
    add_finalizer(mu, root.get(), note, &ids);
  }
  gc.collect();
  constexpr size_t kCells = (size_t{1} << 18) - 1;
  EXPECT_GE(gc.live_cells(), kCells);
  EXPECT_GE(gc.impl().record.heap_marked, kCells * sizeof(Node));
  EXPECT_GE(gc.impl().pacer.marked_bytes(), kCells * sizeof(Node));
  // Percents are of whole hundreds of bytes.
  EXPECT_GT(gc.impl().pacer.goal() + 100, 2 * kCells * sizeof(Node));
  while (run_finalizers(mu) != 0) {
  }
  gc.collect();
  EXPECT_EQ(gc.live_cells(), 0u);
  EXPECT_LT(gc.impl().pacer.marked_bytes(), sizeof(Node) * 100);
}

TEST_F(gc_finalizer, is_called_once_with_all_that_hangs_off_its_cell) {
  {
    Scope<1> scope(mu);
    Local<Node> root(scope, make_tree(mu, type, 5));
    add_finalizer(
        mu, root.get(),
        [](Mutator&, void* object, void* data) {
          EXPECT_EQ(check_tree(static_cast<Node*>(object)), 63);
          ++*static_cast<int*>(data);
        },
        &ids);
    cancel_finalizer(mu, root.get());
  }
  gc.collect();
  EXPECT_EQ(gc.live_cells(), 0u) << "cancelled";
  int calls = 0;
  {
    Scope<1> scope(mu);
    Local<Node> root(scope, make_tree(mu, type, 5));
    add_finalizer(
        mu, root.get(),
        [](Mutator&, void* object, void* data) {
          EXPECT_EQ(check_tree(static_cast<Node*>(object)), 63);
          ++*static_cast<int*>(data);
        },
        &calls);
    EXPECT_TRUE(has_finalizer(mu, root.get()));
    gc.collect();
    EXPECT_EQ(finalizers_queued(gc.runtime()), 0u);
  }
  gc.collect();
  EXPECT_EQ(finalizers_queued(gc.runtime()), 1u);
  EXPECT_EQ(gc.live_cells(), 63u) << "resurrected";
  gc.collect();
  EXPECT_EQ(gc.live_cells(), 63u) << "the queue is a root";
  EXPECT_EQ(run_finalizers(mu), 1u);
  EXPECT_EQ(calls, 1);
  gc.collect();
  EXPECT_EQ(gc.live_cells(), 0u);
  EXPECT_EQ(run_finalizers(mu), 0u);
}

TEST_F(gc_finalizer, oldest_or_newest_first) {
  for (bool newest : {false, true}) {
    set_finalizer_order(gc.runtime(), newest ? FinalizerOrder::kNewestFirst
                                             : FinalizerOrder::kOldestFirst);
    constexpr uint64_t kN = 3000;
    {
      Scope<1> scope(mu);
      Local<Node> list(scope);
      std::vector<Node*> nodes;
      for (uint64_t i = 0; i < kN; ++i) {
        Node* n = node(i);
        n->left.store(mu, list);
        list = n;
        nodes.push_back(n);
      }
      // Not in the order of addresses: a stride that meets each once.
      for (uint64_t i = 0; i < kN; ++i) {
        Node* n = nodes[i * 1009 % kN];
        n->seal(i);
        add_finalizer(mu, n, note, &ids);
      }
    }
    gc.collect();
    ids.clear();
    EXPECT_EQ(run_finalizers(mu, 10), 10u);
    gc.collect();
    EXPECT_EQ(run_finalizers(mu), kN - 10);
    ASSERT_EQ(ids.size(), kN);
    for (uint64_t i = 0; i < kN; ++i) {
      ASSERT_EQ(ids[i], newest ? kN - 1 - i : i);
    }
  }
}

TEST_F(gc_finalizer, a_cycle_is_finalized_all_of_it) {
  {
    Scope<2> scope(mu);
    Local<Node> a(scope, node(1)), b(scope, node(2));
    a->left.store(mu, b);
    b->left.store(mu, a);
    add_finalizer(mu, a.get(), note, &ids);
    add_finalizer(mu, b.get(), note, &ids);
  }
  gc.collect();
  EXPECT_EQ(run_finalizers(mu), 2u);
  EXPECT_EQ(ids, (Ids{1, 2}));
  gc.collect();
  EXPECT_EQ(gc.live_cells(), 0u);
}

TEST_F(gc_finalizer, may_keep_its_cell_register_it_again_and_collect) {
  struct World {
    GcAlone* gc;
    Global<Node> kept;
    int calls = 0;
  } world{&gc, Global<Node>(gc.runtime()), 0};
  static FinalizerFn again = nullptr;
  again = [](Mutator& m, void* object, void* data) {
    auto* w = static_cast<World*>(data);
    ++w->calls;
    w->kept.set(m, static_cast<Node*>(object));
    add_finalizer(m, object, again, data);
    w->gc->collect();
    EXPECT_TRUE(static_cast<Node*>(object)->intact());
  };
  {
    Scope<1> scope(mu);
    Local<Node> n(scope, node(7));
    add_finalizer(mu, n.get(), again, &world);
  }
  for (int i = 1; i <= 3; ++i) {
    gc.collect();
    EXPECT_EQ(run_finalizers(mu), 1u);
    EXPECT_EQ(world.calls, i);
    gc.collect();
    EXPECT_EQ(finalizers_queued(gc.runtime()), 0u) << "it is kept";
    EXPECT_TRUE(world.kept.get()->intact());
    world.kept.set(mu, nullptr);
  }
}

TEST_F(gc_finalizer, makes_garbage_with_finalizers_until_there_is_none) {
  struct World {
    Type<Node> type;
    int left;
  } world{type, 5};
  static FinalizerFn next = nullptr;
  next = [](Mutator& m, void*, void* data) {
    auto* w = static_cast<World*>(data);
    if (--w->left == 0) return;
    Scope<1> scope(m);
    Local<Node> n(scope, make(m, w->type));
    add_finalizer(m, n.get(), next, data);
  };
  add_finalizer(mu, node(1), next, &world);
  EXPECT_EQ(finalize_all(mu), 5u);
  EXPECT_EQ(world.left, 0);
}

TEST_F(gc_finalizer, short_weak_words_die_before_long_ones_after) {
  Scope<6> scope(mu);
  Local<Node> n(scope, node(1));
  Local<Node> child(scope, node(2));
  n->left.store(mu, child);
  Error error;
  const LayoutId longs = register_weak_array(gc.runtime(), Strength::kLongWeak,
                                             kRawPointers, &error);
  const LayoutId shorts =
      register_weak_array(gc.runtime(), Strength::kWeak, kRawPointers, &error);
  Local<WeakArray<Node>> s(scope, WeakArray<Node>::make(mu, shorts, 2));
  Local<WeakArray<Node>> l(scope, WeakArray<Node>::make(mu, longs, 2));
  Local<Weak<Node>> w(scope, Weak<Node>::make(mu, child));
  Local<LongWeak<Node>> lw(scope, LongWeak<Node>::make(mu, child));
  for (auto* a : {s.get(), l.get()}) {
    a->store(mu, 0, n);
    a->store(mu, 1, child);
  }
  add_finalizer(mu, n.get(), note, &ids);
  Node* was = n;
  Node* was_child = child;
  n = nullptr;
  child = nullptr;
  gc.collect();
  EXPECT_EQ(s->load(mu, 0), nullptr);
  EXPECT_EQ(s->load(mu, 1), nullptr);
  EXPECT_EQ(w->get(mu), nullptr);
  EXPECT_EQ(l->load(mu, 0), was);
  EXPECT_EQ(l->load(mu, 1), was_child);
  EXPECT_EQ(lw->get(mu), was_child);
  EXPECT_FALSE(release(mu, was)) << "a long weak word refers to it";
  EXPECT_EQ(run_finalizers(mu), 1u);
  gc.collect();
  EXPECT_EQ(l->load(mu, 0), nullptr);
  EXPECT_EQ(lw->get(mu), nullptr);
  EXPECT_EQ(l->cleared(), 2u);
}

TEST_F(gc_finalizer, nothing_of_a_resurrected_graph_is_seen_half_marked) {
  // A long weak reader in every step: null, or all of it. More than a piece.
  constexpr int kTrees = 60;
  for (int steps = 0; steps < 20; ++steps) {
    Scope<2> scope(mu);
    Local<LongWeak<Node>> w(scope);
    Local<Node> kept(scope);  // a place for each tree
    {
      Scope<2> inner(mu);
      Local<Node> list(inner), tree(inner);
      for (int i = 0; i < kTrees; ++i) {
        Node* place = node(2);
        place->left.store(mu, kept);
        kept = place;
        tree = make_tree(mu, type, 7);
        Node* n = node(1);
        n->left.store(mu, list);
        n->right.store(mu, tree);
        list = n;
      }
      add_finalizer(mu, list.get(), note, &ids);
      w = LongWeak<Node>::make(mu, list);
    }
    gc.start();
    while (gc.impl().phase() == gc::Phase::kMark) {
      gc.drain(1 << 20);
      gc.impl().advance(&gc.p());
    }
    for (int i = 0; i < steps && gc.impl().phase() == gc::Phase::kSettle; ++i) {
      gc.impl().advance(&gc.p());
      verify_heap(mu);  // between two pieces
    }
    Scope<2> taken(mu);
    Local<Node> rest(taken, w->get(mu)), at(taken, kept.get());
    // Takes it apart, with the barrier off and no allocation, which would go
    // on with the cycle: what it led to must not be lost.
    int trees = 0;
    while (rest != nullptr) {
      at->right.store(mu, rest->right.load());
      at = at->left.load();
      rest->right.store(mu, nullptr);
      ++trees;
      rest = rest->left.load();
    }
    ASSERT_TRUE(trees == 0 || trees == kTrees) << steps;
    gc.finish();
    for (at = kept.get(); trees > 0; --trees, at = at->left.load()) {
      ASSERT_EQ(check_tree(at->right.load()), 255) << steps;
    }
    ASSERT_NE(w->get(mu), nullptr);
    run_finalizers(mu);
    gc.collect();
    ASSERT_EQ(w->get(mu), nullptr);
  }
}

TEST_F(gc_finalizer, ephemerons_of_what_was_resurrected) {
  Error error;
  const LayoutId pairs = register_weak_array(gc.runtime(), Strength::kEphemeron,
                                             kRawPointers, &error);
  using Pairs = EphemeronArray<Node, Node>;
  Scope<2> scope(mu);
  Local<Pairs> a(scope, Pairs::make(mu, pairs, 3));
  Local<Node> key(scope, node(1));
  (*a)[0].store(mu, key, node(2));
  (*a)[1].store(mu, (*a)[0].value(mu), node(3));  // a chain from the key on
  (*a)[2].store(mu, node(4), node(5));            // dies
  add_finalizer(mu, key.get(), note, &ids);
  key = nullptr;
  gc.collect();
  EXPECT_EQ(a->cleared(), 1u);
  ASSERT_NE((*a)[0].key(mu), nullptr);
  EXPECT_TRUE((*a)[0].value(mu)->intact());
  EXPECT_TRUE((*a)[1].value(mu)->intact());
  EXPECT_EQ((*a)[2].key(mu), nullptr);
  run_finalizers(mu);
  gc.collect();
  EXPECT_EQ(a->cleared(), 3u);
  EXPECT_EQ(gc.live_cells(), 1u);
}

TEST_F(gc_finalizer, the_queue_while_marking) {
  {
    Scope<1> scope(mu);
    Local<Node> list(scope);
    for (uint64_t i = 0; i < 2000; ++i) {
      Node* n = node(i);
      n->left.store(mu, list);
      list = n;
      add_finalizer(mu, n, note, &ids);
    }
  }
  gc.collect();
  Scope<1> scope(mu);
  Local<Node> got(scope);
  gc.start();
  gc.impl().scan_owner(&gc.p(), reinterpret_cast<gc::RootOwner*>(&mu));
  for (int i = 0; i < 700; ++i) {  // more than a piece of roots
    Finalizable next;
    ASSERT_TRUE(take_finalizable(mu, &next));
    got = static_cast<Node*>(next.object);
    if (i % 100 == 0) gc.drain(64);
  }
  gc.finish();
  EXPECT_TRUE(got->intact());
  got = nullptr;
  EXPECT_EQ(run_finalizers(mu), 1300u);
  EXPECT_EQ(ids.size(), 1300u);
  gc.collect();
  EXPECT_EQ(gc.live_cells(), 0u);
}

TEST_F(gc_finalizer, goes_with_a_cell_that_grows) {
  LayoutSpec spec;
  spec.name = "Buffer";
  spec.tail = LayoutSpec::Tail::kNoscan;
  const LayoutId layout = gc.layout(spec);
  static size_t bytes;
  bytes = 0;
  {
    Scope<1> scope(mu);
    void** slot = scope.take();
    *slot = allocate(mu, layout, 100);
    add_finalizer(mu, *slot, [](Mutator& m, void* object, void*) {
      bytes = gc::proc_of(&m)->heap->cell_bytes(object);
    });
    *slot = grow(mu, *slot, 5000);
    EXPECT_TRUE(has_finalizer(mu, *slot));
    gc.collect();
    EXPECT_EQ(run_finalizers(mu), 0u);
  }
  gc.collect();
  EXPECT_EQ(run_finalizers(mu), 1u);
  EXPECT_GE(bytes, 5000u);
}

TEST_F(gc_finalizer, a_table_outside_the_heap) {
  // Interned strings: the table holds them weakly.
  void* table = node(1);
  EXPECT_TRUE(shade_if_alive(mu, table));
  gc.start();
  gc.impl().scan_owner(&gc.p(), reinterpret_cast<gc::RootOwner*>(&mu));
  EXPECT_TRUE(shade_if_alive(mu, table)) << "and so it is marked";
  gc.finish();
  EXPECT_TRUE(static_cast<Node*>(table)->intact());
  gc.start();
  while (gc.impl().phase() == gc::Phase::kMark) {
    gc.drain(1 << 20);
    gc.impl().advance(&gc.p());
  }
  EXPECT_FALSE(shade_if_alive(mu, table));
  gc.finish();
}

TEST_F(gc_finalizer, a_second_registration_takes_the_place_of_the_first) {
  add_finalizer(mu, node(1), note, &ids);
  {
    Scope<1> scope(mu);
    Local<Node> n(scope, node(2));
    add_finalizer(mu, n.get(), [](Mutator&, void*, void*) { FAIL(); });
    add_finalizer(mu, n.get(), note, &ids);
    EXPECT_FALSE(release(mu, n.get()));
  }
  gc.collect();
  EXPECT_EQ(run_finalizers(mu), 2u);
  EXPECT_EQ(ids, (Ids{1, 2}));
  EXPECT_DEATH(add_finalizer(mu, &ids, note), "is not the start of a live");
  EXPECT_DEATH(add_finalizer(mu, node(1), nullptr), "function is null");
}

}  // namespace
}  // namespace tricolor::testing
