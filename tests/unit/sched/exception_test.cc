// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// C++ exceptions inside tasks: each G has its own exception state, so one may
// suspend inside a catch block, or while unwinding.
#include <exception>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/unit/sched/fixture.h"

namespace tricolor::testing {
namespace {

class sched_exception : public AtProcs {};
INSTANTIATE_TEST_SUITE_P(procs, sched_exception, ::testing::Values(1, 2, 8));

struct YieldsInDestructor {
  Mutator& mu;
  ~YieldsInDestructor() {
    EXPECT_EQ(std::uncaught_exceptions(), 1);
    for (int i = 0; i < 3; i++) yield(mu);
    EXPECT_EQ(std::uncaught_exceptions(), 1);
  }
};

void throw_and_yield(Mutator& mu, int id, int depth) {
  const std::string text = std::to_string(id) + "/" + std::to_string(depth);
  try {
    YieldsInDestructor guard{mu};
    throw std::runtime_error(text);
  } catch (const std::runtime_error& e) {
    yield(mu);
    if (depth > 0) throw_and_yield(mu, id, depth - 1);
    yield(mu);
    EXPECT_EQ(e.what(), text);
    EXPECT_NE(std::current_exception(), nullptr);
    try {
      throw;  // the innermost caught one is this one
    } catch (const std::exception& again) {
      yield(mu);
      EXPECT_EQ(again.what(), text);
    }
  }
}

TEST_P(sched_exception, suspended_in_catch_blocks) {
  rt_->run([](Mutator& mu) {
    std::vector<Task<void>> tasks;
    for (int i = 0; i < 20; i++) {
      tasks.push_back(spawn(
          mu,
          [](Mutator& mu, int id) {
            for (int k = 0; k < 5; k++) {
              // The outermost frame has none in flight.
              EXPECT_EQ(std::uncaught_exceptions(), 0);
              EXPECT_EQ(std::current_exception(), nullptr);
              throw_and_yield(mu, id, 3);
            }
          },
          i));
    }
    for (auto& t : tasks) join(mu, t);
  });
}

TEST_P(sched_exception, coroutines_have_their_own) {
  rt_->run([](Mutator& mu) {
    Scope<1> scope(mu);
    Local<Coroutine> co(scope,
                        Coroutine::create(
                            mu,
                            [](Mutator& mu, Coroutine*, void*, void*) -> void* {
                              EXPECT_EQ(std::current_exception(), nullptr);
                              try {
                                throw 1;
                              } catch (int one) {
                                Coroutine::yield(mu, nullptr);
                                EXPECT_EQ(one, 1);
                                EXPECT_NE(std::current_exception(), nullptr);
                              }
                              return nullptr;
                            },
                            nullptr, nullptr));
    try {
      throw std::runtime_error("outer");
    } catch (const std::exception& e) {
      Coroutine::resume(mu, co, nullptr);
      EXPECT_STREQ(e.what(), "outer");
    }
    EXPECT_EQ(std::current_exception(), nullptr);
    Coroutine::resume(mu, co, nullptr);
    EXPECT_EQ(std::current_exception(), nullptr);
  });
}

// run() may be called while the host handles an exception.
TEST_P(sched_exception, run_inside_a_catch_block) {
  try {
    throw std::runtime_error("host");
  } catch (const std::exception& e) {
    rt_->run([](Mutator& mu) {
      EXPECT_EQ(std::current_exception(), nullptr);
      auto t = spawn(mu, [](Mutator& mu) { throw_and_yield(mu, 1, 1); });
      join(mu, t);
    });
    EXPECT_STREQ(e.what(), "host");
    EXPECT_NE(std::current_exception(), nullptr);
  }
}

}  // namespace
}  // namespace tricolor::testing
