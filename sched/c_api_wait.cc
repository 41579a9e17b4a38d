// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// The C API over the C++ one: waits and timers. The structs of C are the C++
// objects, whose words the static_asserts hold them to; a null Mutator is the
// C++ form without one.
#include <cstddef>
#include <new>

#include "base/check.h"
#include "tricolor/mutex.h"
#include "tricolor/park.h"
#include "tricolor/runtime.h"
#include "tricolor/semaphore.h"
#include "tricolor/timer.h"
#include "tricolor/tricolor.h"

using tricolor::CondVar;
using tricolor::Deadline;
using tricolor::Mutex;
using tricolor::Once;
using tricolor::RwMutex;
using tricolor::Semaphore;
using tricolor::Timer;
using tricolor::WaitGroup;
using tricolor::WaitResult;

static_assert(TRI_WAIT_OK == static_cast<int>(WaitResult::kOk));
static_assert(TRI_WAIT_CLOSED == static_cast<int>(WaitResult::kClosed));
static_assert(TRI_WAIT_TIMEOUT == static_cast<int>(WaitResult::kTimeout));
static_assert(TRI_WAIT_CANCELLED == static_cast<int>(WaitResult::kCancelled));
static_assert(TRI_NEVER == Deadline::kNever);

namespace {

template <class Cpp, class C>
constexpr bool kSameBytes = sizeof(C) == sizeof(Cpp) &&
                            alignof(C) == alignof(Cpp);
static_assert(kSameBytes<tricolor::detail::WaitQueueRep, tri_wait_queue>);
static_assert(kSameBytes<Mutex, tri_mutex>);
static_assert(kSameBytes<RwMutex, tri_rw_mutex>);
static_assert(kSameBytes<CondVar, tri_cond>);
static_assert(kSameBytes<Semaphore, tri_semaphore>);
static_assert(kSameBytes<WaitGroup, tri_wait_group>);
static_assert(kSameBytes<Once, tri_once>);
static_assert(kSameBytes<Timer, tri_timer>);
static_assert(tricolor::detail::WaitQueueRep::kFreeLock == uint64_t{18} << 32);

Mutex& cpp(tri_mutex* c) { return *reinterpret_cast<Mutex*>(c); }
RwMutex& cpp(tri_rw_mutex* c) { return *reinterpret_cast<RwMutex*>(c); }
CondVar& cpp(tri_cond* c) { return *reinterpret_cast<CondVar*>(c); }
Semaphore& cpp(tri_semaphore* c) { return *reinterpret_cast<Semaphore*>(c); }
WaitGroup& cpp(tri_wait_group* c) { return *reinterpret_cast<WaitGroup*>(c); }
Once& cpp(tri_once* c) { return *reinterpret_cast<Once*>(c); }
Timer& cpp(tri_timer* c) { return *reinterpret_cast<Timer*>(c); }

int as_int(WaitResult result) { return static_cast<int>(result); }

}  // namespace

extern "C" {

uint64_t tri_now_ns(void) { return tricolor::now_ns(); }

int tri_sleep_until(tri_mutator* mu, uint64_t deadline_ns) {
  return as_int(tricolor::sleep_until(*mu, Deadline::at(deadline_ns)));
}

void tri_park(tri_mutator* mu, tri_park_commit_fn commit, void* ctx) {
  struct Commit {
    tri_park_commit_fn fn;
    void* ctx;
  } call{commit, ctx};
  if (commit == nullptr) return tricolor::park(*mu, nullptr, nullptr);
  tricolor::park(
      *mu,
      [](tricolor::ParkedTask task, void* arg) {
        // A copy: behind fn the task may run, and its stack be gone.
        const Commit copy = *static_cast<Commit*>(arg);
        return copy.fn(task.g, copy.ctx);
      },
      &call);
}

void tri_ready(tri_mutator* mu, void* parked) {
  tricolor::ready(*mu, tricolor::ParkedTask{parked});
}

void tri_mutex_lock(tri_mutator* mu, tri_mutex* mutex) {
  mu != nullptr ? cpp(mutex).lock(*mu) : cpp(mutex).lock();
}
int tri_mutex_lock_until(tri_mutator* mu, tri_mutex* mutex,
                         uint64_t deadline_ns) {
  const Deadline deadline = Deadline::at(deadline_ns);
  return as_int(mu != nullptr ? cpp(mutex).lock(*mu, deadline)
                              : cpp(mutex).lock(deadline));
}
bool tri_mutex_try_lock(tri_mutex* mutex) { return cpp(mutex).try_lock(); }
void tri_mutex_unlock(tri_mutator* mu, tri_mutex* mutex) {
  mu != nullptr ? cpp(mutex).unlock(*mu) : cpp(mutex).unlock();
}

void tri_rw_mutex_lock(tri_mutator* mu, tri_rw_mutex* mutex) {
  mu != nullptr ? cpp(mutex).lock(*mu) : cpp(mutex).lock();
}
void tri_rw_mutex_lock_shared(tri_mutator* mu, tri_rw_mutex* mutex) {
  mu != nullptr ? cpp(mutex).lock_shared(*mu) : cpp(mutex).lock_shared();
}
int tri_rw_mutex_lock_until(tri_mutator* mu, tri_rw_mutex* mutex,
                            uint64_t deadline_ns) {
  const Deadline deadline = Deadline::at(deadline_ns);
  return as_int(mu != nullptr ? cpp(mutex).lock(*mu, deadline)
                              : cpp(mutex).lock(deadline));
}
int tri_rw_mutex_lock_shared_until(tri_mutator* mu, tri_rw_mutex* mutex,
                                   uint64_t deadline_ns) {
  const Deadline deadline = Deadline::at(deadline_ns);
  return as_int(mu != nullptr ? cpp(mutex).lock_shared(*mu, deadline)
                              : cpp(mutex).lock_shared(deadline));
}
void tri_rw_mutex_unlock(tri_mutator* mu, tri_rw_mutex* mutex) {
  mu != nullptr ? cpp(mutex).unlock(*mu) : cpp(mutex).unlock();
}
void tri_rw_mutex_unlock_shared(tri_mutator* mu, tri_rw_mutex* mutex) {
  mu != nullptr ? cpp(mutex).unlock_shared(*mu) : cpp(mutex).unlock_shared();
}

void tri_cond_wait(tri_mutator* mu, tri_cond* cond, tri_mutex* mutex) {
  mu != nullptr ? cpp(cond).wait(*mu, cpp(mutex)) : cpp(cond).wait(cpp(mutex));
}
int tri_cond_wait_until(tri_mutator* mu, tri_cond* cond, tri_mutex* mutex,
                        uint64_t deadline_ns) {
  const Deadline deadline = Deadline::at(deadline_ns);
  return as_int(mu != nullptr ? cpp(cond).wait(*mu, cpp(mutex), deadline)
                              : cpp(cond).wait(cpp(mutex), deadline));
}
void tri_cond_notify_one(tri_mutator* mu, tri_cond* cond) {
  mu != nullptr ? cpp(cond).notify_one(*mu) : cpp(cond).notify_one();
}
void tri_cond_notify_all(tri_mutator* mu, tri_cond* cond) {
  mu != nullptr ? cpp(cond).notify_all(*mu) : cpp(cond).notify_all();
}

void tri_semaphore_acquire(tri_mutator* mu, tri_semaphore* s, uint64_t n) {
  mu != nullptr ? cpp(s).acquire(*mu, n) : cpp(s).acquire(n);
}
int tri_semaphore_acquire_until(tri_mutator* mu, tri_semaphore* s, uint64_t n,
                                uint64_t deadline_ns) {
  const Deadline deadline = Deadline::at(deadline_ns);
  return as_int(mu != nullptr ? cpp(s).acquire(*mu, n, deadline)
                              : cpp(s).acquire(n, deadline));
}
bool tri_semaphore_try_acquire(tri_semaphore* s, uint64_t n) {
  return cpp(s).try_acquire(n);
}
void tri_semaphore_release(tri_mutator* mu, tri_semaphore* s, uint64_t n) {
  mu != nullptr ? cpp(s).release(*mu, n) : cpp(s).release(n);
}

void tri_wait_group_add(tri_wait_group* group, uint64_t n) {
  cpp(group).add(n);
}
void tri_wait_group_done(tri_mutator* mu, tri_wait_group* group) {
  mu != nullptr ? cpp(group).done(*mu) : cpp(group).done();
}
void tri_wait_group_wait(tri_mutator* mu, tri_wait_group* group) {
  mu != nullptr ? cpp(group).wait(*mu) : cpp(group).wait();
}
int tri_wait_group_wait_until(tri_mutator* mu, tri_wait_group* group,
                              uint64_t deadline_ns) {
  const Deadline deadline = Deadline::at(deadline_ns);
  return as_int(mu != nullptr ? cpp(group).wait(*mu, deadline)
                              : cpp(group).wait(deadline));
}

void tri_once_call(tri_mutator* mu, tri_once* once,
                   void (*fn)(tri_mutator* mu, void* arg), void* arg) {
  auto call = [=] { fn(mu, arg); };
  mu != nullptr ? cpp(once).call(*mu, call) : cpp(once).call(call);
}

void tri_timer_init(tri_timer* timer, tri_runtime* rt, void (*fn)(void* ctx),
                    void* ctx) {
  if (rt == nullptr) TRI_MISUSE("tri_timer_init", "the runtime is NULL");
  ::new (static_cast<void*>(timer))
      Timer(*reinterpret_cast<tricolor::Runtime*>(rt), fn, ctx);
}
void tri_timer_start(tri_mutator* mu, tri_timer* timer, uint64_t deadline_ns) {
  const Deadline deadline = Deadline::at(deadline_ns);
  mu != nullptr ? cpp(timer).start(*mu, deadline) : cpp(timer).start(deadline);
}
bool tri_timer_stop(tri_timer* timer) { return cpp(timer).stop(); }
void tri_timer_end(tri_timer* timer) { cpp(timer).~Timer(); }

}  // extern "C"
