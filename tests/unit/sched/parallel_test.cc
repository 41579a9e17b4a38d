// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Two tasks really run at once, on two Ms: each waits, without giving way, for
// what only the other can write.
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>

#include "tricolor/all.h"

namespace tricolor::testing {
namespace {

struct Meeting {
  std::atomic<int> tid[2] = {};
};

int meet(Mutator&, Plain<Meeting> meeting, int me) {
  meeting.p->tid[me].store(gettid());
  while (meeting.p->tid[1 - me].load() == 0) {
    // No poll: with one M the other task would never get here.
  }
  return meeting.p->tid[1 - me].load();
}

TEST(sched_parallel, two_tasks_meet_on_two_threads) {
  Options options;
  options.max_procs = 2;
  options.env_prefix = "";
  RuntimePtr rt = Runtime::create(options);
  ASSERT_NE(rt, nullptr);
  Meeting meeting;
  rt->run([&](Mutator& mu) {
    Task<int> a = spawn(mu, &meet, plain(&meeting), 0);
    Task<int> b = spawn(mu, &meet, plain(&meeting), 1);
    int of_b = join(mu, a);
    int of_a = join(mu, b);
    EXPECT_NE(of_a, of_b);
  });
}

}  // namespace
}  // namespace tricolor::testing
