/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 tricolor authors
 *
 * The C11 API, eighth part: channels, select, futures and coroutines. Include
 * tricolor/tricolor.h. channel.h, select.h, future.h and coroutine.h are the
 * same in C++, and say more. All of them are cells: root them, store them in
 * fields, forget them. Deadlines and results are those of tricolor_wait.h.
 */
#ifndef TRICOLOR_TRICOLOR_CHANNEL_H_
#define TRICOLOR_TRICOLOR_CHANNEL_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tricolor/detail/mutator.h"

#ifdef __cplusplus
extern "C" {
#endif

/* --- Channels. Values are passed by their address: a cell as a void**, a word
 * of an encoding as a uint64_t*, plain bytes as what they are. A cell that is
 * received is to be rooted next; the address may be that of a frame slot. */

typedef struct tri_channel tri_channel;

/* [gc] A queue of `capacity` cells; of words of a registered encoding; of
 * plain values of `value_bytes`, 1 to 256. Never null. */
tri_channel* tri_channel_make(tri_mutator* mu, size_t capacity);
tri_channel* tri_channel_make_words(tri_mutator* mu, size_t capacity,
                                    uint8_t encoding);
tri_channel* tri_channel_make_plain(tri_mutator* mu, size_t capacity,
                                    size_t value_bytes);

/* [gc] TRI_WAIT_OK: it is in the queue, or with a receiver. */
int tri_send(tri_mutator* mu, tri_channel* ch, const void* value,
             uint64_t deadline_ns);
/* [gc] TRI_WAIT_OK: *value is it; otherwise *value is left alone. */
int tri_receive(tri_mutator* mu, tri_channel* ch, void* value,
                uint64_t deadline_ns);
/* False: it was closed before. Wakes all who wait. */
bool tri_channel_close(tri_mutator* mu, tri_channel* ch);
/* Values in the queue, and room for them. */
size_t tri_channel_size(tri_channel* ch);
size_t tri_channel_capacity(const tri_channel* ch);

typedef struct tri_select_case {
  tri_channel* channel; /* NULL: never ready */
  void* value;          /* to be sent, or where to put it */
  bool sends;
} tri_select_case;
#define TRI_SELECT_MAX 256       /* cases */
#define TRI_SELECT_NONE SIZE_MAX /* of them that could go on */

/* [gc] Waits until one of the cases can go on, and does it: of several, the
 * first from a random one on. Returns its index; *result is TRI_WAIT_OK or
 * TRI_WAIT_CLOSED. Without one, TRI_SELECT_NONE, and *result TRI_WAIT_TIMEOUT
 * or TRI_WAIT_CANCELLED. */
size_t tri_select(tri_mutator* mu, const tri_select_case* cases, size_t n,
                  uint64_t deadline_ns, int* result);

/* [gc] At `when_ns` a uint64_t channel (plain, 8 bytes) gets the time, if it
 * has room then: for a select. It stays alive until then. */
void tri_send_at(tri_mutator* mu, uint64_t when_ns, tri_channel* ch);

/* --- Futures: set once, read by any number. A value as of a channel. */

typedef struct tri_future tri_future;
tri_future* tri_future_make(tri_mutator* mu); /* [gc] */
tri_future* tri_future_make_words(tri_mutator* mu, uint8_t encoding);
tri_future* tri_future_make_plain(tri_mutator* mu, size_t value_bytes);
/* False, and nothing changes, if it has a value already. */
bool tri_future_set(tri_mutator* mu, tri_future* future, const void* value);
/* [gc] Waits for it. */
int tri_future_get(tri_mutator* mu, tri_future* future, void* value,
                   uint64_t deadline_ns);

/* --- Coroutines, with a native stack each: C frames may be yielded across. */

typedef struct tri_coroutine tri_coroutine;
/* `arg` is rooted for the whole life. What it returns is what the last resume
 * gives. */
typedef void* (*tri_coroutine_fn)(tri_mutator* mu, tri_coroutine* self,
                                  void* arg, void* user);
enum {
  TRI_COROUTINE_SUSPENDED = 0, /* not started, or in a yield */
  TRI_COROUTINE_RUNNING = 1,   /* the one that asks */
  TRI_COROUTINE_NORMAL = 2,    /* has resumed another */
  TRI_COROUTINE_DEAD = 3
};

/* [gc] A new one, suspended. NULL: no memory, or tri_options.max_tasks is
 * reached. stack_bytes 0: as tasks. */
tri_coroutine* tri_coroutine_create(tri_mutator* mu, tri_coroutine_fn fn,
                                    void* arg, void* user, size_t stack_bytes);
/* [gc] Runs it until it yields or ends: returns the status found, and
 * TRI_COROUTINE_SUSPENDED says that it has run. *result (not changed
 * otherwise) is what it yielded or returned. `value` is what its yield gets. */
int tri_coroutine_resume(tri_mutator* mu, tri_coroutine* co, void* value,
                         void** result);
/* [gc] Returns the next resume's value. Misuse unless tri_is_yieldable(). */
void* tri_coroutine_yield(tri_mutator* mu, void* value);
bool tri_is_yieldable(const tri_mutator* mu);
/* Ends a suspended one: its stacks are given back now, its frames are not
 * unwound. False, and nothing happens, if it is not suspended. */
bool tri_coroutine_close(tri_mutator* mu, tri_coroutine* co);
/* As of now: another thread may change it any moment. */
int tri_coroutine_status(const tri_coroutine* co);
/* The one that runs; NULL on a task's own stack. */
tri_coroutine* tri_coroutine_running(tri_mutator* mu);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* TRICOLOR_TRICOLOR_CHANNEL_H_ */
