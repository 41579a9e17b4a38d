// SPDX-License-Identifier: MIT
// Copyright tricolor authors
//
// The rest of base/os_memory.h on Linux: how much memory and how many CPUs this
// process has, CPU time, membarrier. Called at the creation of a runtime (the
// limits) and by the pacer and the scheduler (time, membarrier). No state.
#include <linux/membarrier.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <unistd.h>
#include <algorithm>
#include <ctime>

#include "base/cgroup_linux.h"
#include "base/errno_saver.h"
#include "base/os_memory.h"

namespace tricolor::base {
namespace {

uint64_t read_clock(clockid_t id) {
  const ErrnoSaver saver;
  timespec t{};
  clock_gettime(id, &t);
  return static_cast<uint64_t>(t.tv_sec) * 1'000'000'000u +
         static_cast<uint64_t>(t.tv_nsec);
}

bool membarrier(int command) {
  const ErrnoSaver saver;
  return syscall(SYS_membarrier, command, 0, 0) == 0;
}

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

bool os_membarrier_register() {
  return membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED);
}

bool os_membarrier() { return membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED); }

uint64_t os_thread_cpu_ns() { return read_clock(CLOCK_THREAD_CPUTIME_ID); }

uint64_t os_process_cpu_ns() { return read_clock(CLOCK_PROCESS_CPUTIME_ID); }

}  // namespace tricolor::base
