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

/// Runs one full cycle and its sweep: what was unreachable when the call began
/// is free when it returns. A cycle already under way is finished first. The
/// calling task suspends; others run on. Safepoint.
void collect(Mutator& mu);

/// collect(), and all free memory of the heap goes back to the OS, whole pages
/// between live cells included: for the time after a spike. Otherwise the
/// scavenger gives free pages back little by little, down to a tenth more than
/// the heap goal. Returns the bytes given back. Safepoint.
size_t return_memory(Mutator& mu);

/// Does up to `budget_us` microseconds of collector work (mark or sweep) and
/// runs ready tasks, for programs without background threads. Returns whether
/// work is left. A safepoint. Call it from an attached thread or from a task.
bool step(Mutator& mu, uint32_t budget_us);

/// A consistent snapshot; taking it never stops the world. Any thread.
struct Stats {
  uint64_t cycles;             ///< completed
  uint64_t cycles_forced;      ///< of these by collect()
  uint64_t cycles_concurrent;  ///< mutators allocated during the mark
  uint64_t heap_live_bytes;    ///< marked by the last cycle
  uint64_t heap_bytes;         ///< allocated and not yet swept
  uint64_t heap_goal_bytes;
  uint64_t heap_mapped_bytes;    ///< committed for cells
  uint64_t heap_resident_bytes;  ///< pages in use, and free ones not given back
  uint64_t heap_returned_bytes;  ///< to the OS, ever
  uint64_t memory_bytes;         ///< what counts against the soft limit
  uint64_t memory_limit_bytes;   ///< in force now; UINT64_MAX: none
  uint64_t gc_limited;           ///< times the limit gave way to progress
  uint64_t allocated_bytes;      ///< ever; counted on refill
  uint64_t freed_bytes;          ///< ever, by sweep
  uint64_t live_cells;           ///< marked by the last cycle
  uint64_t gc_cpu_ns;            ///< workers and assists, marking and sweeping
  uint64_t gc_assist_ns;         ///< of these in assists
  uint64_t total_cpu_ns;         ///< max_procs x time since creation
  uint64_t mark_wall_ns;         ///< sum of concurrent mark phases
  uint64_t stop_wall_ns;         ///< sum of stops, TTSP included
  uint64_t pause_p50_ns;         ///< a stop: request until the last P runs
  uint64_t pause_p99_ns;
  uint64_t pause_max_ns;
  uint64_t ttsp_p50_ns;  ///< request until the last P has stopped
  uint64_t ttsp_p99_ns;
  uint64_t ttsp_max_ns;
  uint64_t tasks_created;
  uint64_t tasks_alive;
  uint32_t threads;  ///< started by the runtime, now
  uint32_t max_procs;
};

class Runtime;
Stats stats(const Runtime& rt);

}  // namespace tricolor

#endif  // TRICOLOR_GC_H_
