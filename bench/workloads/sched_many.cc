// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// The modes of the workload sched with many tasks at once: skynet (A leaves),
// sleepers (A tasks that sleep B ns), parked (A tasks that park once).
#include "sched_modes.h"

namespace {

using tricolor::Mutator;
using tricolor::ParkedTask;
using tricolor::Plain;
using tricolor::Task;

constexpr uint64_t kFan = 10;

/// The sum of the leaves' numbers. A task's result is how it reports here: join
/// has it, and there is no channel to make.
uint64_t skynet(Mutator& mu, uint64_t first, uint64_t leaves) {
  if (leaves == 1) return first;
  Task<uint64_t> children[kFan];
  for (uint64_t i = 0; i < kFan; ++i) {
    children[i] =
        tricolor::spawn(mu, &skynet, first + i * leaves / kFan, leaves / kFan);
  }
  uint64_t sum = 0;
  for (auto& child : children) sum += tricolor::join(mu, child);
  return sum;
}

uint64_t sleep_once(Mutator& mu, uint64_t ns) {
  tricolor::sleep_ns(mu, ns);
  return 1;
}

struct Parked {
  ParkedTask* task;
  std::atomic<uint64_t>* count;
};

uint64_t park_once(Mutator& mu, Parked parked) {
  tricolor::park(
      mu,
      [](ParkedTask task, void* ctx) {
        // Copied: it lies on a stack that may go on as soon as it is counted.
        const Parked self = *static_cast<Parked*>(ctx);
        *self.task = task;
        self.count->fetch_add(1, std::memory_order_release);
        return true;
      },
      &parked);
  return 1;
}

struct Resident {
  double rss = static_cast<double>(bench::status_kib("VmRSS")) * 1024;
  double pte = static_cast<double>(bench::status_kib("VmPTE")) * 1024;
};

}  // namespace

namespace bench {

void run_skynet(const SchedArguments& args) {
  in_runtime(args.procs, [&](Mutator& mu) {
    const uint64_t begin = now_ns();
    auto root = tricolor::spawn(mu, &skynet, uint64_t{0}, args.a);
    const uint64_t sum = tricolor::join(mu, root);
    const uint64_t ns = now_ns() - begin;
    print_checksum("skynet", args, sum);
    print_metric("skynet_s", static_cast<double>(ns) / 1e9);
  });
}

void run_sleepers(const SchedArguments& args) {
  in_runtime(args.procs, [&](Mutator& mu) {
    std::vector<Task<uint64_t>> tasks(args.a);
    uint64_t ended = 0;
    const uint64_t begin = now_ns();
    for (auto& task : tasks) task = tricolor::spawn(mu, &sleep_once, args.b);
    for (auto& task : tasks) ended += tricolor::join(mu, task);
    const uint64_t ns = now_ns() - begin;
    print_checksum("sleepers", args, ended);
    print_metric("sleepers_s", static_cast<double>(ns) / 1e9);
  });
}

void run_parked(const SchedArguments& args) {
  in_runtime(args.procs, [&](Mutator& mu) {
    std::vector<Task<uint64_t>> tasks(args.a);
    std::vector<ParkedTask> parked(args.a, ParkedTask{&tasks});
    std::atomic<uint64_t> asleep{0};
    uint64_t ended = 0;
    const Resident before;
    const uint64_t begin = now_ns();
    for (uint64_t i = 0; i < args.a; ++i) {
      tasks[i] = tricolor::spawn(mu, &park_once, Parked{&parked[i], &asleep});
    }
    while (asleep.load(std::memory_order_acquire) < args.a) {
      tricolor::sleep_ns(mu, 1'000'000);
    }
    const uint64_t looks = now_ns();
    const Resident after;
    const uint64_t looked = now_ns();
    for (ParkedTask task : parked) tricolor::ready(mu, task);
    for (auto& task : tasks) ended += tricolor::join(mu, task);
    const uint64_t ns = (looks - begin) + (now_ns() - looked);
    const auto count = static_cast<double>(args.a);
    print_checksum("parked", args, ended);
    print_metric("parked_bytes", (after.rss - before.rss) / count);
    print_metric("parked_pte_bytes", (after.pte - before.pte) / count);
    print_metric("parked_s", static_cast<double>(ns) / 1e9);
  });
}

}  // namespace bench
