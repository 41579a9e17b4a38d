// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Mixed spans: cells of many layouts in one span keep their layouts, through
// cycles, releases and on several Ps; and what that saves.
#include "heap/mixed.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "base/rng.h"
#include "tests/support/heap_alone.h"
#include "tests/support/stress.h"

namespace tricolor::heap {
namespace {

using tricolor::testing::HeapAlone;

HeapOptions mixed() {
  HeapOptions o;
  o.mixed_spans = true;
  return o;
}

SpanState kind_of(HeapAlone& heap, const void* cell) {
  size_t page = heap->space().offset_of(cell) >> kPageShift;
  return PageEntry::kind(heap->space().entry(page)->bits.load_relaxed());
}

std::vector<LayoutId> distinct_layouts(HeapAlone& heap, int n) {
  std::vector<LayoutId> ids;
  for (int i = 0; i < n; ++i) {
    const std::string name = "L" + std::to_string(i);
    LayoutSpec spec;
    spec.name = name.c_str();
    spec.tail = LayoutSpec::Tail::kNoscan;
    spec.distinct = true;
    ids.push_back(heap.layout(spec));
  }
  return ids;
}

TEST(heap_mixed, no_two_cells_share_an_id) {
  for (uint32_t c = 1; c < MixedClasses::kCount; ++c) {
    const uint32_t bytes = tri_detail_class_bytes(c);
    const MixedClass& m = kMixedClasses.of[c];
    if (bytes >= kSideIdBytes) {
      EXPECT_EQ(m.pages, 0) << "ids beside the heap";
      continue;
    }
    EXPECT_EQ(m.pages, 1);
    EXPECT_GE(bytes >> m.shift, 1u) << bytes;
    EXPECT_LE(m.cells * bytes, m.ids_at) << bytes;
    EXPECT_GE((m.cells + 1) * bytes, m.ids_at) << "none is wasted; " << bytes;
    EXPECT_LE(m.ids_at + 2 * (((m.cells - 1) * bytes >> m.shift) + 1),
              kPageBytes)
        << bytes;
  }
  EXPECT_EQ(tri_detail_class_bytes(MixedClasses::kCount) > kSideIdBytes, true);
}

TEST(heap_mixed, thousands_of_layouts_share_a_few_pages) {
  HeapAlone heap(mixed());
  const std::vector<LayoutId> ids = distinct_layouts(heap, 4000);
  std::vector<void*> cells;
  for (LayoutId id : ids) cells.push_back(heap.allocate(id, 48));
  for (size_t i = 0; i < ids.size(); ++i) {
    ASSERT_EQ(heap->layout_of(cells[i]), ids[i]);
    ASSERT_EQ(kind_of(heap, cells[i]), SpanState::kMixed);
    ASSERT_EQ(heap->cell_bytes(cells[i]), 48u);
  }
  if (!TRI_ASAN) {
    EXPECT_LE(heap->pages_in_use(), 30u) << "4,000 pages without";
  }
  heap.collect(cells);
  for (size_t i = 0; i < ids.size(); ++i) {
    ASSERT_EQ(heap->layout_of(cells[i]), ids[i]);
  }
}

TEST(heap_mixed, a_busy_layout_gets_spans_of_its_own) {
  HeapAlone heap(mixed());
  const LayoutId layout = heap.layout("Busy");
  EXPECT_EQ(kind_of(heap, heap.allocate(layout, 64)), SpanState::kMixed);
  void* last = nullptr;
  for (size_t i = 0; i < kRareBytes / 64 + 8; ++i) {
    last = heap.allocate(layout, 64);
  }
  EXPECT_EQ(kind_of(heap, last), SpanState::kSmall);
  EXPECT_EQ(heap->layout_of(last), layout);
  // Larger cells never do.
  for (int i = 0; i < 1000; ++i) last = heap.allocate(layout, 600);
  EXPECT_EQ(kind_of(heap, last), SpanState::kMixed);
  EXPECT_EQ(heap->layout_of(last), layout);
}

/// Cells of random layouts and sizes, which remember theirs.
class Zoo {
 public:
  Zoo(HeapAlone& heap, uint64_t seed)
      : heap_(heap), rng_(seed), ids_(distinct_layouts(heap, 200)) {}

  void allocate(int n) {
    for (int i = 0; i < n; ++i) {
      const LayoutId id = ids_[rng_.below(ids_.size())];
      const size_t most = rng_.below(8) == 0 ? 33'000 : 600;
      auto* cell =
          static_cast<uint64_t*>(heap_.allocate(id, 16 + rng_.below(most)));
      ASSERT_EQ(cell[0], 0u);
      ASSERT_EQ(cell[1], 0u);
      cell[0] = reinterpret_cast<uint64_t>(cell) + id;
      ASSERT_TRUE(cells_.emplace(cell, id).second) << "in use";
    }
  }
  void check() {
    for (const auto& [cell, id] : cells_) {
      ASSERT_EQ(heap_->layout_of(cell), id);
      ASSERT_EQ(*static_cast<uint64_t*>(cell),
                reinterpret_cast<uint64_t>(cell) + id);
      CellInfo info;
      const size_t inside = rng_.below(heap_->cell_bytes(cell));
      ASSERT_TRUE(heap_->find_cell(static_cast<char*>(cell) + inside, &info));
      ASSERT_EQ(info.cell, cell);
      ASSERT_EQ(info.layout, id);
    }
  }
  void mark_half() {
    for (auto it = cells_.begin(); it != cells_.end();) {
      const bool black = heap_.byte_of(it->first) == heap_->cur();
      if (!black && rng_.below(2) == 0) {
        it = cells_.erase(it);
        continue;
      }
      ASSERT_TRUE(black || heap_.mark(it->first));
      ++it;
    }
  }
  void release_some() {
    for (auto it = cells_.begin(); it != cells_.end();) {
      if (rng_.below(10) == 0 && heap_->release(&heap_.mu(), it->first)) {
        it = cells_.erase(it);
      } else {
        ++it;
      }
    }
  }

 private:
  HeapAlone& heap_;
  base::Rng rng_;
  std::vector<LayoutId> ids_;
  std::map<void*, LayoutId> cells_;
};

TEST(heap_mixed, cells_keep_their_layouts_through_cycles) {
  HeapAlone heap(mixed());
  Zoo zoo(heap, tricolor::testing::test_seed());
  const int cycles = tricolor::testing::stress_scale(15, 300);
  for (int i = 0; i < cycles && !HasFatalFailure(); ++i) {
    zoo.allocate(1500);
    zoo.release_some();
    zoo.check();
    heap.begin();
    zoo.allocate(300);
    zoo.mark_half();
    zoo.allocate(300);
    heap.begin_sweep();
    zoo.check();
    heap->allow_sweep();
    zoo.allocate(300);  // sweeps on demand
    heap.sweep_all();
    zoo.check();
  }
}

TEST(heap_mixed, on_dead_once_for_each_dead_cell_and_for_no_rest) {
  HeapAlone heap(mixed());
  std::map<void*, int> dead;
  LayoutSpec spec;
  spec.name = "Mortal";
  spec.tail = LayoutSpec::Tail::kNoscan;
  spec.user = &dead;
  spec.on_dead = [](void* cell, size_t bytes, void* user) {
    EXPECT_EQ(bytes, 64u);
    ++(*static_cast<std::map<void*, int>*>(user))[cell];
  };
  const LayoutId mortal = heap.layout(spec);
  const std::vector<LayoutId> others = distinct_layouts(heap, 3);
  std::vector<void*> live;
  std::vector<void*> doomed;
  for (int i = 0; i < 101; ++i) {
    live.push_back(heap.allocate(mortal, 64));
    doomed.push_back(heap.allocate(mortal, 64));
    heap.allocate(others[static_cast<size_t>(i) % 3], 64);
  }
  heap.collect(live);
  EXPECT_EQ(dead.size(), doomed.size());
  for (void* cell : doomed) EXPECT_EQ(dead[cell], 1);
  dead.clear();
  heap.collect(live);
  EXPECT_TRUE(dead.empty());
}

TEST(heap_mixed, released_cells_come_back_with_their_layout) {
  HeapAlone heap(mixed());
  const std::vector<LayoutId> ids = distinct_layouts(heap, 2);
  for (size_t bytes : {32, 2000}) {
    void* one = heap.allocate(ids[0], bytes);
    void* two = heap.allocate(ids[1], bytes);
    ASSERT_TRUE(heap->release(&heap.mu(), one));
    ASSERT_TRUE(heap->release(&heap.mu(), two));
    // The released cell is handed out when the run is used up.
    bool again = false;
    for (int i = 0; i < 20 && !again; ++i) {
      void* cell = heap.allocate(ids[0], bytes);
      ASSERT_NE(cell, two);
      ASSERT_EQ(heap->layout_of(cell), ids[0]);
      again = cell == one;
    }
    EXPECT_TRUE(again) << bytes;
  }
}

TEST(heap_mixed, an_uninitialized_cell_is_not_what_lay_there_before) {
  HeapAlone heap(mixed());
  const LayoutId zeroed = heap.layout("Zeroed");
  LayoutSpec spec;
  spec.name = "Raw";
  spec.tail = LayoutSpec::Tail::kNoscan;
  spec.uninitialized = true;
  const LayoutId raw = heap.layout(spec);
  std::vector<void*> cells;
  for (int i = 0; i < 400; ++i) cells.push_back(heap.allocate(zeroed, 64));
  for (void* cell : cells) ASSERT_TRUE(heap->release(&heap.mu(), cell));
  void* keep = heap.allocate(heap.layout("Keep"), 64);
  heap.collect({keep});
  for (int i = 0; i < 200; ++i) {
    void* cell = heap.allocate(raw, 64);
    CellInfo info;
    ASSERT_TRUE(heap->find_cell(cell, &info));
    ASSERT_EQ(info.layout, raw);
  }
  EXPECT_TRUE(heap->release(&heap.mu(), heap.allocate(raw, 64)));
}

TEST(heap_mixed, a_limit_that_leaves_one_page_is_enough_for_many_layouts) {
  HeapOptions o = mixed();
  o.hard_limit_bytes = 2 * kPageBytes;
  HeapAlone heap(o);
  for (LayoutId id : distinct_layouts(heap, 100)) {
    EXPECT_NE(heap.try_allocate(id, 32), nullptr);
  }
  for (LayoutId id : distinct_layouts(heap, 4)) {
    EXPECT_NE(heap.try_allocate(id, 1024), nullptr);
  }
  EXPECT_EQ(heap.try_allocate(heap.layout("More"), 64), nullptr);
  heap->validate_stw(true);
}

}  // namespace
}  // namespace tricolor::heap
