// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// The timer heap beside a sorted multimap: arming, disarming and firing in any
// order, validity after every step; moving whole heaps.
#include "sched/timers.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <vector>

#include "base/os_memory.h"
#include "base/rng.h"
#include "sched/scheduler.h"
#include "tests/support/stress.h"

namespace tricolor::sched {
namespace {

/// What the heap should hold: deadlines of the timers that are armed.
struct Model {
  std::vector<Timer> timers;
  TimerHeap heap;  // gone first: it lets go of those that are left in it
  std::multimap<uint64_t, Timer*> armed;

  explicit Model(size_t n) : timers(n) {}
  void arm(Timer* timer, uint64_t when) {
    const bool first = armed.empty() || when < armed.begin()->first;
    EXPECT_EQ(heap.arm(timer, when, when),
              first ? TimerHeap::Armed::kEarliest : TimerHeap::Armed::kLater);
    armed.emplace(when, timer);
  }
  void forget(Timer* timer) {
    for (auto i = armed.begin(); i != armed.end(); ++i) {
      if (i->second != timer) continue;
      armed.erase(i);
      return;
    }
    FAIL() << "a timer that is not armed";
  }
  void disarm(Timer* timer) {
    const bool was_armed = timer->heap.load_relaxed() != nullptr;
    EXPECT_EQ(TimerHeap::disarm(timer), was_armed);
    if (was_armed) forget(timer);
    EXPECT_FALSE(TimerHeap::disarm(timer));
  }
  void fire(uint64_t now, size_t max) {
    std::vector<DueTimer> due(max);
    const size_t n = heap.take_due(now, max, due.data());
    for (size_t i = 0; i < n; i++) {
      EXPECT_EQ(due[i].arg, armed.begin()->first);
      EXPECT_LE(due[i].arg, now);
      forget(due[i].timer);
    }
    if (n < max && !armed.empty()) {
      EXPECT_GT(armed.begin()->first, now);
    }
  }
  void check() {
    ASSERT_TRUE(heap.is_valid());
    EXPECT_EQ(heap.size(), armed.size());
    EXPECT_EQ(heap.next_ns(), armed.empty() ? kNever : armed.begin()->first);
  }
};

TEST(sched_timers, agree_with_a_model) {
  constexpr uint32_t kTimers = 700;
  base::Rng rng(testing::test_seed());
  Model m(kTimers);
  uint64_t now = 0;
  for (int step = 0; step < 20'000; step++) {
    Timer* timer = &m.timers[rng.below(kTimers)];
    if (timer->heap.load_relaxed() != nullptr) {
      if (rng.below(3) == 0) m.disarm(timer);
    } else {
      m.arm(timer, now + rng.below(step % 2 == 0 ? 20 : 5000));
    }
    if (rng.below(20) == 0) m.fire(now += rng.below(300), 1 + rng.below(40));
    if (step % 16 == 0) m.check();
  }
  m.fire(kNever - 1, kTimers);
  m.check();
  EXPECT_TRUE(m.armed.empty());
}

TEST(sched_timers, a_million_and_none_fires) {
  constexpr size_t kTimers = 1'000'000;
  std::vector<Timer> timers(kTimers);
  Model m(0);
  base::Rng rng(testing::test_seed());
  for (Timer& t : timers) {
    ASSERT_NE(m.heap.arm(&t, 1000 + rng.below(1u << 30), 0),
              TimerHeap::Armed::kNoMemory);
  }
  EXPECT_TRUE(m.heap.is_valid());
  EXPECT_EQ(m.heap.size(), kTimers);
  for (size_t i = 0; i < kTimers; i++) {
    ASSERT_TRUE(TimerHeap::disarm(&timers[(i * 7919) % kTimers]));
  }
  EXPECT_EQ(m.heap.size(), 0u);
  EXPECT_EQ(m.heap.next_ns(), kNever);
}

TEST(sched_timers, a_heap_takes_all_of_another) {
  Model a(100);
  Model b(300);
  for (Timer& t : a.timers) a.arm(&t, 5 + a.armed.size() * 3);
  for (Timer& t : b.timers) b.arm(&t, 1000 - b.armed.size() * 3);
  ASSERT_TRUE(a.heap.take_all(&b.heap));
  EXPECT_EQ(b.heap.size(), 0u);
  EXPECT_EQ(b.heap.next_ns(), kNever);
  a.armed.insert(b.armed.begin(), b.armed.end());
  a.check();
  for (Timer& t : b.timers) a.disarm(&t);
  a.check();
}

TEST(sched_timers, memory_that_is_refused_changes_nothing) {
  Model m(400);
  size_t i = 0;
  {
    base::OsFaultHook hook{[](void*, base::OsCall call, size_t) {
                             return call == base::OsCall::kMmap;
                           },
                           nullptr};
    const base::OsFaultScope scope(hook);
    EXPECT_EQ(m.heap.arm(m.timers.data(), 7, 0), TimerHeap::Armed::kNoMemory);
    EXPECT_EQ(m.heap.next_ns(), kNever);
  }
  for (; i < 253; i++) m.arm(&m.timers[i], i);
  {
    base::OsFaultHook hook{[](void*, base::OsCall, size_t) { return true; },
                           nullptr};
    const base::OsFaultScope scope(hook);
    EXPECT_EQ(m.heap.arm(&m.timers[i], 7, 0), TimerHeap::Armed::kNoMemory);
    EXPECT_EQ(m.timers[i].heap.load_relaxed(), nullptr);
  }
  m.check();
  for (; i < 400; i++) m.arm(&m.timers[i], i);
  m.check();
}

}  // namespace
}  // namespace tricolor::sched
