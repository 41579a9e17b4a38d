// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// See gc/work_list.h.
#include "gc/work_list.h"

#include "base/check.h"
#include "base/os_memory.h"

namespace tricolor::gc {

namespace {
constexpr size_t kMaxLargePieces = size_t{1} << 18;
// 8 GiB of chunks, for a frontier of a thousand million cells. Beyond it, as
// without memory, cells are dropped and the mark rescans.
constexpr size_t kMaxChunks = size_t{1} << 21;
}  // namespace

bool WorkList::init() {
  base::LockGuard guard(lock_);
  return large_.init(kMaxLargePieces) && bare_.init(kMaxChunks) &&
         slabs_.init(kMaxChunks / kChunksInSlab);
}

void WorkList::destroy() {
  base::LockGuard guard(lock_);
  large_.release();
  bare_.release();
  for (char* slab : slabs_) {
    base::os_release(slab, kChunksInSlab * kChunkBytes);
  }
  slabs_.release();
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

WorkChunk* WorkList::carve_locked() {
  if (carved_ == kChunksInSlab) {
    auto* slab = static_cast<char*>(base::os_map(kChunksInSlab * kChunkBytes));
    if (slab == nullptr) return nullptr;
    if (!slabs_.push_back(slab)) {
      base::os_release(slab, kChunksInSlab * kChunkBytes);
      return nullptr;
    }
    carved_ = 0;
  }
  chunks_made_.fetch_add_relaxed(1);
  return reinterpret_cast<WorkChunk*>(slabs_[slabs_.size() - 1] +
                                      carved_++ * kChunkBytes);
}

WorkChunk* WorkList::get_empty() {
  base::LockGuard guard(lock_);
  WorkChunk* chunk = empty_;
  if (chunk != nullptr) {
    empty_ = chunk->next;
    --empty_count_;
  } else if (!bare_.empty()) {
    chunk = bare_.pop_back();
    bare_count_.fetch_sub_relaxed(1);
  } else {
    chunk = carve_locked();
    if (chunk == nullptr) return nullptr;
  }
  ++out_;
  if (out_ > most_out_.load_relaxed()) most_out_.store_relaxed(out_);
  chunk->next = nullptr;
  chunk->count = 0;
  return chunk;
}

void WorkList::put_empty(WorkChunk* chunk) {
  base::LockGuard guard(lock_);
  chunk->next = empty_;
  empty_ = chunk;
  ++empty_count_;
  --out_;
}

void WorkList::begin_cycle_stw() {
  base::LockGuard guard(lock_);
  most_out_.store_relaxed(out_);
}

bool WorkList::trim() {
  constexpr size_t kMost = 32;  // some 2 us each
  WorkChunk* chunks[kMost];
  size_t n = 0;
  {
    base::LockGuard guard(lock_);
    const size_t keep = most_out_.load_relaxed() - out_;
    while (n < kMost && empty_count_ > keep) {
      chunks[n++] = empty_;
      empty_ = empty_->next;
      --empty_count_;
    }
  }
  bool refused = false;
  for (size_t i = 0; i < n; ++i) {
    refused = !base::os_discard(chunks[i], kChunkBytes) || refused;
  }
  base::LockGuard guard(lock_);
  for (size_t i = 0; i < n; ++i) {
    if (bare_.push_back(chunks[i])) {
      bare_count_.fetch_add_relaxed(1);
    } else {
      chunks[i]->next = empty_;
      empty_ = chunks[i];
      ++empty_count_;
      refused = true;
    }
  }
  return n == kMost && !refused;
}

}  // namespace tricolor::gc
