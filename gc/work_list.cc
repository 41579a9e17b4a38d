// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// See gc/work_list.h.
#include "gc/work_list.h"

#include "base/check.h"

namespace tricolor::gc {

namespace {
constexpr size_t kMaxLargePieces = size_t{1} << 18;
}

bool WorkList::init(base::MetaArena* meta) {
  meta_ = meta;
  base::LockGuard guard(lock_);
  return large_.init(kMaxLargePieces);
}

void WorkList::destroy() {
  base::LockGuard guard(lock_);
  large_.release();  // the chunks are the MetaArena's
}

void WorkList::put(WorkChunk* chunk) {
  TRI_ASSERT(chunk->count > 0);
  base::LockGuard guard(lock_);
  chunk->next = full_;
  full_ = chunk;
  pending_.fetch_add_relaxed(1);
}

WorkChunk* WorkList::take() {
  if (!has_work()) return nullptr;
  base::LockGuard guard(lock_);
  WorkChunk* chunk = full_;
  if (chunk == nullptr) return nullptr;
  full_ = chunk->next;
  chunk->next = nullptr;
  pending_.fetch_sub_relaxed(1);
  return chunk;
}

bool WorkList::put_large(const LargePiece& piece) {
  base::LockGuard guard(lock_);
  if (!large_.push_back(piece)) return false;
  pending_.fetch_add_relaxed(1);
  return true;
}

bool WorkList::take_large(LargePiece* piece) {
  if (!has_work()) return false;
  base::LockGuard guard(lock_);
  if (large_.empty()) return false;
  *piece = large_.pop_back();
  pending_.fetch_sub_relaxed(1);
  return true;
}

WorkChunk* WorkList::get_empty() {
  {
    base::LockGuard guard(lock_);
    WorkChunk* chunk = empty_;
    if (chunk != nullptr) {
      empty_ = chunk->next;
      chunk->next = nullptr;
      chunk->count = 0;
      return chunk;
    }
  }
  auto* chunk = static_cast<WorkChunk*>(meta_->alloc(sizeof(WorkChunk), 64));
  if (chunk == nullptr) return nullptr;
  chunks_made_.fetch_add_relaxed(1);
  return chunk;
}

void WorkList::put_empty(WorkChunk* chunk) {
  base::LockGuard guard(lock_);
  chunk->next = empty_;
  empty_ = chunk;
}

}  // namespace tricolor::gc
