// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Numbers and traces: the task fields of Stats, schedtrace; and
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
  out->blocking_threads = rt->blocking.threads();
  out->blocking_pending = rt->blocking.pending();
  out->blocking_calls = rt->blocking.calls();
  out->threads = rt->sched.threads.load_relaxed() + out->blocking_threads;
  out->max_procs = rt->sched.max_procs.load_relaxed();
}

namespace {

// A line for each P in use and each G that is, in Go's manner; nothing is
// locked, so each line is of its own moment.
void print_details(RuntimeImpl* rt, base::FatalSink& sink) {
  Scheduler& s = rt->sched;
  // ORDER-allp-1: pairs with make_p(): sees the elements.
  const uint32_t n = s.all_p_count.load_acquire();
  for (uint32_t i = 0; i < n; i++) {
    const P* p = s.all_ps.data()[i];
    const PState state = p_state(p);
    if (state == PState::kDead) continue;
    const G* g = p->curg.load_acquire();
    sink.print("  P%u: status=%s%s schedtick=%u runqsize=%u task=%ld\n", p->id,
               p_state_name(state), p->attached ? " (attached)" : "",
               p->tick.load_relaxed(), p->runq.size(),
               g == nullptr ? -1L : static_cast<long>(g->id.load_relaxed()));
  }
  for (size_t i = 0; i < rt->gs.count(); i++) {
    const G* g = rt->gs.at(i);
    const GState state = g_state(g);
    if (state == GState::kIdle) continue;
    sink.print("  G%u: task=%lu status=%s(%s)\n", g->index,
               static_cast<unsigned long>(g->id.load_relaxed()),
               g_state_name(state),
               state == GState::kWaiting
                   ? wait_reason_name(g->wait_reason.load_relaxed())
                   : "");
  }
}

}  // namespace

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
      queued_globally(s));
  for (uint32_t i = 0; i < procs; i++) {
    sink.print("%s%u", i == 0 ? "" : " ", s.procs.data()[i]->runq.size());
  }
  sink.print("]\n");
  if (rt->settings.debug.scheddetail != 0) print_details(rt, sink);
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
  if (mu.p == nullptr) sched::misused_mutator(mu, "collect");
  impl_of(mu)->collector->collect(&mu);
}

void request_collect(Mutator& mu) {
  if (mu.p == nullptr) sched::misused_mutator(mu, "request_collect");
  impl_of(mu)->collector->request_collect(&mu);
}

size_t return_memory(Mutator& mu) {
  constexpr size_t kPieceBytes = size_t{512} << 10;
  if (mu.p == nullptr) sched::misused_mutator(mu, "return_memory");
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
  if (mu.p == nullptr) sched::misused_mutator(mu, "step");
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
