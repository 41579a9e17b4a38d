// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// The heap's validator. Called with the world stopped at phase ends of checking
// builds (gc/checkmark.cc), by verify_heap(), and by tests. It checks
//   of each span      shape and generation; the page entry of every page; every
//                     mark byte, and that it is one of those that a span of its
//                     generation may have in this phase; the count of cells
//   of where it is    listed: on one stack, the one its layout, class and
//                     generation say, and the sweeper will look there; cached:
//                     held by one slot of one P, whose run lies inside
//   of a free page    no entry, no mark byte
//   of all together   the sums that the heap keeps
//
// Why a byte may be what it is. While marking every span is of the heap's
// generation and may have cells not reached yet (prev). After the mark only a
// span of the generation before may, until it is swept; one that was swept or
// made since has 0 and cur alone.
#include <cstring>

#include "base/check.h"
#include "base/os_memory.h"
#include "heap/heap.h"

namespace tricolor::heap {

namespace {

/// Of a span longer than that only the first pages are looked at in a sample.
constexpr size_t kSamplePages = 4096;

uint32_t slot_of(const Span* span) {
  return uint32_t{span->layout} << TRI_DETAIL_CLASS_SHIFT | span->size_class;
}

uint32_t entry_of(const LayoutTable& layouts, const Span* span, size_t i) {
  switch (span->state) {
    case SpanState::kSmall:
      return span->mixed ? PageEntry::pack(static_cast<uint32_t>(i),
                                           span->size_class, SpanState::kMixed)
                         : PageEntry::pack_small(span->layout, span->size_class,
                                                 layouts.is_leaf(span->layout));
    case SpanState::kLarge:
      return i == 0 ? PageEntry::pack(span->layout, 0, SpanState::kLarge)
                    : PageEntry::pack_tail(i);
    default:
      return PageEntry::pack(0, 0, SpanState::kManual);
  }
}

const char* name_of(SpanHome home) {
  switch (home) {
    case SpanHome::kNone:
      return "nowhere";
    case SpanHome::kListed:
      return "listed";
    case SpanHome::kCached:
      return "cached";
    case SpanHome::kSweeping:
      return "in mid-sweep";
  }
  return "damaged";
}

}  // namespace

/// What a walk over the whole heap adds up.
struct Heap::Census {
  explicit Census(size_t pages) : bytes(pages / 8 + 8) {
    found = static_cast<uint64_t*>(base::os_map(bytes));
  }
  ~Census() {
    if (found != nullptr) base::os_release(found, bytes);
  }
  Census(const Census&) = delete;
  Census& operator=(const Census&) = delete;

  bool has(uint32_t page) const {
    return found == nullptr || (found[page / 64] >> page % 64 & 1) != 0;
  }
  /// False: it was there.
  bool add(uint32_t page) {
    if (found == nullptr) return true;
    const uint64_t bit = uint64_t{1} << page % 64;
    if ((found[page / 64] & bit) != 0) return false;
    found[page / 64] |= bit;
    return true;
  }

  size_t bytes;
  uint64_t* found;  // a bit per page: a span that was listed or cached; or null
  size_t spans = 0;
  size_t pages_held = 0;
};

void Heap::validate_shape_stw(const Span* span) const {
  const uint32_t page = span->first_page;
  const size_t bytes = size_t{span->npages} << kPageShift;
  TRI_CHECK(span->layout < layouts_.count(), "span %u has layout %u of %u",
            page, unsigned{span->layout}, layouts_.count());
  if (span->state == SpanState::kLarge) {
    TRI_CHECK(span->size_class == 0 && !span->mixed && span->bytes != 0 &&
                  span->bytes <= bytes,
              "span %u: a large object of %llu bytes in %u pages", page,
              static_cast<unsigned long long>(span->bytes), span->npages);
    return;
  }
  TRI_CHECK(span->state == SpanState::kSmall, "span %u has state %u", page,
            static_cast<unsigned>(span->state));
  TRI_CHECK(span->size_class != 0 && span->cells != 0 &&
                span->cell_bytes == tri_detail_class_bytes(span->size_class) &&
                size_t{span->cells} * span->cell_bytes <= bytes,
            "span %u: %u cells of %u bytes, class %u, in %u pages", page,
            span->cells, span->cell_bytes, unsigned{span->size_class},
            span->npages);
  TRI_CHECK(span->mixed == (span->layout == kMixedLayout),
            "span %u has layout %u and is%s mixed", page,
            unsigned{span->layout}, span->mixed ? "" : " not");
}

void Heap::validate_entries_stw(const Span* span) const {
  const uint32_t first = span->first_page;
  for (size_t i = 0; i < span->npages; ++i) {
    uint32_t bits = space_.entry(first + i)->bits.load_relaxed();
    if (span->state == SpanState::kLarge) bits &= ~PageEntry::kDirty;
    // Until a large object is zeroed, its entry says noscan.
    const bool unborn = i == 0 && span->state == SpanState::kLarge &&
                        bits == PageEntry::pack(0, 0, SpanState::kLarge);
    TRI_CHECK(bits == entry_of(layouts_, span, i) || unborn,
              "span %u: the entry of its page %zu is %#x, not %#x", first, i,
              bits, entry_of(layouts_, span, i));
    TRI_CHECK(i == 0 || space_.span(first + i)->state == SpanState::kFree,
              "span %u: another begins at its page %zu", first, i);
  }
}

void Heap::validate_marks_stw(const Span* span, bool swept) const {
  const uint32_t page = span->first_page;
  const bool large = span->state == SpanState::kLarge;
  const size_t stride = large ? 1 : span->cell_bytes >> kGranuleShift;
  const size_t cells = large ? 1 : span->cells;
  const size_t n = (size_t{span->npages} << kPageShift) >> kGranuleShift;
  const uint8_t* marks =
      space_.mark_of(static_cast<size_t>(page) << kPageShift);
  const bool fresh = span->sweepgen.load_relaxed() == sweepgen();
  const bool may_be_prev = !swept && (marking_ || !fresh);
  uint32_t live = 0;
  for (size_t i = 0; i < n; ++i) {
    if (i % sizeof(uint64_t) == 0) {
      uint64_t word;  // nobody writes in a stop
      std::memcpy(&word, marks + i, sizeof(word));
      if (word == 0) {
        i += sizeof(word) - 1;
        continue;
      }
    }
    const uint8_t byte = base::load_relaxed(&marks[i]);
    if (byte == 0) continue;
    ++live;
    TRI_CHECK(i % stride == 0 && i / stride < cells,
              "span %u: mark byte %u inside a cell (granule %zu)", page,
              unsigned{byte}, i);
    TRI_CHECK(byte == cur() || byte == prev() ||
                  (byte == third() && !fresh && reviving_.load_relaxed() != 0),
              "span %u: mark byte %u is neither %u nor %u", page,
              unsigned{byte}, unsigned{cur()}, unsigned{prev()});
    TRI_CHECK(byte == cur() || may_be_prev,
              "span %u is swept but granule %zu has byte %u", page, i,
              unsigned{byte});
  }
  // A released large object keeps its count until the sweep that frees it.
  TRI_CHECK(live == span->live || (large && live == 0),
            "span %u: %u cells in use, %u counted", page, live, span->live);
}

void Heap::validate_span_stw(const Span* span, bool swept,
                             const Census* census) {
  const uint32_t page = span->first_page;
  const uint32_t gen = span->sweepgen.load_relaxed();
  const bool fresh = gen == sweepgen();
  TRI_CHECK(fresh || (gen == sweepgen() - 2 && !marking_),
            "span %u has generation %u, the heap %u", page, gen, sweepgen());
  TRI_CHECK(!swept || fresh, "span %u is unswept", page);
  TRI_CHECK(span->home == SpanHome::kListed || span->home == SpanHome::kCached,
            "span %u is %s", page, name_of(span->home));
  TRI_CHECK(census == nullptr || census->has(page),
            "span %u says it is %s, and is not", page, name_of(span->home));
  validate_shape_stw(span);
  validate_marks_stw(span, swept);
  if (span->mixed) check_ids_stw(span);
  check_free_cells_stw(span);
}

void Heap::check_ids_stw(const Span* span) const {
  const size_t start = size_t{span->first_page} << kPageShift;
  for (size_t i = 0; i < span->cells; ++i) {
    const size_t offset = start + i * span->cell_bytes;
    if (base::load_relaxed(space_.mark_of(offset)) == 0) continue;
    const LayoutId id = layout_of(space_.base() + offset);
    TRI_CHECK(id != kMixedLayout && id < layouts_.count(),
              "mixed span %u: cell %zu has layout %u of %u", span->first_page,
              i, unsigned{id}, layouts_.count());
  }
}

void Heap::for_each_marked_stw(uint8_t epoch, void (*fn)(void* arg, void* cell),
                               void* arg) {
  const size_t pages = space_.committed_pages();
  for (size_t page = 1; page < pages;) {
    const Span* span = space_.span(page);
    if (span->state == SpanState::kFree) {
      ++page;
      continue;
    }
    char* base = space_.page_address(page);
    const uint8_t* marks = space_.mark_of(page << kPageShift);
    const bool small = span->state == SpanState::kSmall;
    size_t cells = span->state == SpanState::kLarge ? 1 : 0;
    if (small) cells = span->cells;
    const size_t bytes = small ? span->cell_bytes : 0;
    for (size_t i = 0; i < cells; ++i) {
      size_t offset = i * bytes;
      if (base::load_relaxed(&marks[offset >> kGranuleShift]) == epoch) {
        fn(arg, base + offset);
      }
    }
    page += span->npages;
  }
}

void Heap::validate_free_page_stw(size_t page) {
  TRI_CHECK(space_.entry(page)->bits.load_relaxed() == 0,
            "page %zu is free but has a layout", page);
  const uint8_t* marks = space_.mark_of(page << kPageShift);
  for (size_t i = 0; i < kPageBytes >> kGranuleShift; ++i) {
    TRI_CHECK(marks[i] == 0, "page %zu is free but has mark byte %u", page,
              unsigned{marks[i]});
  }
}

/// From the first span or free page at or behind `from` to the first at or
/// behind `to`, which it returns.
size_t Heap::validate_range_stw(size_t from, size_t to, bool swept,
                                Census* census) {
  const size_t pages = space_.committed_pages();
  if (to > pages) to = pages;
  size_t page = from;
  // In the middle of a span, where a sample may begin.
  while (census == nullptr && page < to &&
         space_.span(page)->state == SpanState::kFree &&
         space_.entry(page)->bits.load_relaxed() != 0) {
    ++page;
  }
  while (page < to) {
    const Span* span = space_.span(page);
    if (span->state == SpanState::kFree) {
      validate_free_page_stw(page);
      ++page;
      continue;
    }
    TRI_CHECK(span->first_page == page && span->npages > 0 &&
                  span->npages <= pages - page,
              "page %zu: span says it has %u pages from %u on", page,
              span->npages, span->first_page);
    Span looked_at;
    if (census == nullptr && span->npages > kSamplePages) {
      std::memcpy(static_cast<void*>(&looked_at), span, sizeof(Span));
      looked_at.npages = kSamplePages;
      looked_at.bytes = 1;
      span = &looked_at;
    }
    validate_entries_stw(span);
    if (span->state != SpanState::kManual) {
      validate_span_stw(span, swept, census);
      if (census != nullptr) ++census->spans;
    }
    page += space_.span(page)->npages;
    if (census != nullptr) census->pages_held += span->npages;
  }
  return page;
}

void Heap::validate_listed_stw(uint32_t slot_id, uint32_t parity, uint32_t page,
                               Census* census) {
  TRI_CHECK(page < space_.committed_pages(),
            "slot %u lists a span at page %u of %zu", slot_id, page,
            space_.committed_pages());
  const Span* span = space_.span(page);
  TRI_CHECK(span->state == SpanState::kSmall && span->first_page == page,
            "slot %u lists page %u, where no span begins", slot_id, page);
  TRI_CHECK(span->home == SpanHome::kListed,
            "span %u is listed, but says it is %s", page, name_of(span->home));
  TRI_CHECK(slot_of(span) == slot_id, "span %u of slot %u is listed by slot %u",
            page, slot_of(span), slot_id);
  const uint32_t gen = span->sweepgen.load_relaxed();
  TRI_CHECK((gen >> 1 & 1) == parity,
            "span %u of generation %u is listed with the others", page, gen);
  const uint64_t bits = listing_ids(gen)[slot_id / 64].load_relaxed();
  TRI_CHECK((bits >> slot_id % 64 & 1) != 0,
            "span %u is listed where no sweeper will look", page);
  TRI_CHECK(census == nullptr || census->add(page), "span %u is on two lists",
            page);
}

/// The stacks of slots from `from` on, until they had `most` spans. Returns the
/// slot to go on with; 0 after the last.
size_t Heap::validate_lists_stw(uint32_t from, size_t most, Census* census) {
  const uint32_t slots = layouts_.count() << TRI_DETAIL_CLASS_SHIFT;
  size_t seen = 0;
  for (uint32_t id = from; id < slots; ++id) {
    const MCentral* c = centrals_[id];
    if (c == nullptr) continue;
    c->each_stw(
        [this](uint32_t page) {
          return space_.span(page)->next.load_relaxed();
        },
        [&](uint32_t page, uint32_t parity) {
          validate_listed_stw(id, parity, page, census);
          return ++seen < most;
        });
    if (seen >= most) return id + 1 < slots ? id + 1 : 0;
  }
  return 0;
}

void Heap::validate_large_stw(size_t most, Census* census) {
  base::LockGuard guard(large_lock_);
  for (uint32_t parity = 0; parity < 2; ++parity) {
    uint32_t before = 0;
    size_t seen = 0;
    for (uint32_t page = large_[parity].load_relaxed(); page != 0;) {
      TRI_CHECK(page < space_.committed_pages(),
                "a large object is listed at page %u of %zu", page,
                space_.committed_pages());
      const Span* span = space_.span(page);
      TRI_CHECK(span->state == SpanState::kLarge && span->first_page == page,
                "a large object is listed at page %u, where no span begins",
                page);
      TRI_CHECK(span->home == SpanHome::kListed,
                "span %u is listed, but says it is %s", page,
                name_of(span->home));
      TRI_CHECK(large_list(span->sweepgen.load_relaxed()) == parity,
                "span %u of generation %u is listed with the others", page,
                span->sweepgen.load_relaxed());
      TRI_CHECK(census == nullptr || census->add(page),
                "span %u is on two lists", page);
      TRI_CHECK(span->prev == before, "span %u is listed after %u, not %u",
                page, before, span->prev);
      if (++seen >= most) break;
      before = page;
      page = span->next.load_relaxed();
    }
  }
}

void Heap::validate_slot_stw(const MCache* mc, uint32_t slot_id,
                             Census* census) {
  const SlotState& state = mc->states[slot_id];
  const tri_slot& slot = mc->slots[slot_id];
  TRI_CHECK(state.listed != 0, "slot %u is active and does not say so",
            slot_id);
  if (state.span_page == 0) {
    TRI_CHECK(slot.cursor == slot.limit, "slot %u has a run and no span",
              slot_id);
    return;
  }
  const Span* span = space_.span(state.span_page);
  const uint32_t page = state.span_page;
  const uint32_t layout = slot_id >> TRI_DETAIL_CLASS_SHIFT;
  const bool shared = span->mixed && layout != kMixedLayout;
  TRI_CHECK(page < space_.committed_pages() &&
                span->state == SpanState::kSmall && span->first_page == page,
            "slot %u caches page %u, where no span begins", slot_id, page);
  const char* limit =
      state.saved_limit != nullptr ? state.saved_limit : slot.limit;
  if (slot.cursor != limit) {
    const char* base = space_.page_address(page);
    TRI_CHECK(slot.cursor >= base && slot.cursor < limit &&
                  limit <= base + size_t{span->cells} * span->cell_bytes,
              "slot %u: the run [%p, %p) is not in span %u", slot_id,
              static_cast<const void*>(slot.cursor),
              static_cast<const void*>(limit), page);
  }
  if (shared) {
    TRI_CHECK(span->size_class == slot_id % kSlotsPerLayout,
              "slot %u has a run in span %u of class %u", slot_id, page,
              unsigned{span->size_class});
    return;
  }
  TRI_CHECK(span->home == SpanHome::kCached,
            "span %u is cached, but says it is %s", page, name_of(span->home));
  TRI_CHECK(slot_of(span) == slot_id, "span %u of slot %u is cached by slot %u",
            page, slot_of(span), slot_id);
  TRI_CHECK(census == nullptr || census->add(page),
            "span %u is cached twice, or also listed", page);
}

void Heap::validate_mcaches_stw(size_t most, Census* census) {
  base::LockGuard guard(tables_lock_);
  for (const MCache* mc = made_mcaches_; mc != nullptr; mc = mc->next_made) {
    for (size_t i = 0; i < mc->active_count && i < most; ++i) {
      validate_slot_stw(mc, mc->active[i], census);
    }
  }
}

void Heap::validate_some_stw(bool swept, size_t pages) {
  validate_mcaches_stw(pages, nullptr);
  validate_large_stw(pages, nullptr);
  validate_slot_ =
      static_cast<uint32_t>(validate_lists_stw(validate_slot_, pages, nullptr));
  const size_t from = validate_page_;
  const size_t to = validate_range_stw(from, from + pages, swept, nullptr);
  validate_page_ = to < space_.committed_pages() ? to : 1;
}

void Heap::validate_stw(bool swept) {
  {
    base::LockGuard guard(pages_lock_);
    pages_.validate();
    uint64_t known = pages_in_use() + pages_cached_.load_relaxed() +
                     scavenging_.load_relaxed();
    TRI_CHECK(pages_.pages_taken() == known,
              "%zu pages are taken, %llu in use, cached or being scavenged",
              pages_.pages_taken(), static_cast<unsigned long long>(known));
  }
  Census census(space_.committed_pages());
  validate_lists_stw(0, SIZE_MAX, &census);
  validate_mcaches_stw(SIZE_MAX, &census);
  validate_large_stw(SIZE_MAX, &census);
  validate_range_stw(1, SIZE_MAX, swept, &census);
  TRI_CHECK(census.pages_held == pages_in_use(),
            "spans have %zu pages, %llu in use", census.pages_held,
            static_cast<unsigned long long>(pages_in_use()));
  TRI_CHECK(census.spans == span_count_.load_relaxed(),
            "%zu spans found, %llu known", census.spans,
            static_cast<unsigned long long>(span_count_.load_relaxed()));
}

}  // namespace tricolor::heap
