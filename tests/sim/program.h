// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// What scenarios share: a runtime with a type of cells, and trees of them that
// show whether a node was lost. Plain shared words of a scenario need no
// atomics: there is one thread, and between two steps nobody else runs.
#ifndef TRICOLOR_TESTS_SIM_PROGRAM_H_
#define TRICOLOR_TESTS_SIM_PROGRAM_H_

#include <cstdint>

#include "base/check.h"
#include "tests/sim/machine.h"
#include "tricolor/all.h"

namespace tricolor::sim {

struct Node {
  Field<Node> left;
  Field<Node> right;
  uint64_t value;
};

struct Program {
  RuntimePtr rt;
  Type<Node> node;
  uint64_t count = 0;
  bool stop = false;
};

/// A runtime of 1 to 4 Ps whose collector has, by the seed, any of its modes
/// on.
Program* make_program(const char* debug = nullptr);
void end_program(Program* program);

/// A tree whose nodes know their height.
Node* make_tree(Mutator& mu, const Type<Node>& type, uint64_t height);
void check_tree(const Node* root, uint64_t height);

}  // namespace tricolor::sim

#endif  // TRICOLOR_TESTS_SIM_PROGRAM_H_
