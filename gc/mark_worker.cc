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
#include "gc/scan.h"
#include "gc/weak_list.h"
#include "heap/size_class_table.h"

namespace tricolor::gc {

namespace {

constexpr size_t kPieceBytes = size_t{128} << 10;
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

void MarkWorker::init(heap::Heap* heap_in, WorkList* list, WeakList* weak) {
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

TRI_ALWAYS_INLINE void MarkWorker::on_marked(size_t offset, void* cell) {
  // ORDER-entry-1: pairs with new_span() and allocate_large(); x86 loads are
  // acquire anyway.
  uint32_t bits = entries_[offset >> heap::kPageShift].bits.load_acquire();
  uint32_t size_class = heap::PageEntry::size_class(bits);
  const heap::HotLayout& hot = heap->layouts().hot(
      static_cast<LayoutId>(heap->space().layout_at(bits, offset)));
  ++marked_cells;
  marked_bytes += TRI_LIKELY(size_class != 0)
                      ? kClassBytes.of[size_class]
                      : heap->space().span(offset >> heap::kPageShift)->bytes;
  if (hot.kind == heap::ScanKind::kNoscan) {
    if (TRI_UNLIKELY((hot.flags & heap::kWeakCell) != 0)) weak_->add(cell);
    return;
  }
  push(cell);
}

TRI_ALWAYS_INLINE void MarkWorker::mark_or_skip(size_t offset, void* cell) {
  uint8_t* byte = &marks_[offset >> heap::kGranuleShift];
  if (base::load_relaxed(byte) != prev_) return;
  uint32_t bits = entries_[offset >> heap::kPageShift].bits.load_relaxed();
  if (TRI_UNLIKELY(heap::PageEntry::size_class(bits) == 0)) {
    uint8_t expected = prev_;
    if (!__atomic_compare_exchange_n(byte, &expected, cur_, false,
                                     __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
      return;
    }
  } else {
    base::store_relaxed(byte, cur_);
  }
  on_marked(offset, cell);
}

void MarkWorker::shade(void* cell) {
  size_t offset = static_cast<size_t>(static_cast<char*>(cell) - base_);
  if (!in_heap(offset)) return;
  mark_or_skip(offset, cell);
}

TRI_ALWAYS_INLINE void MarkWorker::shade_later(void* cell) {
  size_t offset = static_cast<size_t>(static_cast<char*>(cell) - base_);
  if (!in_heap(offset)) return;
  __builtin_prefetch(&marks_[offset >> heap::kGranuleShift], 1, 3);
  if (edges_in_ - edges_out_ == kEdges) {
    void* oldest = edges_[edges_out_++ % kEdges];
    mark_or_skip(static_cast<size_t>(static_cast<char*>(oldest) - base_),
                 oldest);
  }
  edges_[edges_in_++ % kEdges] = cell;
}

void MarkWorker::drain_edges() {
  while (edges_in_ != edges_out_) {
    void* oldest = edges_[edges_out_++ % kEdges];
    mark_or_skip(static_cast<size_t>(static_cast<char*>(oldest) - base_),
                 oldest);
  }
}

void MarkWorker::shade_all(void* const* cells, size_t n) {
  for (size_t i = 0; i < n; ++i) shade_later(cells[i]);
  drain_edges();
}

void MarkWorker::visit_edge(TracerImpl* self, void* cell) {
  static_cast<MarkWorker*>(self)->shade_later(cell);
}

TRI_ALWAYS_INLINE void* MarkWorker::next_object() {
  while (objects_in_ - objects_out_ < kObjects) {
    void* cell = pop();
    if (cell == nullptr) break;
    __builtin_prefetch(cell, 0, 3);
    objects_[objects_in_++ % kObjects] = cell;
  }
  if (objects_in_ == objects_out_) return nullptr;
  return objects_[objects_out_++ % kObjects];
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

size_t MarkWorker::scan_some(size_t budget) {
  size_t done = 0;
  while (done < budget) {
    void* cell = next_object();
    if (cell == nullptr) {
      if (edges_in_ == edges_out_) break;
      drain_edges();
      continue;
    }
    done += scan(cell);
  }
  drain_edges();
  scanned_bytes += done;
  return done;
}

void MarkWorker::rescan(void* cell) {
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
