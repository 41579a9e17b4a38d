// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Heap: one runtime's cells. mcache (per P) -> mcentral (per layout and class)
// -> pages. The collector above drives epochs and sweep generations through it.
//
// The mark-byte protocol (one byte per 16 bytes of heap; heap/mark_bytes.h):
// 1. A byte is 0 or one of three rotating epochs, and non-zero only at the
//    first granule of a cell that is allocated or lies in a run a P owns.
// 2. Taking a run writes cur over its cells; flushing a rest writes 0.
// 3. begin_cycle_stw makes prev = cur and picks the next epoch. Markers act on
//    byte == prev only and store exactly cur; the sweeper writes 0 over every
//    byte != cur. So in a swept span free <=> 0, in every phase.
// 4. No cycle begins before every span is swept.
// 5. Between a mark and its sweep the third epoch stands for resurrected cells;
//    the sweeper makes it cur.
//
// Threads: the methods say. Locks: MCentral (kMCentral) before Heap's page lock
// (kMHeap).
#ifndef TRICOLOR_HEAP_HEAP_H_
#define TRICOLOR_HEAP_HEAP_H_

#include <cstddef>
#include <cstdint>

#include "base/atomics.h"
#include "base/clock.h"
#include "base/lock.h"
#include "base/meta_arena.h"
#include "base/siphash.h"
#include "heap/address_space.h"
#include "heap/gc_hooks.h"
#include "heap/layout_table.h"
#include "heap/mcache.h"
#include "heap/mcentral.h"
#include "heap/page_alloc.h"
#include "heap/scavenge_pacer.h"
#include "tricolor/error.h"
#include "tricolor/heap_inspect.h"
#include "tricolor/profile.h"

namespace tricolor::heap {

struct HeapOptions {
  size_t reservation_bytes = 0;  ///< 0: the default
  size_t hard_limit_bytes = 0;   ///< 0: none but the reservation
  bool clobber_free = false;     ///< fill dead cells with 0xdb
  bool check_free = false;     ///< and look, before reuse, that they still are
  uint32_t max_run_cells = 0;  ///< 0: no limit; 1: every allocation refills
  bool mixed_spans = false;    ///< see heap/mixed.h; a runtime has them
  HugePages huge_pages = HugePages::kOff;
  uint32_t procs = 1;  ///< how many will allocate, for a limited address space
};

inline constexpr uint32_t kSlotsPerLayout = 1u << TRI_DETAIL_CLASS_SHIFT;
inline constexpr uint32_t kSlotCount = kMaxLayouts * kSlotsPerLayout;

/// What the sweeps of one generation found. Read when it is over.
struct SweepStats {
  base::Atomic<uint64_t> live_bytes{0};
  base::Atomic<uint64_t> live_cells{0};
  base::Atomic<uint64_t> live_of_class[TRI_DETAIL_CLASS_COUNT];  // 0: large
};

class Heap {
 public:
  /// In memory of `meta`; null on failure with the reason in *error.
  static Heap* create(base::MetaArena* meta, const HeapOptions& options,
                      Error* error);
  void destroy();
  void set_hooks(const GcHooks& hooks) { hooks_ = hooks; }

  // --- Mutators (on a held P; a safepoint unless said otherwise).
  void* allocate_slow(tri_mutator* mu, uint32_t slot_id, size_t bytes,
                      bool may_fail);
  void* allocate_large(tri_mutator* mu, LayoutId layout, size_t bytes,
                       bool may_fail);

  /// The embedder's handler, which may throw or longjmp; then the end.
  [[noreturn]] void end_out_of_memory(tri_mutator* mu, size_t bytes);

  // --- Release and resizing (heap/release.cc, resize.cc). Holder of the P; no
  // safepoint. False: left to the sweep, or not possible in place.
  bool release(tri_mutator* mu, void* cell);
  bool try_grow_in_place(tri_mutator* mu, void* cell, size_t bytes,
                         const char* call = "try_grow_in_place");
  bool shrink(tri_mutator* mu, void* cell, size_t bytes);
  /// Dead by release(), and not in use again since: it is on some P's list, or
  /// waits for a sweep. Small cells only: their second word says so.
  bool is_released(const void* cell) const;

  // --- mcaches.
  void mcache_init(MCache* mc);
  /// A slot has become active.
  void note_active(MCache* mc) {
    if (TRI_LIKELY(mc->active_count <= mc->active_most)) return;
    mc->active_most = mc->active_count;
    touched_slots_.fetch_add_relaxed(1);
  }
  /// Makes its tables now, where a limit on the address space may refuse them
  /// later; false: it does now. `procs`: so many other Ps count on what room is
  /// left for them; 0: ask for the tables alone.
  bool mcache_prepare(MCache* mc, uint32_t procs = 0);
  void mcache_destroy(MCache* mc);  ///< flushed before
  /// Holder of the P. Gives every span back, rests freed (bytes 0).
  void mcache_flush(MCache* mc);
  /// World stopped: hides the slots, whose runs are of the old epoch. Constant
  /// time; the refills that follow cut them, see mcache.h.
  void mcache_cut_stw(MCache* mc);
  /// Slots without a run, read-only: each allocation takes the slow path.
  tri_slot* empty_slots() const { return empty_slots_; }
  /// Adds what was allocated since the last call to `heap_live`.
  void mcache_settle(MCache* mc);

  // --- The collector.
  void begin_cycle_stw();  ///< prev = cur, next epoch
  void begin_sweep_stw();  ///< generation += 2; nothing may be swept yet
  void allow_sweep();      ///< all mcaches have been flushed since
  // ORDER-sweep-1: pairs with allow_sweep().
  bool sweep_allowed() const { return sweep_allowed_.load_acquire() != 0; }
  /// Takes one unswept span and sweeps it; its pages, or 0 if it found none:
  /// there is none, or it has looked long enough (then may_sweep() stays true).
  /// `mc`: the caller's P, which caches the pages of an empty one; or null.
  size_t sweep_one(MCache* mc);
  /// A hint: sweep_one() may find a span.
  bool may_sweep() const {
    return static_cast<uint32_t>(sweep_cursor_.load_relaxed()) < id_words() ||
           large_[large_list(sweepgen() - 2)].load_relaxed() != 0;
  }
  /// Every span is swept. (Spans in mid-sweep count as unswept.)
  bool all_swept() const;
  uint64_t unswept_spans() const { return unswept_.load_acquire(); }

  /// Calls of begin_cycle_stw(); wraps.
  uint32_t cycles_begun() const { return cycles_begun_.load_relaxed(); }

  uint8_t cur() const { return cur_.load_relaxed(); }
  uint8_t prev() const { return prev_.load_relaxed(); }
  /// The third epoch: that of cells which are resurrected (gc/settle.cc).
  uint8_t third() const { return static_cast<uint8_t>(6 - cur() - prev()); }
  /// What lives beside cur until it is swept: third(), from when all that hangs
  /// off resurrected cells is marked; 0: nothing.
  /// From now on there may be bytes of the third epoch.
  void begin_reviving() { reviving_.store_relaxed(1); }
  // ORDER-revived-1: pairs with set_revived().
  uint8_t revived() const { return revived_.load_acquire(); }
  // ORDER-revived-1: pairs with revived(): their mark bytes come first.
  void set_revived(uint8_t epoch) { revived_.store_release(epoch); }
  /// Whether this is the byte of a cell the last mark found dead, or of none.
  bool is_dead(uint8_t byte) const {
    return byte != cur() && (byte == 0 || byte != revived());
  }
  uint32_t sweepgen() const { return sweepgen_.load_relaxed(); }

  // --- Lookup. Any thread.
  AddressSpace& space() { return space_; }
  LayoutTable& layouts() { return layouts_; }
  /// The usable bytes of the live cell that starts at `cell`.
  size_t cell_bytes(const void* cell) const;
  /// The same of what the caller knows to be a cell, whatever its mark byte.
  size_t bytes_of(const void* cell) const;
  LayoutId layout_of(const void* cell) const {
    size_t offset = space_.offset_of(cell);
    uint32_t bits = space_.entry(offset >> kPageShift)->bits.load_relaxed();
    return static_cast<LayoutId>(space_.layout_at(bits, offset));
  }
  /// Whether the word is the start of an allocated cell or of one in an owned
  /// run (its byte is some epoch).
  bool is_cell(const void* p) const;

  // --- Looking at cells (heap/inspect.cc). find_cell: any thread. The others:
  // world stopped, every mcache flushed.
  bool find_cell(const void* p, CellInfo* out) const;
  /// The start of the cell in use (or in an owned run) that `p` points to or
  /// into; null: none. Any thread: what others free or resize at this moment
  /// may be found or not.
  void* cell_around(const void* p) const {
    size_t bytes = 0;
    return cell_around(p, &bytes);
  }
  void walk_stw(bool marking, WalkFn fn, void* ctx);
  /// Adds the spans that begin in `pages` pages from `from` on (>= 1); where to
  /// go on, or 0 after the last page.
  size_t count_layouts_stw(size_t from, size_t pages, LayoutStats* out,
                           size_t n);

  void set_profile_stw(const AllocProfile& profile);

  // --- Raw pages in the manual state (value stacks): not swept, contents
  // undefined. Null if there are none, or for 0 bytes.
  void* alloc_manual(size_t bytes);
  void free_manual(void* p, size_t bytes);

  // --- The scavenger (heap/scavenge.cc). Any thread.
  /// Free pages go back to the OS while more than this is resident.
  void set_retained_bytes(uint64_t n) { retained_.store_relaxed(n); }
  /// While more than this would be resident, an allocation that takes pages
  /// gives free ones back, twice as many or more; a large one as many as it
  /// takes, with safepoints between.
  void set_limit_bytes(uint64_t n) { limit_.store_relaxed(n); }
  /// Gives back what is over it, 2 MiB at most: some 0.2 ms. For an allocation.
  void scavenge_over_limit();
  /// Free bytes beyond what may be retained.
  size_t surplus_bytes() const;
  /// Gives about `bytes` of free pages back, surplus or not; how many it could.
  size_t scavenge(size_t bytes);
  /// Gives surplus back, if and as long as the pacer allows while `running` Ps
  /// run, at most about `most_ns`.
  void scavenge_paced(const base::Clock& clock, uint32_t running = 1,
                      uint64_t most_ns = UINT64_MAX);
  size_t free_dirty_bytes() const {
    return free_dirty_.load_relaxed() << kPageShift;
  }
  /// While somebody wants it (+1, then -1), sweepers give back the OS pages
  /// inside a span that no live cell touches.
  void add_punching(int n) {
    punching_.fetch_add_relaxed(static_cast<uint32_t>(n));
  }
  /// Makes the pages public that this P found empty in a sweep.
  void drain_freed_pages(MCache* mc);
  /// Given back ever.
  uint64_t scavenged_bytes() const { return scavenged_.load_relaxed(); }
  /// Of spans in use, given back by add_punching().
  size_t punched_bytes() const {
    return punched_.load_relaxed() * kOsPageBytes;
  }
  /// Pages of the heap that hold bytes, in use or free.
  size_t resident_bytes() const;
  /// About what the flat tables and `procs` mcaches hold beside them.
  size_t table_bytes() const;
  /// Time that allocations have spent in giving pages back, ever.
  uint64_t scavenge_assist_ns() const {
    return scavenge_assist_ns_.load_relaxed();
  }

  // --- Numbers. Any thread; relaxed snapshots.
  uint64_t live_bytes() const {
    // What one P allocated may be settled after another has given it back.
    auto n = static_cast<int64_t>(heap_live_.load_relaxed());
    return n < 0 ? 0 : static_cast<uint64_t>(n);
  }
  void set_live_bytes_stw(uint64_t n) { heap_live_.store_relaxed(n); }
  void add_live_bytes(uint64_t n) { heap_live_.fetch_add_relaxed(n); }
  uint64_t allocated_bytes() const { return allocated_.load_relaxed(); }
  uint64_t freed_bytes() const { return freed_.load_relaxed(); }
  uint64_t pages_in_use() const { return pages_in_use_.load_relaxed(); }
  /// What the collector aims at (UINT64_MAX: nothing). Spans that are nearly
  /// full are allocated from only when those in use come near it.
  void set_goal_bytes(uint64_t n) { goal_.store_relaxed(n); }
  bool memory_is_short() const {
    uint64_t goal = goal_.load_relaxed();
    return pages_in_use() << kPageShift > goal - goal / 16;
  }
  const SweepStats& sweep_stats() const { return sweep_stats_; }
  const HeapOptions& options() const { return options_; }

  /// Calls fn(arg, cell) for every cell whose byte is `epoch`. World stopped;
  /// `fn` may mark others, which then may or may not be met.
  void for_each_marked_stw(uint8_t epoch, void (*fn)(void* arg, void* cell),
                           void* arg);

  /// Checks the mark-byte protocol, page entries, spans, and where those are,
  /// over the whole heap; aborts with what is wrong. World stopped. `swept`:
  /// every span is swept.
  void validate_stw(bool swept);
  /// The same for `pages` pages, and as many listed spans, from where the last
  /// call ended; without what only the whole heap can tell.
  void validate_some_stw(bool swept, size_t pages);

 private:
  friend class MCentral;
  Heap() = default;

  bool init(base::MetaArena* meta, const HeapOptions& options, Error* error);
  void* take_from_slot(MCache* mc, uint32_t slot_id, size_t cell_bytes);
  bool hook_is_due(const tri_mutator* mu, uint32_t slot_id) const;
  bool refill(MCache* mc, uint32_t slot_id);
  /// Misuse if cells of so many bytes do not hold their layout's head.
  void check_head(const char* call, uint32_t layout, size_t bytes) const;
  /// The slot whose span `slot_id` takes its next run from.
  uint32_t source_of(const MCache* mc, uint32_t slot_id) const;
  bool next_run(MCache* mc, uint32_t source_id, uint32_t slot_id);
  void next_window(SlotState* state, const Span* span);
  bool next_is_free(SlotState* state, const Span* span, uint32_t cell);
  void take_run(MCache* mc, Span* span, uint32_t slot_id, size_t from,
                size_t to);
  void write_ids(Span* span, size_t from, size_t to, uint32_t layout);
  bool hold_next_span(MCache* mc, uint32_t slot_id);
  static AddressRoom room_for_procs(uint32_t procs);
  static tri_slot* map_empty_slots(size_t* reserved);
  bool make_tables(MCache* mc);
  static bool make_room(void* heap, uint32_t layouts);
  bool make_room_locked(uint32_t to) TRI_REQUIRES(tables_lock_);
  static void cut_slot(MCache* mc, uint32_t slot_id);
  void continue_cut(MCache* mc, uint32_t slot_id);
  void restore_cut(MCache* mc, uint32_t slot_id);
  void release_slot(MCache* mc, uint32_t slot_id);
  void check_live_cell(const tri_mutator* mu, const void* cell,
                       const char* call) const;
  void push_released(MCache* mc, uint32_t slot_id, char* cell, size_t bytes);
  void take_released(MCache* mc, uint32_t slot_id);
  bool release_large(tri_mutator* mu, void* cell, bool marking);
  bool is_swept_large(const Span* span) const;
  bool take_neighbours(MCache* mc, Span* span, size_t bytes);
  /// Of pages that are being taken: leaves PageEntry::kDirty in their entries.
  PageAlloc::DirtySink note_dirty();
  void zero_dirty(size_t page, size_t npages);
  void zero_rooted(tri_mutator* mu, Span* span);
  uint32_t pages_for_large(tri_mutator* mu, size_t bytes);
  void make_large(MCache* mc, uint32_t page, size_t bytes, LayoutId layout);
  static uint32_t large_list(uint32_t sweepgen) { return sweepgen >> 1 & 1; }
  /// Lists one whose generation is the heap's from now on.
  void list_large(Span* span);
  void unlist_large(Span* span);
  void unlink_large_locked(Span* span, uint32_t list) TRI_REQUIRES(large_lock_);
  Span* pop_unswept_large();
  void free_tail(MCache* mc, Span* span, size_t keep_pages);
  void* cell_around(const void* p, size_t* bytes) const;
  CellInfo info_of(void* cell, size_t bytes, uint32_t layout) const;
  void walk_span_stw(Span* span, bool marking, WalkFn fn, void* ctx);
  void count_mixed_stw(const Span* span, LayoutStats* out, size_t n);
  size_t each_span_stw(size_t from, size_t to, void (*fn)(Heap*, Span*, void*),
                       void* ctx);
  // Allocation profile: heap/profile.cc.
  void begin_sampling(MCache* mc) const;
  int64_t draw_distance(MCache* mc) const;
  uint32_t sampled_run(MCache* mc, SlotState* state, uint32_t cell_bytes,
                       uint32_t most) const;
  void count_sampled(MCache* mc, SlotState* state, uint32_t cells,
                     uint32_t cell_bytes, bool goes_on) const;
  /// A flush: `rest` bytes of the slot's run are not handed out after all.
  void uncount_sampled(MCache* mc, SlotState* state, size_t rest) const;
  void sample_small(tri_mutator* mu, uint32_t slot_id, void* cell);
  void sample_large(tri_mutator* mu, LayoutId layout, void* object,
                    size_t bytes);
  Span* get_span(MCache* mc, uint32_t slot_id);
  Span* new_span(MCache* mc, uint32_t slot_id);
  /// A swept span at most three quarters full, sweeping for it; or null.
  Span* listed_span(MCache* mc, MCentral* central);
  Span* held_span(MCache* mc, MCentral* central);
  Span* sweep_for(MCache* mc, MCentral* central, uint32_t shard,
                  SweepBudget* budget);
  /// From the P's cache if there is one (`mc` may be null) and it has them.
  uint32_t alloc_pages(MCache* mc, size_t npages, bool* needzero,
                       PageAlloc::DirtySink sink = {});
  uint32_t alloc_pages_locked(size_t npages, bool* needzero,
                              PageAlloc::DirtySink sink)
      TRI_REQUIRES(pages_lock_);
  uint32_t alloc_pages_slow(size_t npages, bool* needzero,
                            PageAlloc::DirtySink sink);
  size_t most_pages() const;
  void await_scavenger();
  bool fill_page_cache_locked(MCache* mc) TRI_REQUIRES(pages_lock_);
  bool grow_locked(size_t npages) TRI_REQUIRES(pages_lock_);
  bool charge_pages(size_t npages);
  void free_pages(MCache* mc, uint32_t page, size_t npages);
  void drain_locked(PageCache* cache) TRI_REQUIRES(pages_lock_);
  void drain_page_caches(MCache* mc);
  size_t scavenge_piece();
  /// Of taken pages [from, to), with [page, page + npages) dirty: frees them.
  /// False: the OS refuses.
  bool discard_piece(uint32_t page, size_t npages, size_t from, size_t to);
  void make_room(tri_mutator* mu, size_t bytes);
  bool take_block_locked(size_t block, size_t* from, size_t* to)
      TRI_REQUIRES(pages_lock_);
  void discard_tables(size_t from, size_t to);
  template <class F>
  void each_hole(const Span* span, F fn) const;
  void punch_holes(Span* span);
  /// A P takes the span, or its pages are freed: they count again.
  void forget_holes(Span* span);
  void free_span(MCache* mc, Span* span);
  /// Made on first use; null if there is no memory.
  MCentral* central(uint32_t slot_id);
  /// Gives up a span the caller holds.
  void list_span(MCentral* central, Span* span);
  /// Bits of 64 slots whose mcentrals may have spans of this generation.
  base::Atomic<uint64_t>* listing_ids(uint32_t gen) const {
    return listing_ids_ + (gen >> 1 & 1) * (kSlotCount / 64);
  }
  uint32_t id_words() const {
    return (layouts_.count() << TRI_DETAIL_CLASS_SHIFT) / 64;
  }
  /// Sweeps a span held by the caller, which then is listed again. True if it
  /// was empty: it has been freed, or (keep_empty) is the caller's. `mc`: the
  /// caller's P, or null.
  bool sweep_span(MCache* mc, MCentral* central, Span* span, bool keep_empty);
  uint32_t sweep_marks(MCache* mc, Span* span);
  void on_dead_cells(MCache* mc, Span* span);
  /// Stable between two safepoints of the holder.
  bool is_marking(const tri_mutator* mu) const;
  /// heap/clobber.cc: nothing without HeapOptions::check_free. `skip`: bytes at
  /// the beginning that are not looked at.
  void clobber_free(char* at, size_t bytes);
  void check_free(const char* at, size_t bytes, size_t skip,
                  const char* what) const {
    if (TRI_UNLIKELY(options_.check_free)) {
      check_free_slow(at, bytes, skip, what);
    }
  }
  void check_free_slow(const char* at, size_t bytes, size_t skip,
                       const char* what) const;
  void check_free_cells_stw(const Span* span) const;
  void check_ids_stw(const Span* span) const;
  // heap/validate.cc.
  struct Census;
  size_t validate_range_stw(size_t from, size_t to, bool swept, Census* census);
  void validate_span_stw(const Span* span, bool swept, const Census* census);
  void validate_shape_stw(const Span* span) const;
  void validate_entries_stw(const Span* span) const;
  void validate_marks_stw(const Span* span, bool swept) const;
  void validate_free_page_stw(size_t page);
  void validate_large_stw(size_t most, Census* census);
  size_t validate_lists_stw(uint32_t from, size_t most, Census* census);
  void validate_listed_stw(uint32_t slot_id, uint32_t parity, uint32_t page,
                           Census* census);
  void validate_mcaches_stw(size_t most, Census* census);
  void validate_slot_stw(const MCache* mc, uint32_t slot_id, Census* census);

  // Immutable after init.
  base::MetaArena* meta_ = nullptr;
  HeapOptions options_;
  GcHooks hooks_;
  AddressSpace space_;
  LayoutTable layouts_;
  tri_slot* empty_slots_ = nullptr;
  size_t empty_reserved_ = 0;
  base::SipKey release_key_;  // heap/release.cc, invariant 5

  // Written while the world is stopped; read by everyone.
  AllocProfile profile_;
  uint32_t profile_epoch_ = 0;
  bool marking_ = false;      // between begin_cycle and begin_sweep
  size_t validate_page_ = 1;  // where validate_some_stw() goes on
  uint32_t validate_slot_ = 0;
  base::Atomic<uint32_t> cycles_begun_{0};
  base::Atomic<uint8_t> cur_{1};
  base::Atomic<uint8_t> prev_{3};
  base::Atomic<uint8_t> revived_{0};
  base::Atomic<uint8_t> reviving_{0};  // read by the validator
  base::Atomic<uint32_t> sweepgen_{2};

  base::Atomic<uint32_t> sweep_allowed_{1};
  base::Atomic<uint64_t> unswept_{0};  // spans of an older generation
  // Generation and index of a word of listing_ids() (see sweep_one).
  base::Atomic<uint64_t> sweep_cursor_{0};
  SweepStats sweep_stats_;
  base::Atomic<uint64_t> heap_live_{0};
  base::Atomic<uint64_t> goal_{UINT64_MAX};
  base::Atomic<uint64_t> allocated_{0};
  base::Atomic<uint64_t> freed_{0};
  base::Atomic<uint64_t> pages_in_use_{0};  // by spans, manual ones too
  base::Atomic<uint64_t> pages_cached_{0};  // free, in page caches
  base::Atomic<uint64_t> scavenging_{0};    // pages on their way to the OS
  // Who finds no pages while some are on their way waits: see alloc_pages().
  base::Atomic<uint32_t> page_waiters_{0};
  base::Atomic<uint32_t> scavenge_pieces_{0};
  base::Atomic<uint64_t> free_dirty_{0};  // free pages that hold old bytes
  base::Atomic<uint64_t> retained_{UINT64_MAX};
  base::Atomic<uint64_t> limit_{UINT64_MAX};
  base::Atomic<uint64_t> scavenged_{0};
  // Of all Ps, for table_bytes().
  base::Atomic<uint64_t> touched_slots_{0};
  base::Atomic<uint32_t> tables_made_{0};
  // Refused since the last cycle began: pages, and the lowest of them. Written
  // under pages_lock_, or stopped.
  base::Atomic<size_t> refused_{0};
  base::Atomic<size_t> scavenge_below_{SIZE_MAX};
  base::Atomic<uint64_t> punched_{0};  // OS pages of spans in use
  base::Atomic<uint64_t> scavenge_assist_ns_{0};
  base::Atomic<uint32_t> next_shard_{0};
  base::Atomic<uint32_t> punching_{0};
  // Some cell with arbitrary bytes has been released (see take_run).
  base::Atomic<uint32_t> raw_released_{0};
  ScavengePacer scavenge_pacer_;
  base::Atomic<uint64_t> span_count_{0};  // small and large, any home

  base::Mutex pages_lock_{base::LockRank::kMHeap};
  PageAlloc pages_ TRI_GUARDED_BY(pages_lock_);

  // Large objects, doubly linked so that one can be released at once; swept and
  // unswept ones by the parity of the generation, as in an mcentral.
  base::Mutex large_lock_{base::LockRank::kMCentral};
  // First pages, or 0; written under the lock.
  base::Atomic<uint32_t> large_[2];

  base::Mutex centrals_lock_{base::LockRank::kMCentral};
  // One for each slot with room, null until made, under the lock. Read by Ps
  // that have
  // made or been told of it before (has_central), and by sweepers.
  MCentral** centrals_ = nullptr;
  base::Atomic<uint32_t> central_count_{0};
  // Two bitmaps over slots, by the parity of the generation as the stacks of an
  // mcentral. A bit is set before a span is pushed there, and cleared by the
  // sweeper that finds the mcentral empty, once nobody pushes there any more.
  base::Atomic<uint64_t>* listing_ids_ = nullptr;

  // Of all tables indexed by slots (heap/slot_tables.cc).
  base::Mutex tables_lock_{base::LockRank::kSlotTables};
  uint32_t room_layouts_ TRI_GUARDED_BY(tables_lock_) = 0;
  MCache* made_mcaches_ TRI_GUARDED_BY(tables_lock_) = nullptr;
};

inline MCache* mcache_of(const tri_mutator* mu) {
  return static_cast<MCache*>(mu->p);
}

inline bool Heap::is_marking(const tri_mutator* mu) const {
  return mu->barrier_on != 0 && (mcache_of(mu)->audits == 0 || marking_);
}

}  // namespace tricolor::heap

#endif  // TRICOLOR_HEAP_HEAP_H_
