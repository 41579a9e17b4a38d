// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Runtimes come and go without leaving a thread, a mapping or a descriptor;
// several live at once; unfinished tasks go with their runtime; creation that
// fails half-way leaves nothing.
#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "base/os_memory.h"
#include "tests/unit/sched/fixture.h"

namespace tricolor::testing {
namespace {

struct Owned {
  int threads = settled_thread_count();
  int fds = fd_count();
  int mappings = mapping_count();
};

void use_and_drop(int threads) {
  RuntimePtr rt = make_runtime(options(2, threads));
  static Type<Link> type;
  type = link_type(*rt);
  rt->run([](Mutator& mu) {
    auto t = spawn(mu, [](Mutator& mu) {
      make_list(mu, type, 100);
      sleep_ns(mu, 1000);
    });
    Scope<1> scope(mu);
    Local<Coroutine> co(scope, Coroutine::create(
                                   mu,
                                   [](Mutator& mu, Coroutine*, void*, void*) {
                                     mount_value_stack(mu, 4096, kRawPointers);
                                     return Coroutine::yield(mu, nullptr);
                                   },
                                   nullptr, nullptr));
    Coroutine::resume(mu, co, nullptr);
    collect(mu);
    join(mu, t);
    spawn(mu, [](Mutator& mu) {
      mount_value_stack(mu, size_t{65} << 20, kRawPointers);
      while (true) yield(mu);
    }).detach();
  });
}

TEST(sched_lifecycle, many_leave_nothing) {
  // Allocators, sanitizers and pthread keep some memory after the first use.
  for (int i = 0; i < 20; i++) use_and_drop(i % 2 == 0 ? -1 : 0);
  const Owned before;
  const int n = stress_scale(180, 2000);
  for (int i = 0; i < n; i++) use_and_drop(i % 2 == 0 ? -1 : 0);
  const Owned after;
  EXPECT_EQ(after.fds, before.fds);
  // Thread stacks that pthread caches come and go by a few; a leak of one
  // mapping a runtime would be 180.
  EXPECT_LE(after.mappings, before.mappings + 20);
}

TEST(sched_lifecycle, several_at_once) {
  constexpr int kRuntimes = 5;
  std::vector<RuntimePtr> runtimes;
  std::vector<std::thread> threads;
  for (int i = 0; i < kRuntimes; i++) {
    runtimes.push_back(make_runtime(options(2)));
  }
  std::atomic<int> sum{0};
  for (auto& rt : runtimes) {
    threads.emplace_back([&rt, &sum] {
      const Type<Link> type = link_type(*rt);
      rt->run([&](Mutator& mu) {
        Scope<1> scope(mu);
        Local<Link> list(scope, make_list(mu, type, 500));
        for (int i = 0; i < 10; i++) {
          auto t = spawn(mu, [](Mutator& mu) {
            yield(mu);
            return 1;
          });
          make_list(mu, type, 500);
          collect(mu);
          sum += join(mu, t);
        }
        EXPECT_TRUE(check_list(list, 500));
      });
    });
  }
  for (auto& t : threads) t.join();
  EXPECT_EQ(sum, kRuntimes * 10);
}

// A task that never stops polling does not keep its runtime alive.
TEST(sched_lifecycle, unfinished_tasks_go_with_it) {
  RuntimePtr rt = make_runtime(options(4));
  rt->run([](Mutator& mu) {
    for (int i = 0; i < 3; i++) {
      spawn(mu, [](Mutator& mu) {
        while (true) poll(mu);
      }).detach();
      spawn(mu, [](Mutator& mu) { sleep_ns(mu, ~uint64_t{0}); }).detach();
      spawn(mu, [](Mutator& mu) { park(mu, nullptr, nullptr); }).detach();
    }
    sleep_ns(mu, 1'000'000);
  });
  rt.reset();
}

// Every mapping that creation asks for may be refused.
TEST(sched_lifecycle, creation_survives_refusals) {
  struct State {
    int until;
  };
  const Owned before;
  int failures = 0;
  for (int nth = 0; nth < 100; nth++) {
    State state{nth};
    const base::OsFaultHook hook{[](void* ctx, base::OsCall call, size_t) {
                                   return call == base::OsCall::kMmap &&
                                          static_cast<State*>(ctx)->until-- ==
                                              0;
                                 },
                                 &state};
    Error error;
    RuntimePtr rt;
    {
      const base::OsFaultScope scope(hook);
      rt = Runtime::create(options(2), &error);
    }
    if (state.until >= 0) break;  // all of them have been refused once
    if (rt == nullptr) {
      failures++;
      EXPECT_NE(error.code, ErrorCode::kOk);
      EXPECT_NE(error.text[0], '\0');
    }
  }
  EXPECT_GT(failures, 3);
  EXPECT_LE(mapping_count(), before.mappings + 20);
}

}  // namespace
}  // namespace tricolor::testing
