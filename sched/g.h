// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// G: a task, a coroutine, or an attached thread: its Mutator and roots (the
// RootOwner base), its native stack, its saved context and its state.
//
// States
//   kIdle       on a free list; nobody's
//   kRunnable   in a run queue, or about to be put there
//   kRunning    on an M that holds a P
//   kNative     on an M, in native code; touches no cell
//   kWaiting    parked; someone will call ready()
//   kNormal     has resumed a coroutine, waits for it to yield
//   kSuspended  a coroutine not started, or in a yield
//   kDead       ended; waits to be joined
//
//            spawn                dispatch
//   kIdle ----------> kRunnable -----------> kRunning --exit--> kDead -> kIdle
//     |                 ^ ^ ^                 | | | |                free_g
//     |                 | | +-----yield-------+ | | |
//     |                 | +--ready-- kWaiting <-+ | +--enter_native--> kNative
//     |                 +----requeue_native-------|-------------------- |
//     | create                    resume          |                     |
//     +---------> kSuspended <-------------> kRunning <--leave_native---+
//     | attach                     yield        ^
//     +---------> kNative                       +--resume--> kNormal
//                                               +<-yield-----
//
// The scan bit (kScan) may be added to kRunnable, kWaiting, kNative, kNormal,
// kSuspended and kDead. Whoever adds it owns the G's roots until it takes it
// away again; any step towards running or freeing waits for that. ready() alone
// may step (kWaiting to kRunnable) under the bit, and keeps it.
//
// A kDead or kSuspended G may become kIdle (closed, collected, joined).
//
// Invariants
// 1. Gs are type-stable: a G is reused, never unmapped before its runtime, so
//    a stale poke or a stale index hits a G.
// 2. `id` changes at each reuse; a TaskRef is valid while g->id == ref.id.
// 3. m is the M that runs the G, or, in native code, the one it is bound to.
#ifndef TRICOLOR_SCHED_G_H_
#define TRICOLOR_SCHED_G_H_

#include <cstddef>
#include <cstdint>

#include "base/atomics.h"
#include "base/check.h"
#include "base/sched_point.h"
#include "gc/root_owner.h"
#include "sched/fiber.h"
#include "sched/mode_stack.h"
#include "sched/task_name.h"
#include "sched/timers.h"
#include "sched/wait.h"
#include "sched/wait_reason.h"
#include "stacks/stack_pool.h"
#include "tricolor/coroutine.h"
#include "tricolor/task.h"

namespace tricolor {
struct RuntimeImpl;
}

namespace tricolor::sched {

struct M;
struct P;

enum class GState : uint32_t {
  kIdle = 0,
  kRunnable = 1,
  kRunning = 2,
  kNative = 3,
  kWaiting = 4,
  kNormal = 5,
  kSuspended = 6,
  kDead = 7,
};
inline constexpr uint32_t kScanBit = 0x100;

enum class GKind : uint8_t {
  kTask,       ///< spawned
  kMain,       ///< the main function of Runtime::run
  kCoroutine,  ///< never queued unless it parks
  kAttached,   ///< stands for a foreign thread, runs on its stack
};

using TaskEntry = void (*)(Mutator& mu, void* plain, void** roots,
                           void* result);

/// The deadline of the wait that a task is in: one at a time.
struct WaitDeadline : Timer {};

// A task that begins and ends without a wait touches five cache lines of this:
// three of the RootOwner and the first two here. A burst of a thousand tasks
// goes through the cache four times, to be made, run, ended and joined.
struct alignas(64) G : gc::RootOwner, WaitDeadline {
  // --- Immutable once made.
  RuntimeImpl* rt;
  uint32_t index;  ///< in the table of all Gs

  // --- Atomic; see the state machine above.
  base::Atomic<uint32_t> status;

  // --- Joining: see join.cc; and join_queue, result below.
  base::Atomic<uint64_t> id;
  base::Atomic<uint32_t> joiner;     ///< kJoin*
  base::Atomic<uint32_t> cancelled;  ///< see is_cancelled(const G*)

  // --- Owner: whoever runs it, or, while it is queued or parked, holds it.
  G* link;  ///< run queue, free list
  union {
    TaskEntry entry;       ///< kTask, kMain: what it runs
    void* coroutine_body;  ///< kCoroutine: a CoroutineAccess::Body
  };
  stacks::NativeStack* stack;  ///< null before the first dispatch
  GKind kind;
  bool started;          ///< has had its first dispatch
  bool finished;         ///< kCoroutine: the body has returned
  bool result_is_cell;   ///< result[0] goes to result_root
  uint8_t plain_chunks;  ///< of plain arguments that are not on its stack yet
  /// Why it waits, and since when by sysmon's clock (0: not known). Written
  /// before it parks; relaxed: for dumps.
  base::Atomic<WaitReason> wait_reason;
  bool on_system_stack;  ///< runs on its M's stack: see system_stack.cc
  Outcome outcome;       ///< kTask, kCoroutine: how it has ended

  M* m;
  /// kFailed: a detail::Failure. kCoroutine: [0], its function at first.
  uint64_t result[2];
  base::Atomic<char*> frames;  ///< see sched/native_stack.h
  /// Written by the owner, read by dumps; null: none. Goes with the id.
  base::Atomic<TaskName*> name;
  uint32_t stack_class;
  tri_value_stack value_stack;  ///< base is null: none mounted

  Fiber fiber;
  ModeStack modes;       ///< of the Managed- and NativeScopes it is in
  uint32_t native_word;  ///< status word its P got at enter_native
  base::Atomic<uint32_t> wait_since_ms;
  P* native_p;  ///< the P it entered native code with
  union {
    M* main_m;             ///< kMain: the thread inside run()
    void* coroutine_user;  ///< kCoroutine
  };
  M* blocked_m;         ///< set while parked on an attached thread: wake this
  M* locked_m;          ///< runs on no other one; null: anywhere
  uint32_t lock_count;  ///< lock_os_thread less unlock_os_thread
  G* resumer;           ///< kCoroutine: who waits in kNormal
  void* cell;           ///< kCoroutine: its Coroutine cell (see coroutine.cc)
  void* transfer;       ///< a value on its way between two stacks

  // --- Waiting: see sched/wait.h. Of a coroutine, its task's are used.
  Waiter waiter;

  WaitQueue join_queue;
};
// A parked task costs a page of stack and this.
static_assert(TRI_ASAN || TRI_TSAN || sizeof(G) <= 768);

/// Where a new task's plain arguments wait for its first dispatch, which copies
/// them to its stack: shadow slots beyond the roots it is given, unused so far.
inline void* spawned_plain(G* g) {
  return g->inline_slots + 1 + detail::kSpawnRootsMax;
}
inline constexpr size_t kPlainChunk = 16;  // see G::plain_chunks
static_assert((gc::kInlineShadowSlots - 1 - detail::kSpawnRootsMax) *
                  sizeof(void*) >=
              detail::kSpawnPlainBytesMax);

// G::joiner: kJoinDetached, kJoinDone, or, before that, some of the two bits.
inline constexpr uint32_t kJoinNone = 0;      ///< nobody has come yet
inline constexpr uint32_t kJoinDetached = 1;  ///< nobody will
inline constexpr uint32_t kJoinDone = 2;      ///< the task has ended
inline constexpr uint32_t kJoinWaited = 4;    ///< somebody waits, or has
inline constexpr uint32_t kJoinFailing = 8;   ///< it has failed, and will end

/// What cancel() leaves in G::cancelled: of one that came late for a task, and
/// found the next one's G, it says nothing.
inline uint32_t cancel_tag(uint64_t id) {
  const auto tag = static_cast<uint32_t>(id);
  return tag == 0 ? 1 : tag;
}
inline bool is_cancelled(const G* task) {
  const uint32_t tag = task->cancelled.load_relaxed();
  return TRI_UNLIKELY(tag != 0) && tag == cancel_tag(task->id.load_relaxed());
}

inline G* g_of(tri_mutator* mu) { return reinterpret_cast<G*>(mu); }
inline G* g_of(ParkedTask task) { return static_cast<G*>(task.g); }
inline Timer* deadline_of(G* g) {
  WaitDeadline& deadline = *g;
  return &deadline;
}
inline G* g_of_deadline(Timer* timer) {
  auto& deadline = static_cast<WaitDeadline&>(*timer);
  return &static_cast<G&>(deadline);
}
/// The task, or attached thread, that a coroutine runs for; else `g` itself.
inline G* task_of(G* g) {
  while (TRI_UNLIKELY(g->kind == GKind::kCoroutine) && g->resumer != nullptr) {
    g = g->resumer;
  }
  return g;
}

inline GState state_of(uint32_t word) {
  return static_cast<GState>(word & ~kScanBit);
}
inline GState g_state(const G* g) { return state_of(g->status.load_acquire()); }
const char* g_state_name(GState state);
/// Its name or "". From a dump it may be that of the G's last or next user.
inline const char* g_name(const G* g) {
  // ORDER-task-name-1: pairs with set_task_name(): sees the bytes.
  const TaskName* name = g->name.load_acquire();
  return name == nullptr ? "" : name->text;
}

/// Whether the step is in the table of g_state.cc, which checking builds ask.
bool is_g_transition(GState from, GState to);
[[noreturn]] void bad_g_state(const G* g, uint32_t word, GState expected);

/// from -> to by the owner of the G when it can carry no scan bit: `from` is
/// kRunning or kIdle, or nobody marks. Publishes what the owner wrote.
inline void set_state(G* g, GState from, GState to) {
  TRI_SCHED_POINT(g_set_state);
  TRI_ASSERT(is_g_transition(from, to), "G: %s -> %s is no transition",
             g_state_name(from), g_state_name(to));
  // ORDER-gstate-1: pairs with itself, try_set_scan(), leave_state_slow().
  const uint32_t word = g->status.load_acquire();
  if (TRI_UNLIKELY(word != static_cast<uint32_t>(from))) {
    bad_g_state(g, word, from);
  }
  // ORDER-gstate-1: pairs with try_set_scan() and leave_state_slow():
  // publishes the roots and all the owner wrote.
  g->status.store_release(static_cast<uint32_t>(to));
}

/// from -> to, waiting while somebody scans the G. Fatal if the state is not
/// `from`. leave_state() in p.h is the quick form.
void leave_state_slow(G* g, GState from, GState to);

/// The same, but false if the state is not `from`. One of several callers wins.
bool try_leave_state(G* g, GState from, GState to);

/// kWaiting -> kRunnable, without waiting for a scanner.
void set_runnable_slow(G* g);

/// Adds the scan bit if the state is `state`; see gc/world.h.
bool try_set_scan(G* g, GState state);
/// The same, waiting (asleep, if it takes long) while somebody else scans the
/// G; false if the state is not `state`.
bool set_scan(G* g, GState state);
void clear_scan(G* g);

}  // namespace tricolor::sched

#endif  // TRICOLOR_SCHED_G_H_
