// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Mutex, RwMutex and CondVar for tasks, attached threads and plain threads
// together: a task that waits for one suspends, a thread blocks. Plain C++
// objects of a few words, which may lie anywhere, also in cells; not copied,
// not moved, not destroyed before every call on them has returned; but whoever
// has locked a Mutex and knows that nobody else will may unlock and destroy it.
// Not recursive; whoever unlocks need not be who locked. A runtime that is
// destroyed while its tasks wait for one leaves it unusable.
//
// The forms with a Mutator are for tasks and attached threads in managed code,
// those without for all other threads. Calls without a deadline are not ended
// by a cancellation, so they return nothing.
#ifndef TRICOLOR_MUTEX_H_
#define TRICOLOR_MUTEX_H_

#include <cstdint>

#include "tricolor/detail/mutator.h"
#include "tricolor/wait.h"

namespace tricolor {

/// Woken waiters compete with whoever comes along, which is fast; one that has
/// waited for a millisecond is given the lock. Source of the idea: Go's
/// sync.Mutex.
class Mutex {
 public:
  constexpr Mutex() = default;
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;

  void lock(Mutator& mu) {
    if (TRI_DETAIL_UNLIKELY(!try_lock())) lock_slow(&mu, Deadline(), true);
  }
  /// kOk, kTimeout or kCancelled.
  [[nodiscard]] WaitResult lock(Mutator& mu, Deadline deadline) {
    return try_lock() ? WaitResult::kOk : lock_slow(&mu, deadline, false);
  }
  void lock() {
    if (!try_lock()) lock_slow(nullptr, Deadline(), true);
  }
  [[nodiscard]] WaitResult lock(Deadline deadline) {
    return try_lock() ? WaitResult::kOk : lock_slow(nullptr, deadline, true);
  }
  bool try_lock() {
    TRI_DETAIL_STEP();
    uint32_t free = 0;
    return __atomic_compare_exchange_n(&state_, &free, kLocked, false,
                                       __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
  }
  void unlock(Mutator& mu) {
    if (TRI_DETAIL_UNLIKELY(!try_unlock())) unlock_slow(mu.p);
  }
  void unlock() {
    if (!try_unlock()) unlock_slow(nullptr);
  }

 private:
  friend struct MutexAccess;
  static constexpr uint32_t kLocked = 1;
  static constexpr uint32_t kWaiters = 2;

  bool try_unlock() {
    TRI_DETAIL_STEP();
    uint32_t locked = kLocked;
    return __atomic_compare_exchange_n(&state_, &locked, 0, false,
                                       __ATOMIC_RELEASE, __ATOMIC_RELAXED);
  }
  WaitResult lock_slow(Mutator* mu, Deadline deadline, bool shielded);
  void unlock_slow(void* p);

  uint32_t state_ = 0;
  detail::WaitQueueRep queue_;
};

/// Locks for the length of a scope.
class MutexGuard {
 public:
  MutexGuard(Mutator& mu, Mutex& mutex) : mu_(mu), mutex_(mutex) {
    mutex_.lock(mu_);
  }
  ~MutexGuard() { mutex_.unlock(mu_); }
  MutexGuard(const MutexGuard&) = delete;
  MutexGuard& operator=(const MutexGuard&) = delete;

 private:
  Mutator& mu_;
  Mutex& mutex_;
};

/// Many readers or one writer; first come, first served, so neither starves.
/// One who reads must not read again before it is done: a writer may have come
/// in between.
class RwMutex {
 public:
  constexpr RwMutex() = default;
  RwMutex(const RwMutex&) = delete;
  RwMutex& operator=(const RwMutex&) = delete;

  void lock(Mutator& mu) { lock_any(&mu, kWriter, Deadline(), true); }
  void lock_shared(Mutator& mu) { lock_any(&mu, kReader, Deadline(), true); }
  /// kOk, kTimeout or kCancelled.
  [[nodiscard]] WaitResult lock(Mutator& mu, Deadline d) {
    return lock_any(&mu, kWriter, d, false);
  }
  [[nodiscard]] WaitResult lock_shared(Mutator& mu, Deadline d) {
    return lock_any(&mu, kReader, d, false);
  }
  void unlock(Mutator& mu) { unlock_any(mu.p, kWriter); }
  void unlock_shared(Mutator& mu) { unlock_any(mu.p, kReader); }

  void lock() { lock_any(nullptr, kWriter, Deadline(), true); }
  void lock_shared() { lock_any(nullptr, kReader, Deadline(), true); }
  [[nodiscard]] WaitResult lock(Deadline d) {
    return lock_any(nullptr, kWriter, d, true);
  }
  [[nodiscard]] WaitResult lock_shared(Deadline d) {
    return lock_any(nullptr, kReader, d, true);
  }
  void unlock() { unlock_any(nullptr, kWriter); }
  void unlock_shared() { unlock_any(nullptr, kReader); }

 private:
  friend struct RwMutexAccess;
  // state_: readers * kReader + kWaiters? + kWriter?
  static constexpr uint32_t kWriter = 1;
  static constexpr uint32_t kWaiters = 2;
  static constexpr uint32_t kReader = 4;

  WaitResult lock_any(Mutator* mu, uint32_t mode, Deadline d, bool shielded);
  void unlock_any(void* p, uint32_t mode);

  uint32_t state_ = 0;
  detail::WaitQueueRep queue_;
};

/// Waits for a condition that a Mutex guards. It may end for no reason: test
/// the condition in a loop.
class CondVar {
 public:
  constexpr CondVar() = default;
  CondVar(const CondVar&) = delete;
  CondVar& operator=(const CondVar&) = delete;

  /// Unlocks the mutex, waits, locks it again, whatever the result.
  void wait(Mutator& mu, Mutex& mutex) {
    wait_any(&mu, mutex, Deadline(), true);
  }
  void wait(Mutex& mutex) { wait_any(nullptr, mutex, Deadline(), true); }
  /// kOk, kTimeout or kCancelled.
  [[nodiscard]] WaitResult wait(Mutator& mu, Mutex& mutex, Deadline d) {
    return wait_any(&mu, mutex, d, false);
  }
  [[nodiscard]] WaitResult wait(Mutex& mutex, Deadline d) {
    return wait_any(nullptr, mutex, d, true);
  }
  void notify_one(Mutator& mu) { notify(mu.p, false); }
  void notify_all(Mutator& mu) { notify(mu.p, true); }
  void notify_one() { notify(nullptr, false); }
  void notify_all() { notify(nullptr, true); }

 private:
  WaitResult wait_any(Mutator* mu, Mutex& mutex, Deadline d, bool shielded);
  void notify(void* p, bool all);

  detail::WaitQueueRep queue_;
};

}  // namespace tricolor

#endif  // TRICOLOR_MUTEX_H_
