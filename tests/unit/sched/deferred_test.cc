// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Cells with a std::vector of pointers behind them (LayoutSpec::deferred),
// which tasks on several Ps fill and empty while cycles mark.
#include <atomic>
#include <deque>
#include <vector>

#include "base/rng.h"
#include "tests/unit/sched/fixture.h"
#include "tricolor/global.h"
#include "tricolor/mutex.h"

namespace tricolor::testing {
namespace {

struct Bag {
  Mutex* mutex;
  std::vector<Link*>* items;
};

Type<Link> g_link;
Type<Bag> g_bag;
std::atomic<bool> g_stop;

void trace_bag(Tracer& tracer, void* cell, size_t, void*) {
  const auto* bag = static_cast<Bag*>(cell);
  if (bag->items == nullptr) return;
  for (Link* l : *bag->items) tracer.visit(l);
}

void register_types(Runtime& rt) {
  g_link = link_type(rt);
  LayoutSpec spec;
  spec.name = "Bag";
  spec.head_bytes = sizeof(Bag);
  spec.trace = trace_bag;
  spec.deferred = true;
  g_bag = Type<Bag>(rt.register_layout(spec));
}

/// What is behind a bag. It outlives the runtime.
struct Store {
  Mutex mutex;
  std::vector<Link*> items;
};

Bag* make_bag(Mutator& mu, Store* store) {
  Bag* bag = make(mu, g_bag);
  bag->mutex = &store->mutex;
  bag->items = &store->items;
  return bag;
}

// Between the change and the call that tells of it there is no safepoint.
void put(Mutator& mu, Bag* bag, Link* link) {
  const NoSafepointScope quiet(mu);
  shade(mu, link);
  bag->items->push_back(link);
}
Link* take(Mutator& mu, Bag* bag) {
  const NoSafepointScope quiet(mu);
  if (bag->items->empty()) return nullptr;
  Link* link = bag->items->back();
  shade(mu, link);
  bag->items->pop_back();
  return link;
}

/// Moves things between bags of which all tasks have each.
void shuffle(Mutator& mu, Bag* a, Bag* b, Plain<base::Rng> rng) {
  Scope<3> scope(mu);
  Local<Bag> from(scope, a);
  Local<Bag> to(scope, b);
  Local<Link> held(scope);
  while (!g_stop.load()) {
    from->mutex->lock(mu);
    held = take(mu, from);
    from->mutex->unlock(mu);
    if (held.get() == nullptr || rng.p->below(4) == 0) {
      held = make_list(mu, g_link, 3);
    }
    to->mutex->lock(mu);
    if (to->items->size() < 100) put(mu, to, held);
    to->mutex->unlock(mu);
    Bag* other = from;
    from = to.get();
    to = other;
    if (rng.p->below(8) == 0) poll(mu);
  }
}

class sched_deferred : public ::testing::TestWithParam<uint32_t> {};
INSTANTIATE_TEST_SUITE_P(procs, sched_deferred, ::testing::Values(1, 2, 8));

TEST_P(sched_deferred, vectors_change_while_cycles_mark) {
  constexpr int kTasks = 6;
  Store stores[2];
  Options o = options(GetParam());
  o.debug = "gccheckmark=1,gcstress=10,clobberfree=2";
  RuntimePtr rt = make_runtime(o);
  register_types(*rt);
  g_stop.store(false);
  rt->run([&stores](Mutator& mu) {
    Scope<2> scope(mu);
    Local<Bag> a(scope, make_bag(mu, &stores[0]));
    Local<Bag> b(scope, make_bag(mu, &stores[1]));
    base::Rng seeds(test_seed());
    std::deque<base::Rng> rngs;
    std::vector<Task<void>> tasks;
    for (int i = 0; i < kTasks; i++) {
      rngs.emplace_back(seeds.next());
      tasks.push_back(
          spawn(mu, shuffle, a.get(), b.get(), plain(&rngs.back())));
    }
    for (int i = 0; i < stress_scale(8, 200); i++) collect(mu);
    g_stop.store(true);
    for (Task<void>& t : tasks) join(mu, t);
    for (Bag* bag : {a.get(), b.get()}) {
      for (const Link* l : *bag->items) EXPECT_TRUE(check_list(l, 3));
    }
  });
}

}  // namespace
}  // namespace tricolor::testing
