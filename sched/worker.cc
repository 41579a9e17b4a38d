// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Ms: making and dropping them, our own threads, and threads that come in
// through run() and step().
#include <new>

#include "base/check.h"
#include "base/futex.h"
#include "sched/async.h"
#include "sched/fault.h"
#include "sched/native_stack.h"
#include "sched/runtime.h"
#include "sched/thread.h"
#include "sched/tls.h"

namespace tricolor::sched {

M* new_m(RuntimeImpl* rt, MKind kind) {
  Scheduler& s = rt->sched;
  M* m;
  {
    base::LockGuard guard(s.lock);
    m = s.free_ms;
    if (m != nullptr) {
      s.free_ms = m->link;
    } else {
      m = s.m_pool.alloc();
      if (m == nullptr) return nullptr;
      ::new (static_cast<void*>(m)) M();
    }
  }
  // The parker stays as it is: a late unpark() may still be on its way.
  m->rt = rt;
  m->kind = kind;
  m->link = nullptr;
  m->outer = nullptr;
  m->outer_went_native = false;
  m->curg = nullptr;
  m->p = nullptr;
  m->spinning = m->relied_on = m->no_wait = false;
  m->leave_at_ns = 0;
  m->attached_g = nullptr;
  m->locked_g = m->next_g = nullptr;
  m->ends = m->gone = false;
  m->attach_depth = 0;
  m->leave.store_relaxed(false);
  m->has_thread.store_relaxed(false);
  m->next_p.store_relaxed(nullptr);
  return m;
}

void free_m(RuntimeImpl* rt, M* m) {
  TRI_CHECK(m->p == nullptr && !m->is_idle && !m->spinning);
  base::LockGuard guard(rt->sched.lock);
  m->link = rt->sched.free_ms;
  rt->sched.free_ms = m;
}

void push_m(M* m, const stacks::SpillFrame* frame) {
  M* outer = current_m();
  m->outer = outer;
  m->outer_went_native = false;
  // The outer runtime must not wait for what happens here.
  if (outer != nullptr && outer->curg != nullptr &&
      g_state(outer->curg) == GState::kRunning) {
    save_frame(outer->curg, frame);
    enter_native_current(outer->curg);
    m->outer_went_native = true;
  }
  m->eh_globals = thread_eh_globals();
  stacks::context_adopt_thread(&m->g0.context);
  m->g0.eh = EhGlobals{};
  set_current_m(m);
  open_signals(m);
}

void pop_m(M* m) {
  TRI_CHECK(current_m() == m,
            "runtimes are left in the order they are entered");
  close_signals(m);  // while it is still the thread's
  set_current_m(m->outer);
  end_fault_handling(m);
  if (m->outer_went_native) leave_native_current(m->outer->curg);
}

namespace {

void end_worker(M* m);

void* worker_main(void* arg) {
  M* m = static_cast<M*>(arg);
  RuntimeImpl* rt = m->rt;
  push_m(m);
  begin_fault_handling(m);
  schedule_loop(m);
  pop_m(m);
  if (m->ends) end_worker(m);
  end_thread(rt);
  return nullptr;
}

bool reserve_thread_locked(Scheduler& s) {
  constexpr uint32_t kMaxThreads = 10000;
  if (s.shutdown.load_relaxed()) return false;
  const uint32_t n = s.threads.load_relaxed();
  if (n >= kMaxThreads) return false;
  if (s.thread_limit >= 0 && n >= static_cast<uint32_t>(s.thread_limit)) {
    return false;
  }
  s.threads.fetch_add_relaxed(1);
  return true;
}

void unlink_worker_locked(Scheduler& s, M* m) {
  s.lock.assert_held();
  M** at = &s.workers;
  while (*at != m) at = &(*at)->all_link;
  *at = m->all_link;
  s.worker_count--;
}

void list_ended_locked(Scheduler& s, M* m) {
  s.lock.assert_held();
  unlink_worker_locked(s, m);
  m->all_link = s.ended;
  s.ended = m;
}

// A worker whose locked task has ended. Its starter may be on the way.
void end_worker(M* m) {
  constexpr int64_t kNapNs = 20'000;
  base::Atomic<uint32_t> never{0};
  // ORDER-thread-1: pairs with start_worker(): sees m->thread.
  while (!m->has_thread.load_acquire()) base::futex_wait(&never, 0, kNapNs);
  base::LockGuard guard(m->rt->sched.lock);
  list_ended_locked(m->rt->sched, m);
}

// Threads that have ended. Not those that are about to, unless `wait`: the
// caller holds a P, and their thread_local destructors may be the program's,
// attach, and stop the world.
void join_ended(RuntimeImpl* rt, bool wait) {
  Scheduler& s = rt->sched;
  s.lock.lock();
  M* m = s.ended;
  s.ended = nullptr;
  s.lock.unlock();
  M* left = nullptr;
  while (m != nullptr) {
    M* next = m->all_link;
    if (wait) {
      join_thread(m->thread);
      free_m(rt, m);
    } else if (try_join_thread(m->thread)) {
      free_m(rt, m);
    } else {
      m->all_link = left;
      left = m;
    }
    m = next;
  }
  base::LockGuard guard(s.lock);
  while (left != nullptr) {
    M* next = left->all_link;
    left->all_link = s.ended;
    s.ended = left;
    left = next;
  }
}

}  // namespace

void end_thread(RuntimeImpl* rt) {
  // ORDER-threads-1: pairs with join_workers(): publishes what it has done.
  // rt may be gone after this line but for the join, and a wake of an address
  // nobody waits on does nothing.
  rt->sched.threads.fetch_sub_release(1);
  base::futex_wake(&rt->sched.threads, 1);
}

bool reserve_thread(RuntimeImpl* rt) {
  base::LockGuard guard(rt->sched.lock);
  return reserve_thread_locked(rt->sched);
}

bool retire_worker(M* m) {
  Scheduler& s = m->rt->sched;
  base::LockGuard guard(s.lock);
  // ORDER-thread-1: pairs with start_worker(): sees m->thread.
  if (!m->is_idle || !m->has_thread.load_acquire()) return false;
  const M* other = s.idle_ms;
  while (other != nullptr && (other == m || other->kind != MKind::kWorker)) {
    other = other->link;
  }
  if (other == nullptr) return false;
  remove_idle_m_locked(m->rt, m);
  list_ended_locked(s, m);
  return true;
}

bool start_worker(RuntimeImpl* rt, P* p, bool spinning) {
  Scheduler& s = rt->sched;
  join_ended(rt, /*wait=*/false);
  M* m = new_m(rt, MKind::kWorker);
  if (m == nullptr) return false;
  s.lock.lock();
  const bool allowed = reserve_thread_locked(s);
  if (allowed) {
    m->all_link = s.workers;
    s.workers = m;
    s.worker_count++;
  }
  s.lock.unlock();
  if (!allowed) {
    free_m(rt, m);
    return false;
  }
  m->p = p;
  m->spinning = spinning;
  if (start_thread(&m->thread, worker_main, m, "tricolor")) {
    // ORDER-thread-1: pairs with retire_worker(), until which m stays.
    m->has_thread.store_release(true);
    return true;
  }
  m->p = nullptr;
  m->spinning = false;
  s.lock.lock();
  unlink_worker_locked(s, m);
  s.threads.fetch_sub_relaxed(1);
  s.lock.unlock();
  free_m(rt, m);
  return false;
}

void join_workers(RuntimeImpl* rt) {
  Scheduler& s = rt->sched;
  // Some thread may still be inside pthread_create for another: only when all
  // have come to their end is every m->thread written.
  for (;;) {
    // ORDER-threads-1: pairs with end_thread().
    const uint32_t alive = s.threads.load_acquire();
    if (alive == 0) break;
    base::futex_wait(&s.threads, alive, 10'000'000);
  }
  join_ended(rt, /*wait=*/true);
  s.lock.lock();
  M* workers = s.workers;
  s.workers = nullptr;
  s.lock.unlock();
  for (M* m = workers; m != nullptr; m = m->all_link) {
    join_thread(m->thread);
  }
}

}  // namespace tricolor::sched
