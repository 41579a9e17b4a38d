/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 tricolor authors
 *
 * The C11 API, seventh part: waits of tasks, attached threads and plain threads
 * for each other, and timers. Include tricolor/tricolor.h. wait.h, park.h,
 * mutex.h, semaphore.h and timer.h are the same in C++, and say more.
 *
 * `mu` is the caller's Mutator in managed code, who suspends [gc]; or NULL on a
 * thread that is not in managed code, which blocks. A deadline is a time of
 * tri_now_ns(): TRI_NEVER, or 0 for a call that does not wait at all. The forms
 * without one are not ended by tri_cancel(), so they return nothing.
 *
 * Objects are a few words, may lie anywhere, also in cells, are initialised by
 * their macro, and are not copied, nor freed before every call on them has
 * returned.
 */
#ifndef TRICOLOR_TRICOLOR_WAIT_H_
#define TRICOLOR_TRICOLOR_WAIT_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tricolor/detail/mutator.h"

#ifdef __cplusplus
extern "C" {
#endif

/* How a wait has ended: tricolor::WaitResult. */
enum {
  TRI_WAIT_OK = 0,
  TRI_WAIT_CLOSED = 1, /* the channel is closed (and empty, for a receiver) */
  TRI_WAIT_TIMEOUT = 2,
  TRI_WAIT_CANCELLED = 3
};

#define TRI_NEVER UINT64_MAX
uint64_t tri_now_ns(void);
/* That many nanoseconds from now on; what is beyond the end of time is never.
 */
static inline uint64_t tri_deadline_in(uint64_t ns) {
  const uint64_t now = tri_now_ns();
  return ns < TRI_NEVER - now ? now + ns : TRI_NEVER;
}

/* [gc] TRI_WAIT_OK when the time has come, or TRI_WAIT_CANCELLED. */
int tri_sleep_until(tri_mutator* mu, uint64_t deadline_ns);

/* [gc] Parks the calling task until tri_ready() with what `commit` is given,
 * which runs when the task has left its stack; false: it stays awake. Of these
 * an embedder makes waits of its own. */
typedef bool (*tri_park_commit_fn)(void* parked, void* ctx);
void tri_park(tri_mutator* mu, tri_park_commit_fn commit, void* ctx);
void tri_ready(tri_mutator* mu, void* parked);

/* The words of an object that is waited for. */
typedef struct tri_wait_queue {
  uint64_t lock;
  void* first;
  void* last;
} tri_wait_queue;
#define TRI_WAIT_QUEUE_INIT \
  { (uint64_t)18 << 32, 0, 0 }

/* --- A mutex. Not recursive. */

typedef struct tri_mutex {
  uint32_t state;
  tri_wait_queue queue;
} tri_mutex;
#define TRI_MUTEX_INIT \
  { 0, TRI_WAIT_QUEUE_INIT }

void tri_mutex_lock(tri_mutator* mu, tri_mutex* mutex);
int tri_mutex_lock_until(tri_mutator* mu, tri_mutex* mutex,
                         uint64_t deadline_ns);
bool tri_mutex_try_lock(tri_mutex* mutex);
void tri_mutex_unlock(tri_mutator* mu, tri_mutex* mutex);

/* --- Many readers or one writer; first come, first served. */

typedef struct tri_rw_mutex {
  uint32_t state;
  tri_wait_queue queue;
} tri_rw_mutex;
#define TRI_RW_MUTEX_INIT \
  { 0, TRI_WAIT_QUEUE_INIT }

void tri_rw_mutex_lock(tri_mutator* mu, tri_rw_mutex* mutex);
void tri_rw_mutex_lock_shared(tri_mutator* mu, tri_rw_mutex* mutex);
int tri_rw_mutex_lock_until(tri_mutator* mu, tri_rw_mutex* mutex,
                            uint64_t deadline_ns);
int tri_rw_mutex_lock_shared_until(tri_mutator* mu, tri_rw_mutex* mutex,
                                   uint64_t deadline_ns);
void tri_rw_mutex_unlock(tri_mutator* mu, tri_rw_mutex* mutex);
void tri_rw_mutex_unlock_shared(tri_mutator* mu, tri_rw_mutex* mutex);

/* --- A condition that a mutex guards: to be tested in a loop. */

typedef struct tri_cond {
  tri_wait_queue queue;
} tri_cond;
#define TRI_COND_INIT \
  { TRI_WAIT_QUEUE_INIT }

void tri_cond_wait(tri_mutator* mu, tri_cond* cond, tri_mutex* mutex);
int tri_cond_wait_until(tri_mutator* mu, tri_cond* cond, tri_mutex* mutex,
                        uint64_t deadline_ns);
void tri_cond_notify_one(tri_mutator* mu, tri_cond* cond);
void tri_cond_notify_all(tri_mutator* mu, tri_cond* cond);

/* --- A count of permits. release may be called from anywhere. */

typedef struct tri_semaphore {
  uint64_t permits;
  tri_wait_queue queue;
} tri_semaphore;
#define TRI_SEMAPHORE_INIT(permits) \
  { (permits), TRI_WAIT_QUEUE_INIT }

void tri_semaphore_acquire(tri_mutator* mu, tri_semaphore* s, uint64_t n);
int tri_semaphore_acquire_until(tri_mutator* mu, tri_semaphore* s, uint64_t n,
                                uint64_t deadline_ns);
bool tri_semaphore_try_acquire(tri_semaphore* s, uint64_t n);
void tri_semaphore_release(tri_mutator* mu, tri_semaphore* s, uint64_t n);

/* --- Waits until as many have said done as were added. */

typedef struct tri_wait_group {
  uint64_t count;
  tri_wait_queue queue;
} tri_wait_group;
#define TRI_WAIT_GROUP_INIT \
  { 0, TRI_WAIT_QUEUE_INIT }

void tri_wait_group_add(tri_wait_group* group, uint64_t n);
void tri_wait_group_done(tri_mutator* mu, tri_wait_group* group);
void tri_wait_group_wait(tri_mutator* mu, tri_wait_group* group);
int tri_wait_group_wait_until(tri_mutator* mu, tri_wait_group* group,
                              uint64_t deadline_ns);

/* --- Calls a function once, however many ask; all return when it has. */

typedef struct tri_once {
  uint32_t state;
  const void* runner;
  tri_wait_queue queue;
} tri_once;
#define TRI_ONCE_INIT \
  { 0, 0, TRI_WAIT_QUEUE_INIT }

/* fn may suspend, but neither call it again nor leave by longjmp or goexit. */
void tri_once_call(tri_mutator* mu, tri_once* once,
                   void (*fn)(tri_mutator* mu, void* arg), void* arg);

/* --- A timer: calls a function at a time, outside of managed code, on any
 * thread of the runtime, one call at a time. timer.h says what it may do. */

struct tri_runtime;
typedef struct tri_timer {
  uint64_t words[10]; /* private */
} tri_timer;

void tri_timer_init(tri_timer* timer, struct tri_runtime* rt,
                    void (*fn)(void* ctx), void* ctx);
/* Once, at the time or a little later; instead of an earlier start. mu: NULL,
 * or that of the calling task, which is quicker. Does not suspend. */
void tri_timer_start(tri_mutator* mu, tri_timer* timer, uint64_t deadline_ns);
/* True: it will not fire. False: it was not started, or has fired. */
bool tri_timer_stop(tri_timer* timer);
/* Stops it; its memory is the caller's again. Not inside its function. */
void tri_timer_end(tri_timer* timer);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* TRICOLOR_TRICOLOR_WAIT_H_ */
