// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// RunQueue: order, overflow, stealing, and no G lost or run twice under
// thieves.
#include "sched/run_queue.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "tests/support/stress.h"

namespace tricolor::sched {
namespace {

class sched_run_queue : public ::testing::Test {
 protected:
  sched_run_queue() : gs_(new G[1000]()) {
    for (uint32_t i = 0; i < 1000; i++) gs_[i].index = i;
  }
  uint32_t pop(RunQueue& q, bool* inherits = nullptr) {
    bool dummy;
    G* g = q.pop(inherits == nullptr ? &dummy : inherits);
    return g == nullptr ? ~0u : g->index;
  }
  std::unique_ptr<G[]> gs_;
};

/// A queue with room for what is spawned.
struct Queue : RunQueue {
  Queue() { init_fresh(slots); }
  base::Atomic<G*> slots[FreshQueue::kSize];
};

TEST_F(sched_run_queue, fifo_and_next) {
  auto q = std::make_unique<RunQueue>();
  GList overflow;
  EXPECT_TRUE(q->looks_empty());
  EXPECT_TRUE(q->put(&gs_[1], &overflow));
  EXPECT_TRUE(q->put(&gs_[2], &overflow));
  EXPECT_TRUE(q->put_next(&gs_[3], &overflow));
  EXPECT_TRUE(q->put_next(&gs_[4], &overflow));  // 3 goes to the ring
  EXPECT_EQ(q->size(), 4u);
  bool inherits = false;
  EXPECT_EQ(pop(*q, &inherits), 4u);
  EXPECT_TRUE(inherits);
  EXPECT_EQ(pop(*q, &inherits), 1u);
  EXPECT_FALSE(inherits);
  EXPECT_EQ(pop(*q), 2u);
  EXPECT_EQ(pop(*q), 3u);
  EXPECT_EQ(pop(*q), ~0u);
  EXPECT_TRUE(q->looks_empty());
}

TEST_F(sched_run_queue, overflow_is_half_and_the_new_one) {
  auto q = std::make_unique<RunQueue>();
  GList overflow;
  for (uint32_t i = 0; i < RunQueue::kSize; i++) {
    ASSERT_TRUE(q->put(&gs_[i], &overflow));
  }
  EXPECT_FALSE(q->put(&gs_[500], &overflow));
  EXPECT_EQ(overflow.count, RunQueue::kSize / 2 + 1);
  EXPECT_EQ(overflow.pop_front()->index, 0u);
  EXPECT_EQ(overflow.tail->index, 500u);
  EXPECT_EQ(pop(*q), RunQueue::kSize / 2);
}

TEST_F(sched_run_queue, steals_half_and_next_last) {
  auto victim = std::make_unique<RunQueue>();
  auto thief = std::make_unique<RunQueue>();
  GList overflow;
  EXPECT_EQ(thief->steal_from(victim.get(), true), nullptr);
  for (uint32_t i = 0; i < 5; i++) victim->put(&gs_[i], &overflow);
  victim->put_next(&gs_[9], &overflow);
  G* g = thief->steal_from(victim.get(), false);
  EXPECT_EQ(g->index, 2u);  // of 0 1 2 the last
  EXPECT_EQ(pop(*thief), 0u);
  EXPECT_EQ(pop(*thief), 1u);
  EXPECT_EQ(thief->steal_from(victim.get(), false)->index, 3u);
  EXPECT_EQ(thief->steal_from(victim.get(), false)->index, 4u);
  EXPECT_EQ(thief->steal_from(victim.get(), false), nullptr);
  EXPECT_EQ(thief->steal_from(victim.get(), true)->index, 9u);
}

TEST_F(sched_run_queue, spawned_ones_come_first_and_the_last_of_them) {
  for (const bool solo : {false, true}) {
    auto q = std::make_unique<Queue>();
    q->set_solo(solo);
    GList overflow;
    q->put(&gs_[1], &overflow);
    q->put_fresh(&gs_[2], &overflow);
    q->put_fresh(&gs_[3], &overflow);
    q->put_next(&gs_[4], &overflow);
    EXPECT_EQ(q->size(), 4u);
    bool inherits = false;
    EXPECT_EQ(pop(*q, &inherits), 4u);
    EXPECT_EQ(pop(*q, &inherits), 3u);
    EXPECT_TRUE(inherits);
    q->put_fresh(&gs_[5], &overflow);
    EXPECT_EQ(q->pop_in_turn(&inherits)->index, 1u);
    EXPECT_TRUE(inherits);
    EXPECT_EQ(q->pop_in_turn(&inherits)->index, 5u);
    EXPECT_FALSE(q->looks_empty());
    EXPECT_EQ(pop(*q, &inherits), 2u);
    EXPECT_EQ(pop(*q, &inherits), ~0u);
    EXPECT_TRUE(q->looks_empty());
  }
}

TEST_F(sched_run_queue, a_slice_ends_for_spawned_ones_in_the_order_of_birth) {
  auto q = std::make_unique<Queue>();
  GList overflow;
  q->put(&gs_[1], &overflow);
  for (uint32_t i = 2; i < 6; i++) q->put_fresh(&gs_[i], &overflow);
  q->put_next(&gs_[6], &overflow);
  EXPECT_TRUE(q->demote(&overflow));
  bool inherits = true;
  for (uint32_t i = 1; i <= 6; i++) EXPECT_EQ(pop(*q, &inherits), i);
  EXPECT_FALSE(inherits);
}

TEST_F(sched_run_queue, of_too_many_spawned_ones_the_older_half_overflows) {
  std::unique_ptr<G[]> many(new G[FreshQueue::kSize + 1]());
  auto q = std::make_unique<Queue>();
  GList overflow;
  for (uint32_t i = 0; i < FreshQueue::kSize; i++) {
    many[i].index = i;
    ASSERT_TRUE(q->put_fresh(&many[i], &overflow));
  }
  many[FreshQueue::kSize].index = FreshQueue::kSize;
  EXPECT_FALSE(q->put_fresh(&many[FreshQueue::kSize], &overflow));
  EXPECT_EQ(overflow.count, FreshQueue::kSize / 2);
  EXPECT_EQ(overflow.head->index, 0u);
  EXPECT_EQ(pop(*q), FreshQueue::kSize);
  // All that is left, through the ring: it overflows, too.
  EXPECT_FALSE(q->demote(&overflow));
  uint32_t n = overflow.count;
  while (pop(*q) != ~0u) n++;
  EXPECT_EQ(n, FreshQueue::kSize);
}

TEST_F(sched_run_queue, thieves_get_the_oldest_half_of_the_spawned) {
  auto victim = std::make_unique<Queue>();
  auto thief = std::make_unique<Queue>();
  GList overflow;
  for (uint32_t i = 0; i < 5; i++) victim->put_fresh(&gs_[i], &overflow);
  victim->put_next(&gs_[9], &overflow);
  EXPECT_EQ(thief->steal_from(victim.get(), false)->index, 2u);
  EXPECT_EQ(pop(*thief), 0u);
  EXPECT_EQ(pop(*thief), 1u);
  EXPECT_EQ(pop(*victim), 9u);
  EXPECT_EQ(pop(*victim), 4u);
  EXPECT_EQ(pop(*victim), 3u);
  EXPECT_EQ(thief->steal_from(victim.get(), true), nullptr);
}

// One owner, several thieves: each G comes out exactly once.
TEST_F(sched_run_queue, storm) {
  constexpr uint32_t kGs = 1000;
  const int rounds = testing::stress_scale(30, 3000);
  for (int round = 0; round < rounds; round++) {
    auto victim = std::make_unique<Queue>();
    std::vector<std::atomic<int>> seen(kGs);
    std::atomic<bool> done{false};
    auto thief = [&] {
      auto own = std::make_unique<RunQueue>();
      bool inherits;
      while (true) {
        const bool last = done.load();
        if (G* g = own->steal_from(victim.get(), true)) {
          seen[g->index]++;
          while (G* more = own->pop(&inherits)) seen[more->index]++;
        } else if (last) {
          return;
        }
      }
    };
    std::thread t1(thief);
    std::thread t2(thief);
    GList overflow;
    bool inherits;
    for (uint32_t i = 0; i < kGs; i++) {
      if (i % 3 == 0) {
        victim->put_next(&gs_[i], &overflow);
      } else if (i % 3 == 1) {
        victim->put(&gs_[i], &overflow);
      } else {
        victim->put_fresh(&gs_[i], &overflow);
      }
      if (i % 7 == 0) {
        if (G* g = victim->pop(&inherits)) seen[g->index]++;
      }
      if (i % 100 == 0) victim->demote(&overflow);
    }
    while (G* g = victim->pop(&inherits)) seen[g->index]++;
    done = true;
    t1.join();
    t2.join();
    while (G* g = victim->pop(&inherits)) seen[g->index]++;
    while (G* g = overflow.pop_front()) seen[g->index]++;
    for (uint32_t i = 0; i < kGs; i++) ASSERT_EQ(seen[i], 1) << i;
  }
}

// Owner and thieves want the same one all the time.
TEST_F(sched_run_queue, the_last_spawned_one_has_one_taker) {
  const uint32_t rounds =
      static_cast<uint32_t>(testing::stress_scale(50'000, 3'000'000));
  auto victim = std::make_unique<Queue>();
  std::vector<std::atomic<uint32_t>> taken(2);
  std::atomic<bool> done{false};
  std::thread t([&] {
    auto own = std::make_unique<Queue>();
    bool inherits;
    while (!done.load()) {
      G* g = own->steal_from(victim.get(), true);
      // It may think that there are more, and get two.
      for (; g != nullptr; g = own->pop(&inherits)) taken[g->index]++;
    }
  });
  GList overflow;
  bool inherits;
  for (uint32_t i = 0; i < rounds; i++) {
    victim->put_fresh(&gs_[0], &overflow);
    if (i % 2 == 0) victim->put_fresh(&gs_[1], &overflow);
    while (G* g = victim->pop(&inherits)) taken[g->index]++;
    // The thief counts what it has taken after it has taken it.
    while (taken[0] + taken[1] < i + 1 + i / 2 + 1) {
    }
    ASSERT_EQ(taken[0], i + 1);
    ASSERT_EQ(taken[1], i / 2 + 1);
  }
  done = true;
  t.join();
}

}  // namespace
}  // namespace tricolor::sched
