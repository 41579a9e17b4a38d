// SPDX-License-Identifier: MIT
// Copyright tricolor authors
//
// base/lock.h: exclusion under contention, try_lock, the rank table, and (in
// checking builds) that disorder aborts with both names.
#include "base/lock.h"

#include <gtest/gtest.h>
#include <time.h>
#include <iterator>
#include <memory>
#include <type_traits>
#include <vector>

#include "tests/unit/base/test_thread.h"

namespace tricolor::base {
namespace {

constinit Mutex g_static_mutex{LockRank::kLeaf};

static_assert(sizeof(Mutex) == 8);
static_assert(std::is_trivially_destructible_v<Mutex>);

TEST(base_lock, excludes) {
  constexpr int kThreads = 4;
  constexpr int kRounds = 20'000;
  Mutex mutex(LockRank::kSched);
  int counter = 0;
  {
    std::vector<std::unique_ptr<TestThread>> threads;
    for (int t = 0; t < kThreads; t++) {
      threads.push_back(std::make_unique<TestThread>([&] {
        for (int i = 0; i < kRounds; i++) {
          LockGuard guard(mutex);
          counter++;
        }
      }));
    }
  }
  EXPECT_EQ(counter, kThreads * kRounds);
}

// The holder sleeps, so the others reach the futex.
TEST(base_lock, sleepers_are_woken) {
  Mutex mutex(LockRank::kSched);
  int turns = 0;
  {
    std::vector<std::unique_ptr<TestThread>> threads;
    for (int t = 0; t < 3; t++) {
      threads.push_back(std::make_unique<TestThread>([&] {
        for (int i = 0; i < 5; i++) {
          LockGuard guard(mutex);
          const timespec pause{0, 500'000};
          nanosleep(&pause, nullptr);
          turns++;
        }
      }));
    }
  }
  EXPECT_EQ(turns, 15);
}

TEST(base_lock, try_lock) {
  if (!g_static_mutex.try_lock()) FAIL();
  g_static_mutex.assert_held();
  bool taken_elsewhere = true;
  {
    TestThread other([&] {
      if (g_static_mutex.try_lock()) {
        g_static_mutex.unlock();
      } else {
        taken_elsewhere = false;
      }
    });
  }
  EXPECT_FALSE(taken_elsewhere);
  g_static_mutex.unlock();
  if (!g_static_mutex.try_lock()) FAIL();
  g_static_mutex.unlock();
}

TEST(base_lock, ranks_have_names_and_rise) {
  EXPECT_STREQ(lock_rank_name(LockRank::kWorld), "kWorld");
  EXPECT_STREQ(lock_rank_name(LockRank::kMHeap), "kMHeap");
  EXPECT_STREQ(lock_rank_name(static_cast<LockRank>(1)), "?");
  const int ranks[] = {
#define TRI_LOCK_RANK(name, rank, what) rank,
#include "base/lock_rank.def"
#undef TRI_LOCK_RANK
  };
  for (size_t i = 1; i < std::size(ranks); i++)
    EXPECT_LT(ranks[i - 1], ranks[i]);
}

TEST(base_lock, rising_ranks_in_any_release_order) {
  Mutex sched(LockRank::kSched);
  Mutex heap(LockRank::kMHeap);
  Mutex meta(LockRank::kMeta);
  sched.lock();
  heap.lock();
  sched.unlock();
  meta.lock();
  heap.unlock();
  meta.unlock();
  assert_no_locks_held("a suspension");
}

TEST(base_lock_DeathTest, assert_held_of_a_free_lock) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  Mutex sched(LockRank::kSched);
  EXPECT_DEATH(sched.assert_held(), "kSched is not locked");
}

#if TRI_CHECKS
void take(Mutex& first, Mutex& second) {
  LockGuard a(first);
  LockGuard b(second);
}

class base_lock_rank_DeathTest : public testing::Test {
 protected:
  void SetUp() override { GTEST_FLAG_SET(death_test_style, "threadsafe"); }

  Mutex sched_{LockRank::kSched};
  Mutex heap_{LockRank::kMHeap};
  Mutex heap_too_{LockRank::kMHeap};
};

TEST_F(base_lock_rank_DeathTest, disorder_names_both) {
  EXPECT_DEATH(
      take(heap_, sched_),
      "lock order: kSched \\(25\\) taken while kMHeap \\(60\\) is held");
}

TEST_F(base_lock_rank_DeathTest, equal_ranks) {
  EXPECT_DEATH(take(heap_, heap_too_), "kMHeap \\(60\\) taken while kMHeap");
}

void lock_twice(Mutex& mutex) TRI_NO_THREAD_SAFETY {
  mutex.lock();
  mutex.lock();
}

TEST_F(base_lock_rank_DeathTest, taken_twice) {
  EXPECT_DEATH(lock_twice(heap_), "lock kMHeap taken twice");
}

TEST_F(base_lock_rank_DeathTest, try_lock_is_exempt_but_counts) {
  {
    LockGuard guard(heap_);
    if (!sched_.try_lock()) FAIL();
    sched_.unlock();
  }
  if (!heap_.try_lock()) FAIL();
  EXPECT_DEATH(take(sched_, heap_too_), "kSched \\(25\\) taken while kMHeap");
  heap_.unlock();
}

void unlock_only(Mutex& mutex) TRI_NO_THREAD_SAFETY { mutex.unlock(); }

TEST_F(base_lock_rank_DeathTest, unlock_without_lock) {
  EXPECT_DEATH(unlock_only(heap_), "unlock of kMHeap, which this thread");
}

void lock_only(Mutex& mutex) TRI_NO_THREAD_SAFETY { mutex.lock(); }

TEST_F(base_lock_rank_DeathTest, held_by_another_thread) {
  EXPECT_DEATH(
      {
        {
          TestThread other([&] { lock_only(heap_); });
        }
        heap_.assert_held();
      },
      "kMHeap is locked, but not by this thread");
}

TEST_F(base_lock_rank_DeathTest, suspension_with_a_lock) {
  LockGuard guard(sched_);
  EXPECT_DEATH(assert_no_locks_held("park"), "park with lock kSched held");
}
#endif

}  // namespace
}  // namespace tricolor::base
