/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 tricolor authors
 *
 * The C11 API, third part: cells given back by hand and resized, external
 * bytes, looking at the heap, the allocation profile. Include
 * tricolor/tricolor.h. The C++ headers of the same nouns say when each call is
 * legal, and what false means.
 */
#ifndef TRICOLOR_TRICOLOR_HEAP_H_
#define TRICOLOR_TRICOLOR_HEAP_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tricolor/detail/mutator.h"

#ifdef __cplusplus
extern "C" {
#endif

/* --- tricolor/resize.h */

/* Gives a dead cell that nobody else holds back at once; false: left to the
 * next cycle. A null, dead or released cell ends the process. */
bool tri_release(tri_mutator* mu, void* cell);
/* Without moving; what is gained is zero. */
bool tri_try_grow_in_place(tri_mutator* mu, void* cell, size_t bytes);
/* Whole pages of a cell over 32 KiB go back. */
bool tri_shrink(tri_mutator* mu, void* cell, size_t bytes);
/* [gc] `cell`, or a larger copy of it: then `cell` has been released. Never
 * null; roots `cell` meanwhile. */
void* tri_grow(tri_mutator* mu, void* cell, size_t bytes);
/* [gc] The same; null when there is no memory. */
void* tri_try_grow(tri_mutator* mu, void* cell, size_t bytes);

/* [gc] `count` cells' worth of `bytes` each in one, zeroed; null when there is
 * no memory or the product overflows. */
void* tri_try_allocate_array(tri_mutator* mu, uint16_t layout, size_t count,
                             size_t bytes);

/* --- tricolor/external.h */

/* [gc] if delta > 0. Off-heap bytes that live and die with managed objects. */
void tri_adjust_external(tri_mutator* mu, int64_t delta);
/* Any thread, on_dead included: counts alone. */
void tri_count_external(struct tri_runtime* rt, int64_t delta);
uint64_t tri_external_bytes(const struct tri_runtime* rt);

/* --- tricolor/heap_inspect.h */

typedef struct tri_cell_info {
  void* cell;
  size_t bytes;
  uint16_t layout;
  const char* name;
  void* user;
} tri_cell_info;

/* The cell that p points to or into. Any thread. */
bool tri_find_cell(const struct tri_runtime* rt, const void* p,
                   tri_cell_info* out);
size_t tri_cell_size(const struct tri_runtime* rt, const void* cell);

/* [gc] All of these stop the world. fn may read cells and nothing else. */
void tri_walk(tri_mutator* mu, void (*fn)(const tri_cell_info*, void* ctx),
              void* ctx);
typedef struct tri_layout_stats {
  uint64_t cells;
  uint64_t bytes;
} tri_layout_stats;
/* out[id] for each layout id < n; returns how many there are, id 0 included. */
size_t tri_get_layout_stats(tri_mutator* mu, tri_layout_stats* out, size_t n);
void tri_verify_heap(tri_mutator* mu);

/* --- tricolor/profile.h */

typedef struct tri_alloc_sample {
  void* cell;
  size_t bytes;
  size_t interval_bytes;
  uint16_t layout;
} tri_alloc_sample;
typedef void (*tri_alloc_sample_fn)(tri_mutator* mu, const tri_alloc_sample*,
                                    void* ctx);
/* [gc] fn null: off. The mean distance of samples; see profile.h. */
void tri_set_alloc_profile(tri_mutator* mu, tri_alloc_sample_fn fn, void* ctx,
                           size_t interval_bytes, bool exponential);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* TRICOLOR_TRICOLOR_HEAP_H_ */
