// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// The barrier auditor: each store past the barrier that is planted here is
// found with its slot, whenever it was made; nothing else is reported.
#include "gc/audit.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "base/rng.h"
#include "gc/slots.h"
#include "tests/support/stress.h"
#include "tests/unit/gc/graph.h"
#include "tricolor/global.h"
#include "tricolor/resize.h"

namespace tricolor::testing {
namespace {

gc::CollectorOptions auditing(int percent = -1) {
  gc::CollectorOptions o;
  o.gc_percent = percent;
  o.barriercheck = true;
  o.badptr = true;
  o.gccheckmark = true;
  return o;
}

class gc_audit : public ::testing::Test {
 protected:
  gc_audit() : gc(auditing()), type(node_type(gc)), mu(gc.mu()) {}

  static uint64_t word(const void* p) { return reinterpret_cast<uint64_t>(p); }
  /// The planted bug.
  static void store_raw(Node* n, size_t i, const void* p) {
    __atomic_store_n(reinterpret_cast<uint64_t*>(n) + i, word(p),
                     __ATOMIC_RELEASE);
  }
  uint64_t stores() { return gc.impl().auditor.stores(); }

  GcAlone gc;
  Type<Node> type;
  Mutator& mu;
};

TEST_F(gc_audit, a_missed_deletion_half_is_found) {
  Scope<1> scope(mu);
  Local<Node> tree(scope, make_tree(mu, type, 3));
  gc.collect();
  store_raw(tree.get(), 1, nullptr);
  EXPECT_DEATH(gc.start(),
               "barriercheck: .*offset 8 of cell .*layout 'Node', 32 bytes. "
               "referred to .*'Node'. at the last stop and refers to .*'null'. "
               "now, but no barriered store replaced the old one");
}

// A VM's table: a strong word, and others that are weak.
TEST_F(gc_audit, strong_words_beside_weak_ones_are_looked_at) {
  const uint32_t offset = 0;
  LayoutSpec spec;
  spec.name = "Table";
  spec.head_bytes = 8;
  spec.pointer_offsets = &offset;
  spec.pointer_count = 1;
  spec.tail = LayoutSpec::Tail::kPointers;
  spec.tail_strength = LayoutSpec::Strength::kWeak;
  const LayoutId table_layout = gc.layout(spec);
  Scope<2> scope(mu);
  Local<Node> node(scope, make(mu, type));
  Local<uint64_t> table(scope,
                        static_cast<uint64_t*>(allocate(mu, table_layout, 48)));
  gc.collect();
  const auto word = reinterpret_cast<uint64_t>(node.get());
  __atomic_store_n(&table.get()[2], word, __ATOMIC_RELEASE);  // no barrier
  gc.collect();
  __atomic_store_n(&table.get()[0], word, __ATOMIC_RELEASE);
  EXPECT_DEATH(gc.start(), "offset 0 of cell .*layout 'Table'.* no barriered");
}

TEST_F(gc_audit, a_missed_insertion_half_is_found) {
  Scope<2> scope(mu);
  Local<Node> node(scope, make(mu, type));
  Local<Node> other(scope, make(mu, type));
  gc.collect();
  store_raw(node.get(), 0, other.get());
  EXPECT_DEATH(gc.start(),
               "offset 0 of cell .*'null'. at the last .* refers to .*'Node'. "
               "now, but no barriered store stored the new one");
}

// Also while marking, by the second stop, before the second mark would see it.
TEST_F(gc_audit, a_store_past_the_barrier_while_marking_is_found) {
  Scope<2> scope(mu);
  Local<Node> tree(scope, make_tree(mu, type, 3));
  Local<Node> other(scope, make(mu, type));
  gc.start();
  store_raw(tree.get(), 0, other.get());
  EXPECT_DEATH(gc.finish(), "barriercheck: .*replaced the old one");
}

TEST_F(gc_audit, one_wrong_store_among_right_ones_gets_the_blame) {
  Scope<2> scope(mu);
  std::vector<Node*> nodes;
  Local<Node> tree(scope, make_tree(mu, type, 6));
  Local<Node> other(scope, make(mu, type));
  gc.collect();
  nodes.push_back(tree.get());
  for (size_t i = 0; i < nodes.size() && nodes.size() < 40; ++i) {
    if (Node* l = nodes[i]->left.load()) nodes.push_back(l);
    if (Node* r = nodes[i]->right.load()) nodes.push_back(r);
  }
  for (Node* n : nodes) {  // a chain of stores each: others' facts abound
    n->left.store(mu, nullptr);
    n->left.store(mu, tree);
    n->left.store(mu, other);
  }
  store_raw(nodes[20], 1, other.get());
  // All other stores were to offset 0.
  EXPECT_DEATH(gc.start(), "offset 8 of cell .*replaced the old one");
}

TEST_F(gc_audit, a_store_that_lies_about_the_old_value_is_found) {
  Scope<1> scope(mu);
  Local<Node> tree(scope, make_tree(mu, type, 2));
  gc.collect();
  // As a VM of the C API may.
  tri_detail_shade_pair(&mu, /*old_cell=*/nullptr, nullptr);
  store_raw(tree.get(), 0, nullptr);
  EXPECT_DEATH(gc.start(), "replaced the old one");
}

TEST_F(gc_audit, roots_are_looked_at) {
  Scope<1> scope(mu);
  Local<Node> node(scope, make(mu, type));
  uint64_t* words = nullptr;
  detail::RootTableRep* table = detail::root_table_create(
      gc.runtime(), 100, kRawPointers, &words, /*may_fail=*/false);
  Global<Node> global(gc.runtime());
  gc.collect();
  detail::store_slot<void*>(mu, &words[7], node.get());
  global.set(mu, node);
  gc.collect();
  words[7] = 0;
  EXPECT_DEATH(gc.start(),
               "offset 56 of the Global or RootTable at .*replaced the old");
  words[7] = word(node.get());
  gc.collect();
  detail::root_table_destroy(gc.runtime(), table);
}

TEST_F(gc_audit, encoded_slots_and_elements) {
  Encoding low;
  low.kind = EncodingKind::kTagSet;
  low.tag_mask = 7;
  low.tag_set[0] = 1 << 5;
  low.payload_mask = ~uint64_t{15};
  LayoutSpec spec;
  spec.name = "Entries";
  spec.encoding = gc.heap().layouts().add_encoding(low, nullptr);
  const uint32_t key[] = {0};
  const uint32_t value[] = {8};
  spec.tail = LayoutSpec::Tail::kElements;
  spec.tail_stride = 24;
  spec.tail_pointer_offsets = key;
  spec.tail_encoded_offsets = value;
  spec.tail_pointer_count = spec.tail_encoded_count = 1;
  Scope<2> scope(mu);
  Local<Node> node(scope, make(mu, type));
  auto* words =
      static_cast<uint64_t*>(allocate(mu, gc.layout(spec), 24 * 1000));
  *scope.take() = words;
  gc.collect();
  words[3 * 500 + 2] = word(node.get());      // nobody's
  words[3 * 500 + 1] = word(node.get()) | 4;  // a number
  gc.collect();
  words[3 * 500 + 1] = word(node.get()) | 5;
  EXPECT_DEATH(gc.start(), "offset 12008 of cell .*layout 'Entries'");
}

// The barrier is on in every phase, and marks only while marking.
TEST_F(gc_audit, stores_outside_the_mark_are_recorded_and_mark_nothing) {
  Scope<2> scope(mu);
  Local<Node> node(scope, make(mu, type));
  Local<Node> other(scope, make(mu, type));
  gc.collect();
  const uint64_t before = stores();
  node->left.store(mu, other);
  EXPECT_EQ(gc.p().barrier_count, 0u);
  node->left.exchange(mu, node);
  Node* expected = node.get();
  EXPECT_TRUE(node->left.compare_exchange(mu, expected, nullptr));
  gc.start();
  EXPECT_EQ(stores() - before, 3u);
  EXPECT_EQ(gc.impl().auditor.bytes() > 0, true);
  gc.finish();
  EXPECT_GT(gc.impl().auditor.slots_compared(), 0u);
}

TEST_F(gc_audit, release_and_resizing_are_no_stores) {
  LayoutSpec spec;
  spec.name = "Array";
  spec.tail = LayoutSpec::Tail::kPointers;
  const LayoutId array = gc.layout(spec);
  Scope<3> scope(mu);
  Local<Node> node(scope, make(mu, type));
  void** small = scope.take();
  void** large = scope.take();
  for (int round = 0; round < 20; ++round) {
    *small = make(mu, type);
    static_cast<Node*>(*small)->left.init(mu, node);
    *large = allocate(mu, array, 600'000);
    auto fill = [&] {
      const size_t n = cell_size(gc.runtime(), *large) / 8;
      for (size_t i = 0; i < n; i += 500) {
        detail::store_slot<void*>(mu, static_cast<uint64_t*>(*large) + i,
                                  node.get());
      }
    };
    fill();
    gc.collect();
    EXPECT_TRUE(release(mu, *small)) << "not as if it were marking";
    *small = make(mu, type);  // very likely there
    EXPECT_TRUE(shrink(mu, *large, 100'000));
    try_grow_in_place(mu, *large, 300'000);
    if (round % 2 != 0) gc.start();
    *large = grow(mu, *large, 1'000'000);
    fill();
    gc.finish();
  }
}

TEST_F(gc_audit, dropped_roots_are_no_stores) {
  Scope<1> scope(mu);
  Local<Node> node(scope, make(mu, type));
  for (int round = 0; round < 10; ++round) {
    std::optional<RootTable<Node*>> table(std::in_place, gc.runtime(), 5000);
    std::vector<Global<Node>> globals;
    for (int i = 0; i < 100; ++i) globals.emplace_back(mu, node.get());
    for (size_t i = 0; i < 5000; ++i) table->set(mu, i, node);
    gc.collect();
    if (round % 3 == 0) gc.start();
    table.reset();    // no Mutator is current here: the words stay as they
    globals.clear();  // are until the collector nulls them
    for (int i = 0; i < 50; ++i) globals.emplace_back(mu, node.get());
    if (round % 3 == 1) gc.start();
    gc.finish();
    gc.collect();
  }
}

/// Random stores by every form, releases and resizes: no alarm.
void churn(GcAlone& gc, const Type<Node>& type, base::Rng& rng, int n) {
  Mutator& mu = gc.mu();
  Scope<8> scope(mu);
  void** slots[8];
  for (auto& s : slots) s = scope.take();
  for (int i = 0; i < n; ++i) {
    void** a = slots[rng.below(8)];
    void** b = slots[rng.below(8)];
    if (*a == nullptr || rng.below(8) == 0) {
      *a = make(mu, type);
      static_cast<Node*>(*a)->left.init(mu, static_cast<Node*>(*b));
      continue;
    }
    auto* node = static_cast<Node*>(*a);
    Field<Node>& f = rng.below(2) != 0 ? node->left : node->right;
    switch (rng.below(6)) {
      case 0:
        f.store(mu, static_cast<Node*>(*b));
        break;
      case 1:
        *b = f.load();
        break;
      case 2:
        *b = f.exchange(mu, static_cast<Node*>(*b));
        break;
      case 3: {
        Node* expected = f.load();
        f.compare_exchange(mu, expected, static_cast<Node*>(*b));
        break;
      }
      case 4: {  // one that nobody else has
        void* own = make(mu, type);
        release(mu, own);
        break;
      }
      default:
        f.store(mu, nullptr);
    }
    if (rng.below(4) == 0 && gc.collector().marking()) gc.drain(64);
    if (rng.below(100) == 0) {
      if (gc.impl().phase() == gc::Phase::kIdle) {
        gc.start();
      } else {
        gc.finish();
      }
    }
  }
  gc.finish();
}

TEST(gc_audit_random, no_false_alarm) {
  base::Rng rng{test_seed()};
  for (int round = 0; round < stress_scale(10, 1000); ++round) {
    gc::CollectorOptions o = auditing(round % 2 != 0 ? 100 : -1);
    o.smallbuffers = round % 3 == 0;
    GcAlone gc(o);
    churn(gc, node_type(gc), rng, 5000);
    EXPECT_GT(gc.impl().auditor.slots_compared(), 0u);
  }
}

// The same slots as the scan's, in whatever order.
TEST_F(gc_audit, slots_are_what_the_scan_visits) {
  base::Rng rng{test_seed()};
  Encoding all;  // decodes every word to itself
  const EncodingId id = gc.heap().layouts().add_encoding(all, nullptr);
  for (int round = 0; round < 300; ++round) {
    std::vector<uint32_t> pointers, encoded, keys, values;
    const uint32_t head = static_cast<uint32_t>(rng.below(20));
    const uint32_t stride = static_cast<uint32_t>(1 + rng.below(6));
    auto pick = [&](uint32_t n, std::vector<uint32_t>* a,
                    std::vector<uint32_t>* b) {
      for (uint32_t i = 0; i < n; ++i) {
        const auto r = rng.below(3);
        if (r != 0) (r == 1 ? a : b)->push_back(i * 8);
      }
    };
    pick(head, &pointers, &encoded);
    pick(stride, &keys, &values);
    LayoutSpec spec;
    spec.name = "any";
    spec.distinct = true;
    spec.encoding = id;
    spec.head_bytes = head * 8;
    spec.pointer_offsets = pointers.data();
    spec.pointer_count = static_cast<uint32_t>(pointers.size());
    spec.encoded_offsets = encoded.data();
    spec.encoded_count = static_cast<uint32_t>(encoded.size());
    spec.tail = static_cast<LayoutSpec::Tail>(rng.below(5));
    if (spec.tail == LayoutSpec::Tail::kElements) {
      if (keys.empty() && values.empty()) continue;
      spec.tail_stride = stride * 8;
      spec.tail_pointer_offsets = keys.data();
      spec.tail_pointer_count = static_cast<uint32_t>(keys.size());
      spec.tail_encoded_offsets = values.data();
      spec.tail_encoded_count = static_cast<uint32_t>(values.size());
    }
    if (spec.head_bytes == 0 && spec.tail == LayoutSpec::Tail::kNone) continue;
    const LayoutId layout = gc.layout(spec);
    const heap::HotLayout& hot = gc.heap().layouts().hot(layout);
    std::vector<uint64_t> cell(head + 2 + rng.below(40));
    for (size_t i = 0; i < cell.size(); ++i) cell[i] = 16 * (i + 1);
    std::vector<uint64_t> want, got;
    gc::scan_cell(&gc.heap(), nullptr, hot, layout, cell.data(),
                  cell.size() * 8, [&](void* p) { want.push_back(word(p)); });
    gc::each_slot(gc.heap().layouts(), layout, cell.size(),
                  [&](size_t i, gc::SlotEncoding e) {
                    got.push_back(word(gc::slot_cell(e, cell.data(), i)));
                  });
    std::sort(want.begin(), want.end());
    std::sort(got.begin(), got.end());
    ASSERT_EQ(got, want) << "round " << round;
  }
}

}  // namespace
}  // namespace tricolor::testing
