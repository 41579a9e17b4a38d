// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Timer: calls a function at a time. Ticker: wakes a task at regular ones.
// send_at: a channel gets the time when it has come. Most programs want none of
// them but a Deadline on what they wait for.
#ifndef TRICOLOR_TIMER_H_
#define TRICOLOR_TIMER_H_

#include <cstdint>

#include "tricolor/channel.h"
#include "tricolor/runtime.h"
#include "tricolor/task.h"
#include "tricolor/wait.h"

namespace tricolor {

/// A plain C++ object; stopped by its end, which is not inside its function.
/// One that never fires costs a few tens of nanoseconds, however many there
/// are. They fire while the runtime has a thread to do it: a background one, or
/// one inside run() or step().
class Timer {
 public:
  /// On any thread of the runtime, outside of managed code, one call at a time:
  /// short, touches no cell, attaches nothing, waits for nothing. It may start
  /// or stop this timer and others (two functions must not stop each other's),
  /// cancel tasks, and use what says that it may be called from anywhere.
  using Function = void (*)(void* ctx);

  Timer(Runtime& rt, Function function, void* ctx);
  ~Timer();
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  /// Fires once, at `when` or a little later; not a second time if it was
  /// started before. Waits, blocking the thread, while the function runs
  /// elsewhere. Any thread, but one at a time.
  void start(Deadline when);
  /// The same from a task, and quicker: on its own P's heap.
  void start(Mutator& mu, Deadline when);
  /// True: it will not fire. False: it was not started, or has fired. The
  /// function does not run any more, unless it calls this itself.
  bool stop();

 private:
  friend struct TimerAccess;
  void start_on(void* p, Deadline when);
  alignas(8) unsigned char rep_[40];  // sched::Timer
  Runtime* rt_;
  Function function_;
  void* ctx_;
  const void* thread_ = nullptr;  ///< that is inside the function
  Deadline again_;                ///< that thread's: what the function started
};

/// Wakes at start + n * period. Owned by one task.
class Ticker {
 public:
  explicit Ticker(uint64_t period_ns)
      : period_ns_(period_ns == 0 ? 1 : period_ns), next_ns_(now_ns()) {}

  /// Waits for the next tick, if it has not come yet. Ticks that nobody waited
  /// for in time are skipped. kOk or kCancelled.
  WaitResult wait(Mutator& mu) {
    const uint64_t now = now_ns();
    const uint64_t gone = now > next_ns_ ? (now - next_ns_) / period_ns_ : 0;
    missed_ = gone;
    const uint64_t left = Deadline::kNever - next_ns_;
    next_ns_ += period_ns_ < left / (gone + 1) ? (gone + 1) * period_ns_ : left;
    return sleep_until(mu, Deadline::at(next_ns_));
  }
  /// How many were skipped before the last one.
  uint64_t missed() const { return missed_; }

 private:
  uint64_t period_ns_;
  uint64_t next_ns_;
  uint64_t missed_ = 0;
};

/// Sends the time (nanoseconds, as now_ns) to `ch`, if it has room then, when
/// `when` has come: for a select. The channel stays alive until then.
void send_at(Mutator& mu, Deadline when, Channel<uint64_t>* ch);

}  // namespace tricolor

#endif  // TRICOLOR_TIMER_H_
