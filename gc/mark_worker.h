// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// MarkWorker: one P's share of marking, in turns of three steps, each a short
// loop without surprises for the branch predictor:
//
//   scan   the cells fetched by the last turn -> edges, mark bytes prefetched
//   fetch  the next cells from the stack, prefetched
//   mark   edges whose byte == prev: byte = cur, and onto the stack
//
// So what one step touches was prefetched a step or two before, and whether a
// word is a pointer, or its target white, is computed rather than branched on:
// both are as good as random in most heaps. The stack holds marked cells only,
// never raw edges, in chunks that move whole to and from the global list
// (gc/work_list.h).
//
// Invariants
// 1. A cell on a stack, fetched, or on the global list has been marked (byte ==
//    cur) and not yet been scanned for that push. It lies there with its
//    layout's id in the upper 16 bits.
// 2. Edges wait only inside one call: every entry point but add() ends with
//    mark_edges().
//
// Threads: the holder of the P (see gc/proc.h).
// Sources of the ideas: Cher, Hosking, Vitek, "Software prefetching for
// mark-sweep garbage collection" (ISMM 2004); the batches are those of
// vectorised query execution. docs/design/0015-marking.md has the numbers.
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
  CellList* deferred;  ///< marked, to be traced in a stop
};

/// What a Tracer points to; see gc/scan.h.
struct TracerImpl {
  void (*visit)(TracerImpl* self, void* cell);
  heap::Heap* heap;
  bool marks = false;  ///< it is a MarkWorker
  /// Takes Tracer::visit_words as it comes; null: the words are decoded, and
  /// what they refer to is visited.
  void (*visit_words)(TracerImpl* self, const uint64_t* words, size_t n,
                      EncodingId encoding) = nullptr;
};

class MarkWorker : public TracerImpl {
 public:
  /// Larger cells are scanned in pieces of so much, which take 10 to 40 us:
  /// nobody who marks can be stopped inside one.
  static constexpr size_t kPieceBytes = size_t{16} << 10;
  /// Cells scanned in a turn.
  static constexpr uint32_t kBatch = 32;
  /// Edges that wait at most; and how many one cell may add between two looks.
  static constexpr uint32_t kEdges = 512;
  static constexpr uint32_t kSlack = 3 * kBatch;
  static_assert(kSlack >= heap::kMaxHeadWords);

  void init(heap::Heap* heap, WorkList* list, const WeakSinks* weak);

  /// World stopped, at the start of a cycle: new epochs, empty counters.
  void begin_cycle_stw();

  /// Whether `cell` is the start of a white cell. What was committed since the
  /// cycle began is black.
  bool is_white(const void* cell) const {
    const uint64_t g = granule_of(cell);
    return g < granules_ && base::load_relaxed(&marks_[g]) == prev_;
  }
  /// is_white() of it is asked soon.
  void prefetch_mark(const void* cell) const {
    const uint64_t g = granule_of(cell);
    __builtin_prefetch(&marks_[g < granules_ ? g : 0], 0, 3);
  }
  /// Marks `cell` if it is a white cell (null, outside and invalid words are
  /// ignored) and pushes it.
  void shade(void* cell);
  /// The same for many.
  void shade_all(void* const* cells, size_t n);
  /// The same, at the next mark_edges().
  void add(void* cell);
  /// And for what `n` words refer to.
  void add_words(EncodingId encoding, const uint64_t* words, size_t n);
  /// What was added, or visited through TracerImpl, is marked.
  void mark_edges();

  /// Scans about `bytes` of cells, or until there are none. Returns the bytes
  /// scanned; 0: nothing was there.
  size_t scan_some(size_t bytes);

  /// World stopped: a cell of the list `deferred`, at last; no mark_edges()
  /// yet.
  void trace_deferred_stw(void* cell);
  /// Between the two no cell is deferred.
  void set_stopped(bool stopped) { stopped_ = stopped; }
  bool is_stopped() const { return stopped_; }
  /// Scans a marked cell again, and all that hangs off it locally.
  void rescan(void* cell);

  /// Between stop 2 and the sweep: marks write `epoch` from now on.
  void set_epoch(uint8_t epoch) { cur_ = epoch; }

  /// Whether there is nothing local left.
  bool empty() const {
    return fetched_ == 0 &&
           (top_ == nullptr || (top_->count == 0 && top_->next == nullptr));
  }
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
  struct Edges;

  /// Beyond granules_ for what is outside the heap, and for what is no multiple
  /// of 16: its low bits become the upper ones.
  uint64_t granule_of(const void* cell) const {
    const auto offset =
        static_cast<uint64_t>(static_cast<const char*>(cell) - base_);
    return offset >> heap::kGranuleShift | offset << (64 - heap::kGranuleShift);
  }
  void* cell_at(uint64_t granule) const {
    return base_ + (granule << heap::kGranuleShift);
  }
  template <uint32_t kWords>
  uint32_t scan_run(Edges& edges, uint64_t tag, uint32_t from, uint32_t to);
  size_t scan_fetched(size_t budget);
  void fetch();
  uint32_t drop_marked(uint32_t n);
  uint32_t mark_listed();
  template <bool kAsks>
  uint32_t mark_white(uint32_t n);
  bool mark_other(uint64_t granule, uint32_t bits, uint64_t* packed);
  void push_key(void* key);
  void scan_next(const uint64_t* from, uint32_t n);
  void push_all(uint32_t n);
  bool add_chunk();
  void unfetch();
  size_t scan(LayoutId layout, void* cell);
  void scan_values(const heap::HotLayout& hot, const Encoding& e,
                   const uint64_t* words, size_t n);
  void scan_later(const heap::HotLayout& hot, void* cell, size_t from,
                  size_t bytes);
  size_t scan_any(const heap::HotLayout& hot, LayoutId layout, void* cell,
                  size_t bytes);
  size_t fire(void* what);
  bool scan_pairs(const WeakWords& words, void* cell, size_t bytes);
  void scan_all(const WeakWords& words, void* cell, size_t bytes);
  void scan_weak(LayoutId layout, void* cell, size_t bytes);
  static void visit_edge(TracerImpl* self, void* cell);

  // Copies of the heap's, refreshed at begin_cycle_stw.
  char* base_ = nullptr;
  /// Committed at the cycle's start: beyond it all is black.
  uint64_t granules_ = 0;
  uint8_t* marks_ = nullptr;
  const heap::PageEntry* entries_ = nullptr;
  uint8_t prev_ = 0;
  uint8_t cur_ = 0;

  WorkList* list_ = nullptr;
  const WeakSinks* weak_ = nullptr;
  const EphemeronKeys* keys_ = nullptr;  ///< null: nothing waits
  WorkChunk* top_ = nullptr;  ///< newest chunk; older ones linked by next
  WorkChunk* spare_ = nullptr;
  uint32_t edge_count_ = 0;
  uint32_t fetched_ = 0;
  bool stopped_ = false;
  bool all_white_ = false;  ///< all edges of the last batch were
  void* cells_[kBatch];     ///< [0, fetched_): marked, to be scanned next
  uint64_t edges_[kEdges + kSlack];  ///< granules
};

}  // namespace tricolor::gc

#endif  // TRICOLOR_GC_MARK_WORKER_H_
