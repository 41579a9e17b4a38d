// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// RuntimeImpl: the object behind Runtime: heap, collector, scheduler, stacks,
// and who is wired to whom. Lives in a mapping of its own (no operator new).
//
// Threads: the members say. Fields without comment are immutable after create.
#ifndef TRICOLOR_SCHED_RUNTIME_H_
#define TRICOLOR_SCHED_RUNTIME_H_

#include <pthread.h>

#include "base/clock.h"
#include "base/fatal.h"
#include "base/meta_arena.h"
#include "gc/collector.h"
#include "gc/runtime_base.h"
#include "heap/heap.h"
#include "poll/hooks.h"
#include "sched/async.h"
#include "sched/blocking_pool.h"
#include "sched/g_table.h"
#include "sched/scheduler.h"
#include "sched/settings.h"
#include "sched/shadow_stack.h"
#include "sched/sysmon.h"
#include "sched/task_name.h"
#include "sched/timers.h"
#include "sched/world.h"
#include "stacks/stack_pool.h"
#include "tricolor/gc.h"
#include "tricolor/runtime.h"

namespace tricolor {

namespace sched {
/// A timer of send_at().
struct SendAt : Timer {
  uint64_t* root;  ///< the channel, in a Global's word
};
}  // namespace sched

struct RuntimeImpl : gc::RuntimeBase {
  sched::Settings settings;
  base::Clock clock{};
  base::MetaArena meta;
  bool membarrier = false;  ///< the kernel has it
  /// What a Mutator without a P allocates from: the heap's empty slots.
  tri_slot* no_slots = nullptr;

  stacks::StackPool stacks;
  sched::Scheduler sched;
  sched::WorldState world;
  sched::GTable gs;
  sched::ShadowPool shadow;
  sched::TaskNamePool names;
  sched::BlockingPool blocking;
  sched::Sysmon sysmon;
  LayoutId coroutine_layout = kInvalidLayout;
  /// Of channels: plain values, raw pointers, then each encoding's.
  base::Atomic<LayoutId> channel_layouts[1 + heap::kMaxEncodings];

  /// Batches of task ids.
  base::Atomic<uint64_t> next_task_id{1};
  /// Spare Ps of attached threads. Guarded by world.lock.
  sched::P* spare_ps = nullptr;
  base::Atomic<uint32_t> attached_threads{0};
  /// Of tasks and attached threads.
  base::Atomic<uint64_t> value_stack_bytes{0};
  /// 1: it is one of the users of the handler in fault_linux.cc.
  base::Atomic<uint32_t> catches_faults{0};
  sched::CodeRanges code;
  base::Atomic<uint64_t> stack_zeal{0};  ///< for TRIDEBUG=movestack
  /// By which attached threads tell that they end. Written under world.lock,
  /// before the first has it; read by those that have.
  pthread_key_t exit_key{};
  bool exit_key_tried = false;
  bool has_exit_key = false;
  /// What send_at() has armed: see timer_api.cc.
  base::Mutex send_at_lock{base::LockRank::kAllGs};
  base::FixedPool<sched::SendAt> send_at_pool TRI_GUARDED_BY(send_at_lock);
  base::Atomic<const netpoll::PollHooks*> poll{nullptr};
  base::FatalDumper dumper{};
};

inline RuntimeImpl* impl_of(const Runtime& rt) {
  return static_cast<RuntimeImpl*>(gc::runtime_base(rt));
}
inline RuntimeImpl* impl_of(const tri_mutator& mu) {
  return static_cast<RuntimeImpl*>(gc::runtime_base(&mu));
}
inline Runtime* api_of(RuntimeImpl* rt) {
  return reinterpret_cast<Runtime*>(rt);
}

namespace sched {

/// A call was made by the Mutator of a G that does not run managed code.
[[noreturn]] void misused_mutator(const Mutator& mu, const char* call);

/// `g` gives its P up. An allocation or a store meanwhile takes the slow path,
/// which tells the embedder what is wrong.
inline void unbind_mutator(G* g) {
  g->mu.p = nullptr;
  g->mu.slots = impl_of(g->mu)->no_slots;
  g->mu.barrier_on = TRI_BARRIER_GREY;
}

/// Whether the M is to end its loop.
inline bool should_leave(M* m) {
  // Relaxed: hints; the slow form looks properly.
  if (TRI_LIKELY(!m->leave.load_relaxed() && m->leave_at_ns == 0 &&
                 !m->rt->sched.shutdown.load_relaxed())) {
    return false;
  }
  return should_leave_slow(m);
}

/// Fills the task and thread fields of *out.
void sched_fill_stats(RuntimeImpl* rt, Stats* out);
/// Registers the layout of Coroutine cells.
bool init_coroutines(RuntimeImpl* rt, Error* error);
/// Takes apart coroutines that sweepers have found dead.
inline constexpr int kReapedAtOnce = 64;  // the rest next time
void reap_coroutines(RuntimeImpl* rt, P* p, int most);
/// Prints Ps and Gs after a fatal error.
void dump_state(void* ctx, base::FatalSink& sink);
/// All tasks; see tricolor/dump.h.
void dump_all(RuntimeImpl* rt, base::FatalSink& sink);
/// Whether somebody wants to hear of deadlocks; see deadlock.cc.
inline bool watches_for_deadlock(const RuntimeImpl* rt) {
  return rt->settings.options.on_deadlock != nullptr ||
         rt->settings.debug.deadlock != 0;
}
/// No lock held: tells of a deadlock, if there is one.
void look_for_deadlock(RuntimeImpl* rt);
/// The same for an M on the idle list. True: it has told, and is off the list.
bool tell_if_deadlocked(M* m);
/// None is inside the callback any more.
void wait_for_tellers(RuntimeImpl* rt);
/// One line of TRIDEBUG=schedtrace.
void print_schedtrace(RuntimeImpl* rt);

/// Parks the current G; `commit` as in park(). After it, *mu is refreshed.
void park_current(Mutator& mu, ParkCommit commit, void* ctx,
                  WaitReason reason = WaitReason::kPark);
/// What dumps say of a G that is about to wait.
inline void note_wait(G* g, WaitReason reason) {
  g->wait_reason.store_relaxed(reason);
  g->wait_since_ms.store_relaxed(g->rt->sched.coarse_ms.load_relaxed());
}
/// Parks an attached thread; sleep(g, ctx) returns when it is runnable.
using SleepInPlace = void (*)(G* g, void* ctx);
void park_attached(G* g, ParkCommit commit, SleepInPlace sleep, void* ctx);
/// Makes a parked G runnable. `p` may be null.
void ready_g(RuntimeImpl* rt, P* p, G* g, bool next);

// --- sleep.cc: timers. `p`: held by the caller, may be null.

/// Arms a timer on p's heap, or some other if p has none that is looked at.
void arm_timer(RuntimeImpl* rt, P* p, Timer* timer, uint64_t when_ns,
               uint64_t arg);
/// Fires what is due in p's heap; true if there was something.
bool fire_own_timers(RuntimeImpl* rt, P* p, uint64_t now_ns);
/// The same for the heaps of all Ps.
bool fire_timers(RuntimeImpl* rt, P* p, uint64_t now_ns);
/// The earliest deadline of all heaps. Seq_cst: see sleep.cc.
uint64_t next_timer_ns(RuntimeImpl* rt);
/// Timer::fire of a wait's deadline; `ticket` is the wait's.
void fire_deadline(RuntimeImpl* rt, P* p, Timer* timer, uint64_t ticket);
/// See cancel() in tricolor/task.h.
void cancel_g(RuntimeImpl* rt, P* p, G* g, uint64_t id);
/// A new task, not yet submitted. Null: max_tasks or memory. `p` may be null
/// for a task without root arguments.
G* make_task(RuntimeImpl* rt, P* p, const detail::SpawnRequest& request,
             GKind kind);
/// Gives back a value stack, if one is mounted.
void drop_value_stack(RuntimeImpl* rt, G* g);
/// Gives back stacks and roots of a G that runs no more.
void strip_g(RuntimeImpl* rt, P* p, G* g);
/// kDead -> kIdle and onto a free list.
void free_g(RuntimeImpl* rt, P* p, G* g);
/// Takes or makes the native stack of a G that has none, and its context.
bool prepare_stack(RuntimeImpl* rt, P* p, G* g, stacks::Refusal* refusal);
/// A G that has ended: kJoinDone, and its joiner is woken. Returns what
/// G::joiner was; kJoinDetached: it is the caller's to free.
uint32_t end_joiner(P* p, G* g);
/// On another stack than its own: `g` has ended.
void finish_exit(M* m, G* g);
/// The calling task's outcome is set: what it leaves to whoever joins it.
void settle_result(G* g);
/// Gives the G that name; null or "": none.
void set_name(G* g, const char* name);
/// The G leaves kNative and has a P again, or has been queued and has run.
void enter_native_current(G* g);
void leave_native_current(G* g);
/// A stop has been asked for on the P of a G that runs.
void attend_current(G* g);

/// A new P, idle, on no list. Attached ones under the world lock.
P* make_p(RuntimeImpl* rt, bool attached);
/// Threads inside run() or step(), for destroy's check.
void count_runner(RuntimeImpl* rt, int n);
/// The scheduler's part of step().
void step_tasks(Mutator& mu, uint64_t deadline_ns);

/// Enters and leaves this thread's M of a runtime: the chain in the TLS slot,
/// the outer runtime's G in native code meanwhile, with its caller's registers
/// in *frame (null: there is no outer one that runs).
void push_m(M* m, const stacks::SpillFrame* frame = nullptr);
void pop_m(M* m);

}  // namespace sched
}  // namespace tricolor

#endif  // TRICOLOR_SCHED_RUNTIME_H_
