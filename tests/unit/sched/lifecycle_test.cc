// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Runtimes come and go without leaving a thread, a mapping or a descriptor;
// several live at once; unfinished tasks go with their runtime; creation that
// fails half-way leaves nothing.
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdio>
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

// Every mapping, protection and advice that creation asks for may be refused.
TEST(sched_lifecycle, creation_survives_refusals) {
  struct State {
    int until;
  };
  const Owned before;
  int failures = 0;
  for (int nth = 0; nth < 300; nth++) {
    State state{nth};
    const base::OsFaultHook hook{[](void* ctx, base::OsCall, size_t) {
                                   return static_cast<State*>(ctx)->until-- ==
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
    EXPECT_LT(nth, 299) << "calls that are never refused";
    if (rt == nullptr) {
      failures++;
      EXPECT_NE(error.code, ErrorCode::kOk);
      EXPECT_NE(error.text[0], '\0');
    }
  }
  EXPECT_GT(failures, 3);
  EXPECT_LE(mapping_count(), before.mappings + 20);
}

/// Lets the nth mmap fail, and those after it if so asked.
struct RefuseMmap {
  explicit RefuseMmap(int nth, bool onwards) : left(nth), onwards(onwards) {}
  static bool refuse(void* ctx, base::OsCall call, size_t) {
    auto* self = static_cast<RefuseMmap*>(ctx);
    if (call != base::OsCall::kMmap) return false;
    const int left = self->left--;
    return left == 0 || (self->onwards && left < 0);
  }
  std::atomic<int> left;
  const bool onwards;
  const base::OsFaultHook hook{&refuse, this};
  const base::OsFaultScope scope{hook};
};

void use_everything(Runtime& rt, const Type<Link>& type) {
  rt.run([&](Mutator& mu) {
    Scope<1> scope(mu);
    Local<Link> list(scope, make_list(mu, type, 100));
    RootTable<Link> table(rt, 1000);
    table.set(mu, 7, list.get());
    auto t = spawn(mu, [](Mutator& mu) {
      Scope<200> deep(mu);
      yield(mu);
    });
    join(mu, t);
    collect(mu);
    EXPECT_TRUE(check_list(table.get(7), 100));
  });
  AttachScope attach(rt);
}

// What has no error to give ends the process by the right name, never by the
// embedder's, nor by a null pointer's.
TEST(sched_lifecycle_death, refusals_while_it_runs_are_called_that) {
  int refused = 0;
  for (int nth = 0; nth < 30; nth++) {
    EXPECT_EXIT(
        {
          RuntimePtr rt = make_runtime(options(1, 0));
          const Type<Link> type = link_type(*rt);
          bool all = false;
          {
            RefuseMmap fault(nth, /*onwards=*/true);
            use_everything(*rt, type);
            all = fault.left >= 0;
          }
          fputs(all ? "fine: never reached\n" : "fine: did without\n", stderr);
          _exit(0);
        },
        [](int status) {
          return (WIFEXITED(status) && WEXITSTATUS(status) == 0) ||
                 (WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
        },
        "^fine: |fatal: out of memory: (the OS refuses .*raise RLIMIT_AS|no "
        "room for)")
        << nth;
    refused++;
  }
  EXPECT_EQ(refused, 30);
}

// What has one gives it, leaves nothing behind, and works when asked again.
TEST(sched_lifecycle, refusals_that_come_back_as_errors) {
  RuntimePtr rt = make_runtime(options(1, 0));
  const Type<Link> type = link_type(*rt);
  int refusals = 0;
  for (int nth = 0; nth < 20; nth++) {
    {
      RefuseMmap fault(nth, /*onwards=*/true);
      Error error;
      AttachScope attach(*rt, &error);
      if (!attach.ok()) {
        refusals++;
        EXPECT_EQ(error.code, ErrorCode::kOutOfMemory) << error.text;
        EXPECT_NE(error.text[0], '\0');
        EXPECT_EQ(current(), nullptr);
      }
    }
    {
      RefuseMmap fault(nth, /*onwards=*/true);
      RootTable<Link> table(std::nothrow, *rt, 5000);
      EXPECT_EQ(table.ok(), nth > 0);
      refusals += table.ok() ? 0 : 1;
    }
    RootTable<Link> whole(std::nothrow, *rt, 5000);
    EXPECT_TRUE(whole.ok());
  }
  EXPECT_GE(refusals, 1);
  use_everything(*rt, type);
}

// At vm.max_map_count every advice that splits a mapping says so for good. It
// is advice: the runtime does without.
TEST(sched_lifecycle, creation_where_all_advice_is_put_off_for_ever) {
  const base::OsFaultHook hook{[](void*, base::OsCall call, size_t) {
                                 return call == base::OsCall::kMadvise;
                               },
                               nullptr, /*again=*/true};
  const base::OsFaultScope scope(hook);
  RuntimePtr rt = make_runtime(options(2));
  static Type<Link> type;
  type = link_type(*rt);
  rt->run([](Mutator& mu) {
    Scope<1> scope(mu);
    Local<Link> list(scope, make_list(mu, type, 1000));
    auto t = spawn(mu, [](Mutator& mu) { collect(mu); });
    join(mu, t);
    EXPECT_TRUE(check_list(list, 1000));
  });
}

}  // namespace
}  // namespace tricolor::testing
