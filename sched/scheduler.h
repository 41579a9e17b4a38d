// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Scheduler: what the Ms and Ps of one runtime share: the global run queue, the
// idle lists, the count of spinning Ms, who sleeps until the next timer and who
// waits in the poller. Part of RuntimeImpl; the functions are in wake.cc,
// idle.cc, find_work.cc, worker.cc.
//
// The global queue has two parts. Who has used up a time slice, as sysmon has
// found, is in `spent`, from which a P takes one when it has no other work, or
// when its other tasks have had a slice together (P::turn_ms): one that
// computes, and two that yield to each other all the time, get the same. A turn
// that has begun does not begin again when another task has spent a slice, or
// those that come anew could keep out those that have begun.
//
// Invariants
// 1. A P on the idle list has an empty run queue.
// 2. Work is submitted before wake_p(), an M looks everywhere after it has
//    stopped spinning: see wake.cc.
// 3. At most one M sleeps with a deadline (timed), and at most one is inside
//    the poller (polling).
// 4. The idle list holds Ps below max_procs only, so idle_p_count <= max_procs
//    under `lock`.
#ifndef TRICOLOR_SCHED_SCHEDULER_H_
#define TRICOLOR_SCHED_SCHEDULER_H_

#include <cstdint>

#include "base/atomics.h"
#include "base/fixed_pool.h"
#include "base/lock.h"
#include "base/mmap_vector.h"
#include "sched/m.h"
#include "sched/p.h"
#include "sched/run_queue.h"

namespace tricolor::sched {

inline constexpr uint64_t kNever = ~uint64_t{0};
inline constexpr uint64_t kSliceNs = 10'000'000;  ///< of a task
inline constexpr uint32_t kSliceMs = kSliceNs / 1'000'000;
inline constexpr uint32_t kPreemptBits =
    gc::kRequestPreempt | gc::kRequestSlice;
/// Rounds (dispatches) of a P between looks at the global queue, prime so that
/// nothing resonates, and between looks at the clock.
inline constexpr uint32_t kGlobalEvery = 61;
inline constexpr uint32_t kDutiesEvery = 16;
inline constexpr uint32_t kCrowd = 1u << 30;  ///< of Scheduler::company
inline constexpr uint32_t kMaxProcs = 1024;
/// Regular and attached Ps together.
inline constexpr uint32_t kMaxAllPs = 65536;

struct Scheduler {
  // --- Immutable after create.
  int thread_limit = -1;  ///< Options::background_threads

  // --- Written while the world is stopped, under lock. See resize.cc for who
  // may read them how.
  base::Atomic<uint32_t> max_procs{0};
  /// Ps that were dropped while somebody held them, and still does. Seq_cst; a
  /// futex of who waits for them.
  base::Atomic<uint32_t> retiring{0};

  base::Mutex lock{base::LockRank::kSched};

  // --- Guarded by lock.
  GList global TRI_GUARDED_BY(lock);
  GList spent TRI_GUARDED_BY(lock);  ///< have used up a time slice
  P* idle_ps TRI_GUARDED_BY(lock) = nullptr;
  M* idle_ms TRI_GUARDED_BY(lock) = nullptr;
  M* workers TRI_GUARDED_BY(lock) = nullptr;  ///< every kWorker, all_link
  M* ended TRI_GUARDED_BY(lock) = nullptr;  ///< workers to be joined, all_link
  M* free_ms TRI_GUARDED_BY(lock) = nullptr;
  base::FixedPool<M> m_pool TRI_GUARDED_BY(lock);
  M* timed_m TRI_GUARDED_BY(lock) = nullptr;   ///< sleeps until sleep_until
  M* poll_m TRI_GUARDED_BY(lock) = nullptr;    ///< waits in the poller
  bool stopping TRI_GUARDED_BY(lock) = false;  ///< no idle P may be acquired
  uint32_t runners TRI_GUARDED_BY(lock) = 0;   ///< threads inside run, step
  uint32_t worker_count TRI_GUARDED_BY(lock) = 0;  ///< length of `workers`
  /// Ms that wait for the G they are locked to, and those inside run().
  uint32_t locked_waiting TRI_GUARDED_BY(lock) = 0;
  uint32_t locked_runners TRI_GUARDED_BY(lock) = 0;
  uint64_t deadlock_told TRI_GUARDED_BY(lock) = 0;  ///< see deadlock.cc

  // --- Written under lock, read anywhere as hints or in the wake-up race.
  base::Atomic<uint32_t> global_size{0};
  base::Atomic<uint32_t> spent_size{0};
  base::Atomic<uint32_t> idle_p_count{0};
  base::Atomic<uint32_t> idle_m_count{0};  ///< poll_m counts as idle
  base::Atomic<uint32_t> spinning{0};
  base::Atomic<uint64_t> sleep_until{kNever};  ///< of timed_m
  base::Atomic<uint32_t> threads{0};           ///< started by us, alive
  base::Atomic<bool> shutdown{false};

  /// See company.h. At least kCrowd: for good.
  base::Atomic<uint32_t> company{kCrowd};

  // --- All Ps. Appended under the world lock and `lock`; elements below the
  // count never change.
  base::MmapVector<P*> all_ps;
  base::Atomic<uint32_t> all_p_count{0};
  // --- Those that are not an attached thread's; the first max_procs are in
  // use, the others dropped. The same.
  base::MmapVector<P*> procs;
  base::Atomic<uint32_t> proc_count{0};

  /// Who is about to wake tasks, or works for some that wait, and holds no P:
  /// no deadlock while there are any. See WakerScope.
  base::Atomic<uint32_t> wakers{0};
  base::Atomic<uint32_t> locked_gs{0};  ///< tasks that are locked to an M
  base::Atomic<uint32_t> telling{0};    ///< threads inside on_deadlock
  /// The time in milliseconds, as sysmon has seen it last; 0: no sysmon.
  base::Atomic<uint32_t> coarse_ms{0};

  /// Somebody is inside the poller.
  base::Atomic<bool> poll_busy{false};
  base::Atomic<uint64_t> last_poll_ns{0};
};

/// Whether p's tasks have had a slice since one has spent his, and one waits.
inline bool spent_is_due(const Scheduler& s, const P* p) {
  if (TRI_LIKELY(s.spent_size.load_relaxed() == 0)) return false;
  // Wraps around: once in weeks a P whose turn is long over waits for one more.
  return s.coarse_ms.load_relaxed() - p->turn_ms >= p->turn_length_ms;
}
/// p's other tasks have a turn, behind that of somebody who is taken now.
inline void begin_turn(const Scheduler& s, P* p, bool behind_one) {
  p->turn_ms = s.coarse_ms.load_relaxed();
  p->turn_length_ms = behind_one ? 2 * kSliceMs : kSliceMs;
}

/// Around what takes a task from where it waits (a timer, a descriptor) and
/// makes it runnable, by a thread that holds no P: in between only this thread
/// knows of it. For jobs on other threads: incremented before the task waits,
/// decremented when it has been made runnable.
class WakerScope {
 public:
  explicit WakerScope(Scheduler& s) : s_(s) { s_.wakers.fetch_add_seq_cst(1); }
  ~WakerScope() { s_.wakers.fetch_sub_seq_cst(1); }
  WakerScope(const WakerScope&) = delete;
  WakerScope& operator=(const WakerScope&) = delete;

 private:
  Scheduler& s_;
};

/// Whether the runtime may have a sysmon: a single thread is better spent on
/// running tasks.
inline bool has_sysmon(const Scheduler& s) {
  return s.thread_limit != 0 && s.thread_limit != 1;
}

// --- wake.cc: submitting work. From any thread, with or without a P.

/// Appends to the global queue and wakes somebody.
void submit_global(RuntimeImpl* rt, GList* list);
/// The first half of that.
void push_global(RuntimeImpl* rt, GList* list);
/// To `spent`, and wakes somebody. The caller holds `p`, on which it has run.
void submit_spent(P* p, G* g);
/// Tasks in the global queue, by the hints.
inline uint32_t queued_globally(const Scheduler& s) {
  return s.global_size.load_relaxed() + s.spent_size.load_relaxed();
}
/// The same for a P's own queue; the caller holds `p`, a regular P. `next`: it
/// runs next, in the current time slice.
void submit_local(P* p, G* g, bool next);
/// The time slice of p is over: who would share it waits for a turn.
void demote(P* p);
/// Submits `g` where the caller is: `p` may be null or an attached P.
void submit(RuntimeImpl* rt, P* p, G* g, bool next);
/// There may be work: gets one more M looking for it, unless one is already or
/// no P is idle.
void wake_p(RuntimeImpl* rt);
/// Work anywhere: queues, due timers, collector.
bool any_work(RuntimeImpl* rt);
/// There are timers or descriptors, and no M sleeps until they are due. While
/// one is busy it looks at them itself; this is for whoever makes a P idle
/// without being an M that goes to sleep.
bool lacks_waiter(RuntimeImpl* rt);
/// Up to `max` Gs of the global queue; none that are spent.
GList take_global(RuntimeImpl* rt, uint32_t max);
/// One that is; null: there is none.
G* take_spent(RuntimeImpl* rt);

// --- idle.cc: Ps and Ms that have nothing to do.

/// Null if there is none, or the world is being stopped.
P* acquire_idle_p_locked(RuntimeImpl* rt);
/// Puts a P with an empty queue on the idle list, or, if it has been dropped,
/// makes it dead.
void release_p_locked(RuntimeImpl* rt, P* p);
/// An idle P goes on the list, and off it.
void push_idle_p_locked(RuntimeImpl* rt, P* p);
void unlink_idle_p_locked(RuntimeImpl* rt, P* p);
/// Moves p's queue to the global one and releases it. The caller holds it.
void release_p_with_work(RuntimeImpl* rt, P* p);
/// Binds an acquired P to the M.
void bind_p(M* m, P* p);
/// Takes `m` off the idle list.
void remove_idle_m_locked(RuntimeImpl* rt, M* m);
/// Any M of the idle list, off it; the timed one last.
M* pop_idle_m_locked(RuntimeImpl* rt);
/// Gives `p` to an M that was popped, and wakes it.
void hand_p_to(M* m, P* p, bool spinning);
/// Gives up the P and sleeps. Returns with a P to look again, or, without,
/// when the M is to leave.
void go_idle(M* m);
/// For an M without a P: gets one, or sleeps until it has one or has to leave.
void wait_for_p(M* m);
bool should_leave_slow(M* m);
/// Makes a sleeping M look around (leave, timers). Spurious otherwise.
void wake_m(RuntimeImpl* rt, M* m);
/// The M is no longer looking for work: it has found some, or gives up.
void stop_spinning(M* m);
/// Takes what hand_p_to() has given to the calling thread's M, if it has.
bool take_next_p(M* m);
/// A P that nobody runs on any more goes to another M, or, if nobody wants it,
/// on the idle list. The caller holds it.
void hand_on(RuntimeImpl* rt, P* p, bool wanted);

// --- find_work.cc, schedule.cc.

/// The next G for m, which may sleep meanwhile; null when it has to leave.
G* find_work(M* m, bool* inherits);
/// find_work() that minds which Gs are locked to which Ms (locked.cc).
G* next_g(M* m, bool* inherits);
/// A locked task ends.
void unlock_at_end(M* m, G* g);
/// Runs Gs until find_work says to leave. On the M's own stack.
void schedule_loop(M* m);
/// Leaves the current G for the M's loop, or at once for the next G; either
/// does with it what kAfter says. Returns when it runs again.
template <After kAfter>
void leave_for_next(G* g);
/// The calling task has ended. Returns only if it has `returned` to
/// task_main(): the task to run there next, on the same stack.
G* end_for_next(G* g, bool returned);
/// The first thing that a task does on its stack.
void begin_on_stack(G* g);

// --- poll_slot.cc: one thread at a time is inside the poller.

bool try_begin_poll(RuntimeImpl* rt);
void end_poll(RuntimeImpl* rt);

// --- resize.cc: the number of Ps.

/// Runtime::set_max_procs() for a task or thread in managed code. A safepoint.
uint32_t resize(Mutator& mu, uint32_t n);
/// Makes `n` fresh Ps idle, while the runtime is created. False: the OS refuses
/// memory; if it is for the tables of Ps behind the first, settings.max_procs
/// is how many there is room for.
bool init_procs(RuntimeImpl* rt, uint32_t n);

// --- worker.cc: Ms.

M* new_m(RuntimeImpl* rt, MKind kind);
void free_m(RuntimeImpl* rt, M* m);
/// Starts a worker that gets `p` (spinning). False if the limit is reached or
/// the OS refuses.
bool start_worker(RuntimeImpl* rt, P* p, bool spinning);
/// Whether an idle worker may go, because another one is idle, too. If so it is
/// on no list but that of the ended, and its thread has nothing left but to
/// end. It is joined by the next start_worker() or by join_workers().
bool retire_worker(M* m);
/// All workers have ended when it returns.
void join_workers(RuntimeImpl* rt);

}  // namespace tricolor::sched

#endif  // TRICOLOR_SCHED_SCHEDULER_H_
