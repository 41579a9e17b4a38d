// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Explicit release and resizing in every state a cell and its span can be in:
// whose span it is, which phase, which layout, small and large. What the
// validator counts must stay exact throughout.
#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "base/rng.h"
#include "heap/poison.h"
#include "tests/support/heap_alone.h"
#include "tests/support/stress.h"

namespace tricolor::heap {
namespace {

using tricolor::testing::HeapAlone;

LayoutId pointers(HeapAlone& heap) {
  LayoutSpec spec;
  spec.name = "Pointers";
  spec.tail = LayoutSpec::Tail::kPointers;
  return heap.layout(spec);
}

bool is_zero(const void* cell, size_t bytes) {
  auto* p = static_cast<const char*>(cell);
  return p[0] == 0 && std::memcmp(p, p + 1, bytes - 1) == 0;
}

/// What a collector does to mutators at its stops.
void set_marking(HeapAlone& heap, bool on) { heap.mu().barrier_on = on; }

/// Uses the P's run up: a refill, and so the list, comes next.
void use_up_run(HeapAlone& heap, LayoutId layout, size_t bytes) {
  const tri_slot& slot =
      heap.cache().slots[layout * 128u + tri_detail_size_class(bytes)];
  while (slot.cursor != slot.limit) heap.allocate(layout, bytes);
}

TEST(heap_release, the_cell_is_the_next_of_a_refill_and_zero) {
  HeapAlone heap;
  LayoutId layout = heap.layout("Again");
  for (size_t bytes : {16, 48, 1024, 20'000}) {
    std::vector<void*> cells;
    for (int i = 0; i < 10; ++i) {
      cells.push_back(heap.allocate(layout, bytes));
      std::memset(cells.back(), 0x5a, bytes);
    }
    use_up_run(heap, layout, bytes);
    for (void* cell : cells) {
      EXPECT_FALSE(heap->is_released(cell));
      EXPECT_TRUE(heap->release(&heap.mu(), cell));
      EXPECT_TRUE(heap->is_released(cell));
    }
    heap->validate_stw(true);
    for (size_t i = cells.size(); i-- > 0;) {
      void* again = heap.allocate(layout, bytes);
      EXPECT_EQ(again, cells[i]) << "last in, first out";
      EXPECT_TRUE(is_zero(again, bytes));
      EXPECT_FALSE(heap->is_released(again));
    }
    heap->validate_stw(true);
  }
}

// Nothing zeroes the cells of such a layout, so a word that said "released"
// would outlive its cell.
TEST(heap_release, an_uninitialized_cell_forgets_its_past) {
  HeapAlone heap;
  LayoutSpec spec;
  spec.name = "Raw";
  spec.tail = LayoutSpec::Tail::kNoscan;
  spec.uninitialized = true;
  const LayoutId raw = heap.layout(spec);
  for (int round = 0; round < 3; ++round) {
    std::vector<void*> cells;
    for (int i = 0; i < 1000; ++i) cells.push_back(heap.allocate(raw, 64));
    for (void* cell : cells) {
      *static_cast<uint64_t*>(cell) = 1;  // the first word alone
      EXPECT_FALSE(heap->is_released(cell));
      ASSERT_TRUE(heap->release(&heap.mu(), cell));
    }
    heap.collect({});
  }
}

// Pages of one layout go to another that is not zeroed: its cells are alive.
TEST(heap_release, what_was_released_is_not_held_against_the_next_owner) {
  HeapAlone heap;
  LayoutSpec spec;
  spec.name = "Raw";
  spec.tail = LayoutSpec::Tail::kNoscan;
  spec.uninitialized = true;
  LayoutId raw = heap.layout(spec);
  LayoutId zeroed = heap.layout("Zeroed");
  std::vector<void*> cells;
  for (int i = 0; i < 5000; ++i) cells.push_back(heap.allocate(zeroed, 64));
  for (void* cell : cells) heap->release(&heap.mu(), cell);
  heap.collect({});
  CellInfo info;
  for (int i = 0; i < 5000; ++i) {
    void* cell = heap.allocate(raw, 64);
    ASSERT_FALSE(heap->is_released(cell)) << i;
    ASSERT_TRUE(heap->find_cell(cell, &info)) << i;
  }
}

TEST(heap_release, costs_no_allocation) {
  HeapAlone heap;
  LayoutId layout = heap.layout("Churn");
  void* cell = heap.allocate(layout, 64);
  use_up_run(heap, layout, 64);
  heap->mcache_settle(&heap.cache());
  uint64_t before = heap->allocated_bytes();
  for (int i = 0; i < 100'000; ++i) {
    heap->release(&heap.mu(), cell);
    cell = heap.allocate(layout, 64);
  }
  heap->mcache_settle(&heap.cache());
  EXPECT_EQ(heap->allocated_bytes(), before);
  EXPECT_EQ(heap->pages_in_use(), 1u);
}

TEST(heap_release, a_cell_of_another_ps_span_stays_counted_there) {
  HeapAlone heap;
  heap.add_mutator();
  LayoutId layout = heap.layout("Theirs");
  std::vector<void*> cells;
  for (int i = 0; i < 100; ++i) {
    cells.push_back(tricolor::allocate(heap.mu(1), layout, 32));
  }
  for (void* cell : cells) ASSERT_TRUE(heap->release(&heap.mu(0), cell));
  heap->validate_stw(true);
  // This P uses them; the other goes on in its span.
  EXPECT_EQ(heap.allocate(layout, 32), cells[99]);
  for (int i = 0; i < 2000; ++i) tricolor::allocate(heap.mu(1), layout, 32);
  heap->validate_stw(true);
  // Its span is listed, then swept; what is on the list now is garbage.
  heap.collect({cells[99]});
  EXPECT_EQ(heap->sweep_stats().live_cells.load_relaxed(), 1u);
  EXPECT_EQ(heap->freed_bytes(), heap->allocated_bytes() - 32);
}

TEST(heap_release, a_cell_of_a_listed_full_span) {
  HeapAlone heap;
  LayoutId layout = heap.layout("Full");
  std::vector<void*> cells;
  for (int i = 0; i < 2048; ++i) cells.push_back(heap.allocate(layout, 16));
  heap.collect(cells);
  ASSERT_TRUE(heap->release(&heap.mu(), cells[7]));
  heap->validate_stw(true);
  EXPECT_EQ(heap.allocate(layout, 16), cells[7]);
}

TEST(heap_release, the_lists_are_dropped_at_the_first_stop) {
  HeapAlone heap;
  LayoutId layout = heap.layout("Dropped");
  void* a = heap.allocate(layout, 16);
  void* b = heap.allocate(layout, 16);
  heap->release(&heap.mu(), a);
  heap.begin();
  set_marking(heap, true);
  EXPECT_TRUE(heap.mark(b));
  EXPECT_EQ(heap.byte_of(a), heap->prev());
  EXPECT_NE(heap.allocate(layout, 16), a) << "it would be white";
  set_marking(heap, false);
  heap.begin_sweep();
  heap.sweep_all();
  EXPECT_FALSE(heap->is_cell(a));
  EXPECT_TRUE(heap->is_cell(b));
}

TEST(heap_release, while_marking_a_noscan_cell_is_made_black_and_reused) {
  HeapAlone heap;
  LayoutId layout = heap.layout("Noscan");
  void* cell = heap.allocate(layout, 16);
  heap.begin();
  set_marking(heap, true);
  ASSERT_EQ(heap.byte_of(cell), heap->prev());
  EXPECT_TRUE(heap->release(&heap.mu(), cell));
  EXPECT_EQ(heap.byte_of(cell), heap->cur());
  EXPECT_FALSE(heap.mark(cell)) << "a marker finds nothing to do";
  heap->validate_stw(false);
  // The rest of the cut run comes first, then the list.
  void* again = nullptr;
  for (int i = 0; i < 600 && again != cell; ++i) {
    again = heap.allocate(layout, 16);
  }
  EXPECT_EQ(again, cell);
  set_marking(heap, false);
  heap.begin_sweep();
  heap.sweep_all();
  EXPECT_TRUE(heap->is_cell(cell)) << "allocated black";
}

TEST(heap_release, while_marking_a_cell_with_pointers_is_left_alone) {
  HeapAlone heap;
  LayoutId layout = pointers(heap);
  auto** small = static_cast<void**>(heap.allocate(layout, 32));
  auto** large = static_cast<void**>(heap.allocate(layout, 100'000));
  small[1] = large[1] = small;
  heap.begin();
  set_marking(heap, true);
  for (void** cell : {small, large}) {
    EXPECT_FALSE(heap->release(&heap.mu(), cell));
    EXPECT_EQ(heap.byte_of(cell), heap->prev());
    EXPECT_EQ(cell[1], small) << "the snapshot's last edge may be here";
  }
  set_marking(heap, false);
  heap.begin_sweep();
  heap.sweep_all();
  EXPECT_EQ(heap->pages_in_use(), 0u);
}

TEST(heap_release, in_a_span_that_waits_for_its_sweep) {
  HeapAlone heap;
  LayoutId layout = pointers(heap);
  std::vector<void*> cells;
  for (int i = 0; i < 1024; ++i) cells.push_back(heap.allocate(layout, 16));
  heap.begin();
  for (void* cell : cells) heap.mark(cell);
  heap.begin_sweep();
  ASSERT_TRUE(heap->release(&heap.mu(), cells[3]));
  EXPECT_EQ(heap.allocate(layout, 16), cells[3]);
  ASSERT_TRUE(heap->release(&heap.mu(), cells[4]));
  heap->validate_stw(false);
  heap.sweep_all();
  EXPECT_EQ(heap.allocate(layout, 16), cells[4]) << "it survived the sweep";
  heap->validate_stw(true);
}

// A cell holds what the embedder's programs put there: also what a released
// cell says of itself.
TEST(heap_release, a_cell_cannot_say_that_it_is_released) {
  HeapAlone heap;
  LayoutId layout = heap.layout("Forged");
  auto* cell = static_cast<uint64_t*>(heap.allocate(layout, 64));
  ASSERT_TRUE(heap->release(&heap.mu(), cell));
  uint64_t marks[8];
  unpoison(cell, 64);
  std::memcpy(marks, cell, 64);
  poison(cell, 64);
  auto* victim = static_cast<uint64_t*>(heap.allocate(layout, 64));
  while (victim == cell) {
    victim = static_cast<uint64_t*>(heap.allocate(layout, 64));
  }
  std::memcpy(victim, marks, 64);
  EXPECT_FALSE(heap->is_released(victim)) << "of another cell";
  // By what is known: the address, the low bits of a mark.
  const auto address = reinterpret_cast<uint64_t>(victim);
  for (uint64_t guess : {address, ~address, address ^ 0x9e37'79b9'7f4a'7c15}) {
    victim[1] = guess | 1;
    EXPECT_FALSE(heap->is_released(victim));
    victim[1] = (guess & ~uint64_t{0xffff}) | (marks[1] & 0xffff);
    EXPECT_FALSE(heap->is_released(victim));
  }
  CellInfo info;
  EXPECT_TRUE(heap->find_cell(victim, &info));
}

TEST(heap_release, two_heaps_mark_the_same_address_differently) {
  uint64_t marks[2] = {};
  void* cells[2] = {};
  for (int i = 0; i < 2; ++i) {
    HeapAlone heap;
    LayoutId layout = heap.layout("Mark");
    auto* cell = static_cast<uint64_t*>(heap.allocate(layout, 64));
    ASSERT_TRUE(heap->release(&heap.mu(), cell));
    unpoison(cell, 64);
    cells[i] = cell;
    marks[i] = cell[1];
    poison(cell, 64);
  }
  // The OS gives the second the place of the first, as a rule.
  if (cells[0] != cells[1]) GTEST_SKIP() << "not the same address";
  EXPECT_NE(marks[0], marks[1]);
}

TEST(heap_release, a_flush_forgets_the_list) {
  HeapAlone heap;
  LayoutId layout = heap.layout("Flush");
  void* cell = heap.allocate(layout, 16);
  heap->release(&heap.mu(), cell);
  heap->mcache_flush(&heap.cache());
  heap->validate_stw(true);
  EXPECT_NE(heap.allocate(layout, 16), cell);
  EXPECT_TRUE(heap->is_released(cell)) << "garbage that says so";
  heap.collect({});
  EXPECT_EQ(heap->pages_in_use(), 0u);
}

int dead_calls = 0;

TEST(heap_release, a_layout_with_on_dead_waits_for_the_sweep) {
  HeapAlone heap;
  LayoutSpec spec;
  spec.name = "OnDead";
  spec.head_bytes = 32;
  spec.on_dead = [](void*, size_t, void*) { ++dead_calls; };
  LayoutId layout = heap.layout(spec);
  dead_calls = 0;
  void* cell = heap.allocate(layout, 32);
  EXPECT_FALSE(heap->release(&heap.mu(), cell));
  EXPECT_EQ(dead_calls, 0);
  heap.collect({});
  EXPECT_EQ(dead_calls, 1);
}

TEST(heap_release, a_large_object_gives_all_its_pages_at_once) {
  HeapAlone heap;
  LayoutId layout = pointers(heap);
  constexpr size_t kBytes = size_t{1} << 20;
  // Released from the middle, the top and the bottom of their list.
  void* cells[3];
  for (void*& cell : cells) cell = heap.allocate(layout, kBytes);
  for (size_t i : {1, 2, 0}) {
    ASSERT_TRUE(heap->release(&heap.mu(), cells[i]));
    EXPECT_EQ(heap.byte_of(cells[i]), 0);
    heap->validate_stw(true);
  }
  EXPECT_EQ(heap->pages_in_use(), 0u);
  heap->mcache_settle(&heap.cache());
  EXPECT_EQ(heap->live_bytes(), 0u);
  EXPECT_EQ(heap->freed_bytes(), 3 * kBytes);
  void* other = heap.allocate(layout, kBytes);
  EXPECT_EQ(other, cells[0]) << "the same place";
  EXPECT_TRUE(is_zero(other, kBytes));
  heap.collect({other});
  EXPECT_EQ(heap->freed_bytes(), 3 * kBytes);
  EXPECT_EQ(heap->pages_in_use(), kBytes / kPageBytes);
}

// A ring of large objects: no cycle is due, and no memory is wanted.
TEST(heap_release, large_objects_in_turn_need_no_more_than_those_alive) {
  HeapAlone heap;
  LayoutId layout = heap.layout("Buffer");
  std::vector<void*> ring(8);
  for (size_t i = 0; i < 200; ++i) {
    void* fresh = heap.allocate(layout, 300'000 + i % 3 * 8192);
    void*& place = ring[i % ring.size()];
    if (place != nullptr) {
      ASSERT_TRUE(heap->release(&heap.mu(), place));
    }
    place = fresh;
  }
  EXPECT_LE(heap->space().committed_pages(),
            12u * 40 + kGrowBytes / kPageBytes);
  heap->validate_stw(true);
}

TEST(heap_release, a_large_noscan_object_while_marking_keeps_its_pages) {
  HeapAlone heap;
  LayoutId layout = heap.layout("Large");
  void* cell = heap.allocate(layout, 200'000);
  uint64_t pages = heap->pages_in_use();
  heap.begin();
  set_marking(heap, true);
  ASSERT_TRUE(heap->release(&heap.mu(), cell));
  EXPECT_EQ(heap.byte_of(cell), 0);
  EXPECT_FALSE(heap.mark(cell)) << "a marker that comes late";
  EXPECT_EQ(heap->pages_in_use(), pages);
  heap->validate_stw(false);
  set_marking(heap, false);
  heap.begin_sweep();
  heap.sweep_all();
  EXPECT_EQ(heap->pages_in_use(), 0u);
  EXPECT_EQ(heap->freed_bytes(), pages * kPageBytes);
}

TEST(heap_release, a_large_object_that_waits_for_its_sweep_is_left_to_it) {
  HeapAlone heap;
  LayoutId layout = heap.layout("Large");
  void* cell = heap.allocate(layout, 200'000);
  heap.begin();
  heap.mark(cell);
  heap.begin_sweep();
  EXPECT_FALSE(heap->release(&heap.mu(), cell));
  EXPECT_FALSE(heap->shrink(&heap.mu(), cell, 50'000));
  void* fresh = heap.allocate(layout, 100'000);  // of this generation
  EXPECT_TRUE(heap->release(&heap.mu(), fresh));
  heap->validate_stw(false);
  heap.sweep_all();
  EXPECT_TRUE(heap->is_cell(cell));
  EXPECT_TRUE(heap->release(&heap.mu(), cell)) << "swept by now";
  heap.collect({});
  EXPECT_EQ(heap->pages_in_use(), 0u);
}

TEST(heap_resize, small_cells_have_the_size_of_their_class) {
  HeapAlone heap;
  LayoutId layout = heap.layout("Small");
  void* cell = heap.allocate(layout, 100);
  EXPECT_TRUE(heap->try_grow_in_place(&heap.mu(), cell, 112));
  EXPECT_FALSE(heap->try_grow_in_place(&heap.mu(), cell, 113));
  EXPECT_FALSE(heap->try_grow_in_place(&heap.mu(), cell, SIZE_MAX));
  EXPECT_FALSE(heap->shrink(&heap.mu(), cell, 1));
  EXPECT_EQ(heap->cell_bytes(cell), 112u);
}

TEST(heap_resize, a_large_object_shrinks_by_pages_and_grows_into_free_ones) {
  HeapAlone heap;
  LayoutId layout = heap.layout("Resize");
  constexpr size_t kPages = 32;
  auto* p = static_cast<char*>(heap.allocate(layout, kPages * kPageBytes));
  std::memset(p, 0x77, kPages * kPageBytes);
  EXPECT_FALSE(heap->shrink(&heap.mu(), p, kPages * kPageBytes - 100));
  ASSERT_TRUE(heap->shrink(&heap.mu(), p, 7 * kPageBytes + 1));
  EXPECT_EQ(heap->cell_bytes(p), 7 * kPageBytes + 16);
  EXPECT_EQ(heap->pages_in_use(), 8u);
  heap->validate_stw(true);
  ASSERT_TRUE(heap->try_grow_in_place(&heap.mu(), p, 8 * kPageBytes));
  EXPECT_EQ(heap->cell_bytes(p), 8 * kPageBytes);
  EXPECT_EQ(p[7 * kPageBytes + 15], 0x77);
  EXPECT_TRUE(is_zero(p + 7 * kPageBytes + 16, kPageBytes - 16));
  // And on into the pages behind it, which have been used before.
  ASSERT_TRUE(heap->try_grow_in_place(&heap.mu(), p, 9 * kPageBytes + 1));
  EXPECT_EQ(heap->cell_bytes(p), 9 * kPageBytes + 16);
  EXPECT_EQ(heap->pages_in_use(), 10u);
  EXPECT_TRUE(is_zero(p + 7 * kPageBytes + 16, 2 * kPageBytes));
  heap->validate_stw(true);
  // Not if somebody else has them.
  void* next = heap.allocate(layout, 8 * kPageBytes);
  void* other = heap.allocate(layout, 40 * kPageBytes);
  ASSERT_EQ(next, p + 10 * kPageBytes) << "first fit";
  EXPECT_FALSE(heap->try_grow_in_place(&heap.mu(), p, 10 * kPageBytes + 1));
  EXPECT_FALSE(heap->try_grow_in_place(&heap.mu(), p, size_t{1} << 40));
  EXPECT_FALSE(heap->try_grow_in_place(&heap.mu(), p, SIZE_MAX));
  heap.collect({p, other});
  // Down to a size that would be small: it stays a span of its own.
  ASSERT_TRUE(heap->shrink(&heap.mu(), p, 10));
  EXPECT_EQ(heap->cell_bytes(p), 16u);
  EXPECT_EQ(heap->pages_in_use(), 41u);
  heap.collect({p});
  EXPECT_EQ(p[9], 0x77);
  heap.collect({});
  EXPECT_EQ(heap->freed_bytes(), heap->allocated_bytes());
  EXPECT_EQ(heap->pages_in_use(), 0u);
}

TEST(heap_resize, not_while_marking) {
  HeapAlone heap;
  LayoutId layout = heap.layout("Marking");
  void* p = heap.allocate(layout, 100'000);
  heap.begin();
  set_marking(heap, true);
  EXPECT_FALSE(heap->shrink(&heap.mu(), p, 10));
  EXPECT_FALSE(heap->try_grow_in_place(&heap.mu(), p, 13 * kPageBytes));
  EXPECT_TRUE(heap->try_grow_in_place(&heap.mu(), p, 100'000));
  set_marking(heap, false);
  heap.mark(p);
  heap.begin_sweep();
  heap.sweep_all();
  EXPECT_TRUE(heap->try_grow_in_place(&heap.mu(), p, 13 * kPageBytes));
}

// Random churn over sizes and phases against a shadow model of what is alive.
TEST(heap_release, random_churn_keeps_every_live_cell) {
  HeapAlone heap;
  heap.add_mutator();
  LayoutId layouts[] = {heap.layout("Bytes"), pointers(heap)};
  base::Rng rng(tricolor::testing::test_seed());
  struct Live {
    uint64_t* cell;
    size_t bytes;
  };
  std::vector<Live> live;
  int rounds = tricolor::testing::stress_scale(30, 600);
  for (int round = 0; round < rounds; ++round) {
    for (int i = 0; i < 400; ++i) {
      tri_mutator& mu = heap.mu(rng.below(2));
      if (live.empty() || rng.below(5) < 3) {
        size_t bytes = rng.below(40) == 0 ? 40'000 + rng.below(60'000)
                                          : 16 + rng.below(600);
        auto* cell = static_cast<uint64_t*>(
            tricolor::allocate(mu, layouts[rng.below(2)], bytes));
        ASSERT_EQ(cell[0], 0u);
        ASSERT_EQ(cell[1], 0u);
        cell[0] = ~reinterpret_cast<uint64_t>(cell);
        live.push_back({cell, bytes});
      } else {
        size_t at = rng.below(static_cast<uint32_t>(live.size()));
        ASSERT_EQ(live[at].cell[0], ~reinterpret_cast<uint64_t>(live[at].cell));
        if (rng.below(8) == 0 && live[at].bytes > 32768) {
          live[at].bytes = 1 + rng.below(32'000);
          heap->shrink(&mu, live[at].cell, live[at].bytes);
          live[at].bytes = heap->cell_bytes(live[at].cell);
          continue;
        }
        heap->release(&mu, live[at].cell);
        live[at] = live.back();
        live.pop_back();
      }
    }
    if (rng.below(3) != 0) continue;
    std::vector<void*> roots;
    for (const Live& l : live) roots.push_back(l.cell);
    heap.collect(roots);
    ASSERT_GE(heap->sweep_stats().live_cells.load_relaxed(), live.size());
  }
}

TEST(heap_release_death, no_cell_is_less_than_its_head) {
  HeapAlone heap;
  LayoutSpec spec;
  spec.name = "Headed";
  spec.head_bytes = 65'536;
  spec.tail = LayoutSpec::Tail::kPointers;
  LayoutId layout = heap.layout(spec);
  void* cell = heap.allocate(layout, 300'000);
  EXPECT_DEATH(heap->shrink(&heap.mu(), cell, 100),
               "shrink.*100 bytes of layout 'Headed', whose head.*65536");
  EXPECT_TRUE(heap->shrink(&heap.mu(), cell, 65'536));
}

TEST(heap_release_death, mistakes_are_named) {
  HeapAlone heap;
  LayoutId layout = heap.layout("Bad");
  void* cell = heap.allocate(layout, 32);
  void* large = heap.allocate(layout, 100'000);
  int local = 0;
  auto release = [&](void* p) { heap->release(&heap.mu(), p); };
  EXPECT_DEATH(release(nullptr), "release.*not a cell of this runtime");
  EXPECT_DEATH(release(&local), "release.*not a cell of this runtime");
  EXPECT_DEATH(release(static_cast<char*>(cell) + 16),
               "release.*not the start of a live cell");
  release(cell);
  EXPECT_DEATH(release(cell), "release.*has been released before");
  release(large);
  EXPECT_DEATH(release(large), "release.*not the start of a live cell");
  void* next = heap.allocate(layout, 64);
  if (!TRI_ASAN) {  // a run is one cell there
    EXPECT_DEATH(release(static_cast<char*>(next) + 64),
                 "release.*has not been allocated");
  }
  EXPECT_DEATH(heap->shrink(&heap.mu(), next, 0), "shrink.*0 bytes asked");
  EXPECT_DEATH(heap->shrink(&heap.mu(), next, 65), "shrink.*65 bytes asked");
  heap.begin();
  heap.begin_sweep();
  EXPECT_DEATH(release(next), "release.*found unreachable");
  heap.sweep_all();
}

}  // namespace
}  // namespace tricolor::heap
