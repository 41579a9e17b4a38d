// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// What an empty runtime costs: the time to create and destroy one, the memory
// it adds to a process that has had others, and its threads; then the memory
// that 4,096 layouts add, and a cell of each. The text of a program that uses
// the heap alone is footprint_text.c; bench/README.md has the definitions.
// argv: REPEATS | --smoke.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "tricolor/all.h"

namespace {

/// One line of /proc/self/status, 0 if it is not there.
long status(const char* name) {
  std::FILE* file = std::fopen("/proc/self/status", "r");
  char line[256];
  long value = 0;
  size_t length = std::strlen(name);
  while (file != nullptr && std::fgets(line, sizeof(line), file)) {
    if (std::strncmp(line, name, length) == 0 && line[length] == ':') {
      value = std::strtol(line + length + 1, nullptr, 10);
    }
  }
  if (file != nullptr) std::fclose(file);
  return value;
}

tricolor::RuntimePtr create() {
  tricolor::Error error;
  tricolor::RuntimePtr rt = tricolor::Runtime::create({}, &error);
  if (rt == nullptr) {
    std::fprintf(stderr, "%s\n", error.text);
    std::exit(1);
  }
  return rt;
}

double create_destroy_us() {
  using Clock = std::chrono::steady_clock;
  Clock::time_point begin = Clock::now();
  create().reset();
  return std::chrono::duration<double, std::micro>(Clock::now() - begin)
      .count();
}

/// Prints what `layouts` more layouts add to the process, and one 16-byte cell
/// in each, on one P.
void measure_layouts(tricolor::Runtime& rt, int layouts) {
  std::vector<tricolor::LayoutId> ids(static_cast<size_t>(layouts));
  tricolor::LayoutSpec spec;
  spec.head_bytes = 16;
  spec.distinct = true;
  long rss_kib = status("VmRSS");
  for (tricolor::LayoutId& id : ids) {
    char name[16];
    std::snprintf(name, sizeof(name), "layout%d",
                  static_cast<int>(&id - ids.data()));
    spec.name = name;
    id = rt.register_layout(spec);
    if (id == tricolor::kInvalidLayout) std::exit(1);
  }
  std::printf("metric layouts_rss_kib %ld\n", status("VmRSS") - rss_kib);
  rt.run([&](tricolor::Mutator& mu) {
    rss_kib = status("VmRSS");
    for (tricolor::LayoutId id : ids) tricolor::allocate(mu, id, 16);
    std::printf("metric layout_cells_rss_kib %ld\n", status("VmRSS") - rss_kib);
  });
}

}  // namespace

int main(int argc, char** argv) {
  bool smoke = argc == 2 && std::strcmp(argv[1], "--smoke") == 0;
  int repeats = smoke ? 5 : argc == 2 ? std::atoi(argv[1]) : 0;
  if (repeats < 1) {
    std::fprintf(stderr, "usage: %s REPEATS | --smoke\n", argv[0]);
    return 2;
  }
  std::vector<double> times(static_cast<size_t>(repeats));
  for (double& us : times) us = create_destroy_us();
  auto middle = times.begin() + repeats / 2;
  std::nth_element(times.begin(), middle, times.end());

  long rss_kib = status("VmRSS");
  long threads = status("Threads");
  tricolor::RuntimePtr rt = create();
  usleep(20'000);  // for threads that would start late
  rss_kib = status("VmRSS") - rss_kib;
  threads = status("Threads") - threads;
  std::printf("checksum footprint\n");
  std::printf("metric create_destroy_us %.3f\n", *middle);
  std::printf("metric empty_rss_kib %ld\n", rss_kib);
  std::printf("metric threads %ld\n", threads);
  measure_layouts(*rt, smoke ? 100 : 4096);
  return 0;
}
