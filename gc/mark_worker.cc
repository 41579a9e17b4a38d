// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// See gc/mark_worker.h.
//
// Two markers may both find byte == prev and both scan the cell: they store the
// same value, and scanning twice is harmless. Cells over 32 KiB, where twice
// would be costly, are claimed by compare-exchange.
#include "gc/mark_worker.h"

#include "base/check.h"
#include "gc/cell_list.h"
#include "gc/ephemeron_keys.h"
#include "gc/scan.h"
#include "gc/weak_list.h"
#include "gc/weak_words.h"
#include "heap/size_class_table.h"

namespace tricolor::gc {

namespace {

// A cell on its way from its mark to its scan carries its layout, which the
// scan would have to look up again: 48 bits of address, 16 of id.
// kInvalidLayout says that values wait for this key (marking them at once could
// recurse as deep as a chain of ephemerons is long).
void* pack(void* cell, LayoutId layout) {
  return reinterpret_cast<void*>(reinterpret_cast<uint64_t>(cell) |
                                 uint64_t{layout} << 48);
}
void* cell_of(void* packed) {
  return reinterpret_cast<void*>(reinterpret_cast<uint64_t>(packed) << 16 >>
                                 16);
}
LayoutId layout_of(void* packed) {
  return static_cast<LayoutId>(reinterpret_cast<uint64_t>(packed) >> 48);
}

constexpr size_t kPieceBytes = size_t{128} << 10;
// Checking builds have FIFOs of two: full, and wrapped, all the time.
constexpr uint32_t kEdgesUsed = TRI_CHECKS ? 2 : MarkWorker::kEdges;
constexpr uint32_t kObjectsUsed = TRI_CHECKS ? 2 : MarkWorker::kObjects;
constexpr uint32_t kLeastShared = 4;  // cells; fewer are done sooner than sent

/// The sizes of heap/size_class_table.h alone: one load in the hot loops.
struct ClassBytes {
  uint32_t of[TRI_DETAIL_CLASS_COUNT] = {};
  constexpr ClassBytes() {
    for (uint32_t c = 1; c < TRI_DETAIL_CLASS_COUNT; ++c) {
      of[c] = heap::kSizeClasses[c].bytes;
    }
  }
};
constexpr ClassBytes kClassBytes;

}  // namespace

void MarkWorker::init(heap::Heap* heap_in, WorkList* list,
                      const WeakSinks* weak) {
  visit = &MarkWorker::visit_edge;
  heap = heap_in;
  list_ = list;
  weak_ = weak;
  base_ = heap->space().base();
  marks_ = heap->space().mark_of(0);
  entries_ = heap->space().entry(0);
  begin_cycle_stw();
}

void MarkWorker::begin_cycle_stw() {
  TRI_ASSERT(empty() && edges_in_ == edges_out_);
  limit_ = heap->space().committed_bytes();
  prev_ = heap->prev();
  cur_ = heap->cur();
  keys_ = nullptr;
  marked_bytes = 0;
  marked_cells = 0;
  scanned_bytes = 0;
}

void MarkWorker::destroy() {
  TRI_ASSERT(empty());
  if (top_ != nullptr) list_->put_empty(top_);
  if (spare_ != nullptr) list_->put_empty(spare_);
  top_ = nullptr;
  spare_ = nullptr;
}

TRI_NOINLINE void MarkWorker::push_slow(void* cell) {
  if (top_ != nullptr && top_->next != nullptr) {
    // Keep at most two full chunks here; the rest is for everyone.
    WorkChunk* older = top_->next;
    top_->next = nullptr;
    list_->put(older);
  }
  WorkChunk* chunk = spare_ != nullptr ? spare_ : list_->get_empty();
  spare_ = nullptr;
  if (TRI_UNLIKELY(chunk == nullptr)) {
    list_->note_overflow();
    return;
  }
  chunk->next = top_;
  chunk->cells[0] = cell;
  chunk->count = 1;
  top_ = chunk;
}

TRI_ALWAYS_INLINE void MarkWorker::push(void* cell) {
  WorkChunk* top = top_;
  if (TRI_UNLIKELY(top == nullptr || top->count == WorkChunk::kCells)) {
    push_slow(cell);
    return;
  }
  top->cells[top->count++] = cell;
}

TRI_NOINLINE void* MarkWorker::pop_slow() {
  while (top_ != nullptr && top_->count == 0) {
    WorkChunk* older = top_->next;
    if (older == nullptr) return nullptr;
    if (spare_ == nullptr) {
      spare_ = top_;
      spare_->next = nullptr;
    } else {
      list_->put_empty(top_);
    }
    top_ = older;
  }
  return top_ == nullptr ? nullptr : top_->cells[--top_->count];
}

TRI_ALWAYS_INLINE void* MarkWorker::pop() {
  WorkChunk* top = top_;
  if (TRI_UNLIKELY(top == nullptr || top->count == 0)) return pop_slow();
  return top->cells[--top->count];
}

inline void MarkWorker::refresh_keys() { keys_ = weak_->keys->active(); }

/// A marked cell without pointers: the weak ones are settled later.
TRI_NOINLINE static void list_weak_cell(const WeakSinks* sinks, uint8_t flags,
                                        void* cell) {
  const bool is_long = (flags & heap::kLong) != 0;
  (is_long ? sinks->long_cells : sinks->cells)->add(cell);
}

TRI_ALWAYS_INLINE void MarkWorker::mark_or_skip(size_t offset, void* cell) {
  uint8_t* byte = &marks_[offset >> heap::kGranuleShift];
  if (base::load_relaxed(byte) != prev_) return;
  // ORDER-entry-1: pairs with new_span() and allocate_large(); x86 loads are
  // acquire anyway.
  uint32_t bits = entries_[offset >> heap::kPageShift].bits.load_acquire();
  uint32_t size_class = heap::PageEntry::size_class(bits);
  if (TRI_UNLIKELY(size_class == 0)) {
    uint8_t expected = prev_;
    if (!__atomic_compare_exchange_n(byte, &expected, cur_, false,
                                     __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
      return;
    }
  } else {
    base::store_relaxed(byte, cur_);
  }
  const auto layout =
      static_cast<LayoutId>(heap->space().layout_at(bits, offset));
  const heap::HotLayout& hot = heap->layouts().hot(layout);
  ++marked_cells;
  marked_bytes += TRI_LIKELY(size_class != 0)
                      ? kClassBytes.of[size_class]
                      : heap->space().span(offset >> heap::kPageShift)->bytes;
  if (TRI_UNLIKELY(keys_ != nullptr) && keys_->has(cell)) {
    push(pack(cell, kInvalidLayout));
  }
  if (hot.kind == heap::ScanKind::kNoscan) {
    if (TRI_UNLIKELY((hot.flags & heap::kWeakCell) != 0)) {
      list_weak_cell(weak_, hot.flags, cell);
    }
    return;
  }
  push(pack(cell, layout));
}

void MarkWorker::shade(void* cell) {
  refresh_keys();
  size_t offset = static_cast<size_t>(static_cast<char*>(cell) - base_);
  if (!in_heap(offset)) return;
  mark_or_skip(offset, cell);
}

TRI_ALWAYS_INLINE void MarkWorker::shade_later(void* cell) {
  size_t offset = static_cast<size_t>(static_cast<char*>(cell) - base_);
  if (!in_heap(offset)) return;
  __builtin_prefetch(&marks_[offset >> heap::kGranuleShift], 1, 3);
  if (edges_in_ - edges_out_ == kEdgesUsed) {
    void* oldest = edges_[edges_out_++ % kEdges];
    mark_or_skip(static_cast<size_t>(static_cast<char*>(oldest) - base_),
                 oldest);
  }
  edges_[edges_in_++ % kEdges] = cell;
}

void MarkWorker::drain_edges() {
  refresh_keys();
  while (edges_in_ != edges_out_) {
    void* oldest = edges_[edges_out_++ % kEdges];
    mark_or_skip(static_cast<size_t>(static_cast<char*>(oldest) - base_),
                 oldest);
  }
}

void MarkWorker::shade_all(void* const* cells, size_t n) {
  refresh_keys();
  for (size_t i = 0; i < n; ++i) shade_later(cells[i]);
  drain_edges();
}

void MarkWorker::visit_edge(TracerImpl* self, void* cell) {
  static_cast<MarkWorker*>(self)->shade_later(cell);
}

TRI_ALWAYS_INLINE size_t MarkWorker::scan(void* cell) {
  size_t offset = static_cast<size_t>(static_cast<char*>(cell) - base_);
  size_t page = offset >> heap::kPageShift;
  uint32_t bits = entries_[page].bits.load_acquire();
  auto layout = static_cast<LayoutId>(heap->space().layout_at(bits, offset));
  uint32_t size_class = heap::PageEntry::size_class(bits);
  const heap::HotLayout& hot = heap->layouts().hot(layout);
  size_t bytes = TRI_LIKELY(size_class != 0) ? kClassBytes.of[size_class]
                                             : heap->space().span(page)->bytes;
  auto later = [this](void* p) { shade_later(p); };
  if (TRI_UNLIKELY(hot.kind == heap::ScanKind::kWeak)) {
    scan_weak(layout, cell, bytes);
    return bytes;
  }
  if (TRI_UNLIKELY(bytes > kPieceBytes) &&
      hot.kind != heap::ScanKind::kCustom) {
    return scan_large(cell, hot, bytes);
  }
  scan_cell(heap, this, hot, layout, cell, bytes, later);
  return bytes;
}

TRI_NOINLINE size_t MarkWorker::scan_large(void* cell,
                                           const heap::HotLayout& hot,
                                           size_t bytes) {
  auto* words = static_cast<const uint64_t*>(cell);
  scan_head(heap->layouts(), hot, words, [this](void* p) { shade_later(p); });
  size_t head = hot.tail_from();
  if (head < bytes) list_->put_large({cell, head, bytes});
  return head + 8;
}

/// Marks what waits for `key`, which has been marked.
TRI_NOINLINE void MarkWorker::fire(void* key) {
  if (keys_ == nullptr) return;
  keys_->for_each(key, [this](void* value) { shade_later(value); });
}

/// Marks the values of keys that are not white; false: some key is, and its
/// value too.
bool MarkWorker::scan_pairs(const WeakWords& weak, void* cell, size_t bytes) {
  constexpr auto kPair = LayoutSpec::Strength::kEphemeron;
  auto* words = static_cast<const uint64_t*>(cell);
  bool resolved = true;
  for (size_t i = 0; i < bytes / 8; i += 2) {
    const Encoding* of_key = weak.at(i, kPair);
    if (of_key == nullptr) continue;
    void* value =
        heap::decode(*weak.at(i + 1, kPair), load_word(&words[i + 1]));
    if (!is_white(value)) continue;
    if (is_white(heap::decode(*of_key, load_word(&words[i])))) {
      resolved = false;
    } else {
      shade_later(value);
    }
  }
  return resolved;
}

/// Marks what words that are not strong refer to: there was no memory to list
/// the cell, so nothing of it may die.
void MarkWorker::scan_all(const WeakWords& weak, void* cell, size_t bytes) {
  using Strength = LayoutSpec::Strength;
  auto* words = static_cast<const uint64_t*>(cell);
  for (size_t i = 0; i < bytes / 8; ++i) {
    for (Strength s :
         {Strength::kWeak, Strength::kLongWeak, Strength::kEphemeron}) {
      const Encoding* e = weak.at(i, s);
      if (e != nullptr) shade_later(heap::decode(*e, load_word(&words[i])));
    }
  }
}

TRI_NOINLINE void MarkWorker::scan_weak(LayoutId layout, void* cell,
                                        size_t bytes) {
  using Strength = LayoutSpec::Strength;
  const WeakWords weak(heap->layouts(), layout);
  // Of a large one others take the strong tail in pieces, and the pairs, all of
  // which count as unresolved.
  const bool large = bytes > kPieceBytes;
  const size_t head = heap->layouts().hot(layout).tail_from();
  scan_strong(heap->layouts(), layout, cell, large ? head : bytes,
              [this](void* p) { shade_later(p); });
  if (large &&
      heap->layouts().cold(layout).tail_strength == Strength::kStrong) {
    list_->put_large({cell, head, bytes});
  }
  bool listed = true;
  if (weak.any(Strength::kEphemeron)) {
    const bool resolved = !large && scan_pairs(weak, cell, bytes);
    listed = (resolved ? weak_->pairs : weak_->unresolved)->add(cell);
  }
  if (weak.any(Strength::kWeak) || weak.any(Strength::kLongWeak)) {
    listed = weak_->arrays->add(cell) && listed;
  }
  if (TRI_UNLIKELY(!listed)) scan_all(weak, cell, bytes);
}

// What the loop that marking is uses again and again, in locals: a store to a
// mark byte may change any member, as far as the compiler knows, and each would
// be loaded again after it. Nobody sees the address of a Loop, so its fields
// are registers. Between load() and store() the worker's own are out of date.
//
// kAsks: some value may wait for a key that is marked here.
template <bool kAsks>
struct MarkWorker::Loop {
  explicit Loop(MarkWorker* worker)
      : w(worker),
        base(worker->base_),
        limit(worker->limit_),
        marks(worker->marks_),
        entries(worker->entries_),
        layouts(&worker->heap->layouts().hot(0)),
        prev(worker->prev_),
        cur(worker->cur_) {
    load();
  }

  TRI_ALWAYS_INLINE void load() {
    in = w->edges_in_;
    out = w->edges_out_;
    objects_in = w->objects_in_;
    objects_out = w->objects_out_;
  }
  TRI_ALWAYS_INLINE void store() {
    w->edges_in_ = in;
    w->edges_out_ = out;
    w->objects_in_ = objects_in;
    w->objects_out_ = objects_out;
  }

  TRI_ALWAYS_INLINE void mark(void* cell) {
    const auto offset = static_cast<size_t>(static_cast<char*>(cell) - base);
    uint8_t* byte = &marks[offset >> heap::kGranuleShift];
    if (base::load_relaxed(byte) != prev) return;
    // ORDER-entry-1: as in mark_or_skip().
    const uint32_t bits =
        entries[offset >> heap::kPageShift].bits.load_acquire();
    const uint32_t size_class = heap::PageEntry::size_class(bits);
    if (TRI_UNLIKELY(size_class == 0)) {
      w->mark_or_skip(offset, cell);
      return;
    }
    base::store_relaxed(byte, cur);
    const auto layout =
        static_cast<LayoutId>(w->heap->space().layout_at(bits, offset));
    const heap::HotLayout& hot = layouts[layout];
    ++cells;
    bytes += kClassBytes.of[size_class];
    if (kAsks && w->keys_->has(cell)) w->push(pack(cell, kInvalidLayout));
    if (hot.kind == heap::ScanKind::kNoscan) {
      if (TRI_UNLIKELY((hot.flags & heap::kWeakCell) != 0)) {
        list_weak_cell(w->weak_, hot.flags, cell);
      }
      return;
    }
    w->push(pack(cell, layout));
  }

  TRI_ALWAYS_INLINE void later(void* cell) {
    const auto offset = static_cast<size_t>(static_cast<char*>(cell) - base);
    if (offset >= limit || (offset & 15) != 0) return;
    __builtin_prefetch(&marks[offset >> heap::kGranuleShift], 1, 3);
    if (in - out == kEdgesUsed) mark(w->edges_[out++ % kEdges]);
    w->edges_[in++ % kEdges] = cell;
  }

  /// The next cell to scan, with its layout; null: the stack is empty.
  TRI_ALWAYS_INLINE void* next() {
    while (objects_in - objects_out < kObjectsUsed) {
      void* packed = w->pop();
      if (packed == nullptr) break;
      __builtin_prefetch(cell_of(packed), 0, 3);
      w->objects_[objects_in++ % kObjects] = packed;
    }
    if (objects_in == objects_out) return nullptr;
    return w->objects_[objects_out++ % kObjects];
  }

  TRI_ALWAYS_INLINE void mark_all() {
    while (in != out) mark(w->edges_[out++ % kEdges]);
  }

  MarkWorker* const w;
  char* const base;
  const size_t limit;
  uint8_t* const marks;
  const heap::PageEntry* const entries;
  const heap::HotLayout* const layouts;
  const uint8_t prev;
  const uint8_t cur;
  uint32_t in, out;
  uint32_t objects_in, objects_out;
  uint64_t cells = 0;
  uint64_t bytes = 0;
};

size_t MarkWorker::scan_some(size_t budget) {
  refresh_keys();
  return TRI_LIKELY(keys_ == nullptr) ? scan_batch<false>(budget)
                                      : scan_batch<true>(budget);
}

template <bool kAsks>
size_t MarkWorker::scan_batch(size_t budget) {
  Loop<kAsks> loop(this);
  size_t done = 0;
  while (done < budget) {
    void* const packed = loop.next();
    if (packed == nullptr) {
      if (loop.in == loop.out) break;
      loop.mark_all();
      continue;
    }
    void* const cell = cell_of(packed);
    const heap::HotLayout& hot = loop.layouts[layout_of(packed)];
    if (TRI_LIKELY(!TRI_ASAN && hot.kind == heap::ScanKind::kHeadPointers)) {
      auto* words = static_cast<const uint64_t*>(cell);
      for (uint64_t bits = hot.head_pointers; bits != 0; bits &= bits - 1) {
        loop.later(
            reinterpret_cast<void*>(load_word(&words[__builtin_ctzll(bits)])));
      }
      done += hot.head_bytes;
      continue;
    }
    loop.store();
    if (TRI_UNLIKELY(layout_of(packed) == kInvalidLayout)) {
      fire(cell);
      done += sizeof(void*);
    } else {
      done += scan(cell);
    }
    loop.load();
  }
  loop.mark_all();
  loop.store();
  marked_cells += loop.cells;
  marked_bytes += loop.bytes;
  scanned_bytes += done;
  return done;
}

void MarkWorker::rescan(void* cell) {
  refresh_keys();
  fire(cell);  // that may have been dropped, too
  scan(cell);
  drain_edges();
  while (scan_some(SIZE_MAX) != 0) {
  }
}

bool MarkWorker::take_global() {
  LargePiece piece;
  if (list_->take_large(&piece)) {
    size_t to = piece.bytes - piece.from > kPieceBytes
                    ? piece.from + kPieceBytes
                    : piece.bytes;
    if (to < piece.bytes) list_->put_large({piece.cell, to, piece.bytes});
    size_t page = static_cast<size_t>(static_cast<char*>(piece.cell) - base_) >>
                  heap::kPageShift;
    uint32_t bits = entries_[page].bits.load_acquire();
    const heap::HotLayout& hot = heap->layouts().hot(
        static_cast<LayoutId>(heap::PageEntry::layout(bits)));
    scan_tail(heap->layouts(), hot, static_cast<const uint64_t*>(piece.cell),
              piece.from / 8, to / 8, [this](void* p) { shade_later(p); });
    drain_edges();
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

bool MarkWorker::publish() {
  refresh_keys();
  while (objects_in_ != objects_out_) push(objects_[objects_out_++ % kObjects]);
  bool any = false;
  while (top_ != nullptr) {
    WorkChunk* chunk = top_;
    top_ = chunk->next;
    if (chunk->count == 0) {
      list_->put_empty(chunk);
      continue;
    }
    list_->put(chunk);
    any = true;
  }
  return any;
}

void MarkWorker::balance() {
  if (list_->has_work()) return;
  // The newest cells wait in the object FIFO: without it there may be little
  // on the stack although a whole graph hangs off these few.
  while (objects_in_ != objects_out_) push(objects_[objects_out_++ % kObjects]);
  if (top_ == nullptr) return;
  if (top_->next != nullptr && top_->next->count != 0) {
    WorkChunk* older = top_->next;
    top_->next = older->next;
    list_->put(older);
    return;
  }
  if (top_->count < kLeastShared) return;
  // The older half: it lies nearer to the roots, so more hangs off it.
  WorkChunk* half = list_->get_empty();
  if (half == nullptr) return;
  uint32_t n = top_->count / 2;
  for (uint32_t i = 0; i < n; ++i) half->cells[i] = top_->cells[i];
  for (uint32_t i = n; i < top_->count; ++i) {
    top_->cells[i - n] = top_->cells[i];
  }
  half->count = n;
  top_->count -= n;
  list_->put(half);
}

}  // namespace tricolor::gc
