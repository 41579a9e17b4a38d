// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// See sched/async.h.
//
// Why a call may be injected where the handler allows it. The interrupted
// instruction lies in a registered range, so it is none of ours, of libc's or
// of the dynamic linker's: no lock of theirs is held by this frame, and none of
// our sequences (allocation, barrier, switch) is under way. Frames below it may
// be ours only where we call the embedder back; P::callback says so.
//
// Why the collector may look at it then. From `lowest` on the stack holds every
// register of the interrupted code and its red zone; G::frames says so before
// the G's state can. It is scanned as with Options::conservative_stacks, beside
// its shadow stack, as often as it stops here in a cycle that has not scanned
// it before.
//
// Compiled code goes on on its thread, since it may hold the address of a
// thread-local variable: while it waits to go on the M is locked to it, as by
// lock_os_thread().
#include <dlfcn.h>
#include <pthread.h>
#include <sched.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "base/check.h"
#include "base/errno_saver.h"
#include "heap/callback.h"
#include "sched/async.h"
#include "sched/native_stack.h"
#include "sched/runtime.h"
#include "sched/tls.h"
#include "stacks/injected_call.h"

extern "C" {
extern decltype(dladdr) dladdr __attribute__((weak));
}

namespace tricolor::sched {
namespace {

constexpr int kLastSignal = 64;
// For what the scheduler calls on the preempted stack.
constexpr size_t kRoomBytes = 8 << 10;

struct Handlers {
  pthread_mutex_t lock;
  // Guarded by lock.
  uint32_t users[kLastSignal + 1];  ///< runtimes
  struct sigaction before[kLastSignal + 1];
};
constinit Handlers g_handlers = {PTHREAD_MUTEX_INITIALIZER, {}, {}};

int signal_of(const RuntimeImpl* rt) {
  return rt->settings.options.preempt_signal;
}
bool is_off(const RuntimeImpl* rt) {
  return TRI_TSAN || TRI_SIM || signal_of(rt) == 0;
}

void attend(M* m, G* g, bool on_any_thread);

// On the stack of the interrupted code.
TRI_NO_SANITIZE_ADDRESS void on_injected(stacks::InjectedFrame* frame,
                                         char* lowest) {
  const int error = errno;
  M* m = current_m();
  G* g = m->curg;
  const CodeRanges::Range* range = m->rt->code.find(frame->pc);
  const bool on_any_thread =
      range != nullptr && range->kind.load_relaxed() == CodeKind::kTlsFree;
  char* outer = g->frames.load_relaxed();
  // ORDER-frames-1: pairs with native_roots(): the registers come first.
  g->frames.store_release(lowest);
  g->async_stopped = true;
  attend(m, g, on_any_thread);
  g->async_stopped = false;
  // ORDER-frames-1: as above.
  g->frames.store_release(outer);
  if (!on_any_thread) errno = error;
}

bool try_lock_to(M* m, G* g) {
  Scheduler& s = m->rt->sched;
  G* task = task_of(g);
  if (s.thread_limit == 0 || m->no_wait || m->locked_g != nullptr) return false;
  const uint32_t before = s.locked_gs.fetch_add_relaxed(1);
  if (s.thread_limit > 0 && before + (has_sysmon(s) ? 1 : 0) >=
                                static_cast<uint32_t>(s.thread_limit)) {
    s.locked_gs.fetch_sub_relaxed(1);
    return false;
  }
  task->locked_m = m;
  m->locked_g = g;
  return true;
}

void unlock_from(M* m, G* g) {
  task_of(g)->locked_m = nullptr;
  m->locked_g = nullptr;
  m->rt->sched.locked_gs.fetch_sub_relaxed(1);
  if (should_leave(m)) request_and_poke(p_of(&g->mu), gc::kRequestPreempt);
}

template <After kAfter>
void make_way(M* m, G* g, bool on_any_thread) {
  if (on_any_thread || m->locked_g == g || m->locked_g == task_of(g)) {
    leave_for_next<kAfter>(g);
  } else if (try_lock_to(m, g)) {
    leave_for_next<kAfter>(g);
    unlock_from(g->m, g);
  }
}

// What tri_detail_poll_slow() does.
void attend(M* m, G* g, bool on_any_thread) {
  TRI_SCHED_POINT(async_preempt);
  __atomic_exchange_n(&g->mu.poll_request, 0, __ATOMIC_SEQ_CST);
  attend_current(g);
  P* p = p_of(&g->mu);
  if ((p->request.load_relaxed() & gc::kRequestPreempt) == 0) return;
  // ORDER-preempt-1: pairs with request_and_poke(): sees why it was asked.
  const uint32_t request = p->request.fetch_and_acquire(~kPreemptBits);
  if (m->kind == MKind::kAttached) return;
  if ((request & gc::kRequestSlice) != 0) {
    make_way<After::kSpent>(m, g, on_any_thread);
  } else {
    make_way<After::kPreempt>(m, g, on_any_thread);
  }
}

bool has_room(const G* g, const M* m, const char* sp) {
  const size_t need = stacks::injected_frame_bytes() + kRoomBytes;
  const char* lo = nullptr;
  const char* hi = nullptr;
  if (g->kind == GKind::kAttached) {
    lo = m->stack.lo;
    hi = m->stack.hi;
  } else if (g->stack != nullptr) {
    lo = g->stack->lo + g->rt->stacks.guard_bytes();
    hi = g->stack->top();
  }
  return hi != nullptr && sp > lo && sp<hi&& static_cast<size_t>(sp - lo)> need;
}

// In the handler, on the thread of `m`.
void preempt_if_asked(M* m, void* context) {
  const G* g = m->curg;
  const P* p = m->p;
  if (g == nullptr || p == nullptr || g->mu.p == nullptr) return;
  if (p->request.load_relaxed() == 0 || p->callback != nullptr) return;
  if (g->on_system_stack || g->async_stopped) return;
  if (g_state(g) != GState::kRunning) return;
  const greg_t* registers =
      static_cast<ucontext_t*>(context)->uc_mcontext.gregs;
  if (m->rt->code.find(static_cast<uintptr_t>(registers[REG_RIP])) == nullptr) {
    return;
  }
  if (!has_room(g, m, reinterpret_cast<const char*>(registers[REG_RSP]))) {
    return;
  }
  stacks::inject_call(context, on_injected);
}

void pass_on(int sig, siginfo_t* info, void* context) {
  const struct sigaction& before = g_handlers.before[sig];
  if ((before.sa_flags & SA_SIGINFO) != 0) {
    before.sa_sigaction(sig, info, context);
  } else if (before.sa_handler != SIG_DFL && before.sa_handler != SIG_IGN) {
    before.sa_handler(sig);
  }
}

void on_preempt(int sig, siginfo_t* info, void* context) {
  const base::ErrnoSaver saver;
  bool ours = false;
  M* innermost = current_m();
  for (M* m = innermost; m != nullptr; m = m->outer) {
    if (signal_of(m->rt) != sig) continue;
    uint32_t pending = kSignalPending;
    // ORDER-signal-1: pairs with signal_p() and close_signals().
    if (!m->signal.compare_exchange_strong_acq_rel(pending, kSignalsOpen)) {
      continue;
    }
    ours = true;
    if (m == innermost) preempt_if_asked(m, context);
  }
  if (!ours) pass_on(sig, info, context);
}

void install(int sig) {
  pthread_mutex_lock(&g_handlers.lock);
  if (g_handlers.users[sig]++ == 0) {
    struct sigaction now {};
    sigaction(sig, nullptr, &now);
    const bool there =
        (now.sa_flags & SA_SIGINFO) != 0 && now.sa_sigaction == on_preempt;
    if (!there) {
      g_handlers.before[sig] = now;
      struct sigaction action {};
      action.sa_sigaction = on_preempt;
      action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
      sigfillset(&action.sa_mask);
      sigaction(sig, &action, nullptr);
    }
  }
  pthread_mutex_unlock(&g_handlers.lock);
}

void uninstall(int sig) {
  pthread_mutex_lock(&g_handlers.lock);
  if (--g_handlers.users[sig] == 0) {
    struct sigaction now {};
    sigaction(sig, nullptr, &now);
    // Whoever has come above ours calls it.
    if ((now.sa_flags & SA_SIGINFO) != 0 && now.sa_sigaction == on_preempt) {
      sigaction(sig, &g_handlers.before[sig], nullptr);
    }
  }
  pthread_mutex_unlock(&g_handlers.lock);
}

void unblock(int sig) {
  sigset_t one;
  sigemptyset(&one);
  sigaddset(&one, sig);
  pthread_sigmask(SIG_UNBLOCK, &one, nullptr);
}

}  // namespace

const CodeRanges::Range* CodeRanges::find(uintptr_t pc) const {
  // ORDER-code-1: pairs with add_preemptible_range().
  const uint32_t n = count.load_acquire();
  for (uint32_t i = 0; i < n; i++) {
    const Range& r = ranges[i];
    const uintptr_t hi = r.hi.load_acquire();
    if (pc >= hi || pc < r.lo.load_acquire()) continue;
    // ORDER-code-1: pairs with add_preemptible_range(): hi is 0 before a lo of
    // another range can be seen, so these two belong together.
    if (r.hi.load_relaxed() == hi) return &r;
  }
  return nullptr;
}

void open_signals(M* m) {
  if (is_off(m->rt)) return;
  // A thread of ours came with all of them blocked.
  if (m->kind == MKind::kWorker) unblock(signal_of(m->rt));
  m->tid = static_cast<int>(syscall(SYS_gettid));
  // ORDER-signal-1: pairs with signal_p(): publishes the tid.
  m->signal.store_release(kSignalsOpen);
}

void close_signals(M* m) {
  for (;;) {
    uint32_t open = kSignalsOpen;
    // ORDER-signal-1: pairs with on_preempt().
    if (m->signal.compare_exchange_strong_acq_rel(open, kSignalsClosed)) return;
    if (open == kSignalsClosed) return;
    // On its way, or held up by the program's mask.
    unblock(signal_of(m->rt));
    sched_yield();
  }
}

void signal_p(P* p) {
  RuntimeImpl* rt = p->rt;
  if (TRI_LIKELY(!rt->code.has_handler.load_acquire()) || is_off(rt)) return;
  // ORDER-curg-1: pairs with make_current() and install_g().
  const G* g = p->curg.load_acquire();
  if (g == nullptr || g_state(g) != GState::kRunning) return;
  // It may have moved on: then the signal finds nothing to do.
  M* m = base::load_relaxed(&g->m);
  uint32_t open = kSignalsOpen;
  // ORDER-signal-1: pairs with open_signals(): sees the tid.
  if (m == nullptr ||
      !m->signal.compare_exchange_strong_acq_rel(open, kSignalPending)) {
    return;
  }
  syscall(SYS_tgkill, getpid(), m->tid, signal_of(rt));
}

void drop_signal_handler(RuntimeImpl* rt) {
  if (rt->code.has_handler.load_relaxed()) uninstall(signal_of(rt));
}

}  // namespace tricolor::sched

namespace tricolor {

using sched::CodeRanges;

bool add_preemptible_range(Runtime& api, const void* lo, const void* hi,
                           CodeKind kind, Error* error) {
  RuntimeImpl* rt = impl_of(api);
  CodeRanges& code = rt->code;
  const auto from = reinterpret_cast<uintptr_t>(lo);
  const auto to = reinterpret_cast<uintptr_t>(hi);
  if (from >= to) {
    sched::set_error(error, ErrorCode::kInvalidArgument,
                     "add_preemptible_range: [%p, %p) is empty; a program "
                     "without a TRI_PREEMPTIBLE function has no section",
                     lo, hi);
    return false;
  }
  base::LockGuard guard(code.lock);
  const uint32_t n = code.count.load_relaxed();
  CodeRanges::Range* place = nullptr;
  for (uint32_t i = 0; i < n; i++) {
    CodeRanges::Range& r = code.ranges[i];
    const uintptr_t r_lo = r.lo.load_relaxed();
    const uintptr_t r_hi = r.hi.load_relaxed();
    if (r_hi == 0) {
      place = &r;
      continue;
    }
    if (r_lo == from && r_hi == to && r.kind.load_relaxed() == kind) {
      return true;
    }
    if (from < r_hi && r_lo < to) {
      sched::set_error(error, ErrorCode::kInvalidArgument,
                       "add_preemptible_range: [%p, %p) overlaps [%p, %p)", lo,
                       hi, reinterpret_cast<void*>(r_lo),
                       reinterpret_cast<void*>(r_hi));
      return false;
    }
  }
  if (place == nullptr) {
    if (n == kMaxPreemptibleRanges) {
      sched::set_error(error, ErrorCode::kLimit,
                       "add_preemptible_range: %zu ranges are registered, and "
                       "no more can be",
                       kMaxPreemptibleRanges);
      return false;
    }
    place = &code.ranges[n];
  }
  place->kind.store_relaxed(kind);
  // ORDER-code-1: pairs with find(): the place's hi is 0 by then.
  place->lo.store_release(from);
  // ORDER-code-1: pairs with find().
  place->hi.store_release(to);
  if (place == &code.ranges[n]) code.count.store_release(n + 1);
  if (!code.has_handler.load_relaxed() && !sched::is_off(rt) &&
      stacks::can_inject_calls()) {
    sched::install(sched::signal_of(rt));
    code.has_handler.store_release(true);
  }
  return true;
}

void detail::refuse_inline_forms(const void* lo, const void* hi,
                                 const int* from, const int* to) {
  for (const int* at = from; at != to; at++) {
    const char* form = reinterpret_cast<const char*>(at) + *at;
    if (form < lo || form >= hi) continue;
    Dl_info info{};
    const bool found = dladdr != nullptr && dladdr(form, &info) != 0 &&
                       info.dli_sname != nullptr;
    TRI_MISUSE("add_preemptible_section",
               "the code at %p (%s) allocates or stores references inline: it "
               "would be preempted in the middle of that; call a function "
               "outside TRI_PREEMPTIBLE that does it",
               static_cast<const void*>(form),
               found ? info.dli_sname : "link with -rdynamic for its name");
  }
}

bool remove_preemptible_range(Runtime& api, const void* lo, const void* hi) {
  CodeRanges& code = impl_of(api)->code;
  base::LockGuard guard(code.lock);
  const uint32_t n = code.count.load_relaxed();
  for (uint32_t i = 0; i < n; i++) {
    CodeRanges::Range& r = code.ranges[i];
    if (r.lo.load_relaxed() == reinterpret_cast<uintptr_t>(lo) &&
        r.hi.load_relaxed() == reinterpret_cast<uintptr_t>(hi)) {
      r.hi.store_release(0);
      return true;
    }
  }
  return false;
}

}  // namespace tricolor
