// SPDX-License-Identifier: MIT
//
// The smallest program that uses the Boehm-Demers-Weiser collector: some
// objects and one collection. The twin of bench/workloads/footprint_text.c.

#include <stdio.h>

#ifndef WITHOUT_LIBRARY
#define GC_THREADS
#include <gc.h>

static int use_heap(void) {
  GC_INIT();
  for (int i = 0; i < 1000; i++) {
    if (GC_MALLOC_ATOMIC(64) == NULL) return 1;
  }
  GC_gcollect();
  return 0;
}
#else
static int use_heap(void) { return 0; }
#endif

int main(void) {
  int status = use_heap();
  printf("%d\n", status);
  return status;
}
