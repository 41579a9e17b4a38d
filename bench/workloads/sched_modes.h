// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// What the parts of the workload sched share: each mode is a function that is
// given its arguments, makes a runtime of so many Ps, and prints a checksum and
// its metrics. sched.cc has the table of them; the peers' twins are in
// bench/peers/sched, and bench/README.md has the definitions.
#ifndef TRICOLOR_BENCH_WORKLOADS_SCHED_MODES_H_
#define TRICOLOR_BENCH_WORKLOADS_SCHED_MODES_H_

#include <time.h>

#include <cstdint>
#include <utility>

#include "measure.h"

namespace bench {

struct SchedArguments {
  uint32_t procs;
  uint64_t a;
  uint64_t b;
};

// sched_switch.cc
void run_yield(const SchedArguments& args);
void run_spawn(const SchedArguments& args);
void run_coro(const SchedArguments& args);
// sched_many.cc
void run_skynet(const SchedArguments& args);
void run_sleepers(const SchedArguments& args);
void run_parked(const SchedArguments& args);
// sched_chan.cc
void run_chan(const SchedArguments& args);
void run_skynet_chan(const SchedArguments& args);
void run_hog_chan(const SchedArguments& args);
void run_timers(const SchedArguments& args);
// sched_fair.cc
void run_scale(const SchedArguments& args);
void run_hog(const SchedArguments& args);
void run_ready(const SchedArguments& args);
void run_gc(const SchedArguments& args);
// sched_late.cc
void run_late(const SchedArguments& args);
void run_idle(const SchedArguments& args);

/// Runs main(mu) in a runtime of `procs` Ps.
template <class F>
void in_runtime(uint32_t procs, F&& main) {
  tricolor::Options options;
  options.max_procs = procs;
  create(options)->run(std::forward<F>(main));
}

/// CPU time of the process, all threads.
inline double cpu_ms() {
  timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) * 1e3 +
         static_cast<double>(t.tv_nsec) / 1e6;
}

/// A microsecond or so of arithmetic that no compiler may leave out.
inline uint64_t compute(uint64_t x) {
  for (int i = 0; i < 512; ++i) {
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
  }
  return x;
}

/// Computes until `end_ns`, at least once, and does nothing for others but to
/// poll. Returns how often.
inline uint64_t hog_until(tricolor::Mutator& mu, uint64_t end_ns) {
  uint64_t units = 0;
  uint64_t x = end_ns | 1;
  do {
    x = compute(x);
    tricolor::poll(mu);
    ++units;
  } while (now_ns() < end_ns);
  return units + (x == 0);
}

inline void print_metric(const char* name, double value) {
  std::printf("metric %s %.6g\n", name, value);
}

inline void print_checksum(const char* mode, const SchedArguments& args,
                           uint64_t sum) {
  std::printf("checksum sched %s %u %llu %llu: %llu\n", mode, args.procs,
              static_cast<unsigned long long>(args.a),
              static_cast<unsigned long long>(args.b),
              static_cast<unsigned long long>(sum));
}

inline double per_operation(uint64_t ns, uint64_t operations) {
  return static_cast<double>(ns) / static_cast<double>(operations);
}

}  // namespace bench

#endif  // TRICOLOR_BENCH_WORKLOADS_SCHED_MODES_H_
