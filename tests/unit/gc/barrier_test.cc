// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// The hybrid barrier: a random graph is rewired between small steps of
// marking; the second mark and the checksums judge. A planted dropped barrier
// must be found.
#include <gtest/gtest.h>

#include <vector>

#include "base/rng.h"
#include "tests/support/stress.h"
#include "tests/unit/gc/graph.h"

namespace tricolor::testing {
namespace {

constexpr size_t kHandles = 24;

/// Random walks and random stores over what kHandles locals hold.
class Rewirer {
 public:
  Rewirer(GcAlone& gc, const Type<Node>& type, uint64_t seed)
      : gc_(gc), type_(type), rng_{seed} {}

  void run(int operations) {
    Scope<kHandles> scope(gc_.mu());
    void** slots[kHandles];
    for (auto& s : slots) s = scope.take();
    for (int i = 0; i < operations; ++i) {
      step(slots);
      if (rng_.below(8) == 0 && gc_.collector().marking()) gc_.drain(64);
      if (rng_.below(400) == 0) {
        if (gc_.impl().phase() == gc::Phase::kIdle) {
          gc_.start();
        } else {
          gc_.finish();
        }
      }
    }
    gc_.finish();
    for (auto& s : slots) {
      if (*s != nullptr) {
        ASSERT_TRUE(static_cast<Node*>(*s)->intact());
      }
    }
  }

 private:
  static Node* node(void** slot) { return static_cast<Node*>(*slot); }

  void step(void*** slots) {
    Mutator& mu = gc_.mu();
    void** a = slots[rng_.below(kHandles)];
    void** b = slots[rng_.below(kHandles)];
    if (*a == nullptr || rng_.below(16) == 0) {
      Node* n = make(mu, type_);
      n->seal(++ids_);
      *a = n;
      return;
    }
    ASSERT_TRUE(node(a)->intact());
    Field<Node>& f = rng_.below(2) != 0 ? node(a)->left : node(a)->right;
    switch (rng_.below(6)) {
      case 0:
        f.store(mu, node(b));
        break;
      case 1:
        *b = f.load();
        break;
      case 2:
        *b = f.exchange(mu, node(b));
        break;
      case 3: {
        Node* expected = f.load();
        f.compare_exchange(mu, expected, node(b));
        break;
      }
      case 4:
        f.store(mu, nullptr);
        break;
      default:
        *b = nullptr;
    }
  }

  GcAlone& gc_;
  Type<Node> type_;
  base::Rng rng_;
  uint64_t ids_ = 0;
};

TEST(gc_barrier, random_graph_loses_nothing) {
  gc::CollectorOptions o;
  o.gccheckmark = true;
  o.clobberfree = true;
  heap::HeapOptions h;
  h.clobber_free = true;
  uint64_t seed = test_seed();
  for (int round = 0; round < stress_scale(10, 500); ++round) {
    GcAlone gc(o, h);
    Rewirer(gc, node_type(gc), seed + static_cast<uint64_t>(round)).run(20000);
  }
}

TEST(gc_barrier, buffer_overflows_into_marking) {
  gc::CollectorOptions o;
  o.gccheckmark = true;
  GcAlone gc(o);
  Type<Node> type = node_type(gc);
  Scope<2> scope(gc.mu());
  Local<Node> tree(scope, make_tree(gc.mu(), type, 12));
  Local<Node> keep(scope, make(gc.mu(), type));
  gc.start();
  // Deleting every edge of the tree, breadth first, records old values only.
  std::vector<Node*> all{tree.get()};
  for (size_t i = 0; i < all.size(); ++i) {
    for (Field<Node>* f : {&all[i]->left, &all[i]->right}) {
      if (Node* child = f->load()) all.push_back(child);
      f->store(gc.mu(), nullptr);
    }
  }
  EXPECT_GT(gc.p().barrier_count, 0u);
  keep->left.store(gc.mu(), all[all.size() / 2]);
  gc.finish();
  for (Node* n : all) ASSERT_TRUE(n->intact());
  EXPECT_EQ(gc.live_cells(), all.size() + 1);
  tree = nullptr;
  gc.collect();
  EXPECT_EQ(gc.live_cells(), 2u);
}

/// The deletion barrier is what keeps this: the only edge to a white cell is
/// moved into an already scanned stack, then cut.
void hide_behind_black_stack(uint32_t drop) {
  gc::CollectorOptions o;
  o.gccheckmark = true;
  o.test_drop_barrier = drop;
  GcAlone gc(o);
  Type<Node> type = node_type(gc);
  gc::RootOwner* other = gc.add_owner();
  Scope<2> scope(gc.mu());
  Node* child = make(gc.mu(), type);
  Local<Node> hidden(scope, child);
  Node* parent = make(gc.mu(), type);
  parent->left.init(gc.mu(), hidden);
  hidden = nullptr;
  *other->mu.shadow_top++ = parent;
  gc.start();
  gc.impl().scan_owner(&gc.p(), reinterpret_cast<gc::RootOwner*>(&gc.mu()));
  hidden = parent->left.load();
  parent->left.store(gc.mu(), nullptr);
  gc.finish();
  EXPECT_EQ(gc.live_cells(), 2u);
}

TEST(gc_barrier, deletion_half_keeps_the_snapshot) {
  hide_behind_black_stack(/*drop=*/0);
}

TEST(gc_barrier, planted_dropped_barrier_is_found_by_the_second_mark) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(hide_behind_black_stack(/*drop=*/1),
               "gccheckmark: lost object .*layout 'Node'");
}

}  // namespace
}  // namespace tricolor::testing
