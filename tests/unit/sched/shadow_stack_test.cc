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

// The callback of an allocation profile may throw out of calls that have a
// Scope of their own open.
TEST(sched_shadow_stack_throw, is_as_before_when_a_profile_throws) {
  RuntimePtr rt = make_runtime(options(1));
  static bool throws;
  throws = false;
  rt->run([&](Mutator& mu) {
    LayoutSpec spec;
    spec.tail = LayoutSpec::Tail::kNoscan;
    const LayoutId layout = rt->register_layout(spec);
    AllocProfile profile;
    profile.interval_bytes = 1;
    profile.exponential = false;
    profile.fn = [](Mutator&, const AllocSample&, void*) {
      if (throws) throw 1;
    };
    set_alloc_profile(mu, profile);
    const auto thrown_out_of = [&](auto&& call) {
      Scope<1> scope(mu);
      auto* cell = static_cast<char*>(allocate(mu, layout, 64));
      *scope.take() = cell;
      const auto* before = mu.shadow_top;
      throws = true;
      bool thrown = false;
      try {
        call(cell);
      } catch (int) {
        thrown = true;
      }
      throws = false;
      EXPECT_EQ(mu.shadow_top, before);
      return thrown;
    };
    EXPECT_TRUE(thrown_out_of([&](char* c) { (void)try_grow(mu, c, 5000); }));
    EXPECT_TRUE(thrown_out_of([&](char* c) { (void)Weak<char>::make(mu, c); }));
    EXPECT_TRUE(thrown_out_of([&](char*) {
      (void)Coroutine::create(
          mu,
          [](Mutator&, Coroutine*, void*, void*) -> void* { return nullptr; },
          nullptr, nullptr);
    }));
    set_alloc_profile(mu, AllocProfile());
  });
}

}  // namespace
}  // namespace tricolor::testing
