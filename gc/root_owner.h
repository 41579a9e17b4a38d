// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// RootOwner: the part of a G the collector reads: its Mutator, shadow stack,
// value stack and a few root words. sched::G derives from it.
//
// Threads: the owner writes everything here while it runs, without a barrier.
// A marker reads it only while it holds the G's scan bit (see gc/world.h) or
// the owner scans itself at a safepoint. The word that others write (result) is
// a barriered store by its writer.
#ifndef TRICOLOR_GC_ROOT_OWNER_H_
#define TRICOLOR_GC_ROOT_OWNER_H_

#include <cstddef>
#include <cstdint>

#include "base/atomics.h"
#include "tricolor/detail/mutator.h"

namespace tricolor::gc {

/// A stretch of shadow slots. The first lies in the G; more come from the
/// runtime's metadata and are linked newest first.
struct ShadowChunk {
  ShadowChunk* prev;  ///< null for the first
  void** saved_top;   ///< shadow_top of `prev` when this one was pushed
  size_t capacity;    ///< slots
  void** slots() { return reinterpret_cast<void**>(this + 1); }
};

inline constexpr size_t kInlineShadowSlots = 33;  // slot 0 is reserved

struct RootOwner {
  tri_mutator mu;  // first: a Mutator* is a RootOwner*

  // Owner only (see file comment).
  ShadowChunk* shadow_chunk;  ///< newest overflow chunk; null: the inline one
  ShadowChunk* spare_chunk;   ///< one kept back against thrashing
  void** inline_top;          ///< top of the inline slots while a chunk is up

  // Barriered stores by whoever writes; read as plain managed pointers.
  uint64_t result_root;  ///< the task's result if it is a cell
  uint64_t self_root;    ///< a coroutine's own cell while it is not suspended
  uint64_t wait_root;    ///< what a wait gives: by who ends it (sched/wait.h)
  uint64_t waits_for;    ///< the cell that it waits for, and is in no scope

  /// The cycle that scanned this owner last; equal to the collector's cycle
  /// number: black. Written under the scan bit or by the owner itself.
  base::Atomic<uint32_t> scanned_cycle;

  /// How many pieces of its value stack a marker has scanned, and in which
  /// cycle; the rest is to come. Written under the scan bit, and taken back by
  /// the owner when it runs (forget_partial_scan()).
  uint32_t partial_cycle;
  uint32_t partial_pieces;

  /// Owner only. Whether Options::on_out_of_memory runs on this G's stack, and
  /// where: see gc/out_of_memory.cc. 0: no.
  uint32_t oom_call;

  /// Owner only. It has stopped between two instructions of its own, and its
  /// native stack is scanned: see sched/async.h.
  bool async_stopped;

  void* inline_slots[kInlineShadowSlots];  ///< owner only; behind what is hot
};

/// Makes the shadow stack empty; `mu.runtime` and the rest are the caller's.
void root_owner_init(RootOwner* owner);
/// Frees overflow chunks (the G is dead and no marker holds it).
void root_owner_drop_chunks(RootOwner* owner);
/// As new.
inline void root_owner_clear(RootOwner* owner) {
  if (TRI_UNLIKELY(owner->shadow_chunk != nullptr ||
                   owner->spare_chunk != nullptr)) {
    root_owner_drop_chunks(owner);
    return root_owner_init(owner);
  }
  // base and limit have never been others
  owner->mu.shadow_top = owner->inline_slots + 1;
  owner->inline_top = owner->mu.shadow_top;
  owner->oom_call = 0;
  owner->async_stopped = false;
  owner->partial_cycle = 0;
  owner->partial_pieces = 0;
}

}  // namespace tricolor::gc

#endif  // TRICOLOR_GC_ROOT_OWNER_H_
