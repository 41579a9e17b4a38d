// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// What the library asks of the operating system, by tests/sim/machine.h:
// base/futex.h, base/clock.h, threads, CPU time, the bounds of a stack. Linked
// in the place of base/futex_linux.cc, base/clock_linux.cc,
// base/os_cpu_linux.cc, sched/thread_linux.cc and stacks/spill_linux.cc.
#include <pthread.h>

#include "base/clock.h"
#include "base/futex.h"
#include "base/os_memory.h"
#include "sched/thread.h"
#include "stacks/spill.h"
#include "tests/sim/machine.h"

namespace tricolor {

namespace base {

int futex_wait(Atomic<uint32_t>* word, uint32_t expected, int64_t timeout_ns) {
  return tricolor::sim::wait(word->address(), expected, timeout_ns);
}

int futex_wake(Atomic<uint32_t>* word, int n) {
  return tricolor::sim::wake(word->address(), n);
}

namespace {
constexpr Clock kClock{[](void*) { return tricolor::sim::now_ns(); }, nullptr};
}  // namespace

const Clock& monotonic_clock() { return kClock; }

uint64_t os_thread_cpu_ns() { return tricolor::sim::now_ns(); }
uint64_t os_process_cpu_ns() { return tricolor::sim::now_ns(); }

bool os_membarrier_register() { return true; }
bool os_membarrier() { return true; }

}  // namespace base

namespace sched {

bool start_thread(pthread_t* thread, void* (*main)(void*), void* arg,
                  const char*) {
  const uint32_t fiber = tricolor::sim::start(main, arg);
  *thread = fiber;
  return fiber != 0;
}

void join_thread(pthread_t thread) {
  tricolor::sim::join(static_cast<uint32_t>(thread));
}

bool make_thread_key(pthread_key_t*, void (*)(void*)) { return false; }
void drop_thread_key(pthread_key_t) {}
void set_thread_value(pthread_key_t, void*) {}

bool try_join_thread(pthread_t thread) {
  join_thread(thread);  // it has nothing to do any more but to end
  return true;
}

}  // namespace sched

namespace stacks {

StackBounds thread_stack_bounds() {
  const tricolor::sim::Bounds fiber = tricolor::sim::stack_of_fiber();
  if (fiber.lo != nullptr) {
    StackBounds bounds;
    bounds.lo = fiber.lo;
    bounds.hi = fiber.hi;
    return bounds;
  }
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

}  // namespace stacks

}  // namespace tricolor
