// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Ends of tasks other than a return: goexit from any depth, with and without
// destructors, numbers as errors; names and ids.
#include <atomic>
#include <csetjmp>
#include <cstring>
#include <string>
#include <vector>

#include "sched/runtime.h"
#include "tests/unit/sched/fixture.h"

namespace tricolor::testing {
namespace {

Type<Link> g_type;

class sched_task_end : public AtProcs {
 protected:
  sched_task_end() { g_type = link_type(*rt_); }
};
INSTANTIATE_TEST_SUITE_P(procs, sched_task_end, ::testing::Values(1, 2, 8));

struct Counts {
  std::atomic<int> destroyed{0};
};
struct Guard {
  Counts* counts;
  ~Guard() { counts->destroyed++; }
};

// Roots, a mounted value stack and overflow chunks are all dropped.
[[gnu::noinline]] void sink(Mutator& mu, Counts* counts, int depth,
                            void (*end)(Mutator&)) {
  Guard guard{counts};
  Scope<20> scope(mu);
  Local<Link> list(scope, make_list(mu, g_type, 5));
  if (depth == 0) {
    end(mu);
    return;
  }
  yield(mu);
  sink(mu, counts, depth - 1, end);
  EXPECT_TRUE(check_list(list, 5));
}

TEST_P(sched_task_end, goexit_from_any_depth) {
  static Counts counts;
  counts.destroyed = 0;
  rt_->run([](Mutator& mu) {
    const int rounds = stress_scale(30, 3000);
    for (int i = 0; i < rounds; i++) {
      auto exits = spawn(
          mu,
          [](Mutator& mu, int depth) -> Link* {
            mount_value_stack(mu, 4096, kRawPointers);
            sink(mu, &counts, depth, [](Mutator& mu) { goexit(mu); });
            return nullptr;
          },
          i % 30);
      auto fails = spawn(
          mu,
          [](Mutator& mu, int depth) -> uint64_t {
            sink(mu, &counts, depth,
                 [](Mutator& mu) { exit_with_error(mu, 77); });
            return 5;
          },
          i % 30);
      auto returns = spawn(
          mu, [](Mutator& mu) -> Link* { return make_list(mu, g_type, 3); });
      if (i % 5 == 0) collect(mu);
      auto value = try_join(mu, returns);
      EXPECT_EQ(value.outcome, Outcome::kValue);
      EXPECT_TRUE(check_list(value.value, 3));
      auto exited = try_join(mu, exits);
      EXPECT_EQ(exited.outcome, Outcome::kExited);
      EXPECT_EQ(exited.value, nullptr);
      EXPECT_FALSE(exited.error);
      auto failed = try_join(mu, fails);
      EXPECT_EQ(failed.outcome, Outcome::kFailed);
      EXPECT_EQ(failed.value, 0u);
      ASSERT_TRUE(failed.error);
      EXPECT_EQ(failed.error.code(), 77u);
      char text[40];
      failed.error.describe(text, sizeof(text));
      EXPECT_STREQ(text, "error 77");
      EXPECT_THROW(failed.error.rethrow(), TaskErrorCode);
      EXPECT_FALSE(failed.error);
    }
  });
  EXPECT_EQ(counts.destroyed, 0);
}

TEST_P(sched_task_end, goexit_unwind_runs_destructors) {
  static Counts counts;
  counts.destroyed = 0;
  rt_->run([](Mutator& mu) {
    for (int depth = 0; depth < 20; depth++) {
      auto t = spawn(
          mu,
          [](Mutator& mu, int depth) -> int {
            try {
              sink(mu, &counts, depth, [](Mutator& mu) { goexit_unwind(mu); });
            } catch (const std::exception&) {
              ADD_FAILURE();
            }
            return 1;
          },
          depth);
      EXPECT_EQ(try_join(mu, t).outcome, Outcome::kExited);
    }
  });
  EXPECT_EQ(counts.destroyed, 20 * 21 / 2);
}

// A plain join of one that has exited gives zeros, and nothing for void.
TEST_P(sched_task_end, join_of_an_exited_task) {
  rt_->run([](Mutator& mu) {
    auto number = spawn(mu, [](Mutator& mu) -> uint64_t { goexit(mu); });
    auto cell = spawn(mu, [](Mutator& mu) -> Link* { goexit(mu); });
    auto nothing = spawn(mu, [](Mutator& mu) { goexit(mu); });
    EXPECT_EQ(join(mu, number), 0u);
    EXPECT_EQ(join(mu, cell), nullptr);
    join(mu, nothing);
    spawn(mu, [](Mutator& mu) { goexit(mu); }).detach();
    for (int i = 0; i < 5; i++) yield(mu);
  });
}

TEST_P(sched_task_end, main_exits) {
  bool after = false;
  rt_->run([&](Mutator& mu) {
    yield(mu);
    goexit(mu);
    after = true;
  });
  rt_->run([&](Mutator& mu) {
    goexit_unwind(mu);
    after = true;
  });
  EXPECT_FALSE(after);
  // And the runtime is as good as before.
  rt_->run([](Mutator& mu) {
    auto t = spawn(mu, [](Mutator&) { return 3; });
    EXPECT_EQ(join(mu, t), 3);
  });
}

// From managed code inside native code: C frames are dropped, too.
TEST_P(sched_task_end, goexit_inside_a_callback) {
  rt_->run([](Mutator& mu) {
    for (int i = 0; i < 20; i++) {
      auto t = spawn(mu, [](Mutator& mu) {
        call_native(mu, [&mu] {
          tri_enter_managed(&mu);
          make_list(mu, g_type, 10);
          goexit(mu);
        });
      });
      EXPECT_EQ(try_join(mu, t).outcome, Outcome::kExited);
    }
  });
}

// Tasks that end by goexit go on being collected around.
TEST_P(sched_task_end, goexit_against_collections) {
  rt_->run([](Mutator& mu) {
    const int rounds = stress_scale(20, 500);
    for (int i = 0; i < rounds; i++) {
      std::vector<Task<void>> tasks;
      for (int k = 0; k < 10; k++) {
        tasks.push_back(spawn(
            mu,
            [](Mutator& mu, int depth) {
              static Counts counts;
              sink(mu, &counts, depth, [](Mutator& mu) { goexit(mu); });
            },
            k));
      }
      collect(mu);
      for (auto& t : tasks) {
        EXPECT_EQ(try_join(mu, t).outcome, Outcome::kExited);
      }
    }
  });
}

// longjmp over Scopes, with suspensions below and above.
void go_down(Mutator& mu, int depth, std::jmp_buf& back) {
  if (depth < 0) return;
  Scope<10> scope(mu);
  Local<Link> own(scope, make_list(mu, g_type, 4));
  yield(mu);
  if (depth == 0) std::longjmp(back, 1);
  go_down(mu, depth - 1, back);
}

[[gnu::noinline]] void jump(Mutator& mu) {
  const ScopeMark mark = scope_mark(mu);
  std::jmp_buf back;
  if (setjmp(back) == 0) go_down(mu, 10, back);
  scope_reset(mu, mark);
}

TEST_P(sched_task_end, longjmp_over_scopes) {
  rt_->run([](Mutator& mu) {
    auto body = [](Mutator& mu) {
      Scope<1> scope(mu);
      Local<Link> list(scope, make_list(mu, g_type, 10));
      for (int i = 0; i < 30; i++) {
        jump(mu);
        yield(mu);
        EXPECT_TRUE(check_list(list, 10));
      }
    };
    std::vector<Task<void>> tasks;
    for (int i = 0; i < 4; i++) tasks.push_back(spawn(mu, body));
    for (int i = 0; i < 5; i++) collect(mu);
    for (auto& t : tasks) join(mu, t);
  });
}

// longjmp over Managed- and NativeScopes: back in the mode of the setjmp.
void go_native(Mutator& mu, int depth, std::jmp_buf& back, bool from_native) {
  if (depth < 0) return;
  Scope<3> scope(mu);
  Local<Link> own(scope, make_list(mu, g_type, 4));
  if (depth == 0 && !from_native) std::longjmp(back, 1);
  const NativeScope native(mu);
  if (depth == 0) std::longjmp(back, 1);
  tri_enter_managed(&mu);
  go_native(mu, depth - 1, back, from_native);
}

[[gnu::noinline]] void jump_over_modes(Mutator& mu, int depth,
                                       bool from_native) {
  const ScopeMark mark = scope_mark(mu);
  std::jmp_buf back;
  if (setjmp(back) == 0) go_native(mu, depth, back, from_native);
  scope_reset(mu, mark);
}

[[gnu::noinline]] void jump_into_native(Mutator& mu, int depth,
                                        bool from_native) {
  const NativeScope native(mu);
  const ScopeMark mark = scope_mark(mu);
  std::jmp_buf back;
  if (setjmp(back) == 0) {
    tri_enter_managed(&mu);
    go_native(mu, depth, back, from_native);
  }
  scope_reset(mu, mark);
  EXPECT_EQ(mu.p, nullptr);
}

TEST_P(sched_task_end, longjmp_over_modes) {
  rt_->run([](Mutator& mu) {
    auto body = [](Mutator& mu) {
      Scope<1> scope(mu);
      Local<Link> list(scope, make_list(mu, g_type, 10));
      for (int i = 0; i < 60; i++) {
        // Deeper than one word of modes, and than two.
        jump_over_modes(mu, i % 3 == 0 ? i * 3 : i % 5, i % 2 == 0);
        EXPECT_NE(mu.p, nullptr);
        EXPECT_EQ(scope_mark(mu).modes, 0u);
        yield(mu);
        EXPECT_TRUE(check_list(list, 10));
        jump_into_native(mu, i % 4, i % 2 == 0);
      }
    };
    std::vector<Task<void>> tasks;
    for (int i = 0; i < 4; i++) tasks.push_back(spawn(mu, body));
    for (int i = 0; i < 5; i++) collect(mu);
    for (auto& t : tasks) join(mu, t);
  });
  EXPECT_DEATH(rt_->run([](Mutator& mu) {
    ScopeMark inside{};
    {
      const NativeScope native(mu);
      inside = scope_mark(mu);
    }
    scope_reset(mu, inside);
  }),
               "scope_reset: .*has left");
}

TEST_P(sched_task_end, names_and_ids) {
  rt_->run([](Mutator& mu) {
    EXPECT_STREQ(task_name(mu), "");
    set_task_name(mu, "a main task");
    auto named = spawn(mu, {.name = "reader", .stack_bytes = 256 << 10},
                       [](Mutator& mu) {
                         EXPECT_STREQ(task_name(mu), "reader");
                         yield(mu);
                         {
                           NativeScope native(mu);
                           set_task_name(mu, std::string(100, 'x').c_str());
                         }
                         EXPECT_EQ(std::strlen(task_name(mu)), 31u);
                         set_task_name(mu, nullptr);
                         EXPECT_STREQ(task_name(mu), "");
                         set_task_name(mu, "again");
                         return task_id(mu);
                       });
    const uint64_t id = join(mu, named);
    EXPECT_NE(id, task_id(mu));
    // No name is left for the next user of the G.
    auto next = spawn(mu, [](Mutator& mu) {
      EXPECT_STREQ(task_name(mu), "");
      return task_id(mu);
    });
    EXPECT_NE(join(mu, next), id);
    Scope<1> scope(mu);
    Local<Coroutine> co(
        scope, Coroutine::create(
                   mu,
                   [](Mutator& mu, Coroutine*, void*, void* task) -> void* {
                     EXPECT_STREQ(task_name(mu), "");
                     set_task_name(mu, "co");
                     EXPECT_EQ(task_id(mu), reinterpret_cast<uint64_t>(task));
                     return nullptr;
                   },
                   nullptr, reinterpret_cast<void*>(task_id(mu))));
    Coroutine::resume(mu, co, nullptr);
    EXPECT_STREQ(task_name(mu), "a main task");
  });
  AttachScope attach(*rt_);
  set_task_name(attach.mutator(), "a thread");
  EXPECT_STREQ(task_name(attach.mutator()), "a thread");
  EXPECT_NE(task_id(attach.mutator()), 0u);
}

}  // namespace
}  // namespace tricolor::testing
