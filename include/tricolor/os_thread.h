// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Tasks that must stay on one thread, because what they call keeps its state in
// thread-local variables (OpenGL, a Python interpreter). After Go's
// runtime.LockOSThread.
//
// There is no call to pin a task to its P: between two safepoints (an
// allocation, a poll, a call that suspends) it keeps its P and its thread.
#ifndef TRICOLOR_OS_THREAD_H_
#define TRICOLOR_OS_THREAD_H_

#include "tricolor/detail/mutator.h"

namespace tricolor {

/// From now on the calling task runs on the thread it is on, and no other task
/// does, coroutines that it resumes excepted. Counted: as many unlocks end it.
/// Switching to and from such a task costs two thread switches.
///
/// A task that ends locked ends its thread, too, as nobody knows in what state
/// that is; but not a thread of the program inside run(), which cannot return
/// from there while some task is locked to it. Without effect on an attached
/// thread, which has its thread for itself, and with background_threads = 0,
/// where all tasks run on the thread inside run(). Tasks may not lock a thread
/// that step() has lent, nor coroutines any. Some thread has to run the others:
/// of background_threads = N at most N - 1 tasks are locked at once (1 of 1).
/// Does not suspend.
void lock_os_thread(Mutator& mu);
void unlock_os_thread(Mutator& mu);

}  // namespace tricolor

#endif  // TRICOLOR_OS_THREAD_H_
