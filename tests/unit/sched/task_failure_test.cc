// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Exceptions on their way out: of a task to its joiner or to
// Options::on_task_failure, of main to run(), of a coroutine to its resumer.
#include <atomic>
#include <exception>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/unit/sched/fixture.h"

namespace tricolor::testing {
namespace {

// How many exception objects there are: each is to be dropped in the end.
std::atomic<int> g_alive{0};
struct Counted : std::runtime_error {
  explicit Counted(const std::string& text) : std::runtime_error(text) {
    g_alive++;
  }
  Counted(const Counted& o) : std::runtime_error(o) { g_alive++; }
  ~Counted() override { g_alive--; }
};

struct Told {
  std::mutex mutex;
  std::vector<std::string> texts;
  std::atomic<int> count{0};
};

class sched_task_failure : public ::testing::TestWithParam<uint32_t> {
 protected:
  sched_task_failure() {
    Options o = options(GetParam());
    o.on_task_failure = [](Runtime&, const TaskFailure& failure, void* ctx) {
      auto* told = static_cast<Told*>(ctx);
      std::lock_guard guard(told->mutex);
      told->texts.push_back(std::string(failure.name) + ": " + failure.what);
      EXPECT_NE(failure.task, 0u);
      told->count++;
    };
    o.on_task_failure_ctx = &told_;
    rt_ = make_runtime(o);
  }
  ~sched_task_failure() override {
    rt_.reset();
    EXPECT_EQ(g_alive, 0);
  }
  Told told_;
  RuntimePtr rt_;
};
INSTANTIATE_TEST_SUITE_P(procs, sched_task_failure, ::testing::Values(1, 2, 8));

struct Yields {
  Mutator& mu;
  ~Yields() { yield(mu); }
};

uint64_t fails(Mutator& mu, int id) {
  Yields yields{mu};
  if (id % 2 == 0) yield(mu);
  throw Counted(std::to_string(id));
}

TEST_P(sched_task_failure, goes_to_the_joiner) {
  rt_->run([](Mutator& mu) {
    const int rounds = stress_scale(50, 5000);
    for (int i = 0; i < rounds; i++) {
      auto early = spawn(mu, fails, i);
      auto late = spawn(mu, fails, i + 1);
      if (i % 3 == 0) collect(mu);
      if (i % 2 == 0) sleep_ns(mu, 20'000);
      try {
        join(mu, early);
        ADD_FAILURE();
      } catch (const Counted& e) {
        // Suspended in the catch block, on another thread after it.
        for (int k = 0; k < 3; k++) yield(mu);
        EXPECT_EQ(e.what(), std::to_string(i));
        auto result = try_join(mu, late);
        EXPECT_EQ(result.outcome, Outcome::kFailed);
        EXPECT_EQ(result.error.code(), 0u);
        char text[8];
        result.error.describe(text, sizeof(text));
        EXPECT_EQ(text, std::to_string(i + 1));
        if (i % 2 == 0) {  // else it is dropped
          EXPECT_THROW(result.error.rethrow(), Counted);
        }
        EXPECT_EQ(std::uncaught_exceptions(), 0);
      }
    }
    EXPECT_EQ(std::current_exception(), nullptr);
  });
  EXPECT_EQ(told_.count, 0);
}

TEST_P(sched_task_failure, a_code_is_thrown_too) {
  rt_->run([](Mutator& mu) {
    auto t = spawn(mu, [](Mutator& mu) { exit_with_error(mu, 9); });
    try {
      join(mu, t);
      ADD_FAILURE();
    } catch (const TaskErrorCode& e) {
      EXPECT_EQ(e.code, 9u);
    }
  });
}

TEST_P(sched_task_failure, of_a_detached_task_goes_to_the_handler) {
  rt_->run([this](Mutator& mu) {
    spawn(mu, {.name = "early"}, [](Mutator& mu) { fails(mu, 1); }).detach();
    while (told_.count < 1) yield(mu);
    {
      auto t = spawn(mu, {.name = "late"}, [](Mutator& mu) { fails(mu, 2); });
      sleep_ns(mu, 1'000'000);  // it has ended
    }
    while (told_.count < 2) yield(mu);
    spawn(mu, [](Mutator&) { throw 1; }).detach();
    spawn(mu, [](Mutator& mu) { exit_with_error(mu, 5); }).detach();
    while (told_.count < 4) yield(mu);
  });
  EXPECT_EQ(told_.texts[0], "early: 1");
  EXPECT_EQ(told_.texts[1], "late: 2");
  const std::string rest = told_.texts[2] + told_.texts[3];
  EXPECT_NE(rest.find(": an exception that is no std::exception"),
            std::string::npos);
  EXPECT_NE(rest.find(": error 5"), std::string::npos);
}

// Dropped at the very moment of the end, again and again: each is told once.
TEST_P(sched_task_failure, against_detach) {
  const int rounds = stress_scale(500, 50000);
  rt_->run([this, rounds](Mutator& mu) {
    for (int i = 0; i < rounds; i++) {
      auto t = spawn(mu, [](Mutator& mu) { fails(mu, 1); });
      for (int k = i % 7; k > 0; k--) yield(mu);
    }
    while (told_.count < rounds) yield(mu);
  });
  EXPECT_EQ(told_.count, rounds);
}

// What they have failed with goes with the runtime. (What a task has thrown
// that has not ended by then stays on its stack.)
TEST_P(sched_task_failure, nobody_asks) {
  rt_->run([this](Mutator& mu) {
    for (int i = 0; i < 5; i++) spawn(mu, fails, i).release();
    while (stats(*rt_).tasks_alive > 0) yield(mu);
  });
}

TEST_P(sched_task_failure, of_main_goes_to_run) {
  for (int i = 0; i < 10; i++) {
    EXPECT_THROW(rt_->run([](Mutator& mu) {
      Yields yields{mu};
      throw Counted("main");
    }),
                 Counted);
    EXPECT_EQ(std::uncaught_exceptions(), 0);
  }
}

void* coroutine_fails(Mutator& mu, Coroutine*, void*, void*) {
  Yields yields{mu};
  Coroutine::yield(mu, nullptr);
  sleep_ns(mu, 1000);
  throw Counted("coroutine");
}

TEST_P(sched_task_failure, of_a_coroutine_goes_to_the_resumer) {
  rt_->run([](Mutator& mu) {
    Scope<1> scope(mu);
    Local<Coroutine> co(scope);
    for (int i = 0; i < 50; i++) {
      co = Coroutine::create(mu, coroutine_fails, nullptr, nullptr);
      Coroutine::resume(mu, co, nullptr);
      try {
        if (i % 2 == 0) {
          Coroutine::resume(mu, co, nullptr);
        } else {
          void* result;
          Coroutine::try_resume(mu, co, nullptr, &result);
        }
        ADD_FAILURE();
      } catch (const Counted& e) {
        EXPECT_STREQ(e.what(), "coroutine");
        EXPECT_EQ(co->status(mu), CoroutineStatus::kDead);
      }
    }
  });
}

// Through several coroutines and out of the task to its joiner.
void* nested_fails(Mutator& mu, Coroutine*, void*, void* depth) {
  const auto d = reinterpret_cast<uint64_t>(depth);
  if (d == 0) throw Counted("deep");
  Scope<1> scope(mu);
  Local<Coroutine> inner(scope,
                         Coroutine::create(mu, nested_fails, nullptr,
                                           reinterpret_cast<void*>(d - 1)));
  return Coroutine::resume(mu, inner, nullptr);
}

TEST_P(sched_task_failure, through_nested_coroutines) {
  rt_->run([](Mutator& mu) {
    auto t = spawn(mu, [](Mutator& mu) {
      nested_fails(mu, nullptr, nullptr, reinterpret_cast<void*>(8));
    });
    EXPECT_THROW(join(mu, t), Counted);
  });
}

// Two tasks in catch blocks of one P, joining and sleeping there.
TEST_P(sched_task_failure, suspended_in_catch_blocks) {
  rt_->run([](Mutator& mu) {
    std::vector<Task<void>> tasks;
    for (int i = 0; i < 8; i++) {
      tasks.push_back(spawn(
          mu,
          [](Mutator& mu, int id) {
            for (int k = 0; k < 10; k++) {
              try {
                throw Counted(std::to_string(id));
              } catch (const Counted& e) {
                auto t = spawn(mu, fails, 100 + id);
                try {
                  join(mu, t);
                } catch (const Counted& inner) {
                  sleep_ns(mu, 1000);
                  EXPECT_EQ(inner.what(), std::to_string(100 + id));
                }
                EXPECT_EQ(e.what(), std::to_string(id));
                EXPECT_EQ(std::uncaught_exceptions(), 0);
              }
              EXPECT_EQ(std::current_exception(), nullptr);
            }
          },
          i));
    }
    for (auto& t : tasks) join(mu, t);
  });
}

}  // namespace
}  // namespace tricolor::testing
