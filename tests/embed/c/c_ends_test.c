/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 tricolor authors
 *
 * The C API, from a C11 program that links without libstdc++: how tasks end,
 * their names, calls on other stacks and threads. Exits non-zero, with the
 * line, at the first thing that is wrong.
 */
#include "tricolor/tricolor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

static uint16_t layout;

static void* exits(tri_mutator* mu, void** roots, void* plain) {
  int how;
  memcpy(&how, plain, sizeof(how));
  CHECK(*(uint64_t*)roots[0] == 7);
  tri_set_task_name(mu, "exits");
  CHECK(strcmp(tri_task_name(mu), "exits") == 0);
  tri_yield(mu);
  if (how == TRI_OUTCOME_EXITED) tri_goexit(mu);
  if (how == TRI_OUTCOME_FAILED) tri_exit_with_error(mu, tri_task_id(mu));
  return roots[0];
}

static int failures; /* told of, without a joiner */
static void failed(tri_runtime* rt, const tri_task_failure* failure,
                   void* ctx) {
  CHECK(rt != NULL && ctx == &failures);
  CHECK(failure->code == failure->task && strcmp(failure->name, "exits") == 0);
  CHECK(strncmp(failure->what, "error ", 6) == 0);
  __atomic_fetch_add(&failures, 1, __ATOMIC_RELAXED);
}

static void test_ends(tri_mutator* mu) {
  TRI_FRAME(mu, 2);
  root[0] = tri_allocate(mu, layout, 16);
  *(uint64_t*)root[0] = 7;
  for (int how = TRI_OUTCOME_VALUE; how <= TRI_OUTCOME_FAILED; ++how) {
    tri_task t = tri_spawn(mu, exits, root, 1, &how, sizeof(how), 0);
    uint64_t code = 1;
    CHECK(tri_try_join(mu, t, &root[1], &code) == how);
    CHECK(root[1] == (how == TRI_OUTCOME_VALUE ? root[0] : NULL));
    CHECK(code == (how == TRI_OUTCOME_FAILED ? t.id : 0));
    tri_collect(mu);
  }
  int how = TRI_OUTCOME_FAILED;
  tri_detach(tri_spawn(mu, exits, root, 1, &how, sizeof(how), 0));
  while (__atomic_load_n(&failures, __ATOMIC_RELAXED) < 1) tri_yield(mu);
  CHECK(tri_join(mu, tri_spawn(mu, exits, root, 1, &how, sizeof(how), 0)) ==
        NULL);
  CHECK(__atomic_load_n(&failures, __ATOMIC_RELAXED) == 2);
}

static void fill_frame(void* arg) {
  volatile char frame[300000]; /* more than a task has */
  for (size_t i = 0; i < sizeof(frame); i += 1000) frame[i] = 1;
  ++*(int*)arg;
}

static void test_elsewhere(tri_mutator* mu, tri_runtime* rt) {
  int calls = 0;
  tri_on_system_stack(mu, fill_frame, &calls);
  tri_blocking(mu, fill_frame, &calls);
  tri_enter_native(mu);
  tri_on_system_stack(mu, fill_frame, &calls);
  tri_leave_native(mu);
  CHECK(calls == 3);
  tri_stats stats;
  tri_get_stats(rt, &stats);
  CHECK(stats.blocking_calls == 1 && stats.blocking_threads == 1);
}

static void run(tri_mutator* mu, void* rt) {
  for (int i = 0; i < 100; ++i) {
    failures = 0;
    test_ends(mu);
  }
  test_elsewhere(mu, rt);
  tri_goexit(mu);
}

int main(void) {
  tri_options options = TRI_OPTIONS_INIT;
  options.on_task_failure = failed;
  options.on_task_failure_ctx = &failures;
  CHECK(options.blocking_threads == 64);
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
