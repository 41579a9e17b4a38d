// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// StackGuard on Linux, see stacks/stack_guard.h.
#include <fcntl.h>
#include <unistd.h>

#include "base/env.h"
#include "base/errno_saver.h"
#include "base/os_memory.h"
#include "stacks/stack_guard.h"

namespace tricolor::stacks {
namespace {

constexpr uint64_t kDefaultMaxMapCount = 65530;
constexpr uint64_t kVmasPerGuard = 2;

uint64_t read_max_map_count() {
  const base::ErrnoSaver saver;
  const int fd = open("/proc/sys/vm/max_map_count", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return kDefaultMaxMapCount;
  char text[32];
  ssize_t n = read(fd, text, sizeof(text) - 1);
  close(fd);
  while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == ' ')) n--;
  uint64_t count = 0;
  if (n <= 0 || !base::parse_u64({text, static_cast<size_t>(n)}, &count)) {
    return kDefaultMaxMapCount;
  }
  return count;
}

}  // namespace

bool StackGuard::install(char* p, size_t bytes, const char** refusal) {
  if (mode_.load_relaxed() != kMprotect) {
    if (base::os_guard_install(p, bytes)) {
      mode_.store_relaxed(kPageTable);
      return true;
    }
    mode_.store_relaxed(kMprotect);
  }
  return install_mprotect(p, bytes, refusal);
}

bool StackGuard::try_install_each(char* p, size_t stride, size_t n,
                                  size_t bytes) {
  // Only where one has worked, so that mode_ is known.
  if (mode_.load_relaxed() != kPageTable || one_by_one_.load_relaxed()) {
    return false;
  }
  if (base::os_guard_install_each(p, stride, n, bytes)) return true;
  one_by_one_.store_relaxed(true);
  return false;
}

bool StackGuard::install_mprotect(char* p, size_t bytes, const char** refusal) {
  uint64_t limit = vma_limit_.load_relaxed();
  if (limit == 0) {
    limit = read_max_map_count();
    vma_limit_.store_relaxed(limit);
  }
  const uint64_t before = mprotect_guards_.fetch_add_relaxed(1);
  if ((before + 1) * kVmasPerGuard > limit / 2) {
    mprotect_guards_.fetch_sub_relaxed(1);
    *refusal =
        "guard pages of stacks would use more than half of the process's "
        "memory mappings; raise the sysctl vm.max_map_count, or use Linux "
        "6.13 or later, where guards need none";
    return false;
  }
  if (base::os_guard_mprotect(p, bytes)) return true;
  mprotect_guards_.fetch_sub_relaxed(1);
  *refusal = "the OS refuses a guard page for a stack (see vm.max_map_count)";
  return false;
}

void StackGuard::use_mprotect_for_testing(uint64_t vma_limit) {
  vma_limit_.store_relaxed(vma_limit);
  mode_.store_relaxed(kMprotect);
}

}  // namespace tricolor::stacks
