// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// select: that it does one case, that no case starves, that nothing is lost
// between several of them, and its edges.
#include <atomic>
#include <memory>
#include <vector>

#include "tests/unit/sched/fixture.h"

namespace tricolor::testing {
namespace {

constexpr uint64_t kMs = 1'000'000;
using Numbers = Channel<uint64_t>;

class sched_select : public AtProcs {};
INSTANTIATE_TEST_SUITE_P(procs, sched_select, ::testing::Values(1, 2, 8));

TEST_P(sched_select, takes_what_is_ready) {
  rt_->run([](Mutator& mu) {
    Scope<2> scope(mu);
    Local<Numbers> a(scope, make_channel<uint64_t>(mu, 1));
    Local<Numbers> b(scope, make_channel<uint64_t>(mu, 1));
    uint64_t v = 0;
    uint64_t w = 0;
    Selected s = select(mu, Deadline::now(), on_receive(a.get(), &v),
                        on_receive(b.get(), &w));
    EXPECT_EQ(s.index, Selected::kNone);
    EXPECT_EQ(s.result, WaitResult::kTimeout);
    send(mu, b.get(), 8);
    s = select(mu, Deadline::now(), on_receive(a.get(), &v),
               on_receive(b.get(), &w));
    EXPECT_EQ(s.index, 1u);
    EXPECT_EQ(s.result, WaitResult::kOk);
    EXPECT_EQ(w, 8u);
    const uint64_t five = 5;
    s = select(mu, {}, on_receive(b.get(), &w), on_send(a.get(), five));
    EXPECT_EQ(s.index, 1u);
    s = select(mu, {}, on_receive(a.get(), &v), on_send(a.get(), five));
    EXPECT_EQ(s.index, 0u);
    EXPECT_EQ(v, 5u);
  });
}

TEST_P(sched_select, null_channels_and_no_cases_wait_for_the_deadline) {
  rt_->run([](Mutator& mu) {
    uint64_t v = 0;
    uint64_t start = now_ns();
    Selected s = select(mu, Deadline::in(2 * kMs),
                        on_receive(static_cast<Numbers*>(nullptr), &v));
    EXPECT_EQ(s.index, Selected::kNone);
    EXPECT_EQ(s.result, WaitResult::kTimeout);
    EXPECT_GE(now_ns() - start, 2 * kMs);
    start = now_ns();
    s = select(mu, nullptr, 0, Deadline::in(2 * kMs));
    EXPECT_EQ(s.result, WaitResult::kTimeout);
    EXPECT_GE(now_ns() - start, 2 * kMs);
  });
}

TEST_P(sched_select, no_case_starves) {
  rt_->run([](Mutator& mu) {
    Scope<4> scope(mu);
    std::vector<std::unique_ptr<Local<Numbers>>> chs;
    SelectCase cases[4];
    uint64_t v[4];
    int chosen[4] = {};
    Local<Numbers> a(scope, make_channel<uint64_t>(mu, 1));
    Local<Numbers> b(scope, make_channel<uint64_t>(mu, 1));
    Local<Numbers> c(scope, make_channel<uint64_t>(mu, 1));
    Local<Numbers> d(scope, make_channel<uint64_t>(mu, 1));
    Numbers* all[] = {a, b, c, d};
    for (int i = 0; i < 4; i++) cases[i] = on_receive(all[i], &v[i]);
    for (int i = 0; i < 4; i++) send(mu, all[i], 1);
    for (int i = 0; i < 400; i++) {
      const Selected s = select(mu, cases, 4);
      ASSERT_LT(s.index, 4u);
      chosen[s.index]++;
      send(mu, all[s.index], 1);
    }
    for (int n : chosen) EXPECT_GT(n, 40);
  });
}

TEST_P(sched_select, waits_for_either_and_leaves_no_trace) {
  rt_->run([](Mutator& mu) {
    Scope<2> scope(mu);
    Local<Numbers> a(scope, make_channel<uint64_t>(mu, 0));
    Local<Numbers> b(scope, make_channel<uint64_t>(mu, 0));
    for (uint64_t i = 0; i < 100; i++) {
      auto t = spawn(
          mu, [](Mutator& mu, Numbers* ch, uint64_t i) { send(mu, ch, i); },
          i % 2 == 0 ? a.get() : b.get(), i);
      uint64_t v = 0;
      const Selected s =
          select(mu, {}, on_receive(a.get(), &v), on_receive(b.get(), &v));
      EXPECT_EQ(s.index, i % 2);
      EXPECT_EQ(v, i);
      join(mu, t);
      // A send finds no receiver of the select that is over.
      EXPECT_EQ(send(mu, a.get(), 1, Deadline::now()), WaitResult::kTimeout);
      EXPECT_EQ(send(mu, b.get(), 1, Deadline::now()), WaitResult::kTimeout);
    }
  });
}

TEST_P(sched_select, a_closed_channel_is_ready) {
  rt_->run([](Mutator& mu) {
    Scope<2> scope(mu);
    Local<Numbers> a(scope, make_channel<uint64_t>(mu, 0));
    Local<Numbers> b(scope, make_channel<uint64_t>(mu, 0));
    auto t = spawn(
        mu,
        [](Mutator& mu, Numbers* b) {
          Scope<1> scope(mu);
          Local<Numbers> root(scope, b);
          sleep_ns(mu, 2 * kMs);
          close(mu, b);
        },
        b.get());
    uint64_t v = 3;
    const Selected s =
        select(mu, {}, on_receive(a.get(), &v), on_send(b.get(), v));
    EXPECT_EQ(s.index, 1u);
    EXPECT_EQ(s.result, WaitResult::kClosed);
    join(mu, t);
  });
}

struct Ring {
  std::atomic<uint64_t> sent{0};
  std::atomic<uint64_t> got{0};
  std::atomic<uint64_t> sum_sent{0};
  std::atomic<uint64_t> sum_got{0};
};

// Tasks that send and receive in the same select, on the same channels: the
// case that needs all of a select to be one step.
TEST_P(sched_select, senders_and_receivers_in_one) {
  Ring ring;
  rt_->run([&](Mutator& mu) {
    Scope<3> scope(mu);
    Local<Numbers> a(scope, make_channel<uint64_t>(mu, 0));
    Local<Numbers> b(scope, make_channel<uint64_t>(mu, 0));
    Local<Numbers> c(scope, make_channel<uint64_t>(mu, 2));
    std::vector<Task<void>> tasks;
    for (uint64_t k = 0; k < 6; k++) {
      tasks.push_back(spawn(
          mu,
          [](Mutator& mu, Numbers* a, Numbers* b, Numbers* c, Plain<Ring> r,
             uint64_t k) {
            Scope<3> scope(mu);
            Local<Numbers> ra(scope, a);
            Local<Numbers> rb(scope, b);
            Local<Numbers> rc(scope, c);
            for (uint64_t i = 0; i < 500; i++) {
              const uint64_t out = i * 6 + k;
              uint64_t in = 0;
              const Selected s = select(mu, Deadline::in(200'000),
                                        on_send(a, out), on_receive(b, &in),
                                        on_send(b, out), on_receive(a, &in),
                                        on_send(c, out), on_receive(c, &in));
              if (s.index == Selected::kNone) continue;
              ASSERT_EQ(s.result, WaitResult::kOk);
              if (s.index % 2 == 0) {
                r.p->sent++;
                r.p->sum_sent += out;
              } else {
                r.p->got++;
                r.p->sum_got += in;
              }
            }
          },
          a.get(), b.get(), c.get(), plain(&ring), k));
    }
    for (auto& t : tasks) join(mu, t);
    uint64_t v;
    while (receive(mu, c.get(), &v, Deadline::now()) == WaitResult::kOk) {
      ring.got++;
      ring.sum_got += v;
    }
  });
  EXPECT_GT(ring.got, 100u);
  EXPECT_EQ(ring.sent, ring.got);
  EXPECT_EQ(ring.sum_sent, ring.sum_got);
}

// Managed values through selects, while the collector runs.
TEST_P(sched_select, managed_values_survive) {
  struct World {
    Type<Link> type;
  } w{link_type(*rt_)};
  for (const char* debug : {"", "gcstress=3,clobberfree=2,badptr=1"}) {
    Options o = options(GetParam());
    o.debug = debug;
    RuntimePtr rt = make_runtime(o);
    w.type = link_type(*rt);
    rt->run([&](Mutator& mu) {
      using Links = Channel<Link*>;
      Scope<3> scope(mu);
      Local<Links> a(scope, make_channel<Link*>(mu, 0));
      Local<Links> b(scope, make_channel<Link*>(mu, 1));
      Local<Link> list(scope);
      auto t = spawn(
          mu,
          [](Mutator& mu, Links* a, Links* b, Plain<World> w) {
            Scope<2> scope(mu);
            Local<Links> ra(scope, a);
            Local<Links> rb(scope, b);
            for (int i = 0; i < 120; i++) {
              Link* const l = make_list(mu, w.p->type, 4);
              const Selected s = select(mu, {}, on_send(a, l), on_send(b, l));
              ASSERT_EQ(s.result, WaitResult::kOk);
            }
            close(mu, a);
            close(mu, b);
          },
          a.get(), b.get(), plain(&w));
      int got = 0;
      bool open[2] = {true, true};
      while (open[0] || open[1]) {
        Link* l = nullptr;
        const Selected s =
            select(mu, {}, on_receive(open[0] ? a.get() : nullptr, &l),
                   on_receive(open[1] ? b.get() : nullptr, &l));
        if (s.result == WaitResult::kClosed) {
          open[s.index] = false;
          continue;
        }
        list = l;
        got++;
        if (got % 40 == 0) collect(mu);
        uint64_t n = 4;
        for (const Link* at = list; at != nullptr; at = at->next.load()) {
          ASSERT_EQ(at->value, n--);
        }
      }
      EXPECT_EQ(got, 120);
      join(mu, t);
    });
  }
}

TEST_P(sched_select, more_cases_than_fit_a_small_frame) {
  Options o = options(GetParam());
  RuntimePtr rt = make_runtime(o);
  rt->run([](Mutator& mu) {
    constexpr size_t kCases = 200;
    Scope<kCases> scope(mu);
    std::vector<SelectCase> cases(kCases);
    std::vector<Numbers*> chs(kCases);
    uint64_t v = 0;
    for (size_t i = 0; i < kCases; i++) {
      chs[i] = make_channel<uint64_t>(mu, i % 3);
      *scope.take() = chs[i];
      cases[i] = on_receive(chs[i], &v);
    }
    auto t = spawn(
        mu,
        [](Mutator& mu, Numbers* ch) {
          Scope<1> scope(mu);
          Local<Numbers> root(scope, ch);
          sleep_ns(mu, kMs);
          send(mu, ch, 77);
        },
        chs[123]);
    const Selected s = select(mu, cases.data(), kCases);
    EXPECT_EQ(s.index, 123u);
    EXPECT_EQ(v, 77u);
    join(mu, t);
  });
}

}  // namespace
}  // namespace tricolor::testing
