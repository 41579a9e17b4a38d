// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// The state behind gc/world.h: stopping the world, ragged barriers, claims of
// Gs. Part of RuntimeImpl. See world.cc for the protocol.
#ifndef TRICOLOR_SCHED_WORLD_H_
#define TRICOLOR_SCHED_WORLD_H_

#include <cstdint>

#include "base/atomics.h"
#include "base/lock.h"
#include "gc/world.h"
#include "sched/p.h"

namespace tricolor::sched {

struct WorldState {
  /// One operation at a time; also held to attach and detach.
  base::Mutex lock{base::LockRank::kWorld};

  // Guarded by lock; read by Ps whose request has kRequestRagged.
  gc::RaggedFn ragged_fn = nullptr;
  void* ragged_arg = nullptr;

  /// Counts starts; stopped Ms and leave_native wait for it to change.
  base::Atomic<uint32_t> epoch{0};
  base::Atomic<uint32_t> epoch_sleepers{0};
  /// Counts what a requester waits for: a P stopped, idle or native.
  base::Atomic<uint32_t> event{0};
  base::Atomic<uint32_t> requester_sleeps{0};
};

/// The table the collector gets.
gc::World make_world(RuntimeImpl* rt);

/// Stops the world for a task or thread in managed code. Safepoints, at which
/// it may change its P, until nobody else's operation is under way.
void stop_world(Mutator& mu, gc::StopTimes* times);
void start_world(Mutator& mu);

/// At a safepoint of p's holder: does what stop and ragged requests ask for.
/// The caller refreshes its Mutator afterwards.
void attend_requests(P* p);

/// The holder of a P that has a world request has just made it idle or native:
/// the requester may be waiting for that.
void notify_requester(RuntimeImpl* rt);

/// Waits until the operation that took `p` from native code gives it back.
void wait_while_taken(P* p, uint32_t native_word);

/// Sets `bits` in p->request and makes its running G poll.
void request_and_poke(P* p, uint32_t bits);

}  // namespace tricolor::sched

#endif  // TRICOLOR_SCHED_WORLD_H_
