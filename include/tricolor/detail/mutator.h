/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 tricolor authors
 *
 * The structs that inline paths touch, in C so that both APIs and a JIT read
 * the same bytes. A Mutator is the first member of a G and stays valid while
 * that G lives, whichever thread runs it.
 *
 * Invariants
 * 1. slots is a copy of what the current P holds; barrier_on follows from the
 *    P's barrier and from whether this cycle has scanned the G's stack. Both
 *    are refreshed whenever a P is acquired (dispatch, leave_native, attach)
 *    and when a P has answered a stop or a ragged barrier; between two
 *    safepoints they cannot change.
 * 2. poll_request is written by any thread and read by the owner; all other
 *    fields are touched by the owner, or by the collector while the owner is
 *    suspended.
 * 3. Shadow slots in [shadow_base, shadow_top) hold null, a cell start, or an
 *    address outside the heap. shadow_base never equals a Scope's base in the
 *    first chunk (its slot 0 is reserved), so a Scope's end is one compare.
 */
#ifndef TRICOLOR_DETAIL_MUTATOR_H_
#define TRICOLOR_DETAIL_MUTATOR_H_

#include <stddef.h>
#include <stdint.h>

#include "tricolor/detail/config.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A run of free cells a P owns: the next cell and the end. */
typedef struct tri_slot {
  char* cursor;
  char* limit;
} tri_slot;

/* What tri_mutator::barrier_on says. Inline paths ask whether it is off; the
 * initialising stores, whether it is grey; tri_detail_shade_pair asks which.
 * In native code it is grey, so that a store there is caught. Why a black G's
 * stores need no insertion half: docs/design/0011-barrier.md. */
enum {
  TRI_BARRIER_OFF = 0,  /* nobody marks */
  TRI_BARRIER_GREY = 1, /* the G's stack is not known to be scanned: both */
  TRI_BARRIER_BLACK = 2 /* it has been scanned, or the G was born since the
                           cycle began: the deletion half alone */
};

struct tri_runtime;
struct tri_value_stack;

typedef struct tri_mutator {
  tri_slot* slots;       /* the P's slot table, by slot id */
  uint32_t barrier_on;   /* TRI_BARRIER_*; 0: stores need no barrier */
  uint32_t poll_request; /* non-zero: poll(mu) enters the runtime */
  void** shadow_top;     /* first free shadow slot */
  void** shadow_limit;   /* end of the current chunk */
  void** shadow_base;    /* first slot of the current chunk */
  struct tri_value_stack* value_stack; /* mounted one, or null */
  struct tri_runtime* runtime;
  void* p;    /* the P held, null in native code */
  void* user; /* the embedder's word; the runtime ignores it */
} tri_mutator;

/* A mounted value stack: words in [base, top) are live and initialised. What
 * fits below `limit` may be pushed; it is lowered to `base` where the owner is
 * to come to a slow path (tricolor/value_stack.h). */
typedef struct tri_value_stack {
  uint64_t* base;
  uint64_t* top;
  uint64_t* limit;
  uint32_t encoding; /* how its words are read */
  uint32_t grows;    /* 0: it never moves, and its limit stays */
} tri_value_stack;

/* Slow paths behind the inline ones. */
void* tri_detail_allocate_slow(tri_mutator* mu, uint32_t slot_id, size_t bytes,
                               int may_fail);
void* tri_detail_allocate_large(tri_mutator* mu, uint32_t layout, size_t bytes,
                                int may_fail);
void tri_detail_shade_pair(tri_mutator* mu, void* old_cell, void* new_cell);
void tri_detail_poll_slow(tri_mutator* mu);
void** tri_detail_shadow_grow(tri_mutator* mu, size_t slots);
void tri_detail_shadow_shrink(tri_mutator* mu, void** base);
void* tri_detail_weak_load(tri_mutator* mu, void* const* slot);

#ifdef __cplusplus
} /* extern "C" */

namespace tricolor {

class Runtime;

/// What a task or an attached thread hands to every hot call. One per G.
using Mutator = ::tri_mutator;

}  // namespace tricolor
#endif

#endif /* TRICOLOR_DETAIL_MUTATOR_H_ */
