/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 tricolor authors
 *
 * The C API, from a C11 program that links without libstdc++: what it asks of
 * the collector: stretches without safepoints, cells traced in a stop. Exits
 * non-zero, with the line, at the first thing that is wrong.
 */
#include "tricolor/tricolor.h"

#include <stdio.h>
#include <stdlib.h>

#include "check.h"

struct node {
  struct node* next;
};

static uint16_t node_layout;

static struct node* list(tri_mutator* mu, int n) {
  TRI_FRAME(mu, 1);
  for (int i = 0; i < n; ++i) {
    struct node* fresh = tri_allocate(mu, node_layout, sizeof(struct node));
    tri_store_init(mu, (void**)&fresh->next, root[0]);
    root[0] = fresh;
  }
  return root[0];
}

static int count(struct node* n) {
  int all = 0;
  for (; n != NULL; n = tri_load((void**)&n->next)) ++all;
  return all;
}

static void test_no_safepoint(tri_mutator* mu) {
  TRI_FRAME(mu, 1);
  root[0] = list(mu, 15);
  const bool outer = tri_no_safepoint_begin(mu);
  const bool inner = tri_no_safepoint_begin(mu);
  CHECK(outer && !inner);
  CHECK(count(root[0]) == 15);
  tri_no_safepoint_end(mu, inner);
  tri_no_safepoint_end(mu, outer);
  root[0] = list(mu, 31);
  tri_collect(mu);
  CHECK(count(root[0]) == 31);
}

/* Its pointer is in memory of ours, which the trace function finds quiet. */
typedef struct bag {
  void** item;
} bag;

static void trace_bag(tri_tracer* tracer, void* cell, size_t bytes,
                      void* user) {
  (void)bytes;
  (void)user;
  if (((bag*)cell)->item != NULL) tri_visit(tracer, *((bag*)cell)->item);
}

static void test_deferred(tri_mutator* mu, tri_runtime* rt) {
  tri_layout_spec spec = TRI_LAYOUT_SPEC_INIT;
  spec.name = "bag";
  spec.head_bytes = sizeof(bag);
  spec.trace = trace_bag;
  spec.deferred = true;
  tri_error error;
  const uint16_t layout = tri_layout_register(rt, &spec, &error);
  CHECK(layout != 0);
  TRI_FRAME(mu, 1);
  root[0] = tri_allocate(mu, layout, sizeof(bag));
  void* item = NULL;
  ((bag*)root[0])->item = &item;
  void* fresh = list(mu, 63);
  tri_shade(mu, fresh);
  item = fresh;
  tri_collect(mu);
  CHECK(count(item) == 63);
}

static void run(tri_mutator* mu, void* ctx) {
  test_no_safepoint(mu);
  test_deferred(mu, ctx);
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
  const uint32_t offsets[] = {0};
  tri_layout_spec spec = TRI_LAYOUT_SPEC_INIT;
  spec.name = "node";
  spec.head_bytes = sizeof(struct node);
  spec.pointer_offsets = offsets;
  spec.pointer_count = 1;
  node_layout = tri_layout_register(rt, &spec, &error);
  CHECK(node_layout != 0);
  tri_runtime_run(rt, run, rt);
  tri_runtime_destroy(rt);
  return 0;
}
