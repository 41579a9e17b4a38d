// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Looking at the heap from outside: which cell an address lies in, every cell,
// how much each layout has, and whether all is well. For debuggers, heap dumps,
// leak tests and a VM's own `collectgarbage("count")`.
//
// find_cell is for any thread and any moment. The others stop the world; walk
// and verify_heap, which want one moment of the whole heap, for as long as they
// take (which grows with it). They are safepoints: the caller
// may be suspended before, and raw pointers to cells do not survive unless
// rooted. None of them collects: call collect(mu) first to see only what is
// reachable; else cells that wait for a cycle to find them dead are seen, too.
#ifndef TRICOLOR_HEAP_INSPECT_H_
#define TRICOLOR_HEAP_INSPECT_H_

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "tricolor/detail/mutator.h"
#include "tricolor/layout.h"

namespace tricolor {

class Runtime;

/// One cell. The pointers are valid as long as the runtime; `cell` is not
/// rooted by this.
struct CellInfo {
  void* cell;        ///< its first byte
  size_t bytes;      ///< its usable size, as cell_size
  LayoutId layout;   ///< kInvalidLayout: a large object still being made
  const char* name;  ///< of the layout; the library's own begin "tricolor."
  void* user;        ///< LayoutSpec::user
};

/// The cell that `p` points to or into. False: `p` lies in no cell in use
/// (outside the heap, a free or released cell, a value stack, the unused end of
/// a span). Constant time. Any thread, managed or not; the answer is exact
/// while something keeps the cell alive and nobody resizes it, else it may be
/// out of date before it is read. A cell the allocator holds for its next
/// allocations counts as in use.
bool find_cell(const Runtime& rt, const void* p, CellInfo* out);

/// Calls fn(info, ctx) once for each allocated cell, in address order, with the
/// world stopped. Sees each cell allocated and not released before the call,
/// but not those a finished mark has found dead. `fn` may read cells, and may
/// throw: then the walk is over and the world runs again. It must not store
/// managed pointers, block or longjmp, nor call this runtime (find_cell,
/// layout_name and cell_size are fine): a call that allocates, releases,
/// resizes, collects, walks or suspends ends the process with a message.
using WalkFn = void (*)(const CellInfo& info, void* ctx);
void walk(Mutator& mu, WalkFn fn, void* ctx);

/// The same with any callable taking const CellInfo&.
template <class F>
void walk(Mutator& mu, F&& f) {
  using Fn = std::remove_reference_t<F>;
  walk(
      mu,
      [](const CellInfo& info, void* ctx) { (*static_cast<Fn*>(ctx))(info); },
      const_cast<void*>(static_cast<const void*>(&f)));
}

/// What a layout has: its cells and their bytes (whole cells; large objects by
/// their pages), among them what has been released and waits for a cycle.
struct LayoutStats {
  uint64_t cells;
  uint64_t bytes;
};

/// Fills out[id] for each layout id < n (id 0 stays zero). Returns how many
/// layouts there are, id 0 included: give that many. Stops the world for each
/// 128 MiB of heap anew, some 50 us, and lets it run between: what is allocated
/// or freed meanwhile may or may not be counted.
size_t layout_stats(Mutator& mu, LayoutStats* out, size_t n);

/// Checks the heap's own structures (pages, spans, counts, mark bytes), and
/// that each traced word of each reachable cell is null, outside the
/// reservation, or the start of a cell in use. Ends the process with what is
/// wrong: of a bad word the cell, its layout and the offset. While the
/// collector marks, custom layouts and what only they refer to are left out. As
/// long as a stopped mark of the whole heap; for tests, and for narrowing down
/// who writes out of bounds.
void verify_heap(Mutator& mu);

}  // namespace tricolor

#endif  // TRICOLOR_HEAP_INSPECT_H_
