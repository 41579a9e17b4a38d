// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// A node with two edges and a checksum of its identity, and trees of it.
#ifndef TESTS_UNIT_GC_GRAPH_H_
#define TESTS_UNIT_GC_GRAPH_H_

#include <cstdint>

#include "tests/support/gc_alone.h"
#include "tricolor/local.h"

namespace tricolor::testing {

struct Node {
  Field<Node> left;
  Field<Node> right;
  uint64_t id;
  uint64_t sum;

  static uint64_t checksum(const Node* n, uint64_t id) {
    return (reinterpret_cast<uint64_t>(n) ^ (id * 0x9e3779b97f4a7c15u)) + 1;
  }
  void seal(uint64_t i) {
    id = i;
    sum = checksum(this, i);
  }
  bool intact() const { return sum == checksum(this, id); }
};

inline Type<Node> node_type(GcAlone& gc) {
  uint32_t offsets[] = {offset_of(&Node::left), offset_of(&Node::right)};
  LayoutSpec spec;
  spec.name = "Node";
  spec.head_bytes = sizeof(Node);
  spec.pointer_offsets = offsets;
  spec.pointer_count = 2;
  return Type<Node>(gc.layout(spec));
}

/// A full tree with 2^(depth + 1) - 1 nodes.
inline Node* make_tree(Mutator& mu, const Type<Node>& type, int depth,
                       uint64_t id = 1) {
  Scope<3> scope(mu);
  Local<Node> l(scope), r(scope);
  if (depth > 0) {
    l = make_tree(mu, type, depth - 1, id * 2);
    r = make_tree(mu, type, depth - 1, id * 2 + 1);
  }
  Node* n = make(mu, type);
  n->left.init(mu, l);
  n->right.init(mu, r);
  n->seal(id);
  return n;
}

/// Counts the nodes; -1 if one is damaged.
inline int64_t check_tree(const Node* n) {
  if (n == nullptr) return 0;
  if (!n->intact()) return -1;
  int64_t l = check_tree(n->left.load());
  int64_t r = check_tree(n->right.load());
  return l < 0 || r < 0 ? -1 : l + r + 1;
}

}  // namespace tricolor::testing

#endif  // TESTS_UNIT_GC_GRAPH_H_
