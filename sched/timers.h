// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Timers: what is to be done at a time, in a 4-ary heap for each P. Fired by
// find_work on the heap's own P, by Ms with nothing else to do (any heap), by
// the M that sleeps until the next one, and, when all are busy, by sysmon.
//
// Every timer knows its place in its heap, so that disarming takes it out at
// once: there are no dead entries to sweep up later, and a wait that ends
// before its deadline leaves nothing behind (docs/design/0017-waiting.md has
// the numbers against marking it dead).
//
// Invariants
// 1. entry(i).when <= entry(4i+1 .. 4i+4).when; ties in no order.
// 2. entry(i).timer->index == i, entry(i).timer->heap == this.
// 3. next_ns == entry(0).when_ns, or kNever: written under the lock.
//
// Threads: any. The lock (rank kTimers) guards the entries and, of the timers
// in them, `index` and `arg`. `heap` is read without it, to know what to lock.
#ifndef TRICOLOR_SCHED_TIMERS_H_
#define TRICOLOR_SCHED_TIMERS_H_

#include <cstddef>
#include <cstdint>

#include "base/atomics.h"
#include "base/lock.h"

namespace tricolor {
struct RuntimeImpl;
}

namespace tricolor::sched {

struct P;
class TimerHeap;

struct Timer {
  /// Called without the lock, on any thread; `p` is the caller's, may be null.
  using Fire = void (*)(RuntimeImpl* rt, P* p, Timer* timer, uint64_t arg);

  Fire fire = nullptr;  // constant
  base::Atomic<TimerHeap*> heap{nullptr};
  uint64_t arg = 0;
  uint32_t index = 0;
  /// How often it is in a batch that is being fired. For timers that are not
  /// type-stable, whose owner has to wait for that (`tracked`, constant).
  base::Atomic<uint32_t> firing{0};
  bool tracked = false;
};

/// A timer taken out because it was due.
struct DueTimer {
  Timer* timer;
  Timer::Fire fire;
  uint64_t arg;
};

class TimerHeap {
 public:
  enum class Armed : uint8_t { kNoMemory, kLater, kEarliest };

  ~TimerHeap() { release(); }
  /// Forgets all and gives the memory back.
  void release();

  /// `timer` is in no heap. kEarliest: it is the first of this heap now.
  Armed arm(Timer* timer, uint64_t when_ns, uint64_t arg);
  /// Takes the timer out of the heap it is in. False: it was in none, or has
  /// been taken to be fired.
  static bool disarm(Timer* timer);
  /// Removes up to `max` timers due at now_ns; returns how many. A tracked one
  /// is the last of them.
  size_t take_due(uint64_t now_ns, size_t max, DueTimer* out);
  /// Moves all timers of `from` here; false, with nothing changed: no memory.
  bool take_all(TimerHeap* from);

  /// The earliest deadline, kNever if there is none. Seq_cst: see sleep.cc.
  uint64_t next_ns() const { return next_ns_.load_seq_cst(); }
  size_t size();
  bool is_valid();

 private:
  struct Entry {
    uint64_t when_ns;
    Timer* timer;
  };
  // The four children of an entry share a cache line: the first lies at its
  // start.
  static constexpr size_t kPad = 3;
  static constexpr size_t kFirstEntries = 253;
  static constexpr size_t kKeepEntries = 4096;

  Entry& entry(size_t i) TRI_REQUIRES(lock_) { return entries_[kPad + i]; }
  void put_locked(size_t i, Entry e) TRI_REQUIRES(lock_);
  bool grow_locked(size_t room) TRI_REQUIRES(lock_);
  void forget_locked() TRI_REQUIRES(lock_);
  void release_locked() TRI_REQUIRES(lock_);
  void push_locked(Entry e) TRI_REQUIRES(lock_);
  void remove_locked(size_t i) TRI_REQUIRES(lock_);
  void sift_up_locked(size_t i, Entry e) TRI_REQUIRES(lock_);
  void sift_down_locked(size_t i, Entry e) TRI_REQUIRES(lock_);
  void publish_locked() TRI_REQUIRES(lock_);

  base::Mutex lock_{base::LockRank::kTimers};
  Entry* entries_ TRI_GUARDED_BY(lock_) = nullptr;
  size_t size_ TRI_GUARDED_BY(lock_) = 0;
  size_t capacity_ TRI_GUARDED_BY(lock_) = 0;
  base::Atomic<uint64_t> next_ns_{~uint64_t{0}};
};

}  // namespace tricolor::sched

#endif  // TRICOLOR_SCHED_TIMERS_H_
