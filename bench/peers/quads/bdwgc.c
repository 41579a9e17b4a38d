// SPDX-License-Identifier: MIT
//
// The peer `bdwgc` of the workload quads: every node is a GC_MALLOC, one thread
// per mutator. The heap is fixed by GC_MAXIMUM_HEAP_SIZE; the arguments and the
// output are those of bench/workloads/quads.cc.

#define GC_THREADS
#include <gc.h>
#include <pthread.h>

#include "../measure/bdwgc.h"

typedef struct Quad {
  struct Quad* kids[4];
} Quad;

typedef struct Mutator {
  pthread_t thread;
  uint64_t quads, long_lived;
  Gap gap;
} Mutator;

enum { kMutatorsMax = 16, kRounds = 20, kSmallDepth = 3 };
enum { kSmallQuads = 1 + 4 + 16 + 64 };

static int max_depth;
static uint64_t small_per_round;
static Mutator mutators[kMutatorsMax];

static Quad* new_quad(Mutator* m) {
  if ((++m->quads & 63) == 0) gap_look(&m->gap);
  return checked(GC_MALLOC(sizeof(Quad)));
}

static void fill(Mutator* m, Quad* at, int depth) {
  if (depth == 0) return;
  for (int i = 0; i < 4; i++) {
    at->kids[i] = new_quad(m);
    fill(m, at->kids[i], depth - 1);
  }
}

static Quad* build(Mutator* m, int depth) {
  Quad* top = new_quad(m);
  fill(m, top, depth);
  return top;
}

// 0 if a node is missing.
static uint64_t count(const Quad* at, int depth) {
  if (depth == 0) return 1;
  uint64_t n = 1;
  for (int i = 0; i < 4; i++) {
    uint64_t below = at->kids[i] == NULL ? 0 : count(at->kids[i], depth - 1);
    if (below == 0) return 0;
    n += below;
  }
  return n;
}

static void* run(void* arg) {
  Mutator* m = arg;
  Quad* large = build(m, max_depth);
  Quad* volatile small = NULL;
  for (int round = 0; round < kRounds; round++) {
    for (uint64_t i = 0; i < small_per_round; i++) {
      small = build(m, kSmallDepth);
    }
  }
  (void)small;
  m->long_lived = count(large, max_depth);
  return NULL;
}

int main(int argc, char** argv) {
  if (argc != 4) {
    fprintf(stderr, "usage: %s MUTATORS HEAP_BYTES DEPTH\n", argv[0]);
    return 2;
  }
  uint64_t begin_ns = now_ns();
  int n = atoi(argv[1]);
  if (n < 1 || n > kMutatorsMax) return 2;
  max_depth = atoi(argv[3]);
  small_per_round = strtoull(argv[2], NULL, 10) / (uint64_t)n * 13 / 100 /
                    (kSmallQuads * sizeof(Quad));
  start();
  Mutator sum = {0};
  for (int i = 0; i < n; i++) {
    if (pthread_create(&mutators[i].thread, NULL, run, &mutators[i])) return 1;
  }
  for (int i = 0; i < n; i++) {
    Mutator* m = &mutators[i];
    pthread_join(m->thread, NULL);
    sum.quads += m->quads;
    sum.long_lived += m->long_lived;
    if (m->gap.max_ns > sum.gap.max_ns) sum.gap.max_ns = m->gap.max_ns;
  }
  double work_s = (double)(now_ns() - begin_ns) / 1e9;
  printf("checksum quads %d: quads=%llu long=%llu\n", n,
         (unsigned long long)sum.quads, (unsigned long long)sum.long_lived);
  printf("metric work_s %.6f\n", work_s);
  printf("metric pause_max_us %.3f\n", (double)stop_max_ns / 1e3);
  printf("metric gap_max_us %.3f\n", (double)sum.gap.max_ns / 1e3);
  return 0;
}
