/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 tricolor authors
 *
 * A call of the embedder's code with something to undo after it, also if that
 * code throws a C++ exception through us. The library is built without
 * exceptions and links without libstdc++, so its frames have no destructors
 * that an unwinder would run; this one call has, by the C compiler's cleanup
 * attribute, whose personality routine is in libgcc. longjmp runs nothing.
 *
 * Threading: none of its own.
 */
#ifndef TRICOLOR_BASE_CALL_THEN_H_
#define TRICOLOR_BASE_CALL_THEN_H_

#ifdef __cplusplus
extern "C" {
#endif

/* Calls fn(arg), then undo(arg), which must not throw. */
void tri_base_call_then(void (*fn)(void* arg), void (*undo)(void* arg),
                        void* arg);

/* Whether this very stack has such a call under way, above the caller and below
 * `up_to`: 1 or 0; -1 where the unwinder does not get that far, because frames
 * in between (a JIT's) have no tables. Slow. */
int tri_base_call_under_way(const void* up_to);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* TRICOLOR_BASE_CALL_THEN_H_ */
