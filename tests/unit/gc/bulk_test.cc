// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Bulk copy, move and fill: as memmove and as a loop would, in every state of
// the barrier; both halves; long ones, with the cycle beginning in the middle.
#include "tricolor/bulk.h"

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "tests/unit/gc/graph.h"
#include "tricolor/tricolor.h"

namespace tricolor::testing {
namespace {

constexpr uint32_t kStates[] = {TRI_BARRIER_OFF, TRI_BARRIER_GREY,
                                TRI_BARRIER_BLACK};

struct TestValue {
  uint64_t tag;
  uint64_t payload;
};

}  // namespace
}  // namespace tricolor::testing

namespace tricolor {
template <>
struct ValueTraits<testing::TestValue> {
  static void* cell(testing::TestValue v) {
    return v.tag == 5 ? reinterpret_cast<void*>(v.payload) : nullptr;
  }
};
}  // namespace tricolor

namespace tricolor::testing {
namespace {

struct Bulk {
  Bulk() : gc(options()), type(node_type(gc)) {
    LayoutSpec spec;
    spec.name = "array";
    spec.tail = LayoutSpec::Tail::kPointers;
    array = gc.layout(spec);
    Encoding e;
    e.kind = EncodingKind::kTagSet;
    e.stride = 16;
    e.tag_set[0] = 1u << 5;
    Error error;
    pairs = gc.heap().layouts().add_encoding(e, &error);
    spec.name = "pairs";
    spec.tail = LayoutSpec::Tail::kEncoded;
    spec.encoding = pairs;
    pair_array = gc.layout(spec);
  }
  static gc::CollectorOptions options() {
    gc::CollectorOptions o;
    o.gccheckmark = true;
    return o;
  }
  void enter(uint32_t state) {
    if (state != TRI_BARRIER_OFF) gc.start();
    // No marking in the allocations that follow.
    gc.impl().options.assist_policy = AssistPolicy::kOff;
    gc.p().slice_end_ns = UINT64_MAX;
    if (state == TRI_BARRIER_BLACK) gc.scan_owner(0);
    ASSERT_EQ(gc.mu().barrier_on, state);
  }
  Field<Node>* fields(size_t n) {
    return static_cast<Field<Node>*>(
        try_allocate(gc.mu(), array, n * sizeof(Field<Node>)));
  }
  GcAlone gc;
  Type<Node> type;
  LayoutId array, pair_array;
  EncodingId pairs;
};

/// Every overlap of two ranges in kWindow slots of 8 or 16 bytes, against
/// memmove. The words are no cells: odd.
template <class Copy>
void check_overlaps(char* slots, size_t bytes_each, Copy copy) {
  constexpr size_t kWindow = 9;
  const size_t bytes = kWindow * bytes_each;
  std::vector<char> expected(bytes);
  for (size_t to = 0; to < kWindow; ++to) {
    for (size_t from = 0; from < kWindow; ++from) {
      for (size_t n = 0; n <= kWindow - (to > from ? to : from); ++n) {
        for (size_t i = 0; i < bytes / 8; ++i) {
          uint64_t word = 1001 + 2 * i;
          std::memcpy(&expected[i * 8], &word, 8);
        }
        std::memcpy(slots, expected.data(), bytes);
        std::memmove(&expected[to * bytes_each], &expected[from * bytes_each],
                     n * bytes_each);
        copy(slots + to * bytes_each, slots + from * bytes_each, n);
        ASSERT_EQ(std::memcmp(slots, expected.data(), bytes), 0)
            << to << " " << from << " " << n;
      }
    }
  }
  std::memset(slots, 0, bytes);
}

TEST(gc_bulk, moves_as_memmove) {
  for (uint32_t state : kStates) {
    Bulk b;
    Mutator& mu = b.gc.mu();
    Scope<2> scope(mu);
    auto* words = static_cast<char*>(try_allocate(mu, b.array, 512));
    *scope.take() = words;
    auto* values = static_cast<char*>(try_allocate(mu, b.pair_array, 512));
    *scope.take() = values;
    b.enter(state);
    check_overlaps(words, 8, [&](char* to, char* from, size_t n) {
      tri_copy(&mu, TRI_RAW_POINTERS, to, from, n);
    });
    check_overlaps(values, 16, [&](char* to, char* from, size_t n) {
      tri_copy(&mu, b.pairs, to, from, n);
    });
    b.gc.finish();
  }
}

/// How many cells a call notes, of white ones on both sides.
template <class Call>
uint32_t noted(Bulk& b, Call call) {
  const uint32_t before = b.gc.p().barrier_count;
  call();
  return b.gc.p().barrier_count - before;
}

TEST(gc_bulk, each_value_has_both_halves) {
  for (uint32_t state : {TRI_BARRIER_GREY, TRI_BARRIER_BLACK}) {
    Bulk b;
    Mutator& mu = b.gc.mu();
    gc::RootOwner* other = b.gc.add_owner();
    // 12 slots with a cell each, held by another task: white for now.
    Field<Node>* a = b.fields(12);
    *other->mu.shadow_top++ = a;
    for (size_t i = 0; i < 12; ++i) a[i].init(mu, make(mu, b.type));
    Scope<1> scope(mu);
    b.enter(state);
    Field<Node>* fresh = b.fields(4);
    *scope.take() = fresh;
    const uint32_t grey = state == TRI_BARRIER_GREY ? 1 : 0;
    EXPECT_EQ(noted(b, [&] { init_fields(mu, fresh, a, 4); }), 4 * grey);
    EXPECT_EQ(noted(b, [&] { copy_fields(mu, a, a + 4, 4); }), 4 + 4 * grey);
    Node* one = a[11].load();
    EXPECT_EQ(noted(b, [&] { fill_fields(mu, a + 8, one, 3); }), 3 + grey);
    b.gc.finish();
    EXPECT_EQ(b.gc.live_cells(), 14u);
    for (size_t i = 0; i < 4; ++i) EXPECT_EQ(a[8 + i].load(), one);
  }
}

TEST(gc_bulk, pairs_are_shaded_by_their_encoding) {
  Bulk b;
  Mutator& mu = b.gc.mu();
  gc::RootOwner* other = b.gc.add_owner();
  auto* a = static_cast<PairField<TestValue>*>(
      try_allocate(mu, b.pair_array, 4 * sizeof(PairField<TestValue>)));
  *other->mu.shadow_top++ = a;
  for (uint64_t i = 0; i < 2; ++i) {
    const auto cell = reinterpret_cast<uint64_t>(make(mu, b.type));
    a[i].init(mu, {5, cell});
    a[2 + i].init(mu, {6, cell});  // a number that looks like one
  }
  b.enter(TRI_BARRIER_GREY);
  // Two cells come, one of which is overwritten as well.
  EXPECT_EQ(noted(b, [&] { copy_fields(mu, b.pairs, a + 1, a, 2); }), 3u);
  EXPECT_EQ(noted(b, [&] { fill_fields(mu, b.pairs, a, {5, 0}, 2); }), 2u);
  const uint64_t zero[2] = {5, 0};
  uint64_t old[2];
  auto* slot = reinterpret_cast<uint64_t*>(&a[2]);
  tri_exchange_pair(&mu, b.pairs, slot, zero, old);
  EXPECT_EQ(old[0], 5u);
  EXPECT_FALSE(tri_compare_exchange_pair(&mu, b.pairs, slot, old, zero));
  EXPECT_EQ(old[1], 0u);
  EXPECT_EQ(a[3].exchange(mu, {7, 7}).tag, 6u);
  EXPECT_EQ(a[3].load().payload, 7u);
  b.gc.finish();
  EXPECT_EQ(b.gc.live_cells(), 3u);
}

GcAlone* g_gc;
int g_polls;

// A cycle begins at the second safepoint and marks a little at each other; the
// task is scanned at the fifth.
void begin_in_the_middle(tri_mutator* mu) {
  mu->poll_request = 1;
  if (++g_polls == 2) g_gc->start();
  if (g_polls > 2) g_gc->drain(8192);
  if (g_polls == 5) g_gc->scan_owner(0);
}

void long_move(size_t to, size_t from, bool fresh) {
  constexpr size_t kN = 100000;
  Bulk b;
  Mutator& mu = b.gc.mu();
  Scope<2> scope(mu);
  Field<Node>* a = b.fields(kN + 1);
  *scope.take() = a;
  for (size_t i = 0; i < kN; ++i) {
    Node* n = make(mu, b.type);
    n->seal(i);
    a[from + i].store(mu, n);
  }
  Field<Node>* target = fresh ? b.fields(kN + 1) : a;
  *scope.take() = target;
  g_gc = &b.gc;
  g_polls = 0;
  g_on_poll = begin_in_the_middle;
  mu.poll_request = 1;
  if (fresh) {
    init_fields(mu, target + to, a + from, kN);
  } else {
    copy_fields(mu, target + to, a + from, kN);
  }
  g_on_poll = nullptr;
  mu.poll_request = 0;
  EXPECT_GE(g_polls, 90) << "a safepoint each 8 KiB";
  EXPECT_TRUE(b.gc.collector().marking());
  b.gc.finish();
  for (size_t i = 0; i < kN; ++i) {
    Node* n = target[to + i].load();
    ASSERT_TRUE(n != nullptr && n->intact() && n->id == i) << i;
  }
}

TEST(gc_bulk, cycle_begins_in_a_move_up) { long_move(1, 0, false); }
TEST(gc_bulk, cycle_begins_in_a_move_down) { long_move(0, 1, false); }
TEST(gc_bulk, cycle_begins_in_an_initial_copy) { long_move(0, 0, true); }

TEST(gc_bulk, bad_encoding_is_a_misuse) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  Bulk b;
  Field<Node>* a = b.fields(2);
  EXPECT_DEATH(tri_copy(&b.gc.mu(), 77, a, a + 1, 1),
               "encoding 77 is not registered");
}

TEST(gc_bulk, values_of_another_size_are_a_misuse) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  Bulk b;
  Mutator& mu = b.gc.mu();
  Field<Node>* a = b.fields(4);
  const EncodingId pairs = b.pairs;
  EXPECT_DEATH(copy_fields(mu, pairs, a, a + 2, 1),
               "encoding [0-9]+ is that of values of 16 bytes, not of 8");
  EXPECT_DEATH(fill_fields(mu, pairs, a, nullptr, 2),
               "values of 16 bytes, not of 8");
  alignas(16) uint64_t slot[2] = {};
  uint64_t old[2] = {};
  const uint64_t to[2] = {};
  EXPECT_DEATH(tri_exchange_word(&mu, pairs, slot, 0),
               "tri_exchange_word.*values of 16 bytes, not of 8");
  EXPECT_DEATH(tri_exchange_pair(&mu, kRawPointers, slot, to, old),
               "tri_exchange_pair.*values of 8 bytes, not of 16");
  EXPECT_DEATH(tri_compare_exchange_pair(&mu, kRawPointers, slot, old, to),
               "tri_compare_exchange_pair.*values of 8 bytes, not of 16");
}

}  // namespace
}  // namespace tricolor::testing
