// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// BlockingPool: threads that run calls which block, for tasks that wait
// meanwhile (blocking() in tricolor/native.h). The threads belong to no M and
// hold no P.
//
//   blocking: park --commit--> submit ──> queue ──> a worker: fn, ready_g
//                                 └─ an idle worker is woken, or one started
//
// Invariants
// 1. A job lies in its task's frame, which lasts until the worker readies the
//    task: after that nobody touches the job.
// 2. Whoever queues a job has taken an idle worker off the list to wake it, or
//    started one, or all are busy; a worker looks at the queue, under the lock,
//    before it goes on the list. So no job waits while a worker sleeps.
// 3. Workers are type-stable: a late unpark() hits a worker, and costs it one
//    more look.
// 4. A worker that ends joins the one that ended before it: at most one thread
//    is left to be joined, by shut_down.
//
// Threads: any. shut_down once, by the thread that destroys the runtime, before
// the Ms are stopped: a job may be waiting for them.
#ifndef TRICOLOR_SCHED_BLOCKING_POOL_H_
#define TRICOLOR_SCHED_BLOCKING_POOL_H_

#include <pthread.h>

#include <cstdint>

#include "base/atomics.h"
#include "base/fixed_pool.h"
#include "base/lock.h"
#include "base/parker.h"
#include "sched/g.h"

namespace tricolor::sched {

struct BlockingJob {
  void (*fn)(void* arg);
  void* arg;
  G* g;  ///< waits for it
  BlockingJob* next = nullptr;
  bool refused = false;  ///< by submit: run it yourself
};

class BlockingPool {
 public:
  struct Worker {
    BlockingPool* pool;
    Worker* link;  ///< idle list
    pthread_t thread;
    base::Parker parker;
  };

  /// `limit`: threads at most, 0: all is refused.
  void init(RuntimeImpl* rt, uint32_t limit, uint64_t idle_ns);

  bool is_off() const { return limit_ == 0; }
  /// False: no thread can be had, or the runtime is going.
  bool submit(BlockingJob* job);
  /// Waits for the jobs that run, forgets the others, ends all threads.
  void shut_down();

  uint32_t threads() const { return threads_.load_relaxed(); }
  /// Jobs ever taken on.
  uint64_t calls() const { return calls_.load_relaxed(); }
  /// Jobs queued or running: as many tasks will be readied.
  uint32_t pending() const { return pending_.load_relaxed(); }

 private:
  static void* worker_main(void* worker);
  void work(Worker* worker);
  void run(BlockingJob* job);
  bool start_worker_locked() TRI_REQUIRES(lock_);
  BlockingJob* pop_locked() TRI_REQUIRES(lock_);
  bool remove_idle_locked(Worker* worker) TRI_REQUIRES(lock_);

  // Immutable after init.
  RuntimeImpl* rt_ = nullptr;
  uint32_t limit_ = 0;
  uint64_t idle_ns_ = 0;

  base::Mutex lock_{base::LockRank::kBlocking};
  base::FixedPool<Worker> workers_ TRI_GUARDED_BY(lock_);
  BlockingJob* head_ TRI_GUARDED_BY(lock_) = nullptr;
  BlockingJob* tail_ TRI_GUARDED_BY(lock_) = nullptr;
  Worker* idle_ TRI_GUARDED_BY(lock_) = nullptr;
  Worker* ended_ TRI_GUARDED_BY(lock_) = nullptr;  ///< to be joined
  bool closed_ TRI_GUARDED_BY(lock_) = false;
  /// Workers that will look at the queue again; those that end do not count.
  uint32_t serving_ TRI_GUARDED_BY(lock_) = 0;

  // Atomic, for numbers; threads_ for shut_down, too.
  base::Atomic<uint32_t> threads_{0};
  base::Atomic<uint64_t> calls_{0};
  base::Atomic<uint32_t> pending_{0};
};

}  // namespace tricolor::sched

#endif  // TRICOLOR_SCHED_BLOCKING_POOL_H_
