// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// See epoll.h.
//
// Why wake() is not lost although it writes only once: wake_pending_ is
// changed by read-modify-writes alone, on both sides.
//   wake():         V1 publish the work   V2 pending := 1   V3 write if it was
//   0 wait(), awake:  S1 read the eventfd   S2 pending := 0   S3 look for work
// If V2 found 1 (no write), either S2 comes after V2 in the order of that word,
// reads its 1, and S3 sees the work of V1; or the write of whoever set that 1
// is still unread, and the next wait that sleeps ends at once.
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <climits>

#include "base/check.h"
#include "base/errno_saver.h"
#include "poll/epoll.h"

#ifndef SYS_epoll_pwait2
#define SYS_epoll_pwait2 441
#endif

namespace tricolor::netpoll {
namespace {

constexpr int64_t kNsPerMs = 1'000'000;
constexpr int64_t kNsPerS = 1'000'000'000;

/// Rounded up: waking early means waking twice.
int milliseconds(int64_t timeout_ns) {
  if (timeout_ns <= 0) return timeout_ns == 0 ? 0 : -1;
  if (timeout_ns > INT_MAX * kNsPerMs) return INT_MAX;
  return static_cast<int>((timeout_ns + kNsPerMs - 1) / kNsPerMs);
}

}  // namespace

int Epoll::open() {
  base::ErrnoSaver saver;
  epoll_fd_ = ::epoll_create1(EPOLL_CLOEXEC);
  if (epoll_fd_ < 0) return errno;
  wake_fd_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  int err = wake_fd_ < 0 ? errno : 0;
  if (err == 0) {
    // Level-triggered: a wait of no time leaves it for one that sleeps.
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = kWakeTag;
    if (::epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, wake_fd_, &event) != 0) {
      err = errno;
    }
  }
  if (err != 0) close();
  return err;
}

void Epoll::close() {
  base::ErrnoSaver saver;
  if (wake_fd_ >= 0) ::close(wake_fd_);
  if (epoll_fd_ >= 0) ::close(epoll_fd_);
  wake_fd_ = epoll_fd_ = -1;
}

int Epoll::add(int fd, uint64_t tag) {
  base::ErrnoSaver saver;
  TRI_ASSERT(tag != kWakeTag);
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  event.data.u64 = tag;
  return ::epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, fd, &event) == 0 ? 0 : errno;
}

void Epoll::remove(int fd) {
  base::ErrnoSaver saver;
  // close() would do, were the socket not also open in a forked child.
  epoll_event event{};
  ::epoll_ctl(epoll_fd_, EPOLL_CTL_DEL, fd, &event);
}

int Epoll::wait_raw(int64_t timeout_ns, void* events, int capacity) {
  auto* out = static_cast<epoll_event*>(events);
  // Relaxed: a hint that only ever becomes true; who misses it tries in vain.
  if (timeout_ns > 0 && !only_milliseconds_.load_relaxed()) {
    timespec timeout{};
    timeout.tv_sec = timeout_ns / kNsPerS;
    timeout.tv_nsec = timeout_ns % kNsPerS;
    const long n = ::syscall(SYS_epoll_pwait2, epoll_fd_, out, capacity,
                             &timeout, nullptr, size_t{0});
    if (n >= 0 || (errno != ENOSYS && errno != EPERM)) {
      return static_cast<int>(n);
    }
    only_milliseconds_.store_relaxed(true);
  }
  return ::epoll_wait(epoll_fd_, out, capacity, milliseconds(timeout_ns));
}

size_t Epoll::wait(int64_t timeout_ns, PollEvent* out, size_t capacity) {
  base::ErrnoSaver saver;
  TRI_ASSERT(capacity > 0);
  epoll_event events[kBatchMax];
  if (capacity > kBatchMax) capacity = kBatchMax;
  int n;
  do {
    n = wait_raw(timeout_ns, events, static_cast<int>(capacity));
    // After a signal the caller computes what is left of its time.
    if (n < 0 && errno == EINTR && timeout_ns > 0) return 0;
  } while (n < 0 && errno == EINTR);
  TRI_CHECK(n >= 0, "epoll_wait: errno %d (a stranger closed our fd %d?)",
            errno, epoll_fd_);
  size_t count = 0;
  for (int i = 0; i < n; i++) {
    const epoll_event& event = events[i];
    if (event.data.u64 == kWakeTag) {
      if (timeout_ns != 0) consume_wake();
      continue;
    }
    const uint32_t gone = EPOLLHUP | EPOLLERR;
    out[count++] = {event.data.u64,
                    (event.events & (EPOLLIN | EPOLLRDHUP | gone)) != 0,
                    (event.events & (EPOLLOUT | gone)) != 0};
  }
  return count;
}

void Epoll::consume_wake() {
  uint64_t sum;
  [[maybe_unused]] const ssize_t n = ::read(wake_fd_, &sum, sizeof(sum));
  // ORDER-epoll-wake-1: pairs with wake(): sees what was published before.
  wake_pending_.exchange_acq_rel(0);
}

void Epoll::wake() {
  // ORDER-epoll-wake-1: pairs with consume_wake().
  if (wake_pending_.exchange_acq_rel(1) != 0) return;
  base::ErrnoSaver saver;
  const uint64_t one = 1;
  ssize_t n;
  do {
    n = ::write(wake_fd_, &one, sizeof(one));
  } while (n < 0 && errno == EINTR);
  TRI_CHECK(n == static_cast<ssize_t>(sizeof(one)), "eventfd write: errno %d",
            errno);
}

}  // namespace tricolor::netpoll
