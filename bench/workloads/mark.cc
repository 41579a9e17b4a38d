// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// What a collection of a large live graph costs: a tree, a random graph, a
// list, and one of eight random edges a node, collected on demand while nothing
// else runs. The peers' twins are in bench/peers/mark; bench/README.md has the
// definition and the output. argv: SHAPE COUNT ROUNDS | scale COUNT ROUNDS |
// --smoke.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <vector>

#include "tricolor/all.h"

namespace {

using tricolor::Field;
using tricolor::GcEvent;
using tricolor::GcPhase;
using tricolor::LayoutId;
using tricolor::Local;
using tricolor::Mutator;
using tricolor::RuntimePtr;
using tricolor::Scope;
using tricolor::Type;

struct TreeNode {
  Field<TreeNode> left;
  Field<TreeNode> right;
};

/// Two edges in 32 bytes (list, random), or eight in 64 (fan8).
template <size_t kEdges>
struct Node {
  Field<Node> edges[kEdges];
};
struct Padded {
  Field<Padded> edges[2];
  uint64_t data[2];
};

/// CPU time of all threads at the begin and the end of the last mark.
struct Marks {
  double begin_ns = 0;
  double end_ns = 0;
  uint64_t wall_begin_ns = 0;
  uint64_t wall_end_ns = 0;
};

double cpu_ns() {
  timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) * 1e9 + static_cast<double>(t.tv_nsec);
}

void listen(tricolor::Runtime&, const GcEvent& event, void* ctx) {
  auto* marks = static_cast<Marks*>(ctx);
  if (event.phase == GcPhase::kMark) {
    marks->begin_ns = cpu_ns();
    marks->wall_begin_ns = event.time_ns;
  } else if (event.phase == GcPhase::kSettle) {
    marks->end_ns = cpu_ns();
    marks->wall_end_ns = event.time_ns;
  }
}

RuntimePtr start(uint32_t procs, Marks* marks) {
  tricolor::Options options;
  if (procs != 0) options.max_procs = procs;
  options.on_gc_event = &listen;
  options.on_gc_event_ctx = marks;
  tricolor::Error error;
  RuntimePtr rt = tricolor::Runtime::create(options, &error);
  if (rt == nullptr) {
    std::fprintf(stderr, "%s\n", error.text);
    std::exit(1);
  }
  return rt;
}

/// A layout of `bytes` whose first `edges` words are pointers.
LayoutId register_node(tricolor::Runtime& rt, size_t bytes, size_t edges) {
  uint32_t offsets[8];
  for (uint32_t i = 0; i < edges; ++i) offsets[i] = i * 8;
  tricolor::LayoutSpec spec;
  spec.name = "Node";
  spec.head_bytes = static_cast<uint32_t>(bytes);
  spec.pointer_offsets = offsets;
  spec.pointer_count = edges;
  return rt.register_layout(spec);
}

LayoutId register_array(tricolor::Runtime& rt) {
  tricolor::LayoutSpec spec;
  spec.name = "Nodes";
  spec.tail = tricolor::LayoutSpec::Tail::kPointers;
  return rt.register_layout(spec);
}

struct Random {
  uint64_t state = 0x9e3779b97f4a7c15;
  uint64_t below(uint64_t n) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state % n;
  }
};

TreeNode* build_tree(Mutator& mu, const Type<TreeNode>& type, int depth) {
  TreeNode* node = make(mu, type);
  if (depth == 0) return node;
  Scope<1> scope(mu);
  Local<TreeNode> root(scope, node);
  root->left.init(mu, build_tree(mu, type, depth - 1));
  root->right.init(mu, build_tree(mu, type, depth - 1));
  return root;
}

uint64_t count_tree(const TreeNode* node) {
  if (node == nullptr) return 0;
  return 1 + count_tree(node->left.load()) + count_tree(node->right.load());
}

/// `count` nodes in one random cycle of first edges, so that all are reached
/// from any; the other edges are random. With `list`: in order, and no others.
template <class N, size_t kEdges>
N* build_graph(Mutator& mu, LayoutId layout, LayoutId array_layout,
               uint64_t count, bool list) {
  Scope<1> scope(mu);
  Local<Field<N>> nodes(
      scope, tricolor::make_array<Field<N>>(mu, array_layout, count));
  const Type<N> type(layout);
  for (uint64_t i = 0; i < count; ++i) nodes[i].store(mu, make(mu, type));
  Random random;
  std::vector<uint32_t> order(count);
  for (uint64_t i = 0; i < count; ++i) order[i] = static_cast<uint32_t>(i);
  for (uint64_t i = count - 1; !list && i > 0; --i) {
    std::swap(order[i], order[random.below(i + 1)]);
  }
  for (uint64_t i = 0; i < count; ++i) {
    N* node = nodes[order[i]].load();
    const uint64_t next = i + 1 == count ? 0 : i + 1;
    node->edges[0].store(mu, nodes[order[next]].load());
    for (size_t e = 1; e < kEdges && !list; ++e) {
      node->edges[e].store(mu, nodes[random.below(count)].load());
    }
  }
  return nodes[0].load();
}

template <class N>
uint64_t count_cycle(const N* first) {
  uint64_t n = 0;
  const N* node = first;
  do {
    ++n;
    node = node->edges[0].load();
  } while (node != first);
  return n;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

struct Times {
  std::vector<double> mark_cpu;
  std::vector<double> mark_wall;
  std::vector<double> full;
};

/// Forced collections, the first not counted; nanoseconds a cell.
Times measure(Mutator& mu, const Marks& marks, int rounds) {
  Times times;
  for (int i = 0; i <= rounds; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    tricolor::collect(mu);
    const std::chrono::duration<double, std::nano> full =
        std::chrono::steady_clock::now() - begin;
    const auto cells = static_cast<double>(
        tricolor::stats(tricolor::runtime_of(mu)).live_cells);
    if (i == 0) continue;
    times.mark_cpu.push_back((marks.end_ns - marks.begin_ns) / cells);
    times.mark_wall.push_back(
        static_cast<double>(marks.wall_end_ns - marks.wall_begin_ns) / cells);
    times.full.push_back(full.count() / cells);
  }
  return times;
}

/// The graph of that shape on so many Ps (0: as the environment says).
Times run_shape(const char* shape, uint64_t count, int rounds, uint32_t procs,
                uint64_t* found) {
  Marks marks;
  RuntimePtr rt = start(procs, &marks);
  const LayoutId array = register_array(*rt);
  Times times;
  rt->run([&](Mutator& mu) {
    Scope<1> scope(mu);
    if (std::strcmp(shape, "tree") == 0) {
      int depth = 0;
      while ((uint64_t{2} << depth) - 1 < count) ++depth;
      const Type<TreeNode> type(register_node(*rt, 16, 2));
      Local<TreeNode> tree(scope, build_tree(mu, type, depth));
      times = measure(mu, marks, rounds);
      *found = count_tree(tree);
    } else if (std::strcmp(shape, "fan8") == 0) {
      using N = Node<8>;
      const LayoutId layout = register_node(*rt, 64, 8);
      Local<N> graph(scope, build_graph<N, 8>(mu, layout, array, count, false));
      times = measure(mu, marks, rounds);
      *found = count_cycle(graph.get());
    } else {
      const LayoutId layout = register_node(*rt, 32, 2);
      const bool list = std::strcmp(shape, "list") == 0;
      Local<Padded> graph(
          scope, build_graph<Padded, 2>(mu, layout, array, count, list));
      times = measure(mu, marks, rounds);
      *found = count_cycle(graph.get());
    }
  });
  return times;
}

int run(const char* shape, uint64_t count, int rounds) {
  uint64_t found = 0;
  const Times times = run_shape(shape, count, rounds, 0, &found);
  std::printf("checksum mark %s: %llu\n", shape,
              static_cast<unsigned long long>(found));
  std::printf("metric mark_ns %.4f\n", median(times.mark_cpu));
  std::printf("metric full_ns %.4f\n", median(times.full));
  return 0;
}

int run_scale(uint64_t count, int rounds) {
  uint64_t found = 0;
  const Times one = run_shape("tree", count, rounds, 1, &found);
  const Times two = run_shape("tree", count, rounds, 2, &found);
  std::printf("checksum mark scale: %llu\n",
              static_cast<unsigned long long>(found));
  std::printf("metric scale_2 %.4f\n",
              median(one.mark_wall) / median(two.mark_wall));
  return 0;
}

bool known(const char* shape) {
  for (const char* s : {"tree", "random", "list", "fan8"}) {
    if (std::strcmp(shape, s) == 0) return true;
  }
  return false;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2 && std::strcmp(argv[1], "--smoke") == 0) {
    for (const char* s : {"tree", "random", "list", "fan8"}) run(s, 1023, 1);
    return run_scale(1023, 1);
  }
  const uint64_t count = argc == 4 ? std::strtoull(argv[2], nullptr, 10) : 0;
  const int rounds = argc == 4 ? std::atoi(argv[3]) : 0;
  if (count > 0 && rounds > 0 && std::strcmp(argv[1], "scale") == 0) {
    return run_scale(count, rounds);
  }
  if (count == 0 || rounds <= 0 || !known(argv[1])) {
    std::fprintf(stderr,
                 "usage: %s SHAPE COUNT ROUNDS | scale COUNT ROUNDS | --smoke\n"
                 "SHAPE: tree, random, list or fan8\n",
                 argv[0]);
    return 2;
  }
  return run(argv[1], count, rounds);
}
