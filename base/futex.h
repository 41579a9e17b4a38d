// SPDX-License-Identifier: MIT
// Copyright tricolor authors
//
// Sleep on a word until it changes, and wake its sleepers: the one primitive
// under base/lock.h and base/parker.h. Implemented in base/futex_<os>.cc.
//
// 1. Wakes may be spurious: the caller always looks at its word again.
// 2. `errno` is left as it was.
// 3. A wake may hit a word that is gone already; it then does nothing.
//
// Threading: any thread. Blocks the thread, not the task.
#ifndef TRICOLOR_BASE_FUTEX_H_
#define TRICOLOR_BASE_FUTEX_H_

#include <cstdint>

#include "base/atomics.h"

namespace tricolor::base {

// Sleeps while *word == expected, at most `timeout_ns` (negative: no limit).
// Returns 0 when woken, else EAGAIN (the word differed), EINTR or ETIMEDOUT.
int futex_wait(Atomic<uint32_t>* word, uint32_t expected, int64_t timeout_ns);

// Wakes up to `n` sleepers of `word`; returns how many.
int futex_wake(Atomic<uint32_t>* word, int n);

}  // namespace tricolor::base

#endif  // TRICOLOR_BASE_FUTEX_H_
