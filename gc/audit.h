// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Auditor: finds stores to managed slots that went past the write barrier
// (TRIDEBUG=barriercheck=1). The second mark finds a lost object, and only when
// the store that lost it met a cycle at the worst moment; this finds the store
// whenever it was made between two stops of a cycle.
//
//   stop:     every managed slot of every reachable cell, Global and RootTable
//             is copied (the window begins)
//   running:  each barriered store tells the old and the new cell (the log). To
//             hear of all of them every Mutator's barrier is on in every phase
//             (MCache::audits), and the slow path marks only while marking
//   stop:     a slot that refers to another cell than it did must have a store
//             in the log that replaced the old one, and a store that put the
//             new one there, each entry counting for one slot
//
// Why there is no false alarm. Of a slot that went from cell A to cell B, the
// first store of the window read A from it and told so, whoever else stored at
// the same time; the store whose value is there now told of B. Both are in the
// log, because no safepoint lies between a barrier and its store, so no stop
// does; each slot has such stores of its own, so counting per cell never runs
// short. A cell's memory changes hands without a barrier when it is released,
// shrunk or grown in place, a root's when it is dropped: these are told, too,
// and left out. (Nothing else is freed: what was reachable at a stop is swept
// by no sweep before the next.)
//
// What it cannot see: a store past the barrier whose cells another barriered
// store, to a slot that is not looked at, has told of as well. Cells with a
// trace function are not looked at.
//
// Threads: note_* by holders of running Ps, at any time; the others in stops.
#ifndef TRICOLOR_GC_AUDIT_H_
#define TRICOLOR_GC_AUDIT_H_

#include <cstddef>
#include <cstdint>

#include "base/atomics.h"
#include "base/mmap_vector.h"
#include "heap/heap.h"
#include "tricolor/encoding.h"

namespace tricolor::gc {

class Auditor {
 public:
  /// False: the OS refuses the log.
  bool init(heap::Heap* heap);
  void destroy();
  bool on() const { return log_ != nullptr; }

  // --- Between stops.
  void note_store(const void* old_cell, const void* new_cell) {
    put({reinterpret_cast<uint64_t>(old_cell),
         reinterpret_cast<uint64_t>(new_cell)});
  }
  /// What is at `at` (a cell, a root) is no longer what it was. Nothing if off.
  void note_gone(const void* at) {
    if (TRI_UNLIKELY(on())) put({reinterpret_cast<uint64_t>(at), kGone});
  }

  // --- World stopped.
  /// Fatal, with its slot, if a store was missed since begin_window_stw().
  void end_window_stw();
  /// False: no memory, so this window is not looked at. `roots`: words of them.
  bool begin_window_stw(size_t roots);
  void add_cell_stw(const void* cell, LayoutId layout, size_t bytes);
  void add_root_stw(const uint64_t* words, size_t n, EncodingId encoding);

  // --- What it costs and does; any thread.
  uint64_t bytes() const { return bytes_.load_relaxed(); }
  uint64_t stores() const { return stores_.load_relaxed(); }
  uint64_t slots_compared() const { return compared_.load_relaxed(); }

 private:
  struct Entry {
    uint64_t old_cell;
    uint64_t new_cell;
  };
  struct Place {
    const void* at;
    size_t first;  // of its words in copy_
    size_t words;
    LayoutId layout;  // kInvalidLayout: a root
    EncodingId encoding;
  };
  struct Change {
    size_t place;
    size_t word;
    uint64_t before;  // cells
    uint64_t now;
  };
  class Tally;
  static constexpr uint64_t kGone = 3;  // no cell is there
  static constexpr size_t kLogEntries = size_t{1} << 26;

  void put(const Entry& entry) {
    // Relaxed: whoever reads the log has stopped this thread.
    const uint64_t i = used_.fetch_add_relaxed(1);
    if (i < kLogEntries) log_[i] = entry;
  }
  template <class Fn>
  void each_slot_of(const Place& place, Fn&& fn) const;
  bool is_gone(const Tally& tally, const Place& place) const;
  void compare(Tally* tally);
  void collect_changes(const Place& place, size_t index, Tally* tally);
  [[noreturn]] void report(const Change& change, const char* half) const;
  const char* layout_name(uint64_t cell) const;
  void close_window();

  // Immutable after init.
  heap::Heap* heap_ = nullptr;
  Entry* log_ = nullptr;

  base::Atomic<uint64_t> used_{0};  // of log_; beyond its end: the rest is lost

  // Written while stopped.
  bool open_ = false;
  base::MmapVector<Place> places_;
  base::MmapVector<uint64_t> copy_;
  base::MmapVector<Change> changes_;

  base::Atomic<uint64_t> bytes_{0};
  base::Atomic<uint64_t> stores_{0};
  base::Atomic<uint64_t> compared_{0};
};

}  // namespace tricolor::gc

#endif  // TRICOLOR_GC_AUDIT_H_
