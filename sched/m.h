// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// M: an OS thread in the service of one runtime: a thread of ours, the thread
// inside Runtime::run or step, or an attached thread. An M that runs managed
// code holds a P.
//
// A thread may serve several runtimes, one inside another; its Ms form a chain
// (outer), innermost in the TLS slot of sched/tls.h.
//
// Invariants
// 1. Ms are type-stable: a late unpark() of an M that has left hits an M, and
//    costs its next user one round through a loop.
// 2. next_p is given under the scheduler's lock to an M that was taken from the
//    idle list, and is followed by unpark().
#ifndef TRICOLOR_SCHED_M_H_
#define TRICOLOR_SCHED_M_H_

#include <pthread.h>

#include <cstdint>

#include "base/atomics.h"
#include "base/parker.h"
#include "sched/fiber.h"
#include "sched/g.h"
#include "stacks/spill.h"

namespace tricolor::sched {

enum class MKind : uint8_t {
  kWorker,    ///< a thread of ours
  kRunner,    ///< a thread inside run() or step()
  kAttached,  ///< a foreign thread
};

/// What the scheduler loop does with the G that has just switched to it.
enum class After : uint8_t {
  kNothing,
  kYield,    ///< back into this P's queue
  kPreempt,  ///< into the global queue
  kSpent,    ///< its time slice is over: see Scheduler::spent
  kPark,     ///< waiting, then the commit function
  kWait,     ///< the same for finish_wait() (wait.h)
  kWaiting,  ///< waiting already: nothing (wait_alone())
  kExit,     ///< dead
  kRequeue,  ///< left native code and found no P: global queue
};

struct M {
  // --- Immutable while in use.
  RuntimeImpl* rt;
  M* outer;  ///< this thread's M of the runtime it was in before
  MKind kind;
  bool outer_went_native;  ///< leaving undoes that
  EhGlobals* eh_globals;   ///< of this thread

  // --- This thread only.
  G* curg;
  P* p;
  Fiber g0;
  bool spinning;         ///< counted in Scheduler::spinning
  bool relied_on;        ///< was, and has found nothing since: see found()
  bool no_wait;          ///< step(): leave rather than sleep
  uint64_t leave_at_ns;  ///< step(): leave between tasks after this; 0: never
  After after;
  ParkCommit commit;
  void* commit_ctx;
  G* made_way;  ///< the G it has left for the one that now runs: see
                ///< schedule.cc
  G* locked_g;  ///< runs no other one (locked.cc)
  bool ends;    ///< kWorker: its locked task has ended
  G* attached_g;
  uint32_t attach_depth;
  uint32_t exit_rounds;  ///< kAttached: see on_thread_end() in attach.cc

  char* alt_stack;    ///< for signals: see fault_linux.cc; stays with the M
  bool alt_stack_on;  ///< the thread has it

  // --- With conservative_stacks: written by this thread while its G runs, or
  // before there is one; read by who scans that G.
  stacks::StackBounds stack;  ///< kRunner, kAttached: that it came on
  char* run_frames;           ///< kRunner: where the caller's frames begin
  uint64_t spilled[6];  ///< registers of a G in native code, from save_frame()

  // --- Guarded by the scheduler's lock.
  M* link;             ///< idle list, free list
  bool is_idle;        ///< on the idle list
  bool next_spinning;  ///< comes with next_p
  G* next_g;           ///< the same, to an M that is locked to it
  bool gone;           ///< it has left, locked as it was, at the end
  pthread_t thread;
  M* all_link;  ///< all workers, for joining; those that have ended

  // --- Atomic.
  base::Atomic<P*> next_p;
  base::Atomic<bool> leave;  ///< kRunner: the main task has ended
  /// kWorker: `thread` is written, so that somebody may join it.
  base::Atomic<bool> has_thread;
  base::Parker parker;
  // See sched/async.h.
  base::Atomic<uint32_t> signal{0};  ///< SignalState
  int tid;  ///< of its thread, written before `signal` opens
};

}  // namespace tricolor::sched

#endif  // TRICOLOR_SCHED_M_H_
