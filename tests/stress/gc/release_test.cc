// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Several tasks release, grow and shrink what they own during hundreds of
// cycles. Ownership is handed on through a shared array by exchange, so cells
// are released on Ps that did not allocate them, into spans others hold. Every
// node and blob carries a checksum of its identity; a cell handed out twice or
// freed too early shows as a damaged one, or is found by the second mark.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <string>
#include <vector>

#include "base/macros.h"
#include "base/rng.h"
#include "tests/support/stress.h"
#include "tricolor/all.h"

namespace tricolor::testing {
namespace {

uint64_t checksum(const void* p, uint64_t id) {
  return (reinterpret_cast<uint64_t>(p) ^ (id * 0x9e3779b97f4a7c15u)) + 1;
}

struct Blob {
  uint64_t id;
  uint64_t sum;
  uint64_t bytes;  // its last word holds the id again
};

struct Node {
  Field<Blob> blob;
  Field<Node> child;
  uint64_t id;
  uint64_t sum;
};

struct World {
  Type<Node> node;
  LayoutId blob;
  LayoutId array;
  std::atomic<bool> stop{false};
  std::atomic<uint64_t> released{0};
  std::atomic<uint64_t> refused{0};
};

constexpr size_t kShared = 64;
using Slots = Field<Node>;

void expect(bool ok, const char* what, const void* cell) {
  if (ok) return;
  std::fprintf(stderr, "%s at %p\n", what, cell);
  std::abort();
}

uint64_t* last_word(Blob* b) {
  return reinterpret_cast<uint64_t*>(reinterpret_cast<char*>(b) + b->bytes) - 1;
}

void seal(Blob* b, uint64_t id, size_t bytes) {
  b->id = id;
  b->sum = checksum(b, id);
  b->bytes = bytes & ~size_t{7};
  *last_word(b) = id;
}

void check(Blob* b) {
  if (b == nullptr) return;
  expect(b->sum == checksum(b, b->id), "damaged blob", b);
  expect(*last_word(b) == b->id, "damaged end of a blob", b);
}

void check(Node* n) {
  if (n == nullptr) return;
  expect(n->sum == checksum(n, n->id), "damaged node", n);
  check(n->blob.load());
}

struct Worker {
  Mutator& mu;
  World& w;
  base::Rng rng;

  size_t random_bytes() {
    uint32_t kind = rng.below(100);
    if (kind == 0) return 33'000 + rng.below(200'000);
    return kind < 20 ? 512 + rng.below(8000) : 32 + rng.below(300);
  }

  Node* make_node(Node* child_in) {
    Scope<2> scope(mu);
    Local<Node> child(scope, child_in);
    Local<Node> node(scope, make(mu, w.node));
    node->id = rng.next();
    node->sum = checksum(node, node->id);
    node->child.init(mu, child);
    size_t bytes = random_bytes();
    auto* blob = static_cast<Blob*>(allocate(mu, w.blob, bytes));
    expect(blob->id == 0 && blob->sum == 0, "a new cell is not zero", blob);
    seal(blob, rng.next(), bytes);
    node->blob.store(mu, blob);
    return node;
  }

  void count(bool done) {
    (done ? w.released : w.refused).fetch_add(1, std::memory_order_relaxed);
  }

  /// The whole chain, which nobody else has.
  void release_chain(Node* n) {
    while (n != nullptr) {
      check(n);
      Node* child = n->child.load();
      if (Blob* b = n->blob.exchange(mu, nullptr)) count(release(mu, b));
      count(release(mu, n));
      n = child;
    }
  }

  void resize_blob(Node* n) {
    Blob* b = n->blob.load();
    if (b == nullptr) return;
    check(b);
    uint64_t id = b->id;
    if (rng.below(3) == 0 && b->bytes > 40'000) {
      size_t bytes = 40'000 + rng.below(2000);
      if (bytes >= b->bytes) return;
      shrink(mu, b, bytes);
      seal(b, id, bytes);
      return;
    }
    size_t bytes = b->bytes + rng.below(400);
    Scope<1> scope(mu);
    Local<Node> node(scope, n);
    b = static_cast<Blob*>(grow(mu, b, bytes));
    node->blob.store(mu, b);  // before any safepoint: the old one is gone
    expect(b->id == id, "grow lost a blob's contents", b);
    seal(b, id, bytes);
  }

  void step(Slots* shared, Local<Node>& own) {
    switch (rng.below(8)) {
      case 0:
      case 1:
      case 2:
        own = make_node(own);
        break;
      case 3: {
        // Hand the chain on; what was there is ours now.
        own = shared[rng.below(kShared)].exchange(mu, own);
        check(own);
        break;
      }
      case 4:
        if (own.get() != nullptr) resize_blob(own);
        check(own);
        break;
      case 5: {
        Node* n = own;
        own = nullptr;
        release_chain(n);
        break;
      }
      case 6:
        // A weak target: its release waits, its weak cell must stay right.
        if (own.get() != nullptr && rng.below(8) == 0) {
          expect(Weak<Node>::make(mu, own)->get(mu) == own.get(), "weak", own);
        }
        break;
      default:
        if (Node* n = own.get()) {
          Node* child = n->child.exchange(mu, nullptr);
          release_chain(child);
        }
    }
  }
};

/// An array of nodes that grows and starts again: pointers through grow().
void array_round(Worker& worker) {
  Mutator& mu = worker.mu;
  Scope<1> scope(mu);
  size_t n = 4;
  Local<Slots> array(scope, make_array<Slots>(mu, worker.w.array, n));
  size_t most = worker.rng.below(20) == 0 ? 40'000 : 500;
  size_t used = 0;
  while (used < most) {
    if (used == n) {
      n *= 2;
      array = static_cast<Slots*>(grow(mu, array.get(), n * sizeof(Slots)));
    }
    Node* node = used % 16 == 0 ? worker.make_node(nullptr)
                                : array.get()[used - 1].load();
    array.get()[used++].store(mu, node);
  }
  for (size_t i = 0; i < used; ++i) check(array.get()[i].load());
  if (worker.rng.below(2) == 0) {
    Slots* dead = array;
    array = nullptr;
    worker.count(release(mu, dead));
  }
}

void mutator_task(Mutator& mu, Slots* shared, Plain<World> world,
                  uint64_t seed) {
  Worker worker{mu, *world.p, base::Rng(seed)};
  Scope<1> scope(mu);
  Local<Node> own(scope);
  while (!world.p->stop.load(std::memory_order_relaxed)) {
    worker.step(shared, own);
    poll(mu);
    if (worker.rng.below(300) == 0) array_round(worker);
    if (worker.rng.below(500) == 0) yield(mu);
  }
  check(own);
}

/// Walks, counts, verifies and samples while the others run.
void inspector_task(Mutator& mu, Slots* shared, Plain<World> world) {
  World& w = *world.p;
  std::atomic<uint64_t> samples{0};
  AllocProfile profile;
  profile.fn = [](Mutator&, const AllocSample& s, void* ctx) {
    expect(*static_cast<uint64_t*>(s.cell) == 0, "a sample is not new", s.cell);
    static_cast<std::atomic<uint64_t>*>(ctx)->fetch_add(1);
  };
  profile.ctx = &samples;
  profile.interval_bytes = 20'000;
  for (int round = 0; !w.stop.load(std::memory_order_relaxed); ++round) {
    uint64_t cells = 0;
    walk(mu, [&](const CellInfo& info) {
      ++cells;
      if (info.layout != w.node.layout) return;
      auto* n = static_cast<Node*>(info.cell);
      expect(n->sum == 0 || n->sum == checksum(n, n->id), "walked", n);
    });
    expect(cells != 0, "nothing was walked", nullptr);
    LayoutStats stats[64];
    expect(layout_stats(mu, stats, 64) < 64, "layouts", nullptr);
    expect(stats[w.array].cells != 0, "the shared array is missing", shared);
    verify_heap(mu);
    CellInfo info{};
    expect(find_cell(runtime_of(mu), &shared[kShared - 1], &info), "find", 0);
    expect(info.cell == shared, "found another", info.cell);
    set_alloc_profile(mu, round % 2 == 0 ? profile : AllocProfile{});
    adjust_external(mu, round % 2 == 0 ? 300'000 : -300'000);
    sleep_ns(mu, 2'000'000);
  }
  set_alloc_profile(mu, AllocProfile{});
  expect(samples.load() != 0, "no sample", nullptr);
}

LayoutId must_register(Runtime& rt, const LayoutSpec& spec) {
  Error error;
  LayoutId id = rt.register_layout(spec, &error);
  EXPECT_NE(id, kInvalidLayout) << error.text;
  return id;
}

void fill_world(Runtime& rt, World& w) {
  uint32_t offsets[] = {offset_of(&Node::blob), offset_of(&Node::child)};
  LayoutSpec spec;
  spec.name = "Node";
  spec.head_bytes = sizeof(Node);
  spec.pointer_offsets = offsets;
  spec.pointer_count = 2;
  w.node = Type<Node>(must_register(rt, spec));
  spec = {};
  spec.name = "Blob";
  spec.tail = LayoutSpec::Tail::kNoscan;
  w.blob = must_register(rt, spec);
  spec.name = "Slots";
  spec.tail = LayoutSpec::Tail::kPointers;
  w.array = must_register(rt, spec);
}

void run_release(const Options& options, int tasks, int cycles,
                 bool inspected = false) {
  uint64_t seed = test_seed();
  Error error;
  RuntimePtr rt = Runtime::create(options, &error);
  ASSERT_NE(rt, nullptr) << error.text;
  World world;
  fill_world(*rt, world);
  rt->run([&](Mutator& mu) {
    Scope<1> scope(mu);
    auto* shared = make_array<Slots>(mu, world.array, kShared);
    *scope.take() = shared;
    std::vector<Task<void>> running;
    for (int i = 0; i < tasks; ++i) {
      running.push_back(spawn(mu, &mutator_task, shared, plain(&world),
                              seed + static_cast<uint64_t>(i) * 7919));
    }
    if (inspected) {
      running.push_back(spawn(mu, &inspector_task, shared, plain(&world)));
    }
    auto target = static_cast<uint64_t>(cycles);
    while (stats(*rt).cycles < target) sleep_ns(mu, 1000000);
    world.stop.store(true);
    for (auto& t : running) join(mu, t);
    collect(mu);
    for (size_t i = 0; i < kShared; ++i) check(shared[i].load());
  });
  EXPECT_GT(world.released.load(), 1000u);
}

Options small_heap(uint32_t procs) {
  Options o;
  o.max_procs = procs;
  o.initial_heap_bytes = 512 << 10;
  o.env_prefix = "";
  return o;
}

class stress_release : public ::testing::TestWithParam<uint32_t> {};

int cycles_for(uint32_t procs, int short_n, int long_n) {
  int n = stress_scale(short_n, long_n);
  return procs > 2 ? n / 4 : n;
}

TEST_P(stress_release, owned_cells) {
  run_release(small_heap(GetParam()), 8, cycles_for(GetParam(), 100, 4000));
}

TEST_P(stress_release, owned_cells_second_mark) {
  Options o = small_heap(GetParam());
  o.debug = "gccheckmark=1,clobberfree=1";
  run_release(o, 8, cycles_for(GetParam(), 60, 2000));
}

TEST_P(stress_release, owned_cells_zeal) {
  Options o = small_heap(GetParam());
  o.debug = "gccheckmark=1,clobberfree=1,gcstress=8";
  run_release(o, 4, cycles_for(GetParam(), 60, 2000));
}

TEST_P(stress_release, owned_cells_audited) {
  // The auditor looks at the whole heap twice a cycle: minutes here.
  if (TRI_TSAN && !stress_mode()) GTEST_SKIP();
  Options o = small_heap(GetParam());
  o.debug = "barriercheck=1,badptr=1,clobberfree=2";
  run_release(o, 8, cycles_for(GetParam(), 12, 300));
}

TEST_P(stress_release, owned_cells_inspected) {
  run_release(small_heap(GetParam()), 6, cycles_for(GetParam(), 60, 2000),
              /*inspected=*/true);
}

INSTANTIATE_TEST_SUITE_P(procs, stress_release, ::testing::Values(1u, 2u, 8u),
                         [](const auto& info) {
                           return std::to_string(info.param) + "_ps";
                         });

}  // namespace
}  // namespace tricolor::testing
