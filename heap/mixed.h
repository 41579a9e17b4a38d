// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Mixed spans: cells of one size class and any layouts. A P has one for each
// class; a slot whose cells have 512 bytes or more, or that has not handed out
// 32 KiB yet, takes short runs from it instead of a span of its own, so that a
// program with thousands of rarely used layouts does not pay 8 KiB for each.
//
// Who needs a cell's layout reads its id, 2 bytes:
//
//   cells from 512 B   in a table beside the heap, one id for each 512 bytes of
//                      it: at the cell's first byte
//   smaller cells      at the end of the span, an id for each 2^shift bytes,
//   the
//                      largest power of two that no two cells can share
//
// The page entries of a mixed span say kMixed; where others have the layout
// they have the distance to the span's first page.
//
// Protocol: the P that takes a run writes its ids before the run's mark bytes
// (a release fence between), and nobody else writes them while a byte is not 0.
// So who reads a byte that is prev, and then the id, gets the cell's: the byte
// was written before the stop that made it prev.
#ifndef TRICOLOR_HEAP_MIXED_H_
#define TRICOLOR_HEAP_MIXED_H_

#include <cstddef>
#include <cstdint>

#include "heap/size_class_table.h"
#include "heap/span.h"

namespace tricolor::heap {

inline constexpr uint32_t kSideIdShift = 9;
inline constexpr uint32_t kSideIdBytes = 1u << kSideIdShift;
/// A slot with smaller cells has spans of its own from here on.
inline constexpr uint32_t kRareBytes = 32 * 1024;
/// The layout of a mixed span and of the slots that hold one: not registered.
inline constexpr uint32_t kMixedLayout = 0;

/// Of classes below kSideIdBytes.
struct MixedClass {
  uint16_t cells;
  uint16_t ids_at;  ///< offset of the ids in the span
  uint8_t shift;
  uint8_t pages;
};

struct MixedClasses {
  static constexpr uint32_t kCount = 32;
  MixedClass of[kCount] = {};

  constexpr MixedClasses() {
    for (uint32_t c = 1; c < kCount; ++c) {
      const uint32_t cell = kSizeClasses[c].bytes;
      if (cell >= kSideIdBytes) break;
      uint32_t shift = 4;
      while (cell >> (shift + 1) != 0) ++shift;
      const uint32_t span = 8192;
      const uint32_t ids_at = span - (span >> shift) * 2;
      of[c] = {static_cast<uint16_t>(ids_at / cell),
               static_cast<uint16_t>(ids_at), static_cast<uint8_t>(shift), 1};
    }
  }
};
inline constexpr MixedClasses kMixedClasses;

}  // namespace tricolor::heap

#endif  // TRICOLOR_HEAP_MIXED_H_
