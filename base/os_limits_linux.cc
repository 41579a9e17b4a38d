// SPDX-License-Identifier: MIT
// Copyright tricolor authors
//
// Of base/os_memory.h: how much memory and how many CPUs this process has, and
// a number nobody can guess. Called at the creation of a runtime. No state.
#include <sched.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <time.h>
#include <algorithm>

#include "base/cgroup_linux.h"
#include "base/errno_saver.h"
#include "base/os_memory.h"
#include "base/rng.h"

namespace tricolor::base {
namespace {

unsigned affinity_cpus() {
  const ErrnoSaver saver;
  // Room for 8,192 CPUs; the kernel refuses a mask smaller than its own.
  cpu_set_t sets[8192 / CPU_SETSIZE];
  CPU_ZERO_S(sizeof(sets), sets);
  if (sched_getaffinity(0, sizeof(sets), sets) != 0) return 1;
  return static_cast<unsigned>(CPU_COUNT_S(sizeof(sets), sets));
}

}  // namespace

size_t os_memory_limit_bytes() {
  const ErrnoSaver saver;
  struct sysinfo info {};
  uint64_t physical = UINT64_MAX;
  if (sysinfo(&info) == 0)
    physical = static_cast<uint64_t>(info.totalram) * info.mem_unit;
  return std::min(physical, cgroup_memory_limit_bytes(CgroupPaths{}));
}

bool os_address_space_is_limited() {
  rlimit limit{};
  return getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
}

unsigned os_cpu_quota() {
  const uint32_t quota = cgroup_cpu_limit(CgroupPaths{});
  return std::max(1u, std::min(affinity_cpus(), quota));
}

uint64_t os_random64() {
  const ErrnoSaver saver;
  uint64_t n = 0;
  if (getrandom(&n, sizeof(n), GRND_NONBLOCK) == sizeof(n)) return n;
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  uint64_t seed = static_cast<uint64_t>(now.tv_nsec) << 32 ^
                  static_cast<uint64_t>(now.tv_sec) ^
                  reinterpret_cast<uintptr_t>(&n) ^
                  reinterpret_cast<uintptr_t>(&os_random64) << 16;
  return splitmix64(&seed);
}

}  // namespace tricolor::base
