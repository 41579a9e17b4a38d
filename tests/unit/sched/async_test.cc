// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Loops without polls in registered ranges: they lose their P, let the world
// stop, and keep what is in their registers.
#define TRI_PREEMPTIBLE_CODE 1

#include <atomic>
#include <csignal>
#include <string>
#include <thread>
#include <vector>

#include "base/macros.h"
#include "tests/unit/sched/fixture.h"
#include "tricolor/preemptible.h"

extern "C" {
// Made by the linker.
extern const char __start_tri_test_bad[] __attribute__((visibility("hidden")));
extern const char __stop_tri_test_bad[] __attribute__((visibility("hidden")));
}

namespace tricolor::testing {
namespace {

// Relaxed atomics: for the tests' own handshakes.
std::atomic<int> g_stop{0};
std::atomic<int> g_started{0};

TRI_PREEMPTIBLE uint64_t spin_until_stopped(uint64_t seed) {
  uint64_t x = seed;
  while (__atomic_load_n(reinterpret_cast<int*>(&g_stop), __ATOMIC_RELAXED) ==
         0) {
    x = x * 6364136223846793005u + 1442695040888963407u;
  }
  return x;
}

// Keeps the only reference to a cell in a register.
TRI_PREEMPTIBLE uint64_t spin_holding(Link* link) {
  __atomic_store_n(reinterpret_cast<int*>(&g_started), 1, __ATOMIC_RELEASE);
  while (__atomic_load_n(reinterpret_cast<int*>(&g_stop), __ATOMIC_RELAXED) ==
         0) {
    __asm__ volatile("" : "+r"(link));
  }
  return link->value;
}

class sched_async : public ::testing::Test {
 protected:
  void SetUp() override {
    if (TRI_TSAN) GTEST_SKIP() << "nothing is sent under ThreadSanitizer";
    g_stop.store(0);
    g_started.store(0);
  }
  static void add_section(Runtime& rt) {
    Error error;
    ASSERT_TRUE(add_preemptible_section(rt, &error)) << error.text;
  }
};

TEST_F(sched_async, a_hog_lets_others_run) {
  RuntimePtr rt = make_runtime(options(1));
  add_section(*rt);
  rt->run([](Mutator& mu) {
    auto hog = spawn(mu, [](Mutator&) { (void)spin_until_stopped(1); });
    auto other = spawn(mu, [](Mutator&) { g_stop.store(1); });
    join(mu, other);
    join(mu, hog);
  });
}

TEST_F(sched_async, many_hogs_take_turns) {
  RuntimePtr rt = make_runtime(options(2));
  add_section(*rt);
  rt->run([](Mutator& mu) {
    constexpr int kHogs = 8;
    std::vector<Task<void>> hogs;
    for (int i = 0; i < kHogs; i++) {
      hogs.push_back(spawn(mu, [](Mutator&) {
        g_started.fetch_add(1);
        (void)spin_until_stopped(2);
      }));
    }
    while (g_started.load() < kHogs) yield(mu);
    g_stop.store(1);
    for (auto& t : hogs) join(mu, t);
  });
}

TEST_F(sched_async, a_register_is_a_root) {
  RuntimePtr rt = make_runtime(options(2));
  add_section(*rt);
  const Type<Link> type = link_type(*rt);
  rt->run([&](Mutator& mu) {
    auto hog = spawn(
        mu,
        [](Mutator& m, Plain<const Type<Link>> t) {
          Link* link = make(m, *t.p);
          link->value = 4711;
          EXPECT_EQ(spin_holding(link), 4711u);
        },
        plain(&type));
    while (g_started.load() == 0) yield(mu);
    for (int i = 0; i < 20; i++) {
      collect(mu);
      for (int k = 0; k < 1000; k++) make(mu, type)->value = 13;
    }
    g_stop.store(1);
    join(mu, hog);
  });
}

TEST_F(sched_async, an_attached_thread_collects_beside_a_hog) {
  RuntimePtr rt = make_runtime(options(1));
  add_section(*rt);
  std::thread collector([&] {
    while (g_started.load() == 0) std::this_thread::yield();
    AttachScope attached(*rt);
    ManagedScope managed(attached);
    for (int i = 0; i < 20; i++) collect(attached.mutator());
    g_stop.store(1);
  });
  rt->run([](Mutator&) {
    g_started.store(1);
    (void)spin_until_stopped(3);
  });
  collector.join();
}

TEST_F(sched_async, there_is_no_handler_before_a_range) {
  struct sigaction before {};
  sigaction(SIGURG, nullptr, &before);
  {
    RuntimePtr rt = make_runtime(options(1));
    rt->run([&](Mutator& mu) {
      struct sigaction now {};
      sigaction(SIGURG, nullptr, &now);
      EXPECT_EQ(now.sa_handler, before.sa_handler);
      add_section(runtime_of(mu));
      sigaction(SIGURG, nullptr, &now);
      EXPECT_NE(now.sa_handler, before.sa_handler);
    });
  }
  struct sigaction now {};
  sigaction(SIGURG, nullptr, &now);
  EXPECT_EQ(now.sa_handler, before.sa_handler);
}

// In a section of its own: nobody could register the other one.
__attribute__((section("tri_test_bad"), noinline, used)) void stores_inline(
    Mutator& mu, Link* a, Link* b) {
  a->next.store(mu, b);
}

TEST_F(sched_async, inline_forms_are_refused) {
  EXPECT_DEATH(
      detail::refuse_inline_forms(__start_tri_test_bad, __stop_tri_test_bad,
                                  __start_tri_inline_forms,
                                  __stop_tri_inline_forms),
      "add_preemptible_section: the code at .* stores references inline");
}

TEST_F(sched_async, bad_ranges_are_refused) {
  RuntimePtr rt = make_runtime(options(1));
  static const char code[100] = {};
  Error error;
  EXPECT_FALSE(
      add_preemptible_range(*rt, code, code, CodeKind::kTlsFree, &error));
  EXPECT_NE(std::string(error.text).find("is empty"), std::string::npos);
  EXPECT_TRUE(add_preemptible_range(*rt, code, code + 50, CodeKind::kTlsFree));
  EXPECT_TRUE(add_preemptible_range(*rt, code, code + 50, CodeKind::kTlsFree));
  EXPECT_FALSE(add_preemptible_range(*rt, code + 49, code + 60,
                                     CodeKind::kTlsFree, &error));
  EXPECT_NE(std::string(error.text).find("overlaps"), std::string::npos);
  EXPECT_TRUE(remove_preemptible_range(*rt, code, code + 50));
  EXPECT_FALSE(remove_preemptible_range(*rt, code, code + 50));
  EXPECT_TRUE(
      add_preemptible_range(*rt, code + 49, code + 60, CodeKind::kTlsFree));
}

}  // namespace
}  // namespace tricolor::testing
