// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Collector: one runtime's garbage collector as the scheduler sees it. There
// is no collector thread: idle Ps, fractional slices of busy ones, assists and
// step() all call in here, and whoever finds the marking done ends it. See
// gc/cycle.cc for the story of one cycle.
#ifndef TRICOLOR_GC_COLLECTOR_H_
#define TRICOLOR_GC_COLLECTOR_H_

#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "base/clock.h"
#include "base/meta_arena.h"
#include "gc/world.h"
#include "heap/heap.h"
#include "tricolor/gc.h"
#include "tricolor/gc_events.h"
#include "tricolor/gc_metrics.h"
#include "tricolor/options.h"

namespace tricolor::gc {

struct CollectorImpl;

struct CollectorOptions {
  int gc_percent = 100;  ///< -1: off
  size_t initial_heap_bytes = 0;
  uint64_t memory_limit_bytes = kNoMemoryLimit;
  const char* cgroup_root = nullptr;
  bool gctrace = false;
  bool gcpacertrace = false;
  bool gccheckmark = false;
  bool clobberfree = false;
  uint32_t gcstress = 0;            ///< start a cycle at every Nth refill
  bool barriercheck = false;        ///< see gc/audit.h
  bool validate = TRI_CHECKS != 0;  ///< structures as phases end: checkmark.cc
  bool badptr = false;              ///< every word at each stop: checkmark.cc
  bool smallbuffers = false;       ///< buffers of two, work handed over at once
  uint32_t pollstress = 0;         ///< start a cycle at every Nth safepoint
  uint32_t test_drop_barrier = 0;  ///< test hook: drop every Nth barrier
  uint32_t procs = 1;
  uint64_t period_ns = 0;  ///< a cycle at least so often; 0: not for its age
  AssistPolicy assist_policy = AssistPolicy::kClassic;
  uint64_t assist_budget_ns = 50'000;
  uint32_t worker_percent = 25;  ///< of each P's time, at most 100
  bool idle_workers = true;
  void (*on_out_of_memory)(Runtime&, size_t, void*) = nullptr;
  void* on_out_of_memory_ctx = nullptr;
  GcListener on_gc_event = nullptr;
  void* on_gc_event_ctx = nullptr;
  Runtime* runtime = nullptr;
};

class Collector {
 public:
  /// Null when metadata memory is refused.
  static Collector* create(heap::Heap* heap, base::MetaArena* meta,
                           const World& world, const base::Clock& clock,
                           const CollectorOptions& options);
  void destroy();  ///< all Ps are gone

  // --- Ps. Caller holds the scheduler's lock or the P is not published yet.
  bool proc_init(ProcGc* p);     ///< also its mcache; false: no memory
  void proc_destroy(ProcGc* p);  ///< flushes work, runs and counters first
  /// A P that is not needed for now: hands over its work, gives its runs back.
  /// By its holder; or, if it has none, under the world lock.
  void proc_flush(ProcGc* p);
  /// The number of Ps has changed. World stopped.
  void set_procs_stw(uint32_t procs);

  // --- What sched calls, always with a held running P.
  /// Marking now: dispatch need not care, but resume, yield of a coroutine and
  /// spawn must (below). Stable between two safepoints of the caller.
  bool marking() const;
  uint32_t cycle() const;  ///< number of the current or last cycle, from 1

  /// A G is born: black while marking. Its root words and shadow slots are
  /// already filled: they are shaded.
  void on_g_born(ProcGc* p, RootOwner* owner);
  /// Stacks of coroutines, for the pacer and the memory limit.
  void add_coroutine_bytes(int64_t delta);
  /// Gives a piece of the marker's spare memory back; true: there may be more.
  bool trim_marker();
  /// Makes `owner` black if it is not: the caller runs it, or holds its scan
  /// bit. To be called while marking() before a suspended coroutine is
  /// switched to, and before a coroutine that yields or ends is left.
  void scan_owner(ProcGc* p, RootOwner* owner);
  /// For cell traces (Coroutine): the same on a marker's behalf. `index`: of
  /// the G, whose scan bit the caller holds.
  void scan_owner_from_tracer(void* tracer_impl, RootOwner* owner,
                              uint64_t index);
  /// Barriered store of a managed pointer into a root word of another G.
  void store_root(ProcGc* p, uint64_t* word, void* cell);

  /// Bytes that may hold cells' addresses (conservative_stacks) are about to go
  /// from one G to another: shades what they refer to.
  void shade_native_words(ProcGc* p, const void* from, size_t bytes);

  /// Is there collector work?
  bool has_work() const;
  /// find_work asks: is there some for an otherwise idle P?
  bool has_idle_work() const;
  /// While others mark: waits some microseconds for them to share, because a
  /// sleep and a wake-up last as long as many a mark. True: there is work.
  bool await_idle_work(const ProcGc* p) const;
  /// schedule() asks, between tasks: is this P's share of collector work due?
  bool worker_due(ProcGc* p, uint64_t now_ns) const;
  /// Marks or sweeps until budget_ns has passed, a request is pending on `p`,
  /// or nothing is left (returns false). May perform world operations. Called
  /// on the M's own stack or on a G's; `mu` is null on the M's.
  /// `idle`: the P has nothing else to do.
  bool run_worker(ProcGc* p, tri_mutator* mu, uint64_t budget_ns,
                  bool idle = false);

  /// If a cycle is due for its age, asks for one: an idle P, the next refill or
  /// step() will start it.
  void request_periodic(uint64_t now_ns);
  /// No cycle is under way or asked for.
  bool is_idle() const;
  /// Nanoseconds until then; -1: never.
  int64_t until_periodic(uint64_t now_ns) const;

  // --- Mutator calls behind the public API.
  void collect(tri_mutator* mu);
  /// pollstress: a safepoint of a mutator has been reached, which starts a
  /// cycle or moves one on at every Nth.
  void on_stress_poll(tri_mutator* mu);
  bool step(tri_mutator* mu, uint64_t budget_ns);
  /// Begins a cycle if none is under way, else has one begun after it.
  void request_collect(tri_mutator* mu);
  /// Any thread, with or without a P: has a cycle begun.
  void ask_for_cycle();
  /// +1: no cycle begins by itself; -1: takes one such call back. Any thread.
  /// False: there is none to take back.
  bool suspend(int delta);
  int set_gc_percent(int percent);
  uint64_t set_memory_limit(uint64_t bytes);
  /// Fills everything but the tasks and threads fields.
  void stats(Stats* out) const;
  void metrics(tri_gc_metrics* out) const;
  heap::GcHooks heap_hooks();

  CollectorImpl* impl() { return impl_; }

 private:
  CollectorImpl* impl_ = nullptr;
};

}  // namespace tricolor::gc

#endif  // TRICOLOR_GC_COLLECTOR_H_
