/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 tricolor authors
 *
 * Size classes: 16 B steps up to 128 B, then eight classes a doubling up to
 * 32 KiB, so that rounding wastes at most 12.5 % above 128 B. Class 0 means
 * large. A slot id is layout * 128 + class. All of them, and what each wastes:
 * heap/size_class_table.h.
 *
 *   bytes   16 .. 128        129 .. 32768
 *   class    1 .. 8          9 .. 72
 */
#ifndef TRICOLOR_DETAIL_SIZE_CLASS_H_
#define TRICOLOR_DETAIL_SIZE_CLASS_H_

#include <stddef.h>
#include <stdint.h>

enum {
  TRI_DETAIL_SMALL_MAX = 32768,
  TRI_DETAIL_CLASS_COUNT = 73,
  TRI_DETAIL_CLASS_SHIFT = 7,
  TRI_DETAIL_LAYOUT_COUNT = 4352 /* most layouts, id 0 included */
};

/* The class of a request of `bytes` (0 is treated as 1); 0 if it is large. */
static inline uint32_t tri_detail_size_class(size_t bytes) {
  if (bytes <= 128) {
    return bytes == 0 ? 1u : (uint32_t)((bytes + 15) >> 4);
  }
  if (bytes > TRI_DETAIL_SMALL_MAX) return 0;
  /* msb(bytes - 1) = 7 for 129..256: steps of 16; each doubling doubles. */
  uint32_t msb = 63u - (uint32_t)__builtin_clzll(bytes - 1);
  uint32_t shift = msb - 3;
  return 9 + (msb - 7) * 8 + (uint32_t)(((bytes - 1) >> shift) & 7);
}

/* The cell size of class `c` in bytes; 0 for class 0. */
static inline uint32_t tri_detail_class_bytes(uint32_t c) {
  if (c <= 8) return c * 16;
  uint32_t octave = (c - 9) >> 3;
  uint32_t step = (c - 9) & 7;
  return (128u << octave) + ((step + 1) << (octave + 4));
}

#endif /* TRICOLOR_DETAIL_SIZE_CLASS_H_ */
