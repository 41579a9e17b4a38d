// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// See tests/sim/scenarios.h. Plain shared words of a scenario need no atomics:
// there is one thread, and between two steps nobody else runs.
#include "tests/sim/scenarios.h"

#include "tests/sim/program.h"

namespace tricolor::sim {

namespace {

// --- Tasks.

void steal() {
  Program* p = make_program();
  const uint64_t tasks = 5 + random(300);
  p->rt->run([&](Mutator& mu) {
    for (uint64_t i = 0; i < tasks; ++i) {
      spawn(
          mu,
          [](Mutator& mu, Plain<Program> p, uint64_t yields) {
            for (uint64_t y = 0; y < yields; ++y) yield(mu);
            ++p.p->count;
          },
          plain(p), random(4))
          .detach();
    }
    while (p->count < tasks) yield(mu);
  });
  TRI_CHECK(p->count == tasks);
  end_program(p);
}

void spawn_and_join() {
  Program* p = make_program();
  p->rt->run([&](Mutator& mu) {
    struct Fork {
      static uint64_t go(Mutator& mu, uint64_t depth) {
        if (depth == 0) return 1;
        auto left = spawn(mu, &Fork::go, depth - 1);
        auto right = spawn(mu, &Fork::go, depth - 1);
        // Either may have ended long before.
        const uint64_t n = join(mu, right);
        return n + join(mu, left);
      }
    };
    TRI_CHECK(Fork::go(mu, 4) == 16);
  });
  end_program(p);
}

struct PingPong {
  Gate to[2];
  uint64_t rounds;
  uint64_t done = 0;
};

void park_and_ready() {
  Program* p = make_program();
  PingPong games[4];
  for (PingPong& game : games) game.rounds = 1 + random(20);
  p->rt->run([&](Mutator& mu) {
    Task<void> tasks[8];
    for (int i = 0; i < 8; ++i) {
      tasks[i] = spawn(
          mu,
          [](Mutator& mu, Plain<PingPong> game, int side) {
            for (uint64_t r = 0; r < game.p->rounds; ++r) {
              if (side == 0) game.p->to[1].give(mu);
              game.p->to[side].take(mu);
              if (side == 1) game.p->to[0].give(mu);
              ++game.p->done;
            }
          },
          plain(&games[i / 2]), i % 2);
    }
    for (auto& t : tasks) join(mu, t);
  });
  for (PingPong& game : games) TRI_CHECK(game.done == 2 * game.rounds);
  end_program(p);
}

/// The same from a thread that is no task.
void ready_from_outside() {
  Program* p = make_program();
  struct World {
    Program* p;
    Gate gate;
    uint64_t rounds;
    uint64_t taken;
  } w{p, {}, 1 + random(20), 0};
  Thread outside(
      [](void* arg) {
        auto* world = static_cast<World*>(arg);
        AttachScope attach(*world->p->rt);
        while (world->taken < world->rounds) {
          ManagedScope managed(attach);
          if (!world->gate.token) world->gate.give(managed.mutator());
        }
      },
      &w);
  p->rt->run([&](Mutator& mu) {
    for (; w.taken < w.rounds; ++w.taken) w.gate.take(mu);
  });
  outside.join();
  end_program(p);
}

void timers() {
  Program* p = make_program();
  const uint64_t tasks = 3 + random(30);
  p->rt->run([&](Mutator& mu) {
    for (uint64_t i = 0; i < tasks; ++i) {
      spawn(
          mu,
          [](Mutator& mu, Plain<Program> p, uint64_t ns) {
            const uint64_t due = now_ns() + ns;
            sleep_ns(mu, ns);
            TRI_CHECK(now_ns() >= due, "a timer fired early");
            ++p.p->count;
          },
          plain(p), random(3) * random(40'000'000))
          .detach();
    }
    while (p->count < tasks) sleep_ns(mu, 1'000'000);
  });
  end_program(p);
}

void native() {
  Program* p = make_program();
  const uint64_t tasks = 2 + random(8);
  p->rt->run([&](Mutator& mu) {
    Task<void> waits[10];
    for (uint64_t i = 0; i < tasks; ++i) {
      waits[i] = spawn(
          mu,
          [](Mutator& mu, Plain<Program> p, uint64_t ns) {
            for (int round = 0; round < 4; ++round) {
              Scope<1> scope(mu);
              Local<Node> tree(scope, make_tree(mu, p.p->node, 2));
              {
                NativeScope outside(mu);
                block_ns(ns);
              }
              check_tree(tree, 2);
            }
            ++p.p->count;
          },
          plain(p), random(15'000'000));
    }
    for (int i = 0; i < 3; ++i) collect(mu);
    for (uint64_t i = 0; i < tasks; ++i) join(mu, waits[i]);
  });
  TRI_CHECK(p->count == tasks);
  end_program(p);
}

/// What is left goes with the runtime.
void shutdown() {
  Program* p = make_program();
  p->rt->run([&](Mutator& mu) {
    for (int i = 0; i < 6; ++i) {
      switch (random(4)) {
        case 0:
          spawn(mu, [](Mutator& mu) {
            while (true) poll(mu);
          }).detach();
          break;
        case 1:
          spawn(mu, [](Mutator& mu) { sleep_ns(mu, ~uint64_t{0}); }).detach();
          break;
        case 2:
          spawn(mu, [](Mutator& mu) { park(mu, nullptr, nullptr); }).detach();
          break;
        default:
          spawn(
              mu,
              [](Mutator& mu, Plain<Program> p) {
                while (true) make_tree(mu, p.p->node, 3);
              },
              plain(p))
              .detach();
      }
    }
    for (uint64_t n = random(5); n > 0; --n) yield(mu);
  });
  end_program(p);
}

// --- Stops.

void stop_against_spawn() {
  Program* p = make_program();
  p->rt->run([&](Mutator& mu) {
    Task<void> tasks[3];
    for (auto& t : tasks) {
      t = spawn(
          mu,
          [](Mutator& mu, Plain<Program> p) {
            for (int i = 0; i < 8; ++i) {
              Scope<1> scope(mu);
              Local<Node> tree(scope, make_tree(mu, p.p->node, 3));
              auto child = spawn(
                  mu,
                  [](Mutator& mu, Node* tree, Plain<Program> p) {
                    yield(mu);
                    check_tree(tree, 3);
                    ++p.p->count;
                    return tree;
                  },
                  tree.get(), p);
              tree = nullptr;
              tree = join(mu, child);
              check_tree(tree, 3);
            }
          },
          plain(p));
    }
    for (int i = 0; i < 4; ++i) {
      collect(mu);
      verify_heap(mu);
    }
    for (auto& t : tasks) join(mu, t);
  });
  TRI_CHECK(p->count == 24);
  end_program(p);
}

void attach_against_stop() {
  Program* p = make_program();
  auto churn = [](void* arg) {
    auto* p = static_cast<Program*>(arg);
    for (int i = 0; i < 4; ++i) {
      AttachScope attach(*p->rt);
      ManagedScope managed(attach);
      Scope<1> scope(managed.mutator());
      Local<Node> tree(scope, make_tree(managed.mutator(), p->node, 3));
      {
        NativeScope outside(managed.mutator());
        now_ns();
      }
      check_tree(tree, 3);
    }
    ++p->count;
  };
  Thread one(churn, p);
  Thread two(churn, p);
  p->rt->run([&](Mutator& mu) {
    while (p->count < 2) {
      collect(mu);
      yield(mu);
    }
  });
  one.join();
  two.join();
  end_program(p);
}

// --- The collector.

constexpr size_t kRoots = 4;

/// Moves subtrees about a shared graph: a pointer is read from one place, its
/// place overwritten, and stored in another, over and over. All stay complete.
void shuffle(Mutator& mu, Program* p, Node* shared, uint64_t rounds) {
  Scope<3> scope(mu);
  Local<Node> board(scope, shared);
  Local<Node> a(scope);
  Local<Node> b(scope);
  for (uint64_t i = 0; i < rounds; ++i) {
    // Down to a spine cell of the board, which hold trees of height 2.
    a = board.get();
    for (uint64_t n = random(kRoots); n > 0; --n) a = a->left.load();
    b = board.get();
    for (uint64_t n = random(kRoots); n > 0; --n) b = b->left.load();
    Node* const tree = a->right.load();
    Node* const other = b->right.load();
    // Between the two one of them is in no cell at all.
    a->right.store(mu, other);
    b->right.store(mu, tree);
    if (random(3) == 0) a->right.store(mu, make_tree(mu, p->node, 2));
    if (random(4) == 0) yield(mu);
    check_tree(b->right.load(), 2);
  }
}

void barrier_against_phases() {
  Program* p =
      make_program(random(2) == 0 ? "gccheckmark=1,badptr=1,smallbuffers=1"
                                  : "gcstress=2,clobberfree=2,badptr=1");
  p->rt->run([&](Mutator& mu) {
    Scope<1> scope(mu);
    Local<Node> board(scope);
    for (size_t i = 0; i < kRoots; ++i) {
      Scope<1> inner(mu);
      Local<Node> spine(inner, make(mu, p->node));
      spine->right.store(mu, make_tree(mu, p->node, 2));
      spine->left.store(mu, board);
      board = spine.get();
    }
    Task<void> tasks[3];
    for (auto& t : tasks) {
      t = spawn(
          mu,
          [](Mutator& mu, Plain<Program> p, Node* board) {
            shuffle(mu, p, board, 25);
          },
          plain(p), board.get());
    }
    for (int i = 0; i < 3; ++i) collect(mu);
    for (auto& t : tasks) join(mu, t);
    collect(mu);
    verify_heap(mu);
    const Node* spine = board;
    for (size_t i = 0; i < kRoots; ++i, spine = spine->left.load()) {
      check_tree(spine->right.load(), 2);
    }
  });
  end_program(p);
}

/// Several want to be the one that ends a mark, or starts one.
void termination() {
  Program* p = make_program("gccheckmark=1,smallbuffers=1");
  p->rt->run([&](Mutator& mu) {
    Task<void> tasks[4];
    for (auto& t : tasks) {
      t = spawn(
          mu,
          [](Mutator& mu, Plain<Program> p) {
            Scope<1> scope(mu);
            Local<Node> tree(scope, make_tree(mu, p.p->node, 4));
            collect(mu);
            check_tree(tree, 4);
            tree = make_tree(mu, p.p->node, 3);
            collect(mu);
            check_tree(tree, 3);
          },
          plain(p));
    }
    for (auto& t : tasks) join(mu, t);
  });
  Stats s = stats(*p->rt);
  TRI_CHECK(s.cycles >= 2);
  end_program(p);
}

/// Weak reads across stop 2, and a finalizer that keeps its object.
void weak_reads() {
  Program* p = make_program();
  p->rt->run([&](Mutator& mu) {
    Task<void> tasks[3];
    for (auto& t : tasks) {
      t = spawn(
          mu,
          [](Mutator& mu, Plain<Program> p) {
            for (int i = 0; i < 6; ++i) {
              Scope<3> scope(mu);
              Local<Node> tree(scope, make_tree(mu, p.p->node, 2));
              Local<Weak<Node>> weak(scope, Weak<Node>::make(mu, tree.get()));
              tree = nullptr;
              for (int n = 0; n < 20; ++n) {
                poll(mu);
                Local<Node> again(scope, weak->get(mu));
                if (again.get() == nullptr) break;
                if (n % 4 == 0) yield(mu);
                check_tree(again, 2);
                tree = nullptr;
                break;
              }
            }
          },
          plain(p));
    }
    for (int i = 0; i < 3; ++i) collect(mu);
    for (auto& t : tasks) join(mu, t);
  });
  end_program(p);
}

}  // namespace

const Scenario kScenarios[] = {
    {"steal", "hundreds of tasks from one queue", &steal},
    {"join", "a tree of tasks, joined before and after their ends",
     &spawn_and_join},
    {"park", "ping pong by park and ready", &park_and_ready},
    {"outside", "ready from an attached thread", &ready_from_outside},
    {"timers", "sleepers, none of them woken early", &timers},
    {"native", "native calls longer than a tick, collections meanwhile",
     &native},
    {"shutdown", "a runtime goes with tasks that run, sleep and wait",
     &shutdown},
    {"deadlock", "all wait: told each time, and at no other", &deadlock},
    {"locked", "tasks that stay on their threads, among others", &locked},
    {"spawn", "stops against spawn, with managed arguments and results",
     &stop_against_spawn},
    {"resize", "the number of Ps changes under everything else", &resize},
    {"attach", "attach and detach against stops", &attach_against_stop},
    {"barrier", "pointers on the move against phase changes",
     &barrier_against_phases},
    {"termination", "four tasks collect at once", &termination},
    {"weak", "weak reads while cycles end", &weak_reads},
    {"channel", "trees through channels, with deadlines and cancellations",
     &channels},
    {"handoff", "trees from senders not yet scanned to a receiver that is",
     &hand_offs},
    {"select", "sends and receives in one select, on the same channels",
     &selects},
    {"cancel", "tasks cancelled in every kind of wait, from everywhere",
     &cancellations},
    {"company", "tasks of one P that are joined by threads, or cancelled",
     &company},
    {"locks", "mutexes, conditions, permits between tasks and threads", &locks},
    {"alarms", "timers stopped and started while they fire", &alarms},
    {"failure", "tasks that fail against join and detach", &failing_tasks},
    {"exit", "goexit against stops and scans", &exits_against_stops},
    {"blocking", "the blocking pool against its own end", &blocking_calls},
    {"coroutine", "several resume and close one at once", &coroutines_at_once},
};
const size_t kScenarioCount = sizeof(kScenarios) / sizeof(kScenarios[0]);

}  // namespace tricolor::sim
