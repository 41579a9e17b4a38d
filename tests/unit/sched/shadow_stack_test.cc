// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Shadow stacks beyond the inline slots: growth, shrinking, the spare chunk,
// scope_reset, and that the collector sees every chunk.
#include <csetjmp>

#include "sched/g.h"
#include "tests/unit/sched/fixture.h"

namespace tricolor::testing {
namespace {

Type<Link> g_type;

class sched_shadow_stack : public ::testing::Test {
 protected:
  sched_shadow_stack() { g_type = link_type(*rt_); }
  RuntimePtr rt_ = make_runtime(options(1, 0));
};

void recurse(Mutator& mu, int depth) {
  Scope<3> scope(mu);
  Local<Link> a(scope, make_list(mu, g_type, 1));
  Local<Link> b(scope, make_list(mu, g_type, 2));
  if (depth > 0) {
    recurse(mu, depth - 1);
  } else {
    collect(mu);
  }
  EXPECT_TRUE(check_list(a, 1));
  EXPECT_TRUE(check_list(b, 2));
}

TEST_F(sched_shadow_stack, deep_recursion_keeps_its_roots) {
  rt_->run([](Mutator& mu) {
    void** const top = mu.shadow_top;
    for (int depth : {5, 9, 10, 11, 50, 200, 5}) {
      recurse(mu, depth);
      EXPECT_EQ(mu.shadow_top, top);
    }
  });
}

// A loop at the edge of a chunk uses the spare one.
TEST_F(sched_shadow_stack, no_thrashing_at_the_edge) {
  rt_->run([](Mutator& mu) {
    Scope<30> almost(mu);
    void** chunk = nullptr;
    for (int i = 0; i < 100; i++) {
      Scope<5> over(mu);
      if (i == 0) chunk = mu.shadow_base;
      EXPECT_EQ(mu.shadow_base, chunk);
    }
    EXPECT_NE(mu.shadow_base, chunk);
    EXPECT_NE(sched::g_of(&mu)->spare_chunk, nullptr);
  });
}

TEST_F(sched_shadow_stack, large_scopes) {
  rt_->run([](Mutator& mu) {
    Scope<1024> a(mu);
    Scope<1024> b(mu);
    for (int i = 0; i < 1024; i++) {
      EXPECT_EQ(*a.take(), nullptr);
      EXPECT_EQ(*b.take(), nullptr);
    }
  });
}

std::jmp_buf g_jump;

void dive(Mutator& mu, int depth) {
  Scope<5> scope(mu);
  if (depth > 0) dive(mu, depth - 1);
  // From the bottom: all the frames above are jumped over.
  if (depth == 0) std::longjmp(g_jump, 1);
}

void dive_and_come_back(Mutator& mu, int depth) {
  if (setjmp(g_jump) == 0) dive(mu, depth);
}

TEST_F(sched_shadow_stack, reset_after_longjmp) {
  rt_->run([](Mutator& mu) {
    Scope<2> scope(mu);
    Local<Link> list(scope, make_list(mu, g_type, 10));
    const ScopeMark mark = scope_mark(mu);
    for (int depth : {2, 30, 500}) {
      dive_and_come_back(mu, depth);
      scope_reset(mu, mark);
      EXPECT_EQ(mu.shadow_top, mark.top);
      collect(mu);
      EXPECT_TRUE(check_list(list, 10));
    }
  });
}

}  // namespace
}  // namespace tricolor::testing
