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
#include "tricolor/bulk.h"
#include "tricolor/global.h"
#include "tricolor/tricolor.h"
#include "tricolor/weak.h"

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
      // Half of a cycle's stores are those of a black task.
      if (rng_.below(64) == 0 && gc_.collector().marking()) gc_.scan_owner(0);
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
    switch (rng_.below(8)) {
      case 6:
        if (*b != nullptr) {
          copy_fields(mu, &node(a)->left, &node(b)->left, 2);
        }
        break;
      case 7:
        fill_fields(mu, &node(a)->left, node(b), 2);
        break;
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
  gc.scan_owner(0);
  ASSERT_EQ(gc.mu().barrier_on, uint32_t{TRI_BARRIER_BLACK});
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

/// A parent with a child, both white when the cycle begins: the parent is held
/// by another task, so the test's own may be black and both still unmarked.
class Colours : public ::testing::Test {
 protected:
  Colours() : gc_(options()), type_(node_type(gc_)) {
    other_ = gc_.add_owner();
    Scope<2> scope(gc_.mu());
    Local<Node> child(scope, make(gc_.mu(), type_));
    Local<Node> parent(scope, make(gc_.mu(), type_));
    parent->left.init(gc_.mu(), child);
    *other_->mu.shadow_top++ = parent;
    parent_ = parent;
    child_ = child;
  }
  static gc::CollectorOptions options() {
    gc::CollectorOptions o;
    o.gccheckmark = true;
    return o;
  }
  void begin(uint32_t colour) {
    gc_.start();
    // No marking in the allocations that follow.
    gc_.impl().options.assist_policy = AssistPolicy::kOff;
    gc_.p().slice_end_ns = UINT64_MAX;
    EXPECT_EQ(gc_.mu().barrier_on, uint32_t{TRI_BARRIER_GREY});
    if (colour == TRI_BARRIER_BLACK) gc_.scan_owner(0);
    ASSERT_EQ(gc_.mu().barrier_on, colour);
  }
  /// How many cells the barrier has noted since the last call.
  uint32_t noted() {
    const uint32_t n = gc_.p().barrier_count - seen_;
    seen_ = gc_.p().barrier_count;
    return n;
  }
  Mutator& mu() { return gc_.mu(); }

  GcAlone gc_;
  Type<Node> type_;
  gc::RootOwner* other_;
  Node* parent_;
  Node* child_;
  uint32_t seen_ = 0;
};

TEST_F(Colours, state_follows_the_phase_and_the_scan) {
  EXPECT_EQ(mu().barrier_on, uint32_t{TRI_BARRIER_OFF});
  begin(TRI_BARRIER_BLACK);
  EXPECT_EQ(gc_.mu(1).barrier_on, uint32_t{TRI_BARRIER_GREY});
  // Born while marking: black.
  gc_.add_owner();
  EXPECT_EQ(gc_.mu(2).barrier_on, uint32_t{TRI_BARRIER_BLACK});
  gc_.finish();
  EXPECT_EQ(mu().barrier_on, uint32_t{TRI_BARRIER_OFF});
  // What the last cycle has scanned is grey in the next one.
  begin(TRI_BARRIER_GREY);
  gc_.finish();
}

TEST_F(Colours, grey_shades_both_values) {
  Scope<1> scope(mu());
  Local<Node> fresh(scope);
  begin(TRI_BARRIER_GREY);
  fresh = make(mu(), type_);
  fresh->left.init(mu(), child_);
  EXPECT_EQ(noted(), 1u);
  fresh->right.store(mu(), parent_);
  EXPECT_EQ(noted(), 1u);
  EXPECT_EQ(parent_->left.exchange(mu(), parent_), child_);
  EXPECT_EQ(noted(), 2u);
  Node* expected = child_;
  EXPECT_FALSE(parent_->left.compare_exchange(mu(), expected, nullptr));
  EXPECT_EQ(noted(), 0u);
  EXPECT_TRUE(parent_->left.compare_exchange(mu(), expected, child_));
  EXPECT_EQ(noted(), 2u);
  gc_.finish();
}

TEST_F(Colours, black_shades_old_values_only) {
  Scope<2> scope(mu());
  Local<Node> fresh(scope), held(scope);
  begin(TRI_BARRIER_BLACK);
  fresh = make(mu(), type_);
  held = parent_->left.load();
  fresh->left.init(mu(), held);
  fresh->right.store(mu(), held);
  EXPECT_EQ(noted(), 0u);
  EXPECT_EQ(parent_->left.exchange(mu(), nullptr), child_);
  EXPECT_EQ(noted(), 1u);
  Node* expected = held;
  EXPECT_TRUE(fresh->right.compare_exchange(mu(), expected, nullptr));
  EXPECT_EQ(noted(), 1u);
  gc_.finish();
  EXPECT_EQ(gc_.live_cells(), 3u);
}

void c_forms(GcAlone& gc, uint32_t* seen, Node* fresh, Node* parent,
             Node* child) {
  auto noted = [&gc, seen] {
    const uint32_t n = gc.p().barrier_count - *seen;
    *seen = gc.p().barrier_count;
    return n;
  };
  Mutator& mu = gc.mu();
  const uint32_t grey = mu.barrier_on == TRI_BARRIER_GREY ? 1 : 0;
  auto** left = reinterpret_cast<void**>(&fresh->left);
  auto* word = reinterpret_cast<uint64_t*>(left);
  tri_store_init(&mu, left, child);
  EXPECT_EQ(noted(), grey);
  void* expected = child;
  EXPECT_TRUE(tri_compare_exchange(&mu, left, &expected, parent));
  EXPECT_EQ(noted(), 1 + grey);
  EXPECT_FALSE(tri_compare_exchange(&mu, left, &expected, nullptr));
  EXPECT_EQ(expected, parent);
  EXPECT_EQ(noted(), 0u);
  EXPECT_EQ(tri_exchange(&mu, left, child), parent);
  EXPECT_EQ(noted(), 1 + grey);
  tri_store_word(&mu, word, child, 0, nullptr);
  EXPECT_EQ(noted(), 1u);
  const auto as_word = reinterpret_cast<uint64_t>(parent);
  tri_store_word_init(&mu, word, as_word, parent);
  EXPECT_EQ(noted(), grey);
  EXPECT_EQ(tri_exchange_word(&mu, TRI_RAW_POINTERS, word, 0), as_word);
  EXPECT_EQ(noted(), 1u);
  uint64_t zero = 0;
  EXPECT_TRUE(
      tri_compare_exchange_word(&mu, word, &zero, nullptr, as_word, parent));
  EXPECT_EQ(noted(), grey);
  tri_shade(&mu, child);
  EXPECT_EQ(noted(), 1u);
}

TEST_F(Colours, c_forms_of_a_grey_task) {
  Scope<1> scope(mu());
  begin(TRI_BARRIER_GREY);
  Local<Node> fresh(scope, make(mu(), type_));
  c_forms(gc_, &seen_, fresh, parent_, child_);
  gc_.finish();
}

TEST_F(Colours, c_forms_of_a_black_task) {
  Scope<1> scope(mu());
  begin(TRI_BARRIER_BLACK);
  Local<Node> fresh(scope, make(mu(), type_));
  c_forms(gc_, &seen_, fresh, parent_, child_);
  gc_.finish();
}

// What a black task finds where the collector does not look is shaded.
TEST_F(Colours, black_shades_what_it_reads_weakly) {
  Scope<2> scope(mu());
  Local<Weak<Node>> weak(scope, Weak<Node>::make(mu(), child_));
  Local<Node> found(scope);
  parent_->left.store(mu(), nullptr);
  begin(TRI_BARRIER_BLACK);
  found = weak->get(mu());
  EXPECT_EQ(noted(), 1u);
  gc_.finish();
  EXPECT_EQ(gc_.live_cells(), 3u);
  found = nullptr;
  Node* hidden = make(mu(), type_);
  begin(TRI_BARRIER_BLACK);
  seen_ = gc_.p().barrier_count;
  shade(mu(), hidden);
  EXPECT_EQ(noted(), 1u);
  found = hidden;
  gc_.finish();
}

// Both halves for Globals, whose words are scanned beside the stores.
TEST_F(Colours, globals_shade_as_fields) {
  Global<Node> global(mu(), child_);
  begin(TRI_BARRIER_GREY);
  global.set(mu(), parent_);
  EXPECT_EQ(noted(), 2u);
  gc_.finish();
  begin(TRI_BARRIER_BLACK);
  seen_ = gc_.p().barrier_count;
  global.set(mu(), child_);
  EXPECT_LE(noted(), 1u);
  gc_.finish();
}

}  // namespace
}  // namespace tricolor::testing
