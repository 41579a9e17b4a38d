// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Collections on demand, their bounded form for event loops, and numbers.
#ifndef TRICOLOR_GC_H_
#define TRICOLOR_GC_H_

#include <cstddef>
#include <cstdint>

#include "tricolor/detail/mutator.h"

namespace tricolor {

class Runtime;

/// Runs one full cycle and its sweep: what was unreachable when the call began
/// is free when it returns. A cycle already under way is finished first. The
/// calling task suspends; others run on. Safepoint.
void collect(Mutator& mu);

/// Asks for a full cycle and does not wait for it: begins one, if none is under
/// way, and returns. Otherwise the next begins when that one is through, by an
/// idle P, a task that allocates or step(); asking again until then asks for
/// nothing more. Counts as forced, and comes with gc_percent off, too.
/// Safepoint.
void request_collect(Mutator& mu);
/// The same from any thread, attached or not; no safepoint: others begin it.
void request_collect(Runtime& rt);

namespace detail {
void gc_disable(Runtime& rt);
void gc_enable(Runtime& rt);
}  // namespace detail

/// While there is one, no cycle begins by itself: as with gc_percent off, only
/// the soft limit starts one, and only when it is reached. A cycle under way
/// goes on, without assists but for the limit's sake. What is asked for by name
/// is done: collect() and return_memory() at once, and so is the collection
/// that comes before an allocation fails; request_collect() and a cycle due
/// for its age when the last scope has ended. Nestable, any thread, by many at
/// once; it ends with the object that began it. A thread in native code may
/// still see a cycle begin that was on its way. For a frame, a request, a
/// start-up phase. Must not outlive the runtime.
class NoGcScope {
 public:
  explicit NoGcScope(Runtime& rt) : rt_(rt) { detail::gc_disable(rt); }
  ~NoGcScope() { detail::gc_enable(rt_); }
  NoGcScope(const NoGcScope&) = delete;
  NoGcScope& operator=(const NoGcScope&) = delete;

 private:
  Runtime& rt_;
};

/// collect(), and all free memory of the heap goes back to the OS, whole pages
/// between live cells included: for the time after a spike. Otherwise the
/// scavenger gives free pages back little by little, down to a tenth more than
/// the heap goal. Returns the bytes given back. Safepoint.
size_t return_memory(Mutator& mu);

/// Does up to `budget_us` microseconds of collector work (mark or sweep) and
/// runs ready tasks, for programs without background threads. Returns whether
/// work is left. A safepoint. Call it from an attached thread or from a task.
bool step(Mutator& mu, uint32_t budget_us);

/// What belongs to one cycle is of one cycle, and a part is never more than its
/// whole (freed than allocated, assists than all of the collector's time).
/// Taking it never stops the world. Any thread.
struct Stats {
  uint64_t cycles;             ///< completed
  uint64_t cycles_forced;      ///< of these asked for by name
  uint64_t cycles_concurrent;  ///< mutators allocated during the mark
  uint64_t heap_live_bytes;    ///< marked by the last cycle
  uint64_t heap_bytes;         ///< allocated and not yet swept
  uint64_t heap_goal_bytes;
  uint64_t heap_mapped_bytes;    ///< committed for cells
  uint64_t heap_resident_bytes;  ///< pages in use, and free ones not given back
  uint64_t heap_returned_bytes;  ///< to the OS, ever
  uint64_t memory_bytes;         ///< what counts against the soft limit
  /// In force now; UINT64_MAX: none; 0: by `auto`, others fill the group.
  uint64_t memory_limit_bytes;
  uint64_t gc_limited;       ///< times the limit gave way to progress
  uint64_t allocated_bytes;  ///< ever; counted on refill
  uint64_t freed_bytes;      ///< ever, by sweep
  uint64_t live_cells;       ///< marked by the last cycle
  uint64_t gc_cpu_ns;        ///< workers and assists, marking and sweeping
  uint64_t gc_assist_ns;     ///< of these in assists
  uint64_t total_cpu_ns;     ///< max_procs x time since creation
  uint64_t mark_wall_ns;     ///< sum of concurrent mark phases
  uint64_t stop_wall_ns;     ///< sum of stops, TTSP included
  uint64_t pause_p50_ns;     ///< a stop: request until the last P runs
  uint64_t pause_p99_ns;
  uint64_t pause_max_ns;
  uint64_t ttsp_p50_ns;  ///< request until the last P has stopped
  uint64_t ttsp_p99_ns;
  uint64_t ttsp_max_ns;
  uint64_t tasks_created;
  uint64_t tasks_alive;
  uint32_t threads;  ///< started by the runtime, now
  uint32_t max_procs;
  uint64_t blocking_calls;    ///< that went to the blocking pool, ever
  uint32_t blocking_threads;  ///< of `threads`
  uint32_t blocking_pending;  ///< calls that wait or run there, now
};

Stats stats(const Runtime& rt);

}  // namespace tricolor

#endif  // TRICOLOR_GC_H_
