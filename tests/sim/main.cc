// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// sim [--seed N] [--count M] [--trace] [--hash] [--twice] [--plant BUG]
//     SCENARIO...
//
// Runs each scenario under M seeds from N on (1 each, from 1, by default), each
// in a process of its own: forked before anything has been mapped, by a program
// that has switched off address space layout randomization, so that a seed has
// the same addresses wherever it stands in the count. Prints the seeds that
// failed and how to run one again.
//
// --plant BUG  runs them with a TRI_PLANTED bug; it fails unless one finds it
// --hash   prints the number of each run, which is that of its interleaving
// --twice  runs each seed twice; it fails unless both have the same number
#include <fcntl.h>
#include <sys/personality.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "tests/sim/machine.h"
#include "tests/sim/scenarios.h"

namespace {

using tricolor::sim::kScenarioCount;
using tricolor::sim::kScenarios;
using tricolor::sim::Scenario;

struct Arguments {
  uint64_t seed = 1;
  uint64_t count = 1;
  bool trace = false;
  bool hash = false;
  bool twice = false;
  const char* plant = "";
  std::vector<const Scenario*> scenarios;
};

int usage(const char* program) {
  std::fprintf(stderr,
               "usage: %s [--seed N] [--count M] [--trace] [--hash] [--twice] "
               "[--plant BUG] "
               "SCENARIO...\nscenarios (or all):\n",
               program);
  for (size_t i = 0; i < kScenarioCount; ++i) {
    std::fprintf(stderr, "  %-12s %s\n", kScenarios[i].name,
                 kScenarios[i].what);
  }
  return 2;
}

bool parse_number(const char* text, uint64_t* out) {
  char* end = nullptr;
  *out = text == nullptr ? 0 : std::strtoull(text, &end, 0);
  return text != nullptr && *text != 0 && *end == 0;
}

bool parse(int argc, char** argv, Arguments* out) {
  for (int i = 1; i < argc; ++i) {
    const char* a = argv[i];
    const char* next = i + 1 < argc ? argv[i + 1] : nullptr;
    if (std::strcmp(a, "--seed") == 0 || std::strcmp(a, "--count") == 0) {
      if (!parse_number(next, a[2] == 's' ? &out->seed : &out->count)) {
        return false;
      }
      ++i;
    } else if (std::strcmp(a, "--plant") == 0 && next != nullptr) {
      out->plant = next;
      ++i;
    } else if (std::strcmp(a, "--trace") == 0) {
      out->trace = true;
    } else if (std::strcmp(a, "--hash") == 0) {
      out->hash = true;
    } else if (std::strcmp(a, "--twice") == 0) {
      out->twice = true;
    } else {
      const bool all = std::strcmp(a, "all") == 0;
      const size_t before = out->scenarios.size();
      for (size_t s = 0; s < kScenarioCount; ++s) {
        if (all || std::strcmp(a, kScenarios[s].name) == 0) {
          out->scenarios.push_back(&kScenarios[s]);
        }
      }
      if (out->scenarios.size() == before) return false;
    }
  }
  return !out->scenarios.empty();
}

/// In a child of its own: its number to *hash. False: it failed.
bool run_seed(const Scenario& scenario, uint64_t seed, bool trace,
              const char* plant, uint64_t* hash) {
  int ends[2];
  if (pipe(ends) != 0) return false;
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    close(ends[0]);
    tricolor::sim::MachineOptions options;
    options.seed = seed;
    options.trace = trace;
    options.plant = plant;
    if (*plant != 0) {
      const int null = open("/dev/null", O_WRONLY);
      if (null >= 0) dup2(null, STDERR_FILENO);
    }
    tricolor::sim::begin(options);
    scenario.run();
    const uint64_t number = tricolor::sim::end();
    const bool told = write(ends[1], &number, sizeof(number)) == sizeof(number);
    _exit(told ? 0 : 1);
  }
  close(ends[1]);
  *hash = 0;
  const bool got =
      child > 0 && read(ends[0], hash, sizeof(*hash)) == sizeof(*hash);
  close(ends[0]);
  int status = 1;
  if (child > 0) waitpid(child, &status, 0);
  return got && status == 0;
}

int find_planted(const Arguments& a) {
  for (const Scenario* scenario : a.scenarios) {
    for (uint64_t i = 0; i < a.count; ++i) {
      uint64_t hash = 0;
      if (run_seed(*scenario, a.seed + i, false, a.plant, &hash)) continue;
      std::printf("%s: found by %s, seed %" PRIu64 "\n", a.plant,
                  scenario->name, a.seed + i);
      return 0;
    }
  }
  std::printf("FAILED: %s is not found\n", a.plant);
  return 1;
}

int run_all(const Arguments& a, const char* program) {
  int failed = 0;
  for (const Scenario* scenario : a.scenarios) {
    int here = 0;
    for (uint64_t i = 0; i < a.count && here < 5; ++i) {
      const uint64_t seed = a.seed + i;
      uint64_t hash = 0;
      uint64_t again = 0;
      bool ok = run_seed(*scenario, seed, a.trace, a.plant, &hash);
      if (ok && a.twice) {
        ok = run_seed(*scenario, seed, false, a.plant, &again) && hash == again;
        if (!ok) {
          std::fprintf(stderr,
                       "%s: seed %" PRIu64 " ran as %016" PRIx64
                       ", then as %016" PRIx64 "\n",
                       scenario->name, seed, hash, again);
        }
      }
      if (a.hash) {
        std::printf("%s %" PRIu64 " %016" PRIx64 "\n", scenario->name, seed,
                    hash);
      }
      if (ok) continue;
      ++here;
      std::printf("FAILED: %s --seed %" PRIu64 " %s\n", program, seed,
                  scenario->name);
    }
    if (here == 0) {
      std::printf("%s: %" PRIu64 " seeds from %" PRIu64 ": ok\n",
                  scenario->name, a.count, a.seed);
    }
    failed += here;
  }
  return failed == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  const int persona = personality(0xffffffff);
  if (persona >= 0 && (persona & ADDR_NO_RANDOMIZE) == 0 &&
      std::getenv("TRI_SIM_RANDOMIZED") == nullptr) {
    // Where it is not allowed, seeds replay as long as addresses do not matter.
    setenv("TRI_SIM_RANDOMIZED", "1", 1);
    if (personality(static_cast<unsigned long>(persona) | ADDR_NO_RANDOMIZE) >=
        0) {
      execv("/proc/self/exe", argv);
    }
  }
  Arguments arguments;
  if (!parse(argc, argv, &arguments)) return usage(argv[0]);
  return *arguments.plant != 0 ? find_planted(arguments)
                               : run_all(arguments, argv[0]);
}
