// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Every layout shape is traced: pointers, heads with tails, NaN boxes, custom
// functions, large arrays in pieces, value stacks.
#include "gc/scan.h"

#include <gtest/gtest.h>

#include "tests/unit/gc/graph.h"

namespace tricolor::testing {
namespace {

constexpr uint64_t kTag = uint64_t{0xfffb} << 48;

Encoding nan_box() {
  Encoding e;
  e.kind = EncodingKind::kRange;
  e.range_lo = kTag;
  e.range_hi = ~uint64_t{0};
  e.payload_mask = (uint64_t{1} << 48) - 1;
  return e;
}

class gc_scan : public ::testing::Test {
 protected:
  static gc::CollectorOptions options() {
    gc::CollectorOptions o;
    o.gccheckmark = true;
    return o;
  }
  gc_scan() : gc(options()), type(node_type(gc)), mu(gc.mu()) {}

  Node* leaf() {
    Node* n = make(mu, type);
    n->seal(1);
    return n;
  }
  static uint64_t box(void* p) { return kTag | reinterpret_cast<uint64_t>(p); }

  GcAlone gc;
  Type<Node> type;
  Mutator& mu;
};

TEST_F(gc_scan, array_of_pointers_of_every_size) {
  LayoutSpec spec;
  spec.name = "array";
  spec.tail = LayoutSpec::Tail::kPointers;
  LayoutId id = gc.layout(spec);
  for (size_t n : {1u, 2u, 15u, 64u, 1000u, 4096u, 40000u, 300000u}) {
    Scope<1> scope(mu);
    auto* array = make_array<uint64_t>(mu, id, n);
    *scope.take() = array;
    for (size_t i = 0; i < n; i += n / 8 + 1) {
      detail::store_slot<void*>(mu, &array[i], leaf());
    }
    detail::store_slot<void*>(mu, &array[n - 1], leaf());
    gc.collect();
    for (size_t i = 0; i < n; ++i) {
      auto* p = reinterpret_cast<Node*>(array[i]);
      if (p != nullptr) {
        EXPECT_TRUE(p->intact()) << n << " " << i;
      }
    }
  }
  gc.collect();
  EXPECT_EQ(gc.live_cells(), 0u);
}

TEST_F(gc_scan, boxed_values_beside_numbers) {
  EncodingId enc = gc.heap().layouts().add_encoding(nan_box(), nullptr);
  LayoutSpec spec;
  spec.name = "values";
  spec.tail = LayoutSpec::Tail::kEncoded;
  spec.encoding = enc;
  LayoutId id = gc.layout(spec);
  Scope<1> scope(mu);
  auto* array = make_array<uint64_t>(mu, id, 100);
  *scope.take() = array;
  Node* kept = leaf();
  base::store_release(&array[7], box(kept));
  Node* raw = leaf();  // as a double it means nothing
  base::store_release(&array[8], reinterpret_cast<uint64_t>(raw));
  gc.collect();
  EXPECT_TRUE(kept->intact());
  EXPECT_EQ(gc.live_cells(), 2u);
}

TEST_F(gc_scan, head_with_both_kinds_and_a_tail) {
  EncodingId enc = gc.heap().layouts().add_encoding(nan_box(), nullptr);
  uint32_t pointers[] = {8};
  uint32_t values[] = {16};
  LayoutSpec spec;
  spec.name = "mixed";
  spec.head_bytes = 24;
  spec.pointer_offsets = pointers;
  spec.pointer_count = 1;
  spec.encoded_offsets = values;
  spec.encoded_count = 1;
  spec.tail = LayoutSpec::Tail::kEncoded;
  spec.encoding = enc;
  LayoutId id = gc.layout(spec);
  for (size_t n : {4u, 100u, 50000u}) {
    Scope<1> scope(mu);
    auto* words = make_array<uint64_t>(mu, id, n);
    *scope.take() = words;
    words[0] = reinterpret_cast<uint64_t>(leaf());  // noscan word: dies
    base::store_release(&words[1], reinterpret_cast<uint64_t>(leaf()));
    base::store_release(&words[2], box(leaf()));
    base::store_release(&words[3], box(leaf()));
    base::store_release(&words[n - 1], box(leaf()));
    gc.collect();
    EXPECT_EQ(gc.live_cells(), n == 4 ? 4u : 5u) << n;
  }
}

struct Pair {
  uint64_t count;
  uint64_t words[3];
};

TEST_F(gc_scan, custom_trace_reports_what_it_says) {
  LayoutSpec spec;
  spec.name = "custom";
  spec.user = this;
  spec.trace = [](Tracer& t, void* cell, size_t bytes, void* user) {
    EXPECT_NE(user, nullptr);
    EXPECT_GE(bytes, sizeof(Pair));
    auto* p = static_cast<Pair*>(cell);
    for (uint64_t i = 0; i < p->count; ++i) {
      t.visit(reinterpret_cast<void*>(gc::load_word(&p->words[i])));
    }
  };
  LayoutId id = gc.layout(spec);
  Scope<1> scope(mu);
  auto* pair = static_cast<Pair*>(allocate(mu, id, sizeof(Pair)));
  *scope.take() = pair;
  for (auto& w : pair->words) w = reinterpret_cast<uint64_t>(leaf());
  pair->count = 2;
  gc.collect();
  EXPECT_EQ(gc.live_cells(), 3u);
}

TEST_F(gc_scan, value_stack_of_the_owner) {
  EncodingId enc = gc.heap().layouts().add_encoding(nan_box(), nullptr);
  uint64_t words[16] = {};
  tri_value_stack vs{words, words, words + 16, enc, 0};
  mu.value_stack = &vs;
  words[0] = box(leaf());
  vs.top = words + 1;
  words[1] = box(leaf());  // above top: not a root
  gc.collect();
  EXPECT_EQ(gc.live_cells(), 1u);
  mu.value_stack = nullptr;
}

TEST_F(gc_scan, a_large_array_is_marked_beside_stores) {
  LayoutSpec spec;
  spec.name = "array";
  spec.tail = LayoutSpec::Tail::kPointers;
  LayoutId id = gc.layout(spec);
  Scope<1> scope(mu);
  constexpr size_t kN = 200000;
  auto* array = make_array<uint64_t>(mu, id, kN);
  *scope.take() = array;
  for (size_t i = 0; i < kN; i += 7) {
    detail::store_slot<void*>(mu, &array[i], leaf());
  }
  gc.start();
  for (size_t i = 0; i < kN; i += 14) {
    if (i % 1400 == 0) gc.drain(256);
    size_t j = kN - 1 - i;
    auto* p = reinterpret_cast<void*>(array[i]);
    detail::store_slot<void*>(mu, &array[i], nullptr);
    if (p != nullptr) detail::store_slot<void*>(mu, &array[j], p);
  }
  gc.finish();
  for (size_t i = 0; i < kN; ++i) {
    auto* p = reinterpret_cast<Node*>(array[i]);
    if (p != nullptr) {
      ASSERT_TRUE(p->intact()) << i;
    }
  }
}

}  // namespace
}  // namespace tricolor::testing
