// SPDX-License-Identifier: MIT
//
// The peer `bdwgc` of the workload gcbench: GC_MALLOC for nodes,
// GC_MALLOC_ATOMIC for what has no pointers, one thread per mutator. The heap
// is fixed by GC_MAXIMUM_HEAP_SIZE; the arguments and the output are those of
// bench/workloads/gcbench.cc.

#define GC_THREADS
#include <gc.h>
#include <pthread.h>

#include "../measure/bdwgc.h"

typedef struct Node {
  struct Node* left;
  struct Node* right;
  int i, j;
} Node;

typedef struct Mutator {
  pthread_t thread;
  uint64_t random;
  uint64_t nodes, hole_words, long_lived;
  Gap gap;
} Mutator;

enum { kMutatorsMax = 16 };

static int max_depth;
static size_t doubles;
static Mutator mutators[kMutatorsMax];

static Node* new_node(Mutator* m) {
  uint64_t bits = random_next(&m->random) & 511;
  uint64_t words = bits & -bits;
  if (words > 1) {
    uint64_t* hole = checked(GC_MALLOC_ATOMIC(words * 8));
    hole[0] = words;
    hole[words - 1] = words;
    m->hole_words += *(volatile uint64_t*)hole;
  }
  if ((++m->nodes & 63) == 0) gap_look(&m->gap);
  return checked(GC_MALLOC(sizeof(Node)));
}

static void populate(Mutator* m, Node* at, int depth) {
  if (depth == 0) return;
  at->left = new_node(m);
  at->right = new_node(m);
  populate(m, at->left, depth - 1);
  populate(m, at->right, depth - 1);
}

static Node* build(Mutator* m, int depth) {
  if (depth == 0) return new_node(m);
  Node* left = build(m, depth - 1);
  Node* right = build(m, depth - 1);
  Node* top = new_node(m);
  top->left = left;
  top->right = right;
  return top;
}

static uint64_t count(const Node* at) {
  return at == NULL ? 0 : 1 + count(at->left) + count(at->right);
}

static void* run(void* arg) {
  Mutator* m = arg;
  Node* long_lived = new_node(m);
  populate(m, long_lived, max_depth);
  double* array = checked(GC_MALLOC_ATOMIC(doubles * sizeof(double)));
  for (size_t i = 0; i < doubles; i++) array[i] = 1.0 / (double)(i + 1);
  for (int depth = 4; depth <= max_depth; depth += 2) {
    long trees = 1L << (max_depth + 4 - depth);
    Node* volatile tree = NULL;
    for (long i = 0; i < trees; i++) {
      tree = new_node(m);
      populate(m, tree, depth);
    }
    for (long i = 0; i < trees; i++) tree = build(m, depth);
  }
  m->long_lived = count(long_lived);
  if (array[doubles / 2] != 1.0 / (double)(doubles / 2 + 1)) m->long_lived = 0;
  return NULL;
}

int main(int argc, char** argv) {
  if (argc != 5) {
    fprintf(stderr, "usage: %s MUTATORS HEAP_BYTES DEPTH DOUBLES\n", argv[0]);
    return 2;
  }
  uint64_t begin_ns = now_ns();
  int n = atoi(argv[1]);
  if (n < 1 || n > kMutatorsMax) return 2;
  max_depth = atoi(argv[3]);
  doubles = strtoull(argv[4], NULL, 10);
  start();
  Mutator sum = {0};
  for (int i = 0; i < n; i++) {
    mutators[i].random = random_seed((uint64_t)i);
    if (pthread_create(&mutators[i].thread, NULL, run, &mutators[i])) return 1;
  }
  for (int i = 0; i < n; i++) {
    Mutator* m = &mutators[i];
    pthread_join(m->thread, NULL);
    sum.nodes += m->nodes;
    sum.hole_words += m->hole_words;
    sum.long_lived += m->long_lived;
    if (m->gap.max_ns > sum.gap.max_ns) sum.gap.max_ns = m->gap.max_ns;
  }
  double work_s = (double)(now_ns() - begin_ns) / 1e9;
  printf("checksum gcbench %d: nodes=%llu holes=%llu long=%llu\n", n,
         (unsigned long long)sum.nodes, (unsigned long long)sum.hole_words,
         (unsigned long long)sum.long_lived);
  printf("metric work_s %.6f\n", work_s);
  printf("metric pause_max_us %.3f\n", (double)stop_max_ns / 1e3);
  printf("metric gap_max_us %.3f\n", (double)sum.gap.max_ns / 1e3);
  return 0;
}
