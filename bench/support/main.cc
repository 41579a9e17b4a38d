// SPDX-License-Identifier: MIT
//
// main() of every micro bench: Google Benchmark's, plus --smoke, which runs
// each benchmark for next to no time so that the test suite proves it works.

#include <benchmark/benchmark.h>

#include <cstring>
#include <vector>

int main(int argc, char** argv) {
  static char min_time[] = "--benchmark_min_time=0.0001";
  std::vector<char*> args(argv, argv + argc);
  for (char*& arg : args) {
    if (std::strcmp(arg, "--smoke") == 0) arg = min_time;
  }
  int count = static_cast<int>(args.size());
  args.push_back(nullptr);
  benchmark::Initialize(&count, args.data());
  if (benchmark::ReportUnrecognizedArguments(count, args.data())) return 1;
  if (benchmark::RunSpecifiedBenchmarks() == 0) return 1;
  benchmark::Shutdown();
  return 0;
}
