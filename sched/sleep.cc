// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// sleep_ns, and who wakes up for a timer.
//
// The race: a timer earlier than all others is added while an M goes to sleep
// until the next one. All four accesses are seq_cst, so one side sees the
// other:
//
//   who adds                              who sleeps (plan_sleep)
//   1. Timers::next_ns = when             1. sleep_until = Timers::next_ns
//   2. reads sleep_until; later: wakes    2. reads Timers::next_ns again;
//      the sleeper, or some M                differs: starts over
#include "base/check.h"
#include "base/futex.h"
#include "sched/native_stack.h"
#include "sched/runtime.h"

namespace tricolor::sched {
namespace {

struct SleepRequest {
  RuntimeImpl* rt;
  uint64_t when_ns;
};

void wake_for_timer(RuntimeImpl* rt, uint64_t when_ns) {
  Scheduler& s = rt->sched;
  if (when_ns >= s.sleep_until.load_seq_cst()) return;
  s.lock.lock();
  M* m = s.timed_m;
  s.lock.unlock();
  if (m != nullptr) {
    wake_m(rt, m);
  } else {
    wake_p(rt);  // an idle M, if there is one, becomes the one that sleeps
  }
}

bool sleep_commit(ParkedTask task, void* ctx) {
  // Copied: as soon as the timer is in the heap the task may run and pop *ctx.
  const SleepRequest request = *static_cast<SleepRequest*>(ctx);
  if (request.rt->timers.add(request.when_ns, g_of(task))) {
    wake_for_timer(request.rt, request.when_ns);
  }
  return true;
}

// A thread on its own stack sleeps itself.
void sleep_attached(G* g, uint64_t when_ns) {
  RuntimeImpl* rt = g->rt;
  with_frames(g, [rt, g, when_ns] {
    enter_native_current(g);
    base::Atomic<uint32_t> never{0};
    for (uint64_t now = rt->clock.now_ns(); now < when_ns;
         now = rt->clock.now_ns()) {
      base::futex_wait(&never, 0, static_cast<int64_t>(when_ns - now));
    }
    leave_native_current(g);
  });
}

}  // namespace
}  // namespace tricolor::sched

namespace tricolor {

void sleep_ns(Mutator& mu, uint64_t ns) {
  if (mu.p == nullptr) TRI_MISUSE("sleep_ns", "called in native code");
  RuntimeImpl* rt = impl_of(mu);
  sched::G* g = sched::g_of(&mu);
  constexpr uint64_t kMaxNs = uint64_t{1} << 62;  // 146 years
  const uint64_t when_ns = rt->clock.now_ns() + (ns < kMaxNs ? ns : kMaxNs);
  if (g->m->kind == sched::MKind::kAttached) {
    sched::sleep_attached(g, when_ns);
    return;
  }
  sched::SleepRequest request{rt, when_ns};
  sched::park_current(mu, sched::sleep_commit, &request,
                      sched::WaitReason::kSleep);
}

}  // namespace tricolor
