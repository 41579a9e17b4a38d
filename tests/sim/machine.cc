// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// See tests/sim/machine.h. Contexts are those of libc: they also save the
// signal mask, which is slow, and there are a few thousand switches in a run.
//
// What belongs to a thread and not to its stack is carried over by hand: errno,
// the innermost M, the list of held locks, the state of exceptions.
#include "tests/sim/machine.h"

#include <sys/mman.h>
#include <ucontext.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <limits>

#include "base/check.h"
#include "base/fatal.h"
#include "base/lock.h"
#include "base/rng.h"
#include "base/sim.h"
#include "sched/tls.h"

extern "C" void* __cxa_get_globals();

namespace tricolor::base::sim {
int64_t g_left = std::numeric_limits<int64_t>::max();
}  // namespace tricolor::base::sim

namespace tricolor::sim {

namespace {

constexpr uint32_t kMostFibers = 256;
constexpr size_t kStackBytes = size_t{256} << 10;
constexpr uint32_t kTraceRing = 512;
constexpr size_t kEhBytes = 16;      // __cxa_eh_globals
constexpr size_t kHeldBytes = 2304;  // at least base/lock.cc's list
constexpr uint64_t kNever = UINT64_MAX;

enum class State : uint8_t { kNone, kRunnable, kWaiting, kDone };

struct Fiber {
  State state = State::kNone;
  bool timed_out = false;
  const void* word = nullptr;  ///< what it waits on
  uint64_t deadline_ns = kNever;
  uint64_t priority = 0;
  FiberMain main = nullptr;
  void* arg = nullptr;
  char* stack = nullptr;
  uint32_t done = 0;  ///< what join() waits on
  ucontext_t context;
  // Of the thread, while others run.
  sched::M* m = nullptr;
  int error = 0;
  char eh[kEhBytes] = {};
  char held[kHeldBytes] = {};
};

struct Note {
  uint32_t fiber;
  const char* name;
};

struct Machine {
  MachineOptions options;
  base::Rng rng;
  Fiber fibers[kMostFibers];
  uint32_t count = 0;
  uint32_t current = 0;
  bool live = false;
  bool by_priority = false;
  uint64_t mean_gap = 0;
  uint64_t step_ns = 0;
  uint64_t spurious = 0;  ///< one wait in so many ends early; 0: none
  uint64_t time_ns = 0;   ///< when the gap began
  int64_t gap = 0;
  uint64_t steps = 0;  ///< before the gap
  uint64_t switches = 0;
  uint64_t lowest = 0;
  uint64_t hash = 0;
  Note notes[kTraceRing] = {};
  uint64_t noted = 0;
  base::FatalDumper dumper{};
};

Machine g;

uint64_t below(uint64_t n) { return n == 0 ? 0 : g.rng.next() % n; }

void mix(uint64_t value) {
  g.hash = (g.hash ^ value) * 0x9e37'79b9'7f4a'7c15;
  g.hash ^= g.hash >> 29;
}

uint64_t gone() { return static_cast<uint64_t>(g.gap - base::sim::g_left); }

void begin_gap() {
  g.time_ns += gone() * g.step_ns;
  g.steps += gone();
  g.gap = static_cast<int64_t>(1 + below(2 * g.mean_gap));
  base::sim::g_left = g.gap;
}

void dump(void*, base::FatalSink& sink) {
  sink.print("sim: seed %llu, step %llu, fiber %u; the last points:\n",
             static_cast<unsigned long long>(g.options.seed),
             static_cast<unsigned long long>(g.steps), g.current);
  sink.print("  time %llu us, %s, a switch each %llu steps of %llu ns\n",
             static_cast<unsigned long long>(g.time_ns / 1000),
             g.by_priority ? "by priority" : "random",
             static_cast<unsigned long long>(g.mean_gap),
             static_cast<unsigned long long>(g.step_ns));
  constexpr const char* kStates[] = {"none", "runnable", "waiting", "done"};
  for (uint32_t i = 0; i < g.count; ++i) {
    const Fiber& f = g.fibers[i];
    if (f.state == State::kDone) continue;
    const bool timed = f.state == State::kWaiting && f.deadline_ns != kNever;
    sink.print("  fiber %u: %s", i, kStates[static_cast<int>(f.state)]);
    if (timed) {
      sink.print(" until %llu us",
                 static_cast<unsigned long long>(f.deadline_ns / 1000));
    }
    sink.print("\n");
  }
  const uint64_t n = g.noted < 80 ? g.noted : 80;
  for (uint64_t i = g.noted - n; i < g.noted; ++i) {
    const Note& note = g.notes[i % kTraceRing];
    sink.print("  %2u %s\n", note.fiber, note.name);
  }
}

void note(const char* name) {
  g.notes[g.noted++ % kTraceRing] = {g.current, name};
  if (g.options.trace) {
    std::fprintf(stderr, "%10llu %2u %s\n",
                 static_cast<unsigned long long>(g.steps + gone()), g.current,
                 name);
  }
}

void save(Fiber* f) {
  size_t bytes = 0;
  const void* held = base::held_locks_of_thread(&bytes);
  TRI_CHECK(bytes <= kHeldBytes);
  std::memcpy(f->held, held, bytes);
  std::memcpy(f->eh, __cxa_get_globals(), kEhBytes);
  f->m = sched::current_m();
}

void restore(const Fiber* f) {
  size_t bytes = 0;
  void* held = base::held_locks_of_thread(&bytes);
  std::memcpy(held, f->held, bytes);
  std::memcpy(__cxa_get_globals(), f->eh, kEhBytes);
  sched::set_current_m(f->m);
}

void switch_to(uint32_t next) {
  if (next == g.current) return;
  Fiber* from = &g.fibers[g.current];
  Fiber* to = &g.fibers[next];
  ++g.switches;
  mix(next);
  save(from);
  from->error = errno;
  g.current = next;
  restore(to);
  swapcontext(&from->context, &to->context);
  errno = from->error;  // `from` runs again
}

/// Those whose time has come, or who are woken for nothing.
void end_waits() {
  for (uint32_t i = 0; i < g.count; ++i) {
    Fiber& f = g.fibers[i];
    if (f.state != State::kWaiting) continue;
    if (f.deadline_ns <= g.time_ns) {
      f.timed_out = true;
      f.state = State::kRunnable;
    } else if (g.spurious != 0 && below(g.spurious) == 0) {
      f.state = State::kRunnable;
    }
  }
}

uint32_t pick() {
  uint32_t n = 0;
  uint32_t best = kMostFibers;
  uint32_t ids[kMostFibers];
  for (uint32_t i = 0; i < g.count; ++i) {
    if (g.fibers[i].state != State::kRunnable) continue;
    ids[n++] = i;
    if (best == kMostFibers || g.fibers[i].priority > g.fibers[best].priority) {
      best = i;
    }
  }
  if (n == 0) return kMostFibers;
  return g.by_priority ? best : ids[below(n)];
}

/// Another fiber's turn, maybe the caller's own.
void reschedule() {
  begin_gap();
  if (g.steps > g.options.most_steps) {
    TRI_FATAL("sim: no end after %llu steps",
              static_cast<unsigned long long>(g.steps));
  }
  end_waits();
  uint32_t next = pick();
  if (next == kMostFibers) {
    uint64_t first = kNever;
    for (uint32_t i = 0; i < g.count; ++i) {
      const Fiber& f = g.fibers[i];
      if (f.state == State::kWaiting && f.deadline_ns < first) {
        first = f.deadline_ns;
      }
    }
    TRI_CHECK(first != kNever, "sim: every thread waits for another");
    g.time_ns = first;
    end_waits();
    next = pick();
  }
  switch_to(next);
}

void lower_priority() { g.fibers[g.current].priority = --g.lowest; }

void fiber_entry() {
  Fiber& f = g.fibers[g.current];
  f.main(f.arg);
  f.done = 1;
  f.state = State::kDone;
  wake(&f.done, std::numeric_limits<int>::max());
  reschedule();
  TRI_FATAL("sim: a fiber runs behind its end");
}

}  // namespace

void begin(const MachineOptions& options) {
  TRI_CHECK(!g.live);
  g.options = options;
  g.rng = base::Rng(options.seed * 0x9e37'79b9'7f4a'7c15 + 1);
  for (int i = 0; i < 4; ++i) g.rng.next();
  constexpr uint64_t kGaps[] = {2, 8, 40, 200, 2000};
  constexpr uint64_t kStepNs[] = {10, 10, 200, 20'000};
  g.by_priority = below(3) == 0;
  g.mean_gap = kGaps[below(5)];
  g.step_ns = kStepNs[below(4)];
  g.spurious = below(2) == 0 ? 0 : 50;
  g.time_ns = 1'000'000'000;
  g.lowest = uint64_t{1} << 62;
  g.fibers[0].state = State::kRunnable;
  g.fibers[0].priority = g.lowest + 1 + below(uint64_t{1} << 61);
  g.count = 1;
  g.live = true;
  g.gap = base::sim::g_left = 1;
  g.dumper = {&dump, nullptr};
  base::add_fatal_dumper(&g.dumper);
}

uint64_t end() {
  for (uint32_t i = 1; i < g.count; ++i) {
    TRI_CHECK(g.fibers[i].state == State::kDone, "sim: fiber %u has not ended",
              i);
  }
  g.steps += gone();
  g.live = false;
  base::sim::g_left = std::numeric_limits<int64_t>::max();
  mix(g.steps);
  mix(g.noted);
  mix(g.time_ns);
  return g.hash;
}

uint64_t steps() { return g.steps; }

uint64_t now_ns() {
  base::sim::step();  // who only looks at the clock gets on, too
  return g.time_ns + gone() * g.step_ns;
}

void block_ns(uint64_t ns) {
  const uint64_t until = now_ns() + ns;
  const uint32_t never = 0;
  for (uint64_t now = now_ns(); now < until; now = now_ns()) {
    wait(&never, 0, static_cast<int64_t>(until - now));
  }
}

uint64_t random(uint64_t n) { return below(n); }

uint32_t start(FiberMain main, void* arg) {
  TRI_CHECK(g.live, "sim: a thread outside of a run");
  if (g.count == kMostFibers) return 0;
  const uint32_t id = g.count++;
  Fiber& f = g.fibers[id];
  f.stack =
      static_cast<char*>(mmap(nullptr, kStackBytes, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  TRI_CHECK(f.stack != MAP_FAILED);
  f.main = main;
  f.arg = arg;
  f.priority = g.lowest + 1 + below(uint64_t{1} << 61);
  getcontext(&f.context);
  f.context.uc_stack.ss_sp = f.stack;
  f.context.uc_stack.ss_size = kStackBytes;
  f.context.uc_link = nullptr;
  makecontext(&f.context, &fiber_entry, 0);
  f.state = State::kRunnable;
  base::sim::step();
  return id;
}

uint32_t current_fiber() { return g.current; }

void join(uint32_t fiber) {
  Fiber& f = g.fibers[fiber];
  while (f.done == 0) wait(&f.done, 0, -1);
}

int wait(const void* word, uint32_t expected, int64_t timeout_ns) {
  base::sim::step();
  uint32_t now = 0;
  std::memcpy(&now, word, sizeof(now));
  if (now != expected) return EAGAIN;
  Fiber& f = g.fibers[g.current];
  f.word = word;
  f.timed_out = false;
  f.deadline_ns =
      timeout_ns < 0 ? kNever : now_ns() + static_cast<uint64_t>(timeout_ns);
  // now_ns() is a step: the word may have changed.
  std::memcpy(&now, word, sizeof(now));
  if (now != expected) return EAGAIN;
  f.state = State::kWaiting;
  reschedule();
  return f.timed_out ? ETIMEDOUT : 0;
}

int wake(const void* word, int n) {
  int woken = 0;
  const uint32_t from = static_cast<uint32_t>(below(g.count));
  for (uint32_t i = 0; i < g.count && woken < n; ++i) {
    Fiber& f = g.fibers[(from + i) % g.count];
    if (f.state != State::kWaiting || f.word != word) continue;
    f.state = State::kRunnable;
    ++woken;
  }
  base::sim::step();
  return woken;
}

Bounds stack_of_fiber() {
  const Fiber& f = g.fibers[g.current];
  if (f.stack == nullptr) return {};
  return {f.stack, f.stack + kStackBytes};
}

Thread::Thread(void (*main)(void*), void* arg)
    : main_(main), arg_(arg), fiber_(start(&Thread::run, this)) {
  TRI_CHECK(fiber_ != 0, "sim: too many threads");
}

void Thread::join() { sim::join(fiber_); }

void* Thread::run(void* self) {
  auto* thread = static_cast<Thread*>(self);
  thread->main_(thread->arg_);
  return nullptr;
}

}  // namespace tricolor::sim

extern "C" void tri_detail_step(void) { tricolor::base::sim::step(); }

namespace tricolor::base::sim {

namespace machine = tricolor::sim;

void step_slow() {
  if (!machine::g.live) {
    g_left = std::numeric_limits<int64_t>::max();
    return;
  }
  if (machine::g.by_priority) machine::lower_priority();
  machine::reschedule();
}

void point(const char* name) {
  if (!machine::g.live) return;
  machine::note(name);
  for (const char* c = name; *c != 0; ++c) {
    machine::mix(static_cast<unsigned char>(*c));
  }
  // As good a place as eight others.
  for (int i = 0; i < 8; ++i) step();
}

const void* this_thread() { return &machine::g.fibers[machine::g.current]; }

bool is_planted(const char* bug) {
  return machine::g.live && std::strcmp(machine::g.options.plant, bug) == 0;
}

void pause() {
  if (!machine::g.live) return;
  if (machine::g.by_priority) machine::lower_priority();
  machine::reschedule();
}

void freeze() {
  machine::g.live = false;
  g_left = std::numeric_limits<int64_t>::max();
}

}  // namespace tricolor::base::sim
