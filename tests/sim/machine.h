// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// The machine of the deterministic build: threads are fibers, of which one
// runs; after a number of steps (base/sim.h) drawn from the seed another may.
// Time stands still but for steps, and jumps when all wait.
//
// Two ways to pick, by the seed:
//   random    any that can run, after gaps of 1 to some thousand steps
//   priority  the one of highest priority, which now and then falls to the
//             lowest (after Burckhardt et al., "A randomized scheduler with
//             probabilistic guarantees of finding bugs", ASPLOS 2010): finds
//             what needs one thread to be left behind for long
//
// A wait may end without a wake, as base/futex.h allows. What a step costs in
// time is the seed's, too: 10 ns, or so much that ticks of 10 ms come while
// something is half done.
//
// All of this is a function of the seed, the program and its addresses; main.cc
// sees to the last.
//
// Threads: one.
#ifndef TRICOLOR_TESTS_SIM_MACHINE_H_
#define TRICOLOR_TESTS_SIM_MACHINE_H_

#include <cstddef>
#include <cstdint>

namespace tricolor::sim {

struct MachineOptions {
  uint64_t seed = 1;
  uint64_t most_steps = 50'000'000;  ///< then it is said not to end
  bool trace = false;                ///< print every named point
  const char* plant = "";            ///< a TRI_PLANTED bug
};

/// The calling thread becomes fiber 0, and the hooks are live.
void begin(const MachineOptions& options);

/// All other fibers have ended. Returns a number in which every switch and
/// every named point has a part: two runs of a seed have the same.
uint64_t end();

uint64_t steps();
uint64_t now_ns();

/// The thread sleeps, as in a system call.
void block_ns(uint64_t ns);

/// Numbers for the scenario, from the seed as well: [0, below).
uint64_t random(uint64_t below);

using FiberMain = void* (*)(void*);
/// Returns its number; 0: too many.
uint32_t start(FiberMain main, void* arg);
/// The calling one.
uint32_t current_fiber();
/// Waits for its end.
void join(uint32_t fiber);

/// A thread of a scenario. Joined by its end at the latest.
class Thread {
 public:
  Thread(void (*main)(void*), void* arg);
  ~Thread() { join(); }
  Thread(const Thread&) = delete;
  Thread& operator=(const Thread&) = delete;
  void join();

 private:
  static void* run(void* self);
  void (*main_)(void*);
  void* arg_;
  uint32_t fiber_;
};

// --- For os.cc.

/// As base/futex.h. `word` is not looked at through base/atomics.h.
int wait(const void* word, uint32_t expected, int64_t timeout_ns);
int wake(const void* word, int n);

struct Bounds {
  char* lo = nullptr;
  char* hi = nullptr;
};
/// The calling fiber's stack; null for fiber 0, which has the thread's.
Bounds stack_of_fiber();

}  // namespace tricolor::sim

#endif  // TRICOLOR_TESTS_SIM_MACHINE_H_
