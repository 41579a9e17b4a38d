// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Mutex, RwMutex, CondVar, Semaphore, WaitGroup, Once, Future, Timer: between
// tasks, attached threads and plain threads; with deadlines and cancellation.
#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "tests/unit/sched/fixture.h"

namespace tricolor::testing {
namespace {

constexpr uint64_t kMs = 1'000'000;

class sched_sync : public AtProcs {};
INSTANTIATE_TEST_SUITE_P(procs, sched_sync, ::testing::Values(1, 2, 8));

/// A count that only a lock keeps right.
struct Guarded {
  Mutex mutex;
  RwMutex rw;
  CondVar changed;
  uint64_t count = 0;
  std::atomic<int> inside{0};
  std::atomic<uint64_t> reads{0};

  void enter(bool alone) {
    const int others = inside.fetch_add(alone ? 100 : 1);
    EXPECT_TRUE(alone ? others == 0 : others < 100) << others;
  }
  void leave(bool alone) { inside.fetch_sub(alone ? 100 : 1); }
};

/// Tasks, attached and plain threads, all of them `f(Mutator* or null)`.
template <class F>
void run_everywhere(Runtime& rt, F f) {
  struct Work {
    F* f;
  } work{&f};
  rt.run([&](Mutator& mu) {
    std::vector<std::thread> threads;
    for (int i = 0; i < 2; i++) {
      threads.emplace_back([&] { f(nullptr); });
      threads.emplace_back([&] {
        AttachScope attach(rt);
        ManagedScope managed(attach);
        f(&managed.mutator());
      });
    }
    std::vector<Task<void>> tasks;
    for (int i = 0; i < 4; i++) {
      tasks.push_back(spawn(
          mu, [](Mutator& mu, Plain<Work> w) { (*w.p->f)(&mu); },
          plain(&work)));
    }
    for (auto& t : tasks) join(mu, t);
    call_native(mu, [&] {
      for (auto& t : threads) t.join();
    });
  });
}

TEST_P(sched_sync, a_mutex_keeps_a_count) {
  Guarded g;
  run_everywhere(*rt_, [&](Mutator* mu) {
    for (int i = 0; i < 2000; i++) {
      mu != nullptr ? g.mutex.lock(*mu) : g.mutex.lock();
      g.enter(true);
      g.count++;
      if (mu != nullptr && i % 50 == 0) yield(*mu);
      g.leave(true);
      mu != nullptr ? g.mutex.unlock(*mu) : g.mutex.unlock();
    }
  });
  EXPECT_EQ(g.count, 8 * 2000u);
}

TEST_P(sched_sync, mutex_deadlines_and_cancellation) {
  rt_->run([](Mutator& mu) {
    Mutex mutex;
    mutex.lock(mu);
    EXPECT_FALSE(mutex.try_lock());
    const uint64_t start = now_ns();
    EXPECT_EQ(mutex.lock(mu, Deadline::in(2 * kMs)), WaitResult::kTimeout);
    EXPECT_GE(now_ns() - start, 2 * kMs);
    auto waits = [](Mutator& mu, Plain<Mutex> m) {
      return m.p->lock(mu, Deadline::never());
    };
    auto cancelled = spawn(mu, waits, plain(&mutex));
    auto locks = spawn(mu, waits, plain(&mutex));
    sleep_ns(mu, kMs);
    cancel(cancelled);
    EXPECT_EQ(join(mu, cancelled), WaitResult::kCancelled);
    // One that does not ask for a result waits on.
    auto stubborn = spawn(
        mu,
        [](Mutator& mu, Plain<Mutex> m) {
          m.p->lock(mu);
          EXPECT_TRUE(is_cancelled(mu));
          m.p->unlock(mu);
        },
        plain(&mutex));
    sleep_ns(mu, kMs);
    cancel(stubborn);
    mutex.unlock(mu);
    EXPECT_EQ(join(mu, locks), WaitResult::kOk);
    mutex.unlock(mu);
    join(mu, stubborn);
    EXPECT_TRUE(mutex.try_lock());
    mutex.unlock(mu);
  });
}

// Many come and go without end; one who waits gets in all the same.
TEST_P(sched_sync, a_mutex_is_fair_in_the_end) {
  struct World {
    Mutex mutex;
    std::atomic<bool> stop{false};
  } w;
  rt_->run([&](Mutator& mu) {
    std::vector<Task<void>> hogs;
    for (int i = 0; i < 3; i++) {
      hogs.push_back(spawn(
          mu,
          [](Mutator& mu, Plain<World> w) {
            while (!w.p->stop) {
              w.p->mutex.lock(mu);
              sleep_ns(mu, 100'000);
              w.p->mutex.unlock(mu);
            }
          },
          plain(&w)));
    }
    for (int i = 0; i < 10; i++) {
      EXPECT_EQ(w.mutex.lock(mu, Deadline::in(10'000 * kMs)), WaitResult::kOk);
      w.mutex.unlock(mu);
    }
    w.stop = true;
    for (auto& t : hogs) join(mu, t);
  });
}

// Who locks it last may unlock and destroy it, though the unlock that let it in
// may not have returned, nor the wait for a CondVar that unlocked it.
struct Shared {
  Mutex mutex;
  CondVar changed;
  int left = 3;
  std::atomic<int>* destroyed;
};

template <class Lock, class Unlock>
void leave(Shared* s, Lock lock, Unlock unlock) {
  lock(s->mutex);
  const bool last = --s->left == 0;
  unlock(s->mutex);
  if (!last) return;
  (*s->destroyed)++;
  delete s;
}

void leave_as_task(Mutator& mu, Plain<Shared> s) {
  leave(
      s.p, [&mu](Mutex& m) { m.lock(mu); }, [&mu](Mutex& m) { m.unlock(mu); });
}

TEST_P(sched_sync, the_last_to_lock_destroys_it) {
  const int rounds = stress_scale(300, 20'000);
  std::atomic<int> destroyed{0};
  rt_->run([&](Mutator& mu) {
    for (int i = 0; i < rounds; i++) {
      auto* s = new Shared;
      s->destroyed = &destroyed;
      s->mutex.lock(mu);
      spawn(mu, &leave_as_task, plain(s)).detach();
      spawn(mu, &leave_as_task, plain(s)).detach();
      if (i % 2 == 0) yield(mu);
      if (i % 3 == 0) {
        (void)s->changed.wait(mu, s->mutex,
                              Deadline::in(static_cast<uint64_t>(i) * 10));
      }
      s->mutex.unlock(mu);
      leave_as_task(mu, {s});
    }
    while (destroyed != rounds) yield(mu);
  });
  destroyed = 0;
  for (int i = 0; i < rounds / 10; i++) {
    auto* s = new Shared;
    s->destroyed = &destroyed;
    const auto body = [s] {
      leave(
          s, [](Mutex& m) { m.lock(); }, [](Mutex& m) { m.unlock(); });
    };
    std::thread a(body);
    std::thread b(body);
    body();
    a.join();
    b.join();
  }
  EXPECT_EQ(destroyed, rounds / 10);
}

TEST_P(sched_sync, readers_together_writers_alone) {
  Guarded g;
  run_everywhere(*rt_, [&](Mutator* mu) {
    for (uint64_t i = 0; i < 1500; i++) {
      const bool writes = i % 5 == 0;
      const Deadline d =
          i % 7 == 0 ? Deadline::in(i % 50 * 1000) : Deadline::never();
      WaitResult r;
      if (writes) {
        r = mu != nullptr ? g.rw.lock(*mu, d) : g.rw.lock(d);
      } else {
        r = mu != nullptr ? g.rw.lock_shared(*mu, d) : g.rw.lock_shared(d);
      }
      if (r != WaitResult::kOk) {
        EXPECT_EQ(r, WaitResult::kTimeout);
        continue;
      }
      g.enter(writes);
      if (writes) {
        g.count++;
      } else {
        g.reads++;
      }
      if (mu != nullptr && i % 20 == 0) yield(*mu);
      g.leave(writes);
      if (writes) {
        mu != nullptr ? g.rw.unlock(*mu) : g.rw.unlock();
      } else {
        mu != nullptr ? g.rw.unlock_shared(*mu) : g.rw.unlock_shared();
      }
    }
  });
  EXPECT_GT(g.count, 0u);
  EXPECT_GT(g.reads, 0u);
  rt_->run([&](Mutator& mu) {
    EXPECT_EQ(g.rw.lock(mu, Deadline::now()), WaitResult::kOk);
    EXPECT_EQ(g.rw.lock_shared(mu, Deadline::now()), WaitResult::kTimeout);
    g.rw.unlock(mu);
  });
}

// A writer that gives up lets in the readers that queued behind it.
TEST_P(sched_sync, a_writer_that_gives_up_blocks_nobody) {
  rt_->run([](Mutator& mu) {
    RwMutex rw;
    rw.lock_shared(mu);
    auto writer = spawn(
        mu,
        [](Mutator& mu, Plain<RwMutex> rw) {
          return rw.p->lock(mu, Deadline::in(20 * kMs));
        },
        plain(&rw));
    sleep_ns(mu, 2 * kMs);
    auto reader = spawn(
        mu,
        [](Mutator& mu, Plain<RwMutex> rw) {
          rw.p->lock_shared(mu);
          rw.p->unlock_shared(mu);
        },
        plain(&rw));
    join(mu, reader);
    EXPECT_EQ(join(mu, writer), WaitResult::kTimeout);
    rw.unlock_shared(mu);
  });
}

TEST_P(sched_sync, a_condition_between_all_kinds) {
  Guarded g;
  std::atomic<int> turns{0};
  // Eight take turns, each waits for its own.
  run_everywhere(*rt_, [&](Mutator* mu) {
    const auto me = static_cast<uint64_t>(turns++);
    for (uint64_t round = 0; round < 60; round++) {
      mu != nullptr ? g.mutex.lock(*mu) : g.mutex.lock();
      while (g.count != round * 8 + me) {
        mu != nullptr ? g.changed.wait(*mu, g.mutex) : g.changed.wait(g.mutex);
      }
      g.count++;
      mu != nullptr ? g.changed.notify_all(*mu) : g.changed.notify_all();
      mu != nullptr ? g.mutex.unlock(*mu) : g.mutex.unlock();
    }
  });
  EXPECT_EQ(g.count, 60 * 8u);
}

TEST_P(sched_sync, a_condition_ends_with_the_mutex_locked) {
  rt_->run([](Mutator& mu) {
    Mutex m;
    CondVar cv;
    m.lock(mu);
    EXPECT_EQ(cv.wait(mu, m, Deadline::in(kMs)), WaitResult::kTimeout);
    EXPECT_FALSE(m.try_lock());
    m.unlock(mu);
    struct World {
      Mutex* m;
      CondVar* cv;
    } w{&m, &cv};
    auto t = spawn(
        mu,
        [](Mutator& mu, Plain<World> w) {
          MutexGuard guard(mu, *w.p->m);
          const WaitResult r = w.p->cv->wait(mu, *w.p->m, Deadline::never());
          EXPECT_FALSE(w.p->m->try_lock());
          return r;
        },
        plain(&w));
    sleep_ns(mu, kMs);
    cancel(t);
    EXPECT_EQ(join(mu, t), WaitResult::kCancelled);
    EXPECT_TRUE(m.try_lock());
    m.unlock(mu);
  });
}

TEST_P(sched_sync, permits_are_never_more_than_there_are) {
  Semaphore permits(3);
  std::atomic<int> held{0};
  run_everywhere(*rt_, [&](Mutator* mu) {
    for (uint64_t i = 0; i < 600; i++) {
      const uint64_t n = 1 + i % 3;
      const Deadline d =
          i % 4 == 0 ? Deadline::in(i % 30 * 1000) : Deadline::never();
      const WaitResult r =
          mu != nullptr ? permits.acquire(*mu, n, d) : permits.acquire(n, d);
      if (r != WaitResult::kOk) continue;
      EXPECT_LE(held.fetch_add(static_cast<int>(n)) + static_cast<int>(n), 3);
      if (mu != nullptr && i % 16 == 0) yield(*mu);
      held.fetch_sub(static_cast<int>(n));
      mu != nullptr ? permits.release(*mu, n) : permits.release(n);
    }
  });
  EXPECT_TRUE(permits.try_acquire(3));
  EXPECT_FALSE(permits.try_acquire());
}

TEST_P(sched_sync, a_group_is_waited_for) {
  WaitGroup group;
  std::atomic<int> ended{0};
  rt_->run([&](Mutator& mu) {
    struct World {
      WaitGroup* group;
      std::atomic<int>* ended;
    } w{&group, &ended};
    group.wait(mu);
    group.add(50);
    EXPECT_EQ(group.wait(mu, Deadline::in(kMs)), WaitResult::kTimeout);
    for (int i = 0; i < 50; i++) {
      spawn(
          mu,
          [](Mutator& mu, Plain<World> w, uint64_t ns) {
            sleep_ns(mu, ns);
            (*w.p->ended)++;
            w.p->group->done(mu);
          },
          plain(&w), static_cast<uint64_t>(i) * 20'000)
          .detach();
    }
    std::thread thread([&] {
      group.wait();
      EXPECT_EQ(ended, 50);
    });
    group.wait(mu);
    EXPECT_EQ(ended, 50);
    call_native(mu, [&] { thread.join(); });
  });
}

TEST_P(sched_sync, once) {
  Once once;
  std::atomic<int> calls{0};
  run_everywhere(*rt_, [&](Mutator* mu) {
    for (int i = 0; i < 20; i++) {
      if (mu != nullptr) {
        once.call(*mu, [&] {
          sleep_ns(*mu, kMs);
          calls++;
        });
      } else {
        once.call([&] { calls++; });
      }
      EXPECT_EQ(calls, 1);
    }
  });
}

TEST_P(sched_sync, once_that_throws_is_tried_again) {
  rt_->run([](Mutator& mu) {
    Once once;
    EXPECT_THROW(once.call(mu, [] { throw 1; }), int);
    EXPECT_FALSE(once.is_done());
    int calls = 0;
    once.call(mu, [&] { calls++; });
    EXPECT_EQ(calls, 1);
  });
}

TEST_P(sched_sync, a_future_is_set_once_and_read_by_all) {
  struct World {
    Type<Link> type;
  } w{link_type(*rt_)};
  rt_->run([&](Mutator& mu) {
    Scope<2> scope(mu);
    Local<Future<Link*>> future(scope, make_future<Link*>(mu));
    Link* l = nullptr;
    EXPECT_EQ(get(mu, future.get(), &l, Deadline::in(kMs)),
              WaitResult::kTimeout);
    std::vector<Task<void>> tasks;
    for (int i = 0; i < 8; i++) {
      tasks.push_back(spawn(
          mu,
          [](Mutator& mu, Future<Link*>* future) {
            Scope<1> scope(mu);
            Local<Link> list(scope);
            Link* l = nullptr;
            EXPECT_EQ(get(mu, future, &l), WaitResult::kOk);
            list = l;
            collect(mu);
            EXPECT_TRUE(check_list(list, 6));
          },
          future.get()));
    }
    sleep_ns(mu, kMs);
    EXPECT_TRUE(set(mu, future.get(), make_list(mu, w.type, 6)));
    EXPECT_FALSE(set(mu, future.get(), nullptr));
    for (auto& t : tasks) join(mu, t);
    EXPECT_EQ(get(mu, future.get(), &l), WaitResult::kOk);
    EXPECT_TRUE(check_list(l, 6));
  });
}

// --- Timers.

TEST_P(sched_sync, a_timer_fires_once_and_not_when_stopped) {
  struct World {
    Semaphore fired;
    std::atomic<int> count{0};
  } w;
  rt_->run([&](Mutator& mu) {
    Timer timer(
        *rt_,
        [](void* ctx) {
          auto* w = static_cast<World*>(ctx);
          w->count++;
          w->fired.release();
        },
        &w);
    EXPECT_FALSE(timer.stop());
    timer.start(mu, Deadline::in(2 * kMs));
    w.fired.acquire(mu);
    EXPECT_FALSE(timer.stop());
    EXPECT_EQ(w.count, 1);
    timer.start(mu, Deadline::in(10'000 * kMs));
    EXPECT_TRUE(timer.stop());
    timer.start(Deadline::in(10'000 * kMs));
    timer.start(mu, Deadline::in(kMs));  // in place of the one before
    w.fired.acquire(mu);
    sleep_ns(mu, 3 * kMs);
    EXPECT_EQ(w.count, 2);
    // What it uses may go as soon as stop() has returned.
    for (uint64_t i = 0; i < 300; i++) {
      auto counter = std::make_unique<std::atomic<int>>(0);
      Timer racer(
          *rt_, [](void* ctx) { (*static_cast<std::atomic<int>*>(ctx))++; },
          counter.get());
      racer.start(mu, Deadline::in(i % 40 * 1000));
      sleep_ns(mu, i % 31 * 1000);
      const bool stopped = racer.stop();
      EXPECT_EQ(counter->load(), stopped ? 0 : 1);
    }
  });
}

TEST_P(sched_sync, a_timer_may_start_itself_again) {
  struct World {
    Timer* timer = nullptr;
    std::atomic<int> count{0};
    Semaphore done;
  } w;
  rt_->run([&](Mutator& mu) {
    Timer timer(
        *rt_,
        [](void* ctx) {
          auto* w = static_cast<World*>(ctx);
          if (++w->count == 10) {
            EXPECT_FALSE(w->timer->stop());
            w->done.release();
          } else {
            w->timer->start(Deadline::in(kMs / 5));
          }
        },
        &w);
    w.timer = &timer;
    timer.start(mu, Deadline::in(0));
    w.done.acquire(mu);
    EXPECT_EQ(w.count, 10);
  });
}

TEST_P(sched_sync, a_ticker_keeps_the_beat) {
  rt_->run([](Mutator& mu) {
    const uint64_t start = now_ns();
    Ticker ticker(2 * kMs);
    uint64_t ticks = 0;
    for (int i = 0; i < 5; i++) {
      EXPECT_EQ(ticker.wait(mu), WaitResult::kOk);
      ticks += 1 + ticker.missed();
      EXPECT_GE(now_ns() - start, ticks * 2 * kMs);
    }
    sleep_ns(mu, 9 * kMs);
    ticker.wait(mu);
    EXPECT_GE(ticker.missed(), 3u);
  });
}

TEST_P(sched_sync, the_time_comes_through_a_channel) {
  rt_->run([](Mutator& mu) {
    Scope<2> scope(mu);
    Local<Channel<uint64_t>> time(scope, make_channel<uint64_t>(mu, 1));
    Local<Channel<uint64_t>> never(scope, make_channel<uint64_t>(mu, 0));
    const Deadline when = Deadline::in(3 * kMs);
    send_at(mu, when, time.get());
    uint64_t at = 0;
    uint64_t v = 0;
    const Selected s = select(mu, {}, on_receive(never.get(), &v),
                              on_receive(time.get(), &at));
    EXPECT_EQ(s.index, 1u);
    EXPECT_EQ(at, when.at_ns);
    EXPECT_GE(now_ns(), at);
    // Held by nothing but the timer, and dropped by it.
    for (int i = 0; i < 50; i++) {
      send_at(mu, Deadline::in(kMs), make_channel<uint64_t>(mu, 1));
    }
    collect(mu);
    sleep_ns(mu, 5 * kMs);
    collect(mu);
    verify_heap(mu);
  });
}

// --- Misuse.

using sched_sync_death = sched_sync;
INSTANTIATE_TEST_SUITE_P(procs, sched_sync_death, ::testing::Values(1));

TEST_P(sched_sync_death, misuse_is_named) {
  auto run = [&](void (*f)(Mutator&)) { rt_->run(f); };
  EXPECT_DEATH(run([](Mutator& mu) {
                 Mutex m;
                 m.unlock(mu);
               }),
               "Mutex::unlock.*not locked");
  EXPECT_DEATH(run([](Mutator& mu) {
                 Once once;
                 once.call(mu, [&] { once.call(mu, [] {}); });
               }),
               "Once::call.*calls it again");
  EXPECT_DEATH(
      {
        Once once;
        once.call([&] { once.call([] {}); });
      },
      "Once::call.*calls it again");
  EXPECT_DEATH(run([](Mutator& mu) {
                 Mutex m;
                 m.lock(mu);
                 m.lock();
               }),
               "Mutex::lock.*pass the Mutator");
  EXPECT_DEATH(run([](Mutator& mu) {
                 RwMutex m;
                 m.lock_shared(mu);
                 m.unlock(mu);
               }),
               "RwMutex::unlock.*not locked so");
  EXPECT_DEATH(run([](Mutator& mu) {
                 Mutex m;
                 CondVar cv;
                 cv.wait(mu, m);
               }),
               "CondVar::wait.*not locked");
  EXPECT_DEATH(run([](Mutator& mu) {
                 WaitGroup g;
                 g.done(mu);
               }),
               "WaitGroup::done.*more often");
}

}  // namespace
}  // namespace tricolor::testing
