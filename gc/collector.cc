// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Collector: creation, Ps, and the thin methods sched calls. See
// gc/collector.h.
#include "gc/collector.h"

#include <new>

#include "base/check.h"
#include "base/cpu_x86_64.h"
#include "base/os_memory.h"
#include "base/sched_point.h"
#include "gc/collector_impl.h"
#include "gc/scan.h"
#include "heap/callback.h"
#include "tricolor/allocate.h"

namespace tricolor::gc {

Collector* Collector::create(heap::Heap* heap, base::MetaArena* meta,
                             const World& world, const base::Clock& clock,
                             const CollectorOptions& options) {
  void* m1 = meta->alloc(sizeof(Collector), alignof(Collector));
  void* m2 = meta->alloc(sizeof(CollectorImpl), alignof(CollectorImpl));
  if (m1 == nullptr || m2 == nullptr) return nullptr;
  auto* self = ::new (m1) Collector();
  auto* c = ::new (m2) CollectorImpl();
  self->impl_ = c;
  c->self = self;
  c->heap = heap;
  c->meta = meta;
  c->world = world;
  c->clock = clock;
  c->options = options;
  c->created_ns = clock.now_ns();
  c->procs_.store_relaxed(options.procs);
  c->last_start_ns_.store_relaxed(c->created_ns);
  bool ok = c->work.init() && c->roots.init(meta) &&
            c->weak_targets.init(meta, &heap->space()) &&
            c->finalizers.init(meta, heap) && c->left.init();
  c->weak.init(&c->work);
  LayoutSpec weak;
  weak.name = "tricolor.weak";
  weak.head_bytes = sizeof(WeakCell);
  weak.distinct = true;
  c->weak_layout = heap->layouts().add(weak, heap::kWeakCell, nullptr);
  if (!ok || c->weak_layout == kInvalidLayout) {
    self->destroy();
    return nullptr;
  }
  c->pacer.init(options.gc_percent, options.initial_heap_bytes, options.procs,
                options.worker_percent,
                options.assist_policy != AssistPolicy::kOff);
  c->limiter.init(options.procs);
  if (!c->memory_limit.init(options.memory_limit_bytes, options.cgroup_root)) {
    self->destroy();
    return nullptr;
  }
  c->apply_memory_limit(LimitLook::kNow);
  if (options.barriercheck && !c->auditor.init(heap)) {
    self->destroy();
    return nullptr;
  }
  heap->set_hooks(self->heap_hooks());
  return self;
}

void Collector::destroy() {
  impl_->weak.keys.end();
  impl_->finalizers.destroy();
  impl_->work.destroy();
  impl_->roots.destroy();
  impl_->auditor.destroy();
  impl_->left.release();
}

bool Collector::proc_init(ProcGc* p) {
  impl_->heap->mcache_init(p);
  p->collector = this;
  p->wanted = &p->request;
  p->worker.init(impl_->heap, &impl_->work, &impl_->weak.sinks);
  p->barrier_on = marking() ? 1 : 0;
  p->mark_cycle = cycle();
  p->audits = impl_->auditor.on() ? 1 : 0;
  p->stress_polls = impl_->options.pollstress != 0;
  p->barrier_limit =
      impl_->options.smallbuffers ? kSmallBuffer : kBarrierBufferSize;
  return true;
}

void Collector::proc_destroy(ProcGc* p) {
  impl_->flush_barrier(p);
  p->worker.publish();
  p->worker.destroy();
  impl_->heap->mcache_flush(p);
  impl_->heap->mcache_destroy(p);
}

void Collector::proc_flush(ProcGc* p) {
  impl_->flush_barrier(p);
  p->worker.publish();
  impl_->heap->mcache_flush(p);
}

void Collector::set_procs_stw(uint32_t procs) {
  {
    base::LockGuard guard(impl_->procs_lock);
    impl_->available_offset_ns = impl_->available_ns_locked();
    impl_->procs_since_ns = impl_->now();
    impl_->procs_.store_relaxed(procs);
  }
  impl_->pacer.set_procs(procs);
  impl_->limiter.set_procs(procs);
  impl_->aim_heap();
}

bool Collector::marking() const { return impl_->phase() == Phase::kMark; }

uint32_t Collector::cycle() const { return impl_->cycle_.load_relaxed(); }

void Collector::add_coroutine_bytes(int64_t delta) {
  impl_->coroutine_bytes_.fetch_add_relaxed(static_cast<uint64_t>(delta));
}

// A mark that has begun may want them again.
bool Collector::trim_marker() {
  return impl_->phase() == Phase::kIdle && impl_->work.trim();
}

void Collector::on_g_born(ProcGc* p, RootOwner* owner) {
  if (TRI_PLANTED(born_black_unshaded)) {
    owner->scanned_cycle.store_relaxed(cycle());
  } else if (marking()) {
    // Shading the roots it was given makes it black.
    owner->scanned_cycle.store_relaxed(cycle() - 1);
    impl_->scan_owner(p, owner);
  } else {
    owner->scanned_cycle.store_relaxed(0);
  }
}

void Collector::scan_owner(ProcGc* p, RootOwner* owner) {
  if (marking()) impl_->scan_owner(p, owner);
}

void Collector::scan_owner_from_tracer(void* tracer_impl, RootOwner* owner,
                                       uint64_t index) {
  impl_->trace_owner(static_cast<TracerImpl*>(tracer_impl), owner, index);
}

void Collector::store_root(ProcGc* p, uint64_t* word, void* cell) {
  if (p->barrier_on != 0) {
    void* old = reinterpret_cast<void*>(load_word(word));
    if (old != nullptr) impl_->shade_from_mutator(p, old);
    if (cell != nullptr) impl_->shade_from_mutator(p, cell);
  }
  base::store_release(word, reinterpret_cast<uint64_t>(cell));
}

void Collector::shade_native_words(ProcGc* p, const void* from, size_t bytes) {
  impl_->shade_native_words(p, from, bytes);
}

bool Collector::has_work() const { return impl_->has_work(); }

bool Collector::has_idle_work() const { return impl_->has_idle_work(); }

bool Collector::await_idle_work(const ProcGc* p) const {
  constexpr int kPauses = 1000;  // about 40 us
  if (!impl_->options.idle_workers) return false;
  for (int i = 0; i < kPauses; i++) {
    if (impl_->phase() != Phase::kMark || p->request.load_relaxed() != 0) break;
    if (impl_->has_idle_work()) return true;
    // Who marks shares from now on, and wakes somebody for it.
    if (impl_->hungry_.load_relaxed() == 0) impl_->hungry_.store_relaxed(1);
    base::cpu_relax();
  }
  return false;
}

bool Collector::worker_due(ProcGc* p, uint64_t now_ns) const {
  return impl_->options.worker_percent != 0 &&
         (impl_->phase() != Phase::kIdle || impl_->cycle_wanted()) &&
         !p->in_collector && now_ns >= p->slice_end_ns;
}

bool Collector::run_worker(ProcGc* p, tri_mutator* mu, uint64_t budget_ns,
                           bool idle) {
  return impl_->run_worker(p, mu, budget_ns, idle);
}

void Collector::request_periodic(uint64_t now_ns) {
  if (until_periodic(now_ns) != 0) return;
  impl_->wanted_.fetch_or_relaxed(kWantedForAge);
}

bool Collector::is_idle() const {
  return impl_->phase() == Phase::kIdle && !impl_->cycle_wanted();
}

int64_t Collector::until_periodic(uint64_t now_ns) const {
  const uint64_t period = impl_->options.period_ns;
  const Pacer& pacer = impl_->pacer;
  if (period == 0 || pacer.percent() < 0 || pacer.suspended()) return -1;
  if (impl_->phase() != Phase::kIdle) return static_cast<int64_t>(period);
  const uint64_t due = impl_->last_start_ns_.load_relaxed() + period;
  return due <= now_ns ? 0 : static_cast<int64_t>(due - now_ns);
}

void Collector::collect(tri_mutator* mu) { impl_->collect(mu); }

void Collector::request_collect(tri_mutator* mu) { impl_->request_collect(mu); }

void Collector::ask_for_cycle() {
  // ORDER-wanted-1: pairs with start_cycle().
  impl_->wanted_.fetch_or_release(kWantedByName);
}

bool Collector::suspend(int delta) {
  if (!impl_->pacer.suspend(delta)) return false;
  impl_->aim_heap();
  return true;
}

void Collector::on_stress_poll(tri_mutator* mu) {
  ProcGc* p = proc_of(mu);
  if (p->in_collector || p->callback != nullptr) return;
  if (impl_->polls_.fetch_add_relaxed(1) % impl_->options.pollstress != 0) {
    return;
  }
  if (impl_->phase() == Phase::kIdle) {
    impl_->wanted_.fetch_or_relaxed(kWantedForAge);
    impl_->start_cycle_of(mu, /*wait=*/false);
  } else {
    impl_->run_worker(p, mu, /*budget_ns=*/0);
  }
}

bool Collector::step(tri_mutator* mu, uint64_t budget_ns) {
  heap::check_no_callback(proc_of(mu), "step");
  request_periodic(impl_->now());
  impl_->run_worker(proc_of(mu), mu, budget_ns);
  poll(*mu);
  return impl_->phase() != Phase::kIdle;
}

int Collector::set_gc_percent(int percent) {
  if (percent < 0) percent = kGcOff;
  int old = impl_->pacer.percent();
  impl_->pacer.set_percent(percent);
  // Nor for its age.
  if (percent < 0) impl_->wanted_.fetch_and_relaxed(~uint32_t{kWantedForAge});
  impl_->aim_heap();
  return old;
}

uint64_t Collector::set_memory_limit(uint64_t bytes) {
  uint64_t old = impl_->memory_limit.set(bytes);
  impl_->apply_memory_limit(LimitLook::kNow);
  return old;
}

heap::GcHooks Collector::heap_hooks() {
  heap::GcHooks hooks;
  hooks.ctx = impl_;
  hooks.before_refill = [](void* ctx, tri_mutator* mu, size_t bytes) {
    static_cast<CollectorImpl*>(ctx)->before_refill(mu, bytes);
  };
  hooks.collect_for_memory = [](void* ctx, tri_mutator* mu, size_t bytes,
                                uint32_t begun, int attempt) {
    return static_cast<CollectorImpl*>(ctx)->collect_for_memory(mu, bytes,
                                                                begun, attempt);
  };
  hooks.out_of_memory = [](void* ctx, tri_mutator* mu, size_t bytes) {
    static_cast<CollectorImpl*>(ctx)->call_out_of_memory(mu, bytes);
  };
  return hooks;
}

void Collector::stats(Stats* out) const {
  CollectorImpl* c = impl_;
  Published::Group last;  // of one cycle
  c->published.read(&last);
  out->cycles = last.cycles;
  out->cycles_forced = last.forced;
  out->cycles_concurrent = last.concurrent;
  out->heap_live_bytes = last.live_bytes;
  out->live_cells = last.live_cells;
  out->heap_bytes = c->heap->live_bytes();
  out->heap_goal_bytes = c->pacer.goal();
  out->heap_mapped_bytes = c->heap->space().committed_bytes();
  out->heap_resident_bytes = c->heap->resident_bytes();
  out->heap_returned_bytes = c->heap->scavenged_bytes();
  out->memory_bytes =
      c->heap->resident_bytes() + c->table_bytes() + c->external();
  out->memory_limit_bytes = c->memory_limit.bytes();
  out->gc_limited = c->limiter.events();
  // A part before the whole, so that no difference is negative.
  out->freed_bytes = c->heap->freed_bytes();
  out->allocated_bytes = c->heap->allocated_bytes();
  out->gc_assist_ns = c->totals.assist_ns.load_relaxed();
  out->gc_cpu_ns = c->totals.gc_ns.load_relaxed();
  out->total_cpu_ns = c->available_ns();
  out->mark_wall_ns = c->totals.mark_wall_ns.load_relaxed();
  out->stop_wall_ns = c->totals.stop_wall_ns.load_relaxed();
  out->pause_p50_ns = c->totals.pauses.percentile(500);
  out->pause_p99_ns = c->totals.pauses.percentile(990);
  out->pause_max_ns = c->totals.pauses.max();
  out->ttsp_p50_ns = c->totals.ttsp.percentile(500);
  out->ttsp_p99_ns = c->totals.ttsp.percentile(990);
  out->ttsp_max_ns = c->totals.ttsp.max();
}

}  // namespace tricolor::gc
