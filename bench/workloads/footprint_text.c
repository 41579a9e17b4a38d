// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// The smallest program that uses the heap: one layout, some cells, one
// collection, through the C API. Linked statically, its text less that of the
// same file built with WITHOUT_LIBRARY is the metric text_kib of the workload
// footprint; nobody runs it there.
#include <stdio.h>

#ifndef WITHOUT_LIBRARY
#include "tricolor/tricolor.h"

static void use(tri_mutator* mu, void* layout) {
  TRI_FRAME(mu, 1);
  for (int i = 0; i < 1000; i++) {
    root[0] = tri_allocate(mu, *(uint16_t*)layout, 64);
  }
  tri_collect(mu);
}

static int use_heap(void) {
  tri_options options = TRI_OPTIONS_INIT;
  tri_error error;
  tri_runtime* rt = tri_runtime_create(&options, &error);
  if (rt == NULL) return 1;
  tri_layout_spec spec = TRI_LAYOUT_SPEC_INIT;
  spec.name = "Payload";
  spec.tail = TRI_TAIL_NOSCAN;
  uint16_t layout = tri_layout_register(rt, &spec, &error);
  tri_runtime_run(rt, use, &layout);
  tri_runtime_destroy(rt);
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
