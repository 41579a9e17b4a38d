// SPDX-License-Identifier: MIT
// Copyright tricolor authors
//
// The hooks of the deterministic build (TRI_SIM=1): all threads of the library
// are fibers of one thread, and every atomic operation and every
// TRI_SCHED_POINT is a step after which another may go on. Which one, and after
// how many steps, is drawn from a seed. The machine behind the hooks is in
// tests/sim/; futexes, threads and clocks are its own there.
//
// What it explores is sequentially consistent: memory orders are the business
// of ThreadSanitizer and of the models (tests/model/).
//
// Threads: one.
#ifndef TRICOLOR_BASE_SIM_H_
#define TRICOLOR_BASE_SIM_H_

#include <cstdint>

namespace tricolor::base::sim {

// Steps until the next switch.
extern int64_t g_left;

// The picker's turn.
void step_slow();

inline void step() {
  if (--g_left <= 0) step_slow();
}

// A step with a name, for the trace.
void point(const char* name);

// The caller spins: others first.
void pause();

// Whether this run has the bug of that name.
bool is_planted(const char* bug);

// The process is about to end: no more switches.
void freeze();

// Which thread this is, for comparison.
const void* this_thread();

}  // namespace tricolor::base::sim

#endif  // TRICOLOR_BASE_SIM_H_
