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
void selects();
void cancellations();
void locks();
void alarms();

extern const Scenario kScenarios[];
extern const size_t kScenarioCount;

}  // namespace tricolor::sim

#endif  // TRICOLOR_TESTS_SIM_SCENARIOS_H_
