// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// P: the right to run managed code, with everything that makes doing so cheap:
// allocation runs and barrier buffer (the ProcGc base), run queue, caches. A
// runtime has max_procs of them, and one for each attached thread. Ps are
// type-stable: one that is dropped (resize.cc) stays, dead, until it is wanted
// again.
//
// The status word is  state | tick << 4.  The tick counts how often the P has
// been taken away from native code, so that its former holder, who remembers
// the whole word, cannot mistake a later holder's stay for its own.
//
//   kIdle           on the idle list; or an attached P without its thread
//   kRunning        an M holds it
//   kNative         its M is in native code; anyone may take it by CAS
//   kStopped        its M waits for start()
//   kStoppedNative  taken from native code for a world operation
//   kDead           dropped by set_max_procs(); empty queue, on no list
//
//   kIdle ---acquire---> kRunning ---stop_here---> kStopped
//     ^ <---release-------- | ^  <----start---------- |
//     |                     | |
//     | <-hand_off- kNative <-+ enter_native, leave_native
//                    | ^
//                    v |  try_take_native, give_native_back
//                  kStoppedNative
//
//   kIdle, kStoppedNative --drop_stw--> kDead --revive_stw--> kIdle
//   kRunning --release, if it was dropped--> kDead
//
// Who: acquire, release under the scheduler's lock, as an attached P's come and
// go under the world lock; enter/leave_native its M; hand_off sysmon; stops its
// M; take and start the world operation.
#ifndef TRICOLOR_SCHED_P_H_
#define TRICOLOR_SCHED_P_H_

#include <cstdint>

#include "base/atomics.h"
#include "base/rng.h"
#include "gc/proc.h"
#include "heap/callback.h"
#include "sched/g.h"
#include "sched/run_queue.h"
#include "stacks/stack_pool.h"

namespace tricolor::sched {

enum class PState : uint32_t {
  kIdle = 0,
  kRunning = 1,
  kNative = 2,
  kStopped = 3,
  kStoppedNative = 4,
  kDead = 5,
};
inline constexpr uint32_t kPTickShift = 4;
inline constexpr uint32_t kPStateMask = (1u << kPTickShift) - 1;

inline PState p_state_of(uint32_t word) {
  return static_cast<PState>(word & kPStateMask);
}
inline uint32_t with_p_state(uint32_t word, PState s) {
  return (word & ~kPStateMask) | static_cast<uint32_t>(s);
}
const char* p_state_name(PState state);

struct P : gc::ProcGc {
  // --- Immutable after create.
  RuntimeImpl* rt;
  uint32_t id;
  bool attached;  ///< belongs to an attached thread, or waits for one

  /// Beyond max_procs: its holder releases it at the next scheduling point.
  /// Written while the world is stopped, so that a holder may rely on it from
  /// one safepoint to the next; for others a hint. Relaxed.
  base::Atomic<bool> dropped;
  bool has_caches;  ///< guarded by the world lock: dead, but not flushed yet

  // --- Atomic.
  base::Atomic<uint32_t> status;
  base::Atomic<G*> curg;  ///< running on it, or in native code on it
  /// Scheduling rounds. Written by the holder, read by sysmon.
  base::Atomic<uint32_t> tick;
  base::Atomic<uint64_t> tasks_begun;  ///< by the holder, read by stats
  base::Atomic<uint64_t> tasks_ended;
  base::Atomic<uint32_t> alone;  ///< in a section of sched/company.h

  /// Armed by its holder, disarmed and fired by anybody.
  TimerHeap timers;

  // --- Holder only.
  RunQueue runq;
  uint32_t rounds;   ///< dispatches; wraps around
  uint32_t loop_at;  ///< the round before which the loop has to look around
  /// Since when, by coarse_ms, and for how long it leaves alone who has spent a
  /// slice: see spent_is_due().
  uint32_t turn_ms;
  uint32_t turn_length_ms;
  G* free_gs;  ///< see g_table.h
  uint32_t free_g_count;
  uint32_t spare_g_count;
  G* spare_gs;  ///< a whole batch, or null
  stacks::StackCache stack_cache;
  uint64_t next_id;  ///< ids of new tasks, taken in batches
  uint64_t end_id;
  base::Rng rng;

  // --- Guarded by the scheduler's lock (idle list), or the world lock (spare
  // attached Ps).
  P* link;

  // --- sysmon only.
  uint32_t seen_tick;
  uint32_t seen_word;
  uint64_t seen_since_ns;
};

inline P* p_of(gc::ProcGc* proc) { return static_cast<P*>(proc); }
inline P* p_of(const tri_mutator* mu) { return p_of(gc::proc_of(mu)); }
inline PState p_state(const P* p) {
  return p_state_of(p->status.load_acquire());
}

/// From a known state by the one party that may leave it; asserts `from`.
/// Keeps the tick, unless `for_good` (below). Full fence.
void set_p_state(P* p, PState from, PState to, bool for_good = false);

/// kNative with exactly this word -> `to`. False: somebody else has been here.
/// `for_good`: whoever went native with this word will not get this P back.
bool try_leave_native_p(P* p, uint32_t native_word, PState to,
                        bool for_good = false);

/// Whether a G may carry a scan bit now, seen by the holder of `p`. Scan bits
/// exist only while marking (and, for Gs in native code, in a ragged barrier),
/// and that begins and ends in stops, which wait for the holder.
inline bool may_be_scanned(const P* p) {
  return p == nullptr || p->barrier_on != 0;
}

/// from -> to, waiting while somebody scans the G; not from kNative. `p`: held
/// by the caller, may be null.
inline void leave_state(const P* p, G* g, GState from, GState to) {
  if (TRI_UNLIKELY(may_be_scanned(p))) {
    leave_state_slow(g, from, to);
  } else {
    set_state(g, from, to);
  }
}

/// kWaiting -> kRunnable.
inline void set_runnable(const P* p, G* g) {
  if (TRI_UNLIKELY(may_be_scanned(p))) {
    set_runnable_slow(g);
  } else {
    set_state(g, GState::kWaiting, GState::kRunnable);
  }
}

/// Copies what a P carries into the Mutator that runs on it. Called whenever a
/// G gets a P, and when a stopped P starts again.
inline void refresh_mutator(G* g, P* p) {
  g->mu.slots = p->visible;
  g->mu.barrier_on = gc::barrier_state(p, g);
  gc::forget_partial_scan(p, g);
  g->mu.p = static_cast<gc::ProcGc*>(p);
  // pollstress: each poll is to take the slow path.
  if (TRI_UNLIKELY(p->stress_polls)) {
    __atomic_store_n(&g->mu.poll_request, 1, __ATOMIC_RELAXED);
  }
}

/// Where a callback of the embedder, or a NoSafepointScope, may be under way.
inline void refresh_inside(G* g, P* p) {
  refresh_mutator(g, p);
  if (TRI_UNLIKELY(p->callback != nullptr)) heap::hide_slots(p, &g->mu);
}

}  // namespace tricolor::sched

#endif  // TRICOLOR_SCHED_P_H_
