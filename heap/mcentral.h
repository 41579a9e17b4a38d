// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// MCentral: the spans of one (layout, size class) that no P caches, by how full
// they were when last swept, in lock-free stacks. There are four shards of
// them, one for each P, or for several: a P gets back the spans it filled,
// which its CPU has in its caches, and others' only when it has none. Two sets
// of stacks, swept and unswept, swap roles by the parity of the heap's sweep
// generation, so that a stop touches none of them.
//
//   kHalf     at most half full          handed out first
//   kPartial  at most three quarters     then
//   kHeld     more, but not full         only when memory is short: a refill
//                                        from it takes many short runs
//   kFull     full
//
// Invariants
// 1. A span on an unswept stack has sweepgen == h - 2, on a swept one h.
// 2. Taking a span off a stack makes the taker its only holder.
//
// A stack is a word {pushes so far : 32, first page of the top : 32}; `next` of
// a span is read by those whose compare-exchange then fails, so it is atomic.
// The count makes a word that comes back to the same top differ, unless exactly
// 2^32 pushes go by during one pop (Treiber's stack with a tag).
//
// Threads: holders of a P. The generation changes only while all are stopped.
#ifndef TRICOLOR_HEAP_MCENTRAL_H_
#define TRICOLOR_HEAP_MCENTRAL_H_

#include <cstdint>

#include "base/atomics.h"
#include "heap/span.h"

namespace tricolor::heap {

class AddressSpace;

class alignas(64) MCentral {
 public:
  // Zeroed memory is a valid MCentral.

  static constexpr uint32_t kShards = 4;

  /// What pop(shard) finds in `own`, or in the others after it; null: nothing.
  template <class Pop>
  static Span* first_of_shards(uint32_t own, Pop pop) {
    Span* span = nullptr;
    for (uint32_t i = 0; i < kShards && span == nullptr; ++i) {
      span = pop((own + i) % kShards);
    }
    return span;
  }

  /// Gives up a span; which stack, its shard, sweepgen and `live` say.
  void push(AddressSpace& space, Span* span);
  /// Takes a swept span at most three quarters full; null if there is none.
  Span* pop_swept(AddressSpace& space, uint32_t sweepgen, uint32_t shard);
  /// Takes a swept span with few free cells; null if there is none.
  Span* pop_held(AddressSpace& space, uint32_t sweepgen, uint32_t shard);
  /// Takes an unswept span, emptier ones first; null if there is none.
  Span* pop_unswept(AddressSpace& space, uint32_t sweepgen, uint32_t shard);

  /// Calls fn(page, parity of the generation) for each span on a stack, until
  /// it returns false. World stopped.
  template <class Next, class Fn>
  void each_stw(Next next, Fn fn) const {
    for (const auto& shard : stacks_) {
      for (uint32_t i = 0; i < 2 * kFills; ++i) {
        uint32_t page = static_cast<uint32_t>(shard[i].load_relaxed());
        while (page != 0 && fn(page, i / kFills)) page = next(page);
      }
    }
  }

 private:
  enum Fill : uint32_t { kHalf, kPartial, kHeld, kFull, kFills };
  using Stack = base::Atomic<uint64_t>;

  static Fill fill_of(const Span* span);
  Stack& stack(uint32_t sweepgen, uint32_t fill, uint32_t shard) {
    return stacks_[shard][(sweepgen >> 1 & 1) * kFills + fill];
  }
  static Span* cached(Span* span, uint32_t sweepgen);
  static Span* pop(AddressSpace& space, Stack& stack);

  Stack stacks_[kShards][2 * kFills];  // a cache line each
};
static_assert(sizeof(MCentral) == 64 * MCentral::kShards);

}  // namespace tricolor::heap

#endif  // TRICOLOR_HEAP_MCENTRAL_H_
