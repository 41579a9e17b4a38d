// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Scenarios of waits: several parties want to end the same one.
#include "tests/sim/program.h"
#include "tests/sim/scenarios.h"

namespace tricolor::sim {

namespace {

using Nodes = Channel<Node*>;
using Numbers = Channel<uint64_t>;

/// A deadline that is over at once, soon, late, or never comes.
Deadline some_deadline() {
  switch (random(4)) {
    case 0:
      return Deadline::now();
    case 1:
      return Deadline::in(random(30'000));
    case 2:
      return Deadline::in(random(20'000'000));
    default:
      return Deadline::never();
  }
}

struct Traffic {
  Program* p;
  uint64_t sent = 0;
  uint64_t got = 0;
  uint64_t done = 0;
};

void send_trees(Mutator& mu, Nodes* ch, Plain<Traffic> t, uint64_t n) {
  Scope<1> scope(mu);
  Local<Nodes> root(scope, ch);
  for (uint64_t i = 0; i < n; ++i) {
    const uint64_t height = random(3);
    switch (
        send(mu, ch, make_tree(mu, t.p->p->node, height), some_deadline())) {
      case WaitResult::kOk:
        t.p->sent += height + 1;
        break;
      case WaitResult::kTimeout:
        break;
      default:  // cancelled, or nobody receives any more
        return;
    }
  }
}

void receive_trees(Mutator& mu, Nodes* ch, Plain<Traffic> t) {
  Scope<2> scope(mu);
  Local<Nodes> root(scope, ch);
  Local<Node> tree(scope);
  for (;;) {
    Node* got = nullptr;
    const WaitResult r = receive(mu, ch, &got, some_deadline());
    if (r == WaitResult::kClosed || r == WaitResult::kCancelled) return;
    if (r == WaitResult::kTimeout) {
      yield(mu);
      continue;
    }
    tree = got;
    if (random(3) == 0) yield(mu);
    check_tree(tree, tree->value);
    t.p->got += tree->value + 1;
  }
}

}  // namespace

void channels() {
  Program* p = make_program();
  Traffic traffic{p};
  p->rt->run([&](Mutator& mu) {
    Scope<1> scope(mu);
    Local<Nodes> ch(scope, make_channel<Node*>(mu, random(3)));
    Task<void> senders[3];
    Task<void> receivers[3];
    // Roots are marked in this order, too: a receiver that is black meets a
    // sender that is not.
    for (auto& t : receivers) {
      t = spawn(mu, &receive_trees, ch.get(), plain(&traffic));
    }
    for (auto& t : senders) {
      t = spawn(mu, &send_trees, ch.get(), plain(&traffic), random(12));
    }
    // A sender that waits when a mark begins has the only pointer to its tree,
    // from before.
    auto collector = spawn(mu, [](Mutator& mu) {
      for (uint64_t n = random(4); n > 0; --n) collect(mu);
    });
    if (random(3) == 0) cancel(senders[random(3)]);
    if (random(3) == 0) cancel(receivers[random(3)]);
    for (uint64_t n = random(6); n > 0; --n) yield(mu);
    const bool close_early = random(4) == 0;
    if (close_early) close(mu, ch.get());
    // If all receivers are cancelled senders with no deadline would stay.
    auto drain = spawn(mu, &receive_trees, ch.get(), plain(&traffic));
    for (auto& t : senders) join(mu, t);
    join(mu, collector);
    close(mu, ch.get());
    for (auto& t : receivers) join(mu, t);
    join(mu, drain);
    TRI_CHECK(ch->size() == 0);
    verify_heap(mu);
  });
  TRI_CHECK(traffic.sent == traffic.got, "%lu sent, %lu received",
            static_cast<unsigned long>(traffic.sent),
            static_cast<unsigned long>(traffic.got));
  end_program(p);
}

namespace {

struct HandOff {
  Program* p;
  uint64_t waiting = 0;
  uint64_t got = 0;
};

}  // namespace

/// A receiver that a mark has scanned takes trees from senders that it has not,
/// and that have nothing left of them afterwards.
void hand_offs() {
  constexpr uint64_t kSenders = 8;
  Program* p = make_program("clobberfree=2,badptr=1");
  HandOff h{p};
  p->rt->run([&](Mutator& mu) {
    Scope<1> scope(mu);
    Local<Nodes> ch(scope, make_channel<Node*>(mu, 0));
    // Made first, so scanned first.
    auto receiver = spawn(
        mu,
        [](Mutator& mu, Nodes* ch, Plain<HandOff> h) {
          Scope<kSenders + 1> scope(mu);
          Local<Nodes> root(scope, ch);
          Node** trees[kSenders];
          while (h.p->waiting < kSenders) yield(mu);
          for (auto& slot : trees) {
            for (uint64_t n = random(20); n > 0; --n) poll(mu);
            slot = reinterpret_cast<Node**>(scope.take());
            Node* tree = nullptr;
            TRI_CHECK(receive(mu, ch, &tree) == WaitResult::kOk);
            *slot = tree;
          }
          collect(mu);
          for (Node** slot : trees) check_tree(*slot, 2);
        },
        ch.get(), plain(&h));
    Task<void> senders[kSenders];
    for (auto& t : senders) {
      t = spawn(
          mu,
          [](Mutator& mu, Nodes* ch, Plain<HandOff> h) {
            Scope<1> scope(mu);
            Local<Nodes> root(scope, ch);
            Node* const tree = make_tree(mu, h.p->p->node, 2);
            ++h.p->waiting;
            TRI_CHECK(send(mu, ch, tree) == WaitResult::kOk);
          },
          ch.get(), plain(&h));
    }
    while (h.waiting < kSenders) yield(mu);
    for (int i = 0; i < 3; ++i) collect(mu);
    join(mu, receiver);
    for (auto& t : senders) join(mu, t);
  });
  end_program(p);
}

namespace {

/// Each round one case of either direction on any of three channels.
void select_both_ways(Mutator& mu, Numbers* a, Numbers* b, Nodes* c,
                      Plain<Traffic> t) {
  Scope<4> scope(mu);
  Local<Numbers> ra(scope, a);
  Local<Numbers> rb(scope, b);
  Local<Nodes> rc(scope, c);
  Local<Node> tree(scope);
  for (uint64_t i = 0; i < 8; ++i) {
    const uint64_t out = 1 + random(100);
    uint64_t in = 0;
    tree = make_tree(mu, t.p->p->node, 1);
    Node* const offered = tree;
    Node* taken = nullptr;
    const Selected s =
        select(mu, Deadline::in(random(400'000)), on_send(a, out),
               on_receive(b, &in), on_send(b, out), on_receive(a, &in),
               on_receive(c, &taken), on_send(c, offered));
    if (s.index == Selected::kNone) continue;
    TRI_CHECK(s.result == WaitResult::kOk);
    if (s.index == 0 || s.index == 2) t.p->sent += out;
    if (s.index == 1 || s.index == 3) t.p->got += in;
    if (s.index == 4) {
      tree = taken;
      yield(mu);
      check_tree(tree, 1);
    }
  }
  ++t.p->done;
}

}  // namespace

void selects() {
  Program* p = make_program();
  Traffic traffic{p};
  p->rt->run([&](Mutator& mu) {
    Scope<3> scope(mu);
    Local<Numbers> a(scope, make_channel<uint64_t>(mu, random(2)));
    Local<Numbers> b(scope, make_channel<uint64_t>(mu, 0));
    Local<Nodes> c(scope, make_channel<Node*>(mu, random(2)));
    Task<void> tasks[4];
    for (auto& t : tasks) {
      t = spawn(mu, &select_both_ways, a.get(), b.get(), c.get(),
                plain(&traffic));
    }
    if (random(2) == 0) collect(mu);
    for (auto& t : tasks) join(mu, t);
    uint64_t v = 0;
    while (receive(mu, a.get(), &v, Deadline::now()) == WaitResult::kOk) {
      traffic.got += v;
    }
  });
  TRI_CHECK(traffic.done == 4 && traffic.sent == traffic.got);
  end_program(p);
}

namespace {

/// Waits in one way or another until it is cancelled.
void wait_somehow(Mutator& mu, Numbers* ch, Plain<Traffic> t) {
  Scope<1> scope(mu);
  Local<Numbers> root(scope, ch);
  Task<void> child = spawn(mu, [](Mutator& mu) {
    while (sleep_ns(mu, 50'000) == WaitResult::kOk) {
    }
  });
  uint64_t v = 0;
  WaitResult r = WaitResult::kOk;
  while (r != WaitResult::kCancelled) {
    switch (random(4)) {
      case 0:
        r = sleep_ns(mu, random(100'000));
        break;
      case 1:
        r = receive(mu, ch, &v, some_deadline());
        break;
      case 2:
        r = select(mu, some_deadline(), on_receive(ch, &v), on_send(ch, v))
                .result;
        break;
      default:
        r = wait_for(mu, child, some_deadline());
    }
    if (r != WaitResult::kCancelled) yield(mu);
  }
  TRI_CHECK(is_cancelled(mu));
  cancel(child);
  join(mu, child);
  ++t.p->done;
}

}  // namespace

void cancellations() {
  Program* p = make_program();
  Traffic traffic{p};
  Task<void> tasks[4];
  bool started = false;
  struct Outside {
    Task<void>* tasks;
    bool* started;
  } outside{tasks, &started};
  // A thread that is no task, and not attached.
  Thread thread(
      [](void* arg) {
        auto* o = static_cast<Outside*>(arg);
        while (!*o->started) block_ns(1000);
        block_ns(random(50'000));
        cancel(o->tasks[0]);
        cancel(o->tasks[1]);
      },
      &outside);
  p->rt->run([&](Mutator& mu) {
    Scope<1> scope(mu);
    Local<Numbers> ch(scope, make_channel<uint64_t>(mu, random(2)));
    for (auto& t : tasks) {
      t = spawn(mu, &wait_somehow, ch.get(), plain(&traffic));
    }
    started = true;
    for (uint64_t n = random(8); n > 0; --n) yield(mu);
    cancel(tasks[2]);
    cancel(tasks[3]);
    cancel(tasks[3]);
    while (traffic.done < 4) sleep_ns(mu, 10'000);
    call_native(mu, [&] { thread.join(); });
    for (auto& t : tasks) join(mu, t);
  });
  end_program(p);
}

namespace {

/// What locks guard, and a count of who is where.
struct Locked {
  explicit Locked(Program* program) : p(program) {}
  Program* p;
  Mutex mutex;
  RwMutex rw;
  CondVar changed;
  Semaphore permits{2};
  uint64_t inside = 0;
  uint64_t readers = 0;
  uint64_t writers = 0;
  uint64_t held = 0;
  uint64_t turn = 0;
  uint64_t done = 0;
};

void let_others(Mutator* mu) {
  if (mu == nullptr) {
    now_ns();
  } else {
    random(2) == 0 ? yield(*mu) : poll(*mu);
  }
}

void lock_once(Mutator* mu, Locked* l) {
  const Deadline d = some_deadline();
  const WaitResult r = mu != nullptr ? l->mutex.lock(*mu, d) : l->mutex.lock(d);
  if (r != WaitResult::kOk) return;
  TRI_CHECK(l->inside++ == 0, "two hold a mutex");
  let_others(mu);
  if (random(3) == 0) {
    --l->inside;
    const Deadline d = Deadline::in(random(100'000));
    const WaitResult r = mu != nullptr ? l->changed.wait(*mu, l->mutex, d)
                                       : l->changed.wait(l->mutex, d);
    TRI_CHECK(r != WaitResult::kClosed);
    TRI_CHECK(l->inside++ == 0, "two hold a mutex after a wait");
  }
  --l->inside;
  ++l->turn;
  if (random(2) == 0) {
    mu != nullptr ? l->changed.notify_one(*mu) : l->changed.notify_one();
  } else {
    mu != nullptr ? l->changed.notify_all(*mu) : l->changed.notify_all();
  }
  mu != nullptr ? l->mutex.unlock(*mu) : l->mutex.unlock();
}

void lock_shared_or_not(Mutator* mu, Locked* l) {
  const Deadline d = some_deadline();
  if (random(3) == 0) {
    const WaitResult r = mu != nullptr ? l->rw.lock(*mu, d) : l->rw.lock(d);
    if (r != WaitResult::kOk) return;
    TRI_CHECK(l->writers++ == 0 && l->readers == 0, "a writer is not alone");
    let_others(mu);
    --l->writers;
    mu != nullptr ? l->rw.unlock(*mu) : l->rw.unlock();
    return;
  }
  const WaitResult r =
      mu != nullptr ? l->rw.lock_shared(*mu, d) : l->rw.lock_shared(d);
  if (r != WaitResult::kOk) return;
  ++l->readers;
  TRI_CHECK(l->writers == 0, "a reader beside a writer");
  let_others(mu);
  --l->readers;
  mu != nullptr ? l->rw.unlock_shared(*mu) : l->rw.unlock_shared();
}

void take_permits(Mutator* mu, Locked* l) {
  const uint64_t n = 1 + random(2);
  const Deadline d = some_deadline();
  const WaitResult r =
      mu != nullptr ? l->permits.acquire(*mu, n, d) : l->permits.acquire(n, d);
  if (r != WaitResult::kOk) return;
  l->held += n;
  TRI_CHECK(l->held <= 2, "more permits than there are");
  let_others(mu);
  l->held -= n;
  mu != nullptr ? l->permits.release(*mu, n) : l->permits.release(n);
}

void use_locks(Mutator* mu, Locked* l) {
  for (uint64_t n = 2 + random(8); n > 0; --n) {
    switch (random(3)) {
      case 0:
        lock_once(mu, l);
        break;
      case 1:
        lock_shared_or_not(mu, l);
        break;
      default:
        take_permits(mu, l);
    }
  }
  ++l->done;
}

}  // namespace

void locks() {
  Program* p = make_program();
  Locked l(p);
  Thread plain_thread(
      [](void* arg) { use_locks(nullptr, static_cast<Locked*>(arg)); }, &l);
  Thread attached_thread(
      [](void* arg) {
        auto* l = static_cast<Locked*>(arg);
        AttachScope attach(*l->p->rt);
        ManagedScope managed(attach);
        use_locks(&managed.mutator(), l);
      },
      &l);
  p->rt->run([&](Mutator& mu) {
    Task<void> tasks[4];
    for (auto& t : tasks) {
      t = spawn(
          mu, [](Mutator& mu, Plain<Locked> l) { use_locks(&mu, l.p); },
          plain(&l));
    }
    if (random(2) == 0) collect(mu);
    if (random(2) == 0) cancel(tasks[0]);
    for (auto& t : tasks) join(mu, t);
    call_native(mu, [&] {
      plain_thread.join();
      attached_thread.join();
    });
  });
  TRI_CHECK(l.done == 6 && l.mutex.try_lock() && l.permits.try_acquire(2));
  TRI_CHECK(l.rw.lock(Deadline::now()) == WaitResult::kOk);
  end_program(p);
}

namespace {

struct Alarm {
  uint64_t fired = 0;
  bool gone = false;
};

}  // namespace

/// Timers that are started, stopped and started again while they fire.
void alarms() {
  Program* p = make_program();
  p->rt->run([&](Mutator& mu) {
    for (uint64_t n = 1 + random(12); n > 0; --n) {
      auto* alarm = new Alarm();
      uint64_t stopped = 0;
      uint64_t started = 0;
      {
        Timer timer(
            *p->rt,
            [](void* ctx) {
              auto* alarm = static_cast<Alarm*>(ctx);
              TRI_CHECK(!alarm->gone, "a timer fired after stop()");
              ++alarm->fired;
              now_ns();
            },
            alarm);
        for (uint64_t k = random(4); k > 0; --k) {
          if (timer.stop()) ++stopped;
          timer.start(mu, Deadline::in(random(60'000)));
          ++started;
          if (random(2) == 0) sleep_ns(mu, random(80'000));
        }
        if (timer.stop()) ++stopped;
      }
      alarm->gone = true;
      TRI_CHECK(alarm->fired + stopped == started);
      delete alarm;
    }
  });
  end_program(p);
}

}  // namespace tricolor::sim
