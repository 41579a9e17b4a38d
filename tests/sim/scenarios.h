// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// What is run under the machine: small programs, each around one protocol, that
// check what they did. Their sizes are small, for what is wanted is many ways
// through the same few thousand steps.
#ifndef TRICOLOR_TESTS_SIM_SCENARIOS_H_
#define TRICOLOR_TESTS_SIM_SCENARIOS_H_

#include <cstddef>

namespace tricolor::sim {

struct Scenario {
  const char* name;
  const char* what;
  void (*run)();
};

// waits.cc
void channels();
void hand_offs();
void selects();
void cancellations();
void locks();
void alarms();
// scenarios_procs.cc
void deadlock();
void locked();
void resize();
void company();
// --- task_scenarios.cc.
void failing_tasks();
void exits_against_stops();
void blocking_calls();
void coroutines_at_once();

extern const Scenario kScenarios[];
extern const size_t kScenarioCount;

}  // namespace tricolor::sim

#endif  // TRICOLOR_TESTS_SIM_SCENARIOS_H_
