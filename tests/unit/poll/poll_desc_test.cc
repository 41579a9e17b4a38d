// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// The two state machines of a descriptor, arrow by arrow.
#include "poll/poll_desc.h"

#include <gtest/gtest.h>

#include <memory>

namespace tricolor::netpoll {
namespace {

constexpr Direction kRead = Direction::kRead;
constexpr Direction kWrite = Direction::kWrite;

struct PollDescTest : ::testing::Test {
  PollDescTest() {
    d->poller = reinterpret_cast<Poller*>(this);  // not null, not used
    seq = d->begin(7);
  }
  ~PollDescTest() override { EXPECT_TRUE(d->is_valid()); }

  ParkedTask task{this};
  std::unique_ptr<PollDesc> d = std::make_unique<PollDesc>();
  uint32_t seq;
};
using poll_desc = PollDescTest;

TEST_F(poll_desc, begins_open) {
  EXPECT_EQ(1u, seq);
  EXPECT_EQ(7, d->fd);
  EXPECT_FALSE(d->closed());
  EXPECT_FALSE(d->is_free());
}

TEST_F(poll_desc, one_call_in_each_direction) {
  EXPECT_EQ(Pin::kOk, d->pin(seq, Use::kRead));
  EXPECT_EQ(Pin::kBusy, d->pin(seq, Use::kRead));
  EXPECT_EQ(Pin::kOk, d->pin(seq, Use::kWrite));
  EXPECT_EQ(Pin::kBusy, d->pin(seq, Use::kWrite));
  EXPECT_EQ(Pin::kOk, d->pin(seq, Use::kOther));
  EXPECT_EQ(Pin::kOk, d->pin(seq, Use::kOther));
  EXPECT_FALSE(d->unpin(Use::kRead));
  EXPECT_EQ(Pin::kOk, d->pin(seq, Use::kRead));
}

TEST_F(poll_desc, last_one_out_frees) {
  ASSERT_EQ(Pin::kOk, d->pin(seq, Use::kRead));
  ASSERT_EQ(Pin::kOk, d->pin(seq, Use::kOther));
  EXPECT_TRUE(d->mark_closed(seq));
  EXPECT_FALSE(d->mark_closed(seq)) << "closed twice";
  EXPECT_EQ(Pin::kClosed, d->pin(seq, Use::kWrite));
  EXPECT_FALSE(d->unpin(Use::kOther));  // the handle's
  EXPECT_FALSE(d->unpin(Use::kRead));
  EXPECT_TRUE(d->is_valid());
  EXPECT_TRUE(d->unpin(Use::kOther));
  EXPECT_TRUE(d->is_free());
}

TEST_F(poll_desc, stale_handles_find_nothing) {
  ASSERT_TRUE(d->mark_closed(seq));
  ASSERT_TRUE(d->unpin(Use::kOther));
  EXPECT_EQ(Pin::kClosed, d->pin(seq, Use::kRead));
  const uint32_t next = d->begin(8);
  EXPECT_EQ(seq + 1, next);
  EXPECT_EQ(Pin::kClosed, d->pin(seq, Use::kRead));
  EXPECT_FALSE(d->mark_closed(seq));
  EXPECT_EQ(Pin::kOk, d->pin(next, Use::kRead));
}

TEST_F(poll_desc, tags_mean_one_use) {
  const uint64_t tag = PollTag::make(d.get(), seq);
  EXPECT_NE(0u, tag);
  EXPECT_EQ(d.get(), PollTag::desc(tag));
  EXPECT_TRUE(PollTag::is_current(tag));
  ASSERT_TRUE(d->mark_closed(seq));
  EXPECT_FALSE(PollTag::is_current(tag)) << "closed";
  ASSERT_TRUE(d->unpin(Use::kOther));
  EXPECT_FALSE(PollTag::is_current(tag)) << "free";
  const uint32_t next = d->begin(8);
  EXPECT_FALSE(PollTag::is_current(tag)) << "reused";
  EXPECT_TRUE(PollTag::is_current(PollTag::make(d.get(), next)));
}

TEST_F(poll_desc, event_before_the_wait_is_consumed) {
  EXPECT_EQ(nullptr, d->wake(kRead, true).g);
  EXPECT_EQ(nullptr, d->wake(kRead, true).g) << "twice is once";
  EXPECT_FALSE(d->begin_wait(kRead));
  EXPECT_TRUE(d->begin_wait(kRead)) << "consumed";
  d->end_wait(kRead);
}

TEST_F(poll_desc, event_before_the_call_is_forgotten) {
  EXPECT_EQ(nullptr, d->wake(kRead, true).g);
  d->clear_ready(kRead);
  EXPECT_TRUE(d->begin_wait(kRead));
  d->end_wait(kRead);
}

TEST_F(poll_desc, event_between_wait_and_commit) {
  ASSERT_TRUE(d->begin_wait(kRead));
  EXPECT_EQ(nullptr, d->wake(kRead, true).g);
  EXPECT_FALSE(d->commit_wait(kRead, task)) << "stays awake";
  d->end_wait(kRead);
  EXPECT_TRUE(d->begin_wait(kRead)) << "and has consumed it";
  d->end_wait(kRead);
}

TEST_F(poll_desc, event_after_commit_takes_the_task_once) {
  ASSERT_TRUE(d->begin_wait(kRead));
  ASSERT_TRUE(d->commit_wait(kRead, task));
  EXPECT_EQ(nullptr, d->wake(kWrite, true).g) << "the other direction";
  EXPECT_EQ(task.g, d->wake(kRead, true).g);
  EXPECT_EQ(nullptr, d->wake(kRead, true).g);
  EXPECT_EQ(nullptr, d->wake(kRead, false).g);
  d->end_wait(kRead);
}

TEST_F(poll_desc, close_between_wait_and_commit) {
  ASSERT_TRUE(d->begin_wait(kWrite));
  EXPECT_EQ(nullptr, d->wake(kWrite, false).g);
  EXPECT_FALSE(d->commit_wait(kWrite, task));
  d->end_wait(kWrite);
}

TEST_F(poll_desc, close_after_commit_takes_the_task) {
  ASSERT_TRUE(d->begin_wait(kWrite));
  ASSERT_TRUE(d->commit_wait(kWrite, task));
  EXPECT_EQ(task.g, d->wake(kWrite, false).g);
  EXPECT_EQ(nullptr, d->wake(kWrite, true).g);
  d->end_wait(kWrite);
}

TEST_F(poll_desc, close_leaves_an_event) {
  EXPECT_EQ(nullptr, d->wake(kRead, true).g);
  EXPECT_EQ(nullptr, d->wake(kRead, false).g);
  EXPECT_FALSE(d->begin_wait(kRead));
}

TEST_F(poll_desc, reuse_starts_without_events) {
  EXPECT_EQ(nullptr, d->wake(kRead, true).g);
  ASSERT_TRUE(d->mark_closed(seq));
  ASSERT_TRUE(d->unpin(Use::kOther));
  d->begin(8);
  EXPECT_TRUE(d->begin_wait(kRead));
  d->end_wait(kRead);
}

TEST_F(poll_desc, second_waiter_is_fatal) {
  ::testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_DEATH(
      {
        d->begin_wait(kRead);
        d->begin_wait(kRead);
      },
      "second waiter");
}

}  // namespace
}  // namespace tricolor::netpoll
