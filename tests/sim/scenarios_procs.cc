// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Scenarios about Ps and Ms: their number, who stays on which, and when all of
// them have nothing to do. See tests/sim/scenarios.h.
#include "tests/sim/program.h"
#include "tests/sim/scenarios.h"

namespace tricolor::sim {

/// Every time all tasks wait it is told, and what is told wakes one; never
/// else.
void deadlock() {
  struct World {
    Gate gate;
    uint64_t waits = 0;
    uint64_t told = 0;
  } w;
  Program* p = make_program(
      nullptr,
      [](Options* o, void* ctx) {
        o->on_deadlock_ctx = ctx;
        o->on_deadlock = [](Runtime& rt, void* arg) {
          auto* w = static_cast<World*>(arg);
          ++w->told;
          TRI_CHECK(w->told == w->waits, "told without need");
          AttachScope attach(rt);
          ManagedScope managed(attach);
          w->gate.give(managed.mutator());
        };
      },
      &w);
  const uint64_t rounds = 1 + random(5);
  p->rt->run([&](Mutator& mu) {
    for (uint64_t i = 0; i < rounds; ++i) {
      Task<void> t[3];
      for (auto& task : t) {
        task = spawn(
            mu,
            [](Mutator& mu, uint64_t ns) {
              sleep_ns(mu, ns);
              NativeScope outside(mu);
              block_ns(ns);
            },
            random(20'000'000));
      }
      for (auto& task : t) join(mu, task);
      ++w.waits;
      w.gate.take(mu);
    }
  });
  TRI_CHECK(w.told == rounds);
  end_program(p);
}

/// Tasks that are locked to their Ms among others; main, too, by the seed.
void locked() {
  Program* p = make_program();
  const uint64_t tasks = 2 + random(4);
  p->rt->run([&](Mutator& mu) {
    if (random(2) == 0) lock_os_thread(mu);
    Task<void> waits[12];
    for (uint64_t i = 0; i < 2 * tasks; ++i) {
      waits[i] = spawn(
          mu,
          [](Mutator& mu, Plain<Program> p, uint64_t i) {
            const bool locks = i % 2 == 0;
            if (locks) lock_os_thread(mu);
            const uint32_t here = current_fiber();
            for (int round = 0; round < 5; ++round) {
              switch (random(5)) {
                case 0:
                  sleep_ns(mu, random(2'000'000));
                  break;
                case 1: {
                  NativeScope outside(mu);
                  block_ns(random(1'000'000));
                  break;
                }
                case 2:
                  collect(mu);
                  break;
                case 3:
                  p.p->rt->set_max_procs(static_cast<uint32_t>(1 + random(4)));
                  break;
                default:
                  yield(mu);
              }
              TRI_CHECK(!locks || current_fiber() == here,
                        "a locked task has moved");
            }
            if (locks && random(2) == 0) unlock_os_thread(mu);
            ++p.p->count;
          },
          plain(p), i);
    }
    for (uint64_t i = 0; i < 2 * tasks; ++i) join(mu, waits[i]);
  });
  TRI_CHECK(p->count == 2 * tasks);
  end_program(p);
}

/// The number of Ps changes while tasks spawn, allocate, sleep, collect and are
/// in native code; from a task, and from a thread that attaches for it.
void resize() {
  Program* p = make_program();
  const uint64_t tasks = 3 + random(6);
  Thread outside(
      [](void* arg) {
        auto* p = static_cast<Program*>(arg);
        for (uint64_t n = random(4); n > 0; --n) {
          p->rt->set_max_procs(static_cast<uint32_t>(1 + random(6)));
        }
      },
      p);
  p->rt->run([&](Mutator& mu) {
    Task<void> waits[9];
    for (uint64_t i = 0; i < tasks; ++i) {
      waits[i] = spawn(
          mu,
          [](Mutator& mu, Plain<Program> p) {
            for (int round = 0; round < 4; ++round) {
              Scope<1> scope(mu);
              Local<Node> tree(scope, make_tree(mu, p.p->node, 2));
              switch (random(5)) {
                case 0: {
                  NativeScope outside(mu);
                  block_ns(random(3'000'000));
                  break;
                }
                case 1:
                  sleep_ns(mu, random(2'000'000));
                  break;
                case 2: {
                  auto child = spawn(mu, [](Mutator& mu) { yield(mu); });
                  join(mu, child);
                  break;
                }
                case 3:
                  collect(mu);
                  break;
                default:
                  p.p->rt->set_max_procs(static_cast<uint32_t>(1 + random(5)));
              }
              check_tree(tree, 2);
            }
            ++p.p->count;
          },
          plain(p));
    }
    for (uint64_t n = random(5); n > 0; --n) {
      p->rt->set_max_procs(static_cast<uint32_t>(1 + random(6)));
      yield(mu);
    }
    for (uint64_t i = 0; i < tasks; ++i) join(mu, waits[i]);
  });
  outside.join();
  TRI_CHECK(p->count == tasks);
  end_program(p);
}

namespace {

struct Trade {
  Program* p;
  Global<Channel<uint64_t>>* channel;
  Task<void>* victims;
  uint64_t sent;
  uint64_t got;
  uint64_t left;  ///< of the victims, not cancelled yet
};

void trade(Mutator& mu, Channel<uint64_t>* ch, Trade* t, uint64_t rounds) {
  for (uint64_t n = rounds; n > 0; --n) {
    const Deadline d = Deadline::in(random(200'000));
    uint64_t value = 1 + random(100);
    if (random(2) == 0) {
      if (send(mu, ch, value, d) == WaitResult::kOk) t->sent += value;
    } else if (receive(mu, ch, &value, d) == WaitResult::kOk) {
      t->got += value;
    }
  }
}

/// Waits with no deadline, so that nothing but a value or cancel() ends it.
void trade_until_cancelled(Mutator& mu, Channel<uint64_t>* ch, Plain<Trade> t) {
  Scope<1> scope(mu);
  Local<Channel<uint64_t>> root(scope, ch);
  for (;;) {
    uint64_t value = 1 + random(100);
    const bool sends = random(2) == 0;
    if ((sends ? send(mu, ch, value) : receive(mu, ch, &value)) !=
        WaitResult::kOk) {
      --t.p->left;
      return;
    }
    (sends ? t.p->sent : t.p->got) += value;
    if (random(4) == 0) yield(mu);
  }
}

}  // namespace

/// Tasks of one P, who need no locks among themselves, until others come: they
/// attach, cancel, or bring more Ps.
void company() {
  Program* p = make_program(
      nullptr, [](Options* o, void*) { o->max_procs = 1; }, nullptr);
  Task<void> victims[4];
  Trade t{p, nullptr, victims, 0, 0, 4};
  bool started = false;
  struct Outside {
    Trade* t;
    bool* started;
  } outside{&t, &started};
  auto visit = [](void* arg) {
    auto* o = static_cast<Outside*>(arg);
    while (!*o->started) block_ns(1000);
    for (uint64_t n = random(4); n > 0; --n) {
      block_ns(random(20'000));
      AttachScope attach(*o->t->p->rt);
      ManagedScope managed(attach);
      trade(managed.mutator(), o->t->channel->get(), o->t, random(6));
    }
  };
  Thread one(visit, &outside);
  Thread two(visit, &outside);
  Thread canceller(
      [](void* arg) {
        auto* o = static_cast<Outside*>(arg);
        while (!*o->started) block_ns(1000);
        block_ns(random(100'000));
        for (int i = 0; i < 4; ++i) cancel(o->t->victims[i]);
        if (random(4) == 0) o->t->p->rt->set_max_procs(2);
      },
      &outside);
  p->rt->run([&](Mutator& mu) {
    Global<Channel<uint64_t>> ch(mu, make_channel<uint64_t>(mu, random(3)));
    t.channel = &ch;
    for (auto& v : victims) {
      v = spawn(mu, &trade_until_cancelled, ch.get(), plain(&t));
    }
    started = true;
    trade(mu, ch.get(), &t, random(20));
    while (t.left > 0) sleep_ns(mu, 10'000);
    call_native(mu, [&] {
      one.join();
      two.join();
      canceller.join();
    });
    for (auto& v : victims) join(mu, v);
    uint64_t value = 0;
    while (receive(mu, ch.get(), &value, Deadline::now()) == WaitResult::kOk) {
      t.got += value;
    }
  });
  TRI_CHECK(t.sent == t.got, "%lu sent, %lu received",
            static_cast<unsigned long>(t.sent),
            static_cast<unsigned long>(t.got));
  end_program(p);
}

}  // namespace tricolor::sim
