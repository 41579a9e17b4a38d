// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// WeakTargets: the cells that are the target of a weak cell, a bit for each 16
// bytes of heap, in blocks made on first use. release() asks it: a target must
// not be used again before its weak cells have been cleared.
//
// A bit is set when a weak cell is made and cleared when the settling of weak
// cells finds the target dead. A target that outlives its last weak cell keeps
// its bit, and so does the next cell at that address: its release is left to
// the sweep, which is safe.
//
// Threads: add and has by mutators; remove by whoever settles. Making a weak
// cell and releasing its target are ordered by the embedder ("unshared"), so
// the bits are relaxed.
#ifndef TRICOLOR_GC_WEAK_TARGETS_H_
#define TRICOLOR_GC_WEAK_TARGETS_H_

#include <cstddef>
#include <cstdint>

#include "base/atomics.h"
#include "base/meta_arena.h"

namespace tricolor::heap {
class AddressSpace;
}

namespace tricolor::gc {

class WeakTargets {
 public:
  bool init(base::MetaArena* meta, const heap::AddressSpace* space);

  void add(const void* target);
  void remove(const void* target);
  bool has(const void* target) const;

 private:
  static constexpr size_t kBlockShift = 22;  // 4 MiB of heap, 32 KiB of bits
  static constexpr size_t kWords = (size_t{1} << kBlockShift) / 16 / 64;

  struct Place {
    base::Atomic<uint64_t*>* block;
    size_t word;
    uint64_t bit;
  };
  Place place_of(size_t offset) const;

  base::MetaArena* meta_ = nullptr;
  const heap::AddressSpace* space_ = nullptr;
  base::Atomic<uint64_t*>* blocks_ = nullptr;
  base::Atomic<uint32_t> unknown_{0};  ///< a block was refused: all are targets
};

}  // namespace tricolor::gc

#endif  // TRICOLOR_GC_WEAK_TARGETS_H_
