// SPDX-License-Identifier: MIT
// Copyright tricolor authors
//
// The limits a container or service manager has put on this process, read from
// the cgroup file system; used by base/os_limits_linux.cc alone. The file names
// are parameters so that a test can lay out trees of its own.
//
// 1. Limits of every level from the process's group up to the root count.
// 2. What cannot be read or parsed is no limit.
// 3. Looked for where distributions mount it: v2 at <mount>, v1 controllers at
//    <mount>/memory and <mount>/cpu.
//
// Threading: no state.
#ifndef TRICOLOR_BASE_CGROUP_LINUX_H_
#define TRICOLOR_BASE_CGROUP_LINUX_H_

#include <cstdint>

namespace tricolor::base {

struct CgroupPaths {
  const char* membership = "/proc/self/cgroup";
  const char* mount = "/sys/fs/cgroup";
};

// Bytes; UINT64_MAX when there is no limit.
uint64_t cgroup_memory_limit_bytes(const CgroupPaths& paths);

// The most that `ours` may become: of each level's limit `percent`, less what
// the level is charged for beyond `ours` now (file pages that nobody uses do
// not count: the kernel takes them back); the least of all levels. `ours`:
// bytes of this process, or a part of it, that the caller speaks for.
// UINT64_MAX when no level has a limit; 0 when others have taken all of it.
uint64_t cgroup_memory_share_bytes(const CgroupPaths& paths, uint64_t ours,
                                   unsigned percent);

// Whole CPUs, quota / period rounded up; UINT32_MAX when there is no limit.
uint32_t cgroup_cpu_limit(const CgroupPaths& paths);

}  // namespace tricolor::base

#endif  // TRICOLOR_BASE_CGROUP_LINUX_H_
