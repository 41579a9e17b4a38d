// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// park and ready: no wake-up is lost, whoever is faster; commit may refuse;
// attached threads park and are readied like tasks.
#include <atomic>
#include <thread>
#include <vector>

#include "tests/unit/sched/fixture.h"

namespace tricolor::testing {
namespace {

class sched_park : public AtProcs {};
INSTANTIATE_TEST_SUITE_P(procs, sched_park, ::testing::Values(1, 2, 8));

// A one-token gate: the smallest thing that can be built on park and ready.
class Gate {
 public:
  void wait(Mutator& mu) {
    while (!take()) park(mu, commit, this);
  }
  void signal(Mutator& mu) {
    void* before = state_.exchange(kToken);
    if (before != nullptr && before != kToken) {
      ready(mu, ParkedTask{before});
    }
  }

 private:
  static bool commit(ParkedTask task, void* ctx) {
    void* empty = nullptr;
    return static_cast<Gate*>(ctx)->state_.compare_exchange_strong(empty,
                                                                   task.g);
  }
  bool take() {
    void* token = kToken;
    return state_.compare_exchange_strong(token, nullptr);
  }
  static inline void* const kToken = reinterpret_cast<void*>(1);
  std::atomic<void*> state_{nullptr};
};

TEST_P(sched_park, ping_pong) {
  static Gate ping;
  static Gate pong;
  const int rounds = stress_scale(5000, 500000);
  rt_->run([rounds](Mutator& mu) {
    auto other = spawn(
        mu,
        [](Mutator& mu, int n) {
          for (int i = 0; i < n; i++) {
            ping.wait(mu);
            pong.signal(mu);
          }
        },
        rounds);
    for (int i = 0; i < rounds; i++) {
      ping.signal(mu);
      pong.wait(mu);
    }
    join(mu, other);
  });
}

TEST_P(sched_park, many_pairs) {
  constexpr int kPairs = 20;
  static Gate gates[2 * kPairs];
  const int rounds = stress_scale(300, 30000);
  rt_->run([rounds](Mutator& mu) {
    auto body = [](Mutator& mu, int self, int n) {
      const int other = self ^ 1;
      for (int i = 0; i < n; i++) {
        if ((self & 1) == 0) {
          gates[other].signal(mu);
          gates[self].wait(mu);
        } else {
          gates[self].wait(mu);
          gates[other].signal(mu);
        }
      }
    };
    std::vector<Task<void>> tasks;
    for (int i = 0; i < 2 * kPairs; i++) {
      tasks.push_back(spawn(mu, body, i, rounds));
    }
    for (auto& t : tasks) join(mu, t);
  });
}

TEST_P(sched_park, commit_may_refuse) {
  rt_->run([](Mutator& mu) {
    int calls = 0;
    park(
        mu,
        [](ParkedTask, void* ctx) {
          ++*static_cast<int*>(ctx);
          return false;
        },
        &calls);
    EXPECT_EQ(calls, 1);
  });
}

TEST_P(sched_park, thread_and_task) {
  static Gate to_task;
  static Gate to_thread;
  const int rounds = stress_scale(500, 50000);
  std::thread thread([this, rounds] {
    AttachScope attach(*rt_);
    ManagedScope managed(attach);
    for (int i = 0; i < rounds; i++) {
      to_task.signal(managed.mutator());
      to_thread.wait(managed.mutator());
    }
  });
  rt_->run([rounds](Mutator& mu) {
    for (int i = 0; i < rounds; i++) {
      to_task.wait(mu);
      to_thread.signal(mu);
      if (i % 100 == 0) collect(mu);
    }
  });
  thread.join();
}

}  // namespace
}  // namespace tricolor::testing
