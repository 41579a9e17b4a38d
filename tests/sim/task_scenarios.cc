// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Scenarios of how tasks end, of the blocking pool, and of coroutines that
// several tasks want at once. See tests/sim/scenarios.h.
#include <cstdio>

#include "base/check.h"
#include "tests/sim/machine.h"
#include "tests/sim/scenarios.h"
#include "tricolor/all.h"

namespace tricolor::sim {

namespace {

struct Cell {
  Field<Cell> next;
  uint64_t value;
};

struct World {
  RuntimePtr rt;
  Type<Cell> cell;
  uint64_t told = 0;   ///< failures, by the handler
  uint64_t count = 0;  ///< of whatever the scenario counts
  uint64_t begun = 0;
  uint64_t ended = 0;
};

World* make_world(uint32_t blocking_threads = 2) {
  auto* world = new World();
  Options o;
  o.env_prefix = "";
  o.max_procs = static_cast<uint32_t>(1 + random(4));
  o.reservation_bytes = size_t{64} << 20;
  o.initial_heap_bytes = size_t{64} << 10;
  o.gc_percent = random(2) == 0 ? 100 : 20;
  o.blocking_threads = blocking_threads;
  static constexpr const char* kDebug[] = {
      "blockingidle=1", "blockingidle=1,smallbuffers=1,pollstress=2",
      "blockingidle=10,gcstress=3,clobberfree=2"};
  o.debug = kDebug[random(3)];
  o.on_task_failure = [](Runtime&, const TaskFailure&, void* ctx) {
    static_cast<World*>(ctx)->told++;
  };
  o.on_task_failure_ctx = world;
  Error error;
  world->rt = Runtime::create(o, &error);
  TRI_CHECK(world->rt != nullptr, "%s", error.text);
  const uint32_t offsets[] = {0};
  LayoutSpec spec;
  spec.name = "Cell";
  spec.head_bytes = sizeof(Cell);
  spec.pointer_offsets = offsets;
  spec.pointer_count = 1;
  world->cell = Type<Cell>(world->rt->register_layout(spec));
  return world;
}

void end_world(World* world) {
  world->rt.reset();
  delete world;
}

Cell* make_chain(Mutator& mu, World* world, uint64_t n) {
  Scope<2> scope(mu);
  Local<Cell> head(scope);
  for (uint64_t i = 1; i <= n; ++i) {
    Local<Cell>& h = head;
    Cell* cell = make(mu, world->cell);
    cell->value = i;
    cell->next.store(mu, h.get());
    head = cell;
  }
  return head;
}

void check_chain(const Cell* chain, uint64_t n) {
  for (; chain != nullptr; chain = chain->next.load(), --n) {
    TRI_CHECK(chain->value == n, "a chain has lost a cell");
  }
  TRI_CHECK(n == 0, "a chain has lost its end");
}

/// Ends in one of four ways, deep down.
uint64_t end_somehow(Mutator& mu, Plain<World> world, uint64_t how,
                     uint64_t depth) {
  Scope<1> scope(mu);
  Local<Cell> chain(scope, make_chain(mu, world.p, 3));
  if (random(2) == 0) yield(mu);
  if (depth > 0) return end_somehow(mu, world, how, depth - 1);
  check_chain(chain, 3);
  switch (how) {
    case 0:
      throw how;
    case 1:
      exit_with_error(mu, 17);
    case 2:
      goexit(mu);
    default:
      return 42;
  }
}

void check_join(Mutator& mu, Task<uint64_t>& task, uint64_t how) {
  auto result = try_join(mu, task);
  if (how <= 1) {
    TRI_CHECK(result.outcome == Outcome::kFailed && result.value == 0);
    TRI_CHECK(result.error.code() == (how == 0 ? 0 : 17));
  } else {
    TRI_CHECK(result.outcome ==
              (how == 2 ? Outcome::kExited : Outcome::kValue));
    TRI_CHECK(result.value == (how == 2 ? 0 : 42));
  }
}

}  // namespace

/// Each failure reaches its joiner or the handler, once, whenever its Task is
/// dropped.
void failing_tasks() {
  World* w = make_world();
  uint64_t dropped = 0;
  w->rt->run([&](Mutator& mu) {
    auto collector = spawn(mu, [](Mutator& mu) {
      for (int i = 0; i < 3; ++i) collect(mu);
    });
    for (int i = 0; i < 12; ++i) {
      const uint64_t how = random(4);
      auto task = spawn(mu, end_somehow, plain(w), how, random(3));
      for (uint64_t n = random(6); n > 0; --n) yield(mu);
      if (random(2) == 0) {
        check_join(mu, task, how);
      } else {
        if (how <= 1) ++dropped;
        task.detach();
      }
    }
    join(mu, collector);
    while (w->told < dropped) sleep_ns(mu, 100'000);
  });
  TRI_CHECK(w->told == dropped);
  end_world(w);
}

/// Stacks are left in the middle of calls, and used again, while stops and
/// scans go on.
void exits_against_stops() {
  World* w = make_world();
  w->rt->run([&](Mutator& mu) {
    Task<void> tasks[3];
    for (auto& t : tasks) {
      t = spawn(
          mu,
          [](Mutator& mu, Plain<World> w) {
            Scope<1> scope(mu);
            Local<Cell> chain(scope, make_chain(mu, w.p, 4));
            for (int i = 0; i < 5; ++i) {
              auto child = spawn(
                  mu,
                  [](Mutator& mu, Cell* chain, Plain<World> w) -> Cell* {
                    mount_value_stack(mu, 4096, kRawPointers);
                    Scope<30> scope(mu);
                    Local<Cell> own(scope, make_chain(mu, w.p, 4));
                    NativeScope native(mu);
                    if (random(2) == 0) block_ns(random(1'000'000));
                    tri_enter_managed(&mu);
                    check_chain(chain, 4);
                    check_chain(own, 4);
                    goexit(mu);
                  },
                  chain.get(), w);
              auto result = try_join(mu, child);
              TRI_CHECK(result.outcome == Outcome::kExited &&
                        result.value == nullptr);
              check_chain(chain, 4);
              chain = make_chain(mu, w.p, 4);
            }
          },
          plain(w));
    }
    for (int i = 0; i < 3; ++i) {
      collect(mu);
      verify_heap(mu);
    }
    for (auto& t : tasks) join(mu, t);
  });
  end_world(w);
}

/// Calls of the pool against idle workers that end, and against the end of the
/// runtime.
void blocking_calls() {
  World* w = make_world(random(2) == 0 ? 1 : 3);
  const uint64_t tasks = 1 + random(6);
  const bool leaves = random(2) == 0;
  w->rt->run([&](Mutator& mu) {
    for (uint64_t i = 0; i < tasks; ++i) {
      spawn(
          mu,
          [](Mutator& mu, Plain<World> world) {
            World* w = world.p;
            Scope<1> scope(mu);
            Local<Cell> chain(scope, make_chain(mu, w, 3));
            for (int k = 0; k < 6; ++k) {
              bool done = false;
              blocking(mu, [&] {
                ++w->begun;
                if (random(3) == 0) block_ns(random(2'000'000));
                done = true;
                ++w->ended;
              });
              TRI_CHECK(done);
              check_chain(chain, 3);
              // About as long as an idle worker waits.
              sleep_ns(mu, 900'000 + random(200'000));
            }
            ++w->count;
          },
          plain(w))
          .detach();
    }
    collect(mu);
    while (w->count < tasks && !(leaves && random(4) == 0)) {
      sleep_ns(mu, 1'000'000);
    }
  });
  w->rt.reset();
  TRI_CHECK(w->begun == w->ended, "a call was left under way");
  TRI_CHECK(leaves || w->count == tasks);
  delete w;
}

/// Several tasks resume and close one coroutine at once; its G is used again at
/// once for others.
void coroutines_at_once() {
  World* w = make_world();
  w->rt->run([&](Mutator& mu) {
    for (int round = 0; round < 4; ++round) {
      Scope<2> scope(mu);
      w->count = 0;
      Local<Coroutine> co(
          scope, Coroutine::create(
                     mu,
                     [](Mutator& mu, Coroutine*, void*, void* user) -> void* {
                       auto* w = static_cast<World*>(user);
                       for (int i = 0; i < 5; ++i) {
                         Scope<1> scope(mu);
                         Local<Cell> chain(scope, make_chain(mu, w, 2));
                         Coroutine::yield(mu, nullptr);
                         check_chain(chain, 2);
                         ++w->count;
                       }
                       return nullptr;
                     },
                     nullptr, w));
      Task<void> tasks[3];
      const bool closes = random(2) == 0;
      for (auto& t : tasks) {
        t = spawn(
            mu,
            [](Mutator& mu, Coroutine* co, bool closes) {
              void* result;
              CoroutineStatus found;
              do {
                found = Coroutine::try_resume(mu, co, nullptr, &result);
                if (closes && random(8) == 0) Coroutine::close(mu, co);
                if (random(2) == 0) yield(mu);
                poll(mu);
              } while (found != CoroutineStatus::kDead);
            },
            co.get(), closes);
      }
      Local<Coroutine> other(scope);
      for (int i = 0; i < 4; ++i) {
        other = Coroutine::create(
            mu,
            [](Mutator& mu, Coroutine* self, void*, void*) -> void* {
              Coroutine::yield(mu, self);
              return nullptr;
            },
            nullptr, nullptr);
        TRI_CHECK(Coroutine::resume(mu, other, nullptr) == other.get());
        TRI_CHECK(Coroutine::resume(mu, other, nullptr) == nullptr);
        if (random(3) == 0) collect(mu);
      }
      for (auto& t : tasks) join(mu, t);
      TRI_CHECK(closes || w->count == 5);
    }
  });
  end_world(w);
}

}  // namespace tricolor::sim
