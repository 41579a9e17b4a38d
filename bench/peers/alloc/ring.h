// SPDX-License-Identifier: MIT
//
// The workload alloc in C, but for the calls that allocate and drop an object:
// a ring of 1,024 live objects, each new one in the place of the oldest. The
// peer's .c file defines NEW(bytes), NEW_ZEROED(bytes), of which objects of 1
// MiB are, DROP(object) and collections(), and may define START(); it then
// includes this file, which has main(). argv and
// output are those of bench/workloads/alloc.cc.
#ifndef TRICOLOR_BENCH_PEERS_ALLOC_RING_H_
#define TRICOLOR_BENCH_PEERS_ALLOC_RING_H_

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#ifndef START
#define START() ((void)0)
#endif

enum { kRing = 1024 };

// Inlined with a constant size, as in a program that has a type of that size.
static inline __attribute__((always_inline)) uint64_t churn(size_t bytes,
                                                            size_t count) {
  uint64_t* ring[kRing] = {NULL};
  uint64_t sum = 0;
  for (size_t i = 0; i < count; i++) {
    uint64_t* object = bytes < (1 << 20) ? NEW(bytes) : NEW_ZEROED(bytes);
    if (object == NULL) abort();
    // Volatile, so that no compiler leaves a store out or makes wider ones of
    // them: all programs write alike.
    volatile uint64_t* words = object;
    for (size_t w = 0; w < bytes / 8; w++) words[w] = i + w;
    uint64_t* oldest = ring[i % kRing];
    if (oldest != NULL) {
      sum += oldest[0] + oldest[bytes / 8 - 1];
      DROP(oldest);
    }
    ring[i % kRing] = object;
  }
  for (size_t i = 0; i < kRing; i++) {
    if (ring[i] != NULL) DROP(ring[i]);
  }
  return sum;
}

static uint64_t churn_of(size_t bytes, size_t count) {
  switch (bytes) {
    case 16:
      return churn(16, count);
    case 32:
      return churn(32, count);
    case 64:
      return churn(64, count);
    case 128:
      return churn(128, count);
    case 1 << 10:
      return churn(1 << 10, count);
    case 8 << 10:
      return churn(8 << 10, count);
    case 1 << 20:
      return churn(1 << 20, count);
    default:
      fprintf(stderr, "no such size\n");
      exit(2);
  }
}

// The most memory this process has had resident. Not ru_maxrss, in which Linux
// keeps what the process was before exec.
static double peak_rss_mib(void) {
  FILE* status = fopen("/proc/self/status", "r");
  char line[256];
  long kib = 0;
  while (status != NULL && fgets(line, sizeof(line), status) != NULL) {
    if (sscanf(line, "VmHWM: %ld kB", &kib) == 1) break;
  }
  if (status != NULL) fclose(status);
  return (double)kib / 1024;
}

static double seconds(struct timeval t) {
  return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static int run_size(size_t bytes, size_t count, unsigned long min_cycles) {
  double empty_mib = peak_rss_mib();
  START();
  uint64_t sum = churn_of(bytes, count);
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  double cpu_s = seconds(usage.ru_utime) + seconds(usage.ru_stime);
  printf("checksum alloc %zu %zu: %llu\n", bytes, count,
         (unsigned long long)sum);
  printf("metric cpu_ns %.4f\n", cpu_s * 1e9 / (double)count);
  printf("metric rss_over_empty_mib %.3f\n", peak_rss_mib() - empty_mib);
  if (collections() >= min_cycles) return 0;
  fprintf(stderr, "%lu collections, the definition wants %lu\n", collections(),
          min_cycles);
  return 1;
}

typedef struct Mutator {
  pthread_t thread;
  size_t count;
  uint64_t sum;
} Mutator;

static void* mutate(void* mutator) {
  Mutator* m = mutator;
  m->sum = churn(64, m->count);
  return NULL;
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double objects_per_second(int mutators, size_t count, uint64_t* sum) {
  Mutator m[2];
  double begin = now();
  for (int i = 0; i < mutators; i++) {
    m[i] = (Mutator){.count = count};
    if (pthread_create(&m[i].thread, NULL, mutate, &m[i]) != 0) exit(1);
  }
  for (int i = 0; i < mutators; i++) {
    pthread_join(m[i].thread, NULL);
    *sum += m[i].sum;
  }
  return (double)mutators * (double)count / (now() - begin);
}

static int run_scale(size_t count) {
  START();
  uint64_t sum = 0;
  double one = objects_per_second(1, count, &sum);
  double two = objects_per_second(2, count, &sum);
  printf("checksum alloc scale %zu: %llu\n", count, (unsigned long long)sum);
  printf("metric scale_2 %.4f\n", two / one);
  return 0;
}

int main(int argc, char** argv) {
  if (argc == 3 && strcmp(argv[1], "scale") == 0) {
    return run_scale(strtoull(argv[2], NULL, 10));
  }
  if (argc != 4) {
    fprintf(stderr, "usage: %s BYTES COUNT MIN_CYCLES | scale COUNT\n",
            argv[0]);
    return 2;
  }
  return run_size(strtoull(argv[1], NULL, 10), strtoull(argv[2], NULL, 10),
                  strtoul(argv[3], NULL, 10));
}

#endif  // TRICOLOR_BENCH_PEERS_ALLOC_RING_H_
