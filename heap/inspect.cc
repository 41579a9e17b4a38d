// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// From an address to its cell; every cell of a stopped heap; cells per layout.
// See tricolor/heap_inspect.h. Called by gc/inspect_api.cc.
//
// The walk wants every mcache flushed, so that no cell is in a run: then a byte
// that is not 0 means allocated, or released and waiting for a sweep. In a span
// that is to be swept a cell whose byte is not cur is dead, unless the mark is
// still under way.
#include "base/check.h"
#include "heap/heap.h"

namespace tricolor::heap {

CellInfo Heap::info_of(void* cell, size_t bytes, uint32_t layout) const {
  const ColdLayout& cold = layouts_.cold(static_cast<LayoutId>(layout));
  const char* name = layout == kInvalidLayout ? "" : cold.name;
  return {cell, bytes, static_cast<LayoutId>(layout), name, cold.user};
}

// What an address near a cell that others free or resize finds may be torn; the
// caller was told so. A marker is right all the same: it acts on a byte that is
// prev alone, and such a byte is the first of a cell that was in use when the
// cycle began, whatever led there.
TRI_NO_SANITIZE_THREAD void* Heap::cell_around(const void* p,
                                               size_t* bytes) const {
  size_t offset = space_.offset_of(p);
  if (offset >= space_.committed_bytes()) return nullptr;
  size_t page = offset >> kPageShift;
  uint32_t bits = space_.entry(page)->bits.load_acquire();
  while (PageEntry::kind(bits) == SpanState::kLargeTail) {
    page -= PageEntry::pages_back(bits);
    bits = space_.entry(page)->bits.load_acquire();
  }
  size_t start = page << kPageShift;
  if (PageEntry::kind(bits) == SpanState::kLarge) {
    *bytes = space_.span(page)->bytes;
  } else if (PageEntry::kind(bits) == SpanState::kSmall ||
             PageEntry::kind(bits) == SpanState::kMixed) {
    // Only a span's first page has a Span in use; spans are a few pages.
    while (page > 1 && space_.span(page)->state != SpanState::kSmall) --page;
    *bytes = tri_detail_class_bytes(PageEntry::size_class(bits));
    size_t from = page << kPageShift;
    size_t i = (offset - from) / *bytes;
    if (i >= space_.span(page)->cells) return nullptr;
    start = from + i * *bytes;
  } else {
    return nullptr;
  }
  if (offset - start >= *bytes) return nullptr;
  // ORDER-ids-1: pairs with write_ids(): the id of who wrote the byte.
  uint8_t byte = base::load_acquire(space_.mark_of(start));
  char* cell = space_.base() + start;
  if (byte == 0 || (is_dead(byte) && byte != prev())) return nullptr;
  if (PageEntry::size_class(bits) != 0 && is_released(cell)) return nullptr;
  return cell;
}

bool Heap::find_cell(const void* p, CellInfo* out) const {
  size_t bytes = 0;
  void* cell = cell_around(p, &bytes);
  if (cell == nullptr) return false;
  const size_t start = space_.offset_of(cell);
  const uint32_t bits = space_.entry(start >> kPageShift)->bits.load_acquire();
  const uint32_t layout = space_.layout_at(bits, start);
  if (layout >= layouts_.count()) return false;  // torn
  *out = info_of(cell, bytes, layout);
  return true;
}

void Heap::walk_span_stw(Span* span, bool marking, WalkFn fn, void* ctx) {
  bool large = span->state == SpanState::kLarge;
  size_t cells = large ? 1 : span->cells;
  size_t bytes = large ? span->bytes : span->cell_bytes;
  char* base = space_.page_address(span->first_page);
  const uint8_t* marks = space_.mark_of(space_.offset_of(base));
  for (size_t i = 0; i < cells; ++i) {
    uint8_t byte = base::load_relaxed(&marks[(i * bytes) >> kGranuleShift]);
    if (byte == 0 || (is_dead(byte) && !marking)) continue;
    char* cell = base + i * bytes;
    if (!large && is_released(cell)) continue;
    // A large object's entry has its layout only once it is zeroed.
    uint32_t bits = space_.entry(span->first_page)->bits.load_relaxed();
    uint32_t layout = large ? PageEntry::layout(bits) : layout_of(cell);
    fn(info_of(cell, bytes, layout), ctx);
  }
}

size_t Heap::each_span_stw(size_t from, size_t to,
                           void (*fn)(Heap*, Span*, void*), void* ctx) {
  const size_t pages = space_.committed_pages();
  size_t page = from;
  while (page < pages && page < to) {
    Span* span = space_.span(page);
    // A page in the middle of a span reads as free, too.
    if (span->state == SpanState::kFree) {
      ++page;
      continue;
    }
    if (span->state != SpanState::kManual) fn(this, span, ctx);
    page += span->npages;
  }
  return page < pages ? page : 0;
}

void Heap::walk_stw(bool marking, WalkFn fn, void* ctx) {
  struct Args {
    bool marking;
    WalkFn fn;
    void* ctx;
  } args{marking, fn, ctx};
  each_span_stw(
      1, SIZE_MAX,
      [](Heap* heap, Span* span, void* arg) {
        auto* a = static_cast<Args*>(arg);
        heap->walk_span_stw(span, a->marking, a->fn, a->ctx);
      },
      &args);
}

void Heap::count_mixed_stw(const Span* span, LayoutStats* out, size_t n) {
  const char* base = space_.page_address(span->first_page);
  for (size_t i = 0; i < span->cells; ++i) {
    const char* cell = base + i * span->cell_bytes;
    if (base::load_relaxed(space_.mark_of(space_.offset_of(cell))) == 0) {
      continue;
    }
    const LayoutId layout = layout_of(cell);
    if (layout >= n) continue;
    ++out[layout].cells;
    out[layout].bytes += span->cell_bytes;
  }
}

size_t Heap::count_layouts_stw(size_t from, size_t pages, LayoutStats* out,
                               size_t n) {
  struct Args {
    LayoutStats* out;
    size_t n;
  } args{out, n};
  return each_span_stw(
      from, from + pages,
      [](Heap* heap, Span* span, void* arg) {
        auto* a = static_cast<Args*>(arg);
        if (span->mixed) {
          heap->count_mixed_stw(span, a->out, a->n);
          return;
        }
        if (span->layout >= a->n) return;
        size_t offset = size_t{span->first_page} << kPageShift;
        bool large = span->state == SpanState::kLarge;
        // A released large object keeps its count until the sweep.
        if (large && base::load_relaxed(heap->space_.mark_of(offset)) == 0) {
          return;
        }
        size_t bytes =
            large ? size_t{span->npages} << kPageShift : span->cell_bytes;
        a->out[span->layout].cells += span->live;
        a->out[span->layout].bytes += span->live * bytes;
      },
      &args);
}

}  // namespace tricolor::heap
