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

#include "check.h"

struct node {
  struct node* left;
  struct node* right;
  uint64_t id;
};

static uint16_t node_layout;
static uint16_t custom_layout;
static uint16_t bytes_layout;
static uint16_t entries_layout;
static uint16_t pairs_layout;

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

static int custom_user; /* its address: what trace and on_dead get */
static int custom_dead;

static void trace_custom(tri_tracer* tracer, void* cell, size_t cell_bytes,
                         void* user) {
  CHECK(cell_bytes >= 16);
  CHECK(user == &custom_user);
  tri_visit(tracer, tri_load((void**)cell));
  tri_visit_words(tracer, (uint64_t*)cell + 1, 1, TRI_RAW_POINTERS);
}

static void custom_died(void* cell, size_t cell_bytes, void* user) {
  CHECK(cell != NULL && cell_bytes == 16);
  CHECK(user == &custom_user);
  __atomic_fetch_add(&custom_dead, 1, __ATOMIC_RELAXED);
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

static void test_requests(tri_mutator* mu, tri_runtime* rt) {
  tri_stats before, now;
  tri_get_stats(rt, &before);
  tri_gc_disable(rt);
  tri_gc_disable(rt);
  tri_gc_enable(rt);
  tri_request_collect(mu);
  tri_runtime_request_collect(rt);
  tri_step(mu, 100);
  tri_get_stats(rt, &now);
  CHECK(now.cycles_forced == before.cycles_forced);
  tri_gc_enable(rt);
  for (int i = 0; i < 100000; ++i) {
    tri_step(mu, 100);
    tri_get_stats(rt, &now);
    if (now.cycles_forced == before.cycles_forced + 1) break;
  }
  CHECK(now.cycles_forced == before.cycles_forced + 1);
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
  tri_store(mu, &((void**)root[0])[1], new_node(mu, 78));
  tri_collect(mu);
  CHECK(((struct node*)tri_load((void**)root[0]))->id == 77);
  CHECK(((struct node*)tri_load((void**)root[0] + 1))->id == 78);
  tri_cell_info info;
  CHECK(tri_find_cell(rt, root[0], &info));
  CHECK(info.user == &custom_user && strcmp(info.name, "custom") == 0);
  CHECK(tri_layout_user(rt, custom_layout) == &custom_user);
  CHECK(strcmp(tri_layout_name(rt, custom_layout), "custom") == 0);
  CHECK(custom_dead == 0);
  root[0] = NULL;
  tri_collect(mu);
  tri_collect(mu);
  CHECK(__atomic_load_n(&custom_dead, __ATOMIC_RELAXED) == 1);
}

/* {key, value, hash}: a pointer, a tagged word, a number. */
struct entry {
  struct node* key;
  uint64_t value;
  uint64_t hash;
};

static int live_nodes(tri_mutator* mu) {
  tri_layout_stats by_layout[32];
  tri_collect(mu);
  CHECK(tri_get_layout_stats(mu, by_layout, 32) <= 32);
  return (int)by_layout[node_layout].cells;
}

static void test_encoded(tri_mutator* mu) {
  TRI_FRAME(mu, 2);
  const int before = live_nodes(mu);
  root[0] = tri_allocate(mu, entries_layout, 1000 * sizeof(struct entry));
  for (int i = 0; i < 1000; i += 10) {
    struct entry* e = (struct entry*)root[0] + i;
    tri_store(mu, (void**)&e->key, new_node(mu, 1));
    void* cell = new_node(mu, 2);
    tri_store_word(mu, &e->value, NULL, (uint64_t)cell | 5, cell);
    e->hash = (uint64_t)new_node(mu, 3); /* a number: it dies */
  }
  CHECK(live_nodes(mu) == before + 200);
  struct entry* e = root[0];
  tri_store_word(mu, &e->value, (void*)(e->value - 5), e->value - 1, NULL);
  CHECK(live_nodes(mu) == before + 199);
  CHECK(e->key->id == 1 && ((struct node*)(e[10].value - 5))->id == 2);

  root[0] = tri_allocate(mu, pairs_layout, 10 * 16);
  for (int i = 0; i < 10; ++i) {
    void* cell = new_node(mu, 4);
    const uint64_t pair[2] = {i == 3 ? 6 : 5, (uint64_t)cell};
    tri_store_pair(mu, (uint64_t*)root[0] + 2 * i, NULL, pair,
                   i == 3 ? NULL : cell);
  }
  CHECK(live_nodes(mu) == before + 9);
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

static int finalized;
static void finalize(tri_mutator* mu, void* object, void* data) {
  (void)mu;
  CHECK(object != NULL && data == &finalized);
  finalized++;
}

/* Weak words, an ephemeron, finalizers: as the C++ tests, but in C. */
static void test_weak_words_and_finalizers(tri_mutator* mu, tri_runtime* rt) {
  tri_error error = {0};
  const uint8_t raw = TRI_RAW_POINTERS;
  const uint16_t weak = tri_weak_array_register(rt, TRI_WEAK, raw, &error);
  const uint16_t pairs =
      tri_weak_array_register(rt, TRI_EPHEMERON, raw, &error);
  CHECK(weak != 0 && pairs != 0);
  CHECK(tri_weak_array_register(rt, 77, raw, &error) == 0);
  CHECK(strstr(error.text, "strength is 77") != NULL);
  TRI_FRAME(mu, 4);
  uint64_t* w = root[0] = tri_allocate(mu, weak, 16 + 2 * 8);
  uint64_t* p = root[1] = tri_allocate(mu, pairs, 16 + 16);
  struct node* kept = root[2] = new_node(mu, 1);
  tri_weak_store(mu, &w[2], raw, (uint64_t)kept);
  tri_weak_store(mu, &w[3], raw, (uint64_t)new_node(mu, 2));
  tri_ephemeron_store(mu, &p[2], raw, (uint64_t)kept, raw,
                      (uint64_t)new_node(mu, 3));
  root[3] = tri_long_weak_make(mu, kept);
  tri_collect(mu);
  CHECK(tri_weak_load(mu, &w[2], raw, 0) == (uint64_t)kept);
  CHECK(tri_weak_load(mu, &w[3], raw, 0) == 0 && w[1] == 1);
  CHECK(((struct node*)tri_weak_load(mu, &p[3], raw, 0))->id == 3);
  tri_set_finalizer_order(rt, TRI_NEWEST_FIRST);
  CHECK(tri_try_add_finalizer(mu, kept, finalize, &finalized));
  CHECK(tri_has_finalizer(mu, kept) && tri_cancel_finalizer(mu, kept));
  CHECK(tri_try_add_finalizer(mu, kept, finalize, &finalized));
  root[2] = NULL;
  tri_collect(mu);
  CHECK(tri_weak_load(mu, &w[2], raw, 0) == 0 && w[1] == 2);
  CHECK(tri_weak_get(mu, root[3]) == kept && tri_finalizers_queued(rt) == 1);
  tri_finalizable next;
  CHECK(tri_take_finalizable(mu, &next) && next.object == kept);
  CHECK(next.fn == finalize && next.data == &finalized);
  CHECK(!tri_take_finalizable(mu, &next));
  CHECK(tri_try_add_finalizer(mu, kept, finalize, &finalized));
  CHECK(tri_finalize_all(mu, 8) == 1 && finalized == 1);
  CHECK(tri_run_finalizers(mu, 1) == 0);
  CHECK(tri_weak_get(mu, root[3]) == NULL);
  CHECK(tri_weak_load(mu, &p[2], raw, 7) == 0 && p[1] == 1);
}

static void run(tri_mutator* mu, void* ctx) {
  test_jumping_out_of_frames(mu);
  test_tasks_and_weak(mu);
  test_release_and_grow(mu);
  test_inspect_and_profile(mu, ctx);
  test_requests(mu, ctx);
  test_roots_and_exchange(mu, ctx);
  test_encoded(mu);
  test_weak_words_and_finalizers(mu, ctx);
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
  tri_layout_spec spec = TRI_LAYOUT_SPEC_INIT;
  spec.name = "node";
  spec.head_bytes = sizeof(struct node);
  spec.pointer_offsets = offsets;
  spec.pointer_count = 2;
  tri_error error = {0};
  node_layout = tri_layout_register(rt, &spec, &error);
  CHECK(node_layout != 0);

  tri_layout_spec custom = TRI_LAYOUT_SPEC_INIT;
  custom.name = "custom";
  custom.head_bytes = 16;
  custom.trace = trace_custom;
  custom.on_dead = custom_died;
  custom.user = &custom_user;
  custom_layout = tri_layout_register(rt, &custom, &error);
  CHECK(custom_layout != 0);
  CHECK(tri_layout_register(rt, &custom, &error) == custom_layout);

  tri_layout_spec bytes = TRI_LAYOUT_SPEC_INIT;
  bytes.name = "bytes";
  bytes.tail = TRI_TAIL_NOSCAN;
  bytes_layout = tri_layout_register(rt, &bytes, &error);
  CHECK(bytes_layout != 0);

  CHECK(tri_layout_register(rt, NULL, &error) == 0);
  CHECK(strstr(error.text, "is null") != NULL);
  const uint32_t bad[] = {12};
  spec.pointer_offsets = bad;
  spec.pointer_count = 1;
  CHECK(tri_layout_register(rt, &spec, &error) == 0);
  CHECK(strstr(error.text, "pointer_offsets[0] = 12") != NULL);

  tri_layout_spec pairs = TRI_LAYOUT_SPEC_INIT;
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

static void register_encoded(tri_runtime* rt) {
  tri_error error = {0};
  tri_encoding e = TRI_ENCODING_INIT;
  e.kind = TRI_ENCODING_TAG_SET;
  e.tag_mask = 15;
  e.tag_set[0] = 1 << 5;
  CHECK(tri_encoding_register(rt, &e, &error) == TRI_INVALID_ENCODING);
  CHECK(strstr(error.text, "payload_mask") != NULL);
  e.payload_mask = ~(uint64_t)15;
  const uint8_t low = tri_encoding_register(rt, &e, &error);
  CHECK(low != TRI_INVALID_ENCODING);
  e.stride = 16 + 256; /* not 16 */
  CHECK(tri_encoding_register(rt, &e, &error) == TRI_INVALID_ENCODING);
  CHECK(strstr(error.text, "stride") != NULL);
  e.stride = 16;
  const uint8_t pairs = tri_encoding_register(rt, &e, &error);
  CHECK(pairs != TRI_INVALID_ENCODING && pairs != low);
  CHECK(tri_encoding_register(rt, NULL, &error) == TRI_INVALID_ENCODING);
  e.size = 0;
  CHECK(tri_encoding_register(rt, &e, NULL) == TRI_INVALID_ENCODING);

  const uint32_t key[] = {offsetof(struct entry, key)};
  const uint32_t value[] = {offsetof(struct entry, value)};
  tri_layout_spec spec = TRI_LAYOUT_SPEC_INIT;
  spec.name = "entries";
  spec.encoding = low;
  spec.tail = TRI_TAIL_ELEMENTS;
  spec.tail_stride = sizeof(struct entry);
  spec.tail_pointer_offsets = key;
  spec.tail_pointer_count = 1;
  spec.tail_encoded_offsets = value;
  spec.tail_encoded_count = 1;
  entries_layout = tri_layout_register(rt, &spec, &error);
  CHECK(entries_layout != 0);
  spec.tail_stride = 0;
  CHECK(tri_layout_register(rt, &spec, &error) == 0);
  CHECK(strstr(error.text, "'entries': tail is kElements") != NULL);

  tri_layout_spec values = TRI_LAYOUT_SPEC_INIT;
  values.name = "pairs";
  values.encoding = pairs;
  values.tail = TRI_TAIL_ENCODED;
  pairs_layout = tri_layout_register(rt, &values, &error);
  CHECK(pairs_layout != 0);
  const uint32_t odd[] = {8};
  values.head_bytes = 32;
  values.encoded_offsets = odd;
  values.encoded_count = 1;
  CHECK(tri_layout_register(rt, &values, &error) == 0);
  CHECK(strstr(error.text, "encoded_offsets[0] = 8") != NULL);
}

static void trace_wrong(tri_tracer* tracer, void* cell, size_t cell_bytes,
                        void* user) {
  (void)cell_bytes;
  (void)user;
  tri_visit(tracer, cell);
}

/* What is refused leaves nothing behind. */
static void test_refused(tri_runtime* rt) {
  tri_error error = {0};
  CHECK(tri_layout_register(rt, NULL, &error) == 0);
  CHECK(strstr(error.text, "tri_layout_register: the argument is null") !=
        NULL);
  CHECK(tri_layout_register(rt, NULL, NULL) == 0);
  tri_layout_spec spec = {0};
  CHECK(tri_layout_register(rt, &spec, &error) == 0);
  CHECK(strstr(error.text, "size is 0") != NULL);
  spec.size = 2;
  CHECK(tri_layout_register(rt, &spec, &error) == 0);
  CHECK(strstr(error.text, "size is that of no version") != NULL);

  /* A caller with a later header, and with an earlier one. */
  struct {
    tri_layout_spec known;
    uint64_t later;
  } newer = {TRI_LAYOUT_SPEC_INIT, 0};
  newer.known.size = sizeof(newer);
  newer.known.head_bytes = 48;
  CHECK(tri_layout_register(rt, &newer.known, &error) != 0);
  newer.later = 1;
  CHECK(tri_layout_register(rt, &newer.known, &error) == 0);
  CHECK(strstr(error.text, "older than the header") != NULL);
  tri_layout_spec older = TRI_LAYOUT_SPEC_INIT;
  older.size = offsetof(tri_layout_spec, pointer_offsets);
  older.head_bytes = 56;
  older.tail = 200; /* not part of it */
  CHECK(tri_layout_register(rt, &older, &error) != 0);

  tri_layout_spec wrong = TRI_LAYOUT_SPEC_INIT;
  wrong.name = "wrong";
  wrong.head_bytes = 16;
  wrong.trace = trace_wrong;
  CHECK(tri_layout_register(rt, &wrong, &error) == 0);
  CHECK(strstr(error.text, "'wrong': trace, tried on") != NULL);
  tri_stats before, after;
  tri_get_stats(rt, &before);
  for (int i = 0; i < 20000; ++i) {
    CHECK(tri_layout_register(rt, &wrong, &error) == 0);
  }
  tri_get_stats(rt, &after);
  CHECK(after.memory_bytes <= before.memory_bytes + (64 << 10));
}

int main(void) {
  test_bad_arguments();
  tri_options options = TRI_OPTIONS_INIT;
  options.on_out_of_memory = jump_out;
  options.on_out_of_memory_ctx = &no_memory;
  options.max_procs = 2;
  options.initial_heap_bytes = 1 << 20;
  CHECK(options.gc_worker_percent == 25 && options.gc_idle_workers);
  CHECK(options.huge_pages == TRI_HUGE_PAGES_TABLES);
  options.assist_policy = TRI_ASSIST_BOUNDED;
  options.assist_budget_us = 100;
  tri_error error = {0};
  tri_runtime* rt = tri_runtime_create(&options, &error);
  if (rt == NULL) {
    fprintf(stderr, "%s\n", error.text);
    return 1;
  }
  register_layouts(rt);
  register_encoded(rt);
  test_refused(rt);
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
  static tri_gc_metrics metrics;
  tri_read_gc_metrics(rt, &metrics);
  CHECK(metrics.cycles == stats.cycles);
  CHECK(metrics.pauses.count >= 2 * metrics.cycles);
  CHECK(tri_histogram_percentile(&metrics.pauses, 1000) <=
        metrics.pauses.max_ns);
  tri_runtime_destroy(rt);
  return 0;
}
