// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// World: what the collector needs from the scheduler, owned by the lower layer
// and implemented in sched/world.cc (a table of functions: the library links
// without libstdc++, and tests inject a fake).
//
// One world operation (stop or ragged barrier) at a time per runtime. A caller
// is always a thread that holds a running P (`self`): a mutator in an
// allocation, or a worker between objects. The try_ forms return false, without
// having waited, if another operation is under way: the caller must then reach
// a safepoint itself (poll) before it tries again, because that other operation
// waits for it.
#ifndef TRICOLOR_GC_WORLD_H_
#define TRICOLOR_GC_WORLD_H_

#include <cstddef>
#include <cstdint>

#include "tricolor/detail/mutator.h"

namespace tricolor::gc {

struct NativeRoots;
struct ProcGc;
struct RootOwner;

struct StopTimes {
  uint64_t requested_ns;  ///< the request was published
  uint64_t stopped_ns;    ///< the last other P had stopped
};

enum class Claim : uint8_t {
  kClaimed,  ///< the caller holds the scan bit: the G cannot run until release
  kSkip,     ///< dead, already scanned in `cycle`, or a suspended coroutine
             ///< (those are traced through their cell)
  kRunning,  ///< on some P now, or claimed by another scanner: look again later
};

using RaggedFn = void (*)(void* arg, ProcGc* p, RootOwner* curg);
using ProcFn = void (*)(void* arg, ProcGc* p);

struct World {
  void* ctx = nullptr;

  /// Stops every P but `self`. On return no mutator, worker or refill runs
  /// anywhere; Ps in native code stay out until start().
  bool (*try_stop)(void* ctx, ProcGc* self, StopTimes* times);
  /// Restarts; returns the time the last P was released. Every running G
  /// re-reads slots and barrier_on from its P before it touches the heap; the
  /// caller's own Mutator is refreshed here.
  uint64_t (*start)(void* ctx, ProcGc* self);

  /// Runs fn(arg, p, curg) once for each P, at a safepoint of that P (or on
  /// the calling thread if it is `self`, idle or in native code); `curg` is
  /// the owner running on it, or suspended in native code on it, or null.
  /// Returns when all have run.
  bool (*try_ragged_barrier)(void* ctx, ProcGc* self, RaggedFn fn, void* arg);

  /// Only between try_stop and start: all Ps, attached threads' included.
  void (*for_each_p_stw)(void* ctx, ProcFn fn, void* arg);

  /// All Gs ever made have an index below this; it only grows.
  size_t (*g_count)(void* ctx);
  /// `suspended`: also a suspended coroutine, which is no root.
  Claim (*claim_g)(void* ctx, size_t index, uint32_t cycle, bool suspended,
                   RootOwner** owner);
  void (*release_g)(void* ctx, RootOwner* owner);
  /// Only between try_stop and start: the G at `index` if it is a root now
  /// (alive, not a suspended coroutine), else null.
  RootOwner* (*root_g_stw)(void* ctx, size_t index);

  /// Whether all native stacks are scanned (Options::conservative_stacks); else
  /// those of owners that are async_stopped.
  bool conservative = false;
  /// May be null, if none is ever scanned: the words of `owner` to scan beside
  /// its shadow stack. `owner` is claimed, or the world is stopped, or it is
  /// the caller's own, whose frames begin at `here`.
  void (*native_roots)(void* ctx, RootOwner* owner, const char* here,
                       NativeRoots* out) = nullptr;

  /// Bytes of native stacks and whatever else is neither cells nor metadata;
  /// may be null. Any thread.
  uint64_t (*other_bytes)(void* ctx) = nullptr;

  /// A cycle has ended: from now on somebody should watch over the heap (the
  /// scavenger, periodic cycles), if threads are allowed. May be null.
  void (*watch)(void* ctx) = nullptr;
  /// There is marking or sweeping to do: get an idle P to help, if there is
  /// one. Any thread; cheap when no P is idle.
  void (*wake_for_gc)(void* ctx);
  /// The caller is a mutator that waits for others to finish: runs something
  /// else, or rests for a moment. A safepoint.
  void (*relax)(void* ctx, tri_mutator* mu);
};

}  // namespace tricolor::gc

#endif  // TRICOLOR_GC_WORLD_H_
