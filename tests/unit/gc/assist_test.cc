// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Who marks, and how long at once: assist policies, the Ps' share, idle Ps,
// step(). One P whose clock moves by 100 ns at every look, so a budget is a
// number of looks, and a look comes with every 8 KiB of marking.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/unit/gc/graph.h"

namespace tricolor::testing {
namespace {

constexpr uint64_t kMiB = uint64_t{1} << 20;
constexpr size_t kBigBytes = 64 * 1024;

gc::CollectorOptions by_assists(AssistPolicy policy) {
  gc::CollectorOptions o;
  o.gccheckmark = true;
  o.initial_heap_bytes = 2 * kMiB;
  o.worker_percent = 0;  // nobody else
  o.assist_policy = policy;
  o.assist_budget_ns = 1000;
  return o;
}

/// In one assist of a microsecond: ten looks, and what a look may be late by.
constexpr uint64_t kMostInBudget = 11 * (8 * 1024 + 512);

/// A tree that stays, and blocks without pointers that do not.
class Program {
 public:
  explicit Program(const gc::CollectorOptions& o, int depth = 14)
      : gc_(o), type_(node_type(gc_)), scope_(gc_.mu()), tree_(scope_) {
    LayoutSpec spec;
    spec.name = "Block";
    spec.tail = LayoutSpec::Tail::kNoscan;
    block_ = gc_.layout(spec);
    tree_ = make_tree(gc_.mu(), type_, depth);
  }

  /// Allocates a block; remembers the most that was marked in a call.
  void allocate_block() {
    const uint32_t cycle = gc_.impl().cycle_.load_relaxed();
    const uint64_t before = gc_.impl().scanned_.load_relaxed();
    allocate(gc_.mu(), block_, kBigBytes);
    if (gc_.impl().cycle_.load_relaxed() != cycle) return;
    most_ = std::max(most_, gc_.impl().scanned_.load_relaxed() - before);
    most_debt_ = std::max(most_debt_, gc_.p().assist_debt_bytes);
  }
  /// Runs until `n` more marks have ended; the most a heap was over its goal.
  double run(int n, int most_blocks = 1'000'000) {
    double over = 0;
    uint32_t cycle = gc_.impl().cycle_.load_relaxed();
    for (int i = 0; n > 0 && i < most_blocks; ++i) {
      allocate_block();
      if (gc_.impl().phase() == gc::Phase::kMark) continue;
      if (gc_.impl().cycle_.load_relaxed() == cycle) continue;
      cycle = gc_.impl().cycle_.load_relaxed();
      const gc::CycleRecord& r = gc_.impl().record;
      over = std::max(
          over, static_cast<double>(r.heap_end) / static_cast<double>(r.goal));
      --n;
    }
    EXPECT_EQ(n, 0) << "cycles that never ended";
    return over;
  }
  Stats stats() {
    Stats s{};
    gc_.collector().stats(&s);
    return s;
  }

  GcAlone gc_;
  Type<Node> type_;
  Scope<1> scope_;
  Local<Node> tree_;
  LayoutId block_;
  uint64_t most_ = 0;
  int64_t most_debt_ = 0;
};

TEST(gc_assist, classic_keeps_to_the_goal_alone) {
  Program program(by_assists(AssistPolicy::kClassic));
  EXPECT_LT(program.run(10), 1.11);
  EXPECT_GT(program.stats().gc_assist_ns, 0u);
  EXPECT_GT(program.most_, kMostInBudget)
      << "else the next test proves nothing";
  EXPECT_EQ(check_tree(program.tree_), 32767);
}

TEST(gc_assist, classic_keeps_to_it_when_all_survives) {
  gc::CollectorOptions o = by_assists(AssistPolicy::kClassic);
  GcAlone gc(o);
  Type<Node> type = node_type(gc);
  Scope<2> scope(gc.mu());
  Local<Node> list(scope);
  uint32_t seen = 0;
  for (int i = 0; i < 600'000; ++i) {
    Node* n = make(gc.mu(), type);
    n->left.init(gc.mu(), list);
    list = n;
    if (gc.collector().cycle() == seen || gc.collector().marking()) continue;
    seen = gc.collector().cycle();
    const gc::CycleRecord& r = gc.impl().record;
    const double slack = 64 * 1024;
    EXPECT_LE(static_cast<double>(r.heap_end),
              static_cast<double>(r.goal) * 1.1 + slack)
        << seen;
  }
  EXPECT_GE(seen, 3u);
}

TEST(gc_assist, bounded_marks_no_more_than_its_budget_at_once) {
  Program program(by_assists(AssistPolicy::kBounded));
  program.run(10);
  EXPECT_GT(program.most_, 0u);
  EXPECT_LE(program.most_, kMostInBudget);
  EXPECT_GT(program.most_debt_, int64_t{kBigBytes}) << "what is owed is kept";
  EXPECT_GT(program.stats().gc_assist_ns, 0u);
  EXPECT_EQ(check_tree(program.tree_), 32767);
}

TEST(gc_assist, off_is_no_assist_at_all) {
  gc::CollectorOptions o = by_assists(AssistPolicy::kOff);
  Program alone(o);
  for (int i = 0; i < 500; ++i) alone.allocate_block();
  EXPECT_EQ(alone.gc_.impl().phase(), gc::Phase::kMark) << "nobody marks";
  EXPECT_EQ(alone.most_, 0u);
  EXPECT_EQ(alone.stats().gc_assist_ns, 0u);
  alone.gc_.collect();
  o.worker_percent = 25;
  Program shared(o);
  shared.run(10);
  EXPECT_EQ(shared.stats().gc_assist_ns, 0u);
  EXPECT_GT(shared.stats().gc_cpu_ns, 0u);
}

// A cycle that workers alone bring to an end owes nothing to those who allocate
// afterwards, and a slice is as long off as the share says.
TEST(gc_assist, the_share_of_a_p) {
  for (const auto& [percent, times] :
       {std::pair{25u, 3.0}, {50u, 1.0}, {10u, 9.0}, {100u, 0.0}}) {
    gc::CollectorOptions o = by_assists(AssistPolicy::kClassic);
    o.worker_percent = percent;
    Program program(o, 15);
    program.gc_.start();
    gc::CollectorImpl& impl = program.gc_.impl();
    const uint64_t from = impl.now();
    impl.run_worker(&program.gc_.p(), &program.gc_.mu(), 20'000);
    const uint64_t to = impl.now();
    ASSERT_EQ(impl.phase(), gc::Phase::kMark) << percent;
    const double off = static_cast<double>(program.gc_.p().slice_end_ns) -
                       static_cast<double>(to);
    // Never less than half a slice of 100 us.
    const double want = std::max(static_cast<double>(to - from) * times, 5e4);
    EXPECT_NEAR(off, want, 3000) << percent;
    EXPECT_FALSE(program.gc_.collector().worker_due(
        &program.gc_.p(), program.gc_.p().slice_end_ns - 1));
    EXPECT_TRUE(program.gc_.collector().worker_due(
        &program.gc_.p(), program.gc_.p().slice_end_ns));
    program.gc_.finish();
  }
  Program none(by_assists(AssistPolicy::kClassic));
  none.gc_.start();
  EXPECT_FALSE(none.gc_.collector().worker_due(&none.gc_.p(), UINT64_MAX));
  none.gc_.finish();
}

TEST(gc_assist, idle_ps_may_be_told_to_stay_idle) {
  for (const bool idle : {true, false}) {
    gc::CollectorOptions o = by_assists(AssistPolicy::kClassic);
    o.idle_workers = idle;
    Program program(o);
    gc::Collector& c = program.gc_.collector();
    program.gc_.start();
    EXPECT_TRUE(c.has_work());
    EXPECT_EQ(c.has_idle_work(), idle);
    program.gc_.drain(SIZE_MAX);
    EXPECT_TRUE(c.has_idle_work()) << "to end the mark";
    program.gc_.finish();
    EXPECT_FALSE(c.has_work());
  }
}

// Frames that allocate a little, and then give the collector 20 us.
TEST(gc_assist, small_steps_bring_cycles_to_their_end) {
  gc::CollectorOptions o = by_assists(AssistPolicy::kBounded);
  Program program(o);
  double over = 0;
  uint32_t cycle = 0;
  for (int frame = 0; frame < 600; ++frame) {
    for (int i = 0; i < 4; ++i) program.allocate_block();
    const uint64_t from = program.gc_.impl().now();
    program.gc_.collector().step(&program.gc_.mu(), 20'000);
    // Its looks, and what it does after the last of them.
    EXPECT_LE(program.gc_.impl().now() - from, 22'000u);
    if (program.gc_.collector().cycle() == cycle ||
        program.gc_.collector().marking()) {
      continue;
    }
    cycle = program.gc_.collector().cycle();
    const gc::CycleRecord& r = program.gc_.impl().record;
    over = std::max(
        over, static_cast<double>(r.heap_end) / static_cast<double>(r.goal));
  }
  EXPECT_GT(program.stats().cycles, 8u);
  EXPECT_LE(program.most_, kMostInBudget);
  EXPECT_LT(over, 1.2);
  EXPECT_GT(program.stats().gc_cpu_ns, 5 * program.stats().gc_assist_ns)
      << "the steps do the work";
  EXPECT_EQ(check_tree(program.tree_), 32767);
}

/// A G whose value stack holds a leaf in every word, while a cycle marks by a
/// clock that moves by 10 us at a look.
struct DeepStack {
  static constexpr size_t kWords = 100'000;
  DeepStack() : gc(options()), words(kWords), owner(gc.add_owner()) {
    const auto type = node_type(gc);
    stack = {words.data(), words.data(), words.data() + kWords, kRawPointers,
             0};
    owner->mu.value_stack = &stack;
    for (uint64_t& word : words) {
      word = reinterpret_cast<uint64_t>(make(owner->mu, type));
      ++stack.top;
    }
    gc.set_look_ns(10'000);
    gc.start();
  }
  ~DeepStack() { owner->mu.value_stack = nullptr; }
  static gc::CollectorOptions options() {
    gc::CollectorOptions o = by_assists(AssistPolicy::kOff);
    o.initial_heap_bytes = 64 * kMiB;
    return o;
  }
  GcAlone gc;
  std::vector<uint64_t> words;
  tri_value_stack stack;
  gc::RootOwner* owner;
};

constexpr uint64_t kStackPieceBytes = 4096 * 8;

// A look for each 4 Ki words: 10 us by this clock, which a step of 30 us has
// three of, or one for each retry.
TEST(gc_assist, a_step_stops_inside_a_deep_stack) {
  DeepStack deep;
  GcAlone& gc = deep.gc;
  int steps = 0;
  uint64_t most = 0;
  for (; gc.impl().phase() == gc::Phase::kMark; ++steps) {
    ASSERT_LT(steps, 1000);
    const uint64_t before = gc.p().stack_bytes;
    gc.collector().step(&gc.mu(), 30'000);
    most = std::max(most, gc.p().stack_bytes - before);
  }
  EXPECT_LE(most, 8 * kStackPieceBytes);
  EXPECT_GE(steps, 4);
  gc.finish();
  EXPECT_EQ(gc.live_cells(), DeepStack::kWords);
  EXPECT_EQ(gc.impl().record.work.stacks, DeepStack::kWords * 8)
      << "each word was scanned once";
}

// What it had when it was scanned is not what it has now, and what was below
// may be above.
TEST(gc_assist, a_stack_that_ran_between_two_pieces_is_scanned_whole) {
  DeepStack deep;
  GcAlone& gc = deep.gc;
  while (deep.owner->partial_pieces == 0) {
    gc.collector().step(&gc.mu(), 15'000);
    ASSERT_EQ(gc.impl().phase(), gc::Phase::kMark);
  }
  const size_t seen = deep.owner->partial_pieces * size_t{4096};
  ASSERT_LT(seen, DeepStack::kWords);
  // It runs: moves what has not been scanned to where the scan has been.
  gc::forget_partial_scan(&gc.p(), deep.owner);
  std::rotate(deep.words.begin(), deep.words.begin() + seen, deep.words.end());
  const uint64_t before = gc.p().stack_bytes;
  while (deep.owner->scanned_cycle.load_relaxed() != gc.collector().cycle()) {
    ASSERT_EQ(deep.owner->partial_pieces, 0u);
    gc.collector().step(&gc.mu(), 15'000);
  }
  EXPECT_EQ(gc.p().stack_bytes - before, DeepStack::kWords * 8);
  gc.finish();
  EXPECT_EQ(gc.live_cells(), DeepStack::kWords);
}

// The same without any assist: a cycle begins soon enough for its steps.
TEST(gc_assist, steps_alone_keep_near_the_goal) {
  gc::CollectorOptions o = by_assists(AssistPolicy::kOff);
  Program program(o);
  double over = 0;
  for (int frame = 0; frame < 1000; ++frame) {
    program.allocate_block();
    program.gc_.collector().step(&program.gc_.mu(), 20'000);
    if (program.gc_.collector().cycle() < 5) continue;
    const gc::CycleRecord& r = program.gc_.impl().record;
    if (program.gc_.collector().marking()) continue;
    over = std::max(
        over, static_cast<double>(r.heap_end) / static_cast<double>(r.goal));
  }
  EXPECT_GT(program.stats().cycles, 8u);
  EXPECT_EQ(program.stats().gc_assist_ns, 0u);
  EXPECT_LT(over, 1.15);
}

TEST(gc_assist, a_cycle_counts_stacks_and_roots) {
  gc::CollectorOptions o = by_assists(AssistPolicy::kClassic);
  GcAlone gc(o);
  gc.collect();
  const gc::CycleWork none = gc.impl().record.work;
  constexpr size_t kWords = 40'000;
  auto* table = gc.impl().roots.create_table(kWords, kRawPointers);
  gc.add_owner()->mu.shadow_top += 20;
  gc.collect();
  const gc::CycleWork& w = gc.impl().record.work;
  EXPECT_EQ(w.roots - none.roots, kWords * 8);
  EXPECT_EQ(w.stacks - none.stacks, 20u * 8);
  EXPECT_TRUE(w.forced);
  EXPECT_EQ(gc.impl().pacer.goal(), 2 * kMiB) << "the least goal";
  gc.impl().pacer.set_percent(2000);
  EXPECT_GT(gc.impl().pacer.goal(), 6 * kMiB) << "the table counts";
  gc.impl().roots.drop_table(table);
}

TEST(gc_assist, one_refill_sweeps_a_bounded_number_of_spans) {
  gc::CollectorOptions o;
  o.assist_policy = AssistPolicy::kOff;
  GcAlone gc(o);
  Type<Node> type = node_type(gc);
  gc.collector().set_gc_percent(kGcOff);
  for (int i = 0; i < 500'000; ++i) make(gc.mu(), type);
  gc.start();
  while (gc.impl().phase() != gc::Phase::kSweep) {
    gc.drain(SIZE_MAX);
    gc.impl().advance(&gc.p());
  }
  // No room is left, by the embedder's word.
  gc.collector().set_gc_percent(1);
  const uint64_t before = gc.heap().unswept_spans();
  ASSERT_GT(before, 100u);
  gc.impl().add_external(int64_t{1} << 30);
  gc.impl().before_refill(&gc.mu(), 1024);
  EXPECT_LT(gc.heap().unswept_spans(), before);
  EXPECT_GE(gc.heap().unswept_spans() + 40, before);
  gc.finish();
}

int g_dead_calls;

/// Spans on all shards of which an eighth is dead: too full for a refill, which
/// sweeps one after the other.
struct FullSpans {
  static constexpr int kCells = 200'000;
  explicit FullSpans(GcAlone& gc_in) : gc(gc_in), scope(gc.mu()), head(scope) {
    const uint32_t offsets[] = {0};
    LayoutSpec spec;
    spec.name = "Mortal";
    spec.head_bytes = 64;
    spec.pointer_offsets = offsets;
    spec.pointer_count = 1;
    spec.on_dead = [](void*, size_t, void*) { ++g_dead_calls; };
    type = gc.layout(spec);
    gc.collector().set_gc_percent(kGcOff);
    for (int i = 0; i < kCells; ++i) {
      gc.p().shard = static_cast<uint32_t>(i * 4 / kCells);
      auto* cell = static_cast<Field<void>*>(allocate(gc.mu(), type, 64));
      if (i % 8 == 0) continue;
      cell->store(gc.mu(), head.get());
      head = cell;
    }
    gc.start();
    while (gc.impl().phase() != gc::Phase::kSweep) {
      gc.drain(SIZE_MAX);
      gc.impl().advance(&gc.p());
    }
    g_dead_calls = 0;
  }
  /// Spans swept by an allocation.
  uint64_t swept_by_one() {
    const uint64_t before = gc.heap().unswept_spans();
    allocate(gc.mu(), type, 64);
    return before - gc.heap().unswept_spans();
  }
  GcAlone& gc;
  LayoutId type = 0;
  Scope<1> scope;
  Local<void> head;
};

TEST(gc_assist, an_allocation_sweeps_so_many_spans_of_all_shards) {
  gc::CollectorOptions o;
  o.assist_policy = AssistPolicy::kOff;
  GcAlone gc(o);
  FullSpans spans(gc);
  ASSERT_GT(gc.heap().unswept_spans(), 150u);
  uint64_t most = 0;
  int most_calls = 0;
  for (int i = 0; i < 10'000; ++i) {
    const int calls = g_dead_calls;
    most = std::max(most, spans.swept_by_one());
    most_calls = std::max(most_calls, g_dead_calls - calls);
  }
  EXPECT_GT(most, 2u);
  EXPECT_LE(most, 33u);
  EXPECT_GT(most_calls, 256);
  EXPECT_LE(most_calls, 512 + 2 * 1024 / 8);
  gc.finish();
}

TEST(gc_assist, an_allocation_sweeps_one_span_while_its_p_is_wanted) {
  gc::CollectorOptions o;
  o.assist_policy = AssistPolicy::kOff;
  GcAlone gc(o);
  FullSpans spans(gc);
  gc.p().request.store_relaxed(gc::kRequestPreempt);
  EXPECT_EQ(spans.swept_by_one(), 1u);
  gc.p().request.store_relaxed(0);
  gc.finish();
}

TEST(gc_assist, the_pacers_trace) {
  gc::CollectorOptions o = by_assists(AssistPolicy::kClassic);
  o.gcpacertrace = true;
  Program program(o);
  ::testing::internal::CaptureStderr();
  program.run(2);
  program.gc_.collect();
  program.gc_.collector().set_gc_percent(kGcOff);
  program.gc_.collect();
  const std::string text = ::testing::internal::GetCapturedStderr();
  EXPECT_GE(std::count(text.begin(), text.end(), '\n'), 4);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'),
            static_cast<long>(program.gc_.collector().cycle()));
  EXPECT_TRUE(::testing::internal::RE::FullMatch(
      text.substr(0, text.find('\n')),
      ::testing::internal::RE(
          "pacer 1: assist ratio=[0-9]+\\.[0-9][0-9] \\(scan [0-9]+ MB in "
          "[0-9]+->[0-9]+ MB\\), [0-9]+% CPU \\(0 exp\\.\\) for "
          "[0-9]+\\+[0-9]+\\+[0-9]+ B work \\([0-9]+ B exp\\.\\) in [0-9]+ B "
          "-> "
          "[0-9]+ B \\(trigger [0-9]+, goal [0-9]+, overshoot "
          "-?[0-9]+\\.[0-9]%\\), live [0-9]+ B, runway [0-9]+\\.[0-9]+ B/B")))
      << text;
  EXPECT_NE(text.find("goal 0, overshoot 0.0%"), std::string::npos) << text;
  EXPECT_NE(text.find("(forced)"), std::string::npos);
}

}  // namespace
}  // namespace tricolor::testing
