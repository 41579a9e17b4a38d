// SPDX-License-Identifier: MIT
//
// The workload fragmentation in C, but for the calls of the allocator: objects
// of random sizes and lifetimes, then half of them dropped at random. The
// peer's .c file defines START(), NEW_TABLE(bytes) (zeroed), NEW(bytes),
// DROP(object) and GIVE_BACK() (all that can go back to the system does), and
// then includes this file, which has main(). argv and output are those of
// bench/workloads/fragmentation.cc.
#ifndef TRICOLOR_BENCH_PEERS_FRAGMENTATION_CHURN_H_
#define TRICOLOR_BENCH_PEERS_FRAGMENTATION_CHURN_H_

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

// The first word of an object is its size in bytes, the last its number.
static uint64_t** table;
static uint64_t number, sum;
static size_t live_bytes, peak_bytes;

static uint64_t random_state = 88172645463325252;

// Marsaglia's xorshift64; every program draws the same numbers.
static uint64_t random_below(uint64_t n) {
  random_state ^= random_state << 13;
  random_state ^= random_state >> 7;
  random_state ^= random_state << 17;
  return (random_state >> 32) % n;
}

// 16 B to 8 KiB, each octave as likely as any other.
static size_t random_size(void) {
  size_t least = (size_t)16 << random_below(9);
  return (least + random_below(least)) & ~(size_t)7;
}

static void drop(size_t slot) {
  uint64_t* object = table[slot];
  if (object == NULL) return;
  sum += object[object[0] / 8 - 1];
  live_bytes -= object[0];
  DROP(object);
  table[slot] = NULL;
}

static void replace(size_t slot) {
  size_t bytes = random_size();
  uint64_t* object = NEW(bytes);
  if (object == NULL) abort();
  for (size_t i = 1; i < bytes / 8; i++) object[i] = number;
  object[0] = bytes;
  number++;
  drop(slot);
  table[slot] = object;
  live_bytes += bytes;
  if (live_bytes > peak_bytes) peak_bytes = live_bytes;
}

// One line of /proc/self/status in bytes, 0 if it is not there.
static double status_bytes(const char* name) {
  FILE* status = fopen("/proc/self/status", "r");
  char line[256];
  double kib = 0;
  size_t length = strlen(name);
  while (status != NULL && fgets(line, sizeof(line), status) != NULL) {
    if (strncmp(line, name, length) == 0 && line[length] == ':') {
      kib = strtod(line + length + 1, NULL);
    }
  }
  if (status != NULL) fclose(status);
  return kib * 1024;
}

// Resident, after free memory was given back and some time has passed.
static double settled_bytes(long settle_ms) {
  GIVE_BACK();
  struct timespec settle = {settle_ms / 1000, settle_ms % 1000 * 1000000};
  nanosleep(&settle, NULL);
  return status_bytes("VmRSS");
}

int main(int argc, char** argv) {
  if (argc != 4) {
    fprintf(stderr, "usage: %s SLOTS TURNS SETTLE_MS\n", argv[0]);
    return 2;
  }
  size_t slots = strtoull(argv[1], NULL, 10);
  size_t turns = strtoull(argv[2], NULL, 10);
  long settle_ms = atol(argv[3]);
  START();
  table = NEW_TABLE(slots * sizeof(uint64_t*));
  if (table == NULL) abort();
  for (size_t i = 0; i < slots; i++) replace(i);
  for (size_t i = 0; i < turns * slots; i++) replace(random_below(slots));
  double peak = status_bytes("VmHWM");
  double now = settled_bytes(settle_ms);
  double live = (double)live_bytes;
  for (size_t i = 0; i < slots; i++) {
    if (random_below(2) == 0) drop(i);
  }
  double half = settled_bytes(settle_ms);
  printf("checksum fragmentation %zu %zu: %llu live=%zu peak=%zu\n", slots,
         turns, (unsigned long long)sum, live_bytes, peak_bytes);
  printf("metric rss_over_live %.4f\n", now / live);
  printf("metric rss_over_live_peak %.4f\n", peak / (double)peak_bytes);
  printf("metric rss_over_live_half %.4f\n", half / (double)live_bytes);
  return 0;
}

#endif  // TRICOLOR_BENCH_PEERS_FRAGMENTATION_CHURN_H_
