// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// The modes of the workload sched that time one operation: yield (A yields of
// each of two tasks), spawn (A batches of 1,000 empty tasks), coro (A resumes
// and as many yields).
#include "sched_modes.h"

namespace {

using tricolor::Coroutine;
using tricolor::Mutator;
using tricolor::Task;

uint64_t yield_times(Mutator& mu, uint64_t times) {
  for (uint64_t i = 0; i < times; ++i) tricolor::yield(mu);
  return times;
}

constexpr uint64_t kBatch = 1000;

/// Spawns and joins so many batches; returns how many tasks that were.
uint64_t spawn_batches(Mutator& mu, uint64_t batches) {
  std::vector<Task<void>> tasks(kBatch);
  uint64_t ended = 0;
  for (uint64_t batch = 0; batch < batches; ++batch) {
    for (auto& task : tasks) {
      task = tricolor::spawn(mu, [](Mutator&) {});
    }
    for (auto& task : tasks) {
      tricolor::join(mu, task);
      ++ended;
    }
  }
  return ended;
}

/// Yields after every step of *user, for as long as it is resumed.
void* count_up(Mutator& mu, Coroutine*, void*, void* user) {
  auto* value = static_cast<uint64_t*>(user);
  for (;;) {
    ++*value;
    Coroutine::yield(mu, nullptr);
  }
}

}  // namespace

namespace bench {

void run_yield(const SchedArguments& args) {
  in_runtime(args.procs, [&](Mutator& mu) {
    const uint64_t begin = now_ns();
    auto one = tricolor::spawn(mu, &yield_times, args.a);
    auto two = tricolor::spawn(mu, &yield_times, args.a);
    const uint64_t yields = tricolor::join(mu, one) + tricolor::join(mu, two);
    const uint64_t ns = now_ns() - begin;
    print_checksum("yield", args, yields);
    print_metric("yield_ns", per_operation(ns, yields));
  });
}

void run_spawn(const SchedArguments& args) {
  in_runtime(args.procs, [&](Mutator& mu) {
    spawn_batches(mu, 1);  // so that there are stacks to use again
    const uint64_t begin = now_ns();
    const uint64_t tasks = spawn_batches(mu, args.a);
    const uint64_t ns = now_ns() - begin;
    print_checksum("spawn", args, tasks);
    print_metric("spawn_ns", per_operation(ns, tasks));
  });
}

void run_coro(const SchedArguments& args) {
  in_runtime(args.procs, [&](Mutator& mu) {
    tricolor::Scope<1> scope(mu);
    uint64_t value = 0;
    uint64_t sum = 0;
    tricolor::Local<Coroutine> co(
        scope, Coroutine::create(mu, &count_up, nullptr, &value));
    Coroutine::resume(mu, co, nullptr);  // gives it its stack
    const uint64_t begin = now_ns();
    for (uint64_t i = 0; i < args.a; ++i) {
      Coroutine::resume(mu, co, nullptr);
      sum += value;
    }
    const uint64_t ns = now_ns() - begin;
    print_checksum("coro", args, sum);
    print_metric("coro_ns", per_operation(ns, 2 * args.a));
  });
}

}  // namespace bench
