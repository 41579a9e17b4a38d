// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// What an allocation costs: the inline bump alone, and with its refills in a
// heap of which a given share is occupied by random survivors. And what it
// costs to sweep. One P, no collector: the bench itself plays the marker.
//
//   bump/BYTES                 the inline path within one run
//   allocate/BYTES/PERCENT     ns per cell, refills and zeroing included
//   sweep/BYTES/PERCENT        ns per 8 KiB page
//
// Origin: the prototype's table of refill costs (DESIGN, section 2).
#include <benchmark/benchmark.h>

#include <vector>

#include "base/os_memory.h"
#include "base/rng.h"
#include "tests/support/heap_alone.h"

namespace tricolor {
namespace {

using testing::HeapAlone;

constexpr size_t kHeapBytes = size_t{32} << 20;

/// A heap full of cells of one size, `percent` of which survive each cycle.
class Occupied {
 public:
  Occupied(size_t bytes, uint32_t percent) : bytes_(bytes), percent_(percent) {
    LayoutId layout = heap_.layout("Bench");
    slot_id_ = uint32_t{layout} * 128 + tri_detail_size_class(bytes);
    for (size_t i = 0; i < kHeapBytes / bytes; ++i) {
      cells_.push_back(heap_.allocate(layout, bytes));
    }
  }

  /// Ends the marking of a cycle that leaves `percent` of all cells alive.
  void mark() {
    heap::Heap& heap = heap_.heap();
    heap.mcache_cut_stw(&heap_.cache());
    heap.begin_cycle_stw();
    dead_ = 0;
    for (void* cell : cells_) {
      if (rng_.below(100) < percent_) {
        heap_.mark(cell);
      } else {
        ++dead_;
      }
    }
    heap.begin_sweep_stw();
    heap.mcache_flush(&heap_.cache());
    heap.allow_sweep();
  }

  size_t sweep() {
    size_t pages = 0;
    while (size_t n = heap_->sweep_one(nullptr)) pages += n;
    return pages;
  }

  /// Fills the heap again; the number of cells allocated.
  size_t refill() {
    Mutator& mu = heap_.mu();
    for (size_t i = 0; i < dead_; ++i) {
      benchmark::DoNotOptimize(
          detail::bump(mu, slot_id_, bytes_, bytes_, false));
    }
    return dead_;
  }

  HeapAlone& heap() { return heap_; }

 private:
  HeapAlone heap_;
  uint32_t slot_id_;
  size_t bytes_;
  uint32_t percent_;
  size_t dead_ = 0;
  base::Rng rng_;
  std::vector<void*> cells_;
};

// CPU time: the machine may have other work.
uint64_t now_ns() { return base::os_thread_cpu_ns(); }

double seconds_since(uint64_t start_ns) {
  return static_cast<double>(now_ns() - start_ns) * 1e-9;
}

void report(benchmark::State& state, const char* name, double seconds,
            size_t n) {
  state.counters[name] = seconds * 1e9 / static_cast<double>(n);
}

void bump(benchmark::State& state) {
  HeapAlone heap;
  auto bytes = static_cast<size_t>(state.range(0));
  LayoutId layout = heap.layout("Bump");
  auto* first = static_cast<char*>(heap.allocate(layout, bytes));
  uint32_t slot_id = uint32_t{layout} * 128 + tri_detail_size_class(bytes);
  tri_slot* slot = &heap.mu().slots[slot_id];
  Mutator& mu = heap.mu();
  for (auto _ : state) {
    slot->cursor = first;
    for (int i = 0; i < 64; ++i) {
      benchmark::DoNotOptimize(detail::bump(mu, slot_id, bytes, bytes, false));
    }
  }
  state.SetItemsProcessed(state.iterations() * 64);
}

void allocate(benchmark::State& state) {
  Occupied heap(static_cast<size_t>(state.range(0)),
                static_cast<uint32_t>(state.range(1)));
  double seconds = 0;
  size_t cells = 0;
  for (auto _ : state) {
    heap.mark();
    heap.sweep();
    uint64_t start = now_ns();
    cells += heap.refill();
    double took = seconds_since(start);
    seconds += took;
    state.SetIterationTime(took);
  }
  report(state, "ns_per_cell", seconds, cells);
}

void sweep(benchmark::State& state) {
  Occupied heap(static_cast<size_t>(state.range(0)),
                static_cast<uint32_t>(state.range(1)));
  double seconds = 0;
  size_t pages = 0;
  for (auto _ : state) {
    heap.mark();
    uint64_t start = now_ns();
    pages += heap.sweep();
    double took = seconds_since(start);
    seconds += took;
    state.SetIterationTime(took);
    heap.refill();
  }
  report(state, "ns_per_page", seconds, pages);
}

BENCHMARK(bump)->Arg(16)->Arg(64);
BENCHMARK(allocate)
    ->ArgsProduct({{16, 64, 512}, {0, 50, 75, 90}})
    ->UseManualTime();
BENCHMARK(sweep)->ArgsProduct({{16, 64}, {0, 50, 90}})->UseManualTime();

}  // namespace
}  // namespace tricolor
