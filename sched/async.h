// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Asynchronous preemption (tricolor/preemptible.h): the ranges of a runtime,
// the signal, and what the injected call does.
//
//   sender: sysmon, a stop              thread of the M
//   1. request bits, poll_request
//   2. M::signal open -> pending        handler: pending -> open;
//   3. tgkill                           a request, a range, no callback:
//                                       inject_call(on_injected)
//
// One signal is under way to an M at a time, and an M that leaves its thread
// waits for it (close_signals), so none ever goes to a thread that has ended or
// serves another runtime. A signal that finds nothing to do is legal: the
// request stands, and the next poll, or signal, does it.
//
// Threads: as said at each.
#ifndef TRICOLOR_SCHED_ASYNC_H_
#define TRICOLOR_SCHED_ASYNC_H_

#include <cstdint>

#include "base/atomics.h"
#include "base/lock.h"
#include "sched/m.h"
#include "tricolor/preemptible.h"

namespace tricolor::sched {

enum SignalState : uint32_t {
  kSignalsClosed = 0,  ///< the M serves no thread that may be sent one
  kSignalsOpen = 1,
  kSignalPending = 2,
};

struct CodeRanges {
  struct Range {
    /// Written last, and first to 0 when it goes: an empty range.
    base::Atomic<uintptr_t> hi{0};
    base::Atomic<uintptr_t> lo{0};
    base::Atomic<CodeKind> kind{CodeKind::kCompiled};
  };

  base::Mutex lock{base::LockRank::kAllGs};
  /// Places used so far. The handler reads up to it.
  base::Atomic<uint32_t> count{0};
  base::Atomic<bool> has_handler{false};
  Range ranges[kMaxPreemptibleRanges];

  /// Any thread, also in a signal handler. Null: in none.
  const Range* find(uintptr_t pc) const;
};

/// The calling thread, whose innermost M is `m`, may be sent signals from now
/// on; and no more.
void open_signals(M* m);
void close_signals(M* m);

/// The G on `p` has been asked for something: a signal makes it hear that.
/// Nothing where no range is registered. Any thread.
void signal_p(P* p);

/// The runtime is destroyed, and no thread of it left.
void drop_signal_handler(RuntimeImpl* rt);

}  // namespace tricolor::sched

#endif  // TRICOLOR_SCHED_ASYNC_H_
