/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 tricolor authors
 *
 * The C API, from a C11 program that links without libstdc++: waits of tasks,
 * an attached thread and a plain thread for each other, deadlines,
 * cancellation, park and ready, timers. Exits non-zero, with the line, at the
 * first thing that is wrong.
 */
#include "tricolor/tricolor.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

enum { kTasks = 4, kTurns = 200 };
#define MS 1000000u

/* Counted under the mutex by tasks, an attached thread and a plain one. */
static tri_mutex mutex = TRI_MUTEX_INIT;
static tri_cond changed = TRI_COND_INIT;
static int count;
static tri_wait_group group = TRI_WAIT_GROUP_INIT;

static void add_turns(tri_mutator* mu) {
  for (int i = 0; i < kTurns; ++i) {
    tri_mutex_lock(mu, &mutex);
    const int seen = count;
    if (mu != NULL) tri_yield(mu);
    count = seen + 1;
    tri_mutex_unlock(mu, &mutex);
    tri_cond_notify_all(mu, &changed);
  }
  tri_wait_group_done(mu, &group);
}

static void* task_adds(tri_mutator* mu, void** roots, void* plain) {
  (void)roots;
  (void)plain;
  add_turns(mu);
  return NULL;
}

static void* thread_adds(void* rt) {
  if (rt == NULL) {
    add_turns(NULL);
    return NULL;
  }
  tri_mutator* mu = tri_attach(rt);
  tri_enter_managed(mu);
  add_turns(mu);
  tri_leave_managed(mu);
  tri_detach_thread(rt, mu);
  return NULL;
}

static void test_mutex(tri_mutator* mu, tri_runtime* rt) {
  count = 0;
  const int all = (kTasks + 2) * kTurns;
  tri_wait_group_add(&group, kTasks + 2);
  for (int i = 0; i < kTasks; ++i) {
    tri_detach(tri_spawn(mu, task_adds, NULL, 0, NULL, 0, 0));
  }
  pthread_t attached;
  pthread_t plain;
  CHECK(pthread_create(&attached, NULL, thread_adds, rt) == 0);
  CHECK(pthread_create(&plain, NULL, thread_adds, NULL) == 0);
  tri_mutex_lock(mu, &mutex);
  CHECK(!tri_mutex_try_lock(&mutex));
  while (count < all) tri_cond_wait(mu, &changed, &mutex);
  CHECK(tri_cond_wait_until(mu, &changed, &mutex, 0) == TRI_WAIT_TIMEOUT);
  tri_mutex_unlock(mu, &mutex);
  tri_wait_group_wait(mu, &group);
  CHECK(tri_wait_group_wait_until(mu, &group, 0) == TRI_WAIT_OK);
  tri_enter_native(mu);
  CHECK(pthread_join(attached, NULL) == 0 && pthread_join(plain, NULL) == 0);
  tri_leave_native(mu);
  CHECK(count == all);
}

static tri_rw_mutex rw = TRI_RW_MUTEX_INIT;
static tri_semaphore permits = TRI_SEMAPHORE_INIT(2);

static void test_deadlines(tri_mutator* mu) {
  const uint64_t soon = tri_deadline_in(2 * MS);
  CHECK(tri_deadline_in(TRI_NEVER) == TRI_NEVER);
  CHECK(tri_mutex_lock_until(mu, &mutex, 0) == TRI_WAIT_OK);
  CHECK(tri_mutex_lock_until(mu, &mutex, soon) == TRI_WAIT_TIMEOUT);
  CHECK(tri_now_ns() >= soon);
  tri_mutex_unlock(mu, &mutex);

  tri_rw_mutex_lock_shared(mu, &rw);
  CHECK(tri_rw_mutex_lock_shared_until(mu, &rw, 0) == TRI_WAIT_OK);
  CHECK(tri_rw_mutex_lock_until(mu, &rw, 0) == TRI_WAIT_TIMEOUT);
  tri_rw_mutex_unlock_shared(mu, &rw);
  tri_rw_mutex_unlock_shared(mu, &rw);
  tri_rw_mutex_lock(mu, &rw);
  CHECK(tri_rw_mutex_lock_shared_until(mu, &rw, 0) == TRI_WAIT_TIMEOUT);
  tri_rw_mutex_unlock(mu, &rw);

  tri_semaphore_acquire(mu, &permits, 2);
  CHECK(!tri_semaphore_try_acquire(&permits, 1));
  CHECK(tri_semaphore_acquire_until(mu, &permits, 1, tri_deadline_in(MS)) ==
        TRI_WAIT_TIMEOUT);
  tri_semaphore_release(mu, &permits, 2);
  CHECK(tri_semaphore_try_acquire(&permits, 1));
  tri_semaphore_release(NULL, &permits, 1);
}

static tri_once once = TRI_ONCE_INIT;
static void only_once(tri_mutator* mu, void* arg) {
  if (mu != NULL) tri_yield(mu);
  ++*(int*)arg;
}

static void* task_once(tri_mutator* mu, void** roots, void* plain) {
  (void)roots;
  int* calls;
  memcpy(&calls, plain, sizeof(calls));
  tri_once_call(mu, &once, only_once, calls);
  CHECK(*calls == 1);
  return NULL;
}

static void test_once(tri_mutator* mu) {
  static int calls; /* all see the same, now or later */
  int* to = &calls;
  tri_task tasks[kTasks];
  for (int i = 0; i < kTasks; ++i) {
    tasks[i] = tri_spawn(mu, task_once, NULL, 0, &to, sizeof(to), 0);
  }
  for (int i = 0; i < kTasks; ++i) tri_join(mu, tasks[i]);
  tri_once_call(NULL, &once, only_once, &calls);
  CHECK(calls == 1);
}

/* A wait of our own: one task parks, another readies it. */
static void* parked;
static bool publish(void* task, void* ctx) {
  CHECK(ctx == &parked);
  __atomic_store_n(&parked, task, __ATOMIC_RELEASE);
  return true;
}
static bool stay(void* task, void* ctx) { return task == ctx; }

static void* task_parks(tri_mutator* mu, void** roots, void* plain) {
  (void)plain;
  tri_park(mu, stay, NULL); /* does not suspend */
  tri_park(mu, publish, &parked);
  return roots[0];
}

static void test_park(tri_mutator* mu, uint16_t layout) {
  TRI_FRAME(mu, 1);
  root[0] = tri_allocate(mu, layout, 16);
  parked = NULL;
  tri_task task = tri_spawn(mu, task_parks, root, 1, NULL, 0, 0);
  void* who;
  while ((who = __atomic_load_n(&parked, __ATOMIC_ACQUIRE)) == NULL) {
    tri_yield(mu);
  }
  CHECK(tri_wait_for(mu, task, tri_deadline_in(MS)) == TRI_WAIT_TIMEOUT);
  tri_ready(mu, who);
  CHECK(tri_wait_for(mu, task, TRI_NEVER) == TRI_WAIT_OK);
  CHECK(tri_join(mu, task) == root[0]);
}

static void* task_cancelled(tri_mutator* mu, void** roots, void* plain) {
  (void)roots;
  (void)plain;
  CHECK(!tri_is_cancelled(mu));
  CHECK(tri_sleep_until(mu, TRI_NEVER) == TRI_WAIT_CANCELLED);
  CHECK(tri_is_cancelled(mu));
  CHECK(tri_mutex_lock_until(mu, &mutex, TRI_NEVER) == TRI_WAIT_CANCELLED);
  return NULL;
}

static void test_cancel(tri_mutator* mu) {
  tri_mutex_lock(mu, &mutex);
  tri_task task = tri_spawn(mu, task_cancelled, NULL, 0, NULL, 0, 0);
  CHECK(tri_wait_for(mu, task, tri_deadline_in(MS)) == TRI_WAIT_TIMEOUT);
  tri_cancel(task);
  tri_join(mu, task);
  tri_mutex_unlock(mu, &mutex);
}

static tri_semaphore fired = TRI_SEMAPHORE_INIT(0);
static void fire(void* ctx) {
  CHECK(ctx == &fired);
  tri_semaphore_release(NULL, &fired, 1);
}

static void test_timer(tri_mutator* mu, tri_runtime* rt) {
  tri_timer timer;
  tri_timer_init(&timer, rt, fire, &fired);
  CHECK(!tri_timer_stop(&timer));
  tri_timer_start(mu, &timer, tri_deadline_in(1000000 * (uint64_t)MS));
  CHECK(tri_timer_stop(&timer));
  const uint64_t when = tri_deadline_in(MS);
  tri_timer_start(NULL, &timer, when);
  tri_semaphore_acquire(mu, &fired, 1);
  CHECK(tri_now_ns() >= when);
  tri_timer_start(mu, &timer, 0);
  tri_semaphore_acquire(mu, &fired, 1);
  CHECK(!tri_timer_stop(&timer));
  tri_timer_end(&timer);
  CHECK(!tri_semaphore_try_acquire(&fired, 1));
}

static uint16_t layout;

static void run(tri_mutator* mu, void* rt) {
  for (int i = 0; i < 5; ++i) {
    test_mutex(mu, rt);
    test_deadlines(mu);
    test_once(mu);
    test_park(mu, layout);
    test_cancel(mu);
    test_timer(mu, rt);
    tri_collect(mu);
  }
}

int main(void) {
  tri_options options = TRI_OPTIONS_INIT;
  options.max_procs = 2;
  tri_error error = {0};
  tri_runtime* rt = tri_runtime_create(&options, &error);
  if (rt == NULL) {
    fprintf(stderr, "%s\n", error.text);
    return 1;
  }
  tri_layout_spec spec = TRI_LAYOUT_SPEC_INIT;
  spec.name = "number";
  spec.head_bytes = 16;
  layout = tri_layout_register(rt, &spec, &error);
  CHECK(layout != 0);
  tri_runtime_run(rt, run, rt);
  tri_runtime_destroy(rt);
  return 0;
}
