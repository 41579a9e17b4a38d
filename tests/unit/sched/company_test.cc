// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Tasks of one P, who take no locks among themselves (sched/company.h), and
// threads that come and go between them: nothing sent is lost or had twice.
#include <atomic>
#include <thread>
#include <vector>

#include "sched/runtime.h"
#include "tests/unit/sched/fixture.h"

namespace tricolor::testing {
namespace {

using Numbers = Channel<uint64_t>;

struct Sums {
  std::atomic<uint64_t> sent{0};
  std::atomic<uint64_t> got{0};
};

void trade(Mutator& mu, Numbers* ch, Sums* sums, uint64_t rounds) {
  for (uint64_t i = 1; i <= rounds; i++) {
    uint64_t value = i;
    const Deadline d = i % 4 == 0 ? Deadline::now() : Deadline::in(100'000);
    if ((i + rounds) % 2 == 0) {
      if (send(mu, ch, value, d) == WaitResult::kOk) sums->sent += value;
    } else if (receive(mu, ch, &value, d) == WaitResult::kOk) {
      sums->got += value;
    }
  }
}

void trade_until_cancelled(Mutator& mu, Numbers* ch, Plain<Sums> sums,
                           bool sends) {
  Scope<1> scope(mu);
  Local<Numbers> root(scope, ch);
  uint64_t value = 1;
  while ((sends ? send(mu, ch, value) : receive(mu, ch, &value)) ==
         WaitResult::kOk) {
    (sends ? sums.p->sent : sums.p->got) += value;
    value = value % 7 + 1;
  }
}

class sched_company : public ::testing::TestWithParam<size_t> {};

TEST_P(sched_company, nothing_is_lost_when_threads_come) {
  const size_t capacity = GetParam();
  RuntimePtr rt = make_runtime(options(1));
  Sums sums;
  rt->run([&](Mutator& mu) {
    Global<Numbers> ch(mu, make_channel<uint64_t>(mu, capacity));
    std::vector<Task<void>> tasks;
    for (int i = 0; i < 4; i++) {
      tasks.push_back(spawn(mu, &trade_until_cancelled, ch.get(), plain(&sums),
                            i % 2 == 0));
    }
    std::atomic<int> visitors{3};
    std::vector<std::thread> threads;
    for (int t = 0; t < 3; t++) {
      threads.emplace_back([&] {
        for (int i = 0; i < stress_scale(200, 5000); i++) {
          AttachScope attach(*rt);
          ManagedScope managed(attach);
          trade(managed.mutator(), ch.get(), &sums, 3 + i % 5);
        }
        visitors--;
      });
    }
    while (visitors > 0) trade(mu, ch.get(), &sums, 9);
    // From a thread that has no P, while the pair goes on.
    std::thread canceller([&] {
      for (auto& t : tasks) cancel(t);
    });
    {
      NativeScope outside(mu);
      canceller.join();
      for (auto& t : threads) t.join();
    }
    for (auto& t : tasks) join(mu, t);
    uint64_t value = 0;
    while (receive(mu, ch.get(), &value, Deadline::now()) == WaitResult::kOk) {
      sums.got += value;
    }
  });
  EXPECT_EQ(sums.sent, sums.got);
  EXPECT_GT(sums.got, 0u);
}

INSTANTIATE_TEST_SUITE_P(capacities, sched_company,
                         ::testing::Values(0, 1, 16));

// Who may be there is counted, and nobody else.
TEST(sched_company_count, goes_back_to_none) {
  RuntimePtr one = make_runtime(options(1));
  const base::Atomic<uint32_t>& company = impl_of(*one)->sched.company;
  if (!impl_of(*one)->membarrier) GTEST_SKIP() << "never alone";
  EXPECT_EQ(company.load_relaxed(), 0u);
  {
    AttachScope attach(*one);
    EXPECT_EQ(company.load_relaxed(), 1u);
    AttachScope again(*one);
    EXPECT_EQ(company.load_relaxed(), 1u);
  }
  EXPECT_EQ(company.load_relaxed(), 0u);
  one->set_max_procs(2);
  one->set_max_procs(1);
  EXPECT_GE(company.load_relaxed(), sched::kCrowd);
  RuntimePtr two = make_runtime(options(2));
  EXPECT_GE(impl_of(*two)->sched.company.load_relaxed(), sched::kCrowd);
}

}  // namespace
}  // namespace tricolor::testing
