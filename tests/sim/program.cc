// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// See tests/sim/program.h.
#include "tests/sim/program.h"

namespace tricolor::sim {

Program* make_program(const char* debug) {
  static constexpr const char* kDebug[] = {
      "", "smallbuffers=1", "gcstress=3", "pollstress=2",
      "smallbuffers=1,gcstress=2,clobberfree=2"};
  auto* program = new Program();
  Options o;
  o.env_prefix = "";
  o.max_procs = static_cast<uint32_t>(1 + random(4));
  o.reservation_bytes = size_t{64} << 20;
  o.gc_percent = random(2) == 0 ? 100 : 20;
  o.initial_heap_bytes = size_t{64} << 10;
  o.debug = debug != nullptr ? debug : kDebug[random(5)];
  Error error;
  program->rt = Runtime::create(o, &error);
  TRI_CHECK(program->rt != nullptr, "%s", error.text);
  const uint32_t offsets[] = {0, 8};
  LayoutSpec spec;
  spec.name = "Node";
  spec.head_bytes = sizeof(Node);
  spec.pointer_offsets = offsets;
  spec.pointer_count = 2;
  program->node = Type<Node>(program->rt->register_layout(spec, &error));
  TRI_CHECK(error.ok(), "%s", error.text);
  return program;
}

void end_program(Program* program) {
  program->rt.reset();
  delete program;
}

Node* make_tree(Mutator& mu, const Type<Node>& type, uint64_t height) {
  Scope<1> scope(mu);
  Local<Node> root(scope, make(mu, type));
  root->value = height;
  if (height == 0) return root;
  root->left.store(mu, make_tree(mu, type, height - 1));
  root->right.store(mu, make_tree(mu, type, height - 1));
  return root;
}

void check_tree(const Node* root, uint64_t height) {
  TRI_CHECK(root != nullptr && root->value == height, "a tree has lost a node");
  if (height == 0) return;
  check_tree(root->left.load(), height - 1);
  check_tree(root->right.load(), height - 1);
}

}  // namespace tricolor::sim
