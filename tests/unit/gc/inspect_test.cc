// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// find_cell, walk, layout_stats and verify_heap, in every phase.
#include "tricolor/heap_inspect.h"

#include <gtest/gtest.h>

#include <cstring>
#include <map>

#include "tests/unit/gc/graph.h"
#include "tricolor/resize.h"
#include "tricolor/weak.h"

namespace tricolor::testing {
namespace {

class gc_inspect : public ::testing::Test {
 protected:
  static gc::CollectorOptions options() {
    gc::CollectorOptions o;
    o.gc_percent = -1;
    return o;
  }
  gc_inspect() : gc(options()), type(node_type(gc)), mu(gc.mu()) {
    LayoutSpec spec;
    spec.name = "bytes";
    spec.tail = LayoutSpec::Tail::kNoscan;
    spec.user = &spec_user;
    bytes = gc.layout(spec);
  }
  CellInfo find(const void* p) {
    CellInfo info{};
    found = find_cell(gc.runtime(), p, &info);
    return info;
  }
  void rt_percent(int percent) { gc.collector().set_gc_percent(percent); }
  std::map<void*, CellInfo> walk_all() {
    std::map<void*, CellInfo> cells;
    void* last = nullptr;
    walk(mu, [&](const CellInfo& info) {
      EXPECT_LT(last, info.cell) << "address order";
      last = info.cell;
      cells[info.cell] = info;
    });
    return cells;
  }

  GcAlone gc;
  Type<Node> type;
  Mutator& mu;
  LayoutId bytes;
  int spec_user = 0;
  bool found = false;
};

TEST_F(gc_inspect, find_cell_small) {
  for (size_t n : {16, 48, 700, 3000, 20'000, 32'768}) {
    for (int i = 0; i < 20; ++i) {
      auto* cell = static_cast<char*>(allocate(mu, bytes, n));
      size_t size = cell_size(gc.runtime(), cell);
      for (size_t at : {size_t{0}, size_t{1}, n / 2, size - 1}) {
        CellInfo info = find(cell + at);
        ASSERT_TRUE(found) << n << " at " << at;
        ASSERT_EQ(info.cell, cell);
        ASSERT_EQ(info.bytes, size);
        ASSERT_EQ(info.layout, bytes);
        ASSERT_STREQ(info.name, "bytes");
        ASSERT_EQ(info.user, &spec_user);
      }
    }
  }
}

TEST_F(gc_inspect, find_cell_large) {
  constexpr size_t kBytes = 10'000'001;
  auto* cell = static_cast<char*>(allocate(mu, bytes, kBytes));
  for (size_t at : {size_t{0}, size_t{8192}, size_t{5'000'000}, kBytes - 1}) {
    EXPECT_EQ(find(cell + at).cell, cell);
    EXPECT_EQ(find(cell + at).bytes, (kBytes + 15) / 16 * 16);
  }
  find(cell + (kBytes + 15) / 16 * 16);
  EXPECT_FALSE(found) << "the rest of its last page";
  ASSERT_TRUE(shrink(mu, cell, 100'000));
  EXPECT_EQ(find(cell + 99'999).cell, cell);
  find(cell + 5'000'000);
  EXPECT_FALSE(found);
  ASSERT_TRUE(release(mu, cell));
  find(cell);
  EXPECT_FALSE(found);
}

TEST_F(gc_inspect, find_cell_elsewhere) {
  int local = 0;
  Node* node = make(mu, type);
  for (const void* p :
       {static_cast<const void*>(&local), static_cast<const void*>(nullptr),
        static_cast<const void*>(gc.heap().space().base()),
        static_cast<const void*>(gc.heap().space().base() - 1),
        reinterpret_cast<const void*>(UINTPTR_MAX)}) {
    find(p);
    EXPECT_FALSE(found) << p;
  }
  EXPECT_EQ(find(&node->id).cell, node);
  release(mu, node);
  find(&node->id);
  EXPECT_FALSE(found) << "released";
}

TEST_F(gc_inspect, walk_sees_what_was_allocated_and_not_released) {
  Scope<1> scope(mu);
  Local<Node> tree(scope, make_tree(mu, type, 5));
  void* dead = allocate(mu, bytes, 64);
  void* gone = allocate(mu, bytes, 64);
  void* large = allocate(mu, bytes, 100'000);
  release(mu, gone);
  auto cells = walk_all();
  EXPECT_EQ(cells.size(), 63u + 2);
  EXPECT_EQ(cells.count(gone), 0u);
  EXPECT_EQ(cells.at(dead).bytes, 64u);
  EXPECT_EQ(cells.at(large).bytes, 100'000u);
  EXPECT_EQ(cells.at(tree.get()).layout, type.layout);
  gc.collect();
  EXPECT_EQ(walk_all().size(), 63u);
  EXPECT_EQ(check_tree(tree), 63);
  release(mu, allocate(mu, bytes, 100'000));
  EXPECT_EQ(walk_all().size(), 63u);
  verify_heap(mu);
}

TEST_F(gc_inspect, walk_in_every_phase) {
  Scope<1> scope(mu);
  Local<Node> tree(scope, make_tree(mu, type, 5));
  make_tree(mu, type, 4);  // garbage
  gc.start();
  for (gc::Phase last = gc::Phase::kMark;;) {
    gc::Phase at = gc.impl().phase();
    if (at == gc::Phase::kMark) {
      EXPECT_EQ(walk_all().size(), 63u + 31) << "not known to be dead yet";
      gc.drain(256);
    } else {
      EXPECT_EQ(walk_all().size(), 63u);
      if (at == gc::Phase::kSweep) gc.heap().sweep_one(nullptr);
    }
    verify_heap(mu);
    LayoutStats stats[8];
    ASSERT_LE(layout_stats(mu, stats, 8), 8u);
    EXPECT_GE(stats[type.layout].cells, 63u);
    gc.impl().advance(&gc.p());
    last = gc.impl().phase();
    if (last == gc::Phase::kIdle) break;
  }
  EXPECT_EQ(check_tree(tree), 63);
}

TEST_F(gc_inspect, layout_stats_count_cells_and_bytes) {
  Scope<1> scope(mu);
  Local<Node> tree(scope, make_tree(mu, type, 6));
  for (int i = 0; i < 10; ++i) allocate(mu, bytes, 100);
  allocate(mu, bytes, 40'000);
  release(mu, allocate(mu, bytes, 50'000));
  LayoutStats out[8];
  size_t n = layout_stats(mu, out, 8);
  ASSERT_LE(n, 8u);
  EXPECT_EQ(out[type.layout].cells, 127u);
  EXPECT_EQ(out[type.layout].bytes, 127u * 32);
  EXPECT_EQ(out[bytes].cells, 11u);
  EXPECT_EQ(out[bytes].bytes, 10u * 112 + 40'960);
  EXPECT_EQ(out[0].cells, 0u);
  LayoutStats one[1];
  EXPECT_EQ(layout_stats(mu, one, 1), n) << "fewer than there are is fine";
  gc.collect();
  layout_stats(mu, out, 8);
  EXPECT_EQ(out[type.layout].cells, 127u);
  EXPECT_EQ(out[bytes].cells, 0u);
}

// More than one stop sees to, with an object across the seam.
TEST_F(gc_inspect, layout_stats_of_a_long_heap) {
  Scope<3> scope(mu);
  Local<Node> before(scope, make_tree(mu, type, 9));
  LayoutSpec spec;
  spec.name = "Raw";
  spec.tail = LayoutSpec::Tail::kNoscan;
  spec.uninitialized = true;
  const LayoutId raw = gc.layout(spec);
  constexpr size_t kLong = size_t{300} << 20;
  Local<char> large(scope, static_cast<char*>(allocate(mu, raw, kLong)));
  Local<Node> after(scope, make_tree(mu, type, 14));
  LayoutStats out[16];
  const size_t n = layout_stats(mu, out, 16);
  ASSERT_LE(n, 16u);
  EXPECT_EQ(out[type.layout].cells, 1023u + 32767u);
  EXPECT_EQ(out[raw].cells, 1u);
  EXPECT_EQ(out[raw].bytes, kLong);
}

// The walk flushes runs that were taken, and counted, before the mark.
TEST_F(gc_inspect, a_walk_during_a_small_mark_leaves_the_pacer_sane) {
  Scope<1> scope(mu);
  Local<Node> keep(scope, make(mu, type));
  for (size_t n : {16, 48, 96, 200, 400, 900}) allocate(mu, bytes, n);
  gc.start();
  walk_all();
  gc.finish();
  EXPECT_LT(gc.impl().record.heap_marked, 1u << 20);
  EXPECT_LT(gc.heap().live_bytes(), 1u << 20);
  rt_percent(100);
  EXPECT_LE(gc.impl().pacer.trigger(), 4u << 20);
}

TEST_F(gc_inspect, verify_heap_finds_a_stray_write) {
  Node* node = make(mu, type);
  verify_heap(mu);
  uint8_t* inside =
      gc.heap().space().mark_of(gc.heap().space().offset_of(node)) + 1;
  *inside = gc.heap().cur();
  EXPECT_DEATH(verify_heap(mu), "mark byte . inside a cell");
  *inside = 0;
}

TEST_F(gc_inspect, a_walk_that_is_thrown_out_of_is_over) {
  Scope<1> scope(mu);
  Local<Node> tree(scope, make_tree(mu, type, 6));
  for (int round = 0; round < 3; ++round) {
    int seen = 0;
    EXPECT_THROW(walk(mu,
                      [&](const CellInfo&) {
                        if (++seen == 5) throw seen;
                      }),
                 int);
    EXPECT_EQ(seen, 5);
    EXPECT_FALSE(gc.p().in_collector);
    EXPECT_GE(walk_all().size(), 127u);
    allocate(mu, bytes, 100);
    gc.collect();
    verify_heap(mu);
  }
  EXPECT_EQ(check_tree(tree), 127);
}

TEST_F(gc_inspect, what_a_walk_may_not_do) {
  make(mu, type);
  const auto inside = [this](auto f) {
    walk(mu, [&](const CellInfo& info) { f(info); });
  };
  const auto in_walk = [](const char* call) {
    return std::string(call) + ": called from the callback of walk";
  };
  EXPECT_DEATH(inside([&](auto&) { allocate(mu, bytes, 48); }),
               in_walk("allocate"));
  EXPECT_DEATH(inside([&](auto&) { allocate(mu, bytes, 1 << 20); }),
               in_walk("allocate"));
  EXPECT_DEATH(inside([&](auto& info) { release(mu, info.cell); }),
               in_walk("release"));
  EXPECT_DEATH(inside([&](auto& info) { grow(mu, info.cell, 1 << 20); }),
               in_walk("grow"));
  EXPECT_DEATH(inside([&](auto& info) { shrink(mu, info.cell, 16); }),
               in_walk("shrink"));
  EXPECT_DEATH(inside([&](auto&) { gc.collect(); }), in_walk("collect"));
  EXPECT_DEATH(inside([&](auto&) { gc.collector().step(&mu, 1000); }),
               in_walk("step"));
  EXPECT_DEATH(inside([&](auto&) { walk_all(); }), in_walk("walk"));
  EXPECT_DEATH(inside([&](auto&) { verify_heap(mu); }), in_walk("verify_heap"));
  EXPECT_DEATH(inside([&](auto&) { set_alloc_profile(mu, {}); }),
               in_walk("set_alloc_profile"));
}

TEST_F(gc_inspect, allocating_inside_the_collector_is_a_mistake) {
  static Mutator* mutator;
  static LayoutId raw;
  mutator = &mu;
  raw = bytes;
  LayoutSpec spec;
  spec.name = "Bad";
  spec.head_bytes = 16;
  spec.on_dead = [](void*, size_t, void*) {
    for (int i = 0; i < 10'000; ++i) allocate(*mutator, raw, 64);
  };
  allocate(mu, gc.layout(spec), 16);
  EXPECT_DEATH(gc.collect(), "allocate: .*(inside the collector|on_dead)");
}

TEST_F(gc_inspect, a_root_callback_may_not_allocate) {
  static Mutator* mutator;
  static LayoutId raw;
  mutator = &mu;
  raw = bytes;
  add_root_callback(
      gc.runtime(), [](Tracer&, void*) { allocate(*mutator, raw, 64); },
      nullptr);
  EXPECT_DEATH(gc.collect(), "allocate: called from a root callback");
}

TEST_F(gc_inspect, verify_heap_looks_into_cells) {
  Scope<3> scope(mu);
  Local<Node> node(scope, make_tree(mu, type, 1));
  Local<Node> gone(scope, make(mu, type));
  auto* words = reinterpret_cast<uint64_t*>(node.get());
  const uint64_t good = words[1];
  const auto base = reinterpret_cast<uint64_t>(gc.heap().space().base());
  int outside = 0;
  auto put = [&](const void* p) { words[1] = reinterpret_cast<uint64_t>(p); };
  auto check = [&](const char* message) {
    EXPECT_DEATH(verify_heap(mu), message);
    gc.start();  // white cells are left out, this one is not
    gc.drain(1 << 20);
    words[1] = good;
    gc.finish();
    verify_heap(mu);
  };
  for (const void* fine : {static_cast<const void*>(nullptr),
                           static_cast<const void*>(&outside)}) {
    put(fine);
    verify_heap(mu);
  }
  put(reinterpret_cast<char*>(good) + 16);
  check("offset 8 of cell .*layout 'Node'.* the middle of one");
  put(reinterpret_cast<char*>(good) + 4);
  check("offset 8 of cell .*into the middle of a cell");
  put(reinterpret_cast<void*>(base + (size_t{400} << 20)));
  check("has not grown to");
  Node* dead = gone.get();
  gone = nullptr;
  release(mu, dead);
  put(dead);
  EXPECT_DEATH(verify_heap(mu), "has been released");
  words[1] = good;
  gc.collect();
  put(dead);
  check("offset 8 of .* is a free cell");
  // In no cell that anybody will scan.
  auto* raw = static_cast<uint64_t*>(allocate(mu, bytes, 64));
  raw[3] = good + 16;
  verify_heap(mu);
}

TEST_F(gc_inspect, verify_heap_looks_into_large_and_encoded_cells) {
  Encoding nan_boxes;
  nan_boxes.kind = EncodingKind::kRange;
  nan_boxes.range_lo = 0xfffb'0000'0000'0000;
  nan_boxes.range_hi = 0xfffb'ffff'ffff'ffff;
  nan_boxes.payload_mask = 0x0000'ffff'ffff'ffff;
  const EncodingId e = gc.heap().layouts().add_encoding(nan_boxes, nullptr);
  LayoutSpec spec;
  spec.name = "Values";
  spec.tail = LayoutSpec::Tail::kEncoded;
  spec.encoding = e;
  Scope<2> scope(mu);
  Local<Node> node(scope, make(mu, type));
  Local<uint64_t> values(
      scope, static_cast<uint64_t*>(allocate(mu, gc.layout(spec), 80'000)));
  const auto box = reinterpret_cast<uint64_t>(node.get()) | nan_boxes.range_lo;
  values.get()[700] = box;
  values.get()[701] = box & nan_boxes.payload_mask;  // a number
  values.get()[702] = (box + 16) & nan_boxes.payload_mask;
  verify_heap(mu);
  values.get()[9'000] = box + 16;
  EXPECT_DEATH(verify_heap(mu), "offset 72000 of cell .*layout 'Values'");
  values.get()[9'000] = 0;
}

// A coroutine's Local may refer to what has been released.
TEST_F(gc_inspect, verify_heap_does_not_look_at_roots_in_cells) {
  static void* stale;
  stale = make(mu, type);
  LayoutSpec spec;
  spec.trace = [](Tracer& t, void*, size_t, void*) { t.visit(stale); };
  spec.head_bytes = 16;
  Scope<2> scope(mu);
  spec.name = "tricolor.ours";
  Local<char> ours(scope,
                   static_cast<char*>(allocate(mu, gc.layout(spec), 16)));
  release(mu, static_cast<Node*>(stale));
  verify_heap(mu);
  spec.name = "Theirs";
  spec.distinct = true;
  Local<char> theirs(scope,
                     static_cast<char*>(allocate(mu, gc.layout(spec), 16)));
  EXPECT_DEATH(verify_heap(mu), "offset -1 of .*'Theirs'.* has been released");
}

// Damage done in a phase is found when it ends.
TEST_F(gc_inspect, every_phase_end_is_checked) {
  Scope<1> scope(mu);
  gc.impl().options.validate = true;
  Local<Node> tree(scope, make_tree(mu, type, 5));
  uint8_t* byte =
      gc.heap().space().mark_of(gc.heap().space().offset_of(tree.get())) + 1;
  for (gc::Phase at : {gc::Phase::kIdle, gc::Phase::kMark, gc::Phase::kSettle,
                       gc::Phase::kFlush, gc::Phase::kSweep}) {
    SCOPED_TRACE(static_cast<unsigned>(at));
    auto step = [&] {
      if (gc.impl().phase() == gc::Phase::kIdle) {
        gc.start();
        return;
      }
      const gc::Phase before = gc.impl().phase();
      for (int i = 0; i < 100 && gc.impl().phase() == before; ++i) {
        if (before == gc::Phase::kMark) gc.drain(1 << 20);
        if (before == gc::Phase::kSweep) gc.heap().sweep_one(nullptr);
        gc.impl().advance(&gc.p());
      }
    };
    while (gc.impl().phase() != at) step();
    *byte = gc.heap().cur();
    EXPECT_DEATH(step(), "inside a cell|cells live of");
    *byte = 0;
  }
  gc.finish();
  EXPECT_EQ(check_tree(tree), 63);
}

TEST_F(gc_inspect, from_inside_the_collector_is_a_mistake) {
  static Mutator* mutator;
  mutator = &mu;
  LayoutSpec spec;
  spec.name = "Bad";
  spec.head_bytes = 16;
  spec.on_dead = [](void*, size_t, void*) { verify_heap(*mutator); };
  LayoutId bad = gc.layout(spec);
  allocate(mu, bad, 16);
  EXPECT_DEATH(gc.collect(), "verify_heap: .*(inside the collector|on_dead)");
  Mutator native{};
  EXPECT_DEATH(verify_heap(native), "verify_heap: .*native code");
}

// Where it would do harm without a word: in a refill that sweeps for itself.
TEST_F(gc_inspect, on_dead_may_not_allocate_nor_collect) {
  static Mutator* mutator;
  static gc::Collector* collector;
  static LayoutId other;
  static int what;
  collector = &gc.collector();
  mutator = &mu;
  LayoutSpec spec;
  spec.name = "Other";
  spec.head_bytes = 48;
  other = gc.layout(spec);
  spec.name = "Dies";
  spec.head_bytes = 32;
  spec.on_dead = [](void*, size_t, void*) {
    if (what == 1) allocate(*mutator, other, 48);
    if (what == 2) collector->collect(mutator);
  };
  const LayoutId dies = gc.layout(spec);
  what = 0;
  for (int i = 0; i < 2000; ++i) allocate(mu, dies, 32);
  gc.start();
  for (int i = 0; i < 1000 && gc.impl().phase() != gc::Phase::kSweep; ++i) {
    if (gc.impl().phase() == gc::Phase::kMark) gc.drain(size_t{1} << 20);
    gc.impl().advance(&gc.p());
  }
  ASSERT_EQ(gc.impl().phase(), gc::Phase::kSweep);
  for (int i = 1; i <= 2; ++i) {
    what = i;
    EXPECT_DEATH(
        {
          for (int k = 0; k < 2000; ++k) allocate(mu, dies, 32);
        },
        "(allocate|collect): called from (on_dead|inside the collector)");
  }
  what = 0;
  gc.finish();
}

}  // namespace
}  // namespace tricolor::testing
