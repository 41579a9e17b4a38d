// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// The stack switch: control flow, callee-saved registers, alignment, the
// floating-point control words.
#include "stacks/context.h"

#include <gtest/gtest.h>

#include <cfenv>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <vector>

#include "base/meta_arena.h"
#include "base/os_memory.h"
#include "stacks/stack_pool.h"

namespace tricolor::stacks {
namespace {

class stacks_context : public ::testing::Test {
 protected:
  stacks_context() {
    pool_.init(&meta_, 0);
    context_adopt_thread(&main_);
  }
  ~stacks_context() override { pool_.destroy(); }

  NativeStack* start(Context* ctx, EntryFn entry, void* arg) {
    Refusal refusal = nullptr;
    NativeStack* stack = pool_.get_native(pool_.default_class(), &refusal);
    context_init(ctx, stack->lo + base::os_page_size(), stack->top(),
                 &stack->contexts, entry, arg);
    return stack;
  }

  base::MetaArena meta_;
  StackPool pool_;
  Context main_;
};

struct Shared {
  Context* main;
  Context* self;
  std::vector<int> log;
  uintptr_t misalignment = 1;
};

TEST_F(stacks_context, PingPong) {
  Context ctx;
  Shared shared{&main_, &ctx, {}};
  NativeStack* stack = start(
      &ctx,
      [](void* arg) {
        auto* s = static_cast<Shared*>(arg);
        for (int i = 0; i < 3; i++) {
          s->log.push_back(10 + i);
          context_switch(s->self, s->main);
        }
        s->log.push_back(99);
        context_leave(s->self, s->main);
      },
      &shared);
  for (int i = 0; i < 4; i++) {
    shared.log.push_back(i);
    context_switch(&main_, &ctx);
  }
  EXPECT_EQ(shared.log, (std::vector<int>{0, 10, 1, 11, 2, 12, 3, 99}));
  pool_.put_native(stack);
}

TEST_F(stacks_context, StackIsAligned) {
  Context ctx;
  Shared shared{&main_, &ctx, {}};
  NativeStack* stack = start(
      &ctx,
      [](void* arg) {
        auto* s = static_cast<Shared*>(arg);
        s->misalignment =
            reinterpret_cast<uintptr_t>(__builtin_frame_address(0)) % 16;
        context_leave(s->self, s->main);
      },
      &shared);
  context_switch(&main_, &ctx);
  // rbp was pushed right below a 16-byte aligned call site.
  EXPECT_EQ(shared.misalignment, 0u);
  pool_.put_native(stack);
}

TEST_F(stacks_context, RoundingModeBelongsToTheContext) {
  Context ctx;
  Shared shared{&main_, &ctx, {}};
  NativeStack* stack = start(
      &ctx,
      [](void* arg) {
        auto* s = static_cast<Shared*>(arg);
        s->log.push_back(std::fegetround());  // not what main has
        std::fesetround(FE_TOWARDZERO);
        context_switch(s->self, s->main);
        s->log.push_back(std::fegetround());
        context_leave(s->self, s->main);
      },
      &shared);
  const int before = std::fegetround();
  std::fesetround(FE_UPWARD);
  context_switch(&main_, &ctx);
  EXPECT_EQ(std::fegetround(), FE_UPWARD);
  context_switch(&main_, &ctx);
  EXPECT_EQ(std::fegetround(), FE_UPWARD);
  std::fesetround(before);
  EXPECT_EQ(shared.log, (std::vector<int>{FE_TONEAREST, FE_TOWARDZERO}));
  pool_.put_native(stack);
}

// Mixes values that live in callee-saved registers across each step().
template <class Step>
uint64_t mix(uint64_t seed, Step step) {
  uint64_t a = seed, b = seed * 3, c = seed ^ 77, d = seed + 5, e = ~seed;
  for (int i = 0; i < 1000; i++) {
    step();
    a += b;
    b ^= c;
    c += d;
    d = d * 7 + e;
    e -= a;
  }
  return a ^ b ^ c ^ d ^ e;
}

TEST_F(stacks_context, RegistersSurvive) {
  struct Job {
    Context* main;
    Context ctx;
    uint64_t seed;
    uint64_t result;
  };
  std::vector<std::unique_ptr<Job>> jobs;
  std::vector<NativeStack*> stacks;
  for (uint64_t seed = 1; seed <= 5; seed++) {
    jobs.push_back(std::make_unique<Job>());
    Job* job = jobs.back().get();
    job->main = &main_;
    job->seed = seed;
    stacks.push_back(start(
        &job->ctx,
        [](void* arg) {
          auto* j = static_cast<Job*>(arg);
          j->result = mix(j->seed, [j] { context_switch(&j->ctx, j->main); });
          context_leave(&j->ctx, j->main);
        },
        job));
  }
  for (int i = 0; i <= 1000; i++) {
    for (auto& job : jobs) context_switch(&main_, &job->ctx);
  }
  for (auto& job : jobs) EXPECT_EQ(job->result, mix(job->seed, [] {}));
  for (NativeStack* s : stacks) pool_.put_native(s);
}

}  // namespace
}  // namespace tricolor::stacks
