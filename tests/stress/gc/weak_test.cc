// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Weak arrays, ephemerons, long weak cells and finalizers, used by several
// tasks through hundreds of cycles. What a weak read gives must be whole; a
// live key must have its value; every finalizer must be called once, with a
// whole cell and what hangs off it, and none twice.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "base/macros.h"
#include "tests/support/stress.h"
#include "tricolor/all.h"

namespace tricolor::testing {
namespace {

struct Node {
  Field<Node> left;
  Field<Node> right;
  uint64_t id;
  uint64_t sum;

  uint64_t checksum() const {
    return (reinterpret_cast<uint64_t>(this) ^ (id * 0x9e3779b97f4a7c15u)) + 1;
  }
};
using Words = WeakArray<Node>;
using Pairs = EphemeronArray<Node, Node>;

constexpr size_t kShared = 400;
constexpr size_t kOwn = 300;
constexpr uint64_t kValue = 0x5555;  // a value's id is its key's plus this

struct World {
  Type<Node> node;
  LayoutId weak, longs, pairs;
  std::atomic<uint64_t> registered{0};
  std::atomic<uint64_t> cancelled{0};
  std::atomic<uint64_t> finalized{0};
  std::atomic<bool> stop{false};
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

void check(const Node* n, const char* where) {
  if (n == nullptr || n->sum == n->checksum()) return;
  std::fprintf(stderr, "damaged node %p (id %llu) %s\n",
               static_cast<const void*>(n),
               static_cast<unsigned long long>(n->id), where);
  std::abort();
}

Node* make_node(Mutator& mu, const World& w, uint64_t id) {
  Node* n = make(mu, w.node);
  n->id = id;
  n->sum = n->checksum();
  return n;
}

void finalize(Mutator& mu, void* object, void* data) {
  auto* w = static_cast<World*>(data);
  auto* n = static_cast<Node*>(object);
  check(n, "in its finalizer");
  check(n->left.load(), "off a cell in its finalizer");
  check(n->right.load(), "off a cell in its finalizer");
  w->finalized.fetch_add(1);
  make_node(mu, *w, n->id);
}

/// Words, pairs and finalizers of one task; `shared` is written by all.
struct Turn {
  Mutator& mu;
  World& w;
  Words* shared;
  Words* longs;
  Pairs* own;
  Random& random;
  Local<Node>& a;
  Local<Node>& b;

  void read() {
    const size_t i = random.below(kShared);
    a = shared->load(mu, i);
    check(a, "in a weak array");
    b = longs->load(mu, i);
    check(b, "in a long weak array");
    if (b != nullptr) check(b->left.load(), "off a long weak target");
    auto& pair = (*own)[random.below(kOwn)];
    Node* key = pair.key(mu);
    check(key, "as a key");
    if (key == nullptr) return;
    Node* value = pair.value(mu);
    check(value, "as a value");
    if (value == nullptr || value->id != key->id + kValue) {
      std::fprintf(stderr, "key %llu has lost its value\n",
                   static_cast<unsigned long long>(key->id));
      std::abort();
    }
  }

  void write() {
    const size_t i = random.below(kShared);
    switch (random.below(6)) {
      case 0:
        shared->store(mu, i, a);
        break;
      case 1:
        longs->store(mu, i, a);
        break;
      case 2:
        if (a != nullptr) a->left.store(mu, b);
        break;
      case 3: {
        b = make_node(mu, w, random.next());
        Scope<1> scope(mu);
        Local<Node> value(scope, make_node(mu, w, b->id + kValue));
        value->left.store(mu, b);
        (*own)[random.below(kOwn)].store(mu, b, value);
        break;
      }
      case 4:
        (*own)[random.below(kOwn)].store(mu, nullptr, nullptr);
        break;
      default:
        enlist();
    }
  }

  void enlist() {
    a = make_node(mu, w, random.next());
    a->left.store(mu, b);
    add_finalizer(mu, a.get(), finalize, &w);
    w.registered.fetch_add(1);
    longs->store(mu, random.below(kShared), a);
    if (random.below(8) == 0 && cancel_finalizer(mu, a.get())) {
      w.cancelled.fetch_add(1);
    }
  }
};

void mutator_task(Mutator& mu, Words* shared_in, Words* longs_in,
                  Plain<World> world, uint64_t seed) {
  World& w = *world.p;
  Random random{seed | 1};
  Scope<5> scope(mu);
  Local<Words> shared(scope, shared_in), longs(scope, longs_in);
  Local<Pairs> own(scope, Pairs::make(mu, w.pairs, kOwn));
  Local<Node> a(scope), b(scope);
  while (!w.stop.load(std::memory_order_relaxed)) {
    Turn turn{mu, w, shared, longs, own, random, a, b};
    if (random.below(2) == 0) {
      turn.read();
    } else {
      turn.write();
    }
    // A second array takes over, as in a table that grows.
    if (random.below(3000) == 0) {
      own = static_cast<Pairs*>(
          grow(mu, own.get(), cell_size(runtime_of(mu), own.get()) + 4096));
      if (cell_size(runtime_of(mu), own.get()) > (1 << 16)) {
        own = Pairs::make(mu, w.pairs, kOwn);
      }
    }
    if (random.below(50) == 0) run_finalizers(mu, 20);
    if (random.below(1000) == 0) yield(mu);
    poll(mu);
  }
}

Options small_heap(uint32_t procs, const char* debug) {
  Options o;
  o.max_procs = procs;
  o.initial_heap_bytes = 512 << 10;
  o.env_prefix = "";
  o.debug = debug;
  return o;
}

void run_weak(const Options& options, int tasks, uint64_t cycles) {
  const uint64_t seed = test_seed();
  Error error;
  RuntimePtr rt = Runtime::create(options, &error);
  ASSERT_NE(rt, nullptr) << error.text;
  World w;
  const uint32_t offsets[] = {0, 8};
  LayoutSpec spec;
  spec.name = "Node";
  spec.head_bytes = sizeof(Node);
  spec.pointer_offsets = offsets;
  spec.pointer_count = 2;
  w.node = Type<Node>(rt->register_layout(spec));
  using Strength = LayoutSpec::Strength;
  w.weak = register_weak_array(*rt, Strength::kWeak);
  w.longs = register_weak_array(*rt, Strength::kLongWeak);
  w.pairs = register_weak_array(*rt, Strength::kEphemeron);
  rt->run([&](Mutator& mu) {
    {
      Scope<2> scope(mu);
      Local<Words> shared(scope, Words::make(mu, w.weak, kShared));
      Local<Words> longs(scope, Words::make(mu, w.longs, kShared));
      std::vector<Task<void>> running;
      for (int i = 0; i < tasks; ++i) {
        running.push_back(spawn(mu, &mutator_task, shared.get(), longs.get(),
                                plain(&w),
                                seed + static_cast<uint64_t>(i) * 7919));
      }
      while (stats(*rt).cycles < cycles) sleep_ns(mu, 1000000);
      w.stop.store(true);
      for (auto& t : running) join(mu, t);
    }
    finalize_all(mu);
    verify_heap(mu);
  });
  EXPECT_EQ(w.finalized + w.cancelled, w.registered);
  EXPECT_GT(w.finalized, 0u);
  EXPECT_GE(stats(*rt).cycles, cycles);
}

uint64_t cycles_for(uint32_t procs, int short_n, int long_n) {
  const int n = stress_scale(short_n, long_n);
  return static_cast<uint64_t>(procs > 2 ? n / 4 : n);
}

class stress_gc_weak : public ::testing::TestWithParam<uint32_t> {};

TEST_P(stress_gc_weak, tables_and_finalizers) {
  run_weak(small_heap(GetParam(), nullptr), 6,
           cycles_for(GetParam(), 100, 4000));
}

TEST_P(stress_gc_weak, tables_and_finalizers_checked) {
  run_weak(small_heap(GetParam(), "gccheckmark=1,clobberfree=1"), 6,
           cycles_for(GetParam(), 60, 1000));
}

TEST_P(stress_gc_weak, tables_and_finalizers_audited) {
  // The auditor looks at the whole heap twice a cycle: minutes here.
  if (TRI_TSAN && !stress_mode()) GTEST_SKIP();
  run_weak(small_heap(GetParam(), "barriercheck=1,badptr=1,clobberfree=2"), 6,
           cycles_for(GetParam(), 40, 500));
}

INSTANTIATE_TEST_SUITE_P(procs, stress_gc_weak, ::testing::Values(1, 2, 8),
                         [](const auto& param) {
                           return std::to_string(param.param) + "p";
                         });

}  // namespace
}  // namespace tricolor::testing
