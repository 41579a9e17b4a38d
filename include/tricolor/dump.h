// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// What all tasks do: for a program that hangs, and for the end of one that has
// failed (where the same is printed). A line for each task, then the return
// addresses on its stack:
//
//   task 17 [waiting: sleep, 1200 ms]:
//       0x55d0c1a2f3b1 _ZN5fetchEv+0x41 (/usr/bin/server+0x2f3b1)
//
// Names and what is code come from dladdr, where the program has it (link with
// -rdynamic for the program's own); c++filt and addr2line do the rest. How long
// a task has waited is told to about 10 ms, and only where threads are allowed.
#ifndef TRICOLOR_DUMP_H_
#define TRICOLOR_DUMP_H_

#include <cstddef>

namespace tricolor {

class Runtime;

/// Takes the next piece of a dump, `n` bytes. The world is stopped: it may not
/// allocate cells, wait for a task or suspend.
using DumpSink = void (*)(const char* text, size_t n, void* ctx);

/// Any thread: one that is not in `rt` is attached for the call. A safepoint.
/// Stops the world while it prints; if the thread cannot be attached, what is
/// printed may be of several moments.
void dump_tasks(Runtime& rt, DumpSink sink, void* ctx);
/// The same into a file descriptor.
void dump_tasks(Runtime& rt, int fd = 2);

/// For Options::on_deadlock: prints the dump and ends the process, as Go does.
void abort_at_deadlock(Runtime& rt, void* ctx);

}  // namespace tricolor

#endif  // TRICOLOR_DUMP_H_
