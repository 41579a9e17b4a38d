// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// The second mark (TRIDEBUG=gccheckmark=1) and the phase-end validator. Inside
// stop 2 everything reachable is traversed again from the same roots with a
// bitmap of its own; a cell that is reached but not marked is a lost object:
// fatal, with the cell that refers to it. verify_heap() goes the same way, and
// looks at each word on it: what is reachable refers to cells in use, or to
// nothing of ours. (What is not reachable may refer to anything: to cells that
// were released, and what has taken their place.) TRIDEBUG=badptr=1 does so in
// each stop of a cycle, and for Globals and RootTables, too. The auditor
// (gc/audit.h) has its copies made on the same way.
//
// Slow by design: it makes stop 2 as long as a full mark.
#include <cstring>

#include "base/check.h"
#include "base/os_memory.h"
#include "gc/collector_impl.h"
#include "gc/scan.h"
#include "gc/slots.h"
#include "gc/weak_words.h"

namespace tricolor::gc {

namespace {
constexpr size_t kStackCells = size_t{1} << 28;  // virtual, touched lazily
}  // namespace

/// What is wanted of what is reached.
enum class Second : uint8_t {
  kMarks,   ///< a cell that is not marked is fatal
  kVerify,  ///< a word in a cell that is no cell in use is fatal
  kBadPtr,  ///< the same, and in a Global or RootTable
  kCopy,    ///< the auditor gets each cell
};

class SecondMark : public TracerImpl {
 public:
  SecondMark(heap::Heap* h, Second what, bool marking,
             Auditor* auditor = nullptr)
      : verify_(what != Second::kMarks),
        strict_roots_(what == Second::kBadPtr),
        checks_words_(what == Second::kVerify || what == Second::kBadPtr),
        marking_(marking),
        auditor_(auditor) {
    visit = &SecondMark::visit_cell;
    heap = h;
    bitmap_bytes_ =
        (h->space().committed_bytes() >> heap::kGranuleShift) / 8 + 8;
    bits_ = static_cast<uint64_t*>(base::os_map(bitmap_bytes_));
    ok_ = bits_ != nullptr && stack_.init(kStackCells) &&
          pairs_.init(kStackCells);
  }
  ~SecondMark() {
    if (bits_ != nullptr) base::os_release(bits_, bitmap_bytes_);
  }
  SecondMark(const SecondMark&) = delete;
  SecondMark& operator=(const SecondMark&) = delete;

  bool ok() const { return ok_; }
  bool strict_roots() const { return strict_roots_; }
  /// What is reached next is the words of `what`; `barriered`: they are of
  /// those that whoever stores them keeps right.
  void set_from(const char* what, bool barriered) {
    from_ = what;
    strict_ = barriered && strict_roots_;
  }

  /// What is reached from now on may be garbage: words of native stacks. It is
  /// followed, but its words are not checked, and it is not audited.
  void set_loose() { loose_ = true; }

  void reach(void* cell) {
    const heap::AddressSpace& space = heap->space();
    size_t offset = space.offset_of(cell);
    if (checks_words_ && strict_) check_word(cell, offset);
    if (offset >= space.committed_bytes() || (offset & 15) != 0) return;
    uint8_t byte = base::load_relaxed(space.mark_of(offset));
    if (byte == 0) return;  // not a cell: the marker ignores it, too
    // A Local may outlive what it refers to.
    if (verify_ && (!is_live(byte) || is_released(offset))) return;
    size_t g = offset >> heap::kGranuleShift;
    uint64_t bit = uint64_t{1} << (g % 64);
    if ((bits_[g / 64] & bit) != 0) return;
    bits_[g / 64] |= bit;
    if (!verify_ && byte != heap->cur()) report(cell, byte);
    bool pushed = stack_.push_back(cell);
    TRI_CHECK(pushed, "gccheckmark: stack of %zu cells is full", kStackCells);
  }

  void drain() {
    while (!stack_.empty()) {
      void* cell = stack_.pop_back();
      parent_ = cell;
      LayoutId layout = layout_of(cell);
      const bool custom =
          heap->layouts().hot(layout).kind == heap::ScanKind::kCustom;
      // While marking, a trace function may have effects (a coroutine is black
      // when its roots have been visited).
      if (verify_ && marking_ && custom) continue;
      if (auditor_ != nullptr && !loose_) {
        auditor_->add_cell_stw(cell, layout, heap->cell_bytes(cell));
      }
      strict_ = !loose_ && !(custom && is_ours(layout));
      if (strict_roots_ && strict_) check_weak_words(cell, layout);
      if (heap->layouts().hot(layout).kind == heap::ScanKind::kWeak) {
        const WeakWords weak(heap->layouts(), layout);
        if (weak.any(LayoutSpec::Strength::kEphemeron)) {
          const bool noted = pairs_.push_back(cell);
          TRI_CHECK(noted, "gccheckmark: %zu cells with ephemerons",
                    pairs_.size());
        }
      }
      scan_cell(heap, this, heap->layouts().hot(layout), layout, cell,
                heap->cell_bytes(cell), [this](void* p) { reach(p); });
    }
    parent_ = nullptr;
    strict_ = false;
  }

  /// When nothing else is left: what lives by ephemerons. Passes over all of
  /// them until one finds nothing.
  void drain_pairs() {
    for (bool found = true; found;) {
      found = false;
      for (size_t i = 0; i < pairs_.size(); ++i) {
        found = reach_values(pairs_[i]) || found;
        drain();
      }
    }
  }

 private:
  bool reach_values(void* cell) {
    constexpr auto kPair = LayoutSpec::Strength::kEphemeron;
    const WeakWords weak(heap->layouts(), layout_of(cell));
    const size_t n = heap->cell_bytes(cell) / 8;
    auto* words = static_cast<const uint64_t*>(cell);
    bool found = false;
    for (size_t i = 0; i < n; i += 2) {
      const Encoding* of_key = weak.at(i, kPair);
      if (of_key == nullptr) continue;
      if (!is_reached(heap::decode(*of_key, load_word(&words[i])))) continue;
      void* value =
          heap::decode(*weak.at(i + 1, kPair), load_word(&words[i + 1]));
      if (is_reached(value)) continue;
      parent_ = cell;
      strict_ = !loose_;
      reach(value);
      found = true;
    }
    return found;
  }
  /// Or no cell of ours.
  bool is_reached(const void* cell) const {
    const heap::AddressSpace& space = heap->space();
    const size_t offset = space.offset_of(cell);
    if (offset >= space.committed_bytes() || offset % 16 != 0) return true;
    if (base::load_relaxed(space.mark_of(offset)) == 0) return true;
    const size_t g = offset >> heap::kGranuleShift;
    return (bits_[g / 64] >> (g % 64) & 1) != 0;
  }

  // A coroutine reports its Locals.
  bool is_ours(LayoutId layout) const {
    return std::strncmp(heap->layouts().cold(layout).name, "tricolor.", 9) == 0;
  }
  bool is_live(uint8_t byte) const {
    return !heap->is_dead(byte) || (marking_ && byte == heap->prev());
  }
  bool is_released(size_t offset) const {
    const heap::AddressSpace& space = heap->space();
    const uint32_t bits =
        space.entry(offset >> heap::kPageShift)->bits.load_relaxed();
    return heap::PageEntry::size_class(bits) != 0 &&
           heap->is_released(space.base() + offset);
  }
  void check_word(void* word, size_t offset) const {
    const heap::AddressSpace& space = heap->space();
    if (word == nullptr || offset >= space.reserved_bytes()) return;
    if (offset >= space.committed_bytes()) {
      report_word(word, "lies where the heap has not grown to yet");
    }
    if (offset % 16 != 0) report_word(word, "points into the middle of a cell");
    const uint8_t byte = base::load_relaxed(space.mark_of(offset));
    if (byte == 0) report_word(word, "is a free cell, or the middle of one");
    if (!is_live(byte)) report_word(word, "was found dead by the last cycle");
    if (is_released(offset)) report_word(word, "has been released");
  }

  /// What is referred to weakly may be dead, until the collector has cleared
  /// the word; but a cell it is.
  void check_weak_word(void* word, size_t at) const {
    const heap::AddressSpace& space = heap->space();
    const size_t offset = space.offset_of(word);
    if (word == nullptr || offset >= space.reserved_bytes()) return;
    const char* what = nullptr;
    if (offset >= space.committed_bytes()) {
      what = "lies where the heap has not grown to yet";
    } else if (offset % 16 != 0) {
      what = "points into the middle of a cell";
    } else if (base::load_relaxed(space.mark_of(offset)) == 0) {
      what = "is a free cell, or the middle of one";
    } else if (is_released(offset)) {
      what = "has been released";
    }
    if (what == nullptr) return;
    TRI_FATAL(
        "badptr: the weak word at offset %zu of cell %p (layout '%s') is %p, "
        "which %s: it was stored past weak_store, or by a store past the end "
        "of another cell",
        at * 8, parent_, heap->layouts().cold(layout_of(parent_)).name, word,
        what);
  }
  void check_weak_words(void* cell, LayoutId layout) const {
    using Strength = LayoutSpec::Strength;
    const heap::HotLayout& hot = heap->layouts().hot(layout);
    auto* words = static_cast<const uint64_t*>(cell);
    if ((hot.flags & heap::kWeakCell) != 0) {
      check_weak_word(reinterpret_cast<void*>(load_word(words)), 0);
    }
    if (hot.kind != heap::ScanKind::kWeak) return;
    const WeakWords weak(heap->layouts(), layout);
    const size_t n = heap->cell_bytes(cell) / 8;
    for (size_t i = 0; i < n; ++i) {
      for (Strength s :
           {Strength::kWeak, Strength::kLongWeak, Strength::kEphemeron}) {
        if (const Encoding* e = weak.at(i, s)) {
          check_weak_word(heap::decode(*e, load_word(&words[i])), i);
        }
      }
    }
  }

  [[noreturn]] void report_word(void* word, const char* what) const {
    const char* mode = strict_roots_ ? "badptr" : "verify_heap";
    if (parent_ == nullptr) {
      TRI_FATAL(
          "%s: %s refers to %p, which %s: nothing keeps a cell but what refers "
          "to it as the collector was told; whoever releases one clears those",
          mode, from_, word, what);
    }
    long long at = -1;  // only its trace function knows
    const heap::LayoutTable& layouts = heap->layouts();
    const LayoutId layout = layout_of(parent_);
    const auto* words = static_cast<const uint64_t*>(parent_);
    const size_t n = heap->cell_bytes(parent_) / 8;
    each_slot(layouts, layout, n, [&](size_t i, SlotEncoding e) {
      if (at < 0 && slot_cell(e, words, i) == word) {
        at = static_cast<long long>(i) * 8;
      }
    });
    TRI_FATAL(
        "%s: the word at offset %lld of cell %p (layout '%s', %zu "
        "bytes) is %p, which %s: a store past the end of another cell, or a "
        "pointer that was kept in a place the collector is not told of",
        mode, at, parent_, layouts.cold(layout).name, n * 8, word, what);
  }

  LayoutId layout_of(void* cell) const { return heap->layout_of(cell); }

  [[noreturn]] void report(void* cell, uint8_t byte) const {
    const heap::LayoutTable& layouts = heap->layouts();
    TRI_FATAL(
        "gccheckmark: lost object %p (layout '%s', %zu bytes, mark byte %u, "
        "epoch %u) is reachable from %s %p (layout '%s'): a missed write "
        "barrier or root",
        cell, layouts.cold(layout_of(cell)).name, heap->cell_bytes(cell),
        unsigned{byte}, unsigned{heap->cur()},
        parent_ != nullptr ? "cell" : from_, parent_,
        parent_ != nullptr ? layouts.cold(layout_of(parent_)).name : "-");
  }

  static void visit_cell(TracerImpl* self, void* cell) {
    static_cast<SecondMark*>(self)->reach(cell);
  }

  const bool verify_;        // what is not in use is not followed
  const bool strict_roots_;  // words of Globals and RootTables are checked
  const bool checks_words_;
  const bool marking_;
  Auditor* const auditor_;
  bool strict_ = false;  // what is reached is a word of a cell
  bool loose_ = false;
  bool ok_ = false;
  uint64_t* bits_ = nullptr;
  size_t bitmap_bytes_ = 0;
  base::MmapVector<void*> stack_;
  base::MmapVector<void*> pairs_;  ///< cells with ephemerons
  void* parent_ = nullptr;
  const char* from_ = "root";
};

void CollectorImpl::reach_all_stw(SecondMark* second) {
  second->set_from("a task's stack", /*barriered=*/false);
  size_t n = world.g_count(world.ctx);
  for (size_t i = 0; i < n; ++i) {
    RootOwner* owner = world.root_g_stw(world.ctx, i);
    if (owner == nullptr) continue;
    scan_owner_roots(heap, owner, [&](void* cell) { second->reach(cell); });
    second->drain();
  }
  second->set_from("a Global or RootTable", /*barriered=*/true);
  struct Args {
    SecondMark* second;
    heap::Heap* heap;
  } args{second, heap};
  // One that was dropped may refer to what has been released since.
  const auto scan =
      second->strict_roots() ? &Roots::scan_held_stw : &Roots::scan_all_stw;
  (roots.*scan)(
      [](void* arg, const uint64_t* words, size_t count, EncodingId encoding) {
        auto* a = static_cast<Args*>(arg);
        scan_encoded(a->heap->layouts().encoding(encoding), words, count,
                     [a](void* cell) { a->second->reach(cell); });
      },
      &args);
  second->drain();
  second->set_from("a root callback", /*barriered=*/false);
  Tracer tracer = TracerAccess::make(second);
  roots.run_callbacks_stw(tracer);
  second->drain();
  second->set_from("the finalizers' queue", /*barriered=*/true);
  finalizers.each_queued_stw([&](void* cell) { second->reach(cell); });
  second->drain();
  second->set_from("an ephemeron", /*barriered=*/false);
  second->drain_pairs();
  if (TRI_LIKELY(world.native_roots == nullptr)) return;
  second->set_from("a native stack", /*barriered=*/false);
  second->set_loose();
  for (size_t i = 0; i < n; ++i) {
    RootOwner* owner = world.root_g_stw(world.ctx, i);
    if (owner == nullptr) continue;
    visit_native_roots(
        owner,
        [](void* arg, void* cell) {
          static_cast<SecondMark*>(arg)->reach(cell);
        },
        second);
    second->drain();
  }
  second->drain_pairs();
}

void CollectorImpl::check_mark_stw() {
  if (!options.gccheckmark) return;
  SecondMark second(heap, Second::kMarks, /*marking=*/false);
  if (!second.ok()) return;  // no memory for a check is not an error
  reach_all_stw(&second);
}

void CollectorImpl::verify_reachable_stw() {
  SecondMark second(heap, Second::kVerify, phase() == Phase::kMark);
  if (second.ok()) reach_all_stw(&second);
}

void CollectorImpl::check_words_stw() {
  if (!options.badptr) return;
  TRI_ASSERT(phase() != Phase::kMark);
  SecondMark second(heap, Second::kBadPtr, /*marking=*/false);
  if (second.ok()) reach_all_stw(&second);
}

void CollectorImpl::audit_stw() {
  if (!auditor.on()) return;
  auditor.end_window_stw();
  size_t words = 0;
  roots.scan_held_stw([](void* arg, const uint64_t*, size_t n,
                         EncodingId) { *static_cast<size_t*>(arg) += n; },
                      &words);
  SecondMark second(heap, Second::kCopy, /*marking=*/false, &auditor);
  if (!second.ok() || !auditor.begin_window_stw(words)) return;
  reach_all_stw(&second);
  roots.scan_held_stw(
      [](void* arg, const uint64_t* at, size_t n, EncodingId encoding) {
        static_cast<Auditor*>(arg)->add_root_stw(at, n, encoding);
      },
      &auditor);
}

// The whole heap, or of a large one a piece: 32 MiB and as many listed spans
// from where the last check ended, so that a heap is checked however long it
// has become, and all of it in turn.
void CollectorImpl::validate_stw(bool swept) {
  if (TRI_LIKELY(!options.validate)) return;
  constexpr size_t kWholeBytes = size_t{32} << 20;
  if (heap->space().committed_bytes() <= kWholeBytes) {
    heap->validate_stw(swept);
  } else {
    heap->validate_some_stw(swept, kWholeBytes >> heap::kPageShift);
  }
}

// Settle, flush and sweep end while mutators allocate and sweep, who change a
// span's bytes, count and home one after the other: hardly anything about a
// span is true meanwhile. So the world stops for this. These are stops that a
// program does not have otherwise, so a piece of 4 MiB has to do.
bool CollectorImpl::check_phase_end(ProcGc* p, bool swept) {
  if (TRI_LIKELY(!options.validate)) return true;
  constexpr size_t kSomeBytes = size_t{4} << 20;
  StopTimes stop{};
  if (!world.try_stop(world.ctx, p, &stop)) return false;
  heap->validate_some_stw(swept, kSomeBytes >> heap::kPageShift);
  world.start(world.ctx, p);
  return true;
}

}  // namespace tricolor::gc
