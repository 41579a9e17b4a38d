// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// TRIDEBUG=gctrace=1: one line a cycle on stderr in the shape of Go's, so that
// what reads the one reads the other, with the waits for Ps after it:
//
//   gc 7 @1.204s 3%: 0.012+4.310+0.009 ms clock, 0.024+0.400/2.010/0.800+0.018
//   ms cpu, 4->5->2 MB, 5 MB goal, 0 MB stacks, 0 MB globals, 2 P, ttsp
//   0.004+0.003 ms (forced)
//
// docs/tuning.md tells of each number.
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
  const uint64_t since = r.end_ns - created_ns;
  const uint64_t total = available_ns();
  const uint64_t percent =
      total == 0 ? 0 : totals.gc_ns.load_relaxed() * 100 / total;
  // Idle Ps are counted as they come to rest, so a little late.
  const uint64_t idle = r.idle_ns < r.worker_ns ? r.idle_ns : r.worker_ns;
  const Ms stop1(r.stop1_ns), stop2(r.stop2_ns);
  const Ms mark(r.mark_end_ns - r.mark_start_ns);
  const Ms cpu1(r.stop1_ns * procs()), cpu2(r.stop2_ns * procs());
  const Ms assists(r.assist_ns), workers(r.worker_ns - idle), idles(idle);
  const Ms ttsp1(r.ttsp1_ns), ttsp2(r.ttsp2_ns), at(since / 1000);
  const Ms callbacks(r.callbacks_ns);
  const bool no_goal = r.goal == UINT64_MAX;
  base::FatalSink out(2);
  char line[400];
  base::format_buffer(
      line, sizeof(line),
      "gc %u @%ss %llu%%: %s+%s+%s ms clock, %s+%s/%s/%s+%s ms cpu, "
      "%llu->%llu->%llu MB, %llu MB goal, %llu MB stacks, %llu MB globals, "
      "%u P, ttsp %s+%s ms%s%s%s%s\n",
      cycle_.load_relaxed(), at.text, static_cast<unsigned long long>(percent),
      stop1.text, mark.text, stop2.text, cpu1.text, assists.text, workers.text,
      idles.text, cpu2.text, mb(r.heap_start), mb(r.heap_end),
      mb(r.heap_marked), no_goal ? 0ULL : mb(r.goal), mb(r.work.stacks),
      mb(r.work.roots), procs(), ttsp1.text, ttsp2.text,
      r.callbacks_ns != 0 ? ", root callbacks " : "",
      r.callbacks_ns != 0 ? callbacks.text : "",
      r.callbacks_ns != 0 ? " ms" : "", r.forced ? " (forced)" : "");
  out.print("%s", line);
}

}  // namespace tricolor::gc
