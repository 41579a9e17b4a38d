// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// ShadeBatch: the barrier of many stores. Whether a cell is white is in its
// mark byte, and of many cells those are anywhere: a miss each, one after the
// other. Here they are fetched together.
//
// A cell may be shaded after the store that overwrote it, or that made it
// reachable, as long as no safepoint lies between: no mark ends before the P
// has passed one, and what is in the P's buffer by then is marked.
//
// Threads: the mutator that runs. No safepoint in an object's lifetime.
#ifndef TRICOLOR_GC_SHADE_BATCH_H_
#define TRICOLOR_GC_SHADE_BATCH_H_

#include <cstddef>

#include "gc/collector_impl.h"

namespace tricolor::gc {

class ShadeBatch {
 public:
  explicit ShadeBatch(ProcGc* p) : p_(p) {}
  ~ShadeBatch() { flush(); }
  ShadeBatch(const ShadeBatch&) = delete;
  ShadeBatch& operator=(const ShadeBatch&) = delete;

  void add(void* cell) {
    if (cell == nullptr) return;
    p_->worker.prefetch_mark(cell);
    cells_[n_++] = cell;
    if (n_ == kCells) flush();
  }
  void flush() {
    if (p_->barrier_on != 0) {
      CollectorImpl* c = p_->collector->impl();
      for (size_t i = 0; i < n_; ++i) {
        if (p_->worker.is_white(cells_[i]))
          c->shade_from_mutator(p_, cells_[i]);
      }
    }
    n_ = 0;
  }

 private:
  static constexpr size_t kCells = 32;
  ProcGc* p_;
  size_t n_ = 0;
  void* cells_[kCells];
};

}  // namespace tricolor::gc

#endif  // TRICOLOR_GC_SHADE_BATCH_H_
