// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Threads of the program that run tasks: Runtime::run and step. Such a thread
// becomes an M for a while and competes for one of the max_procs Ps; main is a
// task like any other and may end on another thread.
//
// step() without background threads: called from a task it yields until the
// budget is spent or nothing else is ready; called from an attached thread it
// lets tasks run on that thread for as long. A task is not interrupted: the
// budget is looked at between tasks.
#include "base/check.h"
#include "sched/fault.h"
#include "sched/native_stack.h"
#include "sched/runtime.h"
#include "sched/tls.h"

namespace tricolor::sched {
namespace {

struct MainCall {
  void (*fn)(Mutator&, void*);
  void* ctx;
};

void main_entry(Mutator& mu, void* plain, void**, void*) {
  const MainCall call = *static_cast<MainCall*>(plain);
  call.fn(mu, call.ctx);
}

// With an idle P at hand main starts here, and nobody is woken for it; else it
// waits like any task, and may start on another thread.
void submit_main(M* m, G* g) {
  RuntimeImpl* rt = m->rt;
  rt->sched.lock.lock();
  P* p = acquire_idle_p_locked(rt);
  rt->sched.lock.unlock();
  if (p == nullptr) {
    submit(rt, nullptr, g, /*next=*/false);
    return;
  }
  bind_p(m, p);
  GList overflow;
  TRI_CHECK(p->runq.put(g, &overflow), "an idle P with a full queue");
}

bool others_ready(RuntimeImpl* rt) {
  Scheduler& s = rt->sched;
  if (queued_globally(s) > 0) return true;
  const uint32_t n = s.max_procs.load_acquire();
  for (uint32_t i = 0; i < n; i++) {
    if (s.procs.data()[i]->runq.size() > 0) return true;
  }
  return next_timer_ns(rt) <= rt->clock.now_ns();
}

// Tasks run on this attached thread until `deadline_ns` or none is ready.
void lend_thread(RuntimeImpl* rt, G* g, uint64_t deadline_ns) {
  M* m = new_m(rt, MKind::kRunner);
  if (m == nullptr) return;
  m->no_wait = true;
  m->leave_at_ns = deadline_ns;
  with_frames(g, [rt, m, g] {
    enter_native_current(g);
    count_runner(rt, 1);
    push_m(m);
    begin_fault_handling(m);
    schedule_loop(m);
    pop_m(m);
    free_m(rt, m);
    count_runner(rt, -1);
    leave_native_current(g);
  });
}

}  // namespace

void count_runner(RuntimeImpl* rt, int n) {
  base::LockGuard guard(rt->sched.lock);
  rt->sched.runners += static_cast<uint32_t>(n);
}

void step_tasks(Mutator& mu, uint64_t deadline_ns) {
  RuntimeImpl* rt = impl_of(mu);
  G* g = g_of(&mu);
  if (rt->sched.thread_limit != 0) return;  // workers run them
  if (g->m->kind == MKind::kAttached) {
    if (others_ready(rt)) lend_thread(rt, g, deadline_ns);
    return;
  }
  while (others_ready(rt) && rt->clock.now_ns() < deadline_ns) {
    leave_for_next<After::kYield>(g);
  }
}

}  // namespace tricolor::sched

namespace tricolor {

void Runtime::run_main(void (*fn)(Mutator&, void*), void* ctx) {
  RuntimeImpl* rt = impl_of(*this);
  if (sched::current_m_of(rt) != nullptr) {
    TRI_MISUSE("Runtime::run",
               "the calling thread is attached to this runtime "
               "or runs one of its tasks: spawn instead");
  }
  sched::M* m = sched::new_m(rt, sched::MKind::kRunner);
  sched::MainCall call{fn, ctx};
  detail::SpawnRequest request;
  request.entry = sched::main_entry;
  request.plain = &call;
  request.plain_bytes = sizeof(call);
  sched::G* g = m == nullptr ? nullptr
                             : sched::make_task(rt, nullptr, request,
                                                sched::GKind::kMain);
  if (g == nullptr) {
    if (!rt->gs.is_full()) TRI_NO_MEMORY("the main task's own data");
    TRI_MISUSE("Runtime::run", "more tasks than Options::max_tasks, %zu",
               rt->settings.max_tasks);
  }
  g->main_m = m;
  g->joiner.store_relaxed(sched::kJoinDetached);
  sched::count_runner(rt, 1);
  // What the caller keeps in its variables is a root of main, and of the task
  // of another runtime that it may be inside.
  stacks::spill_call([m, g](char* sp) {
    m->run_frames = sp;
    sched::push_m(m, reinterpret_cast<stacks::SpillFrame*>(sp));
    sched::find_thread_stack(m);
    sched::begin_fault_handling(m);
    sched::submit_main(m, g);
    sched::schedule_loop(m);
    sched::pop_m(m);
  });
  sched::free_m(rt, m);
  sched::count_runner(rt, -1);
  sched::look_for_deadlock(rt);
}

}  // namespace tricolor
