// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// See fixture.h.
#include "tests/unit/sched/fixture.h"

#include <dirent.h>
#include <unistd.h>

#include <cstdio>
#include <thread>

#include "base/macros.h"

namespace tricolor::testing {

int count_entries(const char* path) {
  DIR* dir = opendir(path);
  if (dir == nullptr) return -1;
  int n = 0;
  while (const dirent* entry = readdir(dir)) n += entry->d_name[0] != '.';
  closedir(dir);
  return n;
}

int thread_count() {
#if TRI_TSAN
  // ThreadSanitizer starts a thread of its own beside the program's first one:
  // have it there before anybody counts.
  static const bool started = [] {
    std::thread([] {}).join();
    usleep(50000);
    return true;
  }();
  (void)started;
#endif
  return count_entries("/proc/self/task");
}

namespace {

const int g_threads_at_start = thread_count();  // before main()

}  // namespace

int settled_thread_count() {
  EXPECT_TRUE(thread_count_becomes(g_threads_at_start));
  return g_threads_at_start;
}

bool thread_count_becomes(int n) {
  for (int i = 0; i < 10000; i++) {
    if (thread_count() == n) return true;
    usleep(1000);
  }
  return false;
}

int fd_count() { return count_entries("/proc/self/fd"); }

int mapping_count() {
#if TRI_TSAN
  return 0;  // its shadow is mapped as it goes; the other builds count
#endif
  std::FILE* f = std::fopen("/proc/self/maps", "r");
  if (f == nullptr) return -1;
  int n = 0;
  for (int c = std::fgetc(f); c != EOF; c = std::fgetc(f)) n += c == '\n';
  std::fclose(f);
  return n;
}

}  // namespace tricolor::testing
