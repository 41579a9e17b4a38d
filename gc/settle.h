// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Settling: what has become of weak things is decided between stop 2 and the
// first sweep, beside the mutators, in pieces, by whoever advances the cycle.
// See gc/settle.cc.
#ifndef TRICOLOR_GC_SETTLE_H_
#define TRICOLOR_GC_SETTLE_H_

#include <cstddef>
#include <cstdint>

#include "gc/cell_list.h"
#include "gc/ephemeron_keys.h"
#include "gc/mark_worker.h"
#include "gc/weak_list.h"

namespace tricolor::gc {

enum class SettleStep : uint8_t {
  kShort,       ///< short weak words of dead targets are cleared
  kFindDead,    ///< which cells with finalizers are dead
  kRevive,      ///< they and what hangs off them are marked
  kShortAgain,  ///< of what was met there
  kLong,        ///< long weak words
  kPairs,       ///< pairs with dead keys
  kPublish,     ///< the finalizers are put in the queue
  kDone,
};

/// A cell that is looked at piece by piece.
struct CellCursor {
  void* cell = nullptr;
  size_t word = 0;
  bool late = false;  ///< its long weak words now: they could not be listed
};

/// Everything weak that a cycle has met. The lists: any marker. The rest: the
/// holder of `advancing_`.
struct WeakThings {
  WeakList cells;
  WeakList long_cells;
  CellList arrays;  ///< cells with weak or long weak words
  CellList long_arrays;
  CellList pairs;  ///< cells with ephemerons whose values are marked or wait
  CellList unresolved;
  CellList deferred;  ///< nothing weak: marked cells for trace_deferred()
  EphemeronKeys keys;
  WeakSinks sinks{&cells,      &long_cells, &arrays,  &pairs,
                  &unresolved, &keys,       &deferred};

  SettleStep step = SettleStep::kDone;
  CellCursor at;         ///< in a cell of a list that is being settled
  CellCursor resolving;  ///< in one that was unresolved
  bool keys_begun = false;
  bool keys_asked = false;  ///< by every marker: a ragged barrier saw to it
  uint64_t pairs_looked_at = 0;  ///< ever, of those that were unresolved
  bool any_revived = false;
  uint64_t next_deferred_ns = 0;  ///< no stop for them before

  void init(WorkList* chunks) {
    for (CellList* list :
         {&arrays, &long_arrays, &pairs, &unresolved, &deferred}) {
      list->init(chunks);
    }
    keys.init(chunks);
  }
  bool resolved() const {
    return resolving.cell == nullptr && unresolved.empty();
  }
};

}  // namespace tricolor::gc

#endif  // TRICOLOR_GC_SETTLE_H_
