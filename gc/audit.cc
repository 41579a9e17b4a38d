// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// See gc/audit.h.
#include "gc/audit.h"

#include "base/check.h"
#include "base/os_memory.h"
#include "gc/slots.h"

namespace tricolor::gc {

/// How often the log has each fact: open addressing, twice as long as needed.
class Auditor::Tally {
 public:
  enum Fact : uint64_t { kOld = 1, kNew = 2, kGoneAt = kGone };

  explicit Tally(size_t facts) {
    while (size_ < facts * 2) size_ *= 2;
    slots_ = static_cast<Slot*>(base::os_map(size_ * sizeof(Slot)));
  }
  ~Tally() {
    if (slots_ != nullptr) base::os_release(slots_, size_ * sizeof(Slot));
  }
  Tally(const Tally&) = delete;
  Tally& operator=(const Tally&) = delete;

  bool ok() const { return slots_ != nullptr; }
  // A fact about one cell, or, with a cell for `fact`, a store of a pair.
  void add(uint64_t cell, uint64_t fact) {
    Slot* slot = find(cell, fact);
    if (slot->count == 0) *slot = {cell, fact, 0, true};
    ++slot->count;
  }
  bool has(uint64_t cell, uint64_t fact) const {
    return find(cell, fact)->used;
  }
  /// False: there is none left.
  bool take(uint64_t cell, uint64_t fact) {
    Slot* slot = find(cell, fact);
    if (slot->count == 0) return false;
    --slot->count;
    return true;
  }

 private:
  struct Slot {
    uint64_t cell;
    uint64_t fact;
    uint32_t count;
    bool used;
  };
  // Where it is, or would be.
  Slot* find(uint64_t cell, uint64_t fact) const {
    uint64_t h = (cell ^ (fact << 32 | fact >> 32)) * 0x9e37'79b9'7f4a'7c15;
    for (size_t i = h >> 20;; ++i) {
      Slot* slot = &slots_[i & (size_ - 1)];
      if (!slot->used || (slot->cell == cell && slot->fact == fact)) {
        return slot;
      }
    }
  }

  size_t size_ = 64;
  Slot* slots_ = nullptr;
};

bool Auditor::init(heap::Heap* heap) {
  heap_ = heap;
  log_ = static_cast<Entry*>(base::os_map(kLogEntries * sizeof(Entry)));
  return log_ != nullptr;
}

void Auditor::destroy() {
  if (log_ == nullptr) return;
  close_window();
  base::os_release(log_, kLogEntries * sizeof(Entry));
  log_ = nullptr;
}

void Auditor::close_window() {
  open_ = false;
  places_.release();
  copy_.release();
  changes_.release();
  const uint64_t used = used_.load_relaxed();
  stores_.fetch_add_relaxed(used);
  if (used > 4096) base::os_discard(log_, kLogEntries * sizeof(Entry));
  used_.store_relaxed(0);
  bytes_.store_relaxed(0);
}

bool Auditor::begin_window_stw(size_t roots) {
  close_window();
  // Room for all there may be; pages are charged when touched.
  const size_t bytes = heap_->space().committed_bytes();
  open_ =
      places_.init(bytes / 16 + roots + 1) && copy_.init(bytes / 8 + roots + 1);
  return open_;
}

void Auditor::add_cell_stw(const void* cell, LayoutId layout, size_t bytes) {
  const heap::ScanKind kind = heap_->layouts().hot(layout).kind;
  if (kind == heap::ScanKind::kNoscan || kind == heap::ScanKind::kCustom) {
    return;
  }
  const auto* words = static_cast<const uint64_t*>(cell);
  TRI_CHECK(
      places_.push_back({cell, copy_.size(), bytes / 8, layout, kRawPointers}));
  for (size_t i = 0; i < bytes / 8; ++i) {
    TRI_CHECK(copy_.push_back(load_word(&words[i])));
  }
  bytes_.store_relaxed(places_.size() * sizeof(Place) + copy_.size() * 8);
}

void Auditor::add_root_stw(const uint64_t* words, size_t n,
                           EncodingId encoding) {
  TRI_CHECK(
      places_.push_back({words, copy_.size(), n, kInvalidLayout, encoding}));
  for (size_t i = 0; i < n; ++i) {
    TRI_CHECK(copy_.push_back(load_word(&words[i])));
  }
}

template <class Fn>
void Auditor::each_slot_of(const Place& place, Fn&& fn) const {
  const heap::LayoutTable& layouts = heap_->layouts();
  if (place.layout != kInvalidLayout) {
    each_slot(layouts, place.layout, place.words, fn);
  } else {
    each_slot_in(0, place.words, &layouts.encoding(place.encoding), fn);
  }
}

bool Auditor::is_gone(const Tally& tally, const Place& place) const {
  return tally.has(reinterpret_cast<uint64_t>(place.at), Tally::kGoneAt);
}

// Exact pairs first, so that a chain of stores to one slot does not take what
// another has, and the blame falls on the slot that has none.
void Auditor::collect_changes(const Place& place, size_t index, Tally* tally) {
  const auto* now = static_cast<const uint64_t*>(place.at);
  const uint64_t* before = copy_.data() + place.first;
  uint64_t slots = 0;
  each_slot_of(place, [&](size_t i, SlotEncoding e) {
    ++slots;
    const auto a = reinterpret_cast<uint64_t>(slot_cell(e, before, i));
    const auto b = reinterpret_cast<uint64_t>(slot_cell(e, now, i));
    if (a == b) return;
    if (tally->take(a, b)) {
      tally->take(a, Tally::kOld);
      tally->take(b, Tally::kNew);
      return;
    }
    TRI_CHECK(changes_.push_back({index, i, a, b}));
  });
  compared_.fetch_add_relaxed(slots);
}

void Auditor::compare(Tally* tally) {
  for (size_t i = 0; i < places_.size(); ++i) {
    if (!is_gone(*tally, places_[i])) collect_changes(places_[i], i, tally);
  }
  auto is_cell = [this](uint64_t word) {
    const size_t offset =
        heap_->space().offset_of(reinterpret_cast<const void*>(word));
    return offset < heap_->space().committed_bytes();
  };
  for (const Change& c : changes_) {
    if (is_cell(c.before) && !tally->take(c.before, Tally::kOld)) {
      report(c, "replaced the old one");
    }
    if (is_cell(c.now) && !tally->take(c.now, Tally::kNew)) {
      report(c, "stored the new one");
    }
  }
}

void Auditor::end_window_stw() {
  if (!open_) return;
  const uint64_t used = used_.load_relaxed();
  if (used > kLogEntries) {  // a log with holes proves nothing
    close_window();
    return;
  }
  Tally tally(used * 3 + 1);
  if (tally.ok() && changes_.init(copy_.size() + 1)) {
    for (uint64_t i = 0; i < used; ++i) {
      const Entry& e = log_[i];
      if (e.new_cell == kGone) {
        tally.add(e.old_cell, Tally::kGoneAt);
        continue;
      }
      tally.add(e.old_cell, e.new_cell);
      tally.add(e.old_cell, Tally::kOld);
      tally.add(e.new_cell, Tally::kNew);
    }
    compare(&tally);
  }
  close_window();
}

const char* Auditor::layout_name(uint64_t cell) const {
  const auto* p = reinterpret_cast<const void*>(cell);
  const size_t offset = heap_->space().offset_of(p);
  if (cell == 0) return "null";
  if (offset >= heap_->space().committed_bytes() || offset % 16 != 0 ||
      base::load_relaxed(heap_->space().mark_of(offset)) == 0) {
    return "no cell";
  }
  return heap_->layouts().cold(heap_->layout_of(p)).name;
}

void Auditor::report(const Change& change, const char* half) const {
  const Place& place = places_.data()[change.place];
  const bool root = place.layout == kInvalidLayout;
  TRI_FATAL(
      "barriercheck: a store went past the write barrier. The slot at offset "
      "%zu of %s %p (layout '%s', %zu bytes) referred to %p ('%s') at the last "
      "stop and refers to %p ('%s') now, but no barriered store %s: use "
      "Field::store, tri_store or the like for every managed slot",
      change.word * 8, root ? "the Global or RootTable at" : "cell", place.at,
      root ? "-" : heap_->layouts().cold(place.layout).name, place.words * 8,
      reinterpret_cast<void*>(change.before), layout_name(change.before),
      reinterpret_cast<void*>(change.now), layout_name(change.now), half);
}

}  // namespace tricolor::gc
