// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// The slow path of allocation: from the P's span to its next run, from the
// mcentral, from an unswept span, from fresh pages.
//
// allocate_slow has two halves. The first is a safepoint: the collector may
// start, assist or stop here, and the G may come back on another P. The second
// takes a run and a cell without any safepoint, so a cell is never half taken
// when a phase flips. A run's bytes are written cur before its first cell is
// handed out; whoever publishes a cell does so by a release store later.
#include <cstring>

#include "base/check.h"
#include "base/sched_point.h"
#include "heap/heap.h"
#include "heap/mark_bytes.h"
#include "heap/poison.h"
#include "heap/size_class_table.h"

namespace tricolor::heap {

namespace {

uint32_t layout_of_slot(uint32_t slot_id) {
  return slot_id >> TRI_DETAIL_CLASS_SHIFT;
}
uint32_t class_of_slot(uint32_t slot_id) {
  return slot_id & ((1u << TRI_DETAIL_CLASS_SHIFT) - 1);
}

constexpr uint32_t kBusySpans = 4;
constexpr uint32_t kBusyPages = 8;

/// Pages of a new span of class `c`: the fewest whose tail wastes <= 1/8; or
/// several times that, if so many spans have been taken since the last flush
/// that what each costs counts for more than what a big one may waste.
uint32_t pages_of_class(uint32_t c, uint32_t spans_taken) {
  uint32_t pages = kSizeClasses[c].pages;
  if (spans_taken >= kBusySpans && pages < kBusyPages) {
    pages = kBusyPages / pages * pages;
  }
  return pages;
}

uint32_t lowest_bit(uint64_t bits) {
  return static_cast<uint32_t>(__builtin_ctzll(bits));
}

/// Clears the lowest stretch of ones of *bits, which is not 0, or its first
/// `most`. Returns how many.
uint32_t take_lowest_ones(uint64_t* bits, uint32_t most) {
  uint32_t shift = lowest_bit(*bits);
  uint64_t from = ~(*bits >> shift);
  uint32_t n = from == 0 ? 64 : lowest_bit(from);
  if (n > most) n = most;
  uint64_t ones = n == 64 ? ~uint64_t{0} : (uint64_t{1} << n) - 1;
  *bits &= ~(ones << shift);
  return n;
}

/// Writes `value` over the cells' bytes and zeroes them if asked. One loop for
/// a short run: its length is what the branch predictor cannot know, and two
/// loops would pay for that twice.
void claim_cells(uint8_t* marks, char* start, size_t stride, size_t cells,
                 uint8_t value, bool zero) {
  size_t cell_bytes = stride << kGranuleShift;
  if (cells > 16 || !zero) {
    if (zero) zero_granules(start, cells * cell_bytes);
    fill_marks(marks, stride, cells, value);
    return;
  }
  for (size_t i = 0; i < cells; ++i) {
    base::store_relaxed(&marks[i * stride], value);
    zero_granules(start + i * cell_bytes, cell_bytes);
  }
}

/// The most a run has, unless it is a single cell: what is zeroed stays in the
/// L1 cache, and a mutator comes by here, to be stopped, every few
/// microseconds.
uint32_t run_cells(uint32_t cell_bytes) {
  constexpr uint32_t kRunBytes = 8192;
  return cell_bytes >= kRunBytes ? 1 : kRunBytes / cell_bytes;
}

/// The most a run has in a span that is shared: as many as the slot had so far,
/// so that half of them are used; of small cells at most 8.
uint32_t shared_run_cells(const SlotState* state, uint32_t cell_bytes) {
  const uint32_t had = state->rare_runs / (cell_bytes >> kGranuleShift);
  const uint32_t most = cell_bytes < kSideIdBytes ? 8 : run_cells(cell_bytes);
  return had >= most ? most : had == 0 ? 1 : had;
}

size_t stride_of(const Span* span) { return span->cell_bytes >> kGranuleShift; }

/// Bytes of the slot's run that have not been handed out.
size_t rest_of(const MCache* mc, uint32_t slot_id) {
  const SlotState& state = mc->states[slot_id];
  const tri_slot& slot = mc->slots[slot_id];
  const char* limit =
      state.saved_limit != nullptr ? state.saved_limit : slot.limit;
  return static_cast<size_t>(limit - slot.cursor);
}

void make_active(MCache* mc, uint32_t slot_id) {
  SlotState* state = &mc->states[slot_id];
  if (state->listed != 0) return;
  state->listed = mc->listing;
  mc->active[mc->active_count++] = slot_id;
  mc->heap->note_active(mc);
}

void check_slot(const LayoutTable& layouts, uint32_t slot_id) {
  uint32_t layout = layout_of_slot(slot_id);
  if (TRI_UNLIKELY(layout == kInvalidLayout || layout >= layouts.count())) {
    TRI_MISUSE("allocate",
               "layout %u is not registered with this runtime; use the id that "
               "Runtime::register_layout returned",
               layout);
  }
}

}  // namespace

void Heap::check_head(const char* call, uint32_t layout, size_t bytes) const {
  size_t head = layouts_.hot(static_cast<LayoutId>(layout)).head_bytes;
  if (TRI_LIKELY(bytes >= head)) return;
  TRI_MISUSE(call,
             "a cell of %zu bytes of layout '%s', whose head alone has %zu",
             bytes, layouts_.cold(static_cast<LayoutId>(layout)).name, head);
}

void Heap::mcache_settle(MCache* mc) {
  if (mc->unsettled_freed != 0) {
    auto freed = static_cast<uint64_t>(mc->unsettled_freed);
    heap_live_.fetch_sub_relaxed(freed);
    freed_.fetch_add_relaxed(freed);
    mc->unsettled_freed = 0;
  }
  if (mc->unsettled_bytes == 0) return;
  auto n = static_cast<uint64_t>(mc->unsettled_bytes);  // wraps when negative
  heap_live_.fetch_add_relaxed(n);
  allocated_.fetch_add_relaxed(n);
  mc->unsettled_bytes = 0;
}

void Heap::mcache_cut_stw(MCache* mc) {
  TRI_ASSERT(mc->listing == 1, "cut twice without a flush");
  if (mc->active_count == 0) return;
  mc->visible = empty_slots_;
  mc->listing = 2;
  mc->cut_next = 0;
}

/// limit = cursor and the end saved, unless that has been done since the stop,
/// or the slot has been listed since.
void Heap::cut_slot(MCache* mc, uint32_t slot_id) {
  tri_slot* slot = &mc->slots[slot_id];
  SlotState* state = &mc->states[slot_id];
  if (state->listed == 0 || state->listed == mc->listing) return;
  TRI_ASSERT(state->saved_limit == nullptr,
             "slot %u was cut twice without a refill or flush", slot_id);
  state->listed = mc->listing;
  state->released = nullptr;  // garbage of this cycle
  if (slot->cursor == slot->limit) return;
  state->saved_limit = slot->limit;
  slot->limit = slot->cursor;
}

// The rest of a run whose slot is hidden reads prev. Were a cell of it handed
// out so, it would be white: born in the mark, so no snapshot has an edge to
// it, and swept while in use. A list of released cells likewise. Hence:
// 1. A refill after the stop cuts its own slot before it looks at it, so what
//    it takes has been blackened by restore_cut() or is a new run.
// 2. The inline path sees empty slots until the last has been cut. Mutators
//    read `visible` where they read barrier_on, so none is left behind; one
//    that still sees the empty slots later comes here in vain, once.
// 3. The others are cut a few at a time: the first allocations after the stop
//    take longer for that, but no one of them for thousands of slots.
// 4. Who looks at slots that are not cut (a flush, release()'s check, the
//    validator) finds [cursor, limit), as before the stop.
// 5. A list is forgotten when its slot is cut (release.cc, invariant 3), which
//    release() does before it adds to it.
// docs/design/0009-cutting-runs.md has the numbers and what was rejected.
void Heap::continue_cut(MCache* mc, uint32_t slot_id) {
  constexpr uint32_t kSlotsAtATime = 32;
  cut_slot(mc, slot_id);
  const uint32_t left = mc->active_count - mc->cut_next;
  const uint32_t n = left < kSlotsAtATime ? left : kSlotsAtATime;
  for (uint32_t i = 0; i < n; ++i) cut_slot(mc, mc->active[mc->cut_next++]);
  if (mc->cut_next == mc->active_count) mc->visible = mc->slots;
}

void Heap::restore_cut(MCache* mc, uint32_t slot_id) {
  tri_slot* slot = &mc->slots[slot_id];
  SlotState* state = &mc->states[slot_id];
  Span* span = space_.span(state->span_page);
  size_t cells =
      static_cast<size_t>(state->saved_limit - slot->cursor) / span->cell_bytes;
  fill_marks(space_.mark_of(space_.offset_of(slot->cursor)), stride_of(span),
             cells, cur());
  slot->limit = state->saved_limit;
  state->saved_limit = nullptr;
}

void Heap::release_slot(MCache* mc, uint32_t slot_id) {
  tri_slot* slot = &mc->slots[slot_id];
  SlotState* state = &mc->states[slot_id];
  if (state->span_page == 0) return;
  Span* span = space_.span(state->span_page);
  const size_t rest = rest_of(mc, slot_id);
  if (rest != 0) {
    auto cells = static_cast<uint32_t>(rest / span->cell_bytes);
    fill_marks(space_.mark_of(space_.offset_of(slot->cursor)), stride_of(span),
               cells, 0);
    span->live -= cells;
    if (TRI_UNLIKELY(options_.check_free)) {
      clobber_free(slot->cursor, rest);
      span->needzero = !layouts_.is_uninitialized(span->layout);
    }
    poison(slot->cursor, rest);
    mc->unsettled_bytes -= static_cast<int64_t>(rest);
  }
  *slot = {nullptr, nullptr};
  state->saved_limit = nullptr;
  state->span_page = 0;
  state->free_cells = 0;
  // A run in a mixed span: the span is another slot's (mcache.h, invariant 5).
  if (span->mixed && layout_of_slot(slot_id) != kMixedLayout) return;
  list_span(centrals_[slot_id], span);
}

void Heap::mcache_flush(MCache* mc) {
  // Rests in mixed spans first, while those are held or full.
  for (bool holders : {false, true}) {
    for (uint32_t i = 0; i < mc->active_count; ++i) {
      const uint32_t id = mc->active[i];
      if ((layout_of_slot(id) == kMixedLayout) != holders) continue;
      if (TRI_UNLIKELY(profile_.fn != nullptr)) {
        uncount_sampled(mc, &mc->states[id], rest_of(mc, id));
      }
      release_slot(mc, id);
      mc->states[id].released = nullptr;  // garbage of the next cycle
      mc->states[id].listed = 0;
      mc->states[id].spans_taken = 0;
    }
  }
  mc->active_count = 0;
  if (mc->slots != nullptr) mc->visible = mc->slots;
  mc->cut_next = 0;
  mc->listing = 1;
  drain_page_caches(mc);
  mcache_settle(mc);
}

void Heap::write_ids(Span* span, size_t from, size_t to, uint32_t layout) {
  const size_t start = size_t{span->first_page} << kPageShift;
  for (size_t i = from; i < to; ++i) {
    const size_t offset = start + i * span->cell_bytes;
    const uint32_t bits =
        space_.entry(offset >> kPageShift)->bits.load_relaxed();
    base::store_relaxed(space_.layout_id(bits, offset),
                        static_cast<uint16_t>(layout));
  }
  const HotLayout& hot = layouts_.hot(static_cast<LayoutId>(layout));
  if ((hot.flags & kOnDead) != 0) span->has_on_dead = true;
  // ORDER-ids-1: pairs with a reader of the run's bytes, which are written
  // next: who sees one of them sees the id.
  base::fence_release();
}

void Heap::take_run(MCache* mc, Span* span, uint32_t slot_id, size_t from,
                    size_t to) {
  char* start = space_.page_address(span->first_page) + from * span->cell_bytes;
  size_t bytes = (to - from) * span->cell_bytes;
  const auto layout = static_cast<LayoutId>(layout_of_slot(slot_id));
  if (TRI_UNLIKELY(options_.check_free)) {
    for (size_t at = 0; at < bytes; at += span->cell_bytes) {
      check_free_slow(start + at, span->cell_bytes, 0, "the cell");
    }
  }
  unpoison(start, bytes);
  bool zero = span->needzero;
  if (span->mixed) {
    write_ids(span, from, to, layout);
    zero = zero && !layouts_.is_uninitialized(layout);
  }
  claim_cells(space_.mark_of(space_.offset_of(start)), start, stride_of(span),
              to - from, cur(), zero);
  if (TRI_UNLIKELY(layouts_.is_uninitialized(layout) &&
                   (span->mixed || raw_released_.load_relaxed() != 0))) {
    // A cell that was released and then swept still says so (see release.cc),
    // in a mixed span as whatever it was then.
    for (size_t at = 0; at < bytes; at += span->cell_bytes) {
      reinterpret_cast<uint64_t*>(start + at)[1] = 0;
    }
  }
  mc->slots[slot_id] = {start, start + bytes};
  span->live += static_cast<uint32_t>(to - from);
  mc->unsettled_bytes += static_cast<int64_t>(bytes);
}

void Heap::next_window(SlotState* state, const Span* span) {
  size_t stride = stride_of(span);
  const uint8_t* marks =
      space_.mark_of(static_cast<size_t>(span->first_page) << kPageShift);
  uint32_t first = state->next_window;
  uint32_t n = span->cells - first < 64 ? span->cells - first : 64;
  state->free_cells = state->was_empty != 0
                          ? ~uint64_t{0} >> (64 - n)
                          : free_cells_of(marks + first * stride, stride, n);
  state->next_window = first + 64;
}

/// Whether the run that ends before `cell`, the last one taken from the window,
/// could have had it, too.
bool Heap::next_is_free(SlotState* state, const Span* span, uint32_t cell) {
  if (cell == state->next_window && cell < span->cells) {
    next_window(state, span);  // the last one is used up
  }
  if (cell >= state->next_window) return false;
  return (state->free_cells >> (cell + 64 - state->next_window) & 1) != 0;
}

uint32_t Heap::source_of(const MCache* mc, uint32_t slot_id) const {
  if (!options_.mixed_spans) return slot_id;
  const uint32_t c = class_of_slot(slot_id);
  const bool rare = mc->states[slot_id].rare_runs < kRareBytes >> kGranuleShift;
  return rare || tri_detail_class_bytes(c) >= kSideIdBytes ? c : slot_id;
}

bool Heap::next_run(MCache* mc, uint32_t source_id, uint32_t slot_id) {
  SlotState* state = &mc->states[source_id];
  Span* span = space_.span(state->span_page);
  while (state->free_cells == 0) {
    if (state->next_window >= span->cells) return false;
    next_window(state, span);
  }
  uint32_t most = TRI_ASAN ? 1 : options_.max_run_cells;
  if (most == 0) most = run_cells(span->cell_bytes);
  SlotState* own = &mc->states[slot_id];
  if (span->mixed) {
    const uint32_t shared = shared_run_cells(own, span->cell_bytes);
    if (shared < most) most = shared;
  }
  bool sampled = profile_.fn != nullptr;
  if (TRI_UNLIKELY(sampled)) {
    most = sampled_run(mc, own, span->cell_bytes, most);
  }
  uint32_t from = state->next_window - 64 + lowest_bit(state->free_cells);
  uint32_t to = from + take_lowest_ones(&state->free_cells, most);
  // A run goes on into the next windows.
  while (to == state->next_window && to < span->cells && to - from < most) {
    next_window(state, span);
    if ((state->free_cells & 1) == 0) break;
    to += take_lowest_ones(&state->free_cells, most - (to - from));
  }
  take_run(mc, span, slot_id, from, to);
  if (TRI_UNLIKELY(sampled)) {
    const bool goes_on =
        to - from == mc->sample_cap && next_is_free(state, span, to);
    count_sampled(mc, own, to - from, span->cell_bytes, goes_on);
  }
  return true;
}

bool Heap::refill(MCache* mc, uint32_t slot_id) {
  SlotState* state = &mc->states[slot_id];
  TRI_SCHED_POINT(heap_refill);
  if (state->saved_limit != nullptr) {
    restore_cut(mc, slot_id);
    return true;
  }
  if (state->released != nullptr) {
    take_released(mc, slot_id);
    return true;
  }
  if (state->has_central == 0) {  // this slot never had a span of its own
    check_head("allocate", layout_of_slot(slot_id),
               tri_detail_class_bytes(class_of_slot(slot_id)));
  }
  // A run in a mixed span is used up, the span not this slot's.
  if (state->span_page != 0 && space_.span(state->span_page)->mixed) {
    release_slot(mc, slot_id);
  }
  const uint32_t source_id = source_of(mc, slot_id);
  const SlotState* source = &mc->states[source_id];
  while (source->span_page == 0 || !next_run(mc, source_id, slot_id)) {
    release_slot(mc, source_id);
    if (!hold_next_span(mc, source_id)) return false;
  }
  if (source_id != slot_id) {
    state->span_page = source->span_page;
    const tri_slot& slot = mc->slots[slot_id];
    const auto run = static_cast<size_t>(slot.limit - slot.cursor);
    const size_t all = state->rare_runs + (run >> kGranuleShift);
    state->rare_runs = static_cast<uint16_t>(all < 0xffff ? all : 0xffff);
    make_active(mc, slot_id);
  }
  return true;
}

bool Heap::hold_next_span(MCache* mc, uint32_t slot_id) {
  SlotState* state = &mc->states[slot_id];
  if (state->has_central == 0) {
    if (central(slot_id) == nullptr) return false;
    state->has_central = 1;  // once per slot, so that refills need not ask
  }
  Span* span = get_span(mc, slot_id);
  if (span == nullptr) return false;
  TRI_ASSERT(span->home == SpanHome::kCached);
  forget_holes(span);
  state->span_page = span->first_page;
  state->next_window = 0;
  state->free_cells = 0;
  state->was_empty = span->live == 0;
  if (state->spans_taken < UINT8_MAX) ++state->spans_taken;
  make_active(mc, slot_id);
  return true;
}

Span* Heap::get_span(MCache* mc, uint32_t slot_id) {
  MCentral* c = centrals_[slot_id];
  Span* span = listed_span(mc, c);
  if (span == nullptr && memory_is_short()) span = held_span(mc, c);
  if (span == nullptr) span = new_span(mc, slot_id);
  if (span == nullptr) span = held_span(mc, c);
  if (span != nullptr) span->shard = static_cast<uint8_t>(mc->shard);
  return span;
}

Span* Heap::listed_span(MCache* mc, MCentral* c) {
  SweepBudget budget(mc);
  return MCentral::first_of_shards(mc->shard, [&](uint32_t shard) {
    Span* span = c->pop_swept(space_, sweepgen(), shard);
    if (span == nullptr && sweep_allowed()) {
      span = sweep_for(mc, c, shard, &budget);
    }
    return span;
  });
}

Span* Heap::held_span(MCache* mc, MCentral* c) {
  return MCentral::first_of_shards(mc->shard, [&](uint32_t shard) {
    return c->pop_held(space_, sweepgen(), shard);
  });
}

Span* Heap::sweep_for(MCache* mc, MCentral* c, uint32_t shard,
                      SweepBudget* budget) {
  while (budget->take()) {
    Span* span = c->pop_unswept(space_, sweepgen(), shard);
    if (span == nullptr) return nullptr;
    ++mc->swept_spans;
    // An empty one is the best there is: it stays what it is.
    if (sweep_span(mc, c, span, /*keep_empty=*/true)) return span;
    Span* swept = c->pop_swept(space_, sweepgen(), shard);
    if (swept != nullptr) return swept;
  }
  return nullptr;
}

Span* Heap::new_span(MCache* mc, uint32_t slot_id) {
  const uint32_t c = class_of_slot(slot_id);
  const uint32_t layout = layout_of_slot(slot_id);
  const bool mixed = layout == kMixedLayout;
  const bool ids_inside = mixed && tri_detail_class_bytes(c) < kSideIdBytes;
  // One cell that lives holds a whole span: small ones while memory is short.
  const uint32_t taken =
      punching_.load_relaxed() != 0 ? 0 : mc->states[slot_id].spans_taken;
  uint32_t npages = ids_inside ? 1 : pages_of_class(c, taken);
  bool needzero = false;
  uint32_t page = alloc_pages(mc, npages, &needzero);
  if (page == 0 && !ids_inside) {
    npages = pages_of_class(c, 0);
    page = alloc_pages(mc, npages, &needzero);
  }
  if (page == 0) return nullptr;
  Span* span = space_.span(page);
  TRI_ASSERT(span->state == SpanState::kFree, "page %u is in use", page);
  span->state = SpanState::kSmall;
  span->home = SpanHome::kCached;
  span->size_class = static_cast<uint8_t>(c);
  span->needzero =
      needzero && !layouts_.is_uninitialized(static_cast<LayoutId>(layout));
  span->first_page = page;
  span->npages = npages;
  span->cell_bytes = tri_detail_class_bytes(c);
  span->cells =
      ids_inside
          ? kMixedClasses.of[c].cells
          : static_cast<uint32_t>(npages * kPageBytes / span->cell_bytes);
  span->layout = static_cast<uint16_t>(layout);
  span->mixed = mixed;
  span->has_on_dead = false;
  span->punched = 0;
  span->live = 0;
  span->sweepgen.store_relaxed(sweepgen());
  char* start = space_.page_address(page);
  poison(start, npages * kPageBytes);
  if (ids_inside) {
    const size_t ids_at = kMixedClasses.of[c].ids_at;
    unpoison(start + ids_at, kPageBytes - ids_at);
  }
  const bool leaf = layouts_.is_leaf(layout);
  for (uint32_t i = 0; i < npages; ++i) {
    // ORDER-entry-1: pairs with the marker's load: a published cell's page
    // entry is complete (the cell's own publication orders it, too).
    space_.entry(page + i)->bits.store_release(
        mixed ? PageEntry::pack(i, c, SpanState::kMixed)
              : PageEntry::pack_small(layout, c, leaf));
  }
  span_count_.fetch_add_relaxed(1);
  return span;
}

void* Heap::take_from_slot(MCache* mc, uint32_t slot_id, size_t cell_bytes) {
  if (TRI_UNLIKELY(mc->visible != mc->slots)) {
    if (mc->slots == nullptr && !make_tables(mc)) return nullptr;
    continue_cut(mc, slot_id);
  }
  tri_slot* slot = &mc->slots[slot_id];
  if (static_cast<size_t>(slot->limit - slot->cursor) < cell_bytes &&
      !refill(mc, slot_id)) {
    return nullptr;
  }
  char* cell = slot->cursor;
  slot->cursor = cell + cell_bytes;
  return cell;
}

bool Heap::hook_is_due(const tri_mutator* mu, uint32_t slot_id) const {
  if (hooks_.before_refill == nullptr) return false;
  // Runs are short, in an occupied heap a cell or two, and the hook may cost
  // more than the run. So not while the span lasts, up to kHookBytes, unless
  // somebody waits for this mutator, or a zeal mode wants every refill.
  constexpr int64_t kHookBytes = 32 * 1024;
  const MCache* mc = mcache_of(mu);
  if (mc->slots == nullptr) return true;
  const tri_slot& slot = mc->slots[slot_id];
  if (slot.cursor != slot.limit) {  // hidden, not used up
    return base::load_relaxed(&mu->poll_request) != 0;
  }
  const SlotState& state = mc->states[source_of(mc, slot_id)];
  bool used_up = state.free_cells == 0 &&
                 mc->states[slot_id].released == nullptr &&
                 (state.span_page == 0 ||
                  state.next_window >= space_.span(state.span_page)->cells);
  return TRI_ASAN || options_.max_run_cells != 0 || used_up ||
         mc->unsettled_bytes >= kHookBytes ||
         base::load_relaxed(&mu->poll_request) != 0;
}

void* Heap::allocate_slow(tri_mutator* mu, uint32_t slot_id, size_t bytes,
                          bool may_fail) {
  check_slot(layouts_, slot_id);
  size_t cell_bytes = tri_detail_class_bytes(class_of_slot(slot_id));
  const uint32_t begun = cycles_begun();
  for (int attempt = 0;; ++attempt) {
    if (hook_is_due(mu, slot_id)) {
      hooks_.before_refill(hooks_.ctx, mu, bytes);  // safepoint
    }
    // From here to the return there is no safepoint. Sweeping calls on_dead.
    mu->slots = empty_slots_;
    void* cell = take_from_slot(mcache_of(mu), slot_id, cell_bytes);
    mu->slots = mcache_of(mu)->visible;
    if (cell != nullptr) {
      if (TRI_UNLIKELY(mcache_of(mu)->sample_due)) {
        sample_small(mu, slot_id, cell);
      }
      return cell;
    }
    // No cycle makes room for a P's tables.
    if (mcache_of(mu)->slots == nullptr ||
        hooks_.collect_for_memory == nullptr ||
        !hooks_.collect_for_memory(hooks_.ctx, mu, bytes, begun, attempt)) {
      break;
    }
  }
  if (may_fail) return nullptr;
  end_out_of_memory(mu, bytes);
}

void Heap::end_out_of_memory(tri_mutator* mu, size_t bytes) {
  if (hooks_.out_of_memory != nullptr) {
    hooks_.out_of_memory(hooks_.ctx, mu, bytes);
  }
  if (bytes <= TRI_DETAIL_SMALL_MAX && mcache_of(mu)->slots == nullptr) {
    TRI_FATAL(
        "out of memory: no room for the tables from which a P allocates (an "
        "object of %zu bytes); raise RLIMIT_AS (ulimit -v) or the memory limit",
        bytes);
  }
  TRI_FATAL("out of memory: no room for an object of %zu bytes", bytes);
}

}  // namespace tricolor::heap
