// SPDX-License-Identifier: MIT
//
// Binary trees with explicit memory management: every node is a mi_malloc,
// every tree is freed node by node when it has been counted. Two threads pick
// the jobs. The peer `mimalloc` of the workload binary_trees; argv[1] is the
// depth of the long-lived tree. Prints the checksum line of bench/README.md.

#include <mimalloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

enum { kThreads = 2, kMaxJobs = 16, kDepthStep = 4 };

typedef struct Node {
  struct Node* left;
  struct Node* right;
} Node;

typedef struct Job {
  int depth;
  long trees;
  long nodes;  // Written by the one thread that picked the job.
} Job;

static Job jobs[kMaxJobs];
static int job_count;
static atomic_int next_job;

static Node* build(int depth) {
  Node* node = mi_malloc(sizeof(Node));
  if (node == NULL) abort();
  if (depth == 0) {
    node->left = node->right = NULL;
  } else {
    node->left = build(depth - 1);
    node->right = build(depth - 1);
  }
  return node;
}

static long count(const Node* node) {
  if (node->left == NULL) return 1;
  return 1 + count(node->left) + count(node->right);
}

static void drop(Node* node) {
  if (node->left != NULL) {
    drop(node->left);
    drop(node->right);
  }
  mi_free(node);
}

static void* work(void* unused) {
  (void)unused;
  int i;
  while ((i = atomic_fetch_add(&next_job, 1)) < job_count) {
    long nodes = 0;
    for (long t = 0; t < jobs[i].trees; t++) {
      Node* tree = build(jobs[i].depth);
      nodes += count(tree);
      drop(tree);
    }
    jobs[i].nodes = nodes;
  }
  return NULL;
}

int main(int argc, char** argv) {
  int max_depth = argc > 1 ? atoi(argv[1]) : 21;
  if (max_depth < 1 || max_depth > 40) {
    fprintf(stderr, "usage: %s DEPTH (1 to 40)\n", argv[0]);
    return 2;
  }
  Node* long_lived = build(max_depth);
  for (int depth = kDepthStep; depth < max_depth; depth += kDepthStep) {
    jobs[job_count++] = (Job){depth, 1L << (max_depth + 4 - depth), 0};
  }
  pthread_t threads[kThreads];
  for (int i = 0; i < kThreads; i++) {
    if (pthread_create(&threads[i], NULL, work, NULL) != 0) return 1;
  }
  for (int i = 0; i < kThreads; i++) pthread_join(threads[i], NULL);

  printf("checksum binary_trees %d:", max_depth);
  for (int i = 0; i < job_count; i++) {
    printf(" %d=%ld", jobs[i].depth, jobs[i].nodes);
  }
  printf(" long=%ld\n", count(long_lived));
  drop(long_lived);
  return 0;
}
