/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 tricolor authors
 *
 * The C11 API, sixth part: the forms of the barrier beyond tri_store,
 * tri_store_init and tri_exchange. Include tricolor/tricolor.h. Each is legal
 * in any phase. tricolor/field.h, pair.h and bulk.h are the same in C++.
 *
 * Where a call takes both words and cells, the VM says to which cell a word
 * refers (null: to none), as the registered encoding would. None of the inline
 * calls collects or suspends.
 */
#ifndef TRICOLOR_TRICOLOR_SLOTS_H_
#define TRICOLOR_TRICOLOR_SLOTS_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tricolor/detail/mutator.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Stores `cell` if *slot is *expected; else loads into it, and false. */
static inline bool tri_compare_exchange(tri_mutator* mu, void** slot,
                                        void** expected, void* cell) {
  if (!__atomic_compare_exchange_n(slot, expected, cell, false,
                                   __ATOMIC_SEQ_CST, __ATOMIC_ACQUIRE)) {
    return false;
  }
  if (TRI_DETAIL_UNLIKELY(TRI_DETAIL_FORM(mu->barrier_on) != TRI_BARRIER_OFF)) {
    tri_detail_shade_pair(mu, *expected, cell);
  }
  return true;
}

/* Sees to it that `cell` is marked if the collector marks: for memory that a
 * root callback reports. */
static inline void tri_shade(tri_mutator* mu, void* cell) {
  if (TRI_DETAIL_UNLIKELY(TRI_DETAIL_FORM(mu->barrier_on) != TRI_BARRIER_OFF)) {
    tri_detail_shade_pair(mu, cell, 0);
  }
}

/* Whether a cell read from memory the collector knows nothing of is alive; see
 * shade_if_alive() in tricolor/global.h. */
bool tri_shade_if_alive(tri_mutator* mu, const void* cell);

/* --- Encoded values of one word. */

/* Stores a word into a published cell's slot. `old_cell` is the cell of the
 * value that is there, `new_cell` that of `word`. */
static inline void tri_store_word(tri_mutator* mu, uint64_t* slot,
                                  void* old_cell, uint64_t word,
                                  void* new_cell) {
  if (TRI_DETAIL_UNLIKELY(TRI_DETAIL_FORM(mu->barrier_on) != TRI_BARRIER_OFF)) {
    tri_detail_shade_pair(mu, old_cell, new_cell);
  }
  __atomic_store_n(slot, word, __ATOMIC_RELEASE);
}

/* Into a slot, still zero, of a cell nobody else has seen. */
static inline void tri_store_word_init(tri_mutator* mu, uint64_t* slot,
                                       uint64_t word, void* new_cell) {
  if (TRI_DETAIL_UNLIKELY(TRI_DETAIL_FORM(mu->barrier_on) ==
                          TRI_BARRIER_GREY)) {
    tri_detail_shade_pair(mu, 0, new_cell);
  }
  __atomic_store_n(slot, word, __ATOMIC_RELEASE);
}

static inline bool tri_compare_exchange_word(tri_mutator* mu, uint64_t* slot,
                                             uint64_t* expected,
                                             void* expected_cell, uint64_t word,
                                             void* new_cell) {
  if (!__atomic_compare_exchange_n(slot, expected, word, false,
                                   __ATOMIC_SEQ_CST, __ATOMIC_ACQUIRE)) {
    return false;
  }
  if (TRI_DETAIL_UNLIKELY(TRI_DETAIL_FORM(mu->barrier_on) != TRI_BARRIER_OFF)) {
    tri_detail_shade_pair(mu, expected_cell, new_cell);
  }
  return true;
}

/* Returns what was there; `encoding` tells the cells. */
uint64_t tri_exchange_word(tri_mutator* mu, uint8_t encoding, uint64_t* slot,
                           uint64_t word);

/* --- Values of 16 bytes, at multiples of 16. */

/* Two stores: threads that share the slot need a lock of their own, or
 * tri_exchange_pair; the collector does not. */
static inline void tri_store_pair(tri_mutator* mu, uint64_t* slot,
                                  void* old_cell, const uint64_t pair[2],
                                  void* new_cell) {
  if (TRI_DETAIL_UNLIKELY(TRI_DETAIL_FORM(mu->barrier_on) != TRI_BARRIER_OFF)) {
    tri_detail_shade_pair(mu, old_cell, new_cell);
  }
  __atomic_store_n(&slot[0], pair[0], __ATOMIC_RELEASE);
  __atomic_store_n(&slot[1], pair[1], __ATOMIC_RELEASE);
}

static inline void tri_store_pair_init(tri_mutator* mu, uint64_t* slot,
                                       const uint64_t pair[2], void* new_cell) {
  if (TRI_DETAIL_UNLIKELY(TRI_DETAIL_FORM(mu->barrier_on) ==
                          TRI_BARRIER_GREY)) {
    tri_detail_shade_pair(mu, 0, new_cell);
  }
  __atomic_store_n(&slot[0], pair[0], __ATOMIC_RELEASE);
  __atomic_store_n(&slot[1], pair[1], __ATOMIC_RELEASE);
}

/* Both words in one access. `old` gets what was there. */
void tri_exchange_pair(tri_mutator* mu, uint8_t encoding, uint64_t* slot,
                       const uint64_t pair[2], uint64_t old[2]);
/* Stores `pair` if the slot holds `expected`; else loads into it. */
bool tri_compare_exchange_pair(tri_mutator* mu, uint8_t encoding,
                               uint64_t* slot, uint64_t expected[2],
                               const uint64_t pair[2]);

/* --- Many: see tricolor/bulk.h. `n` values of the encoding's stride;
 * TRI_RAW_POINTERS for plain pointers. */

/* [gc] from 64 KiB on. The ranges may overlap. */
void tri_copy(tri_mutator* mu, uint8_t encoding, void* to, const void* from,
              size_t n);
/* [gc] from 64 KiB on. Into a cell nobody else has seen, still zero there. */
void tri_copy_init(tri_mutator* mu, uint8_t encoding, void* to,
                   const void* from, size_t n);
/* [gc] from 64 KiB on. `value`: one value. */
void tri_fill(tri_mutator* mu, uint8_t encoding, void* to, const void* value,
              size_t n);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* TRICOLOR_TRICOLOR_SLOTS_H_ */
