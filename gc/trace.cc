// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// TRIDEBUG=gctrace=1: one line a cycle on stderr in the shape of Go's:
//
//   gc 7 @1.204s 3%: 0.012+4.310+0.009 ms clock, 0.40/2.81 ms cpu
//   (assist/worker), 4->5->2 MB, 5 MB goal, ttsp 0.004+0.003 ms, 2 P
//
// and " (forced)" for collect(). The clock fields are stop 1, concurrent mark
// and stop 2; ttsp is the part of the stops spent waiting for Ps.
#include "base/fatal.h"
#include "base/format.h"
#include "gc/collector_impl.h"
#include "heap/callback.h"

namespace tricolor::gc {

namespace {

/// Nanoseconds as milliseconds with three decimals (no %f below malloc).
struct Ms {
  explicit Ms(uint64_t ns) {
    uint64_t us = ns / 1000;
    base::format_buffer(text, sizeof(text), "%llu.%c%c%c",
                        static_cast<unsigned long long>(us / 1000),
                        static_cast<int>('0' + us / 100 % 10),
                        static_cast<int>('0' + us / 10 % 10),
                        static_cast<int>('0' + us % 10));
  }
  char text[32];
};

unsigned long long mb(uint64_t bytes) { return (bytes + (1 << 19)) >> 20; }

}  // namespace

void CollectorImpl::emit(ProcGc* p, uint64_t stop_ns, uint64_t ttsp_ns) {
  if (options.on_gc_event == nullptr) return;
  GcEvent e{};
  e.cycle = cycle_.load_relaxed();
  e.phase = phase();
  e.time_ns = now();
  e.stop_ns = stop_ns;
  e.ttsp_ns = ttsp_ns;
  if (e.phase != Phase::kMark) {
    e.worker_ns = record.worker_ns;
    e.assist_ns = record.assist_ns;
    e.marked_bytes = record.heap_marked;
  }
  e.heap_bytes = heap->live_bytes();
  e.goal_bytes = pacer.goal();
  e.forced = record.forced;
  heap::run_callback(
      p, "a GC listener",
      [&] {
        options.on_gc_event(*options.runtime, e, options.on_gc_event_ctx);
      },
      [] {});
}

void CollectorImpl::trace_cycle() {
  if (!options.gctrace) return;
  const CycleRecord& r = record;
  uint64_t since = now() - created_ns;
  uint64_t total = since * options.procs;
  uint64_t percent = total == 0 ? 0 : totals.gc_ns.load_relaxed() * 100 / total;
  Ms stop1(r.stop1_ns), mark(r.mark_end_ns - r.mark_start_ns),
      stop2(r.stop2_ns);
  Ms assist_ms(r.assist_ns), worker_ms(r.worker_ns);
  Ms ttsp1(r.ttsp1_ns), ttsp2(r.ttsp2_ns), at(since / 1000);
  bool no_goal = r.goal == UINT64_MAX;
  base::FatalSink out(2);
  char line[400];
  base::format_buffer(
      line, sizeof(line),
      "gc %u @%ss %llu%%: %s+%s+%s ms clock, %s/%s ms cpu (assist/worker), "
      "%llu->%llu->%llu MB, %llu MB goal, ttsp %s+%s ms, %u P%s\n",
      cycle_.load_relaxed(), at.text, static_cast<unsigned long long>(percent),
      stop1.text, mark.text, stop2.text, assist_ms.text, worker_ms.text,
      mb(r.heap_start), mb(r.heap_end), mb(r.heap_marked),
      no_goal ? 0ULL : mb(r.goal), ttsp1.text, ttsp2.text, options.procs,
      r.forced ? " (forced)" : "");
  out.print("%s", line);
}

}  // namespace tricolor::gc
