// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Options a Runtime is created with. Order of precedence: built-in default <
// this struct < environment (prefix `env_prefix`, e.g. TRIGC) < run-time call.
// A malformed environment value is reported once on stderr and ignored. When to
// set which: docs/tuning.md.
#ifndef TRICOLOR_OPTIONS_H_
#define TRICOLOR_OPTIONS_H_

#include <cstddef>
#include <cstdint>

#include "tricolor/gc_events.h"

namespace tricolor {

class Runtime;
struct StackOverflow;
struct TaskFailure;

inline constexpr uint32_t kAbiVersion = 1;
inline constexpr int kGcOff = -1;
inline constexpr uint64_t kNoMemoryLimit = 0;
inline constexpr uint64_t kAutoMemoryLimit = UINT64_MAX;

/// What a task that allocates while a cycle marks does about it.
enum class AssistPolicy : uint32_t {
  kClassic = 0,  ///< marks in proportion, so that the heap keeps to its goal
  kBounded = 1,  ///< the same, but never for long at once: what is owed stays
                 ///< owed, and the heap may pass its goal
  kOff = 2,      ///< nothing: memory is bounded by the limits alone
};

/// What of the heap the kernel is asked to back by huge pages.
enum class HugePages : uint32_t {
  kOff = 0,
  kTables = 1,  ///< mark bytes and page tables, once 512 MiB are committed
  kAll = 2,     ///< all of these and the cells, from the start
};

struct Options {
  uint32_t size = sizeof(Options);  ///< set by the compiler of the embedder
  uint32_t abi = kAbiVersion;

  /// Heap growth in percent of the live heap before the next cycle, as GOGC;
  /// kGcOff turns automatic cycles off. Environment: TRIGC.
  int gc_percent = 100;
  /// Ps, that is, tasks running at once; 0: the CPU quota. TRIMAXPROCS. Fewer
  /// where RLIMIT_AS has no room for the tables of so many (24 MiB each).
  uint32_t max_procs = 0;
  /// Threads the runtime may start; -1: as many as it needs; 0: none ever:
  /// tasks run inside Runtime::run, and marking and sweeping run in assists
  /// and step().
  int background_threads = -1;
  /// A cycle begins at least so often, in milliseconds, whatever was allocated,
  /// so that what is dropped without a word goes back; 0: not for its age. By
  /// sysmon (which runs from the first allocation or task on, unless
  /// background_threads is 0 or 1), or in step(). TRIDEBUG: gcperiod=MS.
  uint32_t gc_period_ms = 120'000;
  /// Address space reserved for cells, in bytes; 0: min(256 GiB, 8 x memory).
  /// Less where a process has hundreds of heaps. Silently raised to 64 MiB,
  /// cut to 16 TiB, and halved down to 64 MiB while the OS refuses.
  size_t reservation_bytes = 0;
  /// Smallest heap goal in bytes; 0: gc_percent / 100 x 2 MiB for each P (at
  /// most 16 MiB).
  size_t initial_heap_bytes = 0;
  /// Soft limit on all memory of the runtime, in bytes: cycles start early
  /// enough and free pages go back soon enough to keep to it, even with
  /// gc_percent off, as long as that takes at most half of the CPU time.
  /// kAutoMemoryLimit: 90 % of the cgroup's limit less what others in it use,
  /// read again each cycle. Environment: TRIMEMLIMIT, as 512MiB, auto or off.
  uint64_t memory_limit_bytes = kNoMemoryLimit;
  /// Put before /proc/self/cgroup and /sys/fs/cgroup; null: nothing.
  const char* cgroup_root = nullptr;
  /// Allocation beyond this many bytes fails; 0: the reservation.
  size_t hard_limit_bytes = 0;
  /// Virtual size of a task's native stack; 0: 64 KiB (256 under sanitizers).
  size_t stack_bytes = 0;
  /// Native stacks of tasks, coroutines and attached threads are roots, too,
  /// scanned conservatively: a pointer to or into a cell in a plain local
  /// variable, or in a register, keeps the cell. For VMs written that way; what
  /// it costs: docs/design/0013-conservative-stacks.md. TRIDEBUG:
  /// conservativestacks=1.
  bool conservative_stacks = false;
  /// Most tasks and coroutines alive at once; 0: 1,048,576 + 4,096.
  size_t max_tasks = 0;
  /// Prefix of the environment variables; "" ignores the environment.
  const char* env_prefix = "TRI";
  /// As the environment's TRIDEBUG: "gctrace=1,gccheckmark=1,...". May be null.
  const char* debug = nullptr;
  /// How allocating tasks assist in marking. Environment: TRIASSIST, as
  /// classic, off, or the microseconds of bounded.
  AssistPolicy assist_policy = AssistPolicy::kClassic;
  /// Most microseconds of one assist, and of one slice of a worker in a task
  /// that allocates, with kBounded; 0: 50.
  uint32_t assist_budget_us = 50;
  /// The share of its time each P gives to a cycle that is under way, in
  /// percent, at most 100. 0: none; then idle Ps, assists, collect() and step()
  /// do all of it. Environment: TRIGCSHARE.
  uint32_t gc_worker_percent = 25;
  /// Whether an idle P marks all the time, or its share, too. TRIDEBUG:
  /// gcidle=0.
  bool gc_idle_workers = true;
  /// Environment: TRIDEBUG: hugepages=0, 1 or 2. Nothing happens where
  /// /sys/kernel/mm/transparent_hugepage/enabled says never.
  HugePages huge_pages = HugePages::kTables;
  /// Called with no lock held when `make` finds no memory. It may throw or
  /// longjmp (then scope_reset of local.h, or tri_frame_reset, comes next); if
  /// it returns, the process ends with a message. May be null. It may let go of
  /// memory and use the try_ forms; one that runs out of memory itself by a
  /// form that never returns null ends the process with a message, too.
  void (*on_out_of_memory)(Runtime&, size_t bytes, void* ctx) = nullptr;
  void* on_out_of_memory_ctx = nullptr;
  /// Told of each phase of each cycle: see gc_events.h. May be null.
  GcListener on_gc_event = nullptr;
  void* on_gc_event_ctx = nullptr;
  /// Told of a task that ends by an exception or exit_with_error and is
  /// detached, or detached later, so that nobody joins it: see task_end.h. Runs
  /// where the task ended, on its stack, or in the call that detaches it. No
  /// lock is held; must not throw. Null: the process ends with a message.
  void (*on_task_failure)(Runtime&, const TaskFailure&, void* ctx) = nullptr;
  void* on_task_failure_ctx = nullptr;
  /// Most threads of the blocking pool (tricolor/native.h), which come when
  /// they are needed and go when idle for five seconds; beside
  /// background_threads, of which 0 turns the pool off, too. 0: such calls run
  /// on the caller's thread, in native code.
  uint32_t blocking_threads = 64;
  /// Called, once per deadlock, when main waits inside run() and nothing is
  /// left that could wake a task: no timer, no descriptor that is waited for,
  /// no native call, no attached thread. Null: nothing is looked for, because a
  /// thread that attaches only when it has something to say is no deadlock;
  /// with this set, have such a thread attached all the time. By the last
  /// thread to go idle, which holds no lock: it may attach and wake a task, and
  /// must return. abort_at_deadlock (dump.h) prints all tasks and ends the
  /// process. TRIDEBUG: deadlock=1 prints them, deadlock=2 ends the process.
  void (*on_deadlock)(Runtime&, void* ctx) = nullptr;
  void* on_deadlock_ctx = nullptr;
  /// The signal by which code of preemptible.h is preempted; 0: none, it is
  /// not. Used only when a range is registered; a handler that was there before
  /// gets what we have not sent.
  int preempt_signal = 23;  // SIGURG
  /// Whether a task that overflows its native stack is told on stderr, by a
  /// handler of SIGSEGV and SIGBUS: see stack_overflow.h.
  bool catch_stack_overflow = true;
  /// Called behind that, on the signal's stack, in a signal handler: it may do
  /// what those may, and not leave by longjmp. When it returns, the fault goes
  /// to the handler that was there before ours, or ends the process. May be
  /// null.
  void (*on_stack_overflow)(Runtime&, const StackOverflow&,
                            void* ctx) = nullptr;
  void* on_stack_overflow_ctx = nullptr;
};

}  // namespace tricolor

#endif  // TRICOLOR_OPTIONS_H_
