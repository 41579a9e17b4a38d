/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 tricolor authors
 *
 * The C API, from a C11 program that links without libstdc++: channels of
 * cells, encoded words and plain bytes, select, futures, coroutines, all while
 * the heap is collected. Exits non-zero, with the line, at the first thing that
 * is wrong.
 */
#include "tricolor/tricolor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

enum { kSends = 300 };
#define MS 1000000u

static uint16_t number_layout;
static uint8_t odd; /* words that are odd refer to cells, at word - 1 */

static void* number(tri_mutator* mu, uint64_t n) {
  uint64_t* cell = tri_allocate(mu, number_layout, 16);
  cell[0] = n;
  return cell;
}
static uint64_t number_of(const void* cell) { return *(const uint64_t*)cell; }
static uint64_t as_word(const void* cell) { return (uint64_t)cell + 1; }
static void* as_cell(uint64_t word) { return (void*)(word - 1); }

static tri_channel* cells(tri_mutator* mu, size_t n) {
  return tri_channel_make(mu, n);
}

/* roots[0]: a channel of cells; sends the numbers from 0 on, then closes. */
static void* sends_cells(tri_mutator* mu, void** roots, void* plain) {
  (void)plain;
  for (uint64_t i = 0; i < kSends; ++i) {
    void* cell = number(mu, i); /* sent next, so not rooted here */
    CHECK(tri_send(mu, roots[0], &cell, TRI_NEVER) == TRI_WAIT_OK);
    if (i % 50 == 0) tri_collect(mu);
  }
  CHECK(tri_channel_close(mu, roots[0]));
  CHECK(!tri_channel_close(mu, roots[0]));
  void* none = NULL;
  CHECK(tri_send(mu, roots[0], &none, TRI_NEVER) == TRI_WAIT_CLOSED);
  return NULL;
}

static void test_cells(tri_mutator* mu, size_t capacity) {
  TRI_FRAME(mu, 2);
  root[0] = cells(mu, capacity);
  CHECK(tri_channel_capacity(root[0]) == capacity);
  CHECK(tri_channel_size(root[0]) == 0);
  CHECK(tri_receive(mu, root[0], &root[1], 0) == TRI_WAIT_TIMEOUT);
  tri_task task = tri_spawn(mu, sends_cells, root, 1, NULL, 0, 0);
  for (uint64_t i = 0; i < kSends; ++i) {
    CHECK(tri_receive(mu, root[0], &root[1], TRI_NEVER) == TRI_WAIT_OK);
    if (i % 70 == 0) tri_collect(mu);
    CHECK(number_of(root[1]) == i);
  }
  CHECK(tri_receive(mu, root[0], &root[1], TRI_NEVER) == TRI_WAIT_CLOSED);
  tri_join(mu, task);
}

static void* sends_words(tri_mutator* mu, void** roots, void* plain) {
  (void)plain;
  for (uint64_t i = 0; i < kSends; ++i) {
    uint64_t word = i % 3 == 0 ? 2 * i : as_word(number(mu, i));
    CHECK(tri_send(mu, roots[0], &word, TRI_NEVER) == TRI_WAIT_OK);
    if (i % 50 == 0) tri_collect(mu);
  }
  return NULL;
}

static void test_words(tri_mutator* mu, size_t capacity) {
  TRI_FRAME(mu, 2);
  root[0] = tri_channel_make_words(mu, capacity, odd);
  tri_task task = tri_spawn(mu, sends_words, root, 1, NULL, 0, 0);
  for (uint64_t i = 0; i < kSends; ++i) {
    uint64_t word;
    if (i % 70 == 0) tri_sleep_ns(mu, MS); /* the queue fills */
    CHECK(tri_receive(mu, root[0], &word, TRI_NEVER) == TRI_WAIT_OK);
    if (i % 3 == 0) {
      CHECK(word == 2 * i);
      continue;
    }
    root[1] = as_cell(word);
    if (i % 7 == 0) tri_collect(mu);
    CHECK(number_of(root[1]) == i);
  }
  tri_join(mu, task);
}

struct order {
  uint64_t id;
  char what[16];
};

static void test_plain(tri_mutator* mu) {
  TRI_FRAME(mu, 1);
  root[0] = tri_channel_make_plain(mu, 2, sizeof(struct order));
  struct order order = {1, "first"};
  CHECK(tri_send(mu, root[0], &order, 0) == TRI_WAIT_OK);
  order.id = 2;
  CHECK(tri_send(mu, root[0], &order, 0) == TRI_WAIT_OK);
  CHECK(tri_send(mu, root[0], &order, 0) == TRI_WAIT_TIMEOUT);
  CHECK(tri_channel_size(root[0]) == 2);
  for (uint64_t id = 1; id <= 2; ++id) {
    struct order got = {0, ""};
    CHECK(tri_receive(mu, root[0], &got, TRI_NEVER) == TRI_WAIT_OK);
    CHECK(got.id == id && strcmp(got.what, "first") == 0);
  }
}

/* roots: a channel of cells and one of words, of which one is ready. */
static void* selects(tri_mutator* mu, void** roots, void* plain) {
  (void)plain;
  for (uint64_t i = 0; i < kSends; ++i) {
    void* cell = number(mu, i);
    uint64_t word = as_word(cell);
    tri_select_case cases[2] = {{roots[0], &cell, true},
                                {roots[1], &word, true}};
    int result = -1;
    CHECK(tri_select(mu, cases, 2, TRI_NEVER, &result) < 2);
    CHECK(result == TRI_WAIT_OK);
  }
  return NULL;
}

static void test_select(tri_mutator* mu) {
  TRI_FRAME(mu, 4);
  root[0] = cells(mu, 0);
  root[1] = tri_channel_make_words(mu, 1, odd);
  tri_task task = tri_spawn(mu, selects, root, 2, NULL, 0, 0);
  for (uint64_t i = 0; i < kSends; ++i) {
    uint64_t word = 0;
    root[2] = NULL;
    tri_select_case cases[3] = {{NULL, NULL, true},
                                {root[0], &root[2], false},
                                {root[1], &word, false}};
    int result = -1;
    const size_t which = tri_select(mu, cases, 3, TRI_NEVER, &result);
    CHECK(result == TRI_WAIT_OK && (which == 1 || which == 2));
    if (which == 2) root[2] = as_cell(word);
    if (i % 20 == 0) tri_collect(mu);
    CHECK(number_of(root[2]) <= i + 1); /* a queue of one may be passed */
  }
  tri_join(mu, task);

  int result = -1;
  tri_select_case none[1] = {{root[0], &root[2], false}};
  CHECK(tri_select(mu, none, 1, 0, &result) == TRI_SELECT_NONE);
  CHECK(result == TRI_WAIT_TIMEOUT);
  tri_channel_close(mu, root[0]);
  CHECK(tri_select(mu, none, 1, TRI_NEVER, &result) == 0);
  CHECK(result == TRI_WAIT_CLOSED);

  /* All the cases there may be, of which the last is a time. */
  root[3] = tri_channel_make_plain(mu, 1, sizeof(uint64_t));
  const uint64_t when = tri_deadline_in(MS);
  tri_send_at(mu, when, root[3]);
  tri_select_case many[TRI_SELECT_MAX];
  uint64_t time = 0;
  memset(many, 0, sizeof(many));
  many[TRI_SELECT_MAX - 1].channel = root[3];
  many[TRI_SELECT_MAX - 1].value = &time;
  CHECK(tri_select(mu, many, TRI_SELECT_MAX, TRI_NEVER, &result) ==
        TRI_SELECT_MAX - 1);
  CHECK(time == when && tri_now_ns() >= when);
}

static void* reads_future(tri_mutator* mu, void** roots, void* plain) {
  (void)plain;
  void* cell = NULL;
  CHECK(tri_future_get(mu, roots[0], &cell, TRI_NEVER) == TRI_WAIT_OK);
  return cell;
}

static void test_future(tri_mutator* mu) {
  TRI_FRAME(mu, 3);
  root[0] = tri_future_make(mu);
  CHECK(tri_future_get(mu, root[0], &root[1], 0) == TRI_WAIT_TIMEOUT);
  tri_task task = tri_spawn(mu, reads_future, root, 1, NULL, 0, 0);
  tri_sleep_ns(mu, MS);
  root[1] = number(mu, 9);
  CHECK(tri_future_set(mu, root[0], &root[1]));
  CHECK(!tri_future_set(mu, root[0], &root[1]));
  CHECK(tri_join(mu, task) == root[1]);
  root[1] = NULL;
  tri_collect(mu);
  CHECK(tri_future_get(mu, root[0], &root[1], 0) == TRI_WAIT_OK);
  CHECK(number_of(root[1]) == 9);

  root[0] = tri_future_make_words(mu, odd);
  uint64_t word = as_word(root[1]);
  CHECK(tri_future_set(mu, root[0], &word));
  root[1] = NULL;
  tri_collect(mu);
  CHECK(tri_future_get(mu, root[0], &word, 0) == TRI_WAIT_OK);
  CHECK(number_of(as_cell(word)) == 9);
  root[0] = tri_future_make_plain(mu, 3);
  char text[3] = "no";
  CHECK(tri_future_set(mu, root[0], "ok"));
  CHECK(tri_future_get(mu, root[0], text, 0) == TRI_WAIT_OK);
  CHECK(strcmp(text, "ok") == 0);
}

/* Yields new numbers, the sums of all it has been given. arg: the first. */
static void sum_up(tri_mutator* mu, void* sum, int depth) {
  TRI_FRAME(mu, 1);
  root[0] = sum;
  void* next = tri_coroutine_yield(mu, root[0]);
  if (depth > 0) {
    root[0] = number(mu, number_of(root[0]) + number_of(next));
    sum_up(mu, root[0], depth - 1);
  }
}

static void* generate(tri_mutator* mu, tri_coroutine* self, void* arg,
                      void* user) {
  CHECK(tri_is_yieldable(mu) && tri_coroutine_running(mu) == self);
  CHECK(tri_coroutine_status(self) == TRI_COROUTINE_RUNNING);
  sum_up(mu, arg, *(int*)user);
  return arg;
}

static void test_coroutine(tri_mutator* mu) {
  TRI_FRAME(mu, 2);
  CHECK(!tri_is_yieldable(mu) && tri_coroutine_running(mu) == NULL);
  int depth = 20;
  root[1] = number(mu, 1);
  root[0] = tri_coroutine_create(mu, generate, root[1], &depth, 0);
  CHECK(root[0] != NULL);
  root[1] = NULL;
  for (uint64_t i = 0; i <= 20; ++i) {
    CHECK(tri_coroutine_status(root[0]) == TRI_COROUTINE_SUSPENDED);
    void* given = number(mu, 2);
    CHECK(tri_coroutine_resume(mu, root[0], given, &root[1]) ==
          TRI_COROUTINE_SUSPENDED);
    tri_collect(mu);
    CHECK(number_of(root[1]) == 1 + 2 * i);
  }
  CHECK(tri_coroutine_resume(mu, root[0], NULL, &root[1]) ==
        TRI_COROUTINE_SUSPENDED);
  CHECK(number_of(root[1]) == 1); /* its arg, which was rooted */
  CHECK(tri_coroutine_status(root[0]) == TRI_COROUTINE_DEAD);
  root[1] = NULL;
  CHECK(tri_coroutine_resume(mu, root[0], NULL, &root[1]) ==
        TRI_COROUTINE_DEAD);
  CHECK(root[1] == NULL && !tri_coroutine_close(mu, root[0]));

  root[1] = number(mu, 1);
  root[0] = tri_coroutine_create(mu, generate, root[1], &depth, 128 << 10);
  CHECK(tri_coroutine_resume(mu, root[0], NULL, &root[1]) ==
        TRI_COROUTINE_SUSPENDED);
  CHECK(tri_coroutine_close(mu, root[0]));
  CHECK(tri_coroutine_status(root[0]) == TRI_COROUTINE_DEAD);
}

static void run(tri_mutator* mu, void* ctx) {
  (void)ctx;
  for (size_t capacity = 0; capacity < 8; capacity += 3) {
    test_cells(mu, capacity);
    test_words(mu, capacity);
  }
  test_plain(mu);
  test_select(mu);
  test_future(mu);
  for (int i = 0; i < 20; ++i) test_coroutine(mu);
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
  number_layout = tri_layout_register(rt, &spec, &error);
  CHECK(number_layout != 0);
  tri_encoding encoding = TRI_ENCODING_INIT;
  encoding.kind = TRI_ENCODING_TAG_SET;
  encoding.tag_mask = 1;
  encoding.tag_set[0] = 2;
  encoding.payload_mask = ~(uint64_t)15;
  odd = tri_encoding_register(rt, &encoding, &error);
  CHECK(odd != TRI_INVALID_ENCODING);
  tri_runtime_run(rt, run, NULL);
  tri_runtime_destroy(rt);
  return 0;
}
