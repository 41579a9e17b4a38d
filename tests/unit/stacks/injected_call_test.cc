// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Calls injected into loops that hold a value in every register: nothing may
// change, whatever the call does, and everything must be found in its frame.
#include "stacks/injected_call.h"

#include <gtest/gtest.h>
#include <pthread.h>
#include <unwind.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstring>
#include <thread>

#include "base/macros.h"
#include "stacks/context.h"
#include "tests/support/stress.h"

extern "C" {
uint64_t tri_torture_general(const uint32_t* stop);
extern const char tri_torture_general_end[];
uint64_t tri_torture_sse(const uint32_t* stop, const void* table);
uint64_t tri_torture_avx(const uint32_t* stop, const void* table);
uint64_t tri_torture_avx512(const uint32_t* stop, const void* table);
void tri_trash(int level);
}

namespace tricolor::stacks {
namespace {

int vector_level() {
  if (__builtin_cpu_supports("avx512f")) return 2;
  return __builtin_cpu_supports("avx2") ? 1 : 0;
}

// What a signal does, and what has come of it.
std::atomic<InjectedFn> g_fn{nullptr};
std::atomic<uint64_t> g_calls{0};
std::atomic<uint64_t> g_wrong{0};
std::atomic<bool> g_inside{false};  // no call inside a call

bool is_in_loop(uintptr_t pc) {
  const auto from = reinterpret_cast<uintptr_t>(&tri_torture_general);
  return pc >= from &&
         pc < reinterpret_cast<uintptr_t>(&tri_torture_general_end);
}

void on_signal(int, siginfo_t*, void* context) {
  if (g_inside.load()) return;
  // Only into the loops, as a runtime would: they call nothing.
  const auto from = reinterpret_cast<uintptr_t>(&tri_torture_general);
  const auto to = reinterpret_cast<uintptr_t>(&tri_trash);
  const auto pc = static_cast<uintptr_t>(
      static_cast<ucontext_t*>(context)->uc_mcontext.gregs[REG_RIP]);
  if (pc < from || pc >= to) return;
  g_inside.store(true);
  inject_call(context, g_fn.load());
}

void end_call() {
  g_calls.fetch_add(1);
  g_inside.store(false);
}

// Runs loop(&stop) under signals for a while; its result.
template <class Loop>
uint64_t torture(InjectedFn fn, Loop loop) {
  EXPECT_TRUE(can_inject_calls());
  g_fn.store(fn);
  g_calls.store(0);
  g_wrong.store(0);
  struct sigaction action {};
  struct sigaction before {};
  action.sa_sigaction = on_signal;
  action.sa_flags = SA_SIGINFO | SA_RESTART;
  sigaction(SIGURG, &action, &before);
  uint32_t stop = 0;
  std::atomic<bool> ended{false};
  const pthread_t victim = pthread_self();
  std::thread killer([&] {
    const int ms = testing::stress_scale(300, 60'000);
    const auto until =
        std::chrono::steady_clock::now() + std::chrono::milliseconds(ms);
    while (std::chrono::steady_clock::now() < until) {
      pthread_kill(victim, SIGURG);
      std::this_thread::sleep_for(std::chrono::microseconds(100));
    }
    __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
    while (!ended.load()) std::this_thread::yield();
  });
  const uint64_t result = loop(&stop);
  ended.store(true);
  killer.join();
  sigaction(SIGURG, &before, nullptr);
  EXPECT_GT(g_calls.load(), 100u);
  EXPECT_EQ(g_wrong.load(), 0u);
  return result;
}

// ThreadSanitizer puts off signals until the next call of the C library, of
// which the loops make none, and does not let handlers change what they have
// interrupted.
bool signals_are_put_off() { return TRI_TSAN != 0; }

TRI_NO_SANITIZE_ADDRESS void trash(InjectedFrame*, char*) {
  volatile char below[2048];
  for (volatile char& c : below) c = 0x5a;
  tri_trash(vector_level());
  end_call();
}

TEST(stacks_injected_call, general_registers_flags_and_red_zone) {
  if (signals_are_put_off()) GTEST_SKIP() << "ThreadSanitizer";
  EXPECT_EQ(torture(trash, tri_torture_general), 0u);
}

template <class Loop>
uint64_t torture_vectors(Loop loop) {
  alignas(64) unsigned char table[32 * 64];
  for (size_t i = 0; i < sizeof(table); i++) {
    table[i] = static_cast<unsigned char>(i * 7 + i / 64);
  }
  return torture(trash,
                 [&](const uint32_t* stop) { return loop(stop, table); });
}

TEST(stacks_injected_call, vector_and_control_registers) {
  if (signals_are_put_off()) GTEST_SKIP() << "ThreadSanitizer";
  EXPECT_EQ(torture_vectors(tri_torture_sse), 0u);
  if (vector_level() >= 1) {
    EXPECT_EQ(torture_vectors(tri_torture_avx), 0u);
  }
  if (vector_level() >= 2) {
    EXPECT_EQ(torture_vectors(tri_torture_avx512), 0u);
  }
}

// Every value of the interrupted loop is in [lowest, sp).
TRI_NO_SANITIZE_ADDRESS void look(InjectedFrame* frame, char* lowest) {
  bool right = is_in_loop(frame->pc) && (frame->flags & 0x400) != 0;
  // r15 down to rax; rax is sometimes the address of `stop`, or its value.
  constexpr uint64_t kFactor[14] = {15, 14, 13, 12, 11, 10, 9,
                                    8,  7,  6,  5,  4,  3,  2};
  for (size_t i = 0; i < 14; i++) {
    right = right && frame->registers[i] == 0x01010101 * kFactor[i];
  }
  // The order in memory is that of the pushes; in the loop that of .irp.
  const auto* words = reinterpret_cast<const uint64_t*>(frame->sp());
  for (uint64_t n = 1; n <= 15; n++) {
    right = right && words[-1 - static_cast<int64_t>(n)] == 0x01010101 * n;
  }
  right = right && lowest < reinterpret_cast<char*>(frame) &&
          reinterpret_cast<uintptr_t>(lowest) % 64 == 0;
  if (!right) g_wrong.fetch_add(1);
  end_call();
}

// What the pushes' order makes of the loop's numbering (rax 1, rbx 2, rcx 3,
// rdx 4, rsi 5, rdi 6, rbp 7, r8 8 ...): the same, backwards.
TEST(stacks_injected_call, a_scan_finds_every_word) {
  if (signals_are_put_off()) GTEST_SKIP() << "ThreadSanitizer";
  EXPECT_EQ(torture(look, tri_torture_general), 0u);
}

// --- The call leaves to another context and comes back.

Context g_here;
Context g_there;
std::atomic<uint64_t> g_visits{0};

void visit(void*) {
  for (;;) {
    g_visits.fetch_add(1);
    context_switch(&g_there, &g_here);
  }
}

void leave_and_return(InjectedFrame*, char*) {
  context_switch(&g_here, &g_there);
  tri_trash(vector_level());
  end_call();
}

TEST(stacks_injected_call, may_switch_stacks) {
  if (signals_are_put_off()) GTEST_SKIP() << "ThreadSanitizer";
  alignas(16) static char stack[256 << 10];
  ContextCache cache;
  context_adopt_thread(&g_here);
  context_init(&g_there, stack, stack + sizeof(stack), &cache, visit, nullptr);
  g_visits.store(0);
  EXPECT_EQ(torture(leave_and_return, tri_torture_general), 0u);
  EXPECT_EQ(g_visits.load(), g_calls.load());
  context_cache_destroy(&cache);
}

// --- Debuggers and backtraces find the way through it.

struct Walk {
  int frames = 0;
  bool through_loop = false;
  int above = 0;
};

_Unwind_Reason_Code step(_Unwind_Context* context, void* arg) {
  auto* walk = static_cast<Walk*>(arg);
  walk->frames++;
  if (walk->through_loop) walk->above++;
  if (is_in_loop(_Unwind_GetIP(context))) walk->through_loop = true;
  return walk->frames < 100 ? _URC_NO_REASON : _URC_END_OF_STACK;
}

void unwind(InjectedFrame*, char*) {
  Walk walk;
  _Unwind_Backtrace(step, &walk);
  // The test's own frames, gtest's and main's.
  if (!walk.through_loop || walk.above < 5) g_wrong.fetch_add(1);
  end_call();
}

TEST(stacks_injected_call, unwinders_see_the_interrupted_frames) {
  if (signals_are_put_off()) GTEST_SKIP() << "ThreadSanitizer";
  EXPECT_EQ(torture(unwind, tri_torture_general), 0u);
}

}  // namespace
}  // namespace tricolor::stacks
