// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Runs: what a refill finds in a swept span, the cut at a cycle's start, and
// what happens to a rest. The cells are counted out by hand.
#include <gtest/gtest.h>

#include <cstring>
#include <iterator>
#include <set>
#include <vector>

#include "base/rng.h"
#include "tests/support/heap_alone.h"
#include "tests/support/stress.h"

namespace tricolor::heap {
namespace {

using tricolor::testing::HeapAlone;

/// Fills at least `cells` cells of `bytes` with 0xaa.
std::vector<void*> fill(HeapAlone& heap, LayoutId layout, size_t bytes,
                        int cells) {
  std::vector<void*> all;
  for (int i = 0; i < cells; ++i) {
    void* cell = heap.allocate(layout, bytes);
    std::memset(cell, 0xaa, bytes);
    all.push_back(cell);
  }
  return all;
}

bool is_filled(const void* cell, size_t bytes, unsigned char with) {
  auto* p = static_cast<const unsigned char*>(cell);
  for (size_t i = 0; i < bytes; ++i) {
    if (p[i] != with) return false;
  }
  return true;
}

// Random survivors: the freed cells, and only they, come back, zeroed.
void check_reuse(size_t bytes, uint32_t live_percent) {
  SCOPED_TRACE(bytes);
  HeapAlone heap;
  heap->set_goal_bytes(0);  // memory is short: nearly full spans too
  LayoutId layout = heap.layout("Reuse");
  base::Rng rng(tricolor::testing::test_seed() + bytes + live_percent);
  int cells = static_cast<int>(32 * kPageBytes / bytes);
  std::vector<void*> all = fill(heap, layout, bytes, cells);
  std::vector<void*> live;
  std::set<void*> dead;
  for (void* cell : all) {
    if (rng.below(100) < live_percent) {
      live.push_back(cell);
    } else {
      dead.insert(cell);
    }
  }
  // The last span is not full: its fresh cells come before those of fuller
  // ones; and a span that was wholly dead may be made of other pages.
  const size_t fresh =
      (heap->pages_in_use() + 8) * kPageBytes / bytes - size_t(cells);
  heap.collect(live);
  ASSERT_EQ(heap->sweep_stats().live_cells.load_relaxed(), live.size());
  ASSERT_EQ(heap->freed_bytes(), dead.size() * bytes);
  for (void* cell : live) ASSERT_TRUE(is_filled(cell, bytes, 0xaa));
  std::set<void*> live_set(live.begin(), live.end());
  // A wholly dead span's pages may be used for something else first.
  for (auto it = dead.begin(); it != dead.end();) {
    size_t page = heap->space().offset_of(*it) / kPageBytes;
    bool in_use = heap->space().entry(page)->bits.load_relaxed() != 0;
    it = in_use ? std::next(it) : dead.erase(it);
  }
  size_t freed = dead.size();
  size_t reused = 0;
  for (size_t i = 0; i < 2 * freed + fresh && !dead.empty(); ++i) {
    void* cell = heap.allocate(layout, bytes);
    ASSERT_EQ(live_set.count(cell), 0u);
    ASSERT_TRUE(is_filled(cell, bytes, 0)) << "a reused cell is zeroed";
    reused += dead.erase(cell);
    std::memset(cell, 0xbb, bytes);
  }
  EXPECT_GE(reused * 10, freed * 8);
  for (void* cell : live) ASSERT_TRUE(is_filled(cell, bytes, 0xaa));
  heap->validate_stw(true);
}

// One cell in eight is dead: refills would take runs of a cell or two.
TEST(heap_run, nearly_full_spans_wait_until_memory_is_short) {
  HeapAlone heap;
  LayoutId layout = heap.layout("Held");
  std::vector<void*> all = fill(heap, layout, 64, 4 * kPageBytes / 64);
  std::vector<void*> live;
  std::set<void*> dead;
  for (size_t i = 0; i < all.size(); ++i) {
    if (i % 8 == 0) {
      dead.insert(all[i]);
    } else {
      live.push_back(all[i]);
    }
  }
  heap.collect(live);
  const uint64_t pages = heap->pages_in_use();
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(dead.count(heap.allocate(layout, 64)), 0u);
  }
  EXPECT_EQ(heap->pages_in_use(), pages + 1) << "one fresh span";
  heap->set_goal_bytes(pages * kPageBytes);
  size_t reused = 0;
  const size_t enough = kPageBytes / 64 + dead.size();
  for (size_t i = 0; i < enough; ++i) {
    reused += dead.erase(heap.allocate(layout, 64));
  }
  EXPECT_GT(reused, 0u);
  EXPECT_TRUE(dead.empty()) << dead.size() << " cells never came back";
  heap->validate_stw(true);
}

TEST(heap_run, freed_cells_come_back_zeroed) {
  for (size_t bytes : {16, 32, 48, 112, 640, 1152, 3584}) {
    for (uint32_t live : {10, 50, 90}) check_reuse(bytes, live);
  }
}

TEST(heap_run, a_run_ends_at_a_live_cell) {
  HeapAlone heap;
  LayoutId layout = heap.layout("Ends");
  std::vector<void*> all = fill(heap, layout, 32, 256);
  heap.collect({all[3], all[4], all[9]});
  for (int i = 0; i < 256; ++i) {
    if (i == 3 || i == 4 || i == 9) continue;
    EXPECT_EQ(heap.allocate(layout, 32), all[static_cast<size_t>(i)]);
    const tri_slot& slot = heap.cache().slots[layout * 128 + 2];
    if (TRI_ASAN) continue;  // runs of one cell
    if (i < 3) {
      EXPECT_EQ(slot.limit, all[3]);
    }
    if (i > 4 && i < 9) {
      EXPECT_EQ(slot.limit, all[9]);
    }
  }
}

TEST(heap_run, the_cut_saves_the_rest_of_a_run) {
  HeapAlone heap;
  LayoutId layout = heap.layout("Cut");
  uint32_t slot_id = uint32_t{layout} * 128 + 1;
  char* first = static_cast<char*>(heap.allocate(layout, 16));
  tri_slot* slot = &heap.cache().slots[slot_id];
  char* limit = slot->limit;
  heap.begin();
  EXPECT_EQ(heap.mu().slots[slot_id].limit, nullptr) << "the next one refills";
  EXPECT_EQ(heap.byte_of(first), heap->prev());
  char* second = static_cast<char*>(heap.allocate(layout, 16));
  EXPECT_EQ(second, first + 16) << "the same run goes on";
  EXPECT_EQ(slot->limit, TRI_ASAN ? second + 16 : limit);
  for (char* p = second; p < slot->limit; p += 16) {
    ASSERT_EQ(heap.byte_of(p), heap->cur()) << "allocated black";
  }
  EXPECT_FALSE(heap.mark(second));
  EXPECT_TRUE(heap.mark(first));
  heap.begin_sweep();
  heap.sweep_all();
  EXPECT_TRUE(heap->is_cell(first));
  EXPECT_TRUE(heap->is_cell(second));
  EXPECT_FALSE(heap->is_cell(second + 16)) << "the flushed rest is free";
  EXPECT_EQ(heap.allocate(layout, 16), second + 16);
}

TEST(heap_run, a_cut_leaves_the_slots_to_the_refills_that_follow) {
  constexpr size_t kLayouts = 40;
  constexpr size_t kClasses = 8;
  HeapAlone heap;
  MCache& cache = heap.cache();
  std::vector<LayoutId> layouts;
  std::vector<tri_slot> before;
  std::vector<void*> live;
  for (size_t i = 0; i < kLayouts; ++i) {
    LayoutSpec spec;
    spec.name = "Many";
    spec.tail = LayoutSpec::Tail::kNoscan;
    spec.distinct = true;
    layouts.push_back(heap.layout(spec));
    for (size_t c = 1; c <= kClasses; ++c) {
      live.push_back(heap.allocate(layouts[i], 16 * c));
    }
  }
  auto slot_at = [&](size_t i) -> tri_slot& {
    return cache.slots[layouts[i / kClasses] * 128u + i % kClasses + 1];
  };
  const size_t n = kLayouts * kClasses;
  for (size_t i = 0; i < n; ++i) before.push_back(slot_at(i));
  heap.begin();
  EXPECT_EQ(heap.mu().slots, heap->empty_slots());
  for (size_t i = 0; i < n; ++i) {
    ASSERT_EQ(slot_at(i).limit, before[i].limit)
        << "the stop touched slot " << i;
  }
  // In any order: the cell that follows the last, and black.
  base::Rng rng(tricolor::testing::test_seed());
  size_t slow = 0;
  for (int turn = 0; turn < 2000; ++turn) {
    slow += cache.visible != cache.slots ? 1 : 0;
    const size_t i = rng.below(static_cast<uint32_t>(n));
    const size_t bytes = 16 * (i % kClasses + 1);
    void* cell = heap.allocate(layouts[i / kClasses], bytes);
    if (before[i].cursor != before[i].limit && cell < before[i].limit) {
      ASSERT_EQ(cell, before[i].cursor) << "the rest of the run goes on";
      before[i].cursor += bytes;
    }
    ASSERT_EQ(heap.byte_of(cell), heap->cur());
    ASSERT_FALSE(heap.mark(cell));
  }
  EXPECT_EQ(slow, n / 32) << "a step is 32 slots";
  EXPECT_EQ(heap.mu().slots, cache.slots);
  for (void* cell : live) heap.mark(cell);
  heap.begin_sweep();
  heap.sweep_all();
  EXPECT_GE(heap->sweep_stats().live_cells.load_relaxed(), 2000 + n);
}

TEST(heap_run, a_list_from_before_the_cut_is_forgotten) {
  HeapAlone heap;
  LayoutId layout = heap.layout("List");
  LayoutId other = heap.layout(LayoutSpec{
      .name = "Other", .tail = LayoutSpec::Tail::kNoscan, .distinct = true});
  void* keep = heap.allocate(layout, 64);
  void* old = heap.allocate(layout, 64);
  void* late = heap.allocate(layout, 64);
  void* last = heap.allocate(other, 64);
  ASSERT_TRUE(heap->release(&heap.mu(), old));
  ASSERT_TRUE(heap->release(&heap.mu(), last));
  heap.begin();
  heap.mu().barrier_on = 1;
  // To a list that is not cut yet: only what it had is forgotten.
  ASSERT_TRUE(heap->release(&heap.mu(), late));
  bool reused = false;
  for (int i = 0; i < 300; ++i) {
    for (LayoutId id : {layout, other}) {
      void* cell = heap.allocate(id, 64);
      ASSERT_TRUE(cell != old && cell != last);
      reused = reused || cell == late;
      ASSERT_EQ(heap.byte_of(cell), heap->cur());
    }
  }
  EXPECT_TRUE(reused);
  heap.mu().barrier_on = 0;
  heap.mark(keep);
  heap.begin_sweep();
  heap.sweep_all();
  EXPECT_FALSE(heap->is_cell(old));
}

TEST(heap_run, a_cut_rest_that_is_never_refilled_is_freed) {
  HeapAlone heap;
  LayoutId layout = heap.layout("Rest");
  char* first = static_cast<char*>(heap.allocate(layout, 16));
  heap.begin();
  heap.mark(first);
  heap.begin_sweep();
  for (char* p = first + 16; p < first + kPageBytes; p += 16) {
    ASSERT_EQ(heap.byte_of(p), 0u);
  }
  heap.sweep_all();
  heap->mcache_settle(&heap.cache());
  EXPECT_EQ(heap->sweep_stats().live_bytes.load_relaxed(), 16u);
  EXPECT_EQ(heap->freed_bytes(), 0u);
  EXPECT_EQ(heap->live_bytes(), 16u);
}

TEST(heap_run, flush_gives_rests_back) {
  HeapAlone heap;
  LayoutId layout = heap.layout("Flush");
  std::vector<char*> cells;
  for (size_t bytes : {16, 48, 1024, 32768}) {
    cells.push_back(static_cast<char*>(heap.allocate(layout, bytes)));
  }
  heap->mcache_flush(&heap.cache());
  EXPECT_EQ(heap.cache().active_count, 0u);
  heap->validate_stw(true);
  for (char* cell : cells) {
    size_t bytes = heap->cell_bytes(cell);
    EXPECT_EQ(heap.byte_of(cell), heap->cur());
    if (bytes < kPageBytes) {
      EXPECT_EQ(heap.byte_of(cell + bytes), 0u);
    }
  }
  // The spans are offered again before fresh pages are taken.
  uint64_t pages = heap->pages_in_use();
  EXPECT_EQ(heap.allocate(layout, 16), cells[0] + 16);
  EXPECT_EQ(heap.allocate(layout, 1024), cells[2] + 1024);
  EXPECT_EQ(heap->pages_in_use(), pages);
}

TEST(heap_run, max_run_cells_refills_every_time) {
  struct Count {
    static void refill(void* ctx, tri_mutator*, size_t) {
      ++*static_cast<int*>(ctx);
    }
  };
  HeapOptions options;
  options.max_run_cells = 1;
  HeapAlone heap(options);
  int refills = 0;
  GcHooks hooks;
  hooks.ctx = &refills;
  hooks.before_refill = &Count::refill;
  heap->set_hooks(hooks);
  LayoutId layout = heap.layout("One");
  std::set<void*> cells;
  for (int i = 0; i < 1500; ++i) cells.insert(heap.allocate(layout, 16));
  EXPECT_EQ(cells.size(), 1500u);
  EXPECT_EQ(refills, 1500);
  heap.collect({*cells.begin()});
  EXPECT_EQ(heap->sweep_stats().live_cells.load_relaxed(), 1u);
}

TEST(heap_run, short_runs_do_not_ask_the_hook_each_time) {
  if (TRI_ASAN) GTEST_SKIP() << "runs of one cell, a hook for each";
  HeapAlone heap;
  LayoutId layout = heap.layout("Short");
  std::vector<void*> all = fill(heap, layout, 16, 512);
  std::vector<void*> live;
  for (size_t i = 1; i < all.size(); i += 2) live.push_back(all[i]);
  heap.collect(live);
  int hooks_called = 0;
  GcHooks hooks;
  hooks.ctx = &hooks_called;
  hooks.before_refill = [](void* ctx, tri_mutator* mu, size_t) {
    mu->poll_request = 0;
    ++*static_cast<int*>(ctx);
  };
  heap->set_hooks(hooks);
  // 256 runs of one cell, in one span, not 32 KiB together.
  for (int i = 0; i < 256; ++i) heap.allocate(layout, 16);
  EXPECT_EQ(hooks_called, 1);
  // Somebody who waits for this mutator does not wait for a span.
  heap.collect(live);
  hooks_called = 0;
  for (int i = 0; i < 256; ++i) {
    heap.mu().poll_request = 1;
    heap.allocate(layout, 16);
  }
  EXPECT_EQ(hooks_called, 256);
}

TEST(heap_run, a_safepoint_in_a_refill_may_change_the_p) {
  // before_refill moves the mutator to another P; the cell must come from that
  // one's slot.
  HeapAlone heap;
  tricolor::testing::TestMutator& other = heap.add_mutator();
  GcHooks hooks;
  hooks.ctx = &other;
  hooks.before_refill = [](void* ctx, tri_mutator* mu, size_t) {
    auto* to = static_cast<tricolor::testing::TestMutator*>(ctx);
    mu->slots = to->cache.visible;
    mu->p = &to->cache;
  };
  heap->set_hooks(hooks);
  LayoutId layout = heap.layout("Moves");
  void* first = heap.allocate(layout, 32);
  uint32_t slot_id = uint32_t{layout} * 128 + 2;
  EXPECT_EQ(other.cache.slots[slot_id].cursor, static_cast<char*>(first) + 32);
  EXPECT_EQ(heap.cache(0).slots, nullptr) << "nothing was allocated there";
}

}  // namespace
}  // namespace tricolor::heap
