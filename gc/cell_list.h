// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// CellList: cells the markers met that somebody has to look at later, in chunks
// of the WorkList's. A cell may be on it twice (two markers may scan a cell).
//
// Threads: any; the lock is kWeak. Such cells are few beside all that is
// marked, so one lock will do.
#ifndef TRICOLOR_GC_CELL_LIST_H_
#define TRICOLOR_GC_CELL_LIST_H_

#include "base/atomics.h"
#include "base/lock.h"
#include "gc/work_list.h"

namespace tricolor::gc {

class CellList {
 public:
  void init(WorkList* chunks) { chunks_ = chunks; }

  /// False: there is no memory, and the cell is not listed.
  bool add(void* cell);
  /// One of the cells, which leaves the list; null: it is empty.
  void* take();
  /// Relaxed hint; exact when nobody adds.
  bool empty() const { return count_.load_relaxed() == 0; }

 private:
  WorkList* chunks_ = nullptr;
  base::Mutex lock_{base::LockRank::kWeak};
  WorkChunk* top_ TRI_GUARDED_BY(lock_) = nullptr;
  base::Atomic<uint64_t> count_{0};  // written under the lock
};

}  // namespace tricolor::gc

#endif  // TRICOLOR_GC_CELL_LIST_H_
