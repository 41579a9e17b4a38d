// SPDX-License-Identifier: MIT
// Copyright tricolor authors
//
// The end of the process: what stands behind TRI_CHECK, TRI_FATAL and
// TRI_MISUSE (see base/check.h). Prints the message to fd 2, runs the dumpers
// that the upper layers registered (phase, G, P, locks), then calls abort().
//
// 1. Nothing here allocates or takes a lock, so it works under any lock, in a
//    signal handler and with a damaged heap.
// 2. Each dumper runs at most once. A failure inside a dumper is reported, and
//    the dumpers that have not run yet still do.
// 3. Of several threads that fail at once the first one reports; the others
//    wait for its abort (a few seconds at most) to keep its text whole.
//
// Threading: everything may be called from any thread at any time.
#ifndef TRICOLOR_BASE_FATAL_H_
#define TRICOLOR_BASE_FATAL_H_

#include <cstdarg>
#include <cstddef>

#include "base/macros.h"

namespace tricolor::base {

// Formatted output to a descriptor through a small buffer of its own; the text
// is written at each newline, when the buffer is full, and at destruction.
// See base/format.h for what `fmt` understands.
class FatalSink {
 public:
  using Write = void (*)(const char* text, size_t n, void* ctx);

  explicit FatalSink(int fd) : fd_(fd) {}
  // To `write` in the descriptor's place.
  FatalSink(Write write, void* ctx) : write_(write), ctx_(ctx) {}
  ~FatalSink() { flush(); }
  FatalSink(const FatalSink&) = delete;
  FatalSink& operator=(const FatalSink&) = delete;

  void print(const char* fmt, ...) TRI_PRINTF(2, 3);
  void vprint(const char* fmt, va_list args) TRI_PRINTF(2, 0);
  void flush();

 private:
  static void put(void* self, const char* text, size_t n);

  int fd_ = -1;
  Write write_ = nullptr;
  void* ctx_ = nullptr;
  size_t used_ = 0;
  char buffer_[512];
};

// A piece of state worth seeing in a crash. `fn` must not allocate or lock,
// and must not trust the structures it prints.
struct FatalDumper {
  void (*fn)(void* ctx, FatalSink& sink);
  void* ctx;
};

inline constexpr size_t kFatalDumpersMax = 64;

// Registers `dumper`, which the caller owns and keeps alive until it has
// removed it. Returns false when all kFatalDumpersMax places are taken.
bool add_fatal_dumper(const FatalDumper* dumper);

// Takes `dumper` out. When another thread is just running it in a fatal
// report, waits for that thread to end the process.
void remove_fatal_dumper(const FatalDumper* dumper);

// The three fatal reports; use the macros of base/check.h.
[[noreturn]] TRI_COLD void fatal_bug(const char* file, int line,
                                     const char* fmt, ...) TRI_PRINTF(3, 4);
[[noreturn]] TRI_COLD void fatal_misuse(const char* call, const char* fmt, ...)
    TRI_PRINTF(2, 3);
// `kind` is "check", "assertion" or "verification".
[[noreturn]] TRI_COLD void fatal_check(const char* kind, const char* file,
                                       int line, const char* expr);
[[noreturn]] TRI_COLD void fatal_check(const char* kind, const char* file,
                                       int line, const char* expr,
                                       const char* fmt, ...) TRI_PRINTF(5, 6);

}  // namespace tricolor::base

#endif  // TRICOLOR_BASE_FATAL_H_
