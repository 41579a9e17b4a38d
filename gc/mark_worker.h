// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// MarkWorker: one P's share of marking. Three stages hide the cache misses of
// following a pointer:
//
//   slot read -> [edge FIFO: mark byte prefetched] -> byte == prev? store cur
//             -> stack of marked cells -> [object FIFO: cell prefetched] ->
//             scan
//
// The stack holds marked cells only, never raw edges, in chunks that move whole
// to and from the global list (gc/work_list.h).
//
// Invariants
// 1. A cell on a stack, in the object FIFO or on the global list has been
//    marked (byte == cur) and not yet been scanned for that push. It lies there
//    with its layout's id in the upper 16 bits.
// 2. Edges wait in the FIFO only inside one call: every entry point ends with
//    drain_edges().
//
// Threads: the holder of the P (see gc/proc.h).
// Source of the idea: Cher, Hosking, Vitek, "Software prefetching for
// mark-sweep garbage collection" (ISMM 2004): the FIFO in front of the stack.
#ifndef TRICOLOR_GC_MARK_WORKER_H_
#define TRICOLOR_GC_MARK_WORKER_H_

#include <cstddef>
#include <cstdint>

#include "base/atomics.h"
#include "gc/work_list.h"
#include "heap/heap.h"

namespace tricolor::gc {

class CellList;
class EphemeronKeys;
class WeakList;
class WeakWords;

/// Where a worker lists what is settled when the mark has ended.
struct WeakSinks {
  WeakList* cells;       ///< tricolor::Weak
  WeakList* long_cells;  ///< tricolor::LongWeak
  CellList* arrays;      ///< cells with weak words
  CellList* pairs;       ///< cells with ephemerons, all of them resolved
  CellList* unresolved;  ///< the same, with keys that were white
  const EphemeronKeys* keys;
};

/// What a Tracer points to; see gc/scan.h.
struct TracerImpl {
  void (*visit)(TracerImpl* self, void* cell);
  heap::Heap* heap;
  /// Takes Tracer::visit_words as it comes; null: the words are decoded, and
  /// what they refer to is visited.
  void (*visit_words)(TracerImpl* self, const uint64_t* words, size_t n,
                      EncodingId encoding) = nullptr;
};

class MarkWorker : public TracerImpl {
 public:
  static constexpr uint32_t kEdges = 64;  // powers of two
  static constexpr uint32_t kObjects = 32;

  void init(heap::Heap* heap, WorkList* list, const WeakSinks* weak);

  /// World stopped, at the start of a cycle: new epochs, empty counters.
  void begin_cycle_stw();

  /// Whether `cell` is the start of a white cell. What was committed since the
  /// cycle began is black.
  bool is_white(const void* cell) const {
    auto offset = static_cast<size_t>(static_cast<const char*>(cell) - base_);
    return in_heap(offset) &&
           base::load_relaxed(&marks_[offset >> heap::kGranuleShift]) == prev_;
  }
  /// Marks `cell` if it is a white cell (null, outside and invalid words are
  /// ignored) and pushes it. Immediate: no FIFO.
  void shade(void* cell);
  /// The same for many, through the edge FIFO.
  void shade_all(void* const* cells, size_t n);
  /// Empties the edge FIFO: to be called after visits through TracerImpl.
  void drain_edges();

  /// Scans about `bytes` of cells, or until the stack and the FIFOs are empty.
  /// Returns the bytes scanned; 0: nothing was there.
  size_t scan_some(size_t bytes);

  /// Scans a marked cell again, and all that hangs off it locally.
  void rescan(void* cell);

  /// Between stop 2 and the sweep: marks write `epoch` from now on.
  void set_epoch(uint8_t epoch) { cur_ = epoch; }

  /// Whether there is nothing local left.
  bool empty() const { return chunk_count_local() == 0; }
  /// Hands all local work to the global list; true if there was any.
  bool publish();
  /// Hands half of it over if others are hungry.
  void balance();
  /// Takes a chunk from the global list; false if there is none.
  bool take_global();
  /// Gives empty chunks back (the P goes away).
  void destroy();

  // Counters of this cycle; read while stopped or by the holder.
  uint64_t marked_bytes = 0;
  uint64_t marked_cells = 0;
  uint64_t scanned_bytes = 0;

 private:
  size_t chunk_count_local() const {
    return (top_ == nullptr ? 0 : top_->count + (top_->next != nullptr)) +
           (objects_in_ - objects_out_);
  }
  bool in_heap(size_t offset) const {
    return offset < limit_ && (offset & 15) == 0;
  }
  template <bool kAsks>
  struct Loop;
  template <bool kAsks>
  size_t scan_batch(size_t budget);
  /// From now on, in this call, marks look for values that wait for a key.
  void refresh_keys();
  void shade_later(void* cell);
  void mark_or_skip(size_t offset, void* cell);
  void push(void* cell);
  void push_slow(void* cell);
  void* pop();
  void* pop_slow();
  size_t scan(void* cell);
  void fire(void* key);
  bool scan_pairs(const WeakWords& words, void* cell, size_t bytes);
  void scan_all(const WeakWords& words, void* cell, size_t bytes);
  void scan_weak(LayoutId layout, void* cell, size_t bytes);
  size_t scan_large(void* cell, const heap::HotLayout& hot, size_t bytes);
  static void visit_edge(TracerImpl* self, void* cell);

  // Copies of the heap's, refreshed at begin_cycle_stw.
  char* base_ = nullptr;
  size_t limit_ =
      0;  ///< committed at the cycle's start: beyond it all is black
  uint8_t* marks_ = nullptr;
  const heap::PageEntry* entries_ = nullptr;
  uint8_t prev_ = 0;
  uint8_t cur_ = 0;

  WorkList* list_ = nullptr;
  const WeakSinks* weak_ = nullptr;
  const EphemeronKeys* keys_ = nullptr;  ///< null: nothing waits
  WorkChunk* top_ = nullptr;  ///< newest chunk; older ones linked by next
  WorkChunk* spare_ = nullptr;
  uint32_t edges_in_ = 0;
  uint32_t edges_out_ = 0;
  uint32_t objects_in_ = 0;
  uint32_t objects_out_ = 0;
  void* edges_[kEdges];
  void* objects_[kObjects];
};

}  // namespace tricolor::gc

#endif  // TRICOLOR_GC_MARK_WORKER_H_
