// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Where the calling thread's stack lies, see stacks/spill.h.
//
// pthread_getattr_np knows, but it pulls a hundred and fifty KiB of scanf into
// a program that is linked statically. So it is asked where it is there anyway;
// else the mapping that the caller's frame lies in is taken for the stack, up
// to the thread's control block, which lies at the top of a stack that
// pthread_create has made.
#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include <cerrno>

#include "base/errno_saver.h"
#include "stacks/spill.h"

#pragma weak pthread_getattr_np

namespace tricolor::stacks {
namespace {

StackBounds asked_bounds() {
  StackBounds bounds;
  pthread_attr_t attr;
  if (pthread_getattr_np(pthread_self(), &attr) != 0) return bounds;
  void* lo = nullptr;
  size_t bytes = 0;
  if (pthread_attr_getstack(&attr, &lo, &bytes) == 0) {
    bounds.lo = static_cast<char*>(lo);
    bounds.hi = bounds.lo + bytes;
  }
  pthread_attr_destroy(&attr);
  return bounds;
}

// Reads "lo-hi " at the start of each line of /proc/self/maps, a character at
// a time.
struct MapsReader {
  uintptr_t lo = 0;
  uintptr_t hi = 0;
  int field = 0;  // 0: lo, 1: hi, 2: the rest of the line

  // True when lo and hi are complete.
  bool take(char c) {
    if (c == '\n') {
      lo = hi = 0;
      field = 0;
      return false;
    }
    if (field == 2) return false;
    if (c == '-' || c == ' ') {
      return ++field == 2;
    }
    const int digit = c <= '9' ? c - '0' : c - 'a' + 10;
    uintptr_t& number = field == 0 ? lo : hi;
    number = number << 4 | static_cast<uintptr_t>(digit);
    return false;
  }
};

}  // namespace

StackBounds mapped_stack_bounds() {
  const base::ErrnoSaver saver;
  const auto here = reinterpret_cast<uintptr_t>(__builtin_frame_address(0));
  const int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return {};
  MapsReader reader;
  StackBounds bounds;
  char buffer[1024];
  while (bounds.hi == nullptr) {
    const ssize_t n = read(fd, buffer, sizeof(buffer));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    for (ssize_t i = 0; i < n && bounds.hi == nullptr; i++) {
      if (!reader.take(buffer[i])) continue;
      if (here < reader.lo || here >= reader.hi) continue;
      const auto block = static_cast<uintptr_t>(pthread_self());
      const bool inside = here < block && block < reader.hi;
      bounds.lo = reinterpret_cast<char*>(reader.lo);
      bounds.hi = reinterpret_cast<char*>(inside ? block : reader.hi);
    }
  }
  close(fd);
  return bounds;
}

StackBounds thread_stack_bounds() {
  return pthread_getattr_np != nullptr ? asked_bounds() : mapped_stack_bounds();
}

}  // namespace tricolor::stacks
