// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// CollectorImpl: the collector's state and the functions of its phases, one
// file each: cycle.cc, drain.cc, owners.cc, assist.cc, barrier.cc, settle.cc,
// weak.cc, checkmark.cc, trace.cc.
//
// Phase machine (phase_; the function on each arrow):
//
//   kIdle --start_cycle--> kMark --terminate--> kSettle --settle--> kFlush
//     ^                                                               |
//     +------------- finish_sweep --- kSweep <------ flush -----------+
//
// Invariants
// 1. Only the holder of `advancing_` changes the phase; kIdle -> kMark and
//    kMark -> kSettle happen with the world stopped.
// 2. barrier_on of every P is 1 exactly in kMark. (That of Mutators is always
// on
//    when stores are audited: gc/audit.h.)
// 3. No span is swept outside kSweep and kIdle.
//
// Threads: methods with a ProcGc* want the holder of that P.
#ifndef TRICOLOR_GC_COLLECTOR_IMPL_H_
#define TRICOLOR_GC_COLLECTOR_IMPL_H_

#include <cstddef>
#include <cstdint>

#include "base/atomics.h"
#include "base/clock.h"
#include "base/lock.h"
#include "base/meta_arena.h"
#include "gc/audit.h"
#include "gc/collector.h"
#include "gc/conservative.h"
#include "gc/cpu_limiter.h"
#include "gc/finalizers.h"
#include "gc/histogram.h"
#include "gc/mark_worker.h"
#include "gc/memory_limit.h"
#include "gc/pacer.h"
#include "gc/proc.h"
#include "gc/published.h"
#include "gc/root_owner.h"
#include "gc/roots.h"
#include "gc/settle.h"
#include "gc/weak_targets.h"
#include "gc/work_list.h"
#include "gc/world.h"

namespace tricolor::gc {

using Phase = GcPhase;

/// Why a cycle is to begin that no trigger begins.
enum Wanted : uint32_t {
  kWantedForAge = 1,
  kWantedByName = 2,  ///< request_collect()
};

/// How apply_memory_limit() is called.
enum class LimitLook : uint8_t {
  kInStop,  ///< waits for nobody, reads no files
  kSoon,    ///< the same, but reads them if that was some time ago
  kNow,
};

/// For calls that a trace function, on_dead or a root callback may not make.
[[noreturn]] void misuse_in_collector(const char* call);

/// Bytes of the stacks that scan_owner_roots() looks through; under the same
/// rules.
size_t stack_bytes_of(const RootOwner* owner);

/// Gs whose stacks are to be scanned, or on; see gc/owners.cc.
struct LeftGs {
  static constexpr size_t kMost = size_t{1} << 20;  // of each list

  bool init();
  void release();
  void begin_cycle_stw();
  /// The caller has counted it as unscanned.
  void put_deep(uint64_t index);
  /// It stays so.
  bool take_deep(uint64_t* index);
  void put_running(uint64_t index);
  /// Of those that were running.
  bool nothing_left();

  base::Mutex lock{base::LockRank::kLeaf};
  base::MmapVector<uint64_t> deep TRI_GUARDED_BY(lock);
  base::MmapVector<uint64_t> running TRI_GUARDED_BY(lock);
  bool all TRI_GUARDED_BY(lock) = false;  // a list was full
  base::Atomic<uint64_t> unscanned{0};    // see there
  base::Atomic<uint64_t> waiting{0};      // deep.size(), a hint
};

/// What one cycle is remembered by, for gctrace and Stats.
struct CycleRecord {
  uint64_t start_ns;       ///< stop 1 requested
  uint64_t mark_start_ns;  ///< world running again
  uint64_t mark_end_ns;    ///< stop 2 requested
  uint64_t end_ns;         ///< world running again
  uint64_t stop1_ns, ttsp1_ns;
  uint64_t stop2_ns, ttsp2_ns;
  uint64_t callbacks_ns;  ///< of the stops, in root callbacks
  uint64_t heap_start, heap_end, heap_marked, goal;
  uint64_t worker_ns, assist_ns;
  uint64_t allocated_before;  ///< heap's counter when marking began
  uint64_t external_before;
  uint64_t trigger, expected_work;
  double first_ratio;  ///< of assists, when marking began
  CycleWork work;
  uint64_t idle_before, idle_ns;  ///< of worker_ns, by idle Ps
  bool forced;                    ///< asked for by name
  bool waited;                    ///< by collect(), which marks until the end
};

struct CollectorImpl {
  // --- Immutable after create.
  Collector* self = nullptr;
  heap::Heap* heap = nullptr;
  base::MetaArena* meta = nullptr;
  World world;
  base::Clock clock;
  CollectorOptions options;
  /// Of RootedVectors of bare pointers; kInvalidLayout: none yet. By any
  /// mutator; two who register it at once get the same.
  base::Atomic<uint32_t> rooted_vectors{kInvalidLayout};
  LayoutId weak_layout = kInvalidLayout;
  uint64_t created_ns = 0;

  // --- Shared, each with its own rule.
  WorkList work;
  WeakThings weak;
  WeakTargets weak_targets;
  Finalizers finalizers;
  base::Atomic<uint32_t> long_weak_layout{kInvalidLayout};  // on first use
  // The two words of an ephemeron, in kSettle.
  base::Mutex settle_lock{base::LockRank::kLeaf};
  Roots roots;
  Pacer pacer;
  MemoryLimit memory_limit;
  CpuLimiter limiter;
  Auditor auditor;
  base::Atomic<uint32_t> procs_{1};       // written while stopped
  base::Atomic<uint32_t> phase_{0};       // see invariant 1
  base::Atomic<uint32_t> advancing_{0};   // 1: somebody changes the phase
  base::Atomic<uint32_t> cycle_{0};       // started; written while stopped
  base::Atomic<uint32_t> completed_{0};   // swept
  base::Atomic<uint32_t> drainers_{0};    // threads inside drain()
  base::Atomic<uint64_t> g_cursor_{0};    // next G index to scan
  base::Atomic<uint64_t> job_cursor_{0};  // next root job
  base::Atomic<uint64_t> roots_busy_{0};  // root pieces being scanned
  base::Atomic<uint64_t> scanned_{0};     // bytes, of this cycle, all workers
  base::Atomic<uint64_t> worker_ns_{0};   // of this cycle
  base::Atomic<uint64_t> assist_ns_{0};
  base::Atomic<uint64_t> collecting_cpu_ns_{0};   // for the limiter, ever
  base::Atomic<uint64_t> traced_stack_bytes_{0};  // coroutines', of this cycle
  base::Atomic<uint64_t> refills_{0};             // for gcstress
  base::Atomic<uint64_t> polls_{0};               // for pollstress
  base::Atomic<uint64_t> barriers_{0};            // for test_drop_barrier
  base::Atomic<uint64_t> flushed_{0};             // Ps with work in this round
  base::Atomic<uint32_t> hungry_{0};              // a worker ran dry and rests
  base::Atomic<int64_t> credit_{0};    // bytes scanned ahead by workers
  base::Atomic<int64_t> external_{0};  // reported by the embedder
  base::Atomic<uint64_t> coroutine_bytes_{0};
  uint64_t g_limit_ = 0;  // written while stopped

  base::Atomic<uint32_t> wanted_{0};   // Wanted bits
  base::Atomic<uint32_t> watched_{0};  // 1: by sysmon, if there may be one
  base::Atomic<uint64_t> last_start_ns_{0};  // of the last cycle, or creation
  base::Atomic<uint64_t> limit_checked_{0};  // bytes allocated by then
  // When the last mark ended: bytes of cells, dead ones too, and of the pages
  // they were in. A pair that tears makes one estimate worse.
  base::Atomic<uint64_t> last_live_{0};
  // What the last mark found dead; all there is if it revived something.
  base::Atomic<uint64_t> last_freed_{0};
  base::Atomic<uint64_t> last_in_use_{0};

  // What the Ps could have used of the CPUs: with so many since then.
  mutable base::Mutex procs_lock{base::LockRank::kLeaf};
  uint64_t procs_since_ns TRI_GUARDED_BY(procs_lock) = 0;  // 0: creation
  uint64_t available_offset_ns TRI_GUARDED_BY(procs_lock) = 0;

  LeftGs left;

  base::Mutex limit_lock{base::LockRank::kLimit};
  uint64_t span_waste TRI_GUARDED_BY(limit_lock) = 0;
  bool punches TRI_GUARDED_BY(limit_lock) = false;
  uint64_t limiter_due_ns TRI_GUARDED_BY(limit_lock) = 0;
  uint64_t limiter_at_ns TRI_GUARDED_BY(limit_lock) = 0;
  uint64_t limit_read_ns TRI_GUARDED_BY(limit_lock) = 0;
  uint64_t limit_read_at TRI_GUARDED_BY(limit_lock) = 0;  // bytes allocated

  // --- Holder of advancing_ only.
  CycleRecord record{};

  // --- Totals, relaxed atomics: read by stats() from anywhere.
  struct Totals {
    base::Atomic<uint64_t> cycles, forced, concurrent;
    base::Atomic<uint64_t> live_bytes, live_cells;
    base::Atomic<uint64_t> gc_ns, idle_ns, assist_ns, mark_wall_ns,
        stop_wall_ns, stop_cpu_ns, callbacks_ns;
    Histogram pauses, ttsp;
  } totals;
  /// Of them and of `record` what is read together; written as the sweep ends.
  Published published;

  Phase phase() const {
    // ORDER-phase-1: pairs with set_phase().
    return static_cast<Phase>(phase_.load_acquire());
  }
  void set_phase(Phase from, Phase to);
  bool try_advance() {
    uint32_t expected = 0;
    // ORDER-advance-1: pairs with end_advance(): sees the last holder's record.
    return advancing_.compare_exchange_strong_acquire(expected, 1);
  }
  void end_advance() {
    // ORDER-advance-1: pairs with try_advance().
    advancing_.store_release(0);
  }

  // --- cycle.cc
  void end_advance_and_wake();
  /// Nothing unless `wait` (by collect()) or is_due(). True if it began one.
  bool start_cycle(ProcGc* p, bool wait);
  /// The same for the P of `mu`, which is not in the collector.
  bool start_cycle_of(tri_mutator* mu, bool wait);
  /// Counts a stop that has ended; returns how long it was.
  uint64_t note_stop(const StopTimes& stop, uint64_t end_ns);
  bool is_due() const;
  bool cycle_wanted() const {
    return wanted_.load_relaxed() != 0 && !pacer.suspended();
  }
  void begin_record_stw(bool wait, uint32_t wanted);
  void end_record_stw();  // after record.work has the Ps' sums
  /// Moves the phase on if it can; true if it did.
  bool advance(ProcGc* p);
  bool terminate_locked(ProcGc* p);
  bool flush_work_locked(ProcGc* p);
  bool recheck_stw(ProcGc* p);
  void run_root_callbacks_stw(ProcGc* p);
  void rescan_marked_stw(ProcGc* p, uint8_t epoch);
  void end_mark_stw(ProcGc* p);
  void finish_sweep_locked(ProcGc* p);

  // --- drain.cc
  /// Marks until the deadline, `scan_budget` bytes, a request, or no work.
  /// Returns bytes scanned; *dry: nothing was left to take.
  size_t drain(ProcGc* p, uint64_t deadline_ns, size_t scan_budget, bool* dry);
  void feed_the_hungry(ProcGc* p);
  bool has_work() const;
  bool has_idle_work() const;
  bool take_root_piece(ProcGc* p, uint64_t deadline_ns);
  void scan_gs(ProcGc* p, uint64_t from, uint64_t to, uint64_t deadline_ns);
  bool roots_done();

  // --- owners.cc
  enum class Scan : uint8_t { kWhole, kPartly, kRunning };
  /// `suspended`: also a coroutine that is.
  Scan scan_g(ProcGc* p, uint64_t index, uint64_t deadline_ns, bool suspended);
  /// False: none is left.
  bool scan_left(ProcGc* p, uint64_t deadline_ns);
  bool retry_gs(ProcGc* p);
  void scan_owner(ProcGc* p, RootOwner* owner);
  /// Null: all of it. False: a piece.
  bool scan_owner_until(ProcGc* p, RootOwner* owner,
                        const uint64_t* deadline_ns);
  void scan_owner_words(ProcGc* p, RootOwner* owner);
  void trace_owner(TracerImpl* t, RootOwner* owner, uint64_t index);

  // --- conservative.cc
  /// Calls visit(arg, cell) for what the words of the owner's native stack
  /// refer to; returns the bytes read. Nothing without conservative_stacks.
  size_t visit_native_roots(RootOwner* owner, VisitCell visit, void* arg);
  /// While marking, for words that go from one stack to another.
  void shade_native_words(ProcGc* p, const void* from, size_t bytes);

  // --- barrier.cc
  void shade_from_mutator(ProcGc* p, void* cell);
  /// Ps now. It changes while the world is stopped; for statistics.
  uint32_t procs() const { return procs_.load_relaxed(); }
  /// The time of all Ps since the creation.
  uint64_t available_ns() const {
    base::LockGuard guard(procs_lock);
    return available_ns_locked();
  }
  uint64_t available_ns_locked() const TRI_REQUIRES(procs_lock) {
    const uint64_t since = procs_since_ns == 0 ? created_ns : procs_since_ns;
    return available_offset_ns + (now() - since) * procs();
  }
  void flush_barrier(ProcGc* p);

  // --- assist.cc
  /// `object`: an allocation of so many bytes is next.
  void before_refill(tri_mutator* mu, size_t bytes, bool object = true);
  void assist(ProcGc* p, tri_mutator* mu, uint64_t allocated);
  void finish_for_long(tri_mutator* mu, size_t bytes);
  void await_others(tri_mutator* mu);
  void assist_settling(ProcGc* p, tri_mutator* mu);
  /// The longest an allocating task is a worker at once.
  uint64_t slice_ns() const;
  void sweep_share(ProcGc* p, tri_mutator* mu, uint64_t allocated);
  bool collect_for_memory(tri_mutator* mu, size_t bytes, uint32_t begun,
                          int attempt);
  /// out_of_memory.cc: the embedder's handler, if there is one.
  void call_out_of_memory(tri_mutator* mu, size_t bytes);
  bool run_worker(ProcGc* p, tri_mutator* mu, uint64_t budget_ns,
                  bool idle = false);
  void collect(tri_mutator* mu);
  /// Works until `want` cycles are through. A safepoint.
  void run_until_completed(tri_mutator* mu, uint32_t want);
  void request_collect(tri_mutator* mu);

  // --- external.cc
  /// What the embedder has reported.
  uint64_t reported() const {
    int64_t n = external_.load_relaxed();
    return n < 0 ? 0 : static_cast<uint64_t>(n);
  }
  /// And the stacks of coroutines, which go when a cycle finds these dead.
  uint64_t external() const {
    return reported() + coroutine_bytes_.load_relaxed();
  }
  /// What the pacer is to hold below the goal.
  uint64_t paced_bytes() const { return heap->live_bytes() + external(); }
  void adjust_external(tri_mutator* mu, int64_t delta);
  /// Stops at the ends of the type; what is lost there is not found again.
  void add_external(int64_t delta);

  // --- memory_limit.cc
  /// Sets the pacer's and the heap's share of the limit by what is used now.
  void apply_memory_limit(LimitLook look);
  /// The same if much has been allocated since. Called by mutators.
  void check_memory_limit();
  void update_limiter() TRI_REQUIRES(limit_lock);
  /// Whether `auto` is to be read again.
  bool limit_is_stale(uint64_t limit) const TRI_REQUIRES(limit_lock);
  /// What the runtime itself uses, outside the heap's pages.
  uint64_t table_bytes() const;

  // --- settle.cc
  bool is_dead_target(const void* cell) const;
  void resolve_some(ProcGc* p, size_t pairs);
  void keep_pairs(ProcGc* p, void* cell);
  void resolve_locked(ProcGc* p);
  /// deferred.cc. Stops the world to trace some of the cells whose layouts want
  /// that. False: not now.
  bool trace_deferred(ProcGc* p);
  void begin_settle_stw();
  bool settle_some(ProcGc* p);
  bool settle_short(SettleStep next);
  bool settle_arrays(CellList* list, LayoutSpec::Strength s, CellList* next);
  bool settle_pairs();
  WeakTargets* forgetful();
  void forget_target(const void* target);
  bool revive_some(ProcGc* p);
  bool revive_again(ProcGc* p);

  // --- weak.cc, checkmark.cc, trace.cc
  /// What a weak read of `cell` gives.
  WeakAnswer weak_answer(ProcGc* p, void* cell);
  void check_mark_stw();
  /// Every word of every reachable cell, for verify_heap().
  void verify_reachable_stw();
  void reach_all_stw(class SecondMark* second);
  /// barriercheck: ends one window of the auditor and begins the next.
  void audit_stw();
  /// badptr: every word at each stop of a cycle.
  void check_words_stw();
  void validate_stw(bool swept);
  /// validate: stops the world and validates, before a phase that ends while it
  /// runs ends. False: not now, so the phase goes on.
  bool check_phase_end(ProcGc* p, bool swept);
  void trace_cycle();
  void trace_pacer();    // pacer_trace.cc
  void publish_cycle();  // metrics.cc
  /// Tells the listener that the phase has begun; the last one had these stops.
  void emit(ProcGc* p, uint64_t stop_ns, uint64_t ttsp_ns);

  /// Tells the heap what is aimed at.
  void aim_heap() {
    uint64_t goal = pacer.heap_goal();
    heap->set_goal_bytes(goal);
    heap->set_retained_bytes(heap::ScavengePacer::retained_bytes(
        goal, last_live_.load_relaxed(), last_in_use_.load_relaxed()));
  }
  uint64_t now() const { return clock.now_ns(); }
};

}  // namespace tricolor::gc

#endif  // TRICOLOR_GC_COLLECTOR_IMPL_H_
