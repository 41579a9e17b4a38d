// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Whole cycles over a heap alone: epochs rotate, survivors keep their contents,
// allocation goes on in every phase, dead cells are reported once, empty spans
// become pages.
#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <vector>

#include "base/rng.h"
#include "tests/support/heap_alone.h"
#include "tests/support/stress.h"

namespace tricolor::heap {
namespace {

using tricolor::testing::HeapAlone;

/// Cells that remember what was written into them.
class Population {
 public:
  Population(HeapAlone& heap, uint64_t seed) : heap_(heap), rng_(seed) {
    layouts_[0] = heap.layout("P0");
    layouts_[1] = heap.layout("P1");
    layouts_[2] = heap.layout("P2");
  }

  void allocate(int n) {
    for (int i = 0; i < n; ++i) {
      size_t bytes = 16 + rng_.below(rng_.below(20) == 0 ? 60'000 : 300);
      auto* cell = static_cast<uint64_t*>(
          heap_.allocate(layouts_[rng_.below(3)], bytes));
      for (size_t w = 0; w < bytes / 8; ++w) {
        ASSERT_EQ(cell[w], 0u) << "word " << w << " of " << bytes;
        cell[w] = tag(cell, bytes) + w;
      }
      ASSERT_TRUE(cells_.emplace(cell, bytes).second)
          << "handed out while in use";
    }
  }

  /// Marks all but about `percent` of the cells, forgets the others.
  void mark_some(uint32_t percent) {
    for (auto it = cells_.begin(); it != cells_.end();) {
      // What was allocated in this cycle is black already.
      bool black = heap_.byte_of(it->first) == heap_->cur();
      if (!black && rng_.below(100) < percent) {
        it = cells_.erase(it);
        continue;
      }
      ASSERT_TRUE(black || heap_.mark(it->first));
      ++it;
    }
  }

  void check() const {
    for (const auto& [cell, bytes] : cells_) {
      ASSERT_TRUE(heap_->is_cell(cell));
      for (size_t w = 0; w < bytes / 8; ++w) {
        ASSERT_EQ(cell[w], tag(cell, bytes) + w);
      }
    }
  }

  size_t size() const { return cells_.size(); }

 private:
  static uint64_t tag(const uint64_t* cell, size_t bytes) {
    return reinterpret_cast<uintptr_t>(cell) * 31 + bytes;
  }

  HeapAlone& heap_;
  base::Rng rng_;
  LayoutId layouts_[3];
  std::map<uint64_t*, size_t> cells_;
};

TEST(heap_cycle, twenty_cycles_with_allocation_in_every_phase) {
  HeapAlone heap;
  Population cells(heap, tricolor::testing::test_seed());
  int n = tricolor::testing::stress_scale(300, 6000);
  for (int cycle = 0; cycle < 20; ++cycle) {
    uint8_t before = heap->cur();
    uint32_t gen = heap->sweepgen();
    cells.allocate(n);
    heap.begin();
    ASSERT_EQ(heap->prev(), before);
    ASSERT_EQ(heap->cur(), before % 3 + 1);
    cells.allocate(n);  // black
    cells.mark_some(50);
    cells.allocate(n);
    heap.begin_sweep();
    ASSERT_EQ(heap->sweepgen(), gen + 2);
    cells.allocate(n);  // while nothing may be swept yet
    heap->validate_stw(false);
    ASSERT_FALSE(heap->sweep_allowed());
    ASSERT_EQ(heap->sweep_one(nullptr), 0u);
    heap->mcache_flush(&heap.cache());
    heap->allow_sweep();
    cells.allocate(n);  // sweeps on demand
    heap.sweep_all();
    cells.check();
    if (HasFatalFailure()) return;
    ASSERT_EQ(heap->unswept_spans(), 0u);
  }
  // All die: nothing is left in use.
  heap.collect({});
  EXPECT_EQ(heap->sweep_stats().live_cells.load_relaxed(), 0u);
  EXPECT_EQ(heap->pages_in_use(), 0u);
  EXPECT_EQ(heap->freed_bytes(), heap->allocated_bytes());
}

TEST(heap_cycle, empty_spans_become_pages_of_another_layout) {
  HeapAlone heap;
  LayoutId one = heap.layout("One");
  LayoutId two = heap.layout("Two");
  for (int i = 0; i < 4096; ++i) std::memset(heap.allocate(one, 16), 1, 16);
  uint64_t pages = heap->pages_in_use();
  heap.collect({});
  EXPECT_EQ(heap->pages_in_use(), 0u);
  for (int i = 0; i < 1024; ++i) {
    auto* p = static_cast<char*>(heap.allocate(two, 64));
    for (int k = 0; k < 64; ++k) ASSERT_EQ(p[k], 0) << "dirty pages";
  }
  EXPECT_EQ(heap->pages_in_use(), pages);
}

TEST(heap_cycle, counters_agree_with_the_cells) {
  HeapAlone heap;
  LayoutId layout = heap.layout("Counted");
  std::vector<void*> live;
  for (int i = 0; i < 1000; ++i) {
    void* p = heap.allocate(layout, 96);
    if (i % 4 == 0) live.push_back(p);
  }
  void* big = heap.allocate(layout, 100'000);
  live.push_back(big);
  heap.allocate(layout, 200'000);
  heap.collect(live);
  const SweepStats& stats = heap->sweep_stats();
  size_t big_bytes = 13 * kPageBytes;
  EXPECT_EQ(stats.live_cells.load_relaxed(), 251u);
  EXPECT_EQ(stats.live_bytes.load_relaxed(), 250 * 96 + big_bytes);
  EXPECT_EQ(heap->freed_bytes(), 750 * 96 + 25 * kPageBytes);
  EXPECT_EQ(heap->live_bytes() - heap->freed_bytes(),
            stats.live_bytes.load_relaxed());
  heap.collect({});
  EXPECT_EQ(stats.live_bytes.load_relaxed(), 0u);
  EXPECT_EQ(heap->freed_bytes(), heap->allocated_bytes());
}

struct Deaths {
  std::map<void*, int> counts;
  std::map<void*, size_t> bytes;
  static void on_dead(void* cell, size_t bytes, void* user) {
    auto* self = static_cast<Deaths*>(user);
    ++self->counts[cell];
    self->bytes[cell] = bytes;
    // The contents are still there.
    EXPECT_EQ(*static_cast<unsigned char*>(cell), 0x5a);
  }
};

TEST(heap_cycle, on_dead_is_called_once_for_each_dead_cell) {
  Deaths deaths;
  HeapAlone heap;
  LayoutSpec spec;
  spec.name = "Mortal";
  spec.tail = LayoutSpec::Tail::kNoscan;
  spec.on_dead = &Deaths::on_dead;
  spec.user = &deaths;
  LayoutId layout = heap.layout(spec);
  std::map<void*, size_t> dying;
  std::vector<void*> live;
  for (int i = 0; i < 3000; ++i) {
    size_t bytes = i % 100 == 99 ? 50'000 : 16u + static_cast<size_t>(i % 40);
    void* cell = heap.allocate(layout, bytes);
    std::memset(cell, 0x5a, bytes);
    if (i % 3 == 0) {
      live.push_back(cell);
    } else {
      dying[cell] = heap->cell_bytes(cell);
    }
  }
  heap.collect(live);
  EXPECT_EQ(deaths.counts.size(), dying.size());
  for (const auto& [cell, bytes] : dying) {
    ASSERT_EQ(deaths.counts[cell], 1);
    ASSERT_EQ(deaths.bytes[cell], bytes);
  }
  // Rests and cells freed before are no deaths.
  heap.collect(live);
  EXPECT_EQ(deaths.counts.size(), dying.size());
  deaths.counts.clear();
  heap.collect({});
  EXPECT_EQ(deaths.counts.size(), live.size());
}

TEST(heap_cycle, clobber_free_fills_dead_cells) {
  if (TRI_ASAN) GTEST_SKIP() << "dead cells are poisoned";
  HeapOptions options;
  options.clobber_free = true;
  HeapAlone heap(options);
  LayoutId layout = heap.layout("Clobber");
  void* keep = heap.allocate(layout, 64);
  auto* dead = static_cast<unsigned char*>(heap.allocate(layout, 64));
  auto* big = static_cast<unsigned char*>(heap.allocate(layout, 100'000));
  heap.collect({keep});
  for (int i = 0; i < 64; ++i) ASSERT_EQ(dead[i], 0xdb);
  for (int i = 0; i < 100'000; ++i) ASSERT_EQ(big[i], 0xdb);
  EXPECT_EQ(heap.allocate(layout, 64), dead);
  for (int i = 0; i < 64; ++i) ASSERT_EQ(dead[i], 0);
}

TEST(heap_cycle, clobber_free_and_poisoning_agree_about_large_objects) {
  HeapOptions options;
  options.clobber_free = true;
  HeapAlone heap(options);
  LayoutId layout = heap.layout("Clobber");
  for (int i = 0; i < 5; ++i) {
    auto* p = static_cast<char*>(heap.allocate(layout, 100'000));
    ASSERT_EQ(p[99'999], 0);
    heap.collect({});
  }
}

TEST(heap_cycle, a_refill_sweeps_before_it_takes_fresh_pages) {
  HeapAlone heap;
  LayoutId layout = heap.layout("Demand");
  std::vector<void*> live;
  for (int i = 0; i < 64 * 512; ++i) {
    void* p = heap.allocate(layout, 16);
    if (i % 512 < 256) live.push_back(p);
  }
  uint64_t pages = heap->pages_in_use();
  heap.begin();
  for (void* p : live) heap.mark(p);
  heap.begin_sweep();
  heap->allow_sweep();
  uint64_t unswept = heap->unswept_spans();
  for (int i = 0; i < 32 * 512; ++i) heap.allocate(layout, 16);
  EXPECT_EQ(heap->pages_in_use(), pages);
  EXPECT_LT(heap->unswept_spans(), unswept);
  heap.sweep_all();
}

std::vector<LayoutId> many_layouts(HeapAlone& heap, int n) {
  LayoutSpec spec;
  spec.name = "Many";
  spec.tail = LayoutSpec::Tail::kNoscan;
  spec.distinct = true;
  std::vector<LayoutId> ids;
  for (int i = 0; i < n; ++i) ids.push_back(heap.layout(spec));
  return ids;
}

int calls_to_sweep_all(HeapAlone& heap) {
  int calls = 0;
  while (heap->may_sweep()) {
    heap->sweep_one(nullptr);
    ++calls;
  }
  return calls;
}

TEST(heap_cycle, layouts_that_have_no_spans_cost_the_sweep_nothing) {
  constexpr int kLayouts = 1000;
  HeapAlone heap;
  std::vector<LayoutId> ids = many_layouts(heap, kLayouts);
  for (LayoutId id : ids) heap.allocate(id, 64);
  heap.collect({});
  EXPECT_EQ(heap->pages_in_use(), 0u);
  void* live = heap.allocate(ids[500], 64);
  for (int cycle = 0; cycle < 3; ++cycle) {
    heap.begin();
    heap.mark(live);
    heap.begin_sweep();
    heap->allow_sweep();
    EXPECT_EQ(calls_to_sweep_all(heap), 2) << "the one span, and no more";
    EXPECT_TRUE(heap->all_swept());
  }
}

TEST(heap_cycle, a_call_looks_at_few_mcentrals_that_were_emptied) {
  constexpr int kLayouts = 300;
  HeapAlone heap;
  std::vector<LayoutId> ids = many_layouts(heap, kLayouts);
  for (LayoutId id : ids) heap.allocate(id, 64);
  heap.begin();
  heap.begin_sweep();
  heap->allow_sweep();
  for (LayoutId id : ids) heap.allocate(id, 64);  // each sweeps its span
  EXPECT_TRUE(heap->all_swept());
  EXPECT_EQ(heap->sweep_one(nullptr), 0u);
  EXPECT_TRUE(heap->may_sweep()) << "gave up after some";
  EXPECT_EQ(calls_to_sweep_all(heap) + 1, (kLayouts + 63) / 64);
  heap.sweep_all();
}

TEST(heap_cycle, manual_spans_are_not_swept) {
  HeapAlone heap;
  LayoutId layout = heap.layout("Beside");
  heap.allocate(layout, 16);
  auto* stack = static_cast<char*>(heap->alloc_manual(100'000));
  ASSERT_NE(stack, nullptr);
  std::memset(stack, 0x77, 100'000);
  EXPECT_FALSE(heap->is_cell(stack));
  heap.collect({});
  EXPECT_EQ(heap->pages_in_use(), 13u);
  for (int i = 0; i < 100'000; ++i) ASSERT_EQ(stack[i], 0x77);
  heap->free_manual(stack, 100'000);
  EXPECT_EQ(heap->pages_in_use(), 0u);
  heap->validate_stw(true);
  // Its pages are reused, and zeroed where cells want zeros.
  auto* cell = static_cast<char*>(heap.allocate(layout, 4096));
  for (int i = 0; i < 4096; ++i) ASSERT_EQ(cell[i], 0);
  EXPECT_EQ(heap->alloc_manual(0), nullptr);
  EXPECT_EQ(heap->alloc_manual(SIZE_MAX), nullptr);
  EXPECT_EQ(heap->alloc_manual(size_t{300} << 20), nullptr);
}

TEST(heap_cycle_DeathTest, order_of_phases_is_checked) {
  HeapAlone heap;
  heap.allocate(heap.layout("Order"), 16);
  heap.begin();
  heap.begin_sweep();
  EXPECT_DEATH(heap->begin_cycle_stw(), "begins with 1 unswept spans");
  void* manual = heap->alloc_manual(kPageBytes);
  EXPECT_DEATH(heap->free_manual(manual, 3 * kPageBytes), "not a manual span");
}

TEST(heap_cycle_DeathTest, the_validator_sees_damage) {
  HeapAlone heap;
  LayoutId layout = heap.layout("Damage");
  auto* cell = static_cast<char*>(heap.allocate(layout, 64));
  AddressSpace& space = heap->space();
  uint8_t* byte = space.mark_of(space.offset_of(cell));
  auto broken = [&](size_t granule, uint8_t value) {
    byte[granule] = value;
    heap->validate_stw(true);
  };
  EXPECT_DEATH(broken(1, 1), "inside a cell");
  EXPECT_DEATH(broken(0, 77), "neither");
  EXPECT_DEATH(broken(0, 0), "cells in use");
  EXPECT_DEATH(broken(40 * kPageBytes / 16, 1), "is free but has mark byte");
}

}  // namespace
}  // namespace tricolor::heap
