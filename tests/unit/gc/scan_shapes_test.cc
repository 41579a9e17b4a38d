// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Tails of elements (keys, values and numbers in turn) and values of 16 bytes
// are traced: in cells of every size, in pieces of large arrays that begin in
// the middle of an element, in a grow's copy, and torn.
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "gc/scan.h"
#include "tests/unit/gc/graph.h"
#include "tricolor/pair.h"
#include "tricolor/resize.h"

namespace tricolor::testing {

struct Value {
  uint64_t tag;
  uint64_t payload;
};
constexpr uint64_t kObject = 5;

}  // namespace tricolor::testing

namespace tricolor {
template <>
struct ValueTraits<testing::Value> {
  static void* cell(testing::Value v) {
    return v.tag == testing::kObject ? reinterpret_cast<void*>(v.payload)
                                     : nullptr;
  }
};
}  // namespace tricolor

namespace tricolor::testing {
namespace {

using Tail = LayoutSpec::Tail;

class gc_scan_shapes : public ::testing::Test {
 protected:
  static gc::CollectorOptions options() {
    gc::CollectorOptions o;
    o.gccheckmark = true;
    return o;
  }
  gc_scan_shapes() : gc(options()), type(node_type(gc)), mu(gc.mu()) {
    low.kind = EncodingKind::kTagSet;  // a pointer with the tag 5
    low.tag_mask = 7;
    low.tag_set[0] = 1 << 5;
    low.payload_mask = ~uint64_t{15};
    low_id = gc.heap().layouts().add_encoding(low, nullptr);
    pair = low;
    pair.stride = 16;
    pair.tag_mask = 255;
    pair_id = gc.heap().layouts().add_encoding(pair, nullptr);
  }
  Node* leaf() {
    Node* n = make(mu, type);
    n->seal(1);
    return n;
  }
  /// Elements of `words`: word `key` a pointer, word `value` encoded.
  LayoutId elements(uint32_t head_bytes, uint32_t words, uint32_t key,
                    uint32_t value) {
    const uint32_t pointers[] = {key * 8};
    const uint32_t values[] = {value * 8};
    LayoutSpec spec;
    spec.name = "elements";
    spec.head_bytes = head_bytes;
    spec.tail = Tail::kElements;
    spec.tail_stride = words * 8;
    spec.tail_pointer_offsets = pointers;
    spec.tail_encoded_offsets = values;
    spec.tail_pointer_count = spec.tail_encoded_count = 1;
    spec.encoding = low_id;
    return gc.layout(spec);
  }
  void put(uint64_t* slot, uint64_t word) { base::store_release(slot, word); }
  uint64_t raw() { return reinterpret_cast<uint64_t>(leaf()); }

  GcAlone gc;
  Type<Node> type;
  Mutator& mu;
  Encoding low;
  Encoding pair;
  EncodingId low_id;
  EncodingId pair_id;
};

// Every piece [from, to) of a cell sees the edges that the whole has there.
TEST_F(gc_scan_shapes, pieces_add_up) {
  for (uint32_t head : {0u, 1u, 4u}) {
    for (uint32_t words : {2u, 3u, 5u, 64u}) {
      LayoutId id = elements(head * 8, words, words - 1, words / 2 - 1);
      const heap::HotLayout& hot = gc.heap().layouts().hot(id);
      ASSERT_EQ(hot.kind, heap::ScanKind::kElements);
      std::vector<uint64_t> cell(head + 3 * words + words / 2 + 1);
      const size_t n = cell.size();
      for (size_t i = 0; i < n; ++i) cell[i] = 16 * (i + 1) + 5;
      auto scan = [&](size_t from, size_t to, std::vector<uint64_t>* out) {
        auto visit = [&](void* p) {
          out->push_back(reinterpret_cast<uint64_t>(p));
        };
        gc::scan_tail(gc.heap().layouts(), hot, cell.data(), from, to, visit);
      };
      std::vector<uint64_t> want;
      for (size_t i = head; i < n; ++i) {
        const size_t in = (i - head) % words;
        if (in == words - 1) want.push_back(cell[i]);
        if (in == words / 2 - 1) want.push_back(cell[i] & ~15ull);
      }
      for (size_t a = head; a <= n; ++a) {
        for (size_t b = a; b <= n; ++b) {
          std::vector<uint64_t> seen;
          scan(head, a, &seen);
          scan(a, b, &seen);
          scan(b, n, &seen);
          std::sort(seen.begin(), seen.end());
          ASSERT_EQ(seen, want) << head << " " << words << " " << a << " " << b;
        }
      }
    }
  }
}

TEST_F(gc_scan_shapes, keys_and_values_of_every_size) {
  // 24 bytes do not divide a piece of 16 KiB; a head makes it worse.
  for (uint32_t head : {0u, 8u, 40u}) {
    LayoutId id = elements(head, 3, 0, 1);
    for (size_t n : {1u, 2u, 21u, 170u, 5000u, 12000u, 60000u}) {
      Scope<1> scope(mu);
      auto* words = static_cast<uint64_t*>(allocate(mu, id, head + n * 24));
      *scope.take() = words;
      uint64_t* tail = words + head / 8;
      size_t live = 1;
      const size_t step = n / 500 + 1;
      for (size_t i = 0; i < n; i += step) {
        put(&tail[3 * i], raw());
        put(&tail[3 * i + 1], raw() | 5);
        put(&tail[3 * i + 2], raw());  // a number
        live += 2;
      }
      put(&tail[3 * n - 3], raw());
      put(&tail[3 * n - 2], raw() | 4);  // not a pointer's tag
      if ((n - 1) % step != 0)
        live += 1;
      else
        live -= 1;
      gc.collect();
      EXPECT_EQ(gc.live_cells(), live) << head << " " << n;
      for (size_t i = 0; i < n; i += step) {
        auto* key = reinterpret_cast<Node*>(tail[3 * i]);
        ASSERT_TRUE(key->intact()) << head << " " << n << " " << i;
      }
    }
    gc.collect();
  }
}

TEST_F(gc_scan_shapes, elements_are_marked_beside_stores) {
  LayoutId id = elements(8, 3, 2, 0);
  Scope<1> scope(mu);
  constexpr size_t kN = 60000;
  auto* words = static_cast<uint64_t*>(allocate(mu, id, 8 + kN * 24));
  *scope.take() = words;
  auto key = [&](size_t i) { return &words[1 + 3 * i + 2]; };
  for (size_t i = 0; i < kN; i += 7) {
    detail::store_slot<void*>(mu, key(i), leaf());
  }
  gc.start();
  for (size_t i = 0; i < kN / 2; i += 7) {
    if (i % 700 == 0) gc.drain(256);
    auto* p = reinterpret_cast<void*>(*key(i));
    detail::store_slot<void*>(mu, key(i), nullptr);
    detail::store_slot<void*>(mu, key(kN - 1 - i), p);
  }
  gc.finish();
  size_t found = 0;
  for (size_t i = 0; i < kN; ++i) {
    auto* p = reinterpret_cast<Node*>(*key(i));
    if (p == nullptr) continue;
    ASSERT_TRUE(p->intact()) << i;
    ++found;
  }
  EXPECT_GT(found, kN / 14);
}

// The new cell is black: what is copied is shaded, chunk by chunk (64 KiB).
TEST_F(gc_scan_shapes, a_grow_while_marking_shades_elements) {
  LayoutId id = elements(8, 3, 0, 1);
  constexpr size_t kN = 9000;
  Scope<1> scope(mu);
  auto** root = scope.take();
  auto* words = static_cast<uint64_t*>(allocate(mu, id, 8 + kN * 24));
  *root = words;
  for (size_t i = 0; i < kN; i += 100) {
    put(&words[1 + 3 * i], raw());
    put(&words[1 + 3 * i + 1], raw() | 5);
  }
  gc.start();
  *root = grow(mu, words, 8 + 3 * kN * 24);
  gc.finish();
  words = static_cast<uint64_t*>(*root);
  for (size_t i = 0; i < kN; i += 100) {
    auto* key = reinterpret_cast<Node*>(words[1 + 3 * i]);
    auto* value = reinterpret_cast<Node*>(words[1 + 3 * i + 1] - 5);
    ASSERT_TRUE(key->intact() && value->intact()) << i;
  }
  EXPECT_EQ(gc.live_cells(), 2 * kN / 100 + 1);
}

TEST_F(gc_scan_shapes, a_custom_trace_reports_pairs) {
  LayoutSpec spec;
  spec.name = "custom";
  spec.user = &pair_id;
  spec.trace = [](Tracer& t, void* cell, size_t bytes, void* user) {
    t.visit_words(static_cast<uint64_t*>(cell), bytes / 8,
                  *static_cast<EncodingId*>(user));
  };
  LayoutId id = gc.layout(spec);
  Scope<1> scope(mu);
  auto* words = static_cast<uint64_t*>(allocate(mu, id, 64));
  *scope.take() = words;
  words[2] = kObject;
  put(&words[3], raw());
  words[4] = 4;
  put(&words[5], raw());
  gc.collect();
  EXPECT_EQ(gc.live_cells(), 2u);
}

TEST_F(gc_scan_shapes, pairs_in_heads_tails_and_elements) {
  const uint32_t head[] = {16};
  const uint32_t link[] = {0};
  const uint32_t value[] = {16};
  LayoutSpec spec;
  spec.name = "pairs";
  spec.head_bytes = 32;
  spec.encoding = pair_id;
  spec.encoded_offsets = head;
  spec.encoded_count = 1;
  spec.tail = Tail::kEncoded;
  LayoutId plain = gc.layout(spec);
  spec.tail = Tail::kElements;
  spec.tail_stride = 32;
  spec.tail_pointer_offsets = link;
  spec.tail_encoded_offsets = value;
  spec.tail_pointer_count = spec.tail_encoded_count = 1;
  LayoutId entries = gc.layout(spec);
  for (LayoutId id : {plain, entries}) {
    for (size_t n : {1u, 7u, 200u, 5000u, 20000u}) {
      Scope<1> scope(mu);
      auto* v = static_cast<PairField<Value>*>(allocate(mu, id, 32 + n * 32));
      *scope.take() = v;
      const size_t last = 1 + 2 * n;
      for (size_t i : {size_t{1}, size_t{3}, last}) {
        v[i].store(mu, {kObject, raw()});
        EXPECT_EQ(v[i].load().tag, kObject);
      }
      size_t live = n == 1 ? 3 : 4;
      reinterpret_cast<uint64_t*>(&v[0])[1] = raw();  // dies
      v[2].store(mu, {id == plain ? kObject : 0, raw()});
      if (id == plain) ++live;
      gc.collect();
      EXPECT_EQ(gc.live_cells(), live) << n;
      for (size_t i : {size_t{1}, size_t{3}, last}) {
        auto* p = reinterpret_cast<Node*>(v[i].load().payload);
        EXPECT_TRUE(p->intact()) << i;
      }
    }
  }
}

TEST_F(gc_scan_shapes, the_payload_may_come_first) {
  Encoding e = pair;
  e.tag_offset = 8;
  e.payload_offset = 0;
  LayoutSpec spec;
  spec.name = "payload first";
  spec.tail = Tail::kEncoded;
  spec.encoding = gc.heap().layouts().add_encoding(e, nullptr);
  LayoutId id = gc.layout(spec);
  Scope<1> scope(mu);
  auto* words = make_array<uint64_t>(mu, id, 4);
  *scope.take() = words;
  words[1] = kObject;
  put(&words[0], raw());
  words[2] = kObject;
  put(&words[3], raw());
  gc.collect();
  EXPECT_EQ(gc.live_cells(), 2u);
}

// What the marker may see between the two words of a store.
TEST_F(gc_scan_shapes, torn_pairs_are_harmless) {
  LayoutSpec spec;
  spec.name = "values";
  spec.tail = Tail::kEncoded;
  spec.encoding = pair_id;
  LayoutId id = gc.layout(spec);
  Scope<1> scope(mu);
  auto* words = make_array<uint64_t>(mu, id, 16);
  *scope.take() = words;
  for (size_t i = 0; i < 16; i += 2) words[i] = kObject;
  Node* dead = leaf();
  put(&words[1], 1);                                      // a small number
  put(&words[3], 0x4059'0000'0000'0000);                  // a double
  put(&words[5], reinterpret_cast<uint64_t>(dead));       // kept for this cycle
  put(&words[7], reinterpret_cast<uint64_t>(dead) + 16);  // inside a cell
  put(&words[9], reinterpret_cast<uint64_t>(words) + 8);
  put(&words[11], ~uint64_t{0});
  put(&words[13], reinterpret_cast<uint64_t>(gc.heap().space().base()) +
                      gc.heap().space().committed_bytes());
  gc.collect();
  EXPECT_EQ(gc.live_cells(), 2u);
  words[4] = 0;  // the other half of the store
  gc.collect();
  EXPECT_EQ(gc.live_cells(), 1u);
  put(&words[7], reinterpret_cast<uint64_t>(dead));  // stale: a free cell
  gc.collect();
  EXPECT_EQ(gc.live_cells(), 1u);
}

TEST_F(gc_scan_shapes, pair_stores_shade_both_values) {
  LayoutSpec spec;
  spec.name = "values";
  spec.tail = Tail::kEncoded;
  spec.encoding = pair_id;
  LayoutId id = gc.layout(spec);
  Scope<3> scope(mu);
  auto* v = static_cast<PairField<Value>*>(allocate(mu, id, 64));
  *scope.take() = v;
  v[0].store(mu, {kObject, raw()});
  v[1].store(mu, {kObject, raw()});
  auto** kept = scope.take();
  gc.start();
  const Value old = v[0].load();
  v[0].store(mu, {1, 2});  // the old value was in the snapshot
  EXPECT_NE(gc.p().barrier_count, 0u);
  Value expected{kObject, 7};
  const Value number{2, 3};
  EXPECT_FALSE(v[1].compare_exchange(mu, expected, number));
  const Value second = expected;
  EXPECT_TRUE(v[1].compare_exchange(mu, expected, number));
  EXPECT_EQ(v[1].load().payload, 3u);
  gc.finish();
  *kept = reinterpret_cast<void*>(old.payload);
  EXPECT_TRUE(static_cast<Node*>(*kept)->intact());
  EXPECT_TRUE(reinterpret_cast<Node*>(second.payload)->intact());
  v[2].init(mu, {kObject, old.payload});
  *kept = nullptr;
  gc.collect();
  EXPECT_EQ(gc.live_cells(), 2u);
}

// Without AVX: the same through cmpxchg16b.
TEST_F(gc_scan_shapes, pairs_without_avx) {
  detail::PairWords slot = {{1, 2}};
  detail::PairWords seen = detail::pair_load_slow(&slot);
  EXPECT_EQ(seen.word[0], 1u);
  EXPECT_EQ(seen.word[1], 2u);
  detail::pair_store_slow(&slot, {{3, 4}});
  seen = detail::pair_load(&slot);
  EXPECT_EQ(seen.word[0], 3u);
  EXPECT_EQ(seen.word[1], 4u);
  slot = {};
  EXPECT_EQ(detail::pair_load_slow(&slot).word[1], 0u);
}

#if !TRI_CHECKS
// A cell shorter than its layout's head has no tail.
TEST_F(gc_scan_shapes, a_tail_that_ends_before_it_begins) {
  LayoutSpec spec;
  spec.name = "array";
  spec.head_bytes = 64;
  spec.tail = Tail::kPointers;
  const uint64_t words[8] = {};
  auto visit = [](void*) { ADD_FAILURE(); };
  for (LayoutId id : {gc.layout(spec), elements(64, 3, 0, 1)}) {
    gc::scan_tail(gc.heap().layouts(), gc.heap().layouts().hot(id), words, 8, 4,
                  visit);
  }
}
#endif

}  // namespace
}  // namespace tricolor::testing
