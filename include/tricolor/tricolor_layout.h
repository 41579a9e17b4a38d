/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 tricolor authors
 *
 * The C11 API, fourth part: layouts (where a cell's pointers are) and value
 * encodings (how a word says that it is one). Include tricolor/tricolor.h.
 * tricolor/layout.h and tricolor/encoding.h tell of each field and of what is
 * refused. Everything here is for any thread, unless it says otherwise.
 */
#ifndef TRICOLOR_TRICOLOR_LAYOUT_H_
#define TRICOLOR_TRICOLOR_LAYOUT_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tricolor/detail/mutator.h"

#ifdef __cplusplus
extern "C" {
#endif

struct tri_error;

/* --- tricolor/encoding.h */

enum { TRI_ENCODING_RAW = 0, TRI_ENCODING_TAG_SET = 1, TRI_ENCODING_RANGE = 2 };

/* Start from TRI_ENCODING_INIT. */
typedef struct tri_encoding {
  uint32_t size; /* sizeof(tri_encoding) */
  int kind;      /* TRI_ENCODING_* */
  uint32_t stride, tag_offset, payload_offset;
  uint32_t tag_shift, tag_mask;
  uint64_t tag_set[4];
  uint64_t range_lo, range_hi;
  uint64_t payload_mask;
  uint64_t cleared_word;
} tri_encoding;

#define TRI_ENCODING_INIT                                                      \
  {                                                                            \
    sizeof(tri_encoding), TRI_ENCODING_RAW, 8, 0, 8, 0, 0xff, {0, 0, 0, 0}, 0, \
        0, ~(uint64_t)0, 0                                                     \
  }

#define TRI_RAW_POINTERS 0u       /* the encoding of plain pointers */
#define TRI_INVALID_ENCODING 255u /* of a bad one; the error says why */
uint8_t tri_encoding_register(struct tri_runtime* rt,
                              const tri_encoding* encoding,
                              struct tri_error* error);

/* --- tricolor/layout.h */

/* What a trace function reports to; valid during its call only. */
typedef struct tri_tracer tri_tracer;
void tri_visit(tri_tracer* tracer, const void* cell);
void tri_visit_words(tri_tracer* tracer, const uint64_t* words, size_t n,
                     uint8_t encoding);

enum {
  TRI_TAIL_NONE = 0,
  TRI_TAIL_POINTERS = 1,
  TRI_TAIL_ENCODED = 2,
  TRI_TAIL_NOSCAN = 3,
  TRI_TAIL_ELEMENTS = 4
};
/* See layout.h. */
enum { TRI_STRONG = 0, TRI_WEAK = 1, TRI_EPHEMERON = 2, TRI_LONG_WEAK = 3 };

/* Start from TRI_LAYOUT_SPEC_INIT: a program keeps working with a library whose
 * spec has more fields. One of fewer refuses what it does not know of, unless
 * it is zero. */
typedef struct tri_layout_spec {
  uint32_t size; /* sizeof(tri_layout_spec) */
  uint32_t head_bytes;
  const char* name;
  const uint32_t* pointer_offsets;
  size_t pointer_count;
  const uint32_t* encoded_offsets;
  size_t encoded_count;
  int tail; /* TRI_TAIL_* */
  uint32_t tail_stride;
  const uint32_t* tail_pointer_offsets;
  size_t tail_pointer_count;
  const uint32_t* tail_encoded_offsets;
  size_t tail_encoded_count;
  int head_strength, tail_strength;
  /* Set for a custom layout: calls tri_visit for every pointer. */
  void (*trace)(tri_tracer* tracer, void* cell, size_t cell_bytes, void* user);
  void (*on_dead)(void* cell, size_t cell_bytes, void* user);
  void* user;
  uint8_t encoding; /* of all encoded words */
  bool deferred;    /* trace: only while the tasks are stopped */
  bool distinct;
  bool uninitialized;
  uint32_t cleared_count_offset; /* 0: none */
} tri_layout_spec;

#define TRI_LAYOUT_SPEC_INIT                                                  \
  {                                                                           \
    sizeof(tri_layout_spec), 0, "", 0, 0, 0, 0, TRI_TAIL_NONE, 0, 0, 0, 0, 0, \
        TRI_STRONG, TRI_STRONG, 0, 0, 0, TRI_RAW_POINTERS, false, false,      \
        false, 0                                                              \
  }

/* 0 on a bad spec; the error names the field. trace is tried here. */
uint16_t tri_layout_register(struct tri_runtime* rt,
                             const tri_layout_spec* spec,
                             struct tri_error* error);

/* Of a registered layout: its name (a copy, valid as long as the runtime; the
 * first's where several registrations were merged) and the spec's `user`. */
const char* tri_layout_name(const struct tri_runtime* rt, uint16_t layout);
void* tri_layout_user(const struct tri_runtime* rt, uint16_t layout);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* TRICOLOR_TRICOLOR_LAYOUT_H_ */
