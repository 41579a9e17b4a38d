// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// MarkWorker's stack as chunks: where they come from, and how work goes to
// other workers. See gc/mark_worker.h.
#include "base/check.h"
#include "gc/mark_worker.h"

namespace tricolor::gc {

namespace {
constexpr uint32_t kLeastShared = 4;  // cells; fewer are done sooner than sent
}  // namespace

/// A new chunk on top; false: no memory.
TRI_NOINLINE bool MarkWorker::add_chunk() {
  if (top_ != nullptr && top_->next != nullptr) {
    // Keep at most two full chunks here; the rest is for everyone.
    WorkChunk* older = top_->next;
    top_->next = nullptr;
    list_->put(older);
  }
  WorkChunk* chunk = spare_ != nullptr ? spare_ : list_->get_empty();
  spare_ = nullptr;
  if (TRI_UNLIKELY(chunk == nullptr)) {
    list_->note_overflow();
    return false;
  }
  chunk->next = top_;
  chunk->count = 0;
  top_ = chunk;
  return true;
}

void MarkWorker::destroy() {
  TRI_ASSERT(empty());
  if (top_ != nullptr) list_->put_empty(top_);
  if (spare_ != nullptr) list_->put_empty(spare_);
  top_ = nullptr;
  spare_ = nullptr;
}

void MarkWorker::unfetch() {
  for (; fetched_ != 0; --fetched_) {
    if (TRI_UNLIKELY(top_ == nullptr || top_->count == WorkChunk::kCells) &&
        !add_chunk()) {
      fetched_ = 0;
      return;
    }
    top_->cells[top_->count++] = cells_[fetched_ - 1];
  }
}

bool MarkWorker::publish() {
  unfetch();
  bool any = false;
  while (top_ != nullptr) {
    WorkChunk* chunk = top_;
    top_ = chunk->next;
    if (chunk->count == 0) {
      list_->put_empty(chunk);
      continue;
    }
    list_->put(chunk);
    any = true;
  }
  return any;
}

void MarkWorker::balance() {
  if (list_->has_work()) return;
  // The newest cells have been fetched: without them there may be little on the
  // stack although a whole graph hangs off these few.
  unfetch();
  if (top_ == nullptr) return;
  if (top_->next != nullptr && top_->next->count != 0) {
    WorkChunk* older = top_->next;
    top_->next = older->next;
    list_->put(older);
    return;
  }
  if (top_->count < kLeastShared) return;
  // The older half: it lies nearer to the roots, so more hangs off it.
  WorkChunk* half = list_->get_empty();
  if (half == nullptr) return;
  uint32_t n = top_->count / 2;
  for (uint32_t i = 0; i < n; ++i) half->cells[i] = top_->cells[i];
  for (uint32_t i = n; i < top_->count; ++i) {
    top_->cells[i - n] = top_->cells[i];
  }
  half->count = n;
  top_->count -= n;
  list_->put(half);
}

}  // namespace tricolor::gc
