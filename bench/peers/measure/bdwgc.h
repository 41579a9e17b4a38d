// SPDX-License-Identifier: MIT
//
// What the peers `bdwgc` measure alike: time, the largest gap between two
// looks at the clock, the longest stop of the world (from before the threads
// are signalled until they have been let go). Included by gcbench, quads and
// message_window, after gc.h with GC_THREADS.
#ifndef TRICOLOR_BENCH_PEERS_MEASURE_BDWGC_H_
#define TRICOLOR_BENCH_PEERS_MEASURE_BDWGC_H_

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static inline uint64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

typedef struct Gap {
  uint64_t last_ns;
  uint64_t max_ns;
} Gap;

static inline void gap_look(Gap* gap) {
  uint64_t now = now_ns();
  if (gap->last_ns != 0 && now - gap->last_ns > gap->max_ns) {
    gap->max_ns = now - gap->last_ns;
  }
  gap->last_ns = now;
}

// Written with the collector's lock held.
static uint64_t stop_begin_ns, stop_max_ns;

static inline void GC_CALLBACK on_event(GC_EventType event) {
  if (event == GC_EVENT_PRE_STOP_WORLD) stop_begin_ns = now_ns();
  if (event == GC_EVENT_POST_START_WORLD) {
    uint64_t stop_ns = now_ns() - stop_begin_ns;
    if (stop_ns > stop_max_ns) stop_max_ns = stop_ns;
  }
}

// GC_INIT, and stops are measured from here on.
static inline void start(void) {
  GC_INIT();
  GC_set_on_collection_event(on_event);
}

// A fixed heap that is full ends the program.
static inline void* checked(void* cell) {
  if (cell == NULL) {
    fputs("out of memory\n", stderr);
    exit(1);
  }
  return cell;
}

// Marsaglia's xorshift64; every program draws the same numbers.
static inline uint64_t random_seed(uint64_t seed) {
  return UINT64_C(0x9e3779b97f4a7c15) * (seed + 1);
}
static inline uint64_t random_next(uint64_t* state) {
  *state ^= *state << 13;
  *state ^= *state >> 7;
  *state ^= *state << 17;
  return *state >> 32;
}

#endif  // TRICOLOR_BENCH_PEERS_MEASURE_BDWGC_H_
