// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Native stacks as roots (Options::conservative_stacks): any word that is the
// address of a cell, or of a byte inside one, keeps the cell. The scheduler
// says which words (World::native_roots); this reads them and asks the heap
// which cells they may mean. See docs/design/0013-conservative-stacks.md.
//
// Invariants
// 1. A stack is read only while its owner is suspended (the caller holds its
//    scan bit, or the world is stopped), or by the owner itself.
// 2. What is visited is the start of a cell whose mark byte was prev or cur and
//    that is not released: a word that means nothing costs time, no more. A
//    cell may be free all the same, in a run that a P owns: it is marked like
//    any other, and its P writes cur over it in any case.
//
// Threads: as CollectorImpl::scan_owner.
#ifndef TRICOLOR_GC_CONSERVATIVE_H_
#define TRICOLOR_GC_CONSERVATIVE_H_

#include <cstddef>
#include <cstdint>

#include "heap/heap.h"

namespace tricolor::gc {

/// Stretches of memory, read as words; both ends are multiples of 8.
struct NativeRoots {
  static constexpr uint32_t kMost = 4;
  struct Range {
    const void* from;
    const void* to;
  };
  uint32_t count = 0;
  Range ranges[kMost];

  void add(const void* from, const void* to) { ranges[count++] = {from, to}; }
};

using VisitCell = void (*)(void* arg, void* cell);

/// Calls visit(arg, cell) for each word of [from, to) that refers to a cell;
/// several times for the same. `marked_only`: for those whose byte is cur.
/// Returns the bytes read.
size_t visit_words_conservatively(heap::Heap* heap, const void* from,
                                  const void* to, bool marked_only,
                                  VisitCell visit, void* arg);

}  // namespace tricolor::gc

#endif  // TRICOLOR_GC_CONSERVATIVE_H_
