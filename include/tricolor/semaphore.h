// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Semaphore, WaitGroup and Once for tasks, attached threads and plain threads
// together. Objects as those of tricolor/mutex.h; the forms with a Mutator are
// for tasks and attached threads in managed code, the others for all other
// threads. Those without a deadline are not ended by a cancellation. release()
// and done() never wait and may be called from anywhere.
#ifndef TRICOLOR_SEMAPHORE_H_
#define TRICOLOR_SEMAPHORE_H_

#include <cstdint>

#include "tricolor/detail/mutator.h"
#include "tricolor/wait.h"

namespace tricolor {

/// A count of permits. First come, first served: who wants many is not passed
/// by those who want few.
class Semaphore {
 public:
  constexpr explicit Semaphore(uint64_t permits = 0) : permits_(permits) {}
  Semaphore(const Semaphore&) = delete;
  Semaphore& operator=(const Semaphore&) = delete;

  void acquire(Mutator& mu, uint64_t n = 1) {
    acquire_any(&mu, n, Deadline(), true);
  }
  void acquire(uint64_t n = 1) { acquire_any(nullptr, n, Deadline(), true); }
  /// kOk; or kTimeout or kCancelled, and no permit has been taken.
  [[nodiscard]] WaitResult acquire(Mutator& mu, uint64_t n, Deadline d) {
    return acquire_any(&mu, n, d, false);
  }
  [[nodiscard]] WaitResult acquire(uint64_t n, Deadline d) {
    return acquire_any(nullptr, n, d, true);
  }
  bool try_acquire(uint64_t n = 1);
  void release(Mutator& mu, uint64_t n = 1) { release_any(mu.p, n); }
  void release(uint64_t n = 1) { release_any(nullptr, n); }

 private:
  WaitResult acquire_any(Mutator* mu, uint64_t n, Deadline d, bool shielded);
  void release_any(void* p, uint64_t n);

  uint64_t permits_;  // guarded by the queue's lock
  detail::WaitQueueRep queue_;
};

/// Waits until as many have said done() as were added. Ends the process with a
/// message when more do.
class WaitGroup {
 public:
  constexpr WaitGroup() = default;
  WaitGroup(const WaitGroup&) = delete;
  WaitGroup& operator=(const WaitGroup&) = delete;

  void add(uint64_t n = 1);
  void done(Mutator& mu) { done_any(mu.p); }
  void done() { done_any(nullptr); }
  void wait(Mutator& mu) { wait_any(&mu, Deadline(), true); }
  void wait() { wait_any(nullptr, Deadline(), true); }
  /// kOk, kTimeout or kCancelled.
  [[nodiscard]] WaitResult wait(Mutator& mu, Deadline d) {
    return wait_any(&mu, d, false);
  }
  [[nodiscard]] WaitResult wait(Deadline d) {
    return wait_any(nullptr, d, true);
  }

 private:
  void done_any(void* p);
  WaitResult wait_any(Mutator* mu, Deadline d, bool shielded);

  uint64_t count_ = 0;
  detail::WaitQueueRep queue_;
};

/// Calls a function once, however many ask; all return when it has returned.
class Once {
 public:
  constexpr Once() = default;
  Once(const Once&) = delete;
  Once& operator=(const Once&) = delete;

  /// f may suspend, but not call it again: that is a misuse. If it throws, the
  /// next one tries again.
  template <class F>
  void call(Mutator& mu, F&& f) {
    if (TRI_DETAIL_UNLIKELY(!is_done()) && begin(&mu)) run(&mu, f);
  }
  template <class F>
  void call(F&& f) {
    if (!is_done() && begin(nullptr)) run(nullptr, f);
  }
  bool is_done() const {
    TRI_DETAIL_STEP();
    return __atomic_load_n(&state_, __ATOMIC_ACQUIRE) == kDone;
  }

 private:
  enum : uint32_t { kNew, kRunning, kDone };

  // Says so, whichever way f is left.
  struct End {
    Once* once;
    Mutator* mu;
    bool returned = false;
    ~End() { once->end(mu == nullptr ? nullptr : mu->p, returned); }
  };
  template <class F>
  void run(Mutator* mu, F&& f) {
    End end{this, mu};
    f();
    end.returned = true;
  }
  bool begin(Mutator* mu);
  void end(void* p, bool returned);

  uint32_t state_ = kNew;
  const void* runner_ = nullptr;  // guarded by the queue
  detail::WaitQueueRep queue_;
};

}  // namespace tricolor

#endif  // TRICOLOR_SEMAPHORE_H_
