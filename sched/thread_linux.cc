// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Threads of the library, see sched/thread.h.
#include "sched/thread.h"

#include <climits>
#include <csignal>
#include <cstddef>
#include <initializer_list>

#include "base/macros.h"

namespace tricolor::sched {

bool start_thread(pthread_t* thread, void* (*main)(void*), void* arg,
                  const char* name) {
  // Deep enough for the embedder's trace functions, root callbacks and calls of
  // on_system_stack. Sanitizers keep their own data of a thread in it.
  constexpr size_t kStackBytes = size_t{TRI_ASAN || TRI_TSAN ? 4 : 1} << 20;
  pthread_attr_t attr;
  if (pthread_attr_init(&attr) != 0) return false;
  pthread_attr_setstacksize(&attr, kStackBytes);
  // Signals of the program go to the program's threads. Faults stay ours.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  for (int sig : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS}) {
    sigdelset(&all, sig);
  }
  pthread_sigmask(SIG_SETMASK, &all, &before);
  const bool ok = pthread_create(thread, &attr, main, arg) == 0;
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  pthread_attr_destroy(&attr);
  if (ok) pthread_setname_np(*thread, name);
  return ok;
}

void join_thread(pthread_t thread) { pthread_join(thread, nullptr); }

bool try_join_thread(pthread_t thread) {
  return pthread_tryjoin_np(thread, nullptr) == 0;
}

static_assert(kKeyRounds <= PTHREAD_DESTRUCTOR_ITERATIONS);

bool make_thread_key(pthread_key_t* key, void (*fn)(void* value)) {
  return pthread_key_create(key, fn) == 0;
}

void drop_thread_key(pthread_key_t key) { pthread_key_delete(key); }

void set_thread_value(pthread_key_t key, void* value) {
  pthread_setspecific(key, value);
}

}  // namespace tricolor::sched
