// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// LayoutSpec::deferred: cells whose trace function wants the tasks stopped. A
// marker that meets one marks it and lists it. When all else is marked the
// world stops, some of them are traced, it starts again, and what they have
// reported is marked beside the tasks; until none is left. So the stops are
// short and many rather than one that grows with the heap; between two the
// tasks have four times as long.
//
// The argument of docs/design/0011-barrier.md holds: such a cell is one that is
// scanned late. What was taken out of it meanwhile has been shaded by who took
// it, as the public header asks.
#include "base/check.h"
#include "gc/collector_impl.h"

namespace tricolor::gc {

namespace {
constexpr uint64_t kStopNs = 100 * 1000;
constexpr uint64_t kRestFactor = 4;
}  // namespace

bool CollectorImpl::trace_deferred(ProcGc* p) {
  if (now() < weak.next_deferred_ns) return false;
  StopTimes stop{};
  if (!world.try_stop(world.ctx, p, &stop)) return false;
  const uint64_t until = stop.stopped_ns + kStopNs;
  do {
    void* cell = weak.deferred.take();
    if (cell == nullptr) break;
    p->worker.trace_deferred_stw(cell);
  } while (now() < until);
  p->worker.mark_edges();
  const uint64_t end = world.start(world.ctx, p);
  const uint64_t pause = note_stop(stop, end);
  record.stop2_ns += pause;
  record.ttsp2_ns += stop.stopped_ns - stop.requested_ns;
  weak.next_deferred_ns = end + kRestFactor * (end - stop.stopped_ns);
  return true;
}

}  // namespace tricolor::gc
