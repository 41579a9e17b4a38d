// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Value stacks: mounted on tasks and coroutines, scanned up to top, freed with
// their owner.
#include "tests/unit/sched/fixture.h"

namespace tricolor::testing {
namespace {

Type<Link> g_type;

void push(Mutator& mu, Link* link) {
  ASSERT_TRUE(reserve(mu, 1));
  *mu.value_stack->top = reinterpret_cast<uint64_t>(link);
  mu.value_stack->top++;
}

Link* at(Mutator& mu, size_t i) {
  return reinterpret_cast<Link*>(mu.value_stack->base[i]);
}

void fill_and_check(Mutator& mu) {
  for (uint64_t i = 0; i < 100; i++) {
    Link* list = make_list(mu, g_type, i % 7);
    push(mu, list);
    if (i % 20 == 0) collect(mu);
  }
  collect(mu);
  for (uint64_t i = 0; i < 100; i++) EXPECT_TRUE(check_list(at(mu, i), i % 7));
}

TEST(sched_value_stack, roots_of_a_task) {
  RuntimePtr rt = make_runtime(options(2));
  g_type = link_type(*rt);
  rt->run([](Mutator& mu) {
    ValueStack* stack = mount_value_stack(mu, 1000, kRawPointers);
    ASSERT_NE(stack, nullptr);
    EXPECT_EQ(stack, mu.value_stack);
    EXPECT_TRUE(reserve(mu, 125));
    EXPECT_FALSE(reserve(mu, size_t{1} << 30));
    fill_and_check(mu);
  });
  // The next main gets the block of the first; nothing of it is live.
  rt->run([](Mutator& mu) {
    EXPECT_EQ(mu.value_stack, nullptr);
    mount_value_stack(mu, 1000, kRawPointers);
    collect(mu);
    EXPECT_EQ(stats(runtime_of(mu)).live_cells, 0u);
  });
}

TEST(sched_value_stack, roots_of_coroutines) {
  RuntimePtr rt = make_runtime(options(2));
  g_type = link_type(*rt);
  rt->run([](Mutator& mu) {
    Scope<1> scope(mu);
    Local<Coroutine> co(scope,
                        Coroutine::create(
                            mu,
                            [](Mutator& mu, Coroutine*, void*, void*) -> void* {
                              mount_value_stack(mu, 4096, kRawPointers);
                              for (uint64_t i = 0; i < 50; i++) {
                                push(mu, make_list(mu, g_type, i));
                                Coroutine::yield(mu, nullptr);
                                for (uint64_t k = 0; k <= i; k++) {
                                  EXPECT_TRUE(check_list(at(mu, k), k));
                                }
                              }
                              return nullptr;
                            },
                            nullptr, nullptr));
    while (co->status(mu) != CoroutineStatus::kDead) {
      Coroutine::resume(mu, co, nullptr);
      collect(mu);
    }
  });
}

}  // namespace
}  // namespace tricolor::testing
