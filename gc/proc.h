// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// ProcGc: the collector's part of a P: barrier buffer, mark worker, assist
// account. sched::P derives from it; tri_mutator::p points to it.
//
// Threads: the thread that holds the P, or, while the P is stopped, idle or in
// native code, whoever performs the world operation. `request` alone is atomic.
#ifndef TRICOLOR_GC_PROC_H_
#define TRICOLOR_GC_PROC_H_

#include <cstdint>

#include "base/atomics.h"
#include "gc/mark_worker.h"
#include "gc/root_owner.h"
#include "heap/mcache.h"

namespace tricolor::gc {

class Collector;

inline constexpr uint32_t kBarrierBufferSize = 512;
inline constexpr uint32_t kNoMarkCycle = ~uint32_t{0};
inline constexpr uint32_t kSmallBuffer = 2;  ///< TRIDEBUG=smallbuffers=1

/// What a P's running G or worker must attend to at its next safepoint.
enum Request : uint32_t {
  kRequestStop = 1,     ///< stop-the-world
  kRequestRagged = 2,   ///< run the ragged barrier's function
  kRequestPreempt = 4,  ///< let another task run
  kRequestSlice = 8,    ///< with that: because the task has had its time slice
};

struct ProcGc : heap::MCache {
  // Immutable after init.
  Collector* collector = nullptr;
  bool stress_polls = false;   ///< TRIDEBUG=pollstress
  uint32_t barrier_limit = 0;  ///< entries of barrier_buffer that are used

  /// Request bits. Written by world operations and sysmon; cleared by the
  /// holder at a safepoint. Loads by workers are relaxed: a hint.
  base::Atomic<uint32_t> request{0};

  // Written while the world is stopped (or before the P is in use); what
  // Mutators have of it: barrier_state().
  uint32_t barrier_on = 0;             ///< 1 exactly while marking
  uint32_t mark_cycle = kNoMarkCycle;  ///< the cycle that marks, or marked last

  // Holder only.
  uint32_t barrier_count = 0;
  void* barrier_buffer[kBarrierBufferSize];
  MarkWorker worker;
  int64_t assist_debt_bytes = 0;  ///< scan work owed by this P's mutators
  int64_t sweep_debt_x256 = 0;    ///< spans to sweep for what was allocated
  int64_t external_grown = 0;     ///< external bytes since the last safepoint
  // Of tasks' stacks, in this cycle: all that was scanned; and of those that
  // were scanned to the end, each once.
  uint64_t stack_bytes = 0;
  uint64_t whole_stack_bytes = 0;
  uint64_t root_bytes = 0;    ///< of Globals and tables, in this cycle
  uint64_t slice_end_ns = 0;  ///< next time a fractional slice is due
  bool in_collector = false;  ///< guards against re-entry by a refill
};

/// What tri_mutator::barrier_on of `owner`, which is about to run on `p`, has
/// to be. Of the owner's stamp it may be late (a scan that ends later is seen
/// at the next refresh) but never early: black means that the whole stack has
/// been scanned in this cycle, and that nothing was pushed on it since but by
/// rule.
inline uint32_t barrier_state(const ProcGc* p, const RootOwner* owner) {
  // The auditor is to hear of every store, initialising ones of a black G too.
  if (TRI_UNLIKELY(p->audits != 0)) return TRI_BARRIER_GREY;
  if (p->barrier_on == 0) return TRI_BARRIER_OFF;
  // ORDER-scanned-1: pairs with scan_owner(): what the scan shaded precedes
  // every store that relies on it.
  return owner->scanned_cycle.load_acquire() == p->mark_cycle
             ? TRI_BARRIER_BLACK
             : TRI_BARRIER_GREY;
}

/// `owner` is about to run on `p`: what a marker has seen of its value stack is
/// not what it will look like. The scan bit is down, and nobody claims it.
inline void forget_partial_scan(const ProcGc* p, RootOwner* owner) {
  if (TRI_UNLIKELY(p->barrier_on != 0)) owner->partial_pieces = 0;
}

inline ProcGc* proc_of(const tri_mutator* mu) {
  return static_cast<ProcGc*>(mu->p);
}

}  // namespace tricolor::gc

#endif  // TRICOLOR_GC_PROC_H_
