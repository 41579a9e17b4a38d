// SPDX-License-Identifier: MIT
// Copyright tricolor authors
//
// base/futex.h by the futex system call, with process-private keys. Glibc has
// no wrapper. FUTEX_WAIT takes a relative time on CLOCK_MONOTONIC.
#include "base/futex.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <cstddef>
#include <ctime>

#include "base/errno_saver.h"

namespace tricolor::base {

int futex_wait(Atomic<uint32_t>* word, uint32_t expected, int64_t timeout_ns) {
  const ErrnoSaver saver;
  timespec timeout;
  timespec* limit = nullptr;
  if (timeout_ns >= 0) {
    timeout.tv_sec = timeout_ns / 1'000'000'000;
    timeout.tv_nsec = timeout_ns % 1'000'000'000;
    limit = &timeout;
  }
  const long rc = syscall(SYS_futex, word->address(), FUTEX_WAIT_PRIVATE,
                          expected, limit, nullptr, 0);
  return rc == 0 ? 0 : errno;
}

int futex_wake(Atomic<uint32_t>* word, int n) {
  const ErrnoSaver saver;
  const long rc = syscall(SYS_futex, word->address(), FUTEX_WAKE_PRIVATE, n,
                          nullptr, nullptr, 0);
  return rc > 0 ? static_cast<int>(rc) : 0;
}

}  // namespace tricolor::base
