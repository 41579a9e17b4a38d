// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// A heap without collector and scheduler, for the tests and benches of heap/:
// a Heap, and mutators that hold a P of their own (an MCache). The collector's
// part (marking, ending a cycle) is played by the caller through HeapAlone.
//
// The safepoint symbols that heap/ and the inline paths call belong to sched/;
// weak ones live in heap_alone.cc, and poll_slow goes to TestMutator::on_poll.
//
// Threads: a TestMutator belongs to one thread. HeapAlone's cycle methods want
// every mutator to stand still.
#ifndef TESTS_SUPPORT_HEAP_ALONE_H_
#define TESTS_SUPPORT_HEAP_ALONE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "heap/heap.h"
#include "tricolor/allocate.h"

namespace tricolor::testing {

/// A mutator with a P of its own.
struct TestMutator {
  static constexpr size_t kShadowSlots = 32;

  explicit TestMutator(heap::Heap* heap);
  ~TestMutator();
  TestMutator(const TestMutator&) = delete;
  TestMutator& operator=(const TestMutator&) = delete;

  /// The safepoint of a mutator is the moment to do something to it.
  std::function<void()> on_poll;

  heap::Heap* heap;
  heap::MCache cache;
  tri_mutator mu = {};
  void* shadow[2][kShadowSlots] = {};  // the first chunk and one more
};

/// A heap and the collector's part in it.
class HeapAlone {
 public:
  explicit HeapAlone(const heap::HeapOptions& options = {});
  ~HeapAlone();
  HeapAlone(const HeapAlone&) = delete;
  HeapAlone& operator=(const HeapAlone&) = delete;

  bool ok() const { return heap_ != nullptr; }
  const Error& error() const { return error_; }
  heap::Heap& heap() { return *heap_; }
  heap::Heap* operator->() { return heap_; }

  /// A mutator that lives as long as the heap.
  TestMutator& add_mutator();
  tri_mutator& mu(size_t i = 0) { return mutators_[i]->mu; }
  heap::MCache& cache(size_t i = 0) { return mutators_[i]->cache; }

  /// A noscan layout of that name.
  LayoutId layout(const char* name);
  LayoutId layout(const LayoutSpec& spec);

  void* allocate(LayoutId layout, size_t bytes) {
    return tricolor::allocate(mu(), layout, bytes);
  }
  void* try_allocate(LayoutId layout, size_t bytes) {
    return tricolor::try_allocate(mu(), layout, bytes);
  }

  /// The mark byte of a cell.
  uint8_t byte_of(const void* cell);
  /// What a marker does: prev -> cur. False if the byte was not prev.
  bool mark(const void* cell);

  // A cycle in pieces; each validates the heap before it returns.
  void begin();        ///< cut, new epoch
  void begin_sweep();  ///< marking is over; every mcache is flushed
  void sweep_all();    ///< allowed, and done
  /// begin, mark each of `live`, begin_sweep, sweep_all.
  void collect(const std::vector<void*>& live);

 private:
  base::MetaArena meta_;
  Error error_;
  heap::Heap* heap_ = nullptr;
  std::vector<std::unique_ptr<TestMutator>> mutators_;
};

}  // namespace tricolor::testing

#endif  // TESTS_SUPPORT_HEAP_ALONE_H_
