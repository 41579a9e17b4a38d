/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 tricolor authors
 *
 * Cells in plain C variables: see README.md beside this file. What to look at
 * is what is missing: no TRI_FRAME and no tri_root, although nearly every line
 * may collect.
 */
#define _POSIX_C_SOURCE 200112L
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tricolor/tricolor.h"

#define CHECK(cond)                                              \
  do {                                                           \
    if (!(cond)) {                                               \
      fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #cond); \
      exit(1);                                                   \
    }                                                            \
  } while (0)

enum { kTasks = 6 };

static uint16_t node_layout, table_layout, bytes_layout;
static int depth = 14;

/* --- Binary trees. */

typedef struct node {
  struct node* left;
  struct node* right;
  uint64_t id;
} node;

static node* make_tree(tri_mutator* mu, int levels, uint64_t id) {
  node* n = tri_allocate(mu, node_layout, sizeof(node));
  n->id = id;
  if (levels > 0) {
    /* n lives over two calls that collect many times. */
    tri_store(mu, (void**)&n->left, make_tree(mu, levels - 1, 2 * id));
    tri_store(mu, (void**)&n->right, make_tree(mu, levels - 1, 2 * id + 1));
  }
  return n;
}

static int64_t count_tree(node* n, uint64_t id) {
  if (n == NULL) return 0;
  if (n->id != id) return INT64_MIN / 2;
  return 1 + count_tree(tri_load((void**)&n->left), 2 * id) +
         count_tree(tri_load((void**)&n->right), 2 * id + 1);
}

static void check_tree(node* n, int levels) {
  CHECK(count_tree(n, 1) == ((int64_t)2 << levels) - 1);
}

/* --- A hash table of strings, chained through nodes of its own. */

typedef struct entry {
  struct entry* next;
  char* key; /* a cell of bytes */
  uint64_t value;
} entry;

typedef struct table {
  entry** buckets; /* a cell of pointers */
  uint64_t size;   /* of buckets, a power of two */
  uint64_t count;
} table;

static uint16_t entry_layout, buckets_layout;

static uint64_t hash(const char* key) {
  uint64_t h = 14695981039346656037u;
  for (; *key != 0; ++key) h = (h ^ (unsigned char)*key) * 1099511628211u;
  return h ^ h >> 29;
}

static table* make_table(tri_mutator* mu) {
  table* t = tri_allocate(mu, table_layout, sizeof(table));
  t->size = 4;
  tri_store(mu, (void**)&t->buckets,
            tri_allocate(mu, buckets_layout, t->size * sizeof(entry*)));
  return t;
}

static void grow(tri_mutator* mu, table* t) {
  const uint64_t size = 2 * t->size;
  entry** to = tri_allocate(mu, buckets_layout, size * sizeof(entry*));
  for (uint64_t i = 0; i < t->size; ++i) {
    entry* e = tri_load((void**)&t->buckets[i]);
    while (e != NULL) {
      entry* next = tri_load((void**)&e->next);
      entry** bucket = &to[hash(e->key) & (size - 1)];
      tri_store(mu, (void**)&e->next, *bucket);
      tri_store(mu, (void**)bucket, e);
      e = next;
      tri_poll(mu);
    }
  }
  tri_store(mu, (void**)&t->buckets, to);
  t->size = size;
}

static entry* find(table* t, const char* key) {
  entry* e = tri_load((void**)&t->buckets[hash(key) & (t->size - 1)]);
  while (e != NULL && strcmp(e->key, key) != 0) e = tri_load((void**)&e->next);
  return e;
}

static void put(tri_mutator* mu, table* t, const char* key, uint64_t value) {
  if (t->count == t->size) grow(mu, t);
  entry* e = tri_allocate(mu, entry_layout, sizeof(entry));
  char* copy = tri_allocate(mu, bytes_layout, strlen(key) + 1);
  strcpy(copy, key);
  tri_store(mu, (void**)&e->key, copy);
  e->value = value;
  entry** bucket = &t->buckets[hash(key) & (t->size - 1)];
  tri_store(mu, (void**)&e->next, *bucket);
  tri_store(mu, (void**)bucket, e);
  t->count++;
}

static void check_tables(tri_mutator* mu) {
  const uint64_t n = (uint64_t)1 << (depth > 10 ? 10 : depth);
  table* t = make_table(mu);
  char key[32];
  for (uint64_t i = 0; i < n; ++i) {
    snprintf(key, sizeof(key), "key %d", (int)i);
    put(mu, t, key, i);
  }
  for (uint64_t i = 0; i < n; ++i) {
    snprintf(key, sizeof(key), "key %d", (int)i);
    entry* e = find(t, key);
    CHECK(e != NULL && e->value == i);
  }
}

/* --- A pointer into the middle is all that is left. */

static void check_interior(tri_mutator* mu) {
  enum { kWords = 1000 };
  uint64_t* words = tri_allocate(mu, bytes_layout, kWords * sizeof(uint64_t));
  for (uint64_t i = 0; i < kWords; ++i) words[i] = i;
  uint64_t* volatile middle = words + kWords / 2;
  words = NULL;
  check_tree(make_tree(mu, depth / 2, 1), depth / 2);
  tri_collect(mu);
  for (int64_t i = -kWords / 2; i < kWords / 2; ++i) {
    CHECK(middle[i] == (uint64_t)(i + kWords / 2));
  }
}

/* --- Tasks. */

typedef struct gift {
  node* tree; /* a plain argument: the new task's stack is scanned, too */
  int levels;
} gift;

static void rest(void* ns) {
  struct timespec t = {0, *(long*)ns};
  nanosleep(&t, NULL);
}

static void work(tri_mutator* mu) {
  node* kept = make_tree(mu, depth / 2, 1);
  for (int levels = 0; levels <= depth; levels += 2) {
    check_tree(make_tree(mu, levels, 1), levels);
    tri_yield(mu);
  }
  long ns = 100000;
  tri_call_native(mu, rest, &ns);
  check_tables(mu);
  check_interior(mu);
  tri_sleep_ns(mu, 100000);
  check_tree(kept, depth / 2);
}

static void* task_main(tri_mutator* mu, void** roots, void* plain) {
  gift g;
  (void)roots;
  memcpy(&g, plain, sizeof(g));
  work(mu);
  check_tree(g.tree, g.levels);
  return make_tree(mu, g.levels, 1);
}

typedef struct session {
  node* tree; /* in a variable of main(), which waits in tri_runtime_run */
} session;

static void run(tri_mutator* mu, void* ctx) {
  session* s = ctx;
  tri_task tasks[kTasks];
  s->tree = make_tree(mu, depth / 2, 1);
  for (int i = 0; i < kTasks; ++i) {
    gift g = {make_tree(mu, i, 1), i};
    tasks[i] = tri_spawn(mu, task_main, NULL, 0, &g, sizeof(g), 0);
  }
  work(mu);
  for (int i = 0; i < kTasks; ++i) check_tree(tri_join(mu, tasks[i]), i);
  check_tree(s->tree, depth / 2);
}

static void* thread_main(void* arg) {
  tri_runtime* rt = arg;
  tri_mutator* mu = tri_attach(rt);
  tri_enter_managed(mu);
  work(mu);
  tri_leave_managed(mu);
  tri_detach_thread(rt, mu);
  return NULL;
}

/* --- Where the pointers in cells are. */

static uint16_t layout(tri_runtime* rt, const char* name, uint32_t bytes,
                       const uint32_t* offsets, size_t n, int tail) {
  tri_layout_spec spec = TRI_LAYOUT_SPEC_INIT;
  tri_error error;
  spec.name = name;
  spec.head_bytes = bytes;
  spec.pointer_offsets = offsets;
  spec.pointer_count = n;
  spec.tail = tail;
  const uint16_t id = tri_layout_register(rt, &spec, &error);
  CHECK(id != 0);
  return id;
}

static void register_layouts(tri_runtime* rt) {
  const uint32_t first[] = {0};
  const uint32_t two[] = {0, 8};
  node_layout = layout(rt, "node", sizeof(node), two, 2, TRI_TAIL_NONE);
  entry_layout = layout(rt, "entry", sizeof(entry), two, 2, TRI_TAIL_NONE);
  table_layout = layout(rt, "table", sizeof(table), first, 1, TRI_TAIL_NONE);
  buckets_layout = layout(rt, "buckets", 0, NULL, 0, TRI_TAIL_POINTERS);
  bytes_layout = layout(rt, "bytes", 0, NULL, 0, TRI_TAIL_NOSCAN);
}

int main(int argc, char** argv) {
  tri_options options = TRI_OPTIONS_INIT;
  tri_error error;
  tri_stats stats;
  pthread_t thread;
  options.max_procs = argc > 1 ? (uint32_t)atoi(argv[1]) : 2;
  if (argc > 2) depth = atoi(argv[2]);
  options.conservative_stacks = true;
  tri_runtime* rt = tri_runtime_create(&options, &error);
  if (rt == NULL) {
    fprintf(stderr, "%s\n", error.text);
    return 1;
  }
  register_layouts(rt);
  session s = {NULL};
  CHECK(pthread_create(&thread, NULL, thread_main, rt) == 0);
  tri_runtime_run(rt, run, &s);
  CHECK(pthread_join(thread, NULL) == 0);
  tri_get_stats(rt, &stats);
  printf("ok: %llu cycles, %llu MiB allocated\n",
         (unsigned long long)stats.cycles,
         (unsigned long long)(stats.allocated_bytes >> 20));
  tri_runtime_destroy(rt);
  return 0;
}
