// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// BlockingPool, see sched/blocking_pool.h, and blocking().
#include "sched/blocking_pool.h"

#include <new>

#include "base/check.h"
#include "base/futex.h"
#include "base/sched_point.h"
#include "sched/runtime.h"
#include "sched/thread.h"
#include "tricolor/native.h"
#include "tricolor/thread.h"

namespace tricolor::sched {

void BlockingPool::init(RuntimeImpl* rt, uint32_t limit, uint64_t idle_ns) {
  rt_ = rt;
  limit_ = limit;
  idle_ns_ = idle_ns;
  base::LockGuard guard(lock_);
  workers_.init(rt->meta);
}

BlockingJob* BlockingPool::pop_locked() {
  BlockingJob* job = head_;
  if (job == nullptr) return nullptr;
  head_ = job->next;
  if (head_ == nullptr) tail_ = nullptr;
  return job;
}

bool BlockingPool::remove_idle_locked(Worker* worker) {
  for (Worker** at = &idle_; *at != nullptr; at = &(*at)->link) {
    if (*at != worker) continue;
    *at = worker->link;
    return true;
  }
  return false;
}

// Under the lock, which the new thread takes first: by then worker->thread is
// written, for whoever joins it.
bool BlockingPool::start_worker_locked() {
  Worker* worker = workers_.alloc();
  if (worker == nullptr) return false;
  worker->pool = this;
  if (!start_thread(&worker->thread, worker_main, worker, "tricolor-blk")) {
    workers_.free(worker);
    return false;
  }
  serving_++;
  threads_.fetch_add_relaxed(1);
  return true;
}

bool BlockingPool::submit(BlockingJob* job) {
  TRI_SCHED_POINT(blocking_submit);
  Worker* wake = nullptr;
  {
    base::LockGuard guard(lock_);
    if (closed_) return false;
    wake = idle_;
    if (wake != nullptr) {
      idle_ = wake->link;
    } else if (serving_ < limit_ && !start_worker_locked() && serving_ == 0) {
      return false;  // nobody would ever come
    }
    (tail_ == nullptr ? head_ : tail_->next) = job;
    tail_ = job;
    calls_.fetch_add_relaxed(1);
    pending_.fetch_add_relaxed(1);
    rt_->sched.wakers.fetch_add_seq_cst(1);  // see WakerScope
  }
  // The job may be done, and its task gone, from here on.
  if (wake != nullptr) wake->parker.unpark();
  return true;
}

void BlockingPool::run(BlockingJob* job) {
  G* g = job->g;
  job->fn(job->arg);
  TRI_SCHED_POINT(blocking_done);
  ready_g(rt_, nullptr, g, /*next=*/false);
  // Only now: while the task is nowhere else, it is pending.
  pending_.fetch_sub_relaxed(1);
  rt_->sched.wakers.fetch_sub_seq_cst(1);
}

void* BlockingPool::worker_main(void* arg) {
  auto* worker = static_cast<Worker*>(arg);
  worker->pool->work(worker);
  return nullptr;
}

void BlockingPool::work(Worker* worker) {
  lock_.lock();
  for (;;) {
    if (BlockingJob* job = pop_locked()) {
      lock_.unlock();
      run(job);
      lock_.lock();
      continue;
    }
    if (closed_) break;
    worker->link = idle_;
    idle_ = worker;
    lock_.unlock();
    const bool woken = worker->parker.park_for(static_cast<int64_t>(idle_ns_));
    lock_.lock();
    // Off the list already: somebody has a job for it, or closes the pool. On
    // it although woken: by a late unpark().
    const bool listed = remove_idle_locked(worker);
    if ((listed || TRI_PLANTED(leaves_with_a_job)) && !woken) break;
  }
  serving_--;
  Worker* before = ended_;
  ended_ = worker;
  lock_.unlock();
  if (before != nullptr) {
    join_thread(before->thread);
    base::LockGuard guard(lock_);
    workers_.free(before);
  }
  // ORDER-blocking-1: pairs with shut_down(), which joins this thread next.
  threads_.fetch_sub_release(1);
  base::futex_wake(&threads_, 1);
}

void BlockingPool::shut_down() {
  lock_.lock();
  closed_ = true;
  while (pop_locked() != nullptr) pending_.fetch_sub_relaxed(1);
  Worker* idle = idle_;
  idle_ = nullptr;
  lock_.unlock();
  while (idle != nullptr) {
    Worker* next = idle->link;  // it changes no link before the token comes
    idle->parker.unpark();
    idle = next;
  }
  for (;;) {
    // ORDER-blocking-1: pairs with work().
    const uint32_t alive = threads_.load_acquire();
    if (alive == 0) break;
    base::futex_wait(&threads_, alive, 10'000'000);
  }
  lock_.lock();
  Worker* last = ended_;
  ended_ = nullptr;
  lock_.unlock();
  if (last != nullptr) join_thread(last->thread);
}

namespace {

// On the scheduler's stack.
bool blocking_commit(ParkedTask task, void* ctx) {
  auto* job = static_cast<BlockingJob*>(ctx);
  G* g = g_of(task);
  // A use of the waiting task's Mutator by the call is caught by this.
  unbind_mutator(g);
  if (g->rt->blocking.submit(job)) return true;
  job->refused = true;
  return false;
}

}  // namespace
}  // namespace tricolor::sched

void tri_blocking(tri_mutator* mu, void (*fn)(void* arg), void* arg) {
  using namespace tricolor;  // NOLINT: one function
  if (mu->p == nullptr) sched::misused_mutator(*mu, "blocking");
  sched::G* g = sched::g_of(mu);
  if (g->m->kind != sched::MKind::kAttached &&
      !impl_of(*mu)->blocking.is_off()) {
    sched::BlockingJob job{fn, arg, g};
    sched::park_current(*mu, sched::blocking_commit, &job);
    if (!job.refused) return;
  }
  tri_call_native(mu, fn, arg);
}
