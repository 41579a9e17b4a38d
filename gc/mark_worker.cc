// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// See gc/mark_worker.h.
//
// Two markers may both find byte == prev and both scan the cell: they store the
// same value, and scanning twice is harmless. Cells over 32 KiB, where twice
// would be costly, are claimed by compare-exchange.
#include "gc/mark_worker.h"

#include <cstring>

#include "base/check.h"
#include "gc/cell_list.h"
#include "gc/ephemeron_keys.h"
#include "gc/scan.h"
#include "gc/weak_list.h"
#include "heap/size_class_table.h"

namespace tricolor::gc {

namespace {

// A cell on its way from its mark to its scan carries its layout, which the
// scan would have to look up again: 48 bits of address, 16 of id.
// kInvalidLayout says that values wait for this key (marking them at once could
// recurse as deep as a chain of ephemerons is long), or for that of this node
// of EphemeronKeys, plus 1.
constexpr int kLayoutShift = 48;
uint64_t pack(const void* cell, LayoutId layout) {
  return reinterpret_cast<uint64_t>(cell) | uint64_t{layout} << kLayoutShift;
}
void* cell_of(const void* packed) {
  return reinterpret_cast<void*>(reinterpret_cast<uint64_t>(packed) << 16 >>
                                 16);
}
LayoutId layout_of(const void* packed) {
  return static_cast<LayoutId>(reinterpret_cast<uint64_t>(packed) >> 48);
}

// Checking builds do with two: full all the time.
constexpr uint32_t kEdgesUsed = TRI_CHECKS ? 2 : MarkWorker::kEdges;
constexpr uint32_t kBatchUsed = TRI_CHECKS ? 2 : MarkWorker::kBatch;
constexpr size_t kSmallBudget = 512;  // bytes; beyond it a few more may be done
constexpr uint32_t kGranulesPerPageShift =
    heap::kPageShift - heap::kGranuleShift;

/// The sizes of heap/size_class_table.h alone: one load in the hot loops.
struct ClassBytes {
  uint64_t of[TRI_DETAIL_CLASS_COUNT] = {};
  constexpr ClassBytes() {
    for (uint32_t c = 1; c < TRI_DETAIL_CLASS_COUNT; ++c) {
      of[c] = heap::kSizeClasses[c].bytes;
    }
  }
};
constexpr ClassBytes kClassBytes;

}  // namespace

// Where a scan lists edges, with what that takes, in registers as long as
// nobody sees its address. The worker's own count is out of date until store().
struct MarkWorker::Edges {
  explicit Edges(MarkWorker* worker)
      : w(worker),
        heap_base(reinterpret_cast<uint64_t>(worker->base_)),
        granules(worker->granules_),
        marks(worker->marks_),
        n(worker->edge_count_) {}

  TRI_ALWAYS_INLINE void load() { n = w->edge_count_; }
  TRI_ALWAYS_INLINE void store() { w->edge_count_ = static_cast<uint32_t>(n); }

  /// There is room. What is no address of ours is overwritten by the next.
  // As a mask, for compilers make a branch of a choice.
  TRI_ALWAYS_INLINE void list(uint64_t word) {
    const uint64_t offset = word - heap_base;
    // As granule_of().
    const uint64_t granule =
        offset >> heap::kGranuleShift | offset << (64 - heap::kGranuleShift);
    const uint64_t ours = base::ones_if_below(granule, granules);
    __builtin_prefetch(&marks[granule & ours], 0, 3);
    w->edges_[n] = granule;
    n -= ours;
  }
  TRI_ALWAYS_INLINE void make_room() {
    if (TRI_LIKELY(n < kEdgesUsed)) return;
    store();
    w->mark_edges();
    load();
  }
  TRI_ALWAYS_INLINE void add(void* cell) {
    make_room();
    list(reinterpret_cast<uint64_t>(cell));
  }

  MarkWorker* const w;
  const uint64_t heap_base;
  const uint64_t granules;
  uint8_t* const marks;
  uint64_t n;
};

void MarkWorker::init(heap::Heap* heap_in, WorkList* list,
                      const WeakSinks* weak) {
  visit = &MarkWorker::visit_edge;
  marks = true;
  heap = heap_in;
  list_ = list;
  weak_ = weak;
  base_ = heap->space().base();
  marks_ = heap->space().mark_of(0);
  entries_ = heap->space().entry(0);
  begin_cycle_stw();
}

void MarkWorker::begin_cycle_stw() {
  TRI_ASSERT(empty() && edge_count_ == 0);
  granules_ = heap->space().committed_bytes() >> heap::kGranuleShift;
  prev_ = heap->prev();
  cur_ = heap->cur();
  keys_ = nullptr;
  marked_bytes = 0;
  marked_cells = 0;
  scanned_bytes = 0;
}

// --- The stack.

/// The cells at `from` are scanned next, past the stack: at most kBatchUsed.
TRI_ALWAYS_INLINE void MarkWorker::scan_next(const uint64_t* from, uint32_t n) {
  for (uint32_t i = 0; i < n; ++i) {
    cells_[i] = reinterpret_cast<void*>(from[i]);
    __builtin_prefetch(cell_of(cells_[i]), 0, 3);
  }
  fetched_ = n;
}

/// Pushes the first n of edges_, which are cells with their layouts by now.
//
// Without memory some of them are kept all the same, so that a list is marked
// to its end, and not by one cell each time rescan_marked_stw() looks through
// the heap.
void MarkWorker::push_all(uint32_t n) {
  for (const uint64_t* from = edges_; n != 0;) {
    if (TRI_UNLIKELY(top_ == nullptr || top_->count == WorkChunk::kCells) &&
        !add_chunk()) {
      if (fetched_ == 0) scan_next(from, n < kBatchUsed ? n : kBatchUsed);
      return;
    }
    const uint32_t room = WorkChunk::kCells - top_->count;
    const uint32_t now = n < room ? n : room;
    std::memcpy(&top_->cells[top_->count], from, now * sizeof(uint64_t));
    top_->count += now;
    from += now;
    n -= now;
  }
}

/// If the last of them have been scanned.
TRI_ALWAYS_INLINE void MarkWorker::fetch() {
  if (fetched_ != 0 || top_ == nullptr) return;
  if (TRI_UNLIKELY(top_->count == 0)) {
    WorkChunk* older = top_->next;
    if (older == nullptr) return;
    if (spare_ == nullptr) {
      spare_ = top_;
      spare_->next = nullptr;
    } else {
      list_->put_empty(top_);
    }
    top_ = older;
  }
  const uint32_t n = top_->count < kBatchUsed ? top_->count : kBatchUsed;
  top_->count -= n;
  void* const* from = &top_->cells[top_->count];
  // The last is the first to be scanned.
#pragma GCC unroll 4
  for (uint32_t i = n; i-- != 0;) {
    __builtin_prefetch(cell_of(from[i]), 0, 3);
    cells_[i] = from[i];
  }
  fetched_ = n;
}

// --- Marking.

/// Marks what is still white of the first n edges, and leaves those with words
/// to scan in their place, packed. Returns how many.
//
// kAsks: some value may wait for a key that is marked here.
template <bool kAsks>
TRI_ALWAYS_INLINE uint32_t MarkWorker::mark_white(uint32_t n) {
  // In locals: a store to a mark byte may change any member, as far as the
  // compiler knows.
  uint8_t* const marks = marks_;
  const heap::PageEntry* const entries = entries_;
  const auto base = reinterpret_cast<uint64_t>(base_);
  const uint8_t prev = prev_;
  const uint8_t cur = cur_;
  uint64_t bytes = 0;
  uint32_t out = 0;
  uint32_t passed = 0;  // they came twice, or somebody else was first
  for (uint32_t i = 0; i < n; ++i) {
    const uint64_t granule = edges_[i];
    uint8_t* const byte = &marks[granule];
    if (TRI_UNLIKELY(base::load_relaxed(byte) != prev)) {
      ++passed;
      continue;
    }
    // ORDER-entry-1: pairs with new_span() and allocate_large(); x86 loads are
    // acquire anyway.
    const uint32_t bits =
        entries[granule >> kGranulesPerPageShift].bits.load_acquire();
    if (kAsks || TRI_UNLIKELY(!heap::PageEntry::is_small(bits))) {
      uint64_t packed;
      if (mark_other(granule, bits, &packed)) edges_[out++] = packed;
      continue;
    }
    base::store_relaxed(byte, cur);
    bytes += kClassBytes.of[heap::PageEntry::size_class(bits)];
    edges_[out] = base + (granule << heap::kGranuleShift) +
                  (uint64_t{heap::PageEntry::layout(bits)} << kLayoutShift);
    out += (bits & heap::PageEntry::kLeaf) == 0 ? 1 : 0;
  }
  if (TRI_UNLIKELY(passed != 0)) all_white_ = false;
  marked_cells += n - passed;
  marked_bytes += bytes;
  return out;
}

/// A white cell that is large, in a mixed span, or perhaps waited for. True: it
/// is to be scanned, and what is to be pushed.
TRI_NOINLINE bool MarkWorker::mark_other(uint64_t granule, uint32_t bits,
                                         uint64_t* packed) {
  uint8_t* const byte = &marks_[granule];
  const uint32_t size_class = heap::PageEntry::size_class(bits);
  if (size_class != 0) {
    base::store_relaxed(byte, cur_);
    marked_bytes += kClassBytes.of[size_class];
  } else {
    // Of two who find a large object white one scans it.
    uint8_t expected = prev_;
    if (!__atomic_compare_exchange_n(byte, &expected, cur_, false,
                                     __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
      --marked_cells;  // whom the other counts
      return false;
    }
    marked_bytes += heap->space().span(granule >> kGranulesPerPageShift)->bytes;
  }
  void* const cell = cell_at(granule);
  if (keys_ != nullptr && keys_->has(cell)) push_key(cell);
  const auto layout = static_cast<LayoutId>(
      heap->space().layout_at(bits, granule << heap::kGranuleShift));
  *packed = pack(cell, layout);
  return !heap->layouts().is_leaf(layout);
}

/// What waits for it is to be marked, too.
TRI_NOINLINE void MarkWorker::push_key(void* key) {
  if ((top_ == nullptr || top_->count == WorkChunk::kCells) && !add_chunk()) {
    return;
  }
  top_->cells[top_->count++] =
      reinterpret_cast<void*>(pack(key, kInvalidLayout));
}

/// Leaves those of the first n edges that are white; returns how many.
TRI_ALWAYS_INLINE uint32_t MarkWorker::drop_marked(uint32_t n) {
  const uint8_t* const marks = marks_;
  const uint8_t prev = prev_;
  uint32_t white = 0;
#pragma GCC unroll 4
  for (uint32_t i = 0; i < n; ++i) {
    const uint64_t granule = edges_[i];
    edges_[white] = granule;
    white += base::load_relaxed(&marks[granule]) == prev ? 1 : 0;
  }
  all_white_ = white == n;
  return white;
}

/// What was listed is marked; returns how many of them are to be scanned: so
/// many words of edges_.
//
// In a tree, where each cell has one edge to it, the edges need not be looked
// through first: mark_white() knows what to expect.
TRI_ALWAYS_INLINE uint32_t MarkWorker::mark_listed() {
  const uint32_t n = edge_count_;
  edge_count_ = 0;
  const uint32_t white = all_white_ ? n : drop_marked(n);
  if (white == 0) return 0;
  keys_ = weak_->keys->active();
  return TRI_LIKELY(keys_ == nullptr) ? mark_white<false>(white)
                                      : mark_white<true>(white);
}

TRI_NOINLINE void MarkWorker::mark_edges() { push_all(mark_listed()); }

void MarkWorker::add(void* cell) {
  Edges edges(this);
  edges.add(cell);
  edges.store();
}

void MarkWorker::add_words(EncodingId encoding, const uint64_t* words,
                           size_t n) {
  const Encoding& e = heap->layouts().encoding(encoding);
  if (TRI_UNLIKELY(e.stride == 16)) {
    auto visit_one = [this](void* cell) { add(cell); };
    return gc::scan_pairs(e, words, n, visit_one);
  }
  Edges edges(this);
  with_rule(
      e, [&](auto&& rule) __attribute__((always_inline)) {
        for (size_t i = 0; i < n; ++i) {
          edges.make_room();
          edges.list(rule(load_word(&words[i])));
        }
      });
  edges.store();
}

void MarkWorker::shade(void* cell) {
  if (!is_white(cell)) return;
  add(cell);
  mark_edges();
}

void MarkWorker::shade_all(void* const* cells, size_t n) {
  Edges edges(this);
  for (size_t i = 0; i < n; ++i) edges.add(cells[i]);
  edges.store();
  mark_edges();
}

void MarkWorker::visit_edge(TracerImpl* self, void* cell) {
  static_cast<MarkWorker*>(self)->add(cell);
}

// --- Scanning.

/// A cell of any kind, of which those that hold words of one kind, or two, are
/// scanned here.
TRI_NOINLINE size_t MarkWorker::scan(LayoutId layout, void* cell) {
  const size_t page =
      static_cast<size_t>(static_cast<char*>(cell) - base_) >> heap::kPageShift;
  const uint32_t size_class =
      heap::PageEntry::size_class(entries_[page].bits.load_relaxed());
  const heap::HotLayout& hot = heap->layouts().hot(layout);
  const size_t bytes = TRI_LIKELY(size_class != 0)
                           ? kClassBytes.of[size_class]
                           : heap->space().span(page)->bytes;
  if (hot.kind == heap::ScanKind::kAllEncoded ||
      hot.kind == heap::ScanKind::kAllPointers ||
      hot.kind == heap::ScanKind::kMixed) {
    const bool raw = hot.kind == heap::ScanKind::kAllPointers;
    const Encoding& e =
        heap->layouts().encoding(raw ? kRawPointers : hot.encoding);
    if (TRI_LIKELY(!TRI_ASAN && e.stride == 8 && bytes <= kPieceBytes)) {
      scan_values(hot, e, static_cast<const uint64_t*>(cell), bytes / 8);
      return bytes;
    }
  }
  return scan_any(hot, layout, cell, bytes);
}

/// Words that are pointers, encoded values, or both. As scan_head and scan_tail
/// of gc/scan.h, which call out for 16-byte values: then Edges has an address,
/// and its count is in memory.
TRI_ALWAYS_INLINE void MarkWorker::scan_values(const heap::HotLayout& hot,
                                               const Encoding& e,
                                               const uint64_t* words,
                                               size_t n) {
  Edges edges(this);
  edges.make_room();
  size_t from = 0;
  uint64_t head = 0;  // else all words are scanned as the tail is
  if (hot.kind == heap::ScanKind::kMixed) {
    head = hot.head_encoded;
    for (uint64_t bits = hot.head_pointers; bits != 0; bits &= bits - 1) {
      edges.list(load_word(&words[__builtin_ctzll(bits)]));
    }
    if (hot.tail == LayoutSpec::Tail::kPointers) {
      for (size_t i = hot.head_bytes / 8; i < n; ++i) {
        edges.make_room();
        edges.list(load_word(&words[i]));
      }
    }
    from = hot.tail == LayoutSpec::Tail::kEncoded ? hot.head_bytes / 8 : n;
  }
  with_rule(
      e, [&](auto&& rule) __attribute__((always_inline)) {
        edges.make_room();
        for (uint64_t bits = head; bits != 0; bits &= bits - 1) {
          edges.list(rule(load_word(&words[__builtin_ctzll(bits)])));
        }
        for (size_t i = from; i < n; ++i) {
          edges.make_room();
          edges.list(rule(load_word(&words[i])));
        }
      });
  edges.store();
}

/// The tail of a large cell, in pieces, by anyone. Where the list of pieces is
/// full it is one piece: better than a mark from the start in stop 2.
void MarkWorker::scan_later(const heap::HotLayout& hot, void* cell, size_t from,
                            size_t bytes) {
  if (from >= bytes || !hot.scans_tail()) return;
  if (list_->put_large({cell, from, bytes})) return;
  scan_tail(heap->layouts(), hot, static_cast<const uint64_t*>(cell), from / 8,
            bytes / 8, [this](void* p) { add(p); });
}

TRI_NOINLINE size_t MarkWorker::scan_any(const heap::HotLayout& hot,
                                         LayoutId layout, void* cell,
                                         size_t bytes) {
  auto visit_one = [this](void* p) { add(p); };
  if (hot.kind == heap::ScanKind::kNoscan) {
    // One without a target (a run's rest, too) has nothing to be settled.
    const bool is_long = (hot.flags & heap::kLong) != 0;
    if ((hot.flags & heap::kWeakCell) != 0 &&
        load_word(static_cast<const uint64_t*>(cell)) != 0) {
      (is_long ? weak_->long_cells : weak_->cells)->add(cell);
    }
  } else if (TRI_UNLIKELY((hot.flags & heap::kDeferred) != 0) && !stopped_) {
    // Without memory for the list it is traced with all that was dropped.
    if (!weak_->deferred->add(cell)) list_->note_overflow();
  } else if (hot.kind == heap::ScanKind::kWeak) {
    scan_weak(layout, cell, bytes);
  } else if (bytes > kPieceBytes && hot.kind != heap::ScanKind::kCustom) {
    if (TRI_ASAN && heap->is_released(cell)) return bytes;  // poisoned
    scan_head(heap->layouts(), hot, static_cast<const uint64_t*>(cell),
              visit_one);
    const size_t head = hot.tail_from();
    scan_later(hot, cell, head, bytes);
    return head + 8;
  } else {
    scan_cell(heap, this, hot, layout, cell, bytes, visit_one);
  }
  return bytes;
}

/// Cells [to, from) of cells_, from above, whose first kWords words are their
/// pointers, as long as they are of the layout in `tag`. Returns the index of
/// the last one that was.
template <uint32_t kWords>
TRI_ALWAYS_INLINE uint32_t MarkWorker::scan_run(Edges& edges, uint64_t tag,
                                                uint32_t from, uint32_t to) {
  uint32_t i = from;
  while (i != to) {
    const uint64_t at = reinterpret_cast<uint64_t>(cells_[i - 1]) ^ tag;
    if (TRI_UNLIKELY(at >> kLayoutShift != 0)) break;
    --i;
    if (TRI_CHECKS) edges.make_room();
    auto* const words = reinterpret_cast<const uint64_t*>(at);
    for (uint32_t k = 0; k < kWords; ++k) edges.list(load_word(&words[k]));
  }
  return i;
}

TRI_ALWAYS_INLINE size_t MarkWorker::scan_fetched(size_t budget) {
  Edges edges(this);
  const heap::HotLayout* const layouts = &heap->layouts().hot(0);
  size_t done = 0;
  uint32_t left = fetched_;
  while (left != 0 && done < budget) {
    void* const packed = cells_[left - 1];
    const LayoutId layout = layout_of(packed);
    const heap::HotLayout& hot = layouts[layout];
    if (TRI_LIKELY(!TRI_ASAN && hot.kind == heap::ScanKind::kHeadPointers)) {
      // Those below it are of the same layout, mostly.
      const uint64_t tag = uint64_t{layout} << kLayoutShift;
      const uint32_t to = budget - done > kSmallBudget ? 0 : left - 1;
      const uint32_t from = left;
      edges.make_room();
      switch (hot.head_pointers) {
        case 1:
          left = scan_run<1>(edges, tag, from, to);
          break;
        case 3:
          left = scan_run<2>(edges, tag, from, to);
          break;
        case 7:
          left = scan_run<3>(edges, tag, from, to);
          break;
        default: {
          --left;
          auto* const words = static_cast<const uint64_t*>(cell_of(packed));
          for (uint64_t bits = hot.head_pointers; bits != 0; bits &= bits - 1) {
            edges.list(load_word(&words[__builtin_ctzll(bits)]));
          }
        }
      }
      done += size_t{from - left} * hot.head_bytes;
      continue;
    }
    --left;
    edges.store();
    if (TRI_UNLIKELY(layout == kInvalidLayout)) {
      done += fire(cell_of(packed));
    } else {
      done += scan(layout, cell_of(packed));
    }
    edges.load();
  }
  edges.store();
  fetched_ = left;
  return done;
}

size_t MarkWorker::scan_some(size_t budget) {
  size_t done = 0;
  while (done < budget) {
    fetch();
    if (fetched_ == 0) break;
    done += scan_fetched(budget - done);
    fetch();
    const uint32_t n = mark_listed();
    if (fetched_ == 0 && n <= kBatchUsed) {
      scan_next(edges_, n);  // a narrow graph
    } else {
      push_all(n);
    }
  }
  scanned_bytes += done;
  return done;
}

void MarkWorker::trace_deferred_stw(void* cell) {
  stopped_ = true;  // scanned_bytes has it since it was listed
  scan(heap->layout_of(cell), cell);
  stopped_ = false;
}

void MarkWorker::rescan(void* cell) {
  fire(cell);  // that may have been dropped, too
  scan(heap->layout_of(cell), cell);
  mark_edges();
  while (scan_some(SIZE_MAX) != 0) {
  }
}

// --- Sharing.

bool MarkWorker::take_global() {
  LargePiece piece;
  if (list_->take_large(&piece)) {
    size_t to = piece.bytes - piece.from > kPieceBytes
                    ? piece.from + kPieceBytes
                    : piece.bytes;
    if (to < piece.bytes && !list_->put_large({piece.cell, to, piece.bytes})) {
      to = piece.bytes;
    }
    const heap::HotLayout& hot =
        heap->layouts().hot(heap->layout_of(piece.cell));
    Edges edges(this);
    scan_tail(heap->layouts(), hot, static_cast<const uint64_t*>(piece.cell),
              piece.from / 8, to / 8, [&edges](void* p) { edges.add(p); });
    edges.store();
    mark_edges();
    scanned_bytes += to - piece.from;
    return true;
  }
  WorkChunk* chunk = list_->take();
  if (chunk == nullptr) return false;
  if (top_ != nullptr && top_->count == 0 && top_->next == nullptr) {
    list_->put_empty(top_);
    top_ = nullptr;
  }
  chunk->next = top_;
  top_ = chunk;
  return true;
}

}  // namespace tricolor::gc
