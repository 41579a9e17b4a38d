// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Span: a run of pages that holds cells of one size class, of one layout or (a
// mixed one) of many, or one large object, or raw memory in the manual state.
// PageEntry: what the marker needs to know of a page, 4 bytes.
//
// (of a page in a mixed span: not the layout, but pages back to its first)
//
//   PageEntry  31           16 15         8 7          0
//             +---------------+------------+------------+
//             |    layout     |  class     |   kind     |
//             +---------------+------------+------------+
//
// State: free -> small | large | manual -> free, by whoever owns the pages.
// Where a small span is (SpanHome) and its sweep generation, with h the heap's
// generation (grows by 2 per cycle, while the world is stopped):
//
//   sweepgen == h - 2   unswept: it may hold dead cells (byte == prev)
//   sweepgen == h - 1   being swept by the thread that took it from its list
//   sweepgen == h       swept, or made in this generation
//
//            get_span (mcentral)                    release_span
//   listed ----------------------> cached (by a P) ---------------> listed
//     |  sweep_one: taken by the sweeper -> listed again, or freed
//
// A large object is listed in the heap's large_ instead (heap/large.cc).
//
// Invariants
// 1. A span is on exactly one mcentral stack or large list, or cached by
//    exactly one P, or held by exactly one sweeper.
// 2. Only its holder (P or sweeper) writes its mark bytes other than markers'
//    prev -> cur.
#ifndef TRICOLOR_HEAP_SPAN_H_
#define TRICOLOR_HEAP_SPAN_H_

#include <cstddef>
#include <cstdint>

#include "base/atomics.h"

namespace tricolor::heap {

enum class SpanState : uint8_t {
  kFree,       ///< its pages belong to the page allocator
  kSmall,      ///< cells of one layout and class
  kLarge,      ///< one object
  kManual,     ///< value stacks and other raw memory, never swept
  kMixed,      ///< in page entries alone: small, see heap/mixed.h
  kLargeTail,  ///< in page entries alone: a later page of a large object, with
               ///< the distance to the first one, in pages, above the kind
};

enum class SpanHome : uint8_t { kNone, kListed, kCached, kSweeping };

struct PageEntry {
  base::Atomic<uint32_t> bits;

  static constexpr uint32_t pack(uint32_t layout, uint32_t size_class,
                                 SpanState kind) {
    return layout << 16 | size_class << 8 | static_cast<uint32_t>(kind);
  }
  static constexpr uint32_t pack_tail(size_t pages_back) {
    size_t most = (size_t{1} << 24) - 1;  // from there one looks again
    return static_cast<uint32_t>(pages_back < most ? pages_back : most) << 8 |
           static_cast<uint32_t>(SpanState::kLargeTail);
  }
  static uint32_t pages_back(uint32_t bits) { return bits >> 8; }
  static uint32_t layout(uint32_t bits) { return bits >> 16; }
  static uint32_t size_class(uint32_t bits) { return bits >> 8 & 0xff; }
  static bool is_mixed(uint32_t bits) {
    return (bits & 0xff) == static_cast<uint32_t>(SpanState::kMixed);
  }
  static SpanState kind(uint32_t bits) {
    return static_cast<SpanState>(bits & 0x3f);
  }
  /// Of a page of kSmall: nothing is looked at in its cells, nor done about
  /// them, once they are marked.
  static constexpr uint32_t kLeaf = 0x40;
  static constexpr uint32_t pack_small(uint32_t layout, uint32_t size_class,
                                       bool leaf) {
    return pack(layout, size_class, SpanState::kSmall) | (leaf ? kLeaf : 0);
  }
  static bool is_small(uint32_t bits) {
    return (bits & 0xff & ~kLeaf) == static_cast<uint32_t>(SpanState::kSmall);
  }
  /// Of a page of a large object that is being made: it held old bytes.
  static constexpr uint32_t kDirty = 0x80;
};
static_assert(sizeof(PageEntry) == 4);

struct Span {
  // Changed by the holder (see invariant 1); sweepgen is read by validators.
  base::Atomic<uint32_t> sweepgen;
  SpanState state;
  SpanHome home;
  uint8_t size_class;
  bool needzero;  ///< its free cells may hold old bytes
  // Immutable while the span is not free.
  uint32_t first_page;
  uint32_t npages;
  uint32_t cell_bytes;  ///< small
  union {
    uint32_t cells;  ///< small
    uint32_t prev;   ///< large: first page of the one before on its list, or 0
  };
  uint64_t bytes;  ///< large: what was asked for, rounded to 16
  uint16_t layout;
  uint8_t shard;  ///< of its mcentral: of the P that took it last
  bool mixed;     ///< see heap/mixed.h
  // The holder's.
  uint32_t live;  ///< cells whose mark byte is not 0: allocated, or in a run
  // Written by who lists the span; read by whoever tries to take it.
  base::Atomic<uint32_t> next;  ///< first page of the one below; 0: none
  bool has_on_dead;             ///< mixed: some layout in it may have on_dead
  uint8_t punched;              ///< OS pages of it given back; while not cached
  uint8_t reserved[2];
};
static_assert(sizeof(Span) == 48);

}  // namespace tricolor::heap

#endif  // TRICOLOR_HEAP_SPAN_H_
