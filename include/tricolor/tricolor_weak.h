/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 tricolor authors
 *
 * The C11 API, fifth part: weak words, ephemerons, finalizers. Include
 * tricolor/tricolor.h. What each means, and in which order things die:
 * tricolor/weak.h, weak_array.h and finalizer.h.
 */
#ifndef TRICOLOR_TRICOLOR_WEAK_H_
#define TRICOLOR_TRICOLOR_WEAK_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tricolor/detail/mutator.h"

#ifdef __cplusplus
extern "C" {
#endif

struct tri_error;
struct tri_runtime;

/* --- Weak cells (tri_weak_make and tri_weak_get are in tricolor_tasks.h). */

/* [gc] A long one: cleared when no finalizer has its target any more. */
void* tri_long_weak_make(tri_mutator* mu, void* target);

/* --- Words and pairs of cells whose layout holds them so (TRI_WEAK,
 * TRI_LONG_WEAK, TRI_EPHEMERON). `encoding`: how the word is read, as the
 * layout says; TRI_RAW_POINTERS for pointers. No call collects or suspends. */

/* The word; `if_dead` in the place of one that is about to be cleared. */
uint64_t tri_weak_load(tri_mutator* mu, const uint64_t* word, uint8_t encoding,
                       uint64_t if_dead);
void tri_weak_store(tri_mutator* mu, uint64_t* word, uint8_t encoding,
                    uint64_t value);
/* pair[0] and pair[1], at a multiple of 16; read each by tri_weak_load. */
void tri_ephemeron_store(tri_mutator* mu, uint64_t* pair, uint8_t key_encoding,
                         uint64_t key, uint8_t value_encoding, uint64_t value);

/* The layout of arrays of such words: 16 bytes of head (their length; how many
 * the collector has cleared), then words, or pairs. 0: see *error. */
uint16_t tri_weak_array_register(struct tri_runtime* rt, int strength,
                                 uint8_t encoding, struct tri_error* error);

/* --- Finalizers. */

typedef void (*tri_finalizer_fn)(tri_mutator* mu, void* object, void* data);
typedef struct tri_finalizable {
  void* object;
  tri_finalizer_fn fn;
  void* data;
} tri_finalizable;

enum { TRI_OLDEST_FIRST = 0, TRI_NEWEST_FIRST = 1 };

/* False: no memory. */
bool tri_try_add_finalizer(tri_mutator* mu, void* object, tri_finalizer_fn fn,
                           void* data);
bool tri_cancel_finalizer(tri_mutator* mu, const void* object);
bool tri_has_finalizer(tri_mutator* mu, const void* object);
/* False: the queue is empty. Root out->object before the next safepoint. */
bool tri_take_finalizable(tri_mutator* mu, tri_finalizable* out);
/* [gc] Calls at most `most` of the queue; how many. */
size_t tri_run_finalizers(tri_mutator* mu, size_t most);
/* [gc] Collects and calls until there are none, at most `rounds` times. */
size_t tri_finalize_all(tri_mutator* mu, size_t rounds);
size_t tri_finalizers_queued(const struct tri_runtime* rt);
void tri_set_finalizer_order(struct tri_runtime* rt, int order);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* TRICOLOR_TRICOLOR_WEAK_H_ */
