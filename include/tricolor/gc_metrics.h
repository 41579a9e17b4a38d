/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 tricolor authors
 *
 * Everything that is counted about a runtime's collector and its memory, for
 * those who export it: histograms with their buckets, CPU time and memory by
 * class, live cells by size. Stats (tricolor/gc.h) is the short form. In C and
 * C++: tri_read_gc_metrics() and tricolor::read_gc_metrics().
 *
 * Reading never stops the world, takes no lock and may be done by any thread,
 * at any time while the runtime lives, a GC listener included. What one cycle
 * wrote at its end is read together (it is of one and the same cycle); the
 * rest are counters read one after the other, each right by itself.
 *
 * Source of the choice: Go's runtime/metrics.
 */
#ifndef TRICOLOR_GC_METRICS_H_
#define TRICOLOR_GC_METRICS_H_

#include <stddef.h>
#include <stdint.h>

#include "tricolor/detail/mutator.h"
#include "tricolor/detail/size_class.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Eight buckets for each doubling: a value is known to 12.5 %. */
enum { TRI_HISTOGRAM_BUCKETS = 320 };

typedef struct tri_histogram {
  uint64_t count; /* the sum of counts[] */
  uint64_t sum_ns;
  uint64_t max_ns;
  uint64_t counts[TRI_HISTOGRAM_BUCKETS];
} tri_histogram;

/* The least value of bucket i, in nanoseconds: bucket i has what is at least
 * this and less than that of i + 1; the last one has no end. */
static inline uint64_t tri_histogram_bound(size_t i) {
  return i < 8 ? i : (uint64_t)(8 + i % 8) << (i / 8 - 1);
}

/* An upper bound of the value that `per_mille` of all do not exceed; 0 if there
 * is none yet. Of the difference of two readings, too. */
uint64_t tri_histogram_percentile(const tri_histogram* histogram,
                                  uint32_t per_mille);

typedef struct tri_gc_metrics {
  /* Of the last cycle whose sweep is over: of one and the same cycle. */
  uint64_t cycles;            /* completed */
  uint64_t cycles_forced;     /* of these by collect() and the like */
  uint64_t cycles_concurrent; /* of these, tasks allocated beside the mark */
  uint64_t live_bytes;        /* marked */
  uint64_t live_cells;
  uint64_t scanned_bytes;     /* looked through for pointers */
  uint64_t stack_bytes;       /* besides, of tasks' stacks */
  uint64_t root_bytes;        /* and of Globals and RootTables */
  uint64_t cycle_start_bytes; /* the heap when its mark began, */
  uint64_t cycle_end_bytes;   /* and when it ended */
  uint64_t cycle_goal_bytes;  /* UINT64_MAX: none */
  uint64_t class_cells[TRI_DETAIL_CLASS_COUNT]; /* live cells by size class;
                                   0: over 32 KiB; see tri_class_bytes() */

  /* CPU time, in ns of one P, since the runtime was made. */
  uint64_t cpu_available_ns; /* max_procs times the time that has passed */
  uint64_t cpu_gc_ns;        /* the sum of the next three */
  uint64_t cpu_gc_assist_ns; /* marking by tasks that allocate */
  uint64_t cpu_gc_worker_ns; /* marking and sweeping in a P's share of time, and
                                sweeping by tasks that allocate */
  uint64_t cpu_gc_idle_ns;   /* by Ps that had nothing else to do */
  uint64_t cpu_gc_pause_ns;  /* stops, times max_procs; besides */
  uint64_t mark_wall_ns;     /* marks beside the program, by the wall */
  uint64_t stop_wall_ns;     /* stops by the wall, their waits included */
  uint64_t root_callback_ns; /* of these, in root callbacks */

  /* Memory, now. */
  uint64_t heap_bytes;          /* cells, dead ones that are not swept too */
  uint64_t heap_goal_bytes;     /* the next cycle is to end at; or UINT64_MAX */
  uint64_t heap_trigger_bytes;  /* and begins at */
  uint64_t heap_mapped_bytes;   /* pages made accessible so far */
  uint64_t heap_resident_bytes; /* pages in use, and free but not given back */
  uint64_t heap_in_use_bytes;   /* pages of spans: cells, and what is between */
  uint64_t heap_free_bytes;     /* free pages that were not given back */
  uint64_t heap_returned_bytes; /* given back to the OS, ever */
  uint64_t table_bytes;         /* tables, stacks and what else is not cells */
  uint64_t external_bytes;      /* reported by the embedder */
  uint64_t total_bytes;         /* what counts against the limit */
  uint64_t limit_bytes;         /* in force; UINT64_MAX: none */
  uint64_t audit_bytes;         /* of the barrier auditor; not in total_bytes */

  /* Counters, since the runtime was made. */
  uint64_t allocated_bytes; /* counted on refill */
  uint64_t freed_bytes;     /* by sweep and release */
  uint64_t unswept_spans;   /* now: 0 once a cycle's sweep is over */
  uint64_t gc_limited;      /* times the limit gave way to progress */
  uint32_t gc_limiting;     /* 1: it does so now */
  uint32_t gc_phase;        /* now: TRI_GC_IDLE ... (tricolor::GcPhase) */

  tri_histogram pauses; /* stops, from the request until the last P runs */
  tri_histogram ttsp;   /* of these, until the last P had stopped */
} tri_gc_metrics;

struct tri_runtime;
void tri_read_gc_metrics(const struct tri_runtime* rt, tri_gc_metrics* out);

/* The cell size of size class c, of 1 to TRI_DETAIL_CLASS_COUNT - 1. */
size_t tri_class_bytes(uint32_t c);

#ifdef __cplusplus
} /* extern "C" */

namespace tricolor {

using GcHistogram = ::tri_histogram;
using GcMetrics = ::tri_gc_metrics;

inline void read_gc_metrics(const Runtime& rt, GcMetrics* out) {
  tri_read_gc_metrics(reinterpret_cast<const struct tri_runtime*>(&rt), out);
}

}  // namespace tricolor
#endif

#endif /* TRICOLOR_GC_METRICS_H_ */
