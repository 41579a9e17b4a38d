/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 tricolor authors
 *
 * The C API from a C11 program that links without libstdc++: layouts, frames,
 * barriered stores, tasks, weak references, attached threads, statistics, cells
 * given back and resized.
 * Exits non-zero, with the line, at the first thing that is wrong.
 */
#include "tricolor/tricolor.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(cond)                                              \
  do {                                                           \
    if (!(cond)) {                                               \
      fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #cond); \
      exit(1);                                                   \
    }                                                            \
  } while (0)

struct node {
  struct node* left;
  struct node* right;
  uint64_t id;
};

static uint16_t node_layout;
static uint16_t custom_layout;
static uint16_t bytes_layout;

static struct node* new_node(tri_mutator* mu, uint64_t id) {
  struct node* n = tri_allocate(mu, node_layout, sizeof(struct node));
  n->id = id;
  return n;
}

static struct node* tree(tri_mutator* mu, int depth) {
  TRI_FRAME(mu, 1);
  root[0] = new_node(mu, (uint64_t)depth);
  if (depth > 0) {
    struct node* child = tree(mu, depth - 1);
    tri_store_init(mu, (void**)&((struct node*)root[0])->left, child);
    child = tree(mu, depth - 1);
    tri_store(mu, (void**)&((struct node*)root[0])->right, child);
  }
  return root[0];
}

static int count(struct node* n) {
  if (n == NULL) return 0;
  return 1 + count(tri_load((void**)&n->left)) +
         count(tri_load((void**)&n->right));
}

static void* count_task(tri_mutator* mu, void** roots, void* plain) {
  int extra;
  memcpy(&extra, plain, sizeof(extra));
  tri_yield(mu);
  struct node* n = new_node(mu, (uint64_t)(count(roots[0]) + extra));
  return n;
}

static void trace_custom(void* tracer, tri_visit visit, void* cell,
                         size_t cell_bytes) {
  CHECK(cell_bytes >= 16);
  visit(tracer, tri_load((void**)cell));
}

static void test_tasks_and_weak(tri_mutator* mu) {
  TRI_FRAME(mu, 3);
  root[0] = tree(mu, 10);
  int extra = 5;
  tri_task t = tri_spawn(mu, count_task, root, 1, &extra, sizeof(extra), 0);
  root[1] = tri_join(mu, t);
  CHECK(((struct node*)root[1])->id == 2047 + 5);

  root[2] = tri_weak_make(mu, root[1]);
  CHECK(tri_weak_get(mu, root[2]) == root[1]);
  tri_collect(mu);
  CHECK(tri_weak_get(mu, root[2]) == root[1]);
  root[1] = NULL;
  tri_collect(mu);
  CHECK(tri_weak_get(mu, root[2]) == NULL);
  CHECK(count(root[0]) == 2047);
}

static void test_roots_and_exchange(tri_mutator* mu, tri_runtime* rt) {
  void** global = tri_root_acquire(rt);
  tri_store(mu, global, tree(mu, 6));
  tri_collect(mu);
  CHECK(count(tri_load(global)) == 127);
  TRI_FRAME(mu, 1);
  root[0] = tri_exchange(mu, global, NULL);
  tri_collect(mu);
  CHECK(count(root[0]) == 127);
  tri_root_release(rt, global);

  void** box = tri_allocate(mu, custom_layout, 16);
  root[0] = box;
  tri_store(mu, box, new_node(mu, 77));
  tri_collect(mu);
  CHECK(((struct node*)tri_load((void**)root[0]))->id == 77);
}

static void test_release_and_grow(tri_mutator* mu) {
  TRI_FRAME(mu, 2);
  root[0] = tri_allocate(mu, bytes_layout, 64);
  memset(root[0], 7, 64);
  root[0] = tri_grow(mu, root[0], 1000);
  CHECK(((char*)root[0])[63] == 7 && ((char*)root[0])[64] == 0);
  CHECK(tri_try_grow_in_place(mu, root[0], 1000));
  root[0] = tri_try_grow(mu, root[0], 1 << 20);
  CHECK(root[0] != NULL && ((char*)root[0])[63] == 7);
  CHECK(tri_try_grow(mu, root[0], SIZE_MAX) == NULL);
  tri_shrink(mu, root[0], 100);
  CHECK(((char*)root[0])[63] == 7);
  void* dead = root[0];
  root[0] = NULL;
  tri_release(mu, dead);
  for (int i = 0; i < 1000; ++i) {
    struct node* n = new_node(mu, 1);
    CHECK(n->left == NULL && n->right == NULL);
    tri_release(mu, n);
  }
}

static void count_cell(const tri_cell_info* info, void* ctx) {
  if (info->layout == bytes_layout) ++*(int*)ctx;
}

static void count_sample(tri_mutator* mu, const tri_alloc_sample* sample,
                         void* ctx) {
  CHECK(mu != NULL && sample->cell != NULL);
  if (sample->layout == bytes_layout) ++*(int*)ctx;
}

static void test_inspect_and_profile(tri_mutator* mu, tri_runtime* rt) {
  TRI_FRAME(mu, 1);
  root[0] = tri_try_allocate_array(mu, bytes_layout, 10, 100);
  CHECK(tri_try_allocate_array(mu, bytes_layout, SIZE_MAX, 16) == NULL);
  tri_cell_info info;
  CHECK(tri_find_cell(rt, (char*)root[0] + 999, &info));
  CHECK(info.cell == root[0] && info.layout == bytes_layout);
  CHECK(strcmp(info.name, "bytes") == 0);
  CHECK(info.bytes == tri_cell_size(rt, root[0]));
  CHECK(!tri_find_cell(rt, rt, &info));
  tri_collect(mu);
  int cells = 0;
  tri_walk(mu, count_cell, &cells);
  CHECK(cells == 1);
  tri_layout_stats by_layout[16];
  CHECK(tri_get_layout_stats(mu, by_layout, 16) > bytes_layout);
  CHECK(by_layout[bytes_layout].cells == 1);
  tri_verify_heap(mu);

  int samples = 0;
  tri_set_alloc_profile(mu, count_sample, &samples, 1000, false);
  for (int i = 0; i < 100; ++i) tri_allocate(mu, bytes_layout, 96);
  tri_set_alloc_profile(mu, NULL, NULL, 0, false);
  CHECK(samples >= 8 && samples <= 10);

  tri_adjust_external(mu, 1 << 20);
  CHECK(tri_external_bytes(rt) == 1 << 20);
  tri_count_external(rt, -(1 << 20));
  CHECK(tri_external_bytes(rt) == 0);
}

static jmp_buf no_memory;

static void jump_out(tri_runtime* rt, size_t bytes, void* ctx) {
  CHECK(rt != NULL && bytes != 0 && ctx == &no_memory);
  longjmp(no_memory, 1);
}

/* Frames at every depth, more than the first chunk of slots has. */
static void* fill(tri_mutator* mu, int depth) {
  TRI_FRAME(mu, 8);
  root[0] = tri_allocate(mu, bytes_layout, 64);
  if (depth == 0) root[1] = tri_allocate(mu, bytes_layout, SIZE_MAX / 2);
  return depth == 0 ? root[1] : fill(mu, depth - 1);
}

/* In a function that has no frame, and no local that changes after setjmp. */
static __attribute__((noinline)) void jump_once(tri_mutator* mu) {
  const tri_mark mark = tri_frame_mark(mu);
  if (setjmp(no_memory) == 0) {
    fill(mu, 60);
    CHECK(!"an allocation of half the address space");
  }
  tri_frame_reset(mu, mark);
}

static void test_jumping_out_of_frames(tri_mutator* mu) {
  TRI_FRAME(mu, 1);
  root[0] = tree(mu, 6);
  void** const top = mu->shadow_top;
  for (int round = 0; round < 50; ++round) {
    jump_once(mu);
    CHECK(mu->shadow_top == top);
  }
  tri_collect(mu);
  CHECK(count(root[0]) == 127);
}

static void run(tri_mutator* mu, void* ctx) {
  test_jumping_out_of_frames(mu);
  test_tasks_and_weak(mu);
  test_release_and_grow(mu);
  test_inspect_and_profile(mu, ctx);
  test_roots_and_exchange(mu, ctx);
  for (int i = 0; i < 200; ++i) {
    tree(mu, 10);
    tri_poll(mu);
  }
  tri_sleep_ns(mu, 1000);
}

static void* foreign(void* arg) {
  tri_runtime* rt = arg;
  tri_error error = {0};
  tri_mutator* mu = tri_try_attach(rt, &error);
  CHECK(mu != NULL && mu == tri_attach(rt));
  tri_detach_thread(rt, mu);
  tri_enter_managed(mu);
  CHECK(count(tree(mu, 8)) == 511);
  tri_enter_native(mu);
  tri_leave_native(mu);
  tri_collect(mu);
  tri_leave_managed(mu);
  tri_detach_thread(rt, mu);
  return NULL;
}

static void register_layouts(tri_runtime* rt) {
  const uint32_t offsets[] = {offsetof(struct node, left),
                              offsetof(struct node, right)};
  tri_layout_spec spec = {0};
  spec.name = "node";
  spec.head_bytes = sizeof(struct node);
  spec.pointer_offsets = offsets;
  spec.pointer_count = 2;
  tri_error error = {0};
  node_layout = tri_layout_register(rt, &spec, &error);
  CHECK(node_layout != 0);

  tri_layout_spec custom = {0};
  custom.name = "custom";
  custom.head_bytes = 16;
  custom.trace = trace_custom;
  custom_layout = tri_layout_register(rt, &custom, &error);
  CHECK(custom_layout != 0);

  tri_layout_spec bytes = {0};
  bytes.name = "bytes";
  bytes.tail = TRI_TAIL_NOSCAN;
  bytes_layout = tri_layout_register(rt, &bytes, &error);
  CHECK(bytes_layout != 0);

  CHECK(tri_layout_register(rt, NULL, &error) == 0);
  CHECK(strstr(error.text, "spec is NULL") != NULL);
  const uint32_t bad[] = {12};
  spec.pointer_offsets = bad;
  spec.pointer_count = 1;
  CHECK(tri_layout_register(rt, &spec, &error) == 0);
  CHECK(strstr(error.text, "pointer_offsets[0] = 12") != NULL);

  tri_layout_spec pairs = {0};
  pairs.name = "pairs";
  pairs.tail = TRI_TAIL_POINTERS;
  pairs.tail_strength = TRI_EPHEMERON;
  CHECK(tri_layout_register(rt, &pairs, &error) != 0);
  pairs.head_bytes = 8;
  CHECK(tri_layout_register(rt, &pairs, &error) == 0);
  CHECK(strstr(error.text, "tail_strength is kEphemeron") != NULL);
  pairs.tail_strength = 258; /* not 2 */
  CHECK(tri_layout_register(rt, &pairs, &error) == 0);
  CHECK(strstr(error.text, "tail_strength is 255") != NULL);
}

/* What a zeroed struct, a struct of another version or no struct gets. */
static void test_bad_arguments(void) {
  tri_error error = {0};
  CHECK(tri_runtime_create(NULL, &error) == NULL);
  CHECK(error.code != 0 && strstr(error.text, "options is NULL") != NULL);
  CHECK(tri_runtime_create(NULL, NULL) == NULL);
  tri_options options;
  memset(&options, 0, sizeof(options));
  options.gc_percent = -77;
  CHECK(tri_runtime_create(&options, &error) == NULL);
  CHECK(strstr(error.text, "size 0") != NULL);
  const tri_options good = TRI_OPTIONS_INIT;
  options = good;
  options.size = sizeof(options) + 8;
  CHECK(tri_runtime_create(&options, &error) == NULL);
  options.size = 2;
  CHECK(tri_runtime_create(&options, &error) == NULL);
  CHECK(strstr(error.text, "size 2") != NULL);
}

int main(void) {
  test_bad_arguments();
  tri_options options = TRI_OPTIONS_INIT;
  options.on_out_of_memory = jump_out;
  options.on_out_of_memory_ctx = &no_memory;
  options.max_procs = 2;
  options.initial_heap_bytes = 1 << 20;
  tri_error error = {0};
  tri_runtime* rt = tri_runtime_create(&options, &error);
  if (rt == NULL) {
    fprintf(stderr, "%s\n", error.text);
    return 1;
  }
  register_layouts(rt);
  tri_runtime_run(rt, run, rt);
  pthread_t threads[4];
  for (int i = 0; i < 4; ++i) {
    CHECK(pthread_create(&threads[i], NULL, foreign, rt) == 0);
  }
  for (int i = 0; i < 4; ++i) pthread_join(threads[i], NULL);
  tri_stats stats;
  tri_get_stats(rt, &stats);
  CHECK(stats.cycles > 5);
  CHECK(stats.allocated_bytes > 1 << 20);
  tri_runtime_destroy(rt);
  return 0;
}
