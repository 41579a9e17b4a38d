// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// The scheduler: what a switch, a task, a coroutine and a timer cost, many
// tasks at once, and who gets how much of a P. One mode a process. argv: MODE
// PROCS A B | --smoke; sched_modes.h names the files of the modes,
// bench/README.md has the definitions and the output.
#include "sched_modes.h"

namespace {

struct Mode {
  const char* name;
  void (*run)(const bench::SchedArguments& args);
  bench::SchedArguments smoke;
};

constexpr Mode kModes[] = {
    {"yield", bench::run_yield, {1, 1000, 0}},
    {"spawn", bench::run_spawn, {1, 3, 0}},
    {"coro", bench::run_coro, {1, 1000, 0}},
    {"chan", bench::run_chan, {1, 1000, 0}},
    {"skynet", bench::run_skynet, {2, 1000, 0}},
    {"skynet_chan", bench::run_skynet_chan, {2, 1000, 0}},
    {"sleepers", bench::run_sleepers, {2, 100, 1'000'000}},
    {"parked", bench::run_parked, {1, 1000, 0}},
    {"timers", bench::run_timers, {1, 1000, 1000}},
    {"scale", bench::run_scale, {2, 10, 10}},
    {"hog", bench::run_hog, {1, 20, 0}},
    {"hog_chan", bench::run_hog_chan, {1, 20, 0}},
    {"ready", bench::run_ready, {1, 300, 20}},
    {"gc", bench::run_gc, {1, 20, 0}},
    {"late", bench::run_late, {2, 100, 20}},
    {"idle", bench::run_idle, {2, 100, 0}},
};

int usage(const char* program) {
  std::fprintf(stderr, "usage: %s MODE PROCS A B | --smoke; modes:", program);
  for (const Mode& mode : kModes) std::fprintf(stderr, " %s", mode.name);
  std::fputs("\n", stderr);
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2 && std::strcmp(argv[1], "--smoke") == 0) {
    for (const Mode& mode : kModes) mode.run(mode.smoke);
    return 0;
  }
  if (argc != 5) return usage(argv[0]);
  const bench::SchedArguments args{
      static_cast<uint32_t>(std::strtoul(argv[2], nullptr, 10)),
      std::strtoull(argv[3], nullptr, 10), std::strtoull(argv[4], nullptr, 10)};
  if (args.procs == 0 || args.a == 0) return usage(argv[0]);
  for (const Mode& mode : kModes) {
    if (std::strcmp(argv[1], mode.name) == 0) {
      mode.run(args);
      return 0;
    }
  }
  return usage(argv[0]);
}
