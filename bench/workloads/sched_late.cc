// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// The modes of the workload sched that wait: late (A tasks that sleep 1 ms at a
// time for B ms, beside a hog for each P and beside nothing), idle (CPU time of
// A ms in which nothing happens).
#include "sched_modes.h"

namespace {

using tricolor::Mutator;
using tricolor::Plain;
using tricolor::Task;

constexpr uint64_t kSleepNs = 1'000'000;

/// Sleeps until `end_ns`; notes how late it was woken each time.
void sleep_until_end(Mutator& mu, Plain<std::vector<double>> late_us,
                     uint64_t end_ns) {
  uint64_t now = bench::now_ns();
  do {
    const uint64_t due = now + kSleepNs;
    tricolor::sleep_ns(mu, kSleepNs);
    now = bench::now_ns();
    late_us.p->push_back((static_cast<double>(now) - static_cast<double>(due)) /
                         1e3);
  } while (now < end_ns);
}

/// The 99th percentile of all wake-ups, in microseconds.
double late_p99_us(Mutator& mu, const bench::SchedArguments& args,
                   uint32_t hogs) {
  std::vector<std::vector<double>> late_us(args.a);
  std::vector<Task<void>> sleepers;
  std::vector<Task<uint64_t>> beside;
  const uint64_t end_ns = bench::now_ns() + args.b * 1'000'000;
  for (auto& each : late_us) {
    each.reserve(args.b + 1);
    sleepers.push_back(
        tricolor::spawn(mu, &sleep_until_end, tricolor::plain(&each), end_ns));
  }
  for (uint32_t i = 0; i < hogs; ++i) {
    beside.push_back(tricolor::spawn(mu, &bench::hog_until, end_ns));
  }
  std::vector<double> all;
  for (size_t i = 0; i < sleepers.size(); ++i) {
    tricolor::join(mu, sleepers[i]);
    all.insert(all.end(), late_us[i].begin(), late_us[i].end());
  }
  for (auto& hog : beside) tricolor::join(mu, hog);
  std::sort(all.begin(), all.end());
  return all[all.size() * 99 / 100];
}

uint64_t sleep_a_little(Mutator& mu) {
  tricolor::sleep_ns(mu, kSleepNs);
  return 1;
}

}  // namespace

namespace bench {

void run_late(const SchedArguments& args) {
  in_runtime(args.procs, [&](Mutator& mu) {
    const double idle = late_p99_us(mu, args, 0);
    const double busy = late_p99_us(mu, args, args.procs);
    print_checksum("late", args, 0);
    print_metric("late_idle_p99_us", idle);
    print_metric("late_busy_p99_us", busy);
  });
}

void run_idle(const SchedArguments& args) {
  in_runtime(args.procs, [&](Mutator& mu) {
    std::vector<Task<uint64_t>> tasks(1000);
    uint64_t ended = 0;
    for (auto& task : tasks) task = tricolor::spawn(mu, &sleep_a_little);
    for (auto& task : tasks) ended += tricolor::join(mu, task);
    const double begin = cpu_ms();
    tricolor::sleep_ns(mu, args.a * 1'000'000);
    const double ms = cpu_ms() - begin;
    print_checksum("idle", args, ended);
    print_metric("idle_cpu_ms", ms * 30'000 / static_cast<double>(args.a));
  });
}

}  // namespace bench
