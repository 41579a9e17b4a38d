// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Several tasks rewire one shared graph through the barrier during hundreds of
// cycles. Every node carries a checksum of its identity (address, id); a lost
// object shows as a damaged one (its cell is reused, clobbered or poisoned) or
// is found by the second mark.
//
// The shared part is a managed array of nodes; each task walks from random
// places of it, stores nodes it found or made into random fields, drops others,
// and passes nodes to short child tasks that return one.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <string>
#include <vector>

#include "base/macros.h"
#include "tests/support/stress.h"
#include "tricolor/all.h"

namespace tricolor::testing {
namespace {

struct Node {
  Field<Node> edges[3];
  uint64_t id;
  uint64_t sum;

  static uint64_t checksum(const Node* n, uint64_t id) {
    return (reinterpret_cast<uint64_t>(n) ^ (id * 0x9e3779b97f4a7c15u)) + 1;
  }
  bool intact() const { return sum == checksum(this, id); }
};

struct Random {
  uint64_t state;
  uint64_t next() {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
  }
  size_t below(size_t n) { return static_cast<size_t>(next() % n); }
};

struct World {
  Type<Node> node;
  LayoutId array;
  size_t roots;
  std::atomic<bool> stop{false};
};

using Roots = Field<Node>;  // the array's element

Node* make_node(Mutator& mu, const World& w, uint64_t id) {
  Node* n = make(mu, w.node);
  n->id = id;
  n->sum = Node::checksum(n, id);
  return n;
}

[[noreturn]] void damaged(const Node* n, const char* where) {
  std::fprintf(stderr, "damaged node %p (id %llu) %s\n",
               static_cast<const void*>(n),
               static_cast<unsigned long long>(n->id), where);
  std::abort();
}

void check(const Node* n, const char* where) {
  if (n != nullptr && !n->intact()) damaged(n, where);
}

Node* walk(const Roots* roots, const World& w, Random& random) {
  Node* at = roots[random.below(w.roots)].load();
  for (size_t steps = random.below(12); at != nullptr && steps > 0; --steps) {
    check(at, "on a walk");
    Node* next = at->edges[random.below(3)].load();
    if (next == nullptr) break;
    at = next;
  }
  check(at, "at a walk's end");
  return at;
}

/// A short task: allocates around the node it was given and returns it.
Node* child(Mutator& mu, Node* given, Plain<const World> w, uint64_t seed) {
  Random random{seed | 1};
  Scope<2> scope(mu);
  Local<Node> kept(scope, given);
  Local<Node> fresh(scope);
  for (int i = 0; i < 20; ++i) {
    fresh = make_node(mu, *w.p, random.next());
    fresh->edges[0].store(mu, kept);
    if (random.below(4) == 0) yield(mu);
  }
  check(kept, "in a child task");
  return random.below(2) != 0 ? kept.get() : fresh.get();
}

void mutate_once(Mutator& mu, const World& w, Roots* roots, Random& random,
                 Local<Node>& a, Local<Node>& b) {
  switch (random.below(10)) {
    case 8:
      if (a.get() != nullptr && b.get() != nullptr) {
        copy_fields(mu, a->edges, b->edges, 3);
      }
      break;
    case 9:  // inside itself
      if (a.get() != nullptr) copy_fields(mu, &a->edges[1], a->edges, 2);
      break;
    case 0:
    case 1:
      a = make_node(mu, w, random.next());
      break;
    case 2:
      a = walk(roots, w, random);
      break;
    case 3:
      b = walk(roots, w, random);
      break;
    case 4:
      if (a.get() != nullptr) a->edges[random.below(3)].store(mu, b);
      break;
    case 5:
      roots[random.below(w.roots)].store(mu, a);
      break;
    case 6:
      if (a.get() != nullptr) b = a->edges[random.below(3)].exchange(mu, b);
      break;
    default:
      if (b.get() != nullptr) {
        Node* expected = b->edges[1].load();
        b->edges[1].compare_exchange(mu, expected, a);
      }
  }
  check(a, "held in a");
  check(b, "held in b");
}

void mutator_task(Mutator& mu, Roots* roots, Plain<const World> world,
                  uint64_t seed) {
  const World& w = *world.p;
  Random random{seed | 1};
  Scope<2> scope(mu);
  Local<Node> a(scope), b(scope);
  while (!w.stop.load(std::memory_order_relaxed)) {
    mutate_once(mu, w, roots, random, a, b);
    poll(mu);
    if (random.below(2000) == 0) yield(mu);
    if (random.below(500) == 0 && a.get() != nullptr) {
      Task<Node*> t = spawn(mu, &child, a.get(), world, random.next());
      b = join(mu, t);
      check(b, "returned by a child");
    }
  }
}

LayoutId must_register(Runtime& rt, const LayoutSpec& spec) {
  Error error;
  LayoutId id = rt.register_layout(spec, &error);
  EXPECT_NE(id, kInvalidLayout) << error.text;
  return id;
}

void fill_world(Runtime& rt, World& w) {
  uint32_t offsets[] = {0, 8, 16};
  LayoutSpec node;
  node.name = "Node";
  node.head_bytes = sizeof(Node);
  node.pointer_offsets = offsets;
  node.pointer_count = 3;
  LayoutSpec array;
  array.name = "roots";
  array.tail = LayoutSpec::Tail::kPointers;
  w.node = Type<Node>(must_register(rt, node));
  w.array = must_register(rt, array);
  w.roots = 512;
}

/// Runs `tasks` mutators until `cycles` cycles are over.
void run_graph(const Options& options, int tasks, int cycles) {
  uint64_t seed = test_seed();
  Error error;
  RuntimePtr rt = Runtime::create(options, &error);
  EXPECT_NE(rt, nullptr) << error.text;
  World world;
  fill_world(*rt, world);
  rt->run([&](Mutator& mu) {
    Scope<1> scope(mu);
    auto* roots = make_array<Roots>(mu, world.array, world.roots);
    *scope.take() = roots;
    std::vector<Task<void>> running;
    for (int i = 0; i < tasks; ++i) {
      running.push_back(spawn(mu, &mutator_task, roots,
                              plain(const_cast<const World*>(&world)),
                              seed + static_cast<uint64_t>(i) * 7919));
    }
    auto target = static_cast<uint64_t>(cycles);
    while (stats(*rt).cycles < target) sleep_ns(mu, 1000000);
    world.stop.store(true);
    for (auto& t : running) join(mu, t);
    collect(mu);
    Random random{seed | 1};
    for (int i = 0; i < 20000; ++i) walk(roots, world, random);
  });
  EXPECT_GE(stats(*rt).cycles, static_cast<uint64_t>(cycles));
}

Options small_heap(uint32_t procs) {
  Options o;
  o.max_procs = procs;
  o.initial_heap_bytes = 512 << 10;
  o.env_prefix = "";
  return o;
}

class stress_gc : public ::testing::TestWithParam<uint32_t> {};

/// More Ps than cores make a handshake wait for threads the OS has put aside.
int cycles_for(uint32_t procs, int short_n, int long_n) {
  int n = stress_scale(short_n, long_n);
  return procs > 2 ? n / 4 : n;
}

TEST_P(stress_gc, shared_graph) {
  run_graph(small_heap(GetParam()), 8, cycles_for(GetParam(), 100, 4000));
}

TEST_P(stress_gc, shared_graph_second_mark) {
  Options o = small_heap(GetParam());
  o.debug = "gccheckmark=1,clobberfree=1";
  run_graph(o, 8, cycles_for(GetParam(), 60, 2000));
}

TEST_P(stress_gc, shared_graph_zeal) {
  Options o = small_heap(GetParam());
  o.debug = "gccheckmark=1,clobberfree=1,gcstress=8";
  run_graph(o, 4, cycles_for(GetParam(), 60, 2000));
}

TEST_P(stress_gc, shared_graph_audited) {
  // The auditor looks at the whole heap twice a cycle: minutes here.
  if (TRI_TSAN && !stress_mode()) GTEST_SKIP();
  Options o = small_heap(GetParam());
  o.debug = "barriercheck=1,badptr=1,clobberfree=2,smallbuffers=1";
  run_graph(o, 8, cycles_for(GetParam(), 30, 300));
}

TEST_P(stress_gc, shared_graph_stopped_at_safepoints) {
  Options o = small_heap(GetParam());
  o.debug = "gccheckmark=1,clobberfree=2,pollstress=50";
  run_graph(o, 4, cycles_for(GetParam(), 60, 2000));
}

TEST_P(stress_gc, shared_graph_tiny_goal) {
  Options o = small_heap(GetParam());
  o.gc_percent = 5;
  o.initial_heap_bytes = 64 << 10;
  o.debug = "gccheckmark=1";
  run_graph(o, 12, cycles_for(GetParam(), 60, 2000));
}

INSTANTIATE_TEST_SUITE_P(procs, stress_gc, ::testing::Values(1u, 2u, 8u),
                         [](const auto& info) {
                           return std::to_string(info.param) + "_ps";
                         });

}  // namespace
}  // namespace tricolor::testing
