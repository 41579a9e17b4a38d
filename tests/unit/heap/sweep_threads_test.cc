// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Two mutators with a P each, and a sweeper, at the same time on one heap.
// Between the rounds everybody stands still, as in a stopped world.
#include <gtest/gtest.h>
#include <pthread.h>

#include <cstring>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "base/rng.h"
#include "tests/support/heap_alone.h"
#include "tests/support/stress.h"

namespace tricolor::heap {
namespace {

using tricolor::testing::HeapAlone;

class Thread {
 public:
  explicit Thread(std::function<void()> body) : body_(std::move(body)) {
    pthread_create(&thread_, nullptr, &Thread::run, this);
  }
  ~Thread() { pthread_join(thread_, nullptr); }
  Thread(const Thread&) = delete;
  Thread& operator=(const Thread&) = delete;

 private:
  static void* run(void* self) {
    static_cast<Thread*>(self)->body_();
    return nullptr;
  }
  std::function<void()> body_;
  pthread_t thread_;
};

constexpr int kMutators = 2;
constexpr size_t kSizes[] = {16, 16, 16, 64, 64, 208, 1024, 50'000};

struct Cell {
  uint64_t owner;
  uint64_t check;
};

struct Mutator {
  tri_mutator* mu;
  LayoutId layout[2];
  base::Rng rng;
  std::vector<Cell*> cells;

  void allocate(int n) {
    for (int i = 0; i < n; ++i) {
      size_t bytes = kSizes[rng.below(8)];
      if (bytes > 1024 && rng.below(16) != 0) bytes = 32;
      auto* cell = static_cast<Cell*>(
          tricolor::allocate(*mu, layout[rng.below(2)], bytes));
      ASSERT_EQ(cell->owner, 0u);
      ASSERT_EQ(cell->check, 0u);
      cell->owner = reinterpret_cast<uintptr_t>(mu);
      cell->check = ~reinterpret_cast<uintptr_t>(cell);
      cells.push_back(cell);
    }
  }
  void check() const {
    for (const Cell* cell : cells) {
      ASSERT_EQ(cell->owner, reinterpret_cast<uintptr_t>(mu));
      ASSERT_EQ(cell->check, ~reinterpret_cast<uintptr_t>(cell));
    }
  }
  void mark_some(HeapAlone& heap) {
    std::vector<Cell*> kept;
    for (Cell* cell : cells) {
      bool black = heap.byte_of(cell) == heap->cur();
      if (!black && rng.below(3) != 0) continue;
      ASSERT_TRUE(black || heap.mark(cell));
      kept.push_back(cell);
    }
    cells.swap(kept);
  }
};

void mutators_and_a_sweeper(bool mixed_spans) {
  HeapOptions options;
  options.mixed_spans = mixed_spans;
  HeapAlone heap(options);
  for (int i = 1; i < kMutators; ++i) heap.add_mutator();
  LayoutId one = heap.layout("One");
  LayoutId two = heap.layout("Two");
  uint64_t seed = tricolor::testing::test_seed();
  std::vector<Mutator> mutators;
  for (size_t i = 0; i < kMutators; ++i) {
    mutators.push_back({&heap.mu(i), {one, two}, base::Rng(seed + i), {}});
  }
  const int rounds = tricolor::testing::stress_scale(12, 300);
  for (int round = 0; round < rounds && !::testing::Test::HasFatalFailure();
       ++round) {
    heap.begin();
    {
      // Marking: each allocates black and marks its own.
      std::vector<std::unique_ptr<Thread>> threads;
      for (Mutator& m : mutators) {
        threads.push_back(std::make_unique<Thread>([&] {
          m.allocate(1000);
          m.mark_some(heap);
          m.allocate(1000);
        }));
      }
    }
    heap.begin_sweep();
    heap->allow_sweep();
    {
      // Sweeping: in the background, by a second sweeper, and on demand.
      std::vector<std::unique_ptr<Thread>> threads;
      for (Mutator& m : mutators) {
        threads.push_back(std::make_unique<Thread>([&] {
          m.allocate(2000);
          while (heap->sweep_one(nullptr) != 0) m.allocate(5);
          m.check();
        }));
      }
      threads.push_back(std::make_unique<Thread>([&] {
        while (heap->sweep_one(nullptr) != 0) {
        }
      }));
    }
    heap.sweep_all();
  }
  for (Mutator& m : mutators) m.cells.clear();
  heap.collect({});
  EXPECT_EQ(heap->pages_in_use(), 0u);
  EXPECT_EQ(heap->freed_bytes(), heap->allocated_bytes());
}

TEST(heap_sweep_threads, mutators_and_a_sweeper_at_once) {
  mutators_and_a_sweeper(/*mixed_spans=*/false);
}

TEST(heap_sweep_threads, the_same_with_mixed_spans) {
  mutators_and_a_sweeper(/*mixed_spans=*/true);
}

TEST(heap_sweep_threads, layouts_are_registered_by_several_threads) {
  HeapAlone heap;
  LayoutId ids[kMutators][64];
  {
    std::vector<std::unique_ptr<Thread>> threads;
    for (size_t t = 0; t < kMutators; ++t) {
      threads.push_back(std::make_unique<Thread>([&heap, &ids, t] {
        for (uint32_t i = 0; i < 64; ++i) {
          LayoutSpec spec;
          spec.name = "Shared";
          spec.head_bytes = (i + 1) * 8;
          ids[t][i] = heap->layouts().add(spec, 0, nullptr);
        }
      }));
    }
  }
  for (uint32_t i = 0; i < 64; ++i) {
    EXPECT_NE(ids[0][i], kInvalidLayout);
    EXPECT_EQ(ids[0][i], ids[1][i]) << "merged";
  }
  EXPECT_EQ(heap->layouts().count(), 65u);
}

}  // namespace
}  // namespace tricolor::heap
