// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// heap/scavenge.cc: which pages go back to the OS, that their mark bytes go
// with them, that nothing else changes, and how the work is paced.
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <atomic>
#include <cstring>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/os_memory.h"
#include "heap/scavenge_pacer.h"
#include "tests/support/heap_alone.h"

namespace tricolor::heap {
namespace {

using tricolor::testing::HeapAlone;

constexpr size_t kMib = size_t{1} << 20;

/// OS pages of [p, p + bytes) that are in memory.
size_t resident(const void* p, size_t bytes) {
  std::vector<unsigned char> pages(bytes / kOsPageBytes);
  EXPECT_EQ(mincore(const_cast<void*>(p), bytes, pages.data()), 0);
  size_t n = 0;
  for (unsigned char page : pages) n += page & 1;
  return n;
}

size_t resident_heap(Heap& heap) {
  return resident(heap.space().base(), heap.space().committed_bytes());
}
/// Of pages that have been in use; the validator has read those of all.
size_t resident_marks(Heap& heap, size_t bytes) {
  return resident(heap.space().mark_of(0), bytes >> kGranuleShift);
}

/// `mib` MiB of cells of 64 bytes, written.
std::vector<void*> fill(HeapAlone& heap, LayoutId layout, size_t mib) {
  std::vector<void*> cells;
  for (size_t i = 0; i < mib * kMib / 64; ++i) {
    cells.push_back(heap.allocate(layout, 64));
    std::memset(cells.back(), 1, 64);
  }
  return cells;
}

TEST(heap_scavenge, free_pages_and_their_mark_bytes_go_back) {
  HeapAlone heap;
  LayoutId layout = heap.layout("Spike");
  std::vector<void*> cells = fill(heap, layout, 32);
  std::vector<void*> live(cells.begin(), cells.begin() + 1000);
  heap.collect(live);
  ASSERT_GE(resident_heap(heap.heap()), 32 * kMib / kOsPageBytes);
  const size_t free_bytes =
      heap->resident_bytes() - (heap->pages_in_use() << kPageShift);
  EXPECT_EQ(heap->scavenge(SIZE_MAX), free_bytes);
  EXPECT_EQ(heap->scavenged_bytes(), free_bytes);
  EXPECT_EQ(heap->resident_bytes(), heap->pages_in_use() << kPageShift);
  EXPECT_LE(resident_heap(heap.heap()),
            heap->pages_in_use() * (kPageBytes / kOsPageBytes) + 2);
  EXPECT_LE(resident_marks(heap.heap(), 32 * kMib), 8u);
  for (void* cell : live) EXPECT_EQ(*static_cast<char*>(cell), 1);
  heap->validate_stw(true);
  // The pages are as good as new.
  for (void* cell : fill(heap, layout, 8)) {
    ASSERT_EQ(*static_cast<char*>(cell), 1);
  }
  heap->validate_stw(true);
}

TEST(heap_scavenge, clean_pages_are_not_zeroed_again_but_read_as_zero) {
  HeapAlone heap;
  LayoutId layout = heap.layout("Zero");
  fill(heap, layout, 4);
  heap.collect({});
  heap->scavenge(SIZE_MAX);
  for (size_t i = 0; i < 4 * kMib / 64; ++i) {
    auto* words = static_cast<uint64_t*>(heap.allocate(layout, 64));
    for (int w = 0; w < 8; ++w) ASSERT_EQ(words[w], 0u);
  }
}

TEST(heap_scavenge, keeps_what_the_goal_retains) {
  HeapAlone heap;
  LayoutId layout = heap.layout("Goal");
  fill(heap, layout, 16);
  heap.collect({});
  heap->set_retained_bytes(UINT64_MAX);
  EXPECT_EQ(heap->surplus_bytes(), 0u);
  heap->set_retained_bytes(4 * kMib);
  const size_t surplus = heap->surplus_bytes();
  EXPECT_EQ(surplus, heap->resident_bytes() - 4 * kMib);
  EXPECT_GE(heap->scavenge(surplus), surplus);
  EXPECT_EQ(heap->surplus_bytes(), 0u);
  EXPECT_GE(heap->resident_bytes(), 3 * kMib) << "a piece too many at most";
}

TEST(heap_scavenge, what_may_stay_follows_the_goal_and_the_spread_of_cells) {
  auto retained = &ScavengePacer::retained_bytes;
  EXPECT_EQ(retained(UINT64_MAX, 0, 0), UINT64_MAX) << "no goal, no surplus";
  EXPECT_EQ(retained(100 * kMib, 0, 0), 110 * kMib) << "before any cycle";
  // Cells fill their pages: the goal says it all.
  EXPECT_EQ(retained(100 * kMib, 100 * kMib, 100 * kMib), 110 * kMib);
  // They fill half of them.
  EXPECT_NEAR(static_cast<double>(retained(100 * kMib, 100 * kMib, 200 * kMib)),
              220.0 * kMib, 16);
  // After a spike of which nothing survived.
  EXPECT_NEAR(static_cast<double>(retained(4 * kMib, 1000 * kMib, 1100 * kMib)),
              4.4 * 1.1 * kMib, 16);
  // Collected again when only what lives was left, in the same pages.
  EXPECT_EQ(retained(100 * kMib, 50 * kMib, 200 * kMib), 220 * kMib);
  EXPECT_EQ(retained(100 * kMib, 0, kMib), 110 * kMib);
  EXPECT_LE(retained(UINT64_MAX / 2, 1, UINT64_MAX / 2), UINT64_MAX);
}

/// What the scavenger of a busy program takes of its time while all but
/// `retained` of 64 MiB goes back.
void expect_share(size_t retained, double least, double most) {
  HeapAlone heap;
  LayoutId layout = heap.layout("Paced");
  fill(heap, layout, 64);
  heap.collect({});
  heap->set_retained_bytes(retained);
  // Each reading of the clock finds 10 us gone by.
  struct Ticking {
    uint64_t now = 1'000'000'000;
    int readings = 0;
  } ticking;
  const base::Clock clock{[](void* ctx) {
                            auto* t = static_cast<Ticking*>(ctx);
                            ++t->readings;
                            return t->now += 10'000;
                          },
                          &ticking};
  heap->scavenge_paced(clock);
  EXPECT_EQ(heap->scavenged_bytes(), 0u) << "no time has passed yet";
  const uint64_t start = ticking.now;
  uint64_t spent = 0;
  for (int i = 0; i < 200 && heap->surplus_bytes() != 0; ++i) {
    ticking.now += 1'000'000;
    const uint64_t before = heap->scavenged_bytes();
    const uint64_t at = ticking.now;
    heap->scavenge_paced(clock);
    if (heap->scavenged_bytes() != before) spent += ticking.now - at - 10'000;
  }
  EXPECT_GT(heap->scavenged_bytes(), 0u);
  const double share =
      static_cast<double>(spent) / static_cast<double>(ticking.now - start);
  EXPECT_LE(share, most);
  EXPECT_GE(share, least);
}

TEST(heap_scavenge, a_busy_program_pays_one_percent) {
  expect_share(40 * kMib, 0.005, 0.011);
}

TEST(heap_scavenge, after_a_spike_it_pays_two) {
  expect_share(0, 0.011, 0.021);
}

TEST(heap_scavenge, the_share_is_of_each_procs_time) {
  EXPECT_EQ(ScavengePacer::percent(1, 49, 100), 1u);
  EXPECT_EQ(ScavengePacer::percent(1, 51, 100), 2u);
  EXPECT_EQ(ScavengePacer::percent(8, 49, 100), 8u);
  EXPECT_EQ(ScavengePacer::percent(8, 51, 100), 16u);
}

TEST(heap_scavenge, holes_between_live_cells_go_back_when_asked) {
  HeapAlone heap;
  LayoutId layout = heap.layout("Holes");
  for (size_t bytes : {size_t{48}, size_t{3072}, size_t{8192}, size_t{20480}}) {
    SCOPED_TRACE(bytes);
    std::vector<void*> live;
    for (size_t i = 0; i < 8 * kMib / bytes; ++i) {
      void* cell = heap.allocate(layout, bytes);
      std::memset(cell, 1, bytes);
      if (i % 5 == 0) live.push_back(cell);
    }
    heap->add_punching(1);
    heap.collect(live);
    heap->add_punching(-1);
    heap->scavenge(SIZE_MAX);
    // A cell of n bytes keeps at most n / 4096 + 2 pages.
    const size_t most = live.size() * (bytes / kOsPageBytes + 2);
    if (bytes >= 3072) {
      EXPECT_LE(resident_heap(heap.heap()), most + 16);
    }
    for (void* cell : live) {
      auto* p = static_cast<char*>(cell);
      for (size_t i = 0; i < bytes; ++i) ASSERT_EQ(p[i], 1);
    }
    heap->validate_stw(true);
    // What comes next out of the holes is zero.
    heap->set_goal_bytes(0);
    for (size_t i = 0; i < 2 * kMib / bytes; ++i) {
      auto* p = static_cast<char*>(heap.allocate(layout, bytes));
      for (size_t k = 0; k < bytes; ++k) ASSERT_EQ(p[k], 0);
      p[0] = 1;
    }
    heap.collect({});
  }
}

// Pages on their way to the OS are nobody's for a moment.
TEST(heap_scavenge, an_allocation_waits_for_what_the_scavenger_holds) {
  HeapOptions options;
  options.reservation_bytes = 64 * kMib;
  HeapAlone heap(options);
  LayoutId layout = heap.layout("Waits");
  std::atomic<bool> stop{false};
  std::thread scavenger([&] {
    while (!stop.load()) heap->scavenge(SIZE_MAX);
  });
  for (int i = 0; i < 60; ++i) {
    void* whole = heap.try_allocate(layout, 60 * kMib);
    EXPECT_NE(whole, nullptr) << i;
    if (whole == nullptr) break;
    for (size_t at = 0; at < 60 * kMib; at += 4096) {
      static_cast<char*>(whole)[at] = 1;
    }
    heap->release(&heap.mu(), whole);
  }
  stop.store(true);
  scavenger.join();
  heap->validate_stw(true);
}

TEST(heap_scavenge, a_refused_madvise_loses_nothing) {
  HeapAlone heap;
  LayoutId layout = heap.layout("Refused");
  fill(heap, layout, 8);
  heap.collect({});
  const size_t before = heap->resident_bytes();
  const base::OsFaultHook hook{[](void*, base::OsCall call, size_t) {
                                 return call == base::OsCall::kMadvise;
                               },
                               nullptr};
  {
    base::OsFaultScope scope(hook);
    EXPECT_EQ(heap->scavenge(SIZE_MAX), 0u);
  }
  EXPECT_EQ(heap->resident_bytes(), before);
  heap->validate_stw(true);
  heap.collect({});
  EXPECT_GT(heap->scavenge(SIZE_MAX), 0u);
  heap->validate_stw(true);
}

/// As of pages that somebody has locked in memory: the others go all the same,
/// and nobody waits for these.
TEST(heap_scavenge, what_is_refused_is_passed_over_until_the_next_cycle) {
  struct Nth {
    int left;
    int refused = 0;
  };
  for (int at = 0; at < 12; ++at) {
    SCOPED_TRACE(at);
    HeapAlone heap;
    LayoutId layout = heap.layout("Locked");
    fill(heap, layout, 8);
    heap.collect({});
    heap->set_retained_bytes(0);
    const size_t all = heap->free_dirty_bytes();
    Nth nth{at};
    const base::OsFaultHook hook{
        [](void* ctx, base::OsCall call, size_t) {
          auto* n = static_cast<Nth*>(ctx);
          const bool refuse = call == base::OsCall::kMadvise && n->left-- == 0;
          n->refused += refuse ? 1 : 0;
          return refuse;
        },
        &nth};
    {
      base::OsFaultScope scope(hook);
      const size_t back = heap->scavenge(SIZE_MAX);
      ASSERT_EQ(nth.refused, 1);
      // A piece, or of the tables of one.
      EXPECT_GE(back + 512 * 1024, all);
      EXPECT_EQ(heap->surplus_bytes(), 0u) << "nothing to be woken for";
      EXPECT_EQ(heap->scavenge(SIZE_MAX), 0u);
    }
    heap->validate_stw(true);
    heap.collect({});
    heap->scavenge(SIZE_MAX);
    EXPECT_EQ(heap->free_dirty_bytes(), 0u);
    EXPECT_NE(heap.try_allocate(layout, 6 * kMib), nullptr);
    heap->validate_stw(true);
  }
}

}  // namespace
}  // namespace tricolor::heap
