// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Binary trees on the managed heap: one task per job, as an embedder would
// write it. The peers' twins are in bench/peers/binary_trees; bench/README.md
// has the definition and the checksum line. argv: [DEPTH | --smoke].
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "tricolor/all.h"

namespace {

using tricolor::Field;
using tricolor::Local;
using tricolor::Mutator;
using tricolor::Scope;
using tricolor::Type;

struct Node {
  Field<Node> left;
  Field<Node> right;
};

struct Program {
  Type<Node> type;
};

Node* build(Mutator& mu, const Type<Node>& type, int depth) {
  Node* node = make(mu, type);
  if (depth == 0) return node;
  Scope<1> scope(mu);
  Local<Node> root(scope, node);
  root->left.init(mu, build(mu, type, depth - 1));
  root->right.init(mu, build(mu, type, depth - 1));
  return root;
}

/// Polls, as any loop of an embedder does that may run for long.
long count(Mutator& mu, const Node* node) {
  tricolor::poll(mu);
  const Node* left = node->left.load();
  if (left == nullptr) return 1;
  return 1 + count(mu, left) + count(mu, node->right.load());
}

long job(Mutator& mu, tricolor::Plain<const Program> program, int depth,
         long trees) {
  long nodes = 0;
  Scope<1> scope(mu);
  Local<Node> tree(scope);
  for (long i = 0; i < trees; ++i) {
    tree = build(mu, program.p->type, depth);
    nodes += count(mu, tree);
  }
  return nodes;
}

constexpr int kStep = 4;

void run(Mutator& mu, const Program& program, int max_depth) {
  Scope<1> scope(mu);
  Local<Node> long_lived(scope, build(mu, program.type, max_depth));
  tricolor::Task<long> jobs[16];
  int n = 0;
  for (int depth = kStep; depth < max_depth; depth += kStep) {
    jobs[n++] = tricolor::spawn(mu, &job, tricolor::plain(&program), depth,
                                1L << (max_depth + kStep - depth));
  }
  std::printf("checksum binary_trees %d:", max_depth);
  for (int i = 0; i < n; ++i) {
    std::printf(" %d=%ld", (i + 1) * kStep, tricolor::join(mu, jobs[i]));
  }
  std::printf(" long=%ld\n", count(mu, long_lived));
}

}  // namespace

int main(int argc, char** argv) {
  bool smoke = argc > 1 && std::strcmp(argv[1], "--smoke") == 0;
  int max_depth = smoke ? 10 : argc > 1 ? std::atoi(argv[1]) : 21;
  if (max_depth < 1 || max_depth > 40) {
    std::fprintf(stderr, "usage: %s DEPTH (1 to 40) | --smoke\n", argv[0]);
    return 2;
  }
  tricolor::Error error;
  tricolor::RuntimePtr rt = tricolor::Runtime::create({}, &error);
  if (rt == nullptr) {
    std::fprintf(stderr, "%s\n", error.text);
    return 1;
  }
  const uint32_t pointers[] = {tricolor::offset_of(&Node::left),
                               tricolor::offset_of(&Node::right)};
  tricolor::LayoutSpec spec;
  spec.name = "Node";
  spec.head_bytes = sizeof(Node);
  spec.pointer_offsets = pointers;
  spec.pointer_count = 2;
  Program program{Type<Node>(rt->register_layout(spec, &error))};
  if (program.type.layout == tricolor::kInvalidLayout) {
    std::fprintf(stderr, "%s\n", error.text);
    return 1;
  }
  rt->run([&](Mutator& mu) { run(mu, program, max_depth); });
  return 0;
}
