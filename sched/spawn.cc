// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// The two ends of a task: spawn and exit.
#include <cstring>

#include "base/check.h"
#include "base/sched_point.h"
#include "sched/coroutine.h"
#include "sched/native_stack.h"
#include "sched/quick.h"
#include "sched/runtime.h"

namespace tricolor::sched {
namespace {

constexpr uint64_t kIdBatch = 16;

uint64_t next_id(RuntimeImpl* rt, P* p) {
  if (p == nullptr) return rt->next_task_id.fetch_add_relaxed(1);
  if (p->next_id == p->end_id) {
    p->next_id = rt->next_task_id.fetch_add_relaxed(kIdBatch);
    p->end_id = p->next_id + kIdBatch;
  }
  return p->next_id++;
}

void add_owner(base::Atomic<uint64_t>* counter, uint64_t n) {
  counter->store_relaxed(counter->load_relaxed() + n);
}

void fiber_entry(void* arg) {
  G* g = static_cast<G*>(arg);
  begin_on_stack(g);
  enter_fiber_body(g);
}

// run() waits for this: its thread leaves the scheduler at the next chance.
void finish_main(RuntimeImpl* rt, M* here, M* waiter) {
  // ORDER-leave-1: pairs with should_leave(): publishes what main did.
  waiter->leave.store_release(true);
  if (waiter == here) return;
  const uint32_t n = rt->sched.max_procs.load_acquire();
  for (uint32_t i = 0; i < n; i++) {
    P* p = rt->sched.procs.data()[i];
    if (p != here->p) request_and_poke(p, gc::kRequestPreempt);
  }
  wake_m(rt, waiter);
}

}  // namespace

// Where a task begins and ends, on its own stack, and the next one after it on
// the same.
void task_main(G* g) {
  alignas(16) unsigned char plain[detail::kSpawnPlainBytesMax];
  for (;;) {
    if (g->plain_chunks != 0) {
      const auto* waits = static_cast<const unsigned char*>(spawned_plain(g));
      for (size_t i = 0; i < g->plain_chunks; i++) {
        std::memcpy(plain + i * kPlainChunk, waits + i * kPlainChunk,
                    kPlainChunk);
      }
      g->plain_chunks = 0;
    } else if (scans_native_stacks(g->rt)) {
      std::memset(plain, 0, sizeof(plain));  // of the task before
    }
    g->entry(g->mu, plain, g->inline_slots + 1, g->result);
    if (g->modes.depth() != 0) {
      TRI_MISUSE("spawn", "a task returned inside a NativeScope");
    }
    settle_result(g);
    g = end_for_next(g, /*returned=*/true);
  }
}

bool prepare_stack(RuntimeImpl* rt, P* p, G* g, stacks::Refusal* refusal) {
  TRI_ASSERT(g->stack == nullptr);
  if (p != nullptr && g->stack_class == rt->stacks.default_class()) {
    g->stack = p->stack_cache.get(&rt->stacks, refusal);
  } else {
    g->stack = rt->stacks.get_native(g->stack_class, refusal);
  }
  if (g->stack == nullptr) return false;
  g->fiber.eh = EhGlobals{};
  stacks::context_init(&g->fiber.context,
                       g->stack->lo + rt->stacks.guard_bytes(), g->stack->top(),
                       &g->stack->contexts, fiber_entry, g);
  return true;
}

G* make_task(RuntimeImpl* rt, P* p, const detail::SpawnRequest& request,
             GKind kind) {
  TRI_CHECK(request.plain_bytes <= detail::kSpawnPlainBytesMax &&
            request.root_count <= detail::kSpawnRootsMax);
  const uint32_t klass = rt->stacks.native_class(request.stack_bytes);
  if (klass == stacks::kNoClass) {
    TRI_MISUSE("spawn", "a stack of %zu bytes: at most %zu",
               request.stack_bytes, stacks::kMaxNativeBytes);
  }
  if (rt->gs.has_collected()) reap_coroutines(rt, p, kReapedAtOnce);
  G* g = rt->gs.get(p);
  if (g == nullptr) return nullptr;
  g->kind = kind;
  g->started = false;
  g->result_is_cell = request.result_is_cell;
  g->outcome = Outcome::kValue;
  g->stack_class = klass;
  g->entry = request.entry;
  g->plain_chunks = static_cast<uint8_t>(
      (request.plain_bytes + kPlainChunk - 1) / kPlainChunk);
  g->result[0] = 0;
  g->result[1] = 0;
  if (request.plain_bytes > 0) {
    std::memcpy(spawned_plain(g), request.plain, request.plain_bytes);
  }
  for (size_t i = 0; i < request.root_count; i++) {
    g->inline_slots[1 + i] = request.roots[i];
  }
  g->mu.shadow_top = g->inline_slots + 1 + request.root_count;
  g->id.store_relaxed(next_id(rt, p));
  g->joiner.store_relaxed(kJoinNone);
  g->cancelled.store_relaxed(0);
  if (p != nullptr) {
    rt->collector->on_g_born(p, g);
    add_owner(&p->tasks_begun, 1);
  }
  if (request.name != nullptr) set_name(g, request.name);
  set_state(g, GState::kIdle, GState::kRunnable);
  return g;
}

void strip_g(RuntimeImpl* rt, P* p, G* g) {
  if (g->stack != nullptr) {
    if (p != nullptr) {
      p->stack_cache.put(&rt->stacks, g->stack);
    } else {
      rt->stacks.put_native(g->stack);
    }
    g->stack = nullptr;
  }
  if (g->value_stack.base != nullptr) drop_value_stack(rt, g);
  gc::root_owner_clear(g);
  g->self_root = 0;
  g->wait_root = g->waits_for = 0;
  g->mu.user = nullptr;
  unbind_mutator(g);
  g->resumer = nullptr;
  g->cell = nullptr;
  if (TRI_UNLIKELY(g->modes.depth() != 0)) g->modes.clear(&rt->shadow);
  g->on_system_stack = false;
  g->plain_chunks = 0;
  g->frames.store_relaxed(nullptr);
}

void free_g(RuntimeImpl* rt, P* p, G* g) {
  TRI_ASSERT(base::load_relaxed(&g->result_root) == 0);
  g->id.store_relaxed(0);  // no TaskRef is valid any more
  if (TRI_UNLIKELY(g->name.load_relaxed() != nullptr)) set_name(g, nullptr);
  leave_state(p, g, GState::kDead, GState::kIdle);
  // Whoever has this G next may have no result: see dead_without_result().
  g->result[0] = g->result[1] = 0;
  rt->gs.put(p, g);
}

void finish_exit(M* m, G* g) {
  TRI_SCHED_POINT(exit);
  RuntimeImpl* rt = m->rt;
  P* p = m->p;
  M* waiter = g->kind == GKind::kMain ? g->main_m : nullptr;
  strip_g(rt, p, g);
  if (g->kind == GKind::kTask) add_owner(&p->tasks_ended, 1);
  set_state(g, GState::kRunning, GState::kDead);
  // The G may be gone after this line, unless it is ours to free.
  if (end_joiner(p, g) == kJoinDetached) {
    base::store_relaxed(&g->result_root, 0);
    free_g(rt, p, g);
  }
  if (waiter != nullptr) finish_main(rt, m, waiter);
}

}  // namespace tricolor::sched

namespace tricolor::detail {

TaskRef spawn(Mutator& mu, const SpawnRequest& request) {
  RuntimeImpl* rt = impl_of(mu);
  if (mu.p == nullptr) sched::misused_mutator(mu, "spawn");
  sched::P* p = sched::p_of(&mu);
  sched::G* g = sched::make_task(rt, p, request, sched::GKind::kTask);
  if (g == nullptr) {
    if (!rt->gs.is_full()) TRI_NO_MEMORY("a task's own data");
    TRI_MISUSE("spawn",
               "no task left: Options::max_tasks is %zu, and as many tasks and "
               "coroutines exist",
               rt->settings.max_tasks);
  }
  const TaskRef ref{g, g->id.load_relaxed()};
  sched::ensure_sysmon(rt);
  if (TRI_UNLIKELY(p->attached)) {
    sched::submit(rt, p, g, /*next=*/false);
  } else {
    sched::submit_fresh(p, g);
  }
  if (__atomic_load_n(&mu.poll_request, __ATOMIC_RELAXED) != 0) {
    tri_detail_poll_slow(&mu);
  }
  return ref;
}

}  // namespace tricolor::detail
