// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Attached threads: an M, a G that runs on the thread's own stack, and a P that
// is never lent to others. Such a P exists only while its thread is attached,
// or waits, spare, for the next one. Coming and going excludes world
// operations by their lock, so that none of them meets half a P.
#include "base/check.h"
#include "sched/company.h"
#include "sched/native_stack.h"
#include "sched/runtime.h"
#include "sched/thread.h"
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
  TRI_ASSERT(g->modes.depth() == 0);
  g->outcome = Outcome::kValue;
  g->joiner.store_relaxed(kJoinDetached);
  g->cancelled.store_relaxed(0);
  g->id.store_relaxed(m->rt->next_task_id.fetch_add_relaxed(1));
  stacks::context_adopt_thread(&g->fiber.context);
  m->curg = g;
  m->p = p;
  m->attached_g = g;
  m->attach_depth = 1;
  p->curg.store_release(g);
  // No frames so far: native code holds no cells.
  g->frames.store_relaxed(m->stack.hi);
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

void detach_last(RuntimeImpl* rt, M* m);

void end_attached(M* m) {
  G* g = m->attached_g;
  if (g_state(g) == GState::kRunning) {
    stacks::spill_call([g](char* sp) {
      save_frame(g, reinterpret_cast<const stacks::SpillFrame*>(sp));
      enter_native_current(g);
    });
  }
  g->modes.clear(&m->rt->shadow);
  detach_last(m->rt, m);
}

// The thread of `m` ends attached. Its destructors of thread-specific data may
// be those that detach it, so two rounds are left to them; not the last one, in
// which a sanitizer forgets the thread. One that has attached to another
// runtime since has not left that either.
void on_thread_end(void* value) {
  auto* m = static_cast<M*>(value);
  if (m->exit_rounds++ < kKeyRounds - 2) {
    set_thread_value(m->rt->exit_key, m);
    return;
  }
  while (current_m() != m && current_m()->kind == MKind::kAttached) {
    end_attached(current_m());
  }
  end_attached(m);
}

void note_attached(RuntimeImpl* rt, M* m) {
  rt->world.lock.assert_held();
  if (!rt->exit_key_tried) {
    rt->exit_key_tried = true;
    rt->has_exit_key = make_thread_key(&rt->exit_key, on_thread_end);
  }
  m->exit_rounds = 0;
  if (rt->has_exit_key) set_thread_value(rt->exit_key, m);
}

// All or nothing.
Mutator* attach_new(RuntimeImpl* rt, Error* error,
                    const stacks::SpillFrame* frame) {
  M* m = new_m(rt, MKind::kAttached);
  if (m == nullptr) {
    explain(rt, error);
    return nullptr;
  }
  push_m(m, frame);
  find_thread_stack(m);
  {
    base::LockGuard guard(rt->world.lock);
    P* p = get_attached_p(rt);
    const bool ready = p != nullptr && rt->heap->mcache_prepare(p);
    G* g = ready ? rt->gs.get(p) : nullptr;
    if (g != nullptr) {
      add_company(rt);
      begin_attached_g(m, g, p);
      rt->attached_threads.fetch_add_relaxed(1);
      note_attached(rt, m);
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
  if (g->modes.depth() != 0) {
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
    drop_company(rt);
    if (rt->has_exit_key) set_thread_value(rt->exit_key, nullptr);
  }
  pop_m(m);
  free_m(rt, m);
  look_for_deadlock(rt);
}

Mutator* try_attach(RuntimeImpl* rt, Error* error,
                    const stacks::SpillFrame* frame) {
  M* m = current_m_of(rt);
  if (m != nullptr && m->curg != nullptr) {
    // Attached already, or inside a task: that one's Mutator.
    if (m->kind == MKind::kAttached) m->attach_depth++;
    return &m->curg->mu;
  }
  // It would wait for itself in the next stop.
  if (m != nullptr && m->p != nullptr) {
    TRI_MISUSE("AttachScope, or a call that attaches",
               "made by a thread of the runtime between two tasks, from a "
               "Timer's function, a trace function or a listener: spawn a task "
               "that does it, or wake one");
  }
  return attach_new(rt, error, frame);
}

}  // namespace
}  // namespace tricolor::sched

using tricolor::Error;
using tricolor::stacks::SpillFrame;

extern "C" {

// Called by sched/native_x86_64.S.
__attribute__((visibility("hidden"), used)) tri_mutator* tri_attach_spilled(
    tri_runtime* rt, const SpillFrame* frame);
__attribute__((visibility("hidden"), used)) tri_mutator* tri_try_attach_spilled(
    tri_runtime* rt, tri_error* error, const SpillFrame* frame);

tri_mutator* tri_attach_spilled(tri_runtime* api, const SpillFrame* frame) {
  Error error;
  auto* rt = reinterpret_cast<tricolor::RuntimeImpl*>(api);
  tri_mutator* mu = tricolor::sched::try_attach(rt, &error, frame);
  if (mu != nullptr) return mu;
  if (error.code == tricolor::ErrorCode::kLimit) {
    TRI_MISUSE("AttachScope", "%s; or ask for an Error", error.text);
  }
  TRI_NO_MEMORY("what another attached thread needs");
}

tri_mutator* tri_try_attach_spilled(tri_runtime* api, tri_error* error,
                                    const SpillFrame* frame) {
  auto* rt = reinterpret_cast<tricolor::RuntimeImpl*>(api);
  return tricolor::sched::try_attach(rt, reinterpret_cast<Error*>(error),
                                     frame);
}

void tri_detach_thread(tri_runtime* api, tri_mutator*) {
  auto* rt = reinterpret_cast<tricolor::RuntimeImpl*>(api);
  tricolor::sched::M* m = tricolor::sched::current_m_of(rt);
  if (m == nullptr) {
    TRI_MISUSE("AttachScope, tri_detach_thread",
               "this thread is not attached to this runtime");
  }
  if (m->kind != tricolor::sched::MKind::kAttached) return;  // a task's
  if (--m->attach_depth == 0) tricolor::sched::detach_last(rt, m);
}

}  // extern "C"
