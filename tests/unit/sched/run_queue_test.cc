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

// One owner, several thieves: each G comes out exactly once.
TEST_F(sched_run_queue, storm) {
  constexpr uint32_t kGs = 1000;
  const int rounds = testing::stress_scale(30, 3000);
  for (int round = 0; round < rounds; round++) {
    auto victim = std::make_unique<RunQueue>();
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
      } else {
        victim->put(&gs_[i], &overflow);
      }
      if (i % 7 == 0) {
        if (G* g = victim->pop(&inherits)) seen[g->index]++;
      }
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

}  // namespace
}  // namespace tricolor::sched
