/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 tricolor authors
 *
 * The C11 API. It links without libstdc++. The C++ headers beside it say the
 * same things at more length; what a function may do (collect, suspend) and on
 * which threads is as written there.
 *
 * Rooting: a cell pointer in a C variable does not survive a call that may
 * collect (marked [gc] below) unless it also lies in a frame slot:
 *
 *   TRI_FRAME(mu, 2);  // root[0], root[1]; ends with the block
 *   root[0] = tri_allocate(mu, node, 32);  // [gc]
 *   root[1] = tri_allocate(mu, node, 32);  // [gc]; root[0] survives
 *   tri_store(mu, &((struct node *)root[0])->next, root[1]);
 */
#ifndef TRICOLOR_TRICOLOR_H_
#define TRICOLOR_TRICOLOR_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tricolor/detail/mutator.h"
#include "tricolor/detail/size_class.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tri_runtime tri_runtime;
/* tricolor_tasks.h */
typedef struct tri_stack_overflow tri_stack_overflow;
typedef struct tri_task_failure tri_task_failure;

/* tricolor/gc_events.h tells of each field. */
enum {
  TRI_GC_IDLE = 0,
  TRI_GC_MARK = 1,
  TRI_GC_SETTLE = 2,
  TRI_GC_FLUSH = 3,
  TRI_GC_SWEEP = 4
};
typedef struct tri_gc_event {
  uint32_t cycle;
  uint32_t phase; /* TRI_GC_* */
  uint64_t time_ns, stop_ns, ttsp_ns, worker_ns, assist_ns;
  uint64_t heap_bytes, goal_bytes, marked_bytes;
  bool forced;
} tri_gc_event;

typedef struct tri_error {
  int code, os_errno; /* code 0: ok; else tricolor::ErrorCode */
  char text[240];
} tri_error;

/* tricolor::HugePages. */
enum {
  TRI_HUGE_PAGES_OFF = 0,
  TRI_HUGE_PAGES_TABLES = 1,
  TRI_HUGE_PAGES_ALL = 2
};
/* tricolor::AssistPolicy. */
enum { TRI_ASSIST_CLASSIC = 0, TRI_ASSIST_BOUNDED = 1, TRI_ASSIST_OFF = 2 };

/* Start from TRI_OPTIONS_INIT, which has the defaults; tricolor/options.h tells
 * of each field. (0 is a setting of its own for gc_percent, background_threads,
 * gc_worker_percent, gc_idle_workers, huge_pages and blocking_threads;
 * elsewhere 0 is the
 * default.) */
typedef struct tri_options {
  uint32_t size;
  uint32_t abi;
  int gc_percent;
  uint32_t max_procs;
  int background_threads;
  uint32_t gc_period_ms;
  size_t reservation_bytes;
  size_t initial_heap_bytes;
  uint64_t memory_limit_bytes; /* 0: none */
  const char* cgroup_root;
  size_t hard_limit_bytes;
  size_t stack_bytes;
  bool conservative_stacks; /* cells in plain C variables are roots */
  size_t max_tasks;
  const char* env_prefix;
  const char* debug;
  uint32_t assist_policy; /* TRI_ASSIST_* */
  uint32_t assist_budget_us;
  uint32_t gc_worker_percent;
  bool gc_idle_workers;
  uint32_t huge_pages; /* TRI_HUGE_PAGES_* */
  void (*on_out_of_memory)(tri_runtime* rt, size_t bytes, void* ctx);
  void* on_out_of_memory_ctx;
  void (*on_gc_event)(tri_runtime* rt, const tri_gc_event* event, void* ctx);
  void* on_gc_event_ctx;
  void (*on_task_failure)(tri_runtime* rt, const tri_task_failure* failure,
                          void* ctx);
  void* on_task_failure_ctx;
  uint32_t blocking_threads; /* 0: none */
  void (*on_deadlock)(tri_runtime* rt, void* ctx);
  void* on_deadlock_ctx;
  int preempt_signal;
  bool catch_stack_overflow;
  void (*on_stack_overflow)(tri_runtime* rt, const tri_stack_overflow*,
                            void* ctx);
  void* on_stack_overflow_ctx;
} tri_options;

#define TRI_ABI_VERSION 1u
#define TRI_OPTIONS_INIT                                                     \
  {                                                                          \
    sizeof(tri_options), TRI_ABI_VERSION, 100, 0, -1, 120000, 0, 0, 0, 0, 0, \
        0, false, 0, "TRI", 0, TRI_ASSIST_CLASSIC, 50, 25, true,             \
        TRI_HUGE_PAGES_TABLES, 0, 0, 0, 0, 0, 0, 64, 0, 0, 23, true, 0, 0    \
  }

tri_runtime* tri_runtime_create(const tri_options* options, tri_error* error);
void tri_runtime_destroy(tri_runtime* rt);
void tri_runtime_run(tri_runtime* rt, void (*main)(tri_mutator* mu, void* ctx),
                     void* ctx);

/* --- Cells. [gc]: may collect. */

/* [gc] `bytes` zeroed bytes; never null. */
static inline void* tri_allocate(tri_mutator* mu, uint16_t layout,
                                 size_t bytes) {
  uint32_t c = tri_detail_size_class(bytes);
  if (TRI_DETAIL_UNLIKELY(c == 0 || TRI_DETAIL_BAD_LAYOUT(layout))) {
    return tri_detail_allocate_large(mu, layout, bytes, 0);
  }
  uint32_t id = ((uint32_t)layout << TRI_DETAIL_CLASS_SHIFT) | c;
  size_t cell_bytes = tri_detail_class_bytes(c);
  tri_slot* slot = &mu->slots[id];
  char* cell = slot->cursor;
  if (TRI_DETAIL_UNLIKELY((size_t)(slot->limit - cell) < cell_bytes)) {
    return tri_detail_allocate_slow(mu, id, bytes, 0);
  }
  slot->cursor = cell + cell_bytes;
  return cell;
}

/* [gc] The same; null when there is no memory. */
void* tri_try_allocate(tri_mutator* mu, uint16_t layout, size_t bytes);

static inline void* tri_load(void* const* slot) {
  return __atomic_load_n(slot, TRI_DETAIL_SLOT_LOAD);
}

/* Stores into a published cell's slot (or a tri_root): both barrier halves. */
static inline void tri_store(tri_mutator* mu, void** slot, void* cell) {
  if (TRI_DETAIL_UNLIKELY(TRI_DETAIL_FORM(mu->barrier_on) != 0)) {
    tri_detail_shade_pair(mu, tri_load(slot), cell);
  }
  __atomic_store_n(slot, cell, __ATOMIC_RELEASE);
}

/* Into a slot, still null, of a cell nobody else has seen. */
static inline void tri_store_init(tri_mutator* mu, void** slot, void* cell) {
  if (TRI_DETAIL_UNLIKELY(TRI_DETAIL_FORM(mu->barrier_on) ==
                          TRI_BARRIER_GREY)) {
    tri_detail_shade_pair(mu, 0, cell);
  }
  __atomic_store_n(slot, cell, __ATOMIC_RELEASE);
}

static inline void* tri_exchange(tri_mutator* mu, void** slot, void* cell) {
  void* old = __atomic_exchange_n(slot, cell, __ATOMIC_SEQ_CST);
  if (TRI_DETAIL_UNLIKELY(TRI_DETAIL_FORM(mu->barrier_on) != 0)) {
    tri_detail_shade_pair(mu, old, cell);
  }
  return old;
}

/* [gc] A safepoint; one load unless the runtime wants something. */
static inline void tri_poll(tri_mutator* mu) {
  if (TRI_DETAIL_UNLIKELY(
          __atomic_load_n(&mu->poll_request, __ATOMIC_RELAXED) != 0)) {
    tri_detail_poll_slow(mu);
  }
}

#ifdef __cplusplus
} /* extern "C" */
#endif

#include "tricolor/gc_metrics.h"       /* IWYU pragma: export */
#include "tricolor/tricolor_channel.h" /* IWYU pragma: export */
#include "tricolor/tricolor_heap.h"    /* IWYU pragma: export */
#include "tricolor/tricolor_layout.h"  /* IWYU pragma: export */
#include "tricolor/tricolor_roots.h"   /* IWYU pragma: export */
#include "tricolor/tricolor_slots.h"   /* IWYU pragma: export */
#include "tricolor/tricolor_tasks.h"   /* IWYU pragma: export */
#include "tricolor/tricolor_wait.h"    /* IWYU pragma: export */
#include "tricolor/tricolor_weak.h"    /* IWYU pragma: export */

#endif /* TRICOLOR_TRICOLOR_H_ */
