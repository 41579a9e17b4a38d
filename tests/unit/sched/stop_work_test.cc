// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// What a stop does must not depend on how many tasks there are: counted, not
// timed. The collector's World is wrapped: each G and each P it asks about or
// is called back for between a stop and its start counts.
#include <atomic>

#include "gc/collector_impl.h"
#include "sched/runtime.h"
#include "tests/unit/sched/fixture.h"

namespace tricolor::testing {
namespace {

// ThreadSanitizer of gcc 12 dies above 8,128 fibers.
constexpr int kMany = TRI_TSAN ? 4'000 : TRI_ASAN ? 20'000 : 100'000;

struct Counting {
  gc::World inner;
  // Touched while the world is stopped, by who has stopped it, or (claims)
  // by markers, who do not run then.
  bool stopped = false;
  uint64_t in_stop = 0;
  uint64_t most_in_stop = 0;
  uint64_t stops = 0;
  std::atomic<uint64_t> claims{0};
};
Counting* g_counting;

bool counting_stop(void* ctx, gc::ProcGc* self, gc::StopTimes* times) {
  if (!g_counting->inner.try_stop(ctx, self, times)) return false;
  g_counting->stopped = true;
  g_counting->in_stop = 0;
  return true;
}
uint64_t counting_start(void* ctx, gc::ProcGc* self) {
  Counting* c = g_counting;
  c->stopped = false;
  c->stops++;
  if (c->in_stop > c->most_in_stop) c->most_in_stop = c->in_stop;
  return c->inner.start(ctx, self);
}
void counting_each_p(void* ctx, gc::ProcFn fn, void* arg) {
  struct Args {
    gc::ProcFn fn;
    void* arg;
  } args{fn, arg};
  g_counting->inner.for_each_p_stw(
      ctx,
      [](void* a, gc::ProcGc* p) {
        g_counting->in_stop++;
        static_cast<Args*>(a)->fn(static_cast<Args*>(a)->arg, p);
      },
      &args);
}
gc::Claim counting_claim(void* ctx, size_t i, uint32_t cycle, bool suspended,
                         gc::RootOwner** owner) {
  if (g_counting->stopped) g_counting->in_stop++;
  g_counting->claims.fetch_add(1, std::memory_order_relaxed);
  return g_counting->inner.claim_g(ctx, i, cycle, suspended, owner);
}
gc::RootOwner* counting_root(void* ctx, size_t i) {
  g_counting->in_stop++;
  return g_counting->inner.root_g_stw(ctx, i);
}

std::atomic<int> g_parked;

bool count_parked(ParkedTask, void*) {
  g_parked++;
  return true;
}

// The most that a stop of a few collections looked at, with `n` parked tasks,
// which stay so until the runtime ends.
uint64_t most_in_stop(uint32_t procs, int n, bool conservative) {
  Options o = options(procs);
  o.conservative_stacks = conservative;
  Counting counting;  // outlives the runtime whose World it wraps
  g_counting = &counting;
  g_parked = 0;
  RuntimePtr rt = make_runtime(o);
  // Before the first task: markers read the World without a lock.
  gc::World& world = impl_of(*rt)->collector->impl()->world;
  counting.inner = world;
  world.try_stop = counting_stop;
  world.start = counting_start;
  world.for_each_p_stw = counting_each_p;
  world.claim_g = counting_claim;
  world.root_g_stw = counting_root;
  rt->run([&](Mutator& mu) {
    for (int i = 0; i < n; i++) {
      spawn(
          mu, +[](Mutator& own) { park(own, count_parked, nullptr); })
          .detach();
      if (i % 64 == 0) yield(mu);
    }
    while (g_parked < n) yield(mu);
    const Type<Link> type = link_type(*rt);
    for (int i = 0; i < 3; i++) {
      make_list(mu, type, 100);
      collect(mu);
    }
  });
  EXPECT_GE(counting.stops, 6u);
  EXPECT_GE(counting.claims, static_cast<uint64_t>(3 * n)) << "all scanned";
  return counting.most_in_stop;
}

TEST(sched_stop_work, does_not_grow_with_parked_tasks) {
  for (uint32_t procs : {1u, 2u, 8u}) {
    const uint64_t few = most_in_stop(procs, 10, false);
    EXPECT_GE(few, procs);
    EXPECT_LE(few, 4 * procs);
    EXPECT_EQ(most_in_stop(procs, 1000, false), few);
    EXPECT_EQ(most_in_stop(procs, 1000, true), few);
  }
  EXPECT_EQ(most_in_stop(2, kMany, false), most_in_stop(2, 10, false));
  EXPECT_EQ(most_in_stop(2, kMany, true), most_in_stop(2, 10, true));
}

}  // namespace
}  // namespace tricolor::testing
