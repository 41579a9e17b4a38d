// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// A task that ends leaves its stack to one that has not begun: nothing of the
// first may be seen by the second. And Gs that go around between tasks, Ps and
// the depot.
#include <unistd.h>

#include <cfenv>
#include <cstring>
#include <exception>
#include <memory>
#include <thread>
#include <vector>

#include "sched/runtime.h"
#include "tests/unit/sched/fixture.h"

namespace tricolor::testing {
namespace {

class sched_succession : public AtProcs {};
INSTANTIATE_TEST_SUITE_P(procs, sched_succession, ::testing::Values(1, 2, 8));

constexpr int kTasks = 200;

TEST_P(sched_succession, control_words_are_those_of_a_new_task) {
  rt_->run([](Mutator& mu) {
    std::vector<Task<bool>> tasks(kTasks);
    for (Task<bool>& task : tasks) {
      task = spawn(mu, [](Mutator&) {
        const bool fresh = std::fegetround() == FE_TONEAREST;
        std::fesetround(FE_UPWARD);
        volatile double third = 1.0;  // with status bits set
        third = third / 3;
        return fresh;
      });
    }
    for (Task<bool>& task : tasks) EXPECT_TRUE(join(mu, task));
    EXPECT_EQ(std::fegetround(), FE_TONEAREST);
  });
}

TEST_P(sched_succession, no_exception_goes_on) {
  rt_->run([](Mutator& mu) {
    auto body = [](Mutator& mu, int how) -> int {
      if (std::uncaught_exceptions() != 0 || std::current_exception()) {
        return -1;
      }
      if (how == 0) throw 7;  // to its joiner
      if (how == 1) {
        try {
          throw 8;
        } catch (int) {
          goexit(mu);  // out of the catch block
        }
      }
      if (how == 2) {
        try {
          throw 9;
        } catch (int) {
          yield(mu);
        }
      }
      return how;
    };
    std::vector<Task<int>> tasks;
    for (int i = 0; i < kTasks; i++) {
      // goexit() unwinds nothing: the exception stays, a leak to ASan.
      const int how = TRI_ASAN && i % 5 == 1 ? 2 : i % 5;
      tasks.push_back(spawn(mu, body, how));
    }
    for (int i = 0; i < kTasks; i++) {
      auto result = try_join(mu, tasks[static_cast<size_t>(i)]);
      if (i % 5 == 0) {
        EXPECT_EQ(result.outcome, Outcome::kFailed);
        EXPECT_THROW(result.error.rethrow(), int);
      } else if (i % 5 == 1 && !TRI_ASAN) {
        EXPECT_EQ(result.outcome, Outcome::kExited);
      } else {
        EXPECT_EQ(result.value, i % 5 == 1 ? 2 : i % 5);
      }
    }
  });
}

template <size_t kBytes>
struct Bytes {
  unsigned char at[kBytes];
};

template <size_t kBytes>
void spawn_with(Mutator& mu, std::vector<Task<bool>>* tasks, unsigned seed) {
  Bytes<kBytes> bytes;
  for (size_t i = 0; i < kBytes; i++) {
    bytes.at[i] = static_cast<unsigned char>(seed + i);
  }
  tasks->push_back(spawn(
      mu,
      [](Mutator&, Bytes<kBytes> got, unsigned seed) {
        for (size_t i = 0; i < kBytes; i++) {
          if (got.at[i] != static_cast<unsigned char>(seed + i)) return false;
        }
        return true;
      },
      bytes, seed));
}

TEST_P(sched_succession, each_has_its_own_arguments) {
  rt_->run([](Mutator& mu) {
    std::vector<Task<bool>> tasks;
    for (unsigned i = 0; i < 40; i++) {
      spawn_with<1>(mu, &tasks, i);
      spawn_with<15>(mu, &tasks, i);
      tasks.push_back(spawn(mu, [](Mutator&) { return true; }));
      spawn_with<17>(mu, &tasks, i);
      spawn_with<64>(mu, &tasks, i);
      spawn_with<112>(mu, &tasks, i);
    }
    for (Task<bool>& task : tasks) EXPECT_TRUE(join(mu, task));
  });
}

size_t use_stack(size_t bytes) {
  volatile char frame[4096];
  frame[0] = 1;
  return bytes <= sizeof(frame) ? size_t{1}
                                : frame[0] + use_stack(bytes - sizeof(frame));
}

// Large stacks and small ones in turn.
TEST_P(sched_succession, each_has_the_stack_it_asked_for) {
  rt_->run([](Mutator& mu) {
    std::vector<Task<size_t>> tasks;
    for (int i = 0; i < kTasks; i++) {
      SpawnOptions task_options;
      task_options.stack_bytes = i % 3 == 0 ? size_t{1} << 20 : 0;
      tasks.push_back(spawn(
          mu, task_options,
          [](Mutator&, size_t bytes) { return use_stack(bytes); },
          i % 3 == 0 ? size_t{700'000} : size_t{20'000}));
    }
    for (int i = 0; i < kTasks; i++) {
      EXPECT_GT(join(mu, tasks[static_cast<size_t>(i)]),
                i % 3 == 0 ? 100u : 2u);
    }
  });
}

// A task that waits in the second half of a stack's life, while others of the
// same stack's past are joined and their Gs used again.
TEST_P(sched_succession, some_wait_and_some_end) {
  Options o = options(GetParam());
  o.conservative_stacks = true;
  RuntimePtr rt = make_runtime(o);
  static Type<Link> type;
  type = link_type(*rt);
  rt->run([](Mutator& mu) {
    for (int round = 0; round < stress_scale(20, 1000); round++) {
      std::vector<Task<bool>> tasks;
      for (uint64_t i = 0; i < kTasks; i++) {
        tasks.push_back(spawn(
            mu,
            [](Mutator& mu, uint64_t i) {
              Link* list = make_list(mu, type, i % 7);  // rooted by the stack
              if (i % 3 == 0) yield(mu);
              if (i % 11 == 0) sleep_ns(mu, 10'000);
              return check_list(list, i % 7);
            },
            i));
      }
      if (round % 4 == 0) collect(mu);
      for (Task<bool>& task : tasks) EXPECT_TRUE(join(mu, task));
    }
  });
}

// Who detaches has no P while the task ends on the only one.
TEST_P(sched_succession, detached_from_outside_while_they_end) {
  const int rounds = stress_scale(20, 500);
  size_t first = 0;
  for (int round = 0; round < rounds; round++) {
    rt_->run([](Mutator& mu) {
      auto tasks = std::make_unique<std::vector<Task<uint64_t>>>();
      for (uint64_t i = 0; i < kTasks; i++) {
        tasks->push_back(spawn(
            mu, [](Mutator&, uint64_t i) { return i; }, i));
      }
      std::thread outside([&tasks] {
        for (Task<uint64_t>& task : *tasks) task.detach();
      });
      for (int i = 0; i < 50; i++) yield(mu);
      NativeScope native(mu);
      outside.join();
    });
    while (stats(*rt_).tasks_alive > 0) usleep(100);
    // All are freed, whoever does it; a P keeps two batches.
    const size_t made = impl_of(*rt_)->gs.count();
    if (round == 0) first = made;
    EXPECT_LE(made, first + kTasks + 256 * GetParam());
  }
}

// More than a P keeps: the depot has them, and a trim takes it apart.
TEST_P(sched_succession, gs_go_around) {
  sched::GTable& gs = impl_of(*rt_)->gs;
  size_t made = 0;
  for (int round = 0; round < stress_scale(10, 300); round++) {
    rt_->run([](Mutator& mu) {
      std::vector<Task<int>> tasks;
      tasks.reserve(3000);
      for (int i = 0; i < 3000; i++) {
        tasks.push_back(spawn(
            mu, [](Mutator&, int i) { return i; }, i));
      }
      for (int i = 0; i < 3000; i++) {
        EXPECT_EQ(join(mu, tasks[static_cast<size_t>(i)]), i);
      }
    });
    if (round == 0) made = gs.count();
    if (round % 3 == 2) gs.empty_depot();
    // None is lost: each P keeps two batches at most.
    EXPECT_LE(gs.count(), made + 256 * GetParam());
  }
}

}  // namespace
}  // namespace tricolor::testing
