// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Weak words, ephemerons and arrays of them: what is cleared and what is not,
// in every step of settling.
#include <gtest/gtest.h>

#include <vector>

#include "tests/unit/gc/graph.h"
#include "tricolor/finalizer.h"
#include "tricolor/resize.h"
#include "tricolor/weak_array.h"

namespace tricolor::testing {
/// An object's address, or an odd number; cleared slots read 7.
struct Tagged {
  uint64_t word;
};
}  // namespace tricolor::testing

namespace tricolor {
template <>
struct ValueTraits<testing::Tagged> {
  static void* cell(testing::Tagged v) {
    return v.word % 2 == 0 ? reinterpret_cast<void*>(v.word) : nullptr;
  }
};
}  // namespace tricolor

namespace tricolor::testing {
namespace {

using Strength = LayoutSpec::Strength;

class gc_ephemeron : public ::testing::Test {
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
  gc_ephemeron()
      : gc(options(), heap_options()),
        type(node_type(gc)),
        weak(array(Strength::kWeak)),
        pairs(array(Strength::kEphemeron)),
        mu(gc.mu()) {}

  LayoutId array(Strength s, EncodingId encoding = kRawPointers) {
    Error error;
    const LayoutId id = register_weak_array(gc.runtime(), s, encoding, &error);
    TRI_CHECK(id != kInvalidLayout, "%s", error.text);
    return id;
  }
  EncodingId tagged() {
    Encoding e;
    e.kind = EncodingKind::kTagSet;
    e.tag_mask = 1;
    e.tag_set[0] = 1;
    e.cleared_word = 7;
    Error error;
    return gc.heap().layouts().add_encoding(e, &error);
  }
  Node* node(uint64_t id) {
    Node* n = make(mu, type);
    n->seal(id);
    return n;
  }
  /// Ends the mark; weak things are not yet settled.
  void end_mark() {
    while (gc.impl().phase() == gc::Phase::kMark) {
      gc.drain(4096);
      gc.impl().advance(&gc.p());
    }
    ASSERT_EQ(gc.impl().phase(), gc::Phase::kSettle);
  }

  GcAlone gc;
  Type<Node> type;
  LayoutId weak;
  LayoutId pairs;
  Mutator& mu;
};

using Pairs = EphemeronArray<Node, Node>;

TEST_F(gc_ephemeron, an_array_loses_what_died_and_counts_it) {
  Scope<3> scope(mu);
  Local<Node> kept(scope, node(1));
  Local<WeakArray<Node>> a(scope, WeakArray<Node>::make(mu, weak, 100));
  EXPECT_EQ(a->size(), 100u);
  for (size_t i = 0; i < 100; ++i) {
    a->store(mu, i, i % 4 == 0 ? kept.get() : i % 4 == 1 ? nullptr : node(i));
  }
  gc.collect();
  for (size_t i = 0; i < 100; ++i) {
    ASSERT_EQ(a->load(mu, i), i % 4 == 0 ? kept.get() : nullptr) << i;
  }
  EXPECT_EQ(a->cleared(), 50u);
  gc.collect();
  EXPECT_EQ(a->cleared(), 50u);
  EXPECT_EQ(gc.live_cells(), 2u);
}

TEST_F(gc_ephemeron, encoded_words_are_cleared_to_what_the_encoding_says) {
  Scope<3> scope(mu);
  Local<Node> kept(scope, node(1));
  const LayoutId layout = array(Strength::kWeak, tagged());
  Local<WeakArray<Tagged>> a(scope, WeakArray<Tagged>::make(mu, layout, 4));
  a->store(mu, 0, {reinterpret_cast<uint64_t>(kept.get())});
  a->store(mu, 1, {reinterpret_cast<uint64_t>(node(2))});
  a->store(mu, 2, {41});
  gc.start();
  end_mark();
  EXPECT_EQ(a->load(mu, 1, {9}).word, 9u) << "about to be cleared";
  gc.finish();
  EXPECT_EQ(a->load(mu, 0).word, reinterpret_cast<uint64_t>(kept.get()));
  EXPECT_EQ(a->load(mu, 1, {9}).word, 7u) << "cleared";
  EXPECT_EQ(a->load(mu, 2).word, 41u);
  EXPECT_EQ(a->load(mu, 3).word, 0u);
}

TEST_F(gc_ephemeron, weak_words_in_a_head_and_in_elements) {
  struct Entry {
    WeakField<Node> weak;
    uint64_t number;
    Field<Node> strong_slot;  // weak as well: one strength for all of a tail
    uint64_t more;
  };
  LayoutSpec spec;
  spec.name = "Entries";
  spec.head_bytes = 32;
  const uint32_t head[] = {8};
  spec.pointer_offsets = head;
  spec.pointer_count = 1;
  spec.tail = LayoutSpec::Tail::kElements;
  spec.tail_stride = sizeof(Entry);
  const uint32_t in[] = {0, 16};
  spec.tail_pointer_offsets = in;
  spec.tail_pointer_count = 2;
  spec.tail_strength = Strength::kWeak;
  spec.cleared_count_offset = 24;
  const LayoutId id = gc.layout(spec);
  Scope<2> scope(mu);
  Local<Node> kept(scope, node(1));
  constexpr size_t kN = 9;
  auto* cell = static_cast<char*>(allocate(mu, id, 32 + kN * sizeof(Entry)));
  *scope.take() = cell;
  // The head's pointer is strong.
  reinterpret_cast<Field<Node>*>(cell + 8)->store(mu, node(2));
  auto* entries = reinterpret_cast<Entry*>(cell + 32);
  for (size_t i = 0; i < kN; ++i) {
    entries[i].number = reinterpret_cast<uint64_t>(kept.get());
    entries[i].weak.store(mu, i % 2 == 0 ? kept.get() : node(3));
  }
  gc.collect();
  EXPECT_TRUE(reinterpret_cast<Field<Node>*>(cell + 8)->load()->intact());
  for (size_t i = 0; i < kN; ++i) {
    ASSERT_EQ(entries[i].weak.load(mu), i % 2 == 0 ? kept.get() : nullptr);
    ASSERT_EQ(entries[i].number, reinterpret_cast<uint64_t>(kept.get()));
  }
  EXPECT_EQ(*reinterpret_cast<uint64_t*>(cell + 24), kN / 2);
}

TEST_F(gc_ephemeron, the_value_lives_while_its_key_does) {
  Scope<3> scope(mu);
  Local<Node> key(scope, node(1));
  Local<Pairs> a(scope, Pairs::make(mu, pairs, 3));
  Local<Node> value(scope, node(2));
  value->left.store(mu, key);  // refers back: no cycle that keeps both
  (*a)[1].store(mu, key, value);
  value = nullptr;
  for (int i = 0; i < 3; ++i) {
    gc.collect();
    ASSERT_EQ((*a)[1].key(mu), key.get());
    ASSERT_TRUE((*a)[1].value(mu)->intact());
    ASSERT_EQ(gc.live_cells(), 3u);
  }
  key = nullptr;
  gc.collect();
  EXPECT_EQ((*a)[1].key(mu), nullptr);
  EXPECT_EQ((*a)[1].value(mu), nullptr);
  EXPECT_EQ(a->cleared(), 1u);
  EXPECT_EQ(gc.live_cells(), 1u);
}

/// Counts ragged barriers, and the pairs that are looked at inside stops.
struct StopWatch {
  explicit StopWatch(GcAlone& gc) : gc(gc), world(gc.impl().world) {
    current = this;
    start_pairs = gc.impl().weak.pairs_looked_at;
    gc.impl().world.try_stop = [](void* ctx, gc::ProcGc* p, gc::StopTimes* t) {
      current->at_stop = current->gc.impl().weak.pairs_looked_at;
      return current->world.try_stop(ctx, p, t);
    };
    gc.impl().world.start = [](void* ctx, gc::ProcGc* p) {
      current->pairs_in_stops +=
          current->gc.impl().weak.pairs_looked_at - current->at_stop;
      return current->world.start(ctx, p);
    };
    gc.impl().world.try_ragged_barrier = [](void* ctx, gc::ProcGc* p,
                                            gc::RaggedFn fn, void* arg) {
      ++current->barriers;
      return current->world.try_ragged_barrier(ctx, p, fn, arg);
    };
  }
  ~StopWatch() {
    gc.impl().world = world;
    current = nullptr;
  }
  uint64_t pairs() const {
    return gc.impl().weak.pairs_looked_at - start_pairs;
  }

  static StopWatch* current;
  GcAlone& gc;
  const gc::World world;
  uint64_t start_pairs = 0;
  uint64_t at_stop = 0;
  uint64_t pairs_in_stops = 0;
  uint64_t barriers = 0;
};
StopWatch* StopWatch::current = nullptr;

/// key i's value is key i + 1; `reverse`: the pairs lie the other way round.
void chain(gc_ephemeron*, Mutator& mu, const Type<Node>& type, Pairs* a,
           Node* first, size_t n, bool reverse) {
  Scope<2> scope(mu);
  Local<Node> key(scope, first), next(scope);
  for (size_t i = 0; i < n; ++i) {
    next = make(mu, type);
    next->seal(i + 2);
    (*a)[reverse ? n - 1 - i : i].store(mu, key, next);
    key = next.get();
  }
}

class gc_ephemeron_chain : public gc_ephemeron,
                           public ::testing::WithParamInterface<bool> {};

TEST_P(gc_ephemeron_chain, of_a_million_links) {
  // The second mark goes over all pairs again and again.
  gc.impl().options.gccheckmark = false;
  Scope<2> scope(mu);
  const size_t n = TRI_TSAN || TRI_ASAN ? 100'000 : 1'000'000;
  Local<Node> first(scope, node(1));
  Local<Pairs> a(scope, Pairs::make(mu, pairs, n));
  chain(this, mu, type, a, first, n, GetParam());
  StopWatch watch(gc);
  gc.collect();
  EXPECT_EQ(a->cleared(), 0u);
  EXPECT_EQ(gc.live_cells(), n + 2);
  // Linear, beside the mutators, and without a barrier for each link.
  EXPECT_LE(watch.pairs(), 2 * n);
  EXPECT_EQ(watch.pairs_in_stops, 0u);
  EXPECT_LE(watch.barriers, 10u);
  for (size_t i = 0; i < n; i += 997) {
    ASSERT_TRUE((*a)[i].key(mu)->intact());
    ASSERT_TRUE((*a)[i].value(mu)->intact());
  }
  first = nullptr;
  gc.collect();
  EXPECT_EQ(a->cleared(), n);
  EXPECT_EQ(gc.live_cells(), 1u);
}

INSTANTIATE_TEST_SUITE_P(order, gc_ephemeron_chain, ::testing::Bool());

TEST_F(gc_ephemeron, a_chain_of_single_ephemerons) {
  // Each value holds the ephemeron of the next key: found one by one.
  gc.impl().options.gccheckmark = false;
  Scope<4> scope(mu);
  const size_t n = 20'000;
  Local<Node> first(scope, node(1)), key(scope, first.get()), next(scope);
  Local<Pairs> head(scope, Pairs::make(mu, pairs, 1));
  std::vector<void*> all;
  {
    Scope<1> inner(mu);
    Local<Pairs> at(inner, head.get());
    for (size_t i = 0; i < n; ++i) {
      next = node(i);
      (*at)[0].store(mu, key, next);
      Pairs* p = Pairs::make(mu, pairs, 1);
      // A Node's field may hold any cell.
      reinterpret_cast<Field<Pairs>*>(&next->left)->store(mu, p);
      reinterpret_cast<Field<Node>*>(&next->right)->store(mu, nullptr);
      key = next.get();
      at = p;
    }
  }
  key = nullptr;
  next = nullptr;
  gc.collect();
  EXPECT_EQ(gc.live_cells(), 2 * n + 2);
  first = nullptr;
  gc.collect();
  EXPECT_EQ(gc.live_cells(), 1u);
  EXPECT_EQ(head->cleared(), 1u);
}

TEST_F(gc_ephemeron, links_that_turn_up_one_by_one_with_white_keys) {
  // Each value holds the ephemeron of the next key, and a node that holds the
  // key: the pair is scanned before its key is marked.
  gc.impl().options.gccheckmark = false;
  Scope<5> scope(mu);
  const size_t n = 5000;
  Local<Node> first(scope, node(1)), key(scope, first.get());
  Local<Node> value(scope), holder(scope);
  Local<Pairs> head(scope, Pairs::make(mu, pairs, 1));
  {
    Scope<1> inner(mu);
    Local<Pairs> at(inner, head.get());
    for (size_t i = 0; i < n; ++i) {
      value = node(i);
      (*at)[0].store(mu, key, value);
      Pairs* p = Pairs::make(mu, pairs, 1);
      at = p;
      holder = make(mu, type);
      holder->seal(i);
      Node* next = make(mu, type);
      next->seal(i);
      holder->left.store(mu, next);
      value->left.store(mu, holder);
      auto* field = reinterpret_cast<Field<Pairs>*>(&value->right);
      field->store(mu, at);
      key = value->left.load()->left.load();
    }
  }
  key = nullptr;
  value = nullptr;
  holder = nullptr;
  StopWatch watch(gc);
  gc.collect();
  EXPECT_EQ(gc.live_cells(), 4 * n + 2);
  EXPECT_LE(watch.barriers, 10u) << "one for each link";
  EXPECT_LE(watch.pairs(), 2 * n);
}

TEST_F(gc_ephemeron, many_values_wait_for_one_key) {
  gc.impl().options.gccheckmark = false;
  Scope<5> scope(mu);
  const size_t n = 20'000;
  Local<Node> key(scope, node(1)), value(scope);
  Local<Node> path(scope);
  Local<Pairs> a(scope, Pairs::make(mu, pairs, n));
  for (size_t i = 0; i < n; ++i) {
    value = node(i);
    (*a)[i].store(mu, key, value);
  }
  // The key hangs off the value of another pair, so that all of them have been
  // put off when it is marked.
  Local<Pairs> late(scope, Pairs::make(mu, pairs, 1));
  path = node(7);
  value = make(mu, type);
  value->left.store(mu, key);
  (*late)[0].store(mu, path, value);
  value = nullptr;
  key = nullptr;
  gc.collect();
  EXPECT_EQ(a->cleared(), 0u);
  EXPECT_EQ(gc.live_cells(), n + 5);
  path = nullptr;
  gc.collect();
  EXPECT_EQ(a->cleared(), n);
}

TEST_F(gc_ephemeron, a_key_that_is_marked_after_its_pair_was_looked_at) {
  Scope<3> scope(mu);
  Local<Pairs> a(scope, Pairs::make(mu, pairs, 1));
  Local<Node> key(scope, node(1)), value(scope, node(2));
  (*a)[0].store(mu, key, value);
  Node* k = key;
  value = nullptr;
  gc.collect();
  // Only a weak word knows the key while marking goes on.
  Scope<1> more(mu);
  Local<Weak<Node>> w(more, Weak<Node>::make(mu, key));
  key = nullptr;
  gc.start();
  gc.impl().scan_owner(&gc.p(), reinterpret_cast<gc::RootOwner*>(&mu));
  while (gc.impl().weak.keys.active() == nullptr ||
         !gc.impl().weak.resolved()) {
    gc.drain(1 << 20);
    ASSERT_TRUE(gc.impl().advance(&gc.p()));
    ASSERT_EQ(gc.impl().phase(), gc::Phase::kMark);
  }
  key = w->get(mu);  // shaded, and with it the value
  ASSERT_EQ(key.get(), k);
  gc.finish();
  ASSERT_EQ((*a)[0].key(mu), k);
  EXPECT_TRUE((*a)[0].value(mu)->intact());
}

TEST_F(gc_ephemeron, an_overwritten_value_outlives_the_cycle) {
  Scope<3> scope(mu);
  Local<Node> key(scope, node(1));
  Local<Pairs> a(scope, Pairs::make(mu, pairs, 1));
  (*a)[0].store(mu, key, node(2));
  gc.start();
  Local<Node> old(scope, (*a)[0].value(mu));
  gc.impl().scan_owner(&gc.p(), reinterpret_cast<gc::RootOwner*>(&mu));
  (*a)[0].store(mu, key, nullptr);
  gc.finish();
  EXPECT_TRUE(old->intact());
}

TEST_F(gc_ephemeron, stores_and_reads_in_every_step_of_settling) {
  for (int steps = 0; steps < 12; ++steps) {
    Scope<5> scope(mu);
    Local<Pairs> a(scope, Pairs::make(mu, pairs, 4));
    Local<WeakArray<Node>> w(scope, WeakArray<Node>::make(mu, weak, 4));
    Local<Node> key(scope, node(1)), value(scope, node(2));
    for (size_t i = 0; i < 4; ++i) {
      (*a)[i].store(mu, node(10 + i), node(20 + i));
      w->store(mu, i, node(30 + i));
    }
    gc.start();
    end_mark();
    for (int i = 0; i < steps && gc.impl().phase() == gc::Phase::kSettle; ++i) {
      gc.impl().advance(&gc.p());
    }
    // Dead ones read as such, whether they are cleared yet or not.
    for (size_t i = 0; i < 4; ++i) {
      ASSERT_EQ((*a)[i].key(mu), nullptr) << steps;
      ASSERT_EQ((*a)[i].value(mu), nullptr) << steps;
      ASSERT_EQ(w->load(mu, i), nullptr) << steps;
    }
    (*a)[2].store(mu, key, value);
    w->store(mu, 2, key);
    value = nullptr;
    gc.finish();
    ASSERT_EQ((*a)[2].key(mu), key.get()) << steps;
    ASSERT_TRUE((*a)[2].value(mu)->intact()) << steps;
    ASSERT_EQ(w->load(mu, 2), key.get()) << steps;
    gc.collect();
    ASSERT_TRUE((*a)[2].value(mu)->intact()) << steps;
  }
}

TEST_F(gc_ephemeron, an_array_that_grows_while_it_is_being_settled) {
  for (int steps = 0; steps < 8; ++steps) {
    Scope<2> scope(mu);
    Local<WeakArray<Node>> w(scope, WeakArray<Node>::make(mu, weak, 64));
    Local<Node> kept(scope, node(1));
    for (size_t i = 0; i < 64; ++i) w->store(mu, i, i == 5 ? kept : node(i));
    gc.start();
    end_mark();
    for (int i = 0; i < steps && gc.impl().phase() == gc::Phase::kSettle; ++i) {
      gc.impl().advance(&gc.p());
    }
    w = static_cast<WeakArray<Node>*>(grow(mu, w.get(), 4096));
    gc.finish();
    for (size_t i = 0; i < 64; ++i) {
      ASSERT_EQ(w->load(mu, i), i == 5 ? kept.get() : nullptr) << steps;
    }
    gc.collect();
  }
}

TEST_F(gc_ephemeron, an_array_that_a_black_task_grows) {
  // The copy is born black: nobody settles it in this cycle, so what it refers
  // to has to outlive that.
  Scope<3> scope(mu);
  Local<Node> work(scope, make_tree(mu, type, 14));  // the mark goes on
  Local<Pairs> a(scope, Pairs::make(mu, pairs, 4));
  Local<WeakArray<Node>> w(scope, WeakArray<Node>::make(mu, weak, 4));
  gc.collect();
  (*a)[1].store(mu, node(1), node(2));
  w->store(mu, 1, node(3));
  gc.start();
  gc.impl().scan_owner(&gc.p(), reinterpret_cast<gc::RootOwner*>(&mu));
  mu.barrier_on = TRI_BARRIER_BLACK;
  // Nobody is to end the mark in the allocations below.
  gc.impl().options.assist_policy = AssistPolicy::kOff;
  gc.p().slice_end_ns = UINT64_MAX;
  a = static_cast<Pairs*>(grow(mu, a.get(), 4096));
  w = static_cast<WeakArray<Node>*>(grow(mu, w.get(), 4096));
  ASSERT_EQ(gc.impl().phase(), gc::Phase::kMark);
  gc.finish();
  ASSERT_TRUE((*a)[1].key(mu)->intact());
  ASSERT_TRUE((*a)[1].value(mu)->intact());
  ASSERT_TRUE(w->load(mu, 1)->intact());
  gc.collect();
  EXPECT_EQ((*a)[1].key(mu), nullptr);
  EXPECT_EQ(w->load(mu, 1), nullptr);
}

TEST_F(gc_ephemeron, a_large_array_in_pieces) {
  constexpr size_t kN = 300'000;
  Scope<5> scope(mu);
  Local<Node> kept(scope, node(1)), key(scope), value(scope);
  Local<WeakArray<Node>> w(scope, WeakArray<Node>::make(mu, weak, kN));
  Local<Pairs> a(scope, Pairs::make(mu, pairs, kN));
  for (size_t i = 0; i < kN; ++i) {
    if (i % 3 == 2) continue;
    value = node(i);
    key = i % 3 == 0 ? kept.get() : node(i);
    w->store(mu, i, key);
    (*a)[i].store(mu, key, value);
  }
  key = nullptr;
  value = nullptr;
  gc.collect();
  EXPECT_EQ(w->cleared(), kN / 3);
  EXPECT_EQ(a->cleared(), kN / 3);
  EXPECT_EQ(gc.live_cells(), 3 + kN / 3);
  for (size_t i = 0; i < kN; i += 3) {
    ASSERT_TRUE((*a)[i].value(mu)->intact()) << i;
  }
}

TEST_F(gc_ephemeron, a_weak_target_that_is_released_is_left_to_the_sweep) {
  Scope<1> scope(mu);
  Local<WeakArray<Node>> w(scope, WeakArray<Node>::make(mu, weak, 1));
  Node* n = node(1);
  w->store(mu, 0, n);
  EXPECT_FALSE(release(mu, n));
  EXPECT_EQ(w->load(mu, 0), n);
  gc.collect();
  EXPECT_EQ(w->load(mu, 0), nullptr);
  EXPECT_FALSE(release(mu, w.get())) << "it may be on the collector's list";
}

TEST_F(gc_ephemeron, misuse_is_named) {
  Scope<1> scope(mu);
  Local<WeakArray<Node>> w(scope, WeakArray<Node>::make(mu, weak, 3));
  EXPECT_DEATH((void)w->load(mu, 3), "index 3 of an array of 3 slots");
  EXPECT_DEATH(WeakArray<Node>::make(mu, pairs, 3),
               "WeakArray::make.*layout .* is not one that");
  EXPECT_DEATH(Pairs::make(mu, 4000, 3), "EphemeronArray::make");
  Error error;
  EXPECT_EQ(register_weak_array(gc.runtime(), Strength::kStrong, kRawPointers,
                                &error),
            kInvalidLayout);
  EXPECT_STREQ(error.text,
               "register_layout 'tricolor.weak_array': strength is kStrong; "
               "such an array needs no call of its own, register its layout");
  EXPECT_EQ(array(Strength::kWeak), weak) << "the same layout";
}

}  // namespace
}  // namespace tricolor::testing
