// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Values of 16 bytes, written and read beside the markers for hundreds of
// cycles. Shared slots are PairFields: no reader may see half of a store. Each
// task's own slots are written in two halves, in either order, with time
// between them, so that the markers do: objects under a number's tag, numbers
// under an object's, among them the addresses of live, dead and freed cells and
// of their insides. The second mark and checksums find what is lost.
#include <gtest/gtest.h>

#include <atomic>
#include <vector>

#include "tests/support/stress.h"
#include "tricolor/all.h"

namespace tricolor::testing {

struct Value {
  uint64_t tag;
  uint64_t payload;
};
constexpr uint64_t kObject = 5;
constexpr uint64_t kNumber = 6;
constexpr uint64_t kNumberCheck = 0x9e37'79b9'7f4a'7c15;

}  // namespace tricolor::testing

namespace tricolor {
template <>
struct ValueTraits<testing::Value> {
  static void* cell(testing::Value v) {
    return (v.tag & 0xff) == testing::kObject
               ? reinterpret_cast<void*>(v.payload)
               : nullptr;
  }
};
}  // namespace tricolor

namespace tricolor::testing {
namespace {

using Slot = PairField<Value>;

struct Node {
  uint64_t id;
  uint64_t sum;

  void seal(uint64_t i) {
    id = i;
    sum = checksum(i);
  }
  uint64_t checksum(uint64_t i) const {
    return (reinterpret_cast<uint64_t>(this) ^ (i * kNumberCheck)) + 1;
  }
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

constexpr size_t kShared = 3000;
constexpr size_t kOwn = 20000;
constexpr size_t kTasks = 4;

struct World {
  Type<Node> node;
  LayoutId values = kInvalidLayout;
  Slot* shared = nullptr;
  std::atomic<uint64_t> wrong{0};
  std::atomic<bool> stop{false};
};

/// A number: the tag's upper bytes say what the payload must be.
Value number(uint64_t payload) {
  return {kNumber | (payload * kNumberCheck) << 8, payload};
}

bool is_whole(Value v) {
  if (v.tag == 0) return v.payload == 0;
  if (v.tag == kObject) {
    const auto* n = reinterpret_cast<const Node*>(v.payload);
    return n->sum == n->checksum(n->id);
  }
  return v.tag == number(v.payload).tag;
}

/// An object, a number, or a number that is some cell's address or beside it.
Value choose(Mutator& mu, const World& w, Random& random, Value seen) {
  switch (random.below(4)) {
    case 0:
      return number(random.next());
    case 1:
      return number(seen.payload + (random.below(2) == 0 ? 0 : 8));
    case 2:
      if (seen.tag == kObject) return seen;
      [[fallthrough]];
    default: {
      Node* n = make(mu, w.node);
      n->seal(random.next());
      return {kObject, reinterpret_cast<uint64_t>(n)};
    }
  }
}

/// Two stores with time between them, which is what markers stumble over.
void store_in_halves(Mutator& mu, Slot* slot, Value old, Value v,
                     Random& random) {
  auto* words = reinterpret_cast<uint64_t*>(slot);
  if (mu.barrier_on != 0) {
    tri_detail_shade_pair(&mu, ValueTraits<Value>::cell(old),
                          ValueTraits<Value>::cell(v));
  }
  const bool tag_first = random.below(2) == 0;
  const uint64_t word[2] = {v.tag, v.payload};
  __atomic_store_n(&words[tag_first ? 0 : 1], word[tag_first ? 0 : 1],
                   __ATOMIC_RELEASE);
  for (size_t n = random.below(8); n > 0; --n) __asm__ volatile("pause");
  __atomic_store_n(&words[tag_first ? 1 : 0], word[tag_first ? 1 : 0],
                   __ATOMIC_RELEASE);
}

/// One task's slots, and what they hold.
struct Own {
  Slot* slots;
  std::vector<Value> values;

  void put(Mutator& mu, size_t at, Value v, Random& random) {
    store_in_halves(mu, &slots[at], values[at], v, random);
    values[at] = v;
  }
};

void churn_own(Mutator& mu, World& w, Own& own, Random& random, Value seen) {
  const size_t at = random.below(kOwn);
  if (!is_whole(own.values[at])) w.wrong.fetch_add(1);
  if (random.below(3) == 0) {
    own.put(mu, at, choose(mu, w, random, seen), random);
    return;
  }
  // From a place that may not be scanned yet to one that may have been: only
  // the barrier can tell the markers.
  const size_t from = random.below(kOwn);
  const Value moved = own.values[from];
  own.put(mu, from, number(random.next()), random);
  own.put(mu, at, moved, random);
}

void churn(Mutator& mu, Plain<World> world, uint64_t seed) {
  World& w = *world.p;
  Random random{seed | 1};
  Scope<2> scope(mu);
  Own own{nullptr, std::vector<Value>(kOwn, Value{0, 0})};
  own.slots = static_cast<Slot*>(allocate(mu, w.values, kOwn * sizeof(Slot)));
  *scope.take() = own.slots;
  void** kept = scope.take();
  for (size_t i = 0; i < kOwn; ++i) {
    own.put(mu, i, choose(mu, w, random, Value{kNumber, i}), random);
  }
  while (!w.stop.load(std::memory_order_relaxed)) {
    Slot* slot = &w.shared[random.below(kShared)];
    const Value seen = slot->load();
    if (!is_whole(seen)) w.wrong.fetch_add(1);
    *kept = ValueTraits<Value>::cell(seen);  // choose() is a safepoint
    slot->store(mu, choose(mu, w, random, seen));
    for (int i = 0; i < 8; ++i) churn_own(mu, w, own, random, seen);
    *kept = nullptr;
    poll(mu);
  }
}

TEST(stress_gc_pairs, halves_of_values) {
  Options o;
  o.env_prefix = "";
  o.max_procs = kTasks;
  o.reservation_bytes = size_t{1} << 30;
  o.gc_percent = 20;
  o.initial_heap_bytes = 1 << 20;
  o.debug = "gccheckmark=1,clobberfree=2,badptr=1,barriercheck=1";
  Error error;
  RuntimePtr rt = Runtime::create(o, &error);
  ASSERT_NE(rt, nullptr) << error.text;
  Encoding e;
  e.kind = EncodingKind::kTagSet;
  e.stride = 16;
  e.tag_set[0] = 1 << kObject;
  LayoutSpec spec;
  spec.name = "values";
  spec.tail = LayoutSpec::Tail::kEncoded;
  spec.encoding = rt->register_encoding(e, &error);
  ASSERT_NE(spec.encoding, Runtime::kInvalidEncoding) << error.text;
  World w;
  w.values = rt->register_layout(spec, &error);
  ASSERT_NE(w.values, kInvalidLayout) << error.text;
  LayoutSpec node;
  node.name = "Node";
  node.head_bytes = sizeof(Node);
  w.node = Type<Node>(rt->register_layout(node, &error));
  rt->run([&](Mutator& mu) {
    Scope<1> scope(mu);
    w.shared =
        static_cast<Slot*>(allocate(mu, w.values, kShared * sizeof(Slot)));
    *scope.take() = w.shared;
    std::vector<Task<void>> tasks;
    for (size_t i = 0; i < kTasks; ++i) {
      tasks.push_back(
          spawn(mu, &churn, plain(&w), (test_seed() + i) * kNumberCheck));
    }
    const int cycles = stress_scale(12, 800);
    for (int i = 0; i < cycles; ++i) collect(mu);
    w.stop.store(true);
    for (auto& t : tasks) join(mu, t);
    for (size_t i = 0; i < kShared; ++i) {
      EXPECT_TRUE(is_whole(w.shared[i].load())) << i;
    }
  });
  EXPECT_EQ(w.wrong.load(), 0u);
}

}  // namespace
}  // namespace tricolor::testing
