// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Channels: order, hand-off, closing, deadlines, and that what is in them, or
// on its way, stays alive.
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/unit/sched/fixture.h"

namespace tricolor::testing {
namespace {

constexpr uint64_t kMs = 1'000'000;

class sched_channel : public AtProcs {};
INSTANTIATE_TEST_SUITE_P(procs, sched_channel, ::testing::Values(1, 2, 8));

using Numbers = Channel<uint64_t>;

TEST_P(sched_channel, a_buffer_is_a_queue) {
  rt_->run([](Mutator& mu) {
    Scope<1> scope(mu);
    Local<Numbers> ch(scope, make_channel<uint64_t>(mu, 3));
    uint64_t v = 99;
    EXPECT_EQ(receive(mu, ch.get(), &v, Deadline::now()), WaitResult::kTimeout);
    EXPECT_EQ(v, 99u);
    for (uint64_t round = 0; round < 10; round++) {
      for (uint64_t i = 0; i < 3; i++) {
        EXPECT_EQ(send(mu, ch.get(), round * 10 + i), WaitResult::kOk);
        EXPECT_EQ(ch->size(), i + 1);
      }
      EXPECT_EQ(send(mu, ch.get(), 0, Deadline::now()), WaitResult::kTimeout);
      for (uint64_t i = 0; i < 3; i++) {
        EXPECT_EQ(receive(mu, ch.get(), &v), WaitResult::kOk);
        EXPECT_EQ(v, round * 10 + i);
      }
    }
    EXPECT_EQ(ch->capacity(), 3u);
  });
}

TEST_P(sched_channel, unbuffered_request_and_reply) {
  rt_->run([](Mutator& mu) {
    Scope<2> scope(mu);
    Local<Numbers> ask(scope, make_channel<uint64_t>(mu, 0));
    Local<Numbers> tell(scope, make_channel<uint64_t>(mu, 0));
    auto server = spawn(
        mu,
        [](Mutator& mu, Numbers* a, Numbers* t) {
          Scope<2> scope(mu);
          Local<Numbers> ask(scope, a);
          Local<Numbers> tell(scope, t);
          uint64_t v;
          while (receive(mu, ask.get(), &v) == WaitResult::kOk) {
            EXPECT_EQ(send(mu, tell.get(), v * v), WaitResult::kOk);
          }
          close(mu, tell.get());
        },
        ask.get(), tell.get());
    uint64_t v = 0;
    for (uint64_t i = 0; i < 2000; i++) {
      EXPECT_EQ(send(mu, ask.get(), i), WaitResult::kOk);
      EXPECT_EQ(receive(mu, tell.get(), &v), WaitResult::kOk);
      EXPECT_EQ(v, i * i);
    }
    EXPECT_TRUE(close(mu, ask.get()));
    EXPECT_FALSE(close(mu, ask.get()));
    EXPECT_EQ(receive(mu, tell.get(), &v), WaitResult::kClosed);
    join(mu, server);
  });
}

struct Count {
  std::atomic<uint64_t> sum{0};
  std::atomic<uint64_t> received{0};
};

// Many senders, many receivers, none lost, none twice; then closed.
TEST_P(sched_channel, many_to_many) {
  for (size_t capacity : {size_t{0}, size_t{1}, size_t{7}}) {
    Count count;
    rt_->run([&](Mutator& mu) {
      constexpr uint64_t kEach = 300;
      Scope<1> scope(mu);
      Local<Numbers> ch(scope, make_channel<uint64_t>(mu, capacity));
      std::vector<Task<void>> senders;
      std::vector<Task<void>> receivers;
      for (uint64_t s = 0; s < 6; s++) {
        senders.push_back(spawn(
            mu,
            [](Mutator& mu, Numbers* ch, uint64_t s) {
              Scope<1> scope(mu);
              Local<Numbers> root(scope, ch);
              for (uint64_t i = 0; i < kEach; i++) {
                ASSERT_EQ(send(mu, ch, s * kEach + i), WaitResult::kOk);
              }
            },
            ch.get(), s));
      }
      for (int r = 0; r < 5; r++) {
        receivers.push_back(spawn(
            mu,
            [](Mutator& mu, Numbers* ch, Plain<Count> count) {
              uint64_t v;
              while (receive(mu, ch, &v) == WaitResult::kOk) {
                count.p->sum += v;
                count.p->received++;
              }
            },
            ch.get(), plain(&count)));
      }
      for (auto& t : senders) join(mu, t);
      close(mu, ch.get());
      for (auto& t : receivers) join(mu, t);
      EXPECT_EQ(count.received, 6 * kEach);
      EXPECT_EQ(count.sum, 6 * kEach * (6 * kEach - 1) / 2);
    });
  }
}

// First come, first served.
TEST_P(sched_channel, waiters_are_served_in_order) {
  rt_->run([](Mutator& mu) {
    static std::vector<int> order;
    order.clear();
    Scope<1> scope(mu);
    Local<Numbers> ch(scope, make_channel<uint64_t>(mu, 0));
    std::vector<Task<void>> tasks;
    static std::atomic<int> waiting;
    waiting = 0;
    for (int i = 0; i < 5; i++) {
      tasks.push_back(spawn(
          mu,
          [](Mutator& mu, Numbers* ch, int i) {
            uint64_t v;
            waiting++;
            receive(mu, ch, &v);
            EXPECT_EQ(v, static_cast<uint64_t>(i));
          },
          ch.get(), i));
      // Until it waits, and longer than it may take it to.
      while (waiting <= i) yield(mu);
      sleep_ns(mu, 5 * kMs);
    }
    for (uint64_t i = 0; i < 5; i++) send(mu, ch.get(), i);
    for (auto& t : tasks) join(mu, t);
  });
}

TEST_P(sched_channel, closing_wakes_all_and_loses_nothing) {
  rt_->run([](Mutator& mu) {
    Scope<2> scope(mu);
    Local<Numbers> full(scope, make_channel<uint64_t>(mu, 2));
    Local<Numbers> empty(scope, make_channel<uint64_t>(mu, 0));
    send(mu, full.get(), 1);
    send(mu, full.get(), 2);
    std::vector<Task<void>> tasks;
    for (int i = 0; i < 4; i++) {
      tasks.push_back(spawn(
          mu,
          [](Mutator& mu, Numbers* full, Numbers* empty) {
            Scope<1> scope(mu);
            Local<Numbers> root(scope, empty);
            EXPECT_EQ(send(mu, full, 7), WaitResult::kClosed);
            uint64_t v = 5;
            EXPECT_EQ(receive(mu, empty, &v), WaitResult::kClosed);
            EXPECT_EQ(v, 5u);
          },
          full.get(), empty.get()));
    }
    sleep_ns(mu, 10 * kMs);
    close(mu, full.get());
    close(mu, empty.get());
    for (auto& t : tasks) join(mu, t);
    uint64_t v = 0;
    EXPECT_EQ(receive(mu, full.get(), &v), WaitResult::kOk);
    EXPECT_EQ(v, 1u);
    EXPECT_EQ(receive(mu, full.get(), &v), WaitResult::kOk);
    EXPECT_EQ(v, 2u);
    EXPECT_EQ(receive(mu, full.get(), &v), WaitResult::kClosed);
  });
}

TEST_P(sched_channel, deadlines) {
  rt_->run([](Mutator& mu) {
    Scope<1> scope(mu);
    Local<Numbers> ch(scope, make_channel<uint64_t>(mu, 0));
    uint64_t v;
    const uint64_t start = now_ns();
    EXPECT_EQ(receive(mu, ch.get(), &v, Deadline::in(3 * kMs)),
              WaitResult::kTimeout);
    EXPECT_GE(now_ns() - start, 3 * kMs);
    EXPECT_EQ(send(mu, ch.get(), 1, Deadline::in(kMs)), WaitResult::kTimeout);
    // Nobody is left in the lists: this one meets the next, not a ghost.
    auto t = spawn(
        mu, [](Mutator& mu, Numbers* ch) { send(mu, ch, 42); }, ch.get());
    EXPECT_EQ(receive(mu, ch.get(), &v), WaitResult::kOk);
    EXPECT_EQ(v, 42u);
    join(mu, t);
  });
}

// Senders and receivers give up at random; each value sent is received once.
TEST_P(sched_channel, deadlines_beside_hand_offs) {
  Count sent;
  Count got;
  rt_->run([&](Mutator& mu) {
    Scope<1> scope(mu);
    Local<Numbers> ch(scope, make_channel<uint64_t>(mu, 0));
    std::vector<Task<void>> tasks;
    for (uint64_t k = 0; k < 8; k++) {
      tasks.push_back(spawn(
          mu,
          [](Mutator& mu, Numbers* ch, Plain<Count> sent, Plain<Count> got,
             uint64_t k) {
            Scope<1> scope(mu);
            Local<Numbers> root(scope, ch);
            for (uint64_t i = 0; i < 400; i++) {
              const Deadline d = Deadline::in((i * 7919 + k) % 20'000);
              uint64_t v = i * 8 + k;
              if (k % 2 == 0) {
                if (send(mu, ch, v, d) == WaitResult::kOk) sent.p->sum += v;
              } else if (receive(mu, ch, &v, d) == WaitResult::kOk) {
                got.p->sum += v;
              }
            }
          },
          ch.get(), plain(&sent), plain(&got), k));
    }
    for (auto& t : tasks) join(mu, t);
  });
  EXPECT_EQ(sent.sum, got.sum);
}

// --- Managed values.

using Links = Channel<Link*>;

struct LinkWorld {
  Type<Link> type;
  std::atomic<uint64_t> received{0};
};

// The only pointer to a list goes from hand to hand while the collector runs.
void pass_lists(Runtime& rt, size_t capacity, uint64_t each) {
  LinkWorld w{link_type(rt)};
  rt.run([&](Mutator& mu) {
    Scope<1> scope(mu);
    Local<Links> ch(scope, make_channel<Link*>(mu, capacity));
    std::vector<Task<void>> tasks;
    for (uint64_t s = 0; s < 3; s++) {
      tasks.push_back(spawn(
          mu,
          [](Mutator& mu, Links* ch, Plain<LinkWorld> w, uint64_t each) {
            Scope<1> scope(mu);
            Local<Links> root(scope, ch);
            for (uint64_t i = 0; i < each; i++) {
              ASSERT_EQ(send(mu, ch, make_list(mu, w.p->type, 1 + i % 20)),
                        WaitResult::kOk);
            }
          },
          ch.get(), plain(&w), each));
      tasks.push_back(spawn(
          mu,
          [](Mutator& mu, Links* ch, Plain<LinkWorld> w, uint64_t each) {
            Scope<2> scope(mu);
            Local<Links> root(scope, ch);
            Local<Link> list(scope);
            for (uint64_t i = 0; i < each; i++) {
              Link* l = nullptr;
              ASSERT_EQ(receive(mu, ch, &l), WaitResult::kOk);
              list = l;
              if (i % 3 == 0) yield(mu);
              ASSERT_TRUE(check_list(list, list->value));
              w.p->received++;
            }
          },
          ch.get(), plain(&w), each));
    }
    for (int i = 0; i < 3; i++) collect(mu);
    for (auto& t : tasks) join(mu, t);
    EXPECT_EQ(w.received, 3 * each);
    EXPECT_EQ(ch->size(), 0u);
    verify_heap(mu);
  });
}

TEST_P(sched_channel, lists_go_from_hand_to_hand) {
  pass_lists(*rt_, 0, 300);
  pass_lists(*rt_, 5, 300);
}

TEST_P(sched_channel, lists_under_zeal) {
  for (const char* debug :
       {"gcstress=3,clobberfree=2,badptr=1", "gccheckmark=1,smallbuffers=1",
        "barriercheck=1", "pollstress=2,smallbuffers=1,clobberfree=2"}) {
    Options o = options(GetParam());
    o.debug = debug;
    RuntimePtr rt = make_runtime(o);
    pass_lists(*rt, 0, 40);
    pass_lists(*rt, 3, 40);
  }
}

// What is queued is alive, what has been taken is not held.
TEST_P(sched_channel, the_queue_is_traced) {
  LinkWorld w{link_type(*rt_)};
  rt_->run([&](Mutator& mu) {
    Scope<4> scope(mu);
    Local<Links> ch(scope, make_channel<Link*>(mu, 4));
    Local<Weak<Link>> weak(scope);
    for (int i = 0; i < 3; i++) {
      send(mu, ch.get(), make_list(mu, w.type, 3));
    }
    collect(mu);
    collect(mu);
    Link* l = nullptr;
    receive(mu, ch.get(), &l);
    ASSERT_TRUE(check_list(l, 3));
    weak = Weak<Link>::make(mu, l);
    collect(mu);
    EXPECT_EQ(weak->get(mu), nullptr);
    for (int i = 0; i < 2; i++) {
      receive(mu, ch.get(), &l);
      ASSERT_TRUE(check_list(l, 3));
    }
  });
}

// --- Encoded values.

struct Tagged {
  uint64_t bits;
};

}  // namespace
}  // namespace tricolor::testing

template <>
struct tricolor::ValueTraits<tricolor::testing::Tagged> {
  static void* cell(tricolor::testing::Tagged v) {
    return (v.bits & 1) != 0 ? nullptr : reinterpret_cast<void*>(v.bits);
  }
};

namespace tricolor::testing {
namespace {

EncodingId tagged_encoding(Runtime& rt) {
  Encoding e;
  e.kind = EncodingKind::kTagSet;
  e.tag_mask = 1;
  e.tag_set[0] = 1;  // tag 0: a pointer
  return rt.register_encoding(e);
}

TEST_P(sched_channel, encoded_values) {
  LinkWorld w{link_type(*rt_)};
  const EncodingId encoding = tagged_encoding(*rt_);
  rt_->run([&](Mutator& mu) {
    Scope<1> scope(mu);
    Local<Channel<Tagged>> ch(scope, make_channel<Tagged>(mu, 3, encoding));
    auto sender = spawn(
        mu,
        [](Mutator& mu, Channel<Tagged>* ch, Plain<LinkWorld> w) {
          Scope<1> scope(mu);
          Local<Channel<Tagged>> root(scope, ch);
          for (uint64_t i = 0; i < 200; i++) {
            Tagged v{2 * i + 1};
            if (i % 2 == 0) {
              v.bits = reinterpret_cast<uint64_t>(make_list(mu, w.p->type, 5));
            }
            send(mu, ch, v);
          }
          close(mu, ch);
        },
        ch.get(), plain(&w));
    Tagged v{};
    for (uint64_t i = 0; receive(mu, ch.get(), &v) == WaitResult::kOk; i++) {
      if (i % 2 == 0) {
        ASSERT_TRUE(check_list(reinterpret_cast<Link*>(v.bits), 5));
      } else {
        EXPECT_EQ(v.bits, 2 * i + 1);
      }
      if (i % 50 == 0) collect(mu);
    }
    join(mu, sender);
  });
}

// --- Attached threads.

TEST_P(sched_channel, attached_threads_send_and_receive) {
  LinkWorld w{link_type(*rt_)};
  Runtime& rt = *rt_;
  rt.run([&](Mutator& mu) {
    Scope<2> scope(mu);
    Local<Links> to(scope, make_channel<Link*>(mu, 0));
    Local<Links> back(scope, make_channel<Link*>(mu, 1));
    Global<Links> to_thread(mu, to);
    Global<Links> from_thread(mu, back);
    std::thread thread([&] {
      AttachScope attach(rt);
      ManagedScope managed(attach);
      Mutator& mu = managed.mutator();
      Scope<1> scope(mu);
      Local<Link> list(scope);
      Link* l = nullptr;
      uint64_t timeouts = 0;
      for (;;) {
        const WaitResult r =
            receive(mu, to_thread.get(), &l, Deadline::in(2 * kMs));
        if (r == WaitResult::kTimeout) {
          timeouts++;
          continue;
        }
        if (r == WaitResult::kClosed) break;
        list = l;
        EXPECT_EQ(send(mu, from_thread.get(), list), WaitResult::kOk);
      }
      EXPECT_GT(timeouts, 0u);
    });
    for (int i = 0; i < 100; i++) {
      if (i == 50) sleep_ns(mu, 10 * kMs);
      send(mu, to.get(), make_list(mu, w.type, 9));
      if (i % 10 == 0) collect(mu);
      Link* l = nullptr;
      EXPECT_EQ(receive(mu, back.get(), &l), WaitResult::kOk);
      ASSERT_TRUE(check_list(l, 9));
    }
    close(mu, to.get());
    call_native(mu, [&] { thread.join(); });
  });
}

// --- Misuse.

using sched_channel_death = sched_channel;
INSTANTIATE_TEST_SUITE_P(procs, sched_channel_death, ::testing::Values(1));

TEST_P(sched_channel_death, misuse_is_named) {
  Runtime& rt = *rt_;
  const EncodingId encoding = tagged_encoding(rt);
  auto run = [&](void (*f)(Mutator&)) { rt.run(f); };
  EXPECT_DEATH(
      run([](Mutator& mu) { send(mu, static_cast<Numbers*>(nullptr), 1); }),
      "send.*the channel is null");
  EXPECT_DEATH(run([](Mutator& mu) {
                 auto* ch = make_channel<uint64_t>(mu, 1);
                 uint32_t v;
                 receive(mu, reinterpret_cast<Channel<uint32_t>*>(ch), &v);
               }),
               "receive.*another type: 8 bytes, not 4");
  // A cell of the runtime it was made in, whatever thread is there.
  EXPECT_DEATH(
      {
        RuntimePtr one = make_runtime(options(1));
        RuntimePtr two = make_runtime(options(1));
        AttachScope in_one(*one);
        ManagedScope of_one(in_one);
        auto* ch = make_channel<uint64_t>(of_one.mutator(), 1);
        AttachScope in_two(*two);
        ManagedScope of_two(in_two);
        (void)send(of_two.mutator(), ch, 1);
      },
      "send: the channel is a cell of another runtime");
  EXPECT_DEATH(
      run([](Mutator& mu) { make_channel<Tagged>(mu, 1, kRawPointers); }),
      "make_channel.*EncodingId");
  EXPECT_DEATH(run([](Mutator& mu) {
                 auto* ch = make_channel<uint64_t>(mu, 1);
                 NativeScope native(mu);
                 send(mu, ch, 1);
               }),
               "send.*native code");
  EXPECT_DEATH(
      rt.run([&](Mutator& mu) { make_channel<uint64_t>(mu, 1, encoding); }),
      "make_channel.*EncodingId");
}

}  // namespace
}  // namespace tricolor::testing
