// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Giving cells back by hand, and changing their size. For a VM that knows when
// a buffer is dead: the old array of a table that grew, a string builder's
// buffer. What is released is used again without waiting for a cycle, and
// costs no assist.
//
// Every call wants the mutator that runs, and a live cell of its runtime that
// no other thread or task touches meanwhile: rooted until the call, published
// nowhere (or taken out of there before). A null cell, one that is dead, has
// been released, or is not a cell at all ends the process with a message. One
// case is not found: an address that was never handed out and lies among the
// cells that another P holds for its next allocations (this P's own are known).
// That cell then has two owners, and verify_heap() does not see it either.
// Source of the idea: Go 1.26, runtime.freegc.
#ifndef TRICOLOR_RESIZE_H_
#define TRICOLOR_RESIZE_H_

#include <cstddef>

#include "tricolor/detail/mutator.h"

namespace tricolor {

/// Gives `cell` back: nothing may refer to it any more, and its contents are
/// gone. True: this P hands the memory out again (small cells), or its pages
/// are free but the first (over 32 KiB). False: left to the next cycle, which
/// is never wrong; this happens
///  - while the collector marks, if the layout has pointers;
///  - if the layout has on_dead (it runs once, when the sweep finds the cell);
///  - for weak cells and cells that have been the target of one;
///  - over 32 KiB, from the end of marking until the object has been swept.
/// Neither collects nor suspends.
bool release(Mutator& mu, void* cell);

/// Makes cell_size(rt, cell) at least `bytes` without moving it; what it gains
/// is zero. Within its size class, its last page, or the free pages behind it.
/// False: not possible now, nothing has changed. Neither collects nor suspends.
bool try_grow_in_place(Mutator& mu, void* cell, size_t bytes);

/// Cuts an object over 32 KiB down to `bytes` (1 .. cell_size), rounded up to
/// 16, and gives the whole pages behind them back. False, with nothing changed:
/// a small cell, no whole page to give, or now is not the time (the collector
/// marks, or the object waits for its sweep). Neither collects nor suspends.
bool shrink(Mutator& mu, void* cell, size_t bytes);

/// A cell of the same layout with at least `bytes` bytes: `cell` itself if it
/// is or can be made large enough, else a new one with the contents of `cell`,
/// which is released. The rest is zero (arbitrary for an uninitialized layout).
/// Never null: calls Options::on_out_of_memory. May collect; a safepoint; roots
/// `cell` meanwhile.
/// Its finalizer goes with it; weak references stay with the old cell. Not for
/// weak cells (Weak, LongWeak; weak arrays may grow), layouts with on_dead (it
/// would run for both cells), deferred ones, nor those whose cells refer to
/// themselves.
void* grow(Mutator& mu, void* cell, size_t bytes);
/// The same; null when there is no memory: `cell` is as it was, and rooted by
/// nobody but the caller.
void* try_grow(Mutator& mu, void* cell, size_t bytes);

}  // namespace tricolor

#endif  // TRICOLOR_RESIZE_H_
