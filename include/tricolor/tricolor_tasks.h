/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 tricolor authors
 *
 * The C11 API, second half: tasks, threads, collections, weak references,
 * numbers. Include tricolor/tricolor.h.
 */
#ifndef TRICOLOR_TRICOLOR_TASKS_H_
#define TRICOLOR_TRICOLOR_TASKS_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tricolor/detail/mutator.h"

#ifdef __cplusplus
extern "C" {
#endif

/* --- Tasks. */

typedef struct tri_task {
  void* g;
  uint64_t id;
} tri_task;

/* `roots` are rooted for the task's whole life; `plain` is its copy of the
 * plain bytes, 8-byte aligned. Returns a cell or null, which join gives. */
typedef void* (*tri_task_fn)(tri_mutator* mu, void** roots, void* plain);

/* [gc] At most 8 roots and 112 plain bytes; stack_bytes 0: the default. */
tri_task tri_spawn(tri_mutator* mu, tri_task_fn fn, void* const* roots,
                   size_t root_count, const void* plain, size_t plain_bytes,
                   size_t stack_bytes);
/* [gc] Waits for the end. A task is joined or detached exactly once. One that
 * has not returned gives NULL; an error goes to tri_options::on_task_failure.
 */
void* tri_join(tri_mutator* mu, tri_task task);
enum { TRI_OUTCOME_VALUE = 0, TRI_OUTCOME_EXITED = 1, TRI_OUTCOME_FAILED = 2 };
/* [gc] The same; returns how it has ended: TRI_OUTCOME_*. *code is what it gave
 * to tri_exit_with_error, else 0. */
int tri_try_join(tri_mutator* mu, tri_task task, void** result, uint64_t* code);
void tri_detach(tri_task task);
/* [gc] Waits for its end, without taking its result: TRI_WAIT_OK, _TIMEOUT or
 * _CANCELLED (tricolor_wait.h). */
int tri_wait_for(tri_mutator* mu, tri_task task, uint64_t deadline_ns);
/* Asks the task to end: the wait that it is in, and all that would begin, end
 * with TRI_WAIT_CANCELLED, but those without a deadline. Nothing if it has
 * ended, also if it was joined or detached since. Any thread. */
void tri_cancel(tri_task task);
/* The calling task, to be cancelled by others. */
tri_task tri_current_task(tri_mutator* mu);
/* Whether somebody has asked the calling task so. */
bool tri_is_cancelled(const tri_mutator* mu);
/* [gc] */
void tri_yield(tri_mutator* mu);
void tri_sleep_ns(tri_mutator* mu, uint64_t ns);
/* End the calling task at once, from any depth, as tricolor/task_end.h says. */
TRI_DETAIL_NORETURN void tri_goexit(tri_mutator* mu);
TRI_DETAIL_NORETURN void tri_exit_with_error(tri_mutator* mu, uint64_t code);
/* As in tricolor/task.h. 31 bytes of the name are copied. */
uint64_t tri_task_id(tri_mutator* mu);
void tri_set_task_name(tri_mutator* mu, const char* name);
const char* tri_task_name(tri_mutator* mu);

/* tricolor/os_thread.h */
void tri_lock_os_thread(tri_mutator* mu);
void tri_unlock_os_thread(tri_mutator* mu);

/* tricolor::TaskFailure. */
struct tri_task_failure {
  uint64_t task;
  const char* name;
  const char* what;
  uint64_t code;
};

/* What tri_options.on_stack_overflow is told; tricolor/stack_overflow.h */
struct tri_stack_overflow {
  uint64_t task_id;
  const char* name;
  size_t stack_bytes;
  const void* address;
  const void* pc;
  void* context;
};

/* [gc] tricolor::dump_tasks(); and for tri_options.on_deadlock. */
void tri_dump_tasks(tri_runtime* rt, int fd);
void tri_abort_at_deadlock(tri_runtime* rt, void* ctx);

/* --- Foreign threads: native between enter and leave pairs. */

tri_mutator* tri_attach(tri_runtime* rt);
/* The same; null, and why, instead of the process's end. */
tri_mutator* tri_try_attach(tri_runtime* rt, struct tri_error* error);
void tri_detach_thread(tri_runtime* rt, tri_mutator* mu);
void tri_enter_managed(tri_mutator* mu); /* [gc] */
void tri_leave_managed(tri_mutator* mu);
/* Around a blocking call inside managed code. */
void tri_enter_native(tri_mutator* mu);
void tri_leave_native(tri_mutator* mu); /* [gc] */
/* [gc] Both around fn(arg), which must not longjmp. To be preferred with
 * conservative_stacks: all that the caller's variables keep stays a root. */
void tri_call_native(tri_mutator* mu, void (*fn)(void* arg), void* arg);

/* fn(arg) on the stack of the thread, for deep C calls; and on a thread of the
 * blocking pool, while the task waits [gc]. tricolor/native.h tells of both. */
void tri_on_system_stack(tri_mutator* mu, void (*fn)(void* arg), void* arg);
void tri_blocking(tri_mutator* mu, void (*fn)(void* arg), void* arg);

/* --- Weak references: cells of their own. */

void* tri_weak_make(tri_mutator* mu, void* target); /* [gc] */
void* tri_weak_get(tri_mutator* mu, void* weak);

/* --- The collector. */

void tri_collect(tri_mutator* mu);                  /* [gc] */
void tri_request_collect(tri_mutator* mu);          /* [gc] */
void tri_runtime_request_collect(tri_runtime* rt);  /* any thread */
size_t tri_return_memory(tri_mutator* mu);          /* [gc] */
bool tri_step(tri_mutator* mu, uint32_t budget_us); /* [gc] */

/* Between the two no call that may collect or suspend is made, or the process
 * ends; see tricolor/no_safepoint.h. `began`: what begin has returned. */
bool tri_no_safepoint_begin(tri_mutator* mu);
void tri_no_safepoint_end(tri_mutator* mu, bool began);
int tri_set_gc_percent(tri_runtime* rt, int percent);
/* [gc] Runtime::set_max_procs(); 0 only asks. */
uint32_t tri_set_max_procs(tri_runtime* rt, uint32_t n);
/* tricolor::NoGcScope: from the first disable to the last enable. */
void tri_gc_disable(tri_runtime* rt);
void tri_gc_enable(tri_runtime* rt);
/* Bytes, TRI_NO_MEMORY_LIMIT or TRI_AUTO_MEMORY_LIMIT; returns the old one. */
#define TRI_NO_MEMORY_LIMIT 0
#define TRI_AUTO_MEMORY_LIMIT UINT64_MAX
uint64_t tri_set_memory_limit(tri_runtime* rt, uint64_t bytes);

/* As tricolor::Stats (tricolor/gc.h), field by field. */
typedef struct tri_stats {
  uint64_t cycles, cycles_forced, cycles_concurrent;
  uint64_t heap_live_bytes, heap_bytes, heap_goal_bytes, heap_mapped_bytes;
  uint64_t heap_resident_bytes, heap_returned_bytes;
  uint64_t memory_bytes, memory_limit_bytes, gc_limited;
  uint64_t allocated_bytes, freed_bytes, live_cells;
  uint64_t gc_cpu_ns, gc_assist_ns, total_cpu_ns, mark_wall_ns, stop_wall_ns;
  uint64_t pause_p50_ns, pause_p99_ns, pause_max_ns;
  uint64_t ttsp_p50_ns, ttsp_p99_ns, ttsp_max_ns;
  uint64_t tasks_created, tasks_alive;
  uint32_t threads, max_procs;
  uint64_t blocking_calls;
  uint32_t blocking_threads, blocking_pending;
} tri_stats;

void tri_get_stats(const tri_runtime* rt, tri_stats* out);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* TRICOLOR_TRICOLOR_TASKS_H_ */
