// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// See gc/cell_list.h.
#include "gc/cell_list.h"

namespace tricolor::gc {

bool CellList::add(void* cell) {
  WorkChunk* fresh = nullptr;
  for (;;) {
    {
      base::LockGuard guard(lock_);
      if (top_ == nullptr || top_->count == WorkChunk::kCells) {
        if (fresh != nullptr) {
          fresh->next = top_;
          top_ = fresh;
          fresh = nullptr;
        }
      }
      if (top_ != nullptr && top_->count != WorkChunk::kCells) {
        top_->cells[top_->count++] = cell;
        count_.store_relaxed(count_.load_relaxed() + 1);
        break;
      }
    }
    fresh = chunks_->get_empty();  // its lock comes before this one
    if (fresh == nullptr) return false;
  }
  if (fresh != nullptr) chunks_->put_empty(fresh);  // somebody else was faster
  return true;
}

void* CellList::take() {
  if (empty()) return nullptr;
  WorkChunk* done = nullptr;
  void* cell = nullptr;
  {
    base::LockGuard guard(lock_);
    if (top_ == nullptr) return nullptr;
    cell = top_->cells[--top_->count];
    count_.store_relaxed(count_.load_relaxed() - 1);
    if (top_->count == 0) {
      done = top_;
      top_ = top_->next;
    }
  }
  if (done != nullptr) chunks_->put_empty(done);
  return cell;
}

}  // namespace tricolor::gc
