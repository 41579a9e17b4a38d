// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// MCache: a P's runs of free cells, one slot per (layout, size class), in a
// reserved, lazily touched array that never moves (heap/slot_tables.cc). The
// inline fast path bumps slots[id]; everything else happens on refill.
//
// Invariants
// 1. A slot with a span owns the cells in [cursor, limit), or [cursor,
//    saved_limit) after the cut: their mark bytes are non-zero, written when
//    the run was taken.
// 2. Runs are cut at a cycle's first stop: nothing may be handed out of them
//    before their bytes read the new epoch. The stop hides the slots; the
//    refills that follow set limit = cursor in them, a few at a time, and show
//    them when they have come to the last (Heap::continue_cut). saved_limit
//    is non-null only between that and the slot's next refill or flush.
// 3. Bit i of free_cells: cell next_window - 64 + i of the span is free and not
//    in the run. Sound while the span is owned: only its owner takes or frees
//    its cells, and markers never touch a byte that is 0.
// 4. active[0 .. active_count) holds the id of every slot that owns a span or
//    has a list of released cells.
// 5. A slot whose run lies in a mixed span has that span's page in span_page
// and
//    does not hold the span: the slot of the same class and layout 0 does, or
//    gave it up when all its cells had been taken. So until the flush, which
//    gives back the rests of such runs before anything else, only this P
//    changes the span's `live`. free_cells and next_window are the holder's.
// 6. A released cell is a run of one, owned as in 1 but in any span of the
//    slot's layout and class, whoever holds it: see heap/release.cc.
//
// Threads: the thread that holds the P; or, while the world is stopped or the P
// is idle or in native code, whoever performs the world operation.
#ifndef TRICOLOR_HEAP_MCACHE_H_
#define TRICOLOR_HEAP_MCACHE_H_

#include <cstddef>
#include <cstdint>

#include "base/atomics.h"
#include "heap/page_alloc.h"
#include "tricolor/detail/mutator.h"

namespace tricolor::heap {

class Heap;

/// The cold half of a slot.
struct SlotState {
  char* saved_limit;
  uint64_t free_cells;   ///< of the window of 64 cells looked at
  uint32_t span_page;    ///< first page of the span owned; 0: none
  uint32_t next_window;  ///< the first cell not looked at yet
  uint8_t listed;        ///< the slot's id is in active[]: the MCache's
                         ///< `listing` then, or when the slot was cut; else 0
  uint8_t has_central;   ///< the slot's mcentral has been made
  uint8_t was_empty;     ///< every cell of the span from next_window on is free
  uint8_t spans_taken;   ///< since the last flush; at most 255
  uint16_t rare_runs;    ///< granules taken from mixed spans, ever
  uint16_t sample_tag;   ///< of the profile its run was counted by; and
                         ///< whether the next cell is a sample
  char* released;        ///< cells given back by release(), linked; or null
};
static_assert(sizeof(SlotState) == 40);

struct MCache {
  // Made by the first allocation, immutable then.
  tri_slot* slots = nullptr;
  size_t tables_reserved = 0;  ///< from `states` on
  SlotState* states = nullptr;
  uint32_t* active = nullptr;
  MCache* next_made = nullptr;  ///< guarded by the heap's tables_lock_
  // Immutable after init.
  Heap* heap = nullptr;
  uint32_t shard = 0;   ///< of every mcentral
  uint32_t audits = 0;  ///< 1: stores are audited, so the barrier of Mutators
                        ///< is on in every phase (gc/audit.h)
  /// Not 0 while the P is to come to a safepoint; null: nobody will ask.
  const base::Atomic<uint32_t>* wanted = nullptr;
  // Owner P only.
  /// What mutators see as their slots; refreshed as barrier_on is. `slots`, or
  /// while these are hidden, or not made, the heap's empty ones: any
  /// allocation refills.
  tri_slot* visible = nullptr;
  uint32_t active_count = 0;
  uint32_t active_most = 0;  ///< ever: its tables have pages for as many
  uint32_t cut_next = 0;     ///< slots before it in active[] have been cut
  uint8_t listing = 1;       ///< 2 from a cut to the next flush
  // Both given back on flush.
  PageCache pages;              ///< for spans
  PageCache freed_pages;        ///< of spans that were swept and found empty
  int64_t unsettled_bytes = 0;  ///< taken since mcache_settle, less rests
  int64_t unsettled_freed = 0;  ///< pages given back by release() and shrink()
  uint32_t swept_spans = 0;     ///< by refills, for their own use
  uint32_t dead_calls = 0;      ///< of on_dead, ever; it wraps
  // Of the allocation profile (heap/profile.cc).
  int64_t sample_left = 0;  ///< bytes before the next that is sampled: in the
                            ///< run, or of all where distances are fixed
  uint64_t sample_rng = 0;
  uint32_t sample_epoch = 0;  ///< the profile the fields above belong to
  uint32_t sample_cap = 0;    ///< cells the run was cut to; 0: not cut
  bool sample_due = false;    ///< the first cell of the run is one
  // The embedder's code that runs inside the runtime now, in words for a
  // message; or null. See heap/callback.h.
  const char* callback = nullptr;
};

/// What one allocation may sweep, from all shards together: some 100 us. What
/// is over it is swept by later ones, and this one takes fresh pages.
class SweepBudget {
 public:
  explicit SweepBudget(const MCache* mc) : mc_(mc), calls_(mc->dead_calls) {}
  /// Whether one more span may be swept: the first always.
  bool take() {
    if (spans_++ == 0) return true;
    return spans_ <= kSpans && mc_->dead_calls - calls_ < kCalls &&
           (mc_->wanted == nullptr || mc_->wanted->load_relaxed() == 0);
  }

 private:
  static constexpr int kSpans = 32;
  static constexpr uint32_t kCalls = 512;  // the embedder's code: on_dead
  const MCache* mc_;
  const uint32_t calls_;
  int spans_ = 0;
};

}  // namespace tricolor::heap

#endif  // TRICOLOR_HEAP_MCACHE_H_
