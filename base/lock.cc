// SPDX-License-Identifier: MIT
// Copyright tricolor authors
//
// The slow halves of Mutex, and the list of held locks per thread that makes
// the order of base/lock_rank.def binding in checking builds.
//
// The held list belongs to the thread, not to the task: no Mutex is held over
// a suspension (assert_no_locks_held), so a task never finds another thread's
// list. The functions that touch it are not inlined, so its TLS address is
// never kept over a switch.
#include "base/lock.h"

#include "base/futex.h"

namespace tricolor::base {
namespace {

// Long enough for a section of a few hundred nanoseconds to end, shorter than
// a sleep and a wake.
constexpr int kSpins = 40;

// A select holds the locks of all its channels.
constexpr uint32_t kHeldMax = TRI_CHECKS ? 272 : 1;

struct HeldLocks {
  const Mutex* locks[kHeldMax];
  uint32_t count;
};

constinit thread_local HeldLocks t_held = {};

bool are_ordered_by_address(LockRank rank) {
  return rank == LockRank::kWait || rank == LockRank::kTimers;
}

}  // namespace

#if TRI_SIM
void* held_locks_of_thread(size_t* bytes) {
  *bytes = sizeof(t_held);
  return &t_held;
}
#endif

const char* lock_rank_name(LockRank rank) {
  switch (rank) {
#define TRI_LOCK_RANK(name, rank, what) \
  case LockRank::name:                  \
    return #name;
#include "base/lock_rank.def"
#undef TRI_LOCK_RANK
  }
  return "?";
}

void Mutex::lock_slow() {
  for (int i = 0; i < kSpins; i++) {
    // Relaxed: a hint; the exchange below orders.
    uint32_t seen = state_.load_relaxed();
    // ORDER-lock-1: as in lock().
    if (seen == kFree && state_.compare_exchange_weak_acquire(seen, kHeld))
      return;
    if (seen == kContended) break;  // others sleep already: queue up
    cpu_relax();
  }
  // ORDER-lock-1: as in lock(). Taking it as kContended may cost its holder
  // one needless wake, and never loses one.
  while (state_.exchange_acquire(kContended) != kFree) {
    futex_wait(&state_, kContended, -1);
  }
}

void Mutex::unlock_slow() { futex_wake(&state_, 1); }

TRI_NOINLINE void Mutex::note_acquire(bool check_order) {
  HeldLocks& held = t_held;
  for (uint32_t i = 0; i < held.count && check_order; i++) {
    const Mutex* other = held.locks[i];
    if (other == this) TRI_FATAL("lock %s taken twice", rank_name());
    if (other->rank_ == rank_ && are_ordered_by_address(rank_) &&
        other < this) {
      continue;
    }
    if (other->rank_ >= rank_) {
      TRI_FATAL("lock order: %s (%u) taken while %s (%u) is held", rank_name(),
                static_cast<unsigned>(rank_), other->rank_name(),
                static_cast<unsigned>(other->rank_));
    }
  }
  TRI_CHECK(held.count < kHeldMax, "too many locks held");
  held.locks[held.count++] = this;
}

TRI_NOINLINE void Mutex::note_release() {
  HeldLocks& held = t_held;
  for (uint32_t i = held.count; i-- > 0;) {
    if (held.locks[i] != this) continue;
    for (held.count--; i < held.count; i++) held.locks[i] = held.locks[i + 1];
    return;
  }
  TRI_FATAL("unlock of %s, which this thread does not hold", rank_name());
}

TRI_NOINLINE void Mutex::check_held_by_this_thread() const {
  const HeldLocks& held = t_held;
  for (uint32_t i = 0; i < held.count; i++) {
    if (held.locks[i] == this) return;
  }
  TRI_FATAL("%s is locked, but not by this thread", rank_name());
}

TRI_NOINLINE void check_no_locks_held(const char* where) {
  if (t_held.count == 0) return;
  TRI_FATAL("%s with lock %s held", where,
            lock_rank_name(t_held.locks[t_held.count - 1]->rank()));
}

TRI_NOINLINE void check_only_held(LockRank rank, const char* where) {
  for (uint32_t i = 0; i < t_held.count; i++) {
    const LockRank held = t_held.locks[i]->rank();
    if (held != rank) {
      TRI_FATAL("%s with lock %s held", where, lock_rank_name(held));
    }
  }
}

}  // namespace tricolor::base
