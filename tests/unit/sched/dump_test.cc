// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// dump_tasks: from everywhere, of tasks in every state, while they run.
#include "tricolor/dump.h"

#include <unistd.h>

#include <atomic>
#include <string>
#include <thread>

#include "sched/backtrace.h"
#include "sched/runtime.h"
#include "tests/unit/sched/fixture.h"

namespace tricolor::testing {
namespace {

std::string dump(Runtime& rt) {
  std::string text;
  dump_tasks(
      rt,
      [](const char* piece, size_t n, void* out) {
        static_cast<std::string*>(out)->append(piece, n);
      },
      &text);
  return text;
}

int count(const std::string& text, const std::string& what) {
  int n = 0;
  for (size_t at = 0; (at = text.find(what, at)) != std::string::npos; at++)
    n++;
  return n;
}

TRI_NOINLINE void deep_wait(Mutator& mu, int depth) {
  if (depth == 0) {
    park(mu, nullptr, nullptr);
  } else {
    deep_wait(mu, depth - 1);
  }
  __asm__ volatile("" ::: "memory");  // no tail call
}

void wait_until_parked(Mutator& mu, int n) {
  while (count(dump(runtime_of(mu)), "[waiting: park") < n) {
    sleep_ns(mu, 1'000'000);
  }
}

void check_dump(const std::string& text) {
  EXPECT_NE(text.find("main task"), std::string::npos) << text;
  EXPECT_EQ(count(text, "[waiting: park"), 1) << text;
  EXPECT_EQ(count(text, "[waiting: sleep"), 1) << text;
  EXPECT_EQ(count(text, "[native]"), 1) << text;
  // Its frames, though ours have no frame pointers; and the other's.
  const size_t at = text.find("[waiting: park");
  EXPECT_GE(count(text.substr(at), "\n    0x"), 12) << text;
}

TEST(sched_dump, from_a_task_a_thread_and_native_code) {
  RuntimePtr rt = make_runtime(options(3));
  std::atomic<bool> stop{false};
  rt->run([&](Mutator& mu) {
    spawn(mu, [](Mutator& mu) { deep_wait(mu, 6); }).detach();
    spawn(mu, [](Mutator& mu) { sleep_ns(mu, ~uint64_t{0}); }).detach();
    auto native = spawn(
        mu,
        [](Mutator& mu, Plain<std::atomic<bool>> stop) {
          NativeScope outside(mu);
          while (!stop.p->load()) usleep(100);
        },
        plain(&stop));
    wait_until_parked(mu, 1);
    sleep_ns(mu, 20'000'000);
    check_dump(dump(*rt));
    {
      NativeScope outside(mu);
      std::string text = dump(*rt);
      EXPECT_EQ(count(text, "[waiting: park"), 1) << text;
      std::thread other([&] {
        text = dump(*rt);
        EXPECT_EQ(count(text, "[waiting: park"), 1) << text;
        EXPECT_EQ(count(text, "attached thread"), 1) << text;
      });
      other.join();
    }
    stop = true;
    join(mu, native);
  });
}

// How long: by sysmon's clock, which goes while somebody runs.
TEST(sched_dump, says_how_long) {
  RuntimePtr rt = make_runtime(options(2));
  const uint64_t start_ns = now_ns();
  rt->run([&](Mutator& mu) {
    spawn(mu, [](Mutator& mu) {
      // Until sysmon has looked at its clock.
      while (impl_of(mu)->sched.coarse_ms.load_relaxed() == 0) yield(mu);
      park(mu, nullptr, nullptr);
    }).detach();
    uint64_t ms = 0;
    while (ms < 20) {
      sleep_ns(mu, 5'000'000);
      const std::string text = dump(*rt);
      const uint64_t most_ms = (now_ns() - start_ns) / 1'000'000 + 1;
      ASSERT_LT(most_ms, 60'000u) << text;
      const size_t at = text.find("[waiting: park, ");
      if (at == std::string::npos) continue;  // it has not come so far
      ms = std::stoul(text.substr(at + 16));
      EXPECT_LE(ms, most_ms) << text;
    }
  });
}

TEST(sched_dump, while_everything_moves) {
  RuntimePtr rt = make_runtime(options(4));
  const Type<Link> type = link_type(*rt);
  struct Load {
    std::atomic<bool> stop{false};
    Type<Link> type;
  } load;
  load.type = type;
  rt->run([&](Mutator& mu) {
    Task<void> tasks[8];
    for (auto& t : tasks) {
      t = spawn(
          mu,
          [](Mutator& mu, Plain<Load> load) {
            while (!load.p->stop.load()) {
              make_list(mu, load.p->type, 20);
              auto child = spawn(mu, [](Mutator& mu) { yield(mu); });
              join(mu, child);
              sleep_ns(mu, 1000);
            }
          },
          plain(&load));
    }
    for (int i = 0; i < stress_scale(50, 500); i++) {
      EXPECT_GE(count(dump(*rt), "task "), 9);
      yield(mu);
    }
    load.stop = true;
    for (auto& t : tasks) join(mu, t);
  });
}

TEST(sched_dump_death, the_sink_may_not_call_back) {
  RuntimePtr rt = make_runtime(options(1));
  EXPECT_DEATH(rt->run([&](Mutator& mu) {
    dump_tasks(
        *rt, [](const char*, size_t, void*) { yield(*current()); }, nullptr);
    (void)mu;
  }),
               "misuse of yield: called from the sink of dump_tasks");
}

// A fatal error shows the tasks and their stacks, too.
TEST(sched_dump_death, is_part_of_a_fatal_error) {
  RuntimePtr rt = make_runtime(options(2));
  EXPECT_DEATH(rt->run([&](Mutator& mu) {
    spawn(mu, [](Mutator& mu) { deep_wait(mu, 3); }).detach();
    wait_until_parked(mu, 1);
    Task<void> none;
    join(mu, none);
  }),
               "misuse of join(.|\n)*P0: (.|\n)*main task(.|\n)*task [0-9]+ "
               "\\[waiting: park(.|\n)*\n    0x");
}

// Words that are no return addresses are not taken for such, nor is what lies
// beyond the stack.
TEST(sched_backtrace, of_garbage) {
  uintptr_t words[64];
  for (size_t i = 0; i < 64; i++) words[i] = 0x1234'5678'9abc + i;
  words[7] = reinterpret_cast<uintptr_t>(&deep_wait);
  words[6] = reinterpret_cast<uintptr_t>(&words[10]);
  words[20] = reinterpret_cast<uintptr_t>(__builtin_return_address(0));
  uintptr_t frames[sched::kMaxFrames];
  EXPECT_EQ(
      sched::backtrace_saved(words, words + 64, sched::Symbols::kYes, frames),
      2u);
  EXPECT_EQ(frames[0], words[7]);
  EXPECT_EQ(frames[1], words[20]);
  // A chain that goes back or out ends.
  words[6] = reinterpret_cast<uintptr_t>(&words[63]);
  EXPECT_EQ(
      sched::backtrace_saved(words, words + 64, sched::Symbols::kNo, frames),
      1u);
  EXPECT_EQ(
      sched::backtrace_saved(words, words + 4, sched::Symbols::kNo, frames),
      0u);
}

}  // namespace
}  // namespace tricolor::testing
