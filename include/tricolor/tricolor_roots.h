/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 tricolor authors
 *
 * The C11 API, fourth part: frames of rooted slots on a task's shadow stack,
 * and roots outside any stack. Include tricolor/tricolor.h, which says when a
 * cell pointer has to lie here. tricolor/local.h and global.h are the same in
 * C++.
 */
#ifndef TRICOLOR_TRICOLOR_ROOTS_H_
#define TRICOLOR_TRICOLOR_ROOTS_H_

#include <stddef.h>

#include "tricolor/detail/mutator.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tri_frame {
  tri_mutator* mu;
  void** slots;
} tri_frame;

static inline tri_frame tri_frame_push(tri_mutator* mu, size_t n) {
  void** top = mu->shadow_top;
  if (TRI_DETAIL_UNLIKELY((size_t)(mu->shadow_limit - top) < n)) {
    top = tri_detail_shadow_grow(mu, n);
  }
  for (size_t i = 0; i < n; ++i) top[i] = 0;
  mu->shadow_top = top + n;
  tri_frame frame = {mu, top};
  return frame;
}

static inline void tri_frame_pop(tri_frame* frame) {
  if (TRI_DETAIL_UNLIKELY(frame->slots == frame->mu->shadow_base)) {
    tri_detail_shadow_shrink(frame->mu, frame->slots);
  } else {
    frame->mu->shadow_top = frame->slots;
  }
}

/* n rooted slots root[0 .. n) until the end of the block; once per block. */
#define TRI_FRAME(mu, n)                                         \
  tri_frame tri_frame_ __attribute__((cleanup(tri_frame_pop))) = \
      tri_frame_push((mu), (n));                                 \
  void** const root __attribute__((unused)) = tri_frame_.slots

/* For longjmp, which runs no cleanup: the frames, and the managed and native
 * code entered inside each other, before setjmp ... */
typedef struct tri_mark {
  void** top;
  uint32_t modes;
} tri_mark;
tri_mark tri_frame_mark(tri_mutator* mu);
/* ... and back to that, where setjmp has returned again. Of the same task. Not
 * out of tri_on_system_stack, tri_blocking, tri_call_native, a stretch without
 * safepoints, or past tri_attach. */
void tri_frame_reset(tri_mutator* mu, tri_mark mark);

/* A root outside any stack: a slot for tri_load and tri_store. */
void** tri_root_acquire(struct tri_runtime* rt);
void tri_root_release(struct tri_runtime* rt, void** root);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* TRICOLOR_TRICOLOR_ROOTS_H_ */
