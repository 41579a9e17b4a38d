// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Ephemerons before stop 2, and everything weak behind it.
//
// Order behind stop 2, each step in pieces beside the mutators:
//   short weak words of dead targets are cleared -> dead cells with finalizers
//   are found, marked, and all that hangs off them, ephemerons included -> the
//   short weak words met there -> long weak words, pairs with dead keys ->
//   finalizers are queued.
//
// Why mutators cannot get at what is being decided. From stop 2 on a weak read
// answers null for a target whose byte is not cur, so no mutator holds a cell
// that was dead, and none can lead another one there. Resurrected cells are
// marked with the third epoch, not with cur: until set_revived() they still
// read as dead, so none is seen before all that hangs off it is marked. That
// is why marking them needs no barrier. Then they are alive for weak reads, for
// the sweeper (which makes the byte cur) and for the heap's lookups.
//
// Words are cleared by compare-exchange: a mutator that stores a new value
// meanwhile wins. The two words of a pair are cleared under settle_lock, and a
// mutator that stores a pair in this phase takes it as well (tri_detail_pair_
// store): else half a pair might stay.
//
// No span is swept before the flush that follows, so byte and cell stay.
#include "base/check.h"
#include "gc/collector_impl.h"
#include "gc/scan.h"
#include "gc/weak_words.h"

namespace tricolor::gc {

namespace {
using Strength = LayoutSpec::Strength;
// Cells that are in no cache: 100 us, and nobody who settles can be stopped
// inside a piece.
constexpr size_t kPieceWords = 1024;
constexpr size_t kPieceBytes = size_t{64} << 10;
constexpr size_t kPairsUnderLock = 64;
constexpr size_t kBytesPerDead = 256;  // taking one out is as dear as scanning

uint64_t* words_of(void* cell) { return static_cast<uint64_t*>(cell); }

void add_cleared(const WeakWords& weak, void* cell, uint64_t n) {
  if (n == 0 || weak.cleared_count() == 0) return;
  __atomic_fetch_add(words_of(cell) + weak.cleared_count() / 8, n,
                     __ATOMIC_RELAXED);
}
}  // namespace

bool CollectorImpl::is_dead_target(const void* cell) const {
  const heap::AddressSpace& space = heap->space();
  const size_t offset = space.offset_of(cell);
  if (offset >= space.committed_bytes() || offset % 16 != 0) return false;
  return heap->is_dead(base::load_relaxed(space.mark_of(offset)));
}

// A pair whose key is white waits in `keys`. Why none is missed: markers ask
// `keys` since the ragged barrier that came between keys.begin() and this; and
// insert() has a fence between the pair's becoming visible and the second look
// at the key's byte here, as a marker has between its store to that byte and
// its search.
void CollectorImpl::resolve_some(ProcGc* p, size_t pairs) {
  MarkWorker& w = p->worker;
  CellCursor& at = weak.resolving;
  while (pairs > 0) {
    if (at.cell == nullptr) at = {weak.unresolved.take(), 0};
    if (at.cell == nullptr) break;
    const WeakWords words(heap->layouts(), heap->layout_of(at.cell));
    const size_t n = heap->bytes_of(at.cell) / 8;
    for (; at.word < n && pairs > 0; at.word += 2, --pairs) {
      const Encoding* of_key = words.at(at.word, Strength::kEphemeron);
      if (of_key == nullptr) continue;
      ++weak.pairs_looked_at;
      const uint64_t* pair = words_of(at.cell) + at.word;
      const Encoding& of_value = *words.at(at.word + 1, Strength::kEphemeron);
      void* value = heap::decode(of_value, load_word(&pair[1]));
      if (!w.is_white(value)) continue;
      void* key = heap::decode(*of_key, load_word(&pair[0]));
      if (w.is_white(key) && weak.keys.insert(key, value) && w.is_white(key)) {
        continue;
      }
      w.shade(value);
    }
    if (at.word < n) break;
    if (TRI_UNLIKELY(!weak.pairs.add(at.cell))) keep_pairs(p, at.cell);
    at.cell = nullptr;
  }
}

/// No memory to list the cell: nothing of it may die.
void CollectorImpl::keep_pairs(ProcGc* p, void* cell) {
  const WeakWords words(heap->layouts(), heap->layout_of(cell));
  const size_t n = heap->bytes_of(cell) / 8;
  for (size_t i = 0; i < n; ++i) {
    const Encoding* e = words.at(i, Strength::kEphemeron);
    if (e == nullptr) continue;
    p->worker.shade(heap::decode(*e, load_word(words_of(cell) + i)));
  }
}

/// In kMark, when nobody has work: a piece. The first only makes markers ask;
/// the flush that follows, a ragged barrier, sees to it that all do, and from
/// then on none is needed.
void CollectorImpl::resolve_locked(ProcGc* p) {
  if (!weak.keys_begun) {
    weak.keys_begun = true;
    weak.keys.begin();  // without memory every value is marked
    return;
  }
  resolve_some(p, kPieceWords);
}

/// Clears words of strength `s` in the cells of `list`; those that have long
/// weak words too go to `next`, if it is given. True: the list is empty.
bool CollectorImpl::settle_arrays(CellList* list, Strength s, CellList* next) {
  size_t words = kPieceWords;
  CellCursor& at = weak.at;
  while (words > 0) {
    if (at.cell == nullptr) at = {list->take(), 0};
    if (at.cell == nullptr) return true;
    const Strength now = at.late ? Strength::kLongWeak : s;
    const WeakWords which(heap->layouts(), heap->layout_of(at.cell));
    const size_t n = heap->bytes_of(at.cell) / 8;
    uint64_t cleared = 0;
    for (; at.word < n && words > 0; ++at.word, --words) {
      const Encoding* e = which.at(at.word, now);
      if (e == nullptr) continue;
      uint64_t* slot = words_of(at.cell) + at.word;
      uint64_t word = load_word(slot);
      void* target = heap::decode(*e, word);
      if (target == nullptr || !is_dead_target(target)) continue;
      // ORDER-weak-2: pairs with the weak reads.
      if (!__atomic_compare_exchange_n(slot, &word, e->cleared_word, false,
                                       __ATOMIC_RELEASE, __ATOMIC_RELAXED)) {
        continue;  // a mutator has stored something else
      }
      ++cleared;
      forget_target(target);
    }
    add_cleared(which, at.cell, cleared);
    if (at.word < n) return false;
    if (next != nullptr && !at.late && which.any(Strength::kLongWeak) &&
        TRI_UNLIKELY(!next->add(at.cell))) {
      at.late = true;  // no memory: at once, as if they were short
      at.word = 0;
      continue;
    }
    at.cell = nullptr;
  }
  return false;
}

/// Clears pairs whose key is dead. True: all have been.
bool CollectorImpl::settle_pairs() {
  size_t pairs = kPieceWords;
  CellCursor& at = weak.at;
  while (pairs > 0) {
    if (at.cell == nullptr) at = {weak.pairs.take(), 0};
    if (at.cell == nullptr) return true;
    const WeakWords words(heap->layouts(), heap->layout_of(at.cell));
    const size_t n = heap->bytes_of(at.cell) / 8;
    uint64_t cleared = 0;
    while (at.word < n && pairs > 0) {
      base::LockGuard guard(settle_lock);
      for (size_t k = 0; k < kPairsUnderLock && at.word < n && pairs > 0;
           ++k, at.word += 2, --pairs) {
        const Encoding* of_key = words.at(at.word, Strength::kEphemeron);
        if (of_key == nullptr) continue;
        uint64_t* pair = words_of(at.cell) + at.word;
        void* key = heap::decode(*of_key, load_word(&pair[0]));
        if (key == nullptr || !is_dead_target(key)) continue;
        const Encoding& of_value = *words.at(at.word + 1, Strength::kEphemeron);
        // ORDER-weak-2: pairs with the weak reads.
        base::store_release(&pair[1], of_value.cleared_word);
        base::store_release(&pair[0], of_key->cleared_word);
        ++cleared;
        forget_target(key);
      }
    }
    add_cleared(words, at.cell, cleared);
    if (at.word < n) return false;
    at.cell = nullptr;
  }
  return false;
}

/// Where a cleared word's target is to be forgotten; null: not yet. A cell with
/// a finalizer, or that hangs off one, may have long weak references besides.
WeakTargets* CollectorImpl::forgetful() {
  const bool may_live =
      weak.step == SettleStep::kShort && finalizers.registered() != 0;
  return may_live ? nullptr : &weak_targets;
}

void CollectorImpl::forget_target(const void* target) {
  if (WeakTargets* targets = forgetful()) targets->remove(target);
}

/// Marks a piece of what hangs off the dead cells with finalizers; true: all.
bool CollectorImpl::revive_some(ProcGc* p) {
  MarkWorker& w = p->worker;
  const uint64_t before = w.marked_bytes;
  const uint64_t scanned = w.scanned_bytes;
  heap->begin_reviving();
  w.set_epoch(heap->third());
  bool done = false;
  size_t extra = 0;  // what is not scanning, in its bytes
  while (w.scanned_bytes - scanned + extra < kPieceBytes &&
         p->request.load_relaxed() == 0) {
    if (w.scan_some(kPieceWords) != 0 || w.take_global()) continue;
    if (Finalizers::Entry* e = finalizers.next_dead()) {
      finalizers.enqueue(e);
      w.shade(e->object);
      weak.any_revived = true;
      extra += kBytesPerDead;
      continue;
    }
    if (!weak.resolved()) {
      weak.keys.begin();
      resolve_some(p, kPieceWords);
      extra += kPieceWords * 16;
      continue;
    }
    // They ask for a stop, in which white cells turn up, or none.
    done = weak.deferred.empty();
    if (!done) trace_deferred(p);
    break;
  }
  w.publish();  // the next piece may be another P's
  w.set_epoch(heap->cur());
  const uint64_t revived = w.marked_bytes - before;
  heap->add_live_bytes(revived);
  record.heap_marked += revived;
  pacer.add_revived(revived);
  if (done && TRI_UNLIKELY(work.overflowed())) done = revive_again(p);
  if (done && weak.any_revived) heap->set_revived(heap->third());
  return done;
}

/// As rescan_marked_stw, for the third epoch; false: the world would not stop,
/// or pairs have turned up.
bool CollectorImpl::revive_again(ProcGc* p) {
  StopTimes stop{};
  if (!world.try_stop(world.ctx, p, &stop)) return false;
  p->worker.set_epoch(heap->third());
  rescan_marked_stw(p, heap->third());
  p->worker.set_epoch(heap->cur());
  note_stop(stop, world.start(world.ctx, p));
  return weak.resolved();
}

bool CollectorImpl::settle_short(SettleStep next) {
  if (weak.cells.settle(heap, forgetful(), kPieceWords) &&
      settle_arrays(&weak.arrays, Strength::kWeak, &weak.long_arrays)) {
    weak.step = next;
  }
  return false;
}

/// One piece; true: everything is settled.
bool CollectorImpl::settle_some(ProcGc* p) {
  switch (weak.step) {
    case SettleStep::kShort:
      return settle_short(SettleStep::kFindDead);
    case SettleStep::kFindDead:
      if (finalizers.find_dead(kPieceWords)) weak.step = SettleStep::kRevive;
      return false;
    case SettleStep::kRevive:
      if (revive_some(p)) weak.step = SettleStep::kShortAgain;
      return false;
    case SettleStep::kShortAgain:
      return settle_short(SettleStep::kLong);
    case SettleStep::kLong:
      if (weak.long_cells.settle(heap, &weak_targets, kPieceWords) &&
          settle_arrays(&weak.long_arrays, Strength::kLongWeak, nullptr)) {
        weak.step = SettleStep::kPairs;
      }
      return false;
    case SettleStep::kPairs:
      if (settle_pairs()) weak.step = SettleStep::kPublish;
      return false;
    case SettleStep::kPublish:
      if (!weak.keys.end_some()) return false;
      weak.keys_begun = false;
      weak.keys_asked = false;
      finalizers.publish();
      weak.step = SettleStep::kDone;
      return true;
    case SettleStep::kDone:
      return true;
  }
  return true;
}

void CollectorImpl::begin_settle_stw() {
  weak.step = SettleStep::kShort;
  weak.any_revived = false;
  finalizers.begin_settle();
}

}  // namespace tricolor::gc
