// SPDX-License-Identifier: MIT
//
// The peer `bdwgc` of the workload mark: the same graphs, collected by
// GC_gcollect(). The arguments and the output are those of
// bench/workloads/mark.cc; the environment sets the number of markers.

#include <gc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct Node {
  struct Node* edges[2];
} Node;

static void* root;  // Static data is scanned.

static uint64_t random_state = 0x9e3779b97f4a7c15;

static uint64_t below(uint64_t n) {
  random_state ^= random_state << 13;
  random_state ^= random_state >> 7;
  random_state ^= random_state << 17;
  return random_state % n;
}

static void* allocate(size_t bytes) {
  void* p = GC_MALLOC(bytes);  // Comes zeroed.
  if (p == NULL) abort();
  return p;
}

static Node* build_tree(int depth) {
  Node* node = allocate(sizeof(Node));
  if (depth > 0) {
    node->edges[0] = build_tree(depth - 1);
    node->edges[1] = build_tree(depth - 1);
  }
  return node;
}

static uint64_t count_tree(const Node* node) {
  if (node == NULL) return 0;
  return 1 + count_tree(node->edges[0]) + count_tree(node->edges[1]);
}

static void* build_graph(size_t bytes, size_t edges, uint64_t count, int list) {
  void*** nodes = allocate(count * sizeof(void*));
  for (uint64_t i = 0; i < count; i++) nodes[i] = allocate(bytes);
  uint32_t* order = malloc(count * sizeof(uint32_t));
  if (order == NULL) abort();
  for (uint64_t i = 0; i < count; i++) order[i] = (uint32_t)i;
  for (uint64_t i = count - 1; !list && i > 0; i--) {
    uint64_t j = below(i + 1);
    uint32_t other = order[j];
    order[j] = order[i];
    order[i] = other;
  }
  for (uint64_t i = 0; i < count; i++) {
    void** node = nodes[order[i]];
    node[0] = nodes[order[i + 1 == count ? 0 : i + 1]];
    for (size_t e = 1; e < edges && !list; e++) node[e] = nodes[below(count)];
  }
  free(order);
  void* first = nodes[0];
  GC_FREE(nodes);
  return first;
}

static uint64_t count_cycle(void** first) {
  uint64_t n = 0;
  void** node = first;
  do {
    n++;
    node = node[0];
  } while (node != first);
  return n;
}

static double now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int ascending(const void* a, const void* b) {
  const double x = *(const double*)a;
  const double y = *(const double*)b;
  return (x > y) - (x < y);
}

static int run(const char* shape, uint64_t count, int rounds) {
  const int tree = strcmp(shape, "tree") == 0;
  if (tree) {
    int depth = 0;
    while (((uint64_t)2 << depth) - 1 < count) depth++;
    count = ((uint64_t)2 << depth) - 1;
    root = build_tree(depth);
  } else if (strcmp(shape, "fan8") == 0) {
    root = build_graph(64, 8, count, 0);
  } else {
    root = build_graph(32, 2, count, strcmp(shape, "list") == 0);
  }
  double* full = malloc((size_t)rounds * sizeof(double));
  if (full == NULL) abort();
  GC_gcollect();
  for (int i = 0; i < rounds; i++) {
    const double begin = now_ns();
    GC_gcollect();
    full[i] = (now_ns() - begin) / (double)count;
  }
  qsort(full, (size_t)rounds, sizeof(double), ascending);
  printf("checksum mark %s: %llu\n", shape,
         (unsigned long long)(tree ? count_tree(root) : count_cycle(root)));
  printf("metric full_ns %.4f\n", full[rounds / 2]);
  free(full);
  return 0;
}

int main(int argc, char** argv) {
  GC_INIT();
  if (argc == 2 && strcmp(argv[1], "--smoke") == 0) {
    return run("tree", 1023, 1) | run("random", 1023, 1) |
           run("list", 1023, 1) | run("fan8", 1023, 1);
  }
  if (argc != 4) {
    fprintf(stderr, "usage: %s SHAPE COUNT ROUNDS | --smoke\n", argv[0]);
    return 2;
  }
  return run(argv[1], strtoull(argv[2], NULL, 10), atoi(argv[3]));
}
