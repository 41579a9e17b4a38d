// SPDX-License-Identifier: MIT
// Copyright tricolor authors
//
// CPU time and membarrier, of base/os_memory.h.
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <ctime>

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

}  // namespace

bool os_membarrier_register() {
  return membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED);
}

bool os_membarrier() { return membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED); }

uint64_t os_thread_cpu_ns() { return read_clock(CLOCK_THREAD_CPUTIME_ID); }

uint64_t os_process_cpu_ns() { return read_clock(CLOCK_PROCESS_CPUTIME_ID); }

}  // namespace tricolor::base
