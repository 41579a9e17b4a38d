// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Runtime::register_layout: the spec is checked, then its trace function is
// tried, and only then is anything stored. (What is refused, word for word:
// tests/unit/heap/layout_table_test.cc, tests/unit/gc/try_trace_test.cc.)
#include <cstring>

#include "tests/unit/sched/fixture.h"

namespace tricolor::testing {
namespace {

TEST(sched_layout, a_trace_function_is_tried_first) {
  RuntimePtr rt = make_runtime(options(1, 0));
  static int calls;
  calls = 0;
  LayoutSpec spec;
  spec.name = "Dangling";
  spec.head_bytes = 20;
  spec.trace = [](Tracer& t, void* cell, size_t, void*) {
    ++calls;
    t.visit(cell);
  };
  Error error;
  EXPECT_EQ(rt->register_layout(spec, &error), kInvalidLayout);
  EXPECT_NE(std::strstr(error.text, "head_bytes"), nullptr) << error.text;
  EXPECT_EQ(calls, 0) << "a bad spec's function is not called";
  spec.head_bytes = 24;
  EXPECT_EQ(rt->register_layout(spec, &error), kInvalidLayout);
  EXPECT_NE(std::strstr(error.text, "'Dangling': trace, tried"), nullptr)
      << error.text;
  EXPECT_GT(calls, 0);
  spec.trace = [](Tracer& t, void* cell, size_t bytes, void*) {
    ++calls;
    t.visit_words(static_cast<uint64_t*>(cell), bytes / 8, kRawPointers);
  };
  calls = 0;
  const LayoutId id = rt->register_layout(spec, &error);
  EXPECT_NE(id, kInvalidLayout) << error.text;
  EXPECT_GT(calls, 0);
  // And as a tracer it does its work.
  rt->run([&](Mutator& mu) {
    const Type<Link> type = link_type(runtime_of(mu));
    Scope<1> scope(mu);
    auto* slots = static_cast<Link**>(allocate(mu, id, 24));
    *scope.take() = slots;
    Link* link = make_list(mu, type, 3);
    detail::store_slot<Link*>(mu, reinterpret_cast<uint64_t*>(&slots[1]), link);
    collect(mu);
    EXPECT_EQ(stats(runtime_of(mu)).live_cells, 4u);
    EXPECT_TRUE(check_list(slots[1], 3));
  });
}

TEST(sched_layout, weak_words_do_not_keep_their_targets) {
  RuntimePtr rt = make_runtime(options(1, 0));
  LayoutSpec spec;
  spec.name = "Weak";
  spec.tail = LayoutSpec::Tail::kPointers;
  for (auto s : {LayoutSpec::Strength::kWeak, LayoutSpec::Strength::kLongWeak,
                 LayoutSpec::Strength::kEphemeron}) {
    spec.tail_strength = s;
    Error error;
    const LayoutId id = rt->register_layout(spec, &error);
    ASSERT_NE(id, kInvalidLayout) << error.text;
    rt->run([&](Mutator& mu) {
      const Type<Link> type = link_type(runtime_of(mu));
      Scope<2> scope(mu);
      auto* words = static_cast<WeakField<Link>*>(allocate(mu, id, 32));
      *scope.take() = words;
      Local<Link> kept(scope, make_list(mu, type, 1));
      for (int i = 0; i < 3; i++) words[i].store(mu, make_list(mu, type, 1));
      words[3].store(mu, kept);
      collect(mu);
      EXPECT_EQ(stats(runtime_of(mu)).live_cells, 2u);
      // With a dead key the value goes, too, though it lives elsewhere.
      const bool pairs = s == LayoutSpec::Strength::kEphemeron;
      EXPECT_EQ(words[3].load(mu), pairs ? nullptr : kept.get());
      EXPECT_EQ(words[0].load(mu), nullptr);
    });
  }
}

// What was wrong before is not said of what is right.
TEST(sched_layout, an_error_is_used_again) {
  RuntimePtr rt = make_runtime(options(1));
  Error error;
  LayoutSpec bad;
  bad.head_bytes = 8;
  const uint32_t offsets[] = {64};
  bad.pointer_offsets = offsets;
  bad.pointer_count = 1;
  EXPECT_EQ(rt->register_layout(bad, &error), kInvalidLayout);
  EXPECT_FALSE(error.ok());
  LayoutSpec good;
  good.head_bytes = 8;
  EXPECT_NE(rt->register_layout(good, &error), kInvalidLayout);
  EXPECT_TRUE(error.ok()) << error.text;
}

}  // namespace
}  // namespace tricolor::testing
