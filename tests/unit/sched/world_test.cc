// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// World operations against everything that can happen at the same time: stop
// and ragged-barrier storms from tasks and threads while tasks spawn, park,
// resume, sleep, go native and attach. The counter that only stopped worlds
// change checks that a stop really stops.
#include "sched/world.h"

#include <atomic>
#include <thread>
#include <vector>

#include "sched/runtime.h"
#include "tests/unit/sched/fixture.h"

namespace tricolor::testing {
namespace {

class sched_world : public AtProcs {
 protected:
  sched_world() : world_(sched::make_world(impl_of(*rt_))) {}
  gc::World world_;
};
INSTANTIATE_TEST_SUITE_P(procs, sched_world, ::testing::Values(1, 2, 8));

// Plain ints: the world operations alone order these accesses, and TSan
// watches.
struct Shared {
  const gc::World* world;
  long in_stop = 0;
  std::atomic<bool> done{false};
  std::atomic<int> stops{0};
  std::atomic<int> raggeds{0};
};
Shared* g_shared;

// Reads what only a stopped world may write: twice the same.
void look(Mutator& mu) {
  const long a = base::load_relaxed(&g_shared->in_stop);
  for (int i = 0; i < 50; i++) {
    ASSERT_EQ(base::load_relaxed(&g_shared->in_stop), a);
  }
  poll(mu);
}

bool stop_once(Mutator& mu) {
  const gc::World& w = *g_shared->world;
  gc::StopTimes times{};
  gc::ProcGc* p = gc::proc_of(&mu);
  if (!w.try_stop(w.ctx, p, &times)) {
    poll(mu);
    return false;
  }
  EXPECT_LE(times.requested_ns, times.stopped_ns);
  const long before = base::load_relaxed(&g_shared->in_stop);
  base::store_relaxed(&g_shared->in_stop, before + 1);
  size_t seen = 0;
  w.for_each_p_stw(
      w.ctx,
      [](void* arg, gc::ProcGc* q) {
        ++*static_cast<size_t*>(arg);
        const sched::PState s = sched::p_state(sched::p_of(q));
        EXPECT_NE(s, sched::PState::kNative);
      },
      &seen);
  EXPECT_GE(seen, impl_of(mu)->sched.max_procs.load_relaxed());
  for (size_t i = 0; i < w.g_count(w.ctx); i++) {
    gc::RootOwner* owner = w.root_g_stw(w.ctx, i);
    if (owner != nullptr) {
      EXPECT_NE(owner->mu.runtime, nullptr);
    }
  }
  EXPECT_EQ(base::load_relaxed(&g_shared->in_stop), before + 1);
  EXPECT_GE(w.start(w.ctx, p), times.stopped_ns);
  g_shared->stops++;
  return true;
}

bool ragged_once(Mutator& mu) {
  const gc::World& w = *g_shared->world;
  std::atomic<uint32_t> calls{0};
  const bool ran = w.try_ragged_barrier(
      w.ctx, gc::proc_of(&mu),
      [](void* arg, gc::ProcGc* p, gc::RootOwner* owner) {
        static_cast<std::atomic<uint32_t>*>(arg)->fetch_add(1);
        if (owner != nullptr) {
          // Safe to look at: it runs here, or cannot run.
          EXPECT_GE(owner->mu.shadow_top, owner->mu.shadow_base);
        }
        EXPECT_NE(sched::p_state(sched::p_of(p)), sched::PState::kStopped);
      },
      &calls);
  if (ran) {
    EXPECT_GE(calls, impl_of(mu)->sched.max_procs.load_relaxed());
    g_shared->raggeds++;
  } else {
    poll(mu);
  }
  return ran;
}

// A marker's life: claims every G it can, reads its roots, lets go.
void claim_all(Mutator& mu) {
  const gc::World& w = *g_shared->world;
  for (size_t i = 0; i < w.g_count(w.ctx); i++) {
    gc::RootOwner* owner = nullptr;
    // Cycle numbers that no collection has: nothing counts as scanned.
    if (w.claim_g(w.ctx, i, 0xfffffff0, false, &owner) == gc::Claim::kClaimed) {
      EXPECT_GE(owner->mu.shadow_top, owner->mu.shadow_base);
      EXPECT_LE(owner->mu.shadow_top, owner->mu.shadow_limit);
      w.release_g(w.ctx, owner);
    }
  }
  poll(mu);
}

void busy_life(Mutator& mu) {
  while (!g_shared->done) {
    look(mu);
    auto child = spawn(mu, [](Mutator& mu) {
      look(mu);
      yield(mu);
      return 3;
    });
    sleep_ns(mu, 1000);
    {
      NativeScope native(mu);
      std::this_thread::yield();
    }
    look(mu);
    ASSERT_EQ(join(mu, child), 3);
  }
}

// Claims are made while marking only, which a P knows by its barrier. (Nothing
// in this test stores a cell.)
void set_barrier(Mutator& mu, uint32_t on) {
  const gc::World& w = *g_shared->world;
  gc::StopTimes times{};
  while (!w.try_stop(w.ctx, gc::proc_of(&mu), &times)) poll(mu);
  w.for_each_p_stw(
      w.ctx,
      [](void* arg, gc::ProcGc* p) {
        p->barrier_on = *static_cast<uint32_t*>(arg);
      },
      &on);
  w.start(w.ctx, gc::proc_of(&mu));
}

TEST_P(sched_world, storm) {
  Shared shared;
  shared.world = &world_;
  g_shared = &shared;
  const int rounds = stress_scale(200, 20000);
  std::vector<std::thread> threads;
  for (int t = 0; t < 2; t++) {
    threads.emplace_back([this] {
      while (!g_shared->done) {
        AttachScope attach(*rt_);
        ManagedScope managed(attach);
        look(managed.mutator());
        stop_once(managed.mutator());
        ragged_once(managed.mutator());
      }
    });
  }
  rt_->run([rounds](Mutator& mu) {
    set_barrier(mu, 1);
    std::vector<Task<void>> tasks;
    for (int i = 0; i < 6; i++) tasks.push_back(spawn(mu, busy_life));
    tasks.push_back(spawn(mu, [](Mutator& mu) {
      while (!g_shared->done) {
        claim_all(mu);
        yield(mu);
      }
    }));
    for (int i = 0; i < rounds; i++) {
      while (!stop_once(mu)) {
      }
      while (!ragged_once(mu)) {
      }
      yield(mu);
    }
    g_shared->done = true;
    for (auto& t : tasks) join(mu, t);
    set_barrier(mu, 0);
  });
  for (auto& t : threads) t.join();
  EXPECT_GE(shared.stops, rounds);
  EXPECT_GE(shared.raggeds, rounds);
}

// A second operation at the same time is refused, not waited for.
TEST_P(sched_world, one_at_a_time) {
  rt_->run([this](Mutator& mu) {
    gc::StopTimes times{};
    gc::ProcGc* p = gc::proc_of(&mu);
    ASSERT_TRUE(world_.try_stop(world_.ctx, p, &times));
    EXPECT_FALSE(world_.try_stop(world_.ctx, p, &times));
    EXPECT_FALSE(world_.try_ragged_barrier(
        world_.ctx, p, [](void*, gc::ProcGc*, gc::RootOwner*) {}, nullptr));
    world_.start(world_.ctx, p);
    world_.relax(world_.ctx, &mu);
  });
}

// Work that is submitted while the world is stopped is found afterwards.
TEST_P(sched_world, nothing_is_forgotten_over_a_stop) {
  rt_->run([this](Mutator& mu) {
    for (int i = 0; i < 50; i++) {
      static std::atomic<int> ran;
      ran = 0;
      gc::StopTimes times{};
      auto a = spawn(mu, [](Mutator&) { ran++; });
      while (!world_.try_stop(world_.ctx, gc::proc_of(&mu), &times)) poll(mu);
      world_.start(world_.ctx, gc::proc_of(&mu));
      auto b = spawn(mu, [](Mutator&) { ran++; });
      join(mu, a);
      join(mu, b);
      EXPECT_EQ(ran, 2);
    }
  });
}

}  // namespace
}  // namespace tricolor::testing
