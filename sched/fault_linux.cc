// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// See sched/fault.h.
//
// What a thread runs is known from its M, and the fault's address says whether
// it has come to the end of that stack: nothing is looked up that another
// thread might change. A switch of stacks names the new G current while it is
// still on the old one's stack, so that one (made_way) is looked at, too.
#include "sched/fault.h"

#include <pthread.h>
#include <sys/auxv.h>
#include <ucontext.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "base/errno_saver.h"
#include "base/fatal.h"
#include "sched/backtrace.h"
#include "sched/runtime.h"
#include "sched/tls.h"
#include "tricolor/stack_overflow.h"

namespace tricolor::sched {
namespace {

constexpr int kSignals[] = {SIGSEGV, SIGBUS};
constexpr size_t kSignalCount = 2;

// For the report, and the embedder's handler behind it.
constexpr size_t kAltStackBytes = size_t{64} << 10;

struct Handlers {
  pthread_mutex_t lock;
  // Guarded by lock.
  uint32_t users;  ///< runtimes
  bool installed;
  /// Written before ours is installed, and not again while it may run.
  struct sigaction before[kSignalCount];
};
constinit Handlers g_handlers = {PTHREAD_MUTEX_INITIALIZER, 0, false, {}};

void on_fault(int sig, siginfo_t* info, void* context);

bool is_ours(const struct sigaction& action) {
  return (action.sa_flags & SA_SIGINFO) != 0 && action.sa_sigaction == on_fault;
}

bool touches_guard(const G* g, const char* address) {
  if (g == nullptr || g->stack == nullptr) return false;
  const char* lo = g->stack->lo;
  return address >= lo && address < lo + g->rt->stacks.guard_bytes();
}

// The G of this thread whose guard has been touched; null: none.
G* overflown(const char* address) {
  for (const M* m = current_m(); m != nullptr; m = m->outer) {
    if (touches_guard(m->made_way, address)) return m->made_way;
    for (G* g = m->curg; g != nullptr; g = g->resumer) {
      if (touches_guard(g, address)) return g;
      if (g->kind != GKind::kCoroutine) break;
    }
  }
  return nullptr;
}

void report(G* g, const StackOverflow& overflow, const ucontext_t* context) {
  base::FatalSink sink(STDERR_FILENO);
  sink.print(
      "tricolor: stack overflow: %s %lu%s%s has used up its native "
      "stack of %zu KiB\n",
      g->kind == GKind::kCoroutine ? "coroutine" : "task",
      static_cast<unsigned long>(overflow.task_id),
      overflow.name[0] == '\0' ? "" : " ", overflow.name,
      overflow.stack_bytes / 1024);
  sink.print(
      "give it more by %s::stack_bytes or Options::stack_bytes, call "
      "what needs a deep stack by on_system_stack, or recurse less; it "
      "was at\n",
      g->kind == GKind::kCoroutine ? "CoroutineOptions" : "SpawnOptions");
  const auto* registers = context->uc_mcontext.gregs;
  const char* sp = reinterpret_cast<const char*>(registers[REG_RSP]);
  const char* lowest = g->stack->lo + g->rt->stacks.guard_bytes();
  if (sp < lowest) sp = lowest;
  uintptr_t frames[kMaxFrames];
  const size_t n = backtrace_running(reinterpret_cast<uintptr_t>(overflow.pc),
                                     sp, g->stack, frames);
  print_frames(sink, frames, n, Symbols::kYes);
  sink.flush();
}

void pass_on(int sig, siginfo_t* info, void* context) {
  const struct sigaction& before =
      g_handlers.before[sig == kSignals[0] ? 0 : 1];
  if ((before.sa_flags & SA_SIGINFO) != 0) {
    before.sa_sigaction(sig, info, context);
    return;
  }
  const bool sent = info->si_code <= 0;  // by kill() and the like
  if (before.sa_handler == SIG_IGN && sent) return;
  if (before.sa_handler != SIG_DFL && before.sa_handler != SIG_IGN) {
    before.sa_handler(sig);
    return;
  }
  // The instruction is tried again and faults again; what was sent is sent
  // again, and comes when this returns.
  signal(sig, SIG_DFL);
  if (sent) raise(sig);
}

void on_fault(int sig, siginfo_t* info, void* context) {
  const base::ErrnoSaver saver;
  const auto* address = static_cast<const char*>(info->si_addr);
  G* g = info->si_code > 0 ? overflown(address) : nullptr;
  if (g != nullptr) {
    const auto* user = static_cast<const ucontext_t*>(context);
    StackOverflow overflow{};
    overflow.task_id = g->id.load_relaxed();
    overflow.name = g_name(g);
    overflow.stack_bytes =
        stacks::StackPool::native_class_bytes(g->stack->klass);
    overflow.address = address;
    overflow.pc =
        reinterpret_cast<const void*>(user->uc_mcontext.gregs[REG_RIP]);
    overflow.context = context;
    report(g, overflow, user);
    const Options& options = g->rt->settings.options;
    if (options.on_stack_overflow != nullptr) {
      options.on_stack_overflow(*api_of(g->rt), overflow,
                                options.on_stack_overflow_ctx);
    }
  }
  pass_on(sig, info, context);
}

void install() {
  struct sigaction action {};
  action.sa_sigaction = on_fault;
  // Others may come meanwhile: the process goes on, if ours is not the cause.
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
  sigemptyset(&action.sa_mask);
  for (size_t i = 0; i < kSignalCount; i++) {
    sigaction(kSignals[i], nullptr, &g_handlers.before[i]);
    sigaction(kSignals[i], &action, nullptr);
  }
  g_handlers.installed = true;
}

// One that is no longer on top stays: whoever is above it calls it.
void uninstall() {
  struct sigaction now[kSignalCount];
  for (size_t i = 0; i < kSignalCount; i++) {
    sigaction(kSignals[i], nullptr, &now[i]);
    if (!is_ours(now[i])) return;
  }
  for (size_t i = 0; i < kSignalCount; i++) {
    sigaction(kSignals[i], &g_handlers.before[i], nullptr);
  }
  g_handlers.installed = false;
}

void count_user(RuntimeImpl* rt) {
  // Relaxed: the lock orders the rest.
  if (rt->catches_faults.load_relaxed() != 0) return;
  if (rt->catches_faults.exchange_acq_rel(1) != 0) return;
  pthread_mutex_lock(&g_handlers.lock);
  g_handlers.users++;
  if (!g_handlers.installed) install();
  pthread_mutex_unlock(&g_handlers.lock);
}

bool has_alt_stack() {
  stack_t now{};
  return sigaltstack(nullptr, &now) == 0 && (now.ss_flags & SS_DISABLE) == 0;
}

}  // namespace

void begin_fault_handling(M* m) {
  RuntimeImpl* rt = m->rt;
  if (TRI_SIM || !rt->settings.options.catch_stack_overflow) return;
  count_user(rt);
  if (m->alt_stack_on || has_alt_stack()) return;
  const size_t bytes = kAltStackBytes + getauxval(AT_MINSIGSTKSZ);
  if (m->alt_stack == nullptr) {  // the M keeps it: it is used again
    m->alt_stack = static_cast<char*>(rt->meta.alloc(bytes, 64));
    if (m->alt_stack == nullptr) return;  // then the system reports a fault
  }
  stack_t alt{};
  alt.ss_sp = m->alt_stack;
  alt.ss_size = bytes;
  m->alt_stack_on = sigaltstack(&alt, nullptr) == 0;
}

void end_fault_handling(M* m) {
  if (!m->alt_stack_on) return;
  stack_t off{};
  off.ss_flags = SS_DISABLE;
  stack_t now{};
  // Somebody may have put another one there meanwhile, and keeps it.
  if (sigaltstack(nullptr, &now) == 0 && now.ss_sp == m->alt_stack) {
    sigaltstack(&off, nullptr);
  }
  m->alt_stack_on = false;
}

void drop_fault_handler(RuntimeImpl* rt) {
  if (rt->catches_faults.load_relaxed() == 0) return;
  pthread_mutex_lock(&g_handlers.lock);
  if (--g_handlers.users == 0 && g_handlers.installed) uninstall();
  pthread_mutex_unlock(&g_handlers.lock);
}

}  // namespace tricolor::sched
