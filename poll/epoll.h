// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Epoll: one edge-triggered epoll instance and the eventfd that interrupts a
// wait on it. Implemented in epoll_linux.cc; used by poll/poller.cc alone.
//
// 1. An fd is registered once, for both directions and hang-up; nothing is
//    changed afterwards.
// 2. Waking is de-duplicated: between two waits that sleep, one write.
// 3. `errno` is left as it was; failures come back as errno values.
//
// Threads: add, remove, wait and wake from any thread, once open() is done.
#ifndef TRICOLOR_POLL_EPOLL_H_
#define TRICOLOR_POLL_EPOLL_H_

#include <cstddef>
#include <cstdint>

#include "base/atomics.h"

namespace tricolor::netpoll {

struct PollEvent {
  uint64_t tag;
  bool readable;  ///< data, end of stream, hang-up or error
  bool writable;  ///< room, hang-up or error
};

class Epoll {
 public:
  static constexpr size_t kBatchMax = 128;

  /// 0, or the errno of what failed; nothing is left open then.
  int open();
  void close();

  /// Registers `fd`; its events carry `tag`, which is not 0. 0 or an errno.
  int add(int fd, uint64_t tag);
  void remove(int fd);

  /// Stores up to `capacity` (>= 1) events. timeout_ns: 0 does not wait,
  /// negative waits for an event or a wake(). May return 0 before the time is
  /// up (a signal, a wake).
  size_t wait(int64_t timeout_ns, PollEvent* out, size_t capacity);

  /// Ends the wait that sleeps now, or the next one that would.
  void wake();

 private:
  static constexpr uint64_t kWakeTag = 0;

  int wait_raw(int64_t timeout_ns, void* events, int capacity);
  void consume_wake();

  int epoll_fd_ = -1;
  int wake_fd_ = -1;
  base::Atomic<uint32_t> wake_pending_{0};
  /// The kernel has no epoll_pwait2 (before 5.11), or a filter forbids it.
  base::Atomic<bool> only_milliseconds_{false};
};

}  // namespace tricolor::netpoll

#endif  // TRICOLOR_POLL_EPOLL_H_
