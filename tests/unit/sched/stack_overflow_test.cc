// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Overflow of native stacks is told in words that name the task; other faults
// go where they went before; the process's handlers are as they were when the
// last runtime is gone.
#include <sys/mman.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <thread>

#include "base/macros.h"
#include "tests/unit/sched/fixture.h"
#include "tricolor/stack_overflow.h"

namespace tricolor::testing {
namespace {

// Uses `left` frames of more than 200 bytes each.
__attribute__((noinline)) int recurse(int left) {
  volatile char frame[200];
  std::memset(const_cast<char*>(frame), left & 0x7f, sizeof(frame));
  const int below = left == 0 ? 0 : recurse(left - 1);
  return below + frame[static_cast<size_t>(left) % sizeof(frame)];
}
constexpr int kTooDeep = 1'000'000'000;

__attribute__((noinline)) void overflow(Mutator&) {
  volatile int sum = recurse(kTooDeep);
  (void)sum;
}

template <class F>
void run_it(const Options& o, F f) {
  RuntimePtr rt = make_runtime(o);
  rt->run(f);
}

Options plain() { return options(2); }

TEST(sched_stack_overflow_death, names_the_task_and_the_remedy) {
  EXPECT_DEATH(run_it(plain(),
                      [](Mutator& mu) {
                        SpawnOptions so;
                        so.name = "digger";
                        auto t = spawn(mu, so, [](Mutator& m) { overflow(m); });
                        join(mu, t);
                      }),
               "stack overflow: task [0-9]+ digger has used up its native "
               "stack of [0-9]+ KiB(.|\n)*SpawnOptions::stack_bytes(.|\n)*"
               "0x[0-9a-f]+");
}

TEST(sched_stack_overflow_death, of_main_and_of_larger_stacks) {
  EXPECT_DEATH(run_it(plain(), [](Mutator& mu) { overflow(mu); }),
               "stack overflow: task [0-9]+ ");
  const char* size =
      TRI_ASAN || TRI_TSAN ? "stack of 4096 KiB" : "stack of 1024 KiB";
  EXPECT_DEATH(run_it(plain(),
                      [](Mutator& mu) {
                        SpawnOptions so;
                        so.stack_bytes = size_t{1} << 20;
                        auto t = spawn(mu, so, [](Mutator& m) { overflow(m); });
                        join(mu, t);
                      }),
               size);
}

TEST(sched_stack_overflow_death, of_a_coroutine_of_an_attached_thread) {
  EXPECT_DEATH(
      {
        RuntimePtr rt = make_runtime(plain());
        AttachScope attached(*rt);
        ManagedScope managed(attached);
        Mutator& mu = attached.mutator();
        Scope<1> scope(mu);
        const CoroutineFn body = [](Mutator& m, Coroutine*, void*,
                                    void*) -> void* {
          overflow(m);
          return nullptr;
        };
        Local<Coroutine> co(scope,
                            Coroutine::create(mu, body, nullptr, nullptr));
        Coroutine::resume(mu, co.get(), nullptr);
      },
      "stack overflow: coroutine [0-9]+ ");
}

TEST(sched_stack_overflow_death, the_embedders_handler_is_called) {
  EXPECT_DEATH(
      {
        Options o = plain();
        static int word = 17;
        o.on_stack_overflow_ctx = &word;
        o.on_stack_overflow = [](Runtime&, const StackOverflow& overflow,
                                 void* ctx) {
          const bool whole = *static_cast<int*>(ctx) == 17 &&
                             std::strcmp(overflow.name, "") == 0 &&
                             overflow.pc != nullptr &&
                             overflow.context != nullptr;
          const char text[] = "my own words";
          if (whole && write(2, text, sizeof(text)) < 0) _exit(1);
        };
        run_it(o, [](Mutator& mu) { overflow(mu); });
      },
      "stack overflow(.|\n)*my own words");
}

// --- Faults that are not ours.

char* g_page = nullptr;
volatile sig_atomic_t g_faults = 0;

void open_page(int, siginfo_t* info, void*) {
  if (info->si_addr != g_page) _exit(3);
  g_faults = g_faults + 1;
  mprotect(g_page, 4096, PROT_READ | PROT_WRITE);
}

class HandlerGuard {
 public:
  HandlerGuard() {
    struct sigaction action {};
    action.sa_sigaction = open_page;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sigaction(SIGSEGV, &action, &before_);
    g_page = static_cast<char*>(
        mmap(nullptr, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    g_faults = 0;
  }
  ~HandlerGuard() {
    sigaction(SIGSEGV, &before_, nullptr);
    munmap(g_page, 4096);
  }
  static void close_page() { mprotect(g_page, 4096, PROT_NONE); }

 private:
  struct sigaction before_ {};
};

void touch_page() { *static_cast<volatile char*>(g_page) = 1; }

struct sigaction action_of(int sig) {
  struct sigaction now {};
  sigaction(sig, nullptr, &now);
  return now;
}

TEST(sched_stack_overflow, other_faults_go_to_the_handler_before) {
  HandlerGuard guard;
  {
    RuntimePtr rt = make_runtime(plain());
    EXPECT_EQ(action_of(SIGSEGV).sa_sigaction, open_page);  // not yet
    rt->run([](Mutator& mu) {
      EXPECT_NE(action_of(SIGSEGV).sa_sigaction, open_page);
      touch_page();
      HandlerGuard::close_page();
      auto t = spawn(mu, [](Mutator&) { touch_page(); });
      join(mu, t);
    });
    EXPECT_EQ(g_faults, 2);
    RuntimePtr second = make_runtime(plain());
    second->run([](Mutator&) {});
    rt.reset();
    EXPECT_NE(action_of(SIGSEGV).sa_sigaction, open_page);
    HandlerGuard::close_page();
    touch_page();  // in no task at all
    EXPECT_EQ(g_faults, 3);
  }
  EXPECT_EQ(action_of(SIGSEGV).sa_sigaction, open_page);
}

void call_ours(int sig, siginfo_t* info, void* context);
struct sigaction g_below;
void call_ours(int sig, siginfo_t* info, void* context) {
  g_below.sa_sigaction(sig, info, context);
}

TEST(sched_stack_overflow, a_handler_put_above_stays) {
  HandlerGuard guard;
  RuntimePtr rt = make_runtime(plain());
  rt->run([](Mutator&) {});
  struct sigaction above {};
  above.sa_sigaction = call_ours;
  above.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigaction(SIGSEGV, &above, &g_below);
  rt.reset();
  EXPECT_EQ(action_of(SIGSEGV).sa_sigaction, call_ours);
  touch_page();
  EXPECT_EQ(g_faults, 1);
  // And is not put in twice: it would call itself for ever.
  RuntimePtr again = make_runtime(plain());
  again->run([](Mutator&) {});
  EXPECT_EQ(action_of(SIGSEGV).sa_sigaction, call_ours);
  HandlerGuard::close_page();
  touch_page();
  EXPECT_EQ(g_faults, 2);
  sigaction(SIGSEGV, &g_below, nullptr);
}

TEST(sched_stack_overflow, none_where_it_is_off) {
  const auto before = action_of(SIGSEGV).sa_sigaction;
  Options o = plain();
  o.catch_stack_overflow = false;
  run_it(o, [before](Mutator&) {
    EXPECT_EQ(action_of(SIGSEGV).sa_sigaction, before);
  });
}

// A thread of the program has its own alternate stack, or none, afterwards.
TEST(sched_stack_overflow, alternate_stacks_are_given_back) {
  std::thread([] {
    stack_t own{};
    static char memory[1 << 16];
    own.ss_sp = memory;
    own.ss_size = sizeof(memory);
    sigaltstack(&own, nullptr);
    run_it(plain(), [](Mutator&) {});
    stack_t now{};
    sigaltstack(nullptr, &now);
    EXPECT_EQ(now.ss_sp, memory);
    own.ss_flags = SS_DISABLE;
    sigaltstack(&own, nullptr);
    run_it(plain(), [](Mutator&) {});
    sigaltstack(nullptr, &now);
    EXPECT_NE(now.ss_flags & SS_DISABLE, 0);
  }).join();
}

}  // namespace
}  // namespace tricolor::testing
