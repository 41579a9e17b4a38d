/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 tricolor authors
 *
 * The slow halves of weak reads and writes; see tricolor/weak.h.
 */
#ifndef TRICOLOR_DETAIL_WEAK_H_
#define TRICOLOR_DETAIL_WEAK_H_

#include "tricolor/detail/mutator.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What is stored, and the cells the words refer to (or null). */
typedef struct tri_pair_store {
  uint64_t key_word;
  uint64_t value_word;
  void* key;
  void* value;
  void* old_value;
} tri_pair_store;

/* 0: dead; 1: alive, and shaded while marking; 2: read the word again, it is
 * settled. */
int tri_detail_weak_answer(tri_mutator* mu, void* cell);
void tri_detail_weak_store(tri_mutator* mu, uint64_t* slot, uint64_t word,
                           void* cell);
void tri_detail_pair_store(tri_mutator* mu, uint64_t* pair,
                           const tri_pair_store* store);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* TRICOLOR_DETAIL_WEAK_H_ */
