// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// TRIDEBUG=gcpacertrace=1: one line a cycle on stderr, when its mark is over,
// with what the pacer planned and what came of it:
//
//   pacer 7: assist ratio=2.13 (scan 4 MB in 6->8 MB), 26% CPU (25 exp.) for
//   4194304+2048+512 B work (4100000 B exp.) in 7340032 B -> 8388608 B (goal
//   8400000, hard 9240000, overshoot -0.1%), live 4194304 B, runway 0.251 B/B
//
// docs/tuning.md explains it. Called by the holder of advancing_.
#include "base/fatal.h"
#include "base/format.h"
#include "gc/collector_impl.h"

namespace tricolor::gc {

namespace {

/// A fraction in decimal (no %f below malloc).
struct Fixed {
  Fixed(double x, int digits) {
    long long scale = 1;
    for (int i = 0; i < digits; ++i) scale *= 10;
    const bool negative = x < 0;
    const double most = 9e15;
    const double scaled = (negative ? -x : x) * static_cast<double>(scale);
    const double halves = (scaled < most ? scaled : most) * 2;
    const long long n = (static_cast<long long>(halves) + 1) / 2;
    size_t at = sizeof(text);
    text[--at] = '\0';
    long long rest = n;
    for (int i = 0; i < digits || i == 0 || rest != 0; ++i) {
      text[--at] = static_cast<char>('0' + rest % 10);
      rest /= 10;
      if (i + 1 == digits) {
        text[--at] = '.';
        if (rest == 0) text[--at] = '0';
      }
    }
    if (negative && n != 0) text[--at] = '-';
    first = at;
  }
  const char* str() const { return text + first; }
  char text[32];
  size_t first;
};

unsigned long long ull(uint64_t n) { return n; }
unsigned long long mb(uint64_t bytes) { return (bytes + (1 << 19)) >> 20; }

}  // namespace

void CollectorImpl::trace_pacer() {
  if (!options.gcpacertrace) return;
  const CycleRecord& r = record;
  const CycleWork& w = r.work;
  const uint64_t from = r.heap_start + r.external_before;
  const uint64_t to = r.heap_end + r.external_before + w.external;
  const bool no_goal = r.goal == UINT64_MAX;
  const uint64_t goal = no_goal ? 0 : r.goal;
  const uint64_t spent = w.worker_ns + w.assist_ns;
  const double over =
      no_goal ? 0
              : (static_cast<double>(to) - static_cast<double>(goal)) * 100 /
                    static_cast<double>(goal == 0 ? 1 : goal);
  char line[512];
  base::format_buffer(
      line, sizeof(line),
      "pacer %u: assist ratio=%s (scan %llu MB in %llu->%llu MB), %llu%% CPU "
      "(%u exp.) for %llu+%llu+%llu B work (%llu B exp.) in %llu B -> %llu B "
      "(trigger %llu, goal %llu, overshoot %s%%), live %llu B, runway %s "
      "B/B%s\n",
      cycle_.load_relaxed(), Fixed(r.first_ratio, 2).str(), mb(r.expected_work),
      mb(from), mb(goal), ull(w.cpu_ns == 0 ? 0 : spent * 100 / w.cpu_ns),
      options.worker_percent, ull(w.scanned), ull(w.stacks), ull(w.roots),
      ull(r.expected_work), ull(from), ull(to),
      ull(r.trigger == UINT64_MAX ? 0 : r.trigger), ull(goal),
      Fixed(over, 1).str(), ull(r.heap_marked),
      Fixed(pacer.runway_rate(), 3).str(), r.forced ? " (forced)" : "");
  base::FatalSink(2).print("%s", line);
}

}  // namespace tricolor::gc
