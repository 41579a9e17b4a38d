// SPDX-License-Identifier: MIT
// Copyright tricolor authors
//
// The fatal path of base/fatal.h. A report goes: become the reporter (enter),
// print the message, run the dumpers that are left, abort.
//
// Invariants:
// 1. g_reporter holds the thread id of the reporter, and goes from 0 once.
// 2. A dumper is run by whoever takes it out of its place; so at most once,
//    whether the report is nested or not.
#include "base/fatal.h"

#include <unistd.h>
#include <cstdint>
#include <cstdlib>
#include <ctime>

#include "base/atomics.h"
#include "base/errno_saver.h"
#include "base/format.h"

#if TRI_SIM
#include "base/sim.h"
#endif

namespace tricolor::base {
namespace {

Atomic<const FatalDumper*> g_dumpers[kFatalDumpersMax];
Atomic<int> g_reporter{0};
Atomic<uint32_t> g_depth{0};

// Another thread is reporting: its abort ends this one too. Bounded, because
// its dumpers may hang on what this thread holds.
void wait_for_reporter() {
  const timespec pause{0, 10'000'000};
  for (int i = 0; i < 500; i++) nanosleep(&pause, nullptr);
}

// Returns when this thread may print.
void enter() {
#if TRI_SIM
  sim::freeze();
#endif
  const int self = gettid();
  int reporter = 0;
  // ORDER-fatal-1: pairs with remove_fatal_dumper(): whoever misses a taken
  // dumper sees that there is a reporter.
  if (!g_reporter.compare_exchange_strong_acq_rel(reporter, self) &&
      reporter != self) {
    wait_for_reporter();
    abort();
  }
  // Every nesting uses up at least one dumper; more means that printing itself
  // fails. Relaxed: only the reporter counts.
  if (g_depth.fetch_add_relaxed(1) > kFatalDumpersMax) abort();
}

[[noreturn]] void dump_and_abort(FatalSink& sink) {
  sink.flush();
  for (Atomic<const FatalDumper*>& place : g_dumpers) {
    // ORDER-fatal-2: pairs with add_fatal_dumper(): sees *dumper whole.
    const FatalDumper* dumper = place.exchange_acq_rel(nullptr);
    if (dumper == nullptr) continue;
    dumper->fn(dumper->ctx, sink);
    sink.flush();
  }
  abort();
}

void print_where(FatalSink& sink, const char* file, int line) {
  sink.print(" (%s:%d)", file, line);
}

}  // namespace

void FatalSink::print(const char* fmt, ...) {
  va_list args;
  va_start(args, fmt);
  vprint(fmt, args);
  va_end(args);
}

void FatalSink::vprint(const char* fmt, va_list args) {
  format_to(&FatalSink::put, this, fmt, args);
}

void FatalSink::flush() {
  const ErrnoSaver saver;
  size_t done = 0;
  if (write_ != nullptr) {
    if (used_ > 0) write_(buffer_, used_, ctx_);
    done = used_;
  }
  while (done < used_) {
    const ssize_t n = write(fd_, buffer_ + done, used_ - done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;  // nobody can be told
    done += static_cast<size_t>(n);
  }
  used_ = 0;
}

void FatalSink::put(void* self, const char* text, size_t n) {
  FatalSink* sink = static_cast<FatalSink*>(self);
  for (size_t i = 0; i < n; i++) {
    sink->buffer_[sink->used_++] = text[i];
    if (text[i] == '\n' || sink->used_ == sizeof(sink->buffer_)) sink->flush();
  }
}

bool add_fatal_dumper(const FatalDumper* dumper) {
  for (Atomic<const FatalDumper*>& place : g_dumpers) {
    const FatalDumper* expected = nullptr;
    // ORDER-fatal-2: pairs with dump_and_abort(): publishes *dumper.
    if (place.compare_exchange_strong_release(expected, dumper)) return true;
  }
  return false;
}

void remove_fatal_dumper(const FatalDumper* dumper) {
  for (Atomic<const FatalDumper*>& place : g_dumpers) {
    const FatalDumper* expected = dumper;
    // ORDER-fatal-1: pairs with enter().
    if (place.compare_exchange_strong_acquire(expected, nullptr)) return;
  }
  const int reporter = g_reporter.load_acquire();
  if (reporter != 0 && reporter != gettid()) wait_for_reporter();
}

void fatal_bug(const char* file, int line, const char* fmt, ...) {
  enter();
  FatalSink sink(STDERR_FILENO);
  sink.print("tricolor: fatal: ");
  va_list args;
  va_start(args, fmt);
  sink.vprint(fmt, args);
  va_end(args);
  print_where(sink, file, line);
  sink.print("\n");
  dump_and_abort(sink);
}

void fatal_misuse(const char* call, const char* fmt, ...) {
  enter();
  FatalSink sink(STDERR_FILENO);
  sink.print("tricolor: misuse of %s: ", call);
  va_list args;
  va_start(args, fmt);
  sink.vprint(fmt, args);
  va_end(args);
  sink.print("\n");
  dump_and_abort(sink);
}

void fatal_check(const char* kind, const char* file, int line,
                 const char* expr) {
  enter();
  FatalSink sink(STDERR_FILENO);
  sink.print("tricolor: %s failed: %s", kind, expr);
  print_where(sink, file, line);
  sink.print("\n");
  dump_and_abort(sink);
}

void fatal_check(const char* kind, const char* file, int line, const char* expr,
                 const char* fmt, ...) {
  enter();
  FatalSink sink(STDERR_FILENO);
  sink.print("tricolor: %s failed: %s: ", kind, expr);
  va_list args;
  va_start(args, fmt);
  sink.vprint(fmt, args);
  va_end(args);
  print_where(sink, file, line);
  sink.print("\n");
  dump_and_abort(sink);
}

}  // namespace tricolor::base
