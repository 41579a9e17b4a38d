// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// The scheduler's side of poll/hooks.h, with a poller made of a mutex: tasks
// wait for it, idle Ms sleep in it, wakes end that sleep.
#include "poll/hooks.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "tests/unit/sched/fixture.h"

namespace tricolor::testing {
namespace {

class FakePoller {
 public:
  FakePoller() {
    hooks_.ctx = this;
    hooks_.poll = [](void* ctx, int64_t timeout, ParkedTask* out, size_t cap) {
      return static_cast<FakePoller*>(ctx)->poll(timeout, out, cap);
    };
    hooks_.wake = [](void* ctx) { static_cast<FakePoller*>(ctx)->wake(); };
    hooks_.has_waiters = [](void* ctx) {
      return static_cast<FakePoller*>(ctx)->waiters_ > 0;
    };
    hooks_.destroy = [](void* ctx) {
      static_cast<FakePoller*>(ctx)->destroyed_ = true;
    };
  }
  const netpoll::PollHooks* hooks() const { return &hooks_; }
  bool destroyed() const { return destroyed_; }
  int max_inside() const { return max_inside_; }

  /// Waits for one event.
  void wait(Mutator& mu) {
    park(
        mu,
        [](ParkedTask task, void* ctx) {
          auto* self = static_cast<FakePoller*>(ctx);
          std::lock_guard<std::mutex> lock(self->mutex_);
          self->waiting_.push_back(task);
          self->waiters_++;
          self->changed_.notify_all();
          return true;
        },
        this);
  }
  /// An event for each waiter there is.
  void fire() {
    std::lock_guard<std::mutex> lock(mutex_);
    ready_.insert(ready_.end(), waiting_.begin(), waiting_.end());
    waiting_.clear();
    changed_.notify_all();
  }

 private:
  size_t poll(int64_t timeout_ns, ParkedTask* out, size_t capacity) {
    std::unique_lock<std::mutex> lock(mutex_);
    if (++inside_ > max_inside_) max_inside_ = inside_;
    const auto done = [this] { return !ready_.empty() || woken_; };
    if (timeout_ns < 0) {
      changed_.wait(lock, done);
    } else {
      changed_.wait_for(lock, std::chrono::nanoseconds(timeout_ns), done);
    }
    if (timeout_ns != 0) woken_ = false;
    size_t n = 0;
    while (n < capacity && !ready_.empty()) {
      out[n++] = ready_.back();
      ready_.pop_back();
      waiters_--;
    }
    inside_--;
    return n;
  }
  void wake() {
    std::lock_guard<std::mutex> lock(mutex_);
    woken_ = true;
    changed_.notify_all();
  }

  netpoll::PollHooks hooks_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<ParkedTask> waiting_;
  std::vector<ParkedTask> ready_;
  std::atomic<int> waiters_{0};
  bool woken_ = false;
  int inside_ = 0;
  int max_inside_ = 0;
  std::atomic<bool> destroyed_{false};
};

class sched_poll_hooks : public ::testing::TestWithParam<std::pair<int, int>> {
 protected:
  sched_poll_hooks()
      : rt_(make_runtime(options(static_cast<uint32_t>(GetParam().first),
                                 GetParam().second))) {
    EXPECT_EQ(netpoll::poll_hooks(*rt_), nullptr);
    EXPECT_TRUE(netpoll::install_poll_hooks(*rt_, poller_.hooks()));
    EXPECT_FALSE(netpoll::install_poll_hooks(*rt_, poller_.hooks()));
  }
  FakePoller poller_;
  RuntimePtr rt_;
};
INSTANTIATE_TEST_SUITE_P(procs, sched_poll_hooks,
                         ::testing::Values(std::pair(1, -1), std::pair(1, 0),
                                           std::pair(2, -1), std::pair(8, -1)));

TEST_P(sched_poll_hooks, events_wake_tasks) {
  std::atomic<bool> stop{false};
  std::thread events([&] {
    while (!stop) {
      poller_.fire();
      std::this_thread::yield();
    }
  });
  rt_->run([this](Mutator& mu) {
    std::vector<Task<void>> tasks;
    for (int i = 0; i < 5; i++) {
      tasks.push_back(spawn(
          mu,
          [](Mutator& mu, Plain<FakePoller> poller) {
            EXPECT_TRUE(netpoll::runs_on_task(mu));
            for (int k = 0; k < 100; k++) poller.p->wait(mu);
          },
          plain(&poller_)));
    }
    for (auto& t : tasks) join(mu, t);
  });
  stop = true;
  events.join();
  EXPECT_EQ(poller_.max_inside(), 1);
  rt_.reset();
  EXPECT_TRUE(poller_.destroyed());
}

// An M that sleeps in the poller wakes for work and for timers.
TEST_P(sched_poll_hooks, work_and_timers_end_the_sleep) {
  rt_->run([this](Mutator& mu) {
    spawn(
        mu, [](Mutator& mu, Plain<FakePoller> poller) { poller.p->wait(mu); },
        plain(&poller_))
        .detach();
    for (int i = 0; i < 20; i++) {
      sleep_ns(mu, 200'000);
      auto t = spawn(mu, [](Mutator& mu) { sleep_ns(mu, 100'000); });
      join(mu, t);
    }
  });
}

// run() returns although its thread may be asleep in the poller.
TEST_P(sched_poll_hooks, run_returns) {
  for (int i = 0; i < 20; i++) {
    rt_->run([this](Mutator& mu) {
      spawn(
          mu, [](Mutator& mu, Plain<FakePoller> poller) { poller.p->wait(mu); },
          plain(&poller_))
          .detach();
      sleep_ns(mu, 100'000);
    });
  }
}

}  // namespace
}  // namespace tricolor::testing
