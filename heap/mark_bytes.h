// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Bulk operations on the mark bytes of a span its caller holds, outside the
// reach of any other writer of those bytes: taking a run, freeing a rest,
// sweeping, and looking for free cells. The protocol is in heap/heap.h; the
// vector forms in heap/mark_bytes_x86_64.h. `stride` is bytes per cell.
//
// A marker may read (and find 0 or cur in) a byte that is written here, so a
// ThreadSanitizer build uses relaxed scalar stores.
#ifndef TRICOLOR_HEAP_MARK_BYTES_H_
#define TRICOLOR_HEAP_MARK_BYTES_H_

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/atomics.h"
#include "base/macros.h"
#include "heap/mark_bytes_x86_64.h"

namespace tricolor::heap {

inline void fill_marks(uint8_t* marks, size_t stride, size_t cells,
                       uint8_t value) {
  // Short runs are the common case in an occupied heap, and a call for a few
  // bytes costs more than they do.
  if (stride == 1 && cells > 16 && !TRI_TSAN) {
    std::memset(marks, value, cells);
    return;
  }
  // The bytes between are 0, and stay so.
  if (stride <= 8 && (stride & (stride - 1)) == 0 && cells > 16 && !TRI_TSAN) {
    fill_pattern_sse2(marks, stride, cells, value);
    return;
  }
  for (size_t i = 0; i < cells; ++i) {
    base::store_relaxed(&marks[i * stride], value);
  }
}

/// Bit i is set if the byte of cell i is 0, for the first n <= 64 cells.
inline uint64_t free_cells_of(const uint8_t* marks, size_t stride, size_t n) {
  if (stride == 1 && n == 64 && !TRI_TSAN) return zero_bytes_of_64(marks);
  uint64_t bits = 0;
  for (size_t i = 0; i < n; ++i) {
    uint8_t byte = base::load_relaxed(&marks[i * stride]);
    bits |= uint64_t{byte == 0} << i;
  }
  return bits;
}

/// Writes 0 over every byte != cur; returns how many were cur. n % 64 == 0.
inline size_t sweep_marks_bytes(uint8_t* marks, size_t n, uint8_t cur) {
  if (!TRI_TSAN) return sweep_bytes_sse2(marks, n, cur);
  size_t live = 0;
  for (size_t i = 0; i < n; ++i) {
    uint8_t byte = base::load_relaxed(&marks[i]);
    if (byte == cur) {
      ++live;
    } else if (byte != 0) {
      base::store_relaxed(&marks[i], uint8_t{0});
    }
  }
  return live;
}

/// Writes `to` over every byte == from. n % 64 == 0.
inline void replace_marks_bytes(uint8_t* marks, size_t n, uint8_t from,
                                uint8_t to) {
  if (!TRI_TSAN) return replace_bytes_sse2(marks, n, from, to);
  for (size_t i = 0; i < n; ++i) {
    if (base::load_relaxed(&marks[i]) == from) {
      base::store_relaxed(&marks[i], to);
    }
  }
}

}  // namespace tricolor::heap

#endif  // TRICOLOR_HEAP_MARK_BYTES_H_
