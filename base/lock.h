// SPDX-License-Identifier: MIT
// Copyright tricolor authors
//
// Mutex: the runtime's own lock, a futex word with a rank. For short sections
// of runtime code, never held over a suspension, a callback into the embedder
// or an allocation of cells. Tasks have locks of their own (sched/).
//
// 1. Ranks rise: a thread that holds rank r takes only ranks above r; of kWait
//    and kTimers several, by rising address. Checking builds keep the held
//    locks of each thread and abort on disorder, naming both. try_lock()
//    cannot deadlock and is exempt, but what it took counts for the locks that
//    follow.
// 2. Released by the thread that took it.
// 3. Constant-initialised, trivially destroyed; the size does not depend on
//    the build mode.
//
//     kFree --lock--> kHeld --lock_slow by another--> kContended
//     kHeld --unlock--> kFree;  kContended --unlock, wakes one--> kFree
#ifndef TRICOLOR_BASE_LOCK_H_
#define TRICOLOR_BASE_LOCK_H_

#include <cstdint>

#include "base/atomics.h"
#include "base/check.h"
#include "base/macros.h"

namespace tricolor::base {

enum class LockRank : uint8_t {
#define TRI_LOCK_RANK(name, rank, what) name = rank,
#include "base/lock_rank.def"
#undef TRI_LOCK_RANK
};

// "kMHeap" for LockRank::kMHeap; "?" for a value that is no rank.
const char* lock_rank_name(LockRank rank);

class TRI_CAPABILITY("mutex") Mutex {
 public:
  constexpr explicit Mutex(LockRank rank) : rank_(rank) {}
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;

  void lock() TRI_ACQUIRE() {
    if constexpr (TRI_CHECKS) note_acquire(/*check_order=*/true);
    uint32_t expected = kFree;
    // ORDER-lock-1: pairs with unlock(): sees the last holder's writes.
    if (TRI_UNLIKELY(!state_.compare_exchange_strong_acquire(expected, kHeld)))
      lock_slow();
  }

  bool try_lock() TRI_TRY_ACQUIRE(true) {
    uint32_t expected = kFree;
    // ORDER-lock-1: as in lock().
    if (!state_.compare_exchange_strong_acquire(expected, kHeld)) return false;
    if constexpr (TRI_CHECKS) note_acquire(/*check_order=*/false);
    return true;
  }

  void unlock() TRI_RELEASE() {
    if constexpr (TRI_CHECKS) note_release();
    // ORDER-lock-1: pairs with lock(): publishes the holder's writes.
    const uint32_t before = state_.exchange_release(kFree);
    TRI_ASSERT(before != kFree, "unlock of a free %s", rank_name());
    if (TRI_UNLIKELY(before == kContended)) unlock_slow();
  }

  // Aborts unless locked; in checking builds, by this thread.
  void assert_held() const TRI_ASSERT_CAPABILITY(this) {
    TRI_CHECK(state_.load_relaxed() != kFree, "%s is not locked", rank_name());
    if constexpr (TRI_CHECKS) check_held_by_this_thread();
  }

  LockRank rank() const { return rank_; }

 private:
  enum State : uint32_t {
    kFree = 0,       // nobody holds it
    kHeld = 1,       // held, and nobody sleeps for it
    kContended = 2,  // held, and somebody may sleep for it
  };

  const char* rank_name() const { return lock_rank_name(rank_); }
  TRI_COLD void lock_slow();
  TRI_COLD void unlock_slow();

  // The held list; defined in lock.cc, called in checking builds only.
  void note_acquire(bool check_order);
  void note_release();
  void check_held_by_this_thread() const;

  Atomic<uint32_t> state_{kFree};
  const LockRank rank_;
};

class TRI_SCOPED_CAPABILITY LockGuard {
 public:
  explicit LockGuard(Mutex& mutex) TRI_ACQUIRE(mutex) : mutex_(mutex) {
    mutex_.lock();
  }
  ~LockGuard() TRI_RELEASE() { mutex_.unlock(); }
  LockGuard(const LockGuard&) = delete;
  LockGuard& operator=(const LockGuard&) = delete;

 private:
  Mutex& mutex_;
};

// The two below in checking builds; defined in lock.cc.
void check_no_locks_held(const char* where);
void check_only_held(LockRank rank, const char* where);

// Aborts when this thread holds a Mutex: called before a suspension and before
// a callback into the embedder. Does nothing in builds without checks.
inline void assert_no_locks_held(const char* where) {
  if constexpr (TRI_CHECKS) check_no_locks_held(where);
}
// The same, but for locks of this rank: kWait ones are let go of by what runs
// after the task has left its stack, on the same thread (sched/wait.h).
inline void assert_only_held(LockRank rank, const char* where) {
  if constexpr (TRI_CHECKS) check_only_held(rank, where);
}

#if TRI_SIM
// What belongs to the thread, for a machine whose threads are fibers.
void* held_locks_of_thread(size_t* bytes);
#endif

}  // namespace tricolor::base

#endif  // TRICOLOR_BASE_LOCK_H_
