// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// See gc/weak_targets.h.
#include "gc/weak_targets.h"

#include "heap/address_space.h"

namespace tricolor::gc {

bool WeakTargets::init(base::MetaArena* meta, const heap::AddressSpace* space) {
  meta_ = meta;
  space_ = space;
  size_t n = (space->reserved_bytes() >> kBlockShift) + 1;
  blocks_ = static_cast<base::Atomic<uint64_t*>*>(
      meta->alloc(n * sizeof(*blocks_), alignof(base::Atomic<uint64_t*>)));
  return blocks_ != nullptr;
}

WeakTargets::Place WeakTargets::place_of(size_t offset) const {
  size_t granule =
      (offset & ((size_t{1} << kBlockShift) - 1)) >> heap::kGranuleShift;
  return {&blocks_[offset >> kBlockShift], granule / 64,
          uint64_t{1} << granule % 64};
}

void WeakTargets::add(const void* target) {
  size_t offset = space_->offset_of(target);
  if (offset >= space_->committed_bytes()) return;
  Place at = place_of(offset);
  // ORDER-weakbits-1: pairs with the release below: the block is zero.
  uint64_t* words = at.block->load_acquire();
  if (words == nullptr) {
    auto* fresh = static_cast<uint64_t*>(meta_->alloc(kWords * 8, 8));
    if (fresh == nullptr) {
      unknown_.store_relaxed(1);
      return;
    }
    // Of two at once, the loser's block is left to the arena.
    if (at.block->compare_exchange_strong_acq_rel(words, fresh)) words = fresh;
  }
  __atomic_fetch_or(&words[at.word], at.bit, __ATOMIC_RELAXED);
}

void WeakTargets::remove(const void* target) {
  size_t offset = space_->offset_of(target);
  if (offset >= space_->committed_bytes()) return;
  Place at = place_of(offset);
  // ORDER-weakbits-1: pairs with add().
  uint64_t* words = at.block->load_acquire();
  if (words == nullptr) return;
  __atomic_fetch_and(&words[at.word], ~at.bit, __ATOMIC_RELAXED);
}

bool WeakTargets::has(const void* target) const {
  if (unknown_.load_relaxed() != 0) return true;
  size_t offset = space_->offset_of(target);
  if (offset >= space_->committed_bytes()) return false;
  Place at = place_of(offset);
  // ORDER-weakbits-1: pairs with add().
  uint64_t* words = at.block->load_acquire();
  if (words == nullptr) return false;
  return (base::load_relaxed(&words[at.word]) & at.bit) != 0;
}

}  // namespace tricolor::gc
