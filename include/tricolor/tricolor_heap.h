/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 tricolor authors
 *
 * The C11 API, third part: cells given back by hand and resized. Include
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

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* TRICOLOR_TRICOLOR_HEAP_H_ */
