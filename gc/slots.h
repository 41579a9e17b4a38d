// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// The managed slots of a cell as places: gc/scan.h visits what slots refer to,
// and in an order that says nothing about where it was found. For the auditor,
// which compares slot by slot.
//
// A custom layout has no slots that anybody but its trace function knows; a
// weak one's are the collector's to clear. Neither is visited.
#ifndef TRICOLOR_GC_SLOTS_H_
#define TRICOLOR_GC_SLOTS_H_

#include <cstddef>
#include <cstdint>

#include "gc/scan.h"
#include "heap/layout_table.h"

namespace tricolor::gc {

/// What a slot is read by: null, as a bare pointer.
using SlotEncoding = const Encoding*;

/// The cell that the slot at word `i` refers to, or whatever else the word
/// means as an address.
inline void* slot_cell(SlotEncoding e, const uint64_t* words, size_t i) {
  if (e == nullptr) return reinterpret_cast<void*>(load_word(&words[i]));
  if (e->stride == 16) {
    return heap::decode_pair(*e, load_word(&words[i + e->tag_offset / 8]),
                             load_word(&words[i + e->payload_offset / 8]));
  }
  return heap::decode(*e, load_word(&words[i]));
}

/// Slots of which bit i of `bits` says that one begins at word from + i.
template <class Fn>
inline void each_slot_at(uint64_t bits, size_t from, size_t end, SlotEncoding e,
                         Fn&& fn) {
  const size_t width = e != nullptr && e->stride == 16 ? 2 : 1;
  for (; bits != 0; bits &= bits - 1) {
    const size_t i = from + static_cast<size_t>(__builtin_ctzll(bits));
    if (i + width <= end) fn(i, e);
  }
}

/// Slots side by side.
template <class Fn>
inline void each_slot_in(size_t from, size_t end, SlotEncoding e, Fn&& fn) {
  const size_t width = e != nullptr && e->stride == 16 ? 2 : 1;
  for (size_t i = from; i + width <= end; i += width) fn(i, e);
}

/// Calls fn(word index, encoding) for each managed slot of a cell of `n` words;
/// of a cell with weak words, for those that are strong.
template <class Fn>
inline void each_slot(const heap::LayoutTable& layouts, LayoutId layout,
                      size_t n, Fn&& fn) {
  using Strength = LayoutSpec::Strength;
  const heap::HotLayout& hot = layouts.hot(layout);
  bool scans_tail = true;
  const Encoding* e = &layouts.encoding(hot.encoding);
  const size_t head = hot.head_bytes / 8;
  switch (hot.kind) {
    case heap::ScanKind::kAllPointers:
      each_slot_in(0, n, nullptr, fn);
      return;
    case heap::ScanKind::kAllEncoded:
      each_slot_in(0, n, e, fn);
      return;
    case heap::ScanKind::kHeadPointers:
      each_slot_at(hot.head_pointers, 0, n, nullptr, fn);
      return;
    case heap::ScanKind::kMixed:
    case heap::ScanKind::kElements:
      each_slot_at(hot.head_pointers, 0, n, nullptr, fn);
      each_slot_at(hot.head_encoded, 0, n, e, fn);
      break;
    case heap::ScanKind::kWeak: {
      const heap::ColdLayout& cold = layouts.cold(layout);
      if (cold.head_strength == Strength::kStrong) {
        each_slot_at(hot.head_pointers, 0, n, nullptr, fn);
        each_slot_at(hot.head_encoded, 0, n, e, fn);
      }
      scans_tail = cold.tail_strength == Strength::kStrong;
      break;
    }
    default:
      return;
  }
  if (!scans_tail) return;
  if (hot.tail == LayoutSpec::Tail::kElements) {
    const heap::TailPattern pattern = *hot.pattern;
    for (size_t at = head; at < n; at += pattern.words) {
      each_slot_at(pattern.pointers, at, n, nullptr, fn);
      each_slot_at(pattern.encoded, at, n, e, fn);
    }
  } else if (hot.tail == LayoutSpec::Tail::kPointers) {
    each_slot_in(head, n, nullptr, fn);
  } else if (hot.tail == LayoutSpec::Tail::kEncoded) {
    each_slot_in(head, n, e, fn);
  }
}

}  // namespace tricolor::gc

#endif  // TRICOLOR_GC_SLOTS_H_
