// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Attached threads: an M, a G that runs on the thread's own stack, and a P that
// is never lent to others. Such a P exists only while its thread is attached,
// or waits, spare, for the next one. Coming and going excludes world
// operations by their lock, so that none of them meets half a P.
#include "base/check.h"
#include "sched/runtime.h"
#include "sched/tls.h"
#include "tricolor/error.h"
#include "tricolor/thread.h"

namespace tricolor::sched {
namespace {

// A spare P or a new one; null when memory or kMaxAllPs is reached.
P* get_attached_p(RuntimeImpl* rt) {
  P* p = rt->spare_ps;
  if (p == nullptr) return make_p(rt, /*attached=*/true);
  rt->spare_ps = p->link;
  p->link = nullptr;
  return p;
}

void put_attached_p(RuntimeImpl* rt, P* p) {
  p->link = rt->spare_ps;
  rt->spare_ps = p;
}

// The G of the calling thread, in native code on p.
void begin_attached_g(M* m, G* g, P* p) {
  g->kind = GKind::kAttached;
  g->started = true;
  g->m = m;
  g->mode_depth = 0;
  g->joiner.store_relaxed(kJoinDetached);
  g->id.store_relaxed(m->rt->next_task_id.fetch_add_relaxed(1));
  stacks::context_adopt_thread(&g->fiber.context);
  m->curg = g;
  m->p = p;
  m->attached_g = g;
  m->attach_depth = 1;
  p->curg.store_release(g);
  m->rt->collector->on_g_born(p, g);
  unbind_mutator(g);  // native until a ManagedScope
  g->native_p = p;
  set_state(g, GState::kIdle, GState::kNative);
  set_p_state(p, PState::kIdle, PState::kNative);
  g->native_word = p->status.load_relaxed();
}

// Why there is no P or no G.
void explain(RuntimeImpl* rt, Error* error) {
  if (rt->sched.all_p_count.load_relaxed() == kMaxAllPs) {
    set_error(error, ErrorCode::kLimit,
              "%u threads are attached or run tasks: no more can be",
              kMaxAllPs);
  } else if (rt->gs.is_full()) {
    set_error(error, ErrorCode::kLimit,
              "Options::max_tasks is %zu, and as many tasks, coroutines and "
              "attached threads exist",
              rt->settings.max_tasks);
  } else {
    set_error(error, ErrorCode::kOutOfMemory,
              "the OS refuses memory for another attached thread");
  }
}

// All or nothing.
Mutator* attach_new(RuntimeImpl* rt, Error* error) {
  M* m = new_m(rt, MKind::kAttached);
  if (m == nullptr) {
    explain(rt, error);
    return nullptr;
  }
  push_m(m);
  {
    base::LockGuard guard(rt->world.lock);
    P* p = get_attached_p(rt);
    G* g = p == nullptr ? nullptr : rt->gs.get(p);
    if (g != nullptr) {
      begin_attached_g(m, g, p);
      rt->attached_threads.fetch_add_relaxed(1);
      return &g->mu;
    }
    explain(rt, error);
    if (p != nullptr) put_attached_p(rt, p);
  }
  pop_m(m);
  free_m(rt, m);
  return nullptr;
}

void detach_last(RuntimeImpl* rt, M* m) {
  G* g = m->attached_g;
  P* p = m->p;
  if (current_m() != m) {
    TRI_MISUSE("AttachScope",
               "this thread attached to another runtime after "
               "this one, and has not detached from it");
  }
  if (g->mode_depth != 0) {
    TRI_MISUSE("AttachScope", "it ends inside a ManagedScope");
  }
  {
    base::LockGuard guard(rt->world.lock);
    TRI_CHECK(try_leave_native_p(p, g->native_word, PState::kIdle, true));
    p->curg.store_relaxed(nullptr);
    leave_state_slow(g, GState::kNative, GState::kDead);
    m->curg = nullptr;
    m->p = nullptr;
    m->attached_g = nullptr;
    strip_g(rt, p, g);
    free_g(rt, p, g);
    put_attached_p(rt, p);
    rt->attached_threads.fetch_sub_relaxed(1);
  }
  pop_m(m);
  free_m(rt, m);
}

}  // namespace
}  // namespace tricolor::sched

namespace tricolor::detail {

Mutator* attach_thread(Runtime& api) {
  Error error;
  Mutator* mu = try_attach_thread(api, &error);
  if (mu != nullptr) return mu;
  if (error.code == ErrorCode::kLimit) {
    TRI_MISUSE("AttachScope", "%s; or ask for an Error", error.text);
  }
  TRI_NO_MEMORY("what another attached thread needs");
}

Mutator* try_attach_thread(Runtime& api, Error* error) {
  RuntimeImpl* rt = impl_of(api);
  sched::M* m = sched::current_m_of(rt);
  if (m != nullptr && m->curg != nullptr) {
    // Attached already, or inside a task: that one's Mutator.
    if (m->kind == sched::MKind::kAttached) m->attach_depth++;
    return &m->curg->mu;
  }
  return sched::attach_new(rt, error);
}

void detach_thread(Runtime& api, Mutator* mu) {
  RuntimeImpl* rt = impl_of(api);
  sched::M* m = sched::current_m_of(rt);
  TRI_CHECK(m != nullptr);
  if (m->kind != sched::MKind::kAttached) return;  // a task's
  (void)mu;
  if (--m->attach_depth == 0) sched::detach_last(rt, m);
}

}  // namespace tricolor::detail
