// SPDX-License-Identifier: MIT
//
// The peer `bdwgc` of the workload message_window: messages are
// GC_MALLOC_ATOMIC, the window is a GC_MALLOC. The arguments and the output are
// those of bench/workloads/message_window.cc.

#define GC_THREADS
#include <gc.h>
#include <string.h>

#include "../measure/bdwgc.h"

enum { kMessageBytes = 1024 };

static unsigned char** window;  // Static data is scanned.

static int ascending(const void* a, const void* b) {
  uint32_t x = *(const uint32_t*)a, y = *(const uint32_t*)b;
  return (x > y) - (x < y);
}

static uint32_t at(const uint32_t* sorted, size_t n, double q) {
  size_t i = (size_t)(q * (double)n);
  return sorted[i < n ? i : n - 1];
}

int main(int argc, char** argv) {
  size_t slots = argc == 3 ? strtoull(argv[1], NULL, 10) : 0;
  size_t pushes = argc == 3 ? strtoull(argv[2], NULL, 10) : 0;
  if (slots == 0 || pushes == 0) {
    fprintf(stderr, "usage: %s SLOTS PUSHES\n", argv[0]);
    return 2;
  }
  uint32_t* push_ns = checked(malloc(pushes * sizeof(*push_ns)));
  for (size_t i = 0; i < pushes; i++) push_ns[i] = 1;  // Touched.
  uint64_t sum = 0;
  start();
  uint64_t begin_ns = now_ns();
  window = checked(GC_MALLOC(slots * sizeof(*window)));
  for (size_t i = 0; i < pushes; i++) {
    uint64_t push_begin_ns = now_ns();
    unsigned char* message = checked(GC_MALLOC_ATOMIC(kMessageBytes));
    memset(message, (int)(i & 255), kMessageBytes);
    unsigned char** slot = &window[i % slots];
    if (*slot != NULL) sum += (*slot)[kMessageBytes - 1];
    *slot = message;
    push_ns[i] = (uint32_t)(now_ns() - push_begin_ns);
  }
  for (size_t i = 0; i < slots; i++) {
    if (window[i] != NULL) sum += window[i][0];
  }
  double work_s = (double)(now_ns() - begin_ns) / 1e9;
  qsort(push_ns, pushes, sizeof(*push_ns), ascending);
  printf("checksum message_window %zu %zu: %llu\n", slots, pushes,
         (unsigned long long)sum);
  printf("metric push_p50_ns %u\n", at(push_ns, pushes, 0.5));
  printf("metric push_p99_ns %u\n", at(push_ns, pushes, 0.99));
  printf("metric push_p999_ns %u\n", at(push_ns, pushes, 0.999));
  printf("metric push_p9999_ns %u\n", at(push_ns, pushes, 0.9999));
  printf("metric push_max_ns %u\n", at(push_ns, pushes, 1));
  printf("metric work_s %.6f\n", work_s);
  return 0;
}
