// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Explicit release. The P that releases a small cell takes it over as a run of
// one and keeps it on a list of its slot, linked through the cell's first word;
// the slot's next refill hands it out again. Called by gc/resize_api.cc; the
// choice is argued in docs/design/0004-explicit-release.md.
//
// Invariants
// 1. A mark byte of a small cell is never cleared here: the cell stays "in a
//    run a P owns" (rule 1 in heap/heap.h), so nobody's count of live cells
//    changes, whoever holds the span: this P, another, a list, a sweeper.
// 2. The one store to such a byte is prev -> cur while marking, of a noscan
//    cell: what a marker that met the cell would store.
// 3. A list may be forgotten at any moment: its cells are then plain garbage,
//    which the sweep frees and counts. That happens at a cycle's first stop
//    (from there they would have to be marked) and when the mcache is flushed.
// 4. While marking, a cell with pointers is left alone: the snapshot's last
//    edge to something may lie in it. Nobody reads a noscan cell.
// 5. A released cell's second word says so, until it is handed out again: by a
//    keyed hash of its address, under a key of this heap. Cells hold whatever
//    the embedder's programs put there, and a word they could forge would hide
//    a live cell from a trace function, or from find_cell.
//
// A large object is listed, never cached; if its span is swept, no sweeper
// comes near it before the next cycle's end (ORDER-swept-1), so the releaser
// may take it off its list, and its pages are free at once. While marking a
// noscan one gets byte 0 and keeps its pages: markers claim large objects by
// compare-exchange, which then fails, and no page is laid out anew under an
// address they may hold.
//
// Threads: the holder of the P; the cell is shared with nobody.
#include <cstring>

#include "base/check.h"
#include "heap/heap.h"
#include "heap/poison.h"

namespace tricolor::heap {

namespace {

/// The low bits of the mark: a cell that lacks them needs no hash. Odd, so that
/// no reader takes the mark for a cell.
constexpr uint64_t kTagMask = 0xffff;
constexpr uint64_t kTag = 0xde1d;

uint64_t mark_of_released(const base::SipKey& key, const void* cell) {
  return (base::siphash13(key, reinterpret_cast<uint64_t>(cell)) & ~kTagMask) |
         kTag;
}

/// A word of a cell that may be poisoned, or in use by others (find_cell), in
/// which case any value but the mark of a released cell will do.
TRI_NOINLINE TRI_NO_SANITIZE_ADDRESS TRI_NO_SANITIZE_THREAD uint64_t
word_of(const void* cell, size_t i) {
  return __atomic_load_n(static_cast<const uint64_t*>(cell) + i,
                         __ATOMIC_RELAXED);
}

}  // namespace

bool Heap::is_released(const void* cell) const {
  const uint64_t word = word_of(cell, 1);
  return TRI_UNLIKELY((word & kTagMask) == kTag) &&
         word == mark_of_released(release_key_, cell);
}

void Heap::check_live_cell(const tri_mutator* mu, const void* cell,
                           const char* call) const {
  size_t offset = space_.offset_of(cell);
  if (TRI_UNLIKELY(offset >= space_.committed_bytes() || (offset & 15) != 0)) {
    TRI_MISUSE(call,
               "%p is not a cell of this runtime; pass what allocate or make "
               "returned",
               cell);
  }
  uint8_t byte = base::load_relaxed(space_.mark_of(offset));
  uint32_t bits = space_.entry(offset >> kPageShift)->bits.load_relaxed();
  if (TRI_UNLIKELY(byte == 0)) {
    TRI_MISUSE(call,
               "%p is not the start of a live cell: it has been released or "
               "collected, or points into the middle of one",
               cell);
  }
  if (TRI_UNLIKELY(is_dead(byte) && !is_marking(mu))) {
    TRI_MISUSE(call,
               "the cell %p was found unreachable by the last cycle; keep it "
               "rooted until the call",
               cell);
  }
  if (PageEntry::size_class(bits) == 0) return;
  if (TRI_UNLIKELY(is_released(cell))) {
    TRI_MISUSE(call, "the cell %p has been released before", cell);
  }
  const MCache* mc = mcache_of(mu);
  if (mc->slots == nullptr) return;
  const tri_slot& slot =
      mc->slots[space_.layout_at(bits, offset) << TRI_DETAIL_CLASS_SHIFT |
                PageEntry::size_class(bits)];
  if (TRI_UNLIKELY(cell >= slot.cursor && cell < slot.limit)) {
    TRI_MISUSE(call, "%p is a free cell that has not been allocated", cell);
  }
}

void Heap::push_released(MCache* mc, uint32_t slot_id, char* cell,
                         size_t bytes) {
  SlotState* state = &mc->states[slot_id];
  cut_slot(mc, slot_id);  // what is listed from before is forgotten
  if (options_.clobber_free) std::memset(cell, 0xdb, bytes);
  auto* words = reinterpret_cast<uint64_t*>(cell);
  words[0] = reinterpret_cast<uint64_t>(state->released);
  words[1] = mark_of_released(release_key_, cell);
  poison(cell, bytes);
  state->released = cell;
  if (state->listed == 0) {
    state->listed = mc->listing;
    mc->active[mc->active_count++] = slot_id;
    note_active(mc);
  }
}

void Heap::take_released(MCache* mc, uint32_t slot_id) {
  SlotState* state = &mc->states[slot_id];
  char* cell = state->released;
  size_t bytes = cell_bytes(cell);
  if (TRI_UNLIKELY(options_.check_free || TRI_CHECKS)) {
    // The second word: see invariant 5.
    if (!is_released(cell)) {
      TRI_FATAL("%p was written to after its release",
                static_cast<void*>(cell));
    }
    check_free(cell, bytes, 16, "the released cell");
  }
  TRI_ASSERT(base::load_relaxed(space_.mark_of(space_.offset_of(cell))) ==
             cur());
  if (TRI_UNLIKELY(profile_.fn != nullptr)) {
    auto cell_bytes = static_cast<uint32_t>(bytes);
    sampled_run(mc, state, cell_bytes, 1);
    count_sampled(mc, state, 1, cell_bytes, /*goes_on=*/false);
  }
  unpoison(cell, bytes);
  state->released = reinterpret_cast<char*>(word_of(cell, 0));
  std::memset(cell, 0, bytes);
  // The run is one cell, handed out before the next safepoint: it is never cut
  // and never a rest.
  mc->slots[slot_id] = {cell, cell + bytes};
}

bool Heap::release(tri_mutator* mu, void* cell) {
  check_live_cell(mu, cell, "release");
  size_t offset = space_.offset_of(cell);
  uint32_t bits = space_.entry(offset >> kPageShift)->bits.load_relaxed();
  uint32_t layout = space_.layout_at(bits, offset);
  uint32_t size_class = PageEntry::size_class(bits);
  const HotLayout& hot = layouts_.hot(static_cast<LayoutId>(layout));
  // A weak cell may be on the collector's list, what was resurrected is not
  // swept yet; on_dead is the sweeper's call.
  if ((hot.flags & (kWeakCell | kOnDead)) != 0 || hot.kind == ScanKind::kWeak ||
      base::load_relaxed(space_.mark_of(offset)) == revived()) {
    return false;
  }
  const bool marking = is_marking(mu);
  bool noscan = hot.kind == ScanKind::kNoscan;
  if (marking && !noscan) return false;
  if (size_class == 0) return release_large(mu, cell, marking);
  MCache* mc = mcache_of(mu);
  if (mc->slots == nullptr && !make_tables(mc)) return false;
  uint8_t* byte = space_.mark_of(offset);
  if (base::load_relaxed(byte) != cur()) {
    // As if it had been allocated during the mark: no marker counts it.
    base::store_relaxed(byte, cur());
    mc->unsettled_bytes +=
        static_cast<int64_t>(tri_detail_class_bytes(size_class));
  }
  raw_released_.store_relaxed(1);  // its memory may go to any layout
  push_released(mc, layout << TRI_DETAIL_CLASS_SHIFT | size_class,
                static_cast<char*>(cell), tri_detail_class_bytes(size_class));
  return true;
}

bool Heap::is_swept_large(const Span* span) const {
  TRI_ASSERT(span->state == SpanState::kLarge);
  // ORDER-swept-1: pairs with sweep_span().
  return span->sweepgen.load_acquire() == sweepgen();
}

void Heap::free_tail(MCache* mc, Span* span, size_t keep_pages) {
  TRI_ASSERT(keep_pages > 0 && keep_pages <= span->npages);
  size_t page = span->first_page + keep_pages;
  size_t n = span->npages - keep_pages;
  if (n == 0) return;
  for (size_t i = 0; i < n; ++i) {
    space_.entry(page + i)->bits.store_relaxed(0);
  }
  poison(space_.page_address(page), n << kPageShift);
  span->npages = static_cast<uint32_t>(keep_pages);
  free_pages(mc, static_cast<uint32_t>(page), n);
  mc->unsettled_freed += static_cast<int64_t>(n << kPageShift);
}

bool Heap::release_large(tri_mutator* mu, void* cell, bool marking) {
  size_t offset = space_.offset_of(cell);
  Span* span = space_.span(offset >> kPageShift);
  if (!marking && !is_swept_large(span)) return false;
  if (options_.clobber_free) std::memset(cell, 0xdb, span->bytes);
  poison(cell, size_t{span->npages} << kPageShift);
  base::store_relaxed(space_.mark_of(offset), uint8_t{0});
  if (!marking) {
    MCache* mc = mcache_of(mu);
    unlist_large(span);
    mc->unsettled_freed +=
        static_cast<int64_t>(size_t{span->npages} << kPageShift);
    free_span(mc, span);
  }
  return true;
}

}  // namespace tricolor::heap
