// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Numbers and traces: the task fields of Stats, schedtrace, the fatal dump; and
// the public calls that the collector and the scheduler answer together.
#include "base/check.h"
#include "sched/runtime.h"
#include "tricolor/allocate.h"
#include "tricolor/gc.h"

namespace tricolor::sched {

void sched_fill_stats(RuntimeImpl* rt, Stats* out) {
  uint64_t begun = 0;
  uint64_t ended = 0;
  // ORDER-allp-1: pairs with make_p(): sees the elements.
  const uint32_t n = rt->sched.all_p_count.load_acquire();
  for (uint32_t i = 0; i < n; i++) {
    const P* p = rt->sched.all_ps.data()[i];
    // Ended first, so that no end is counted without its beginning.
    ended += p->tasks_ended.load_relaxed();
    begun += p->tasks_begun.load_relaxed();
  }
  out->tasks_created = begun;
  out->tasks_alive = begun > ended ? begun - ended : 0;
  out->threads = rt->sched.threads.load_relaxed();
  out->max_procs = rt->sched.max_procs.load_relaxed();
}

void print_schedtrace(RuntimeImpl* rt) {
  Scheduler& s = rt->sched;
  const uint32_t procs = s.max_procs.load_acquire();
  base::FatalSink sink(2);
  sink.print(
      "SCHED %lums: procs=%u idleprocs=%u threads=%u spinning=%u "
      "idlethreads=%u runqueue=%u [",
      static_cast<unsigned long>(rt->clock.now_ns() / 1'000'000), procs,
      s.idle_p_count.load_relaxed(), s.threads.load_relaxed(),
      s.spinning.load_relaxed(), s.idle_m_count.load_relaxed(),
      s.global_size.load_relaxed());
  for (uint32_t i = 0; i < procs; i++) {
    sink.print("%s%u", i == 0 ? "" : " ", s.procs.data()[i]->runq.size());
  }
  sink.print("]\n");
}

// A crash: nothing can be trusted, nothing is locked.
void dump_state(void* ctx, base::FatalSink& sink) {
  constexpr size_t kMaxGs = 64;
  auto* rt = static_cast<RuntimeImpl*>(ctx);
  sink.print("runtime %p: gc %s, cycle %u\n", static_cast<void*>(rt),
             rt->collector->marking() ? "marks" : "does not mark",
             rt->collector->cycle());
  const uint32_t np = rt->sched.all_p_count.load_relaxed();
  for (uint32_t i = 0; i < np && i < kMaxGs; i++) {
    const P* p = rt->sched.all_ps.data()[i];
    const G* g = p->curg.load_relaxed();
    sink.print("  P%u: %s%s, queue %u, request %u, G %ld\n", p->id,
               p_state_name(p_state(p)), p->attached ? " (attached)" : "",
               p->runq.size(), p->request.load_relaxed(),
               g == nullptr ? -1L : static_cast<long>(g->index));
  }
  size_t shown = 0;
  for (size_t i = 0; i < rt->gs.count() && shown < kMaxGs; i++) {
    const G* g = rt->gs.at(i);
    const uint32_t word = g->status.load_relaxed();
    if (state_of(word) == GState::kIdle) continue;
    shown++;
    sink.print("  G%u: task %lu, kind %u, %s%s, sp %p\n", g->index,
               static_cast<unsigned long>(g->id.load_relaxed()),
               static_cast<unsigned>(g->kind), g_state_name(state_of(word)),
               (word & kScanBit) != 0 ? " (being scanned)" : "",
               g->fiber.context.sp);
  }
}

}  // namespace tricolor::sched

namespace tricolor {

Stats stats(const Runtime& api) {
  RuntimeImpl* rt = impl_of(api);
  Stats out{};
  rt->collector->stats(&out);
  sched::sched_fill_stats(rt, &out);
  return out;
}

void collect(Mutator& mu) {
  if (mu.p == nullptr) TRI_MISUSE("collect", "called in native code");
  impl_of(mu)->collector->collect(&mu);
}

void request_collect(Mutator& mu) {
  if (mu.p == nullptr) TRI_MISUSE("request_collect", "called in native code");
  impl_of(mu)->collector->request_collect(&mu);
}

size_t return_memory(Mutator& mu) {
  constexpr size_t kPieceBytes = size_t{512} << 10;
  if (mu.p == nullptr) TRI_MISUSE("return_memory", "called in native code");
  heap::Heap* heap = impl_of(mu)->heap;
  const uint64_t before = heap->scavenged_bytes();
  heap->add_punching(1);
  collect(mu);
  heap->add_punching(-1);
  while (impl_of(mu)->gs.has_collected()) {
    sched::reap_coroutines(impl_of(mu), sched::p_of(&mu), sched::kReapedAtOnce);
    poll(mu);
  }
  while (impl_of(mu)->collector->trim_marker()) poll(mu);
  heap->drain_freed_pages(heap::mcache_of(&mu));
  // What is free now; others may go on freeing.
  size_t left = heap->free_dirty_bytes();
  while (left > 0) {
    const size_t n = heap->scavenge(left < kPieceBytes ? left : kPieceBytes);
    if (n == 0) break;
    left -= n < left ? n : left;
    poll(mu);
  }
  return heap->scavenged_bytes() - before;
}

bool step(Mutator& mu, uint32_t budget_us) {
  if (mu.p == nullptr) TRI_MISUSE("step", "called in native code");
  RuntimeImpl* rt = impl_of(mu);
  const uint64_t budget_ns = uint64_t{budget_us} * 1000;
  const uint64_t deadline_ns = rt->clock.now_ns() + budget_ns;
  bool left = rt->collector->step(&mu, budget_ns);
  const uint64_t now_ns = rt->clock.now_ns();
  if (now_ns < deadline_ns) {
    sched::step_tasks(mu, deadline_ns);
    const uint64_t then_ns = rt->clock.now_ns();
    if (then_ns < deadline_ns) {
      rt->heap->scavenge_paced(rt->clock, 1, deadline_ns - then_ns);
    }
  }
  if (sched::any_work(rt)) left = true;
  return left;
}

}  // namespace tricolor
