// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Starting a thread of the library: all asynchronous signals blocked, a small
// stack, a name. Used by worker.cc and sysmon.cc. The deterministic build has
// its own (tests/sim/os.cc).
#ifndef TRICOLOR_SCHED_THREAD_H_
#define TRICOLOR_SCHED_THREAD_H_

#include <pthread.h>

#include <cstdint>

namespace tricolor {
struct RuntimeImpl;
}

namespace tricolor::sched {

/// Counts one more thread; false when the limit is reached or at shutdown.
bool reserve_thread(RuntimeImpl* rt);

/// The last act of such a thread.
void end_thread(RuntimeImpl* rt);

/// False: the OS refuses.
bool start_thread(pthread_t* thread, void* (*main)(void*), void* arg,
                  const char* name);

/// Waits for its end.
void join_thread(pthread_t thread);
/// False: it has not ended yet, and is still to be joined.
bool try_join_thread(pthread_t thread);

/// A word for each thread; fn gets it when a thread ends where it is not null,
/// and again while that sets it anew, kKeyRounds times in all. False: the
/// process has no such word left.
bool make_thread_key(pthread_key_t* key, void (*fn)(void* value));
void drop_thread_key(pthread_key_t key);
void set_thread_value(pthread_key_t key, void* value);
inline constexpr uint32_t kKeyRounds = 4;

}  // namespace tricolor::sched

#endif  // TRICOLOR_SCHED_THREAD_H_
