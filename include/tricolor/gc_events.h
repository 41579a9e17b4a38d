// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// A listener to the collector: one call for each phase of each cycle, for
// profilers, metrics and tests. Set in Options::on_gc_event.
#ifndef TRICOLOR_GC_EVENTS_H_
#define TRICOLOR_GC_EVENTS_H_

#include <cstdint>

namespace tricolor {

/// In the order of a cycle; each cycle has each once.
enum class GcPhase : uint32_t {
  kIdle = 0,    ///< the sweep is over
  kMark = 1,    ///< after the first stop
  kSettle = 2,  ///< after the second; weak references are being cleared
  kFlush = 3,   ///< Ps are asked to give their spans back
  kSweep = 4,
};

struct GcEvent {
  uint32_t cycle;         ///< from 1
  GcPhase phase;          ///< has just begun
  uint64_t time_ns;       ///< monotonic clock
  uint64_t stop_ns;       ///< the stops of the phase before, TTSP included
  uint64_t ttsp_ns;       ///< of these, waiting for the last P to stop
  uint64_t worker_ns;     ///< of the mark, by workers; from kSettle on
  uint64_t assist_ns;     ///< of the mark, by allocating tasks; from kSettle on
  uint64_t heap_bytes;    ///< allocated and not yet swept
  uint64_t goal_bytes;    ///< UINT64_MAX: none
  uint64_t marked_bytes;  ///< that live; from kSettle on
  bool forced;            ///< asked for by name
};

/// Called by whichever thread moved the collector on, in the order of the
/// phases, never two at once; the world runs meanwhile, but the cycle does not
/// go on until it returns. `event` is gone then. It must not allocate from this
/// runtime, suspend, throw, or call it (stats() is fine).
using GcListener = void (*)(class Runtime& rt, const GcEvent& event, void* ctx);

}  // namespace tricolor

#endif  // TRICOLOR_GC_EVENTS_H_
