// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Making and destroying a runtime: who gets whom, in which order; and the
// Runtime calls that only pass on.
#include "sched/runtime.h"
#include "sched/fault.h"

#include <new>

#include "base/check.h"
#include "base/os_memory.h"
#include "gc/try_trace.h"
#include "sched/task_end.h"
#include "sched/thread.h"
#include "sched/tls.h"

namespace tricolor::sched {

P* make_p(RuntimeImpl* rt, bool attached) {
  Scheduler& s = rt->sched;
  const uint32_t id = s.all_p_count.load_relaxed();
  if (id == kMaxAllPs) return nullptr;
  void* memory = rt->meta.alloc(sizeof(P), 64);
  if (memory == nullptr) return nullptr;
  P* p = ::new (memory) P();
  p->rt = rt;
  p->id = id;
  p->attached = attached;
  p->rng = base::Rng(id + 1);
  if (!rt->collector->proc_init(p)) return nullptr;
  if (!attached) {
    using Slot = base::Atomic<G*>;
    // Fresh memory of the arena's is zero, and stays untouched until used.
    void* slots = rt->meta.alloc(FreshQueue::kSize * sizeof(Slot), 64);
    if (slots == nullptr) return nullptr;
    p->runq.init_fresh(static_cast<Slot*>(slots));
  }
  base::LockGuard guard(s.lock);
  s.all_ps.push_back(p);
  // ORDER-allp-1: pairs with for_others() and sched_fill_stats().
  s.all_p_count.store_release(id + 1);
  if (attached) return p;
  TRI_CHECK(s.procs.push_back(p));
  // ORDER-procs-1: pairs with stop_threads() and kill_native(): the element.
  s.proc_count.store_release(static_cast<uint32_t>(s.procs.size()));
  return p;
}

namespace {

bool init_memory(RuntimeImpl* rt) {
  const Settings& settings = rt->settings;
  Scheduler& s = rt->sched;
  rt->stacks.init(&rt->meta, settings.options.stack_bytes);
  // The first task's: run() has no error to give, create() has.
  stacks::Refusal refusal;
  stacks::NativeStack* first =
      rt->stacks.get_native(rt->stacks.default_class(), &refusal);
  if (first == nullptr) return false;
  rt->stacks.put_native(first);
  s.max_procs.store_relaxed(settings.max_procs);
  s.thread_limit = settings.options.background_threads;
  rt->shadow.init(&rt->meta);
  rt->names.init(&rt->meta);
  rt->blocking.init(rt,
                    s.thread_limit == 0 ? 0 : settings.options.blocking_threads,
                    uint64_t{settings.debug.blocking_idle_ms} * 1'000'000);
  {
    base::LockGuard guard(s.lock);
    s.m_pool.init(rt->meta);
  }
  {
    base::LockGuard guard(rt->send_at_lock);
    rt->send_at_pool.init(rt->meta);
  }
  return rt->gs.init(rt, settings.max_tasks) && s.all_ps.init(kMaxAllPs) &&
         s.procs.init(kMaxProcs);
}

heap::HeapOptions heap_options(const Settings& settings) {
  heap::HeapOptions o;
  o.reservation_bytes = settings.options.reservation_bytes;
  o.hard_limit_bytes = settings.options.hard_limit_bytes;
  o.clobber_free = settings.debug.clobberfree != 0;
  o.check_free = settings.debug.clobberfree >= 2;
  o.max_run_cells = settings.debug.max_run_cells;
  o.mixed_spans = true;
  o.procs = settings.max_procs;
  o.huge_pages = settings.options.huge_pages;
  if (settings.debug.huge_pages != UINT32_MAX) {
    o.huge_pages = static_cast<HugePages>(settings.debug.huge_pages);
  }
  return o;
}

gc::CollectorOptions collector_options(RuntimeImpl* rt) {
  const Settings& settings = rt->settings;
  gc::CollectorOptions o;
  o.gc_percent = settings.options.gc_percent;
  o.initial_heap_bytes = settings.options.initial_heap_bytes;
  o.memory_limit_bytes = settings.options.memory_limit_bytes;
  o.cgroup_root = settings.options.cgroup_root;
  o.gctrace = settings.debug.gctrace;
  o.gcpacertrace = settings.debug.gcpacertrace;
  o.gccheckmark = settings.debug.gccheckmark;
  o.clobberfree = settings.debug.clobberfree != 0;
  o.barriercheck = settings.debug.barriercheck;
  o.badptr = settings.debug.badptr;
  o.validate = settings.debug.validate;
  o.smallbuffers = settings.debug.smallbuffers;
  o.pollstress = settings.debug.pollstress;
  o.gcstress = settings.debug.gcstress;
  o.test_drop_barrier = settings.debug.drop_barrier;
  o.procs = settings.max_procs;
  o.period_ns = uint64_t{settings.debug.gc_period_ms != UINT32_MAX
                             ? settings.debug.gc_period_ms
                             : settings.options.gc_period_ms} *
                1'000'000;
  const uint32_t us = settings.options.assist_budget_us;
  o.assist_policy = settings.options.assist_policy;
  o.assist_budget_ns =
      uint64_t{us == 0 ? Options().assist_budget_us : us} * 1000;
  o.worker_percent = settings.options.gc_worker_percent;
  o.idle_workers = settings.debug.gc_idle != UINT32_MAX
                       ? settings.debug.gc_idle != 0
                       : settings.options.gc_idle_workers;
  o.on_out_of_memory = settings.options.on_out_of_memory;
  o.on_out_of_memory_ctx = settings.options.on_out_of_memory_ctx;
  o.on_gc_event = settings.options.on_gc_event;
  o.on_gc_event_ctx = settings.options.on_gc_event_ctx;
  o.runtime = api_of(rt);
  return o;
}

// Everything but the memory of *rt itself; undone by tear_down().
bool build(RuntimeImpl* rt, Error* error) {
  rt->clock = base::monotonic_clock();
  rt->membarrier = base::os_membarrier_register();
  set_error(error, ErrorCode::kOutOfMemory,
            "the OS refuses memory for the runtime's own tables, even with the "
            "least reservation for cells; raise RLIMIT_AS (ulimit -v) or the "
            "memory limit");
  if (!init_memory(rt)) return false;
  rt->heap = heap::Heap::create(&rt->meta, heap_options(rt->settings), error);
  if (rt->heap == nullptr) return false;
  rt->no_slots = rt->heap->empty_slots();
  rt->collector = gc::Collector::create(rt->heap, &rt->meta, make_world(rt),
                                        rt->clock, collector_options(rt));
  if (rt->collector == nullptr) return false;
  rt->heap->set_hooks(rt->collector->heap_hooks());
  if (!init_procs(rt, rt->settings.max_procs)) return false;
  if (!init_coroutines(rt, error)) return false;
  rt->dumper = {dump_state, rt};
  base::add_fatal_dumper(&rt->dumper);  // if there is room
  if (error != nullptr) *error = Error{};
  return true;
}

// Value stacks of tasks that never ended: large ones are mappings of their own.
void drop_value_stacks(RuntimeImpl* rt) {
  for (size_t i = 0; i < rt->gs.count(); i++) {
    G* g = rt->gs.at(i);
    drop_value_stack(rt, g);
  }
}

// What tasks have failed with that nobody will join.
void drop_failures(RuntimeImpl* rt) {
  for (size_t i = 0; i < rt->gs.count(); i++) {
    G* g = rt->gs.at(i);
    if (g_state(g) != GState::kDead || g->outcome != Outcome::kFailed) continue;
    const detail::Failure failure = failure_of(g);
    failure.kind->drop(failure.word);
  }
}

// All threads are gone.
void tear_down(RuntimeImpl* rt) {
  base::remove_fatal_dumper(&rt->dumper);
  if (const netpoll::PollHooks* hooks = rt->poll.load_acquire()) {
    hooks->destroy(hooks->ctx);
  }
  drop_value_stacks(rt);
  drop_failures(rt);
  const uint32_t n = rt->sched.all_p_count.load_acquire();
  for (uint32_t i = 0; i < n; i++) {
    P* p = rt->sched.all_ps.data()[i];
    rt->collector->proc_destroy(p);
    p->timers.release();
  }
  if (rt->has_exit_key) drop_thread_key(rt->exit_key);
  drop_fault_handler(rt);
  drop_signal_handler(rt);
  if (rt->collector != nullptr) rt->collector->destroy();
  if (rt->heap != nullptr) rt->heap->destroy();
  rt->stacks.destroy();
  rt->gs.destroy();
  rt->sched.all_ps.release();
  rt->sched.procs.release();
  rt->~RuntimeImpl();
  base::os_release(rt, sizeof(RuntimeImpl));
}

// Makes every thread of ours leave, and waits for it.
void stop_threads(RuntimeImpl* rt) {
  Scheduler& s = rt->sched;
  s.lock.lock();
  // ORDER-shutdown-1: pairs with should_leave().
  s.shutdown.store_release(true);
  for (M* m = s.workers; m != nullptr; m = m->all_link) m->parker.unpark();
  s.lock.unlock();
  if (const netpoll::PollHooks* hooks = rt->poll.load_acquire()) {
    hooks->wake(hooks->ctx);
  }
  stop_sysmon(rt);
  // A P that comes to life from here on is acquired after the unlocking above:
  // its M sees that it has to leave.
  // ORDER-procs-1: pairs with make_p().
  const uint32_t n = s.proc_count.load_acquire();
  for (uint32_t i = 0; i < n; i++) {
    P* p = s.procs.data()[i];
    if (p_state(p) != PState::kDead) request_and_poke(p, gc::kRequestPreempt);
  }
  join_workers(rt);
  if (rt->sysmon.running) join_thread(rt->sysmon.thread);
}

void check_outside(RuntimeImpl* rt) {
  if (current_m_of(rt) != nullptr) {
    TRI_MISUSE("~Runtime",
               "destroyed by a thread that is attached to it or "
               "runs one of its tasks");
  }
  wait_for_tellers(rt);
}

void check_unused(RuntimeImpl* rt) {
  base::LockGuard guard(rt->sched.lock);
  if (rt->sched.runners != 0 || rt->attached_threads.load_relaxed() != 0) {
    TRI_MISUSE("~Runtime",
               "%u threads are inside run() or step(), %u are "
               "attached",
               rt->sched.runners, rt->attached_threads.load_relaxed());
  }
}

}  // namespace
}  // namespace tricolor::sched

namespace tricolor {

RuntimePtr Runtime::create(const Options& options, Error* error) {
  sched::Settings settings;
  if (!sched::make_settings(options, &settings, error)) return nullptr;
  Error why;
  for (;;) {
    void* memory = base::os_map(sizeof(RuntimeImpl));
    if (memory == nullptr) {
      sched::set_error(&why, ErrorCode::kOutOfMemory,
                       "the OS refuses memory for the runtime");
      break;
    }
    auto* rt = ::new (memory) RuntimeImpl();
    rt->settings = settings;
    if (sched::build(rt, &why)) {
      if (error != nullptr) *error = Error{};
      return RuntimePtr(api_of(rt));
    }
    // The heap may have left too little address space for everything else.
    const size_t reserved =
        rt->heap == nullptr ? 0 : rt->heap->space().reserved_bytes();
    const uint32_t procs = rt->settings.max_procs;
    sched::tear_down(rt);
    if (procs < settings.max_procs) {  // cells have their share already
      settings.max_procs = procs;
      continue;
    }
    if (why.code != ErrorCode::kOutOfMemory || reserved <= heap::kReserveMin) {
      break;
    }
    settings.options.reservation_bytes = reserved / 2;
  }
  if (error != nullptr) *error = why;
  return nullptr;
}

void RuntimeDeleter::operator()(Runtime* api) const {
  if (api == nullptr) return;
  RuntimeImpl* rt = impl_of(*api);
  sched::check_outside(rt);
  rt->blocking.shut_down();  // whose calls may be attached
  sched::check_unused(rt);
  sched::stop_threads(rt);
  sched::tear_down(rt);
}

LayoutId Runtime::register_layout(const LayoutSpec& spec, Error* error) {
  heap::Heap* heap = impl_of(*this)->heap;
  if (error != nullptr) *error = Error{};
  if (!heap->layouts().check(spec, error) ||
      !gc::try_trace(heap, spec, error)) {
    return kInvalidLayout;
  }
  return heap->layouts().add(spec, 0, error);
}

EncodingId Runtime::register_encoding(const Encoding& encoding, Error* error) {
  if (error != nullptr) *error = Error{};
  return impl_of(*this)->heap->layouts().add_encoding(encoding, error);
}

void* Runtime::layout_user(LayoutId id) const {
  const heap::LayoutTable& layouts = impl_of(*this)->heap->layouts();
  if (id == kInvalidLayout || id >= layouts.count()) {
    TRI_MISUSE("Runtime::layout_user", "no layout has the id %u", id);
  }
  return layouts.cold(id).user;
}

const char* Runtime::layout_name(LayoutId id) const {
  const heap::LayoutTable& layouts = impl_of(*this)->heap->layouts();
  if (id == kInvalidLayout || id >= layouts.count()) {
    TRI_MISUSE("Runtime::layout_name", "no layout has the id %u", id);
  }
  return layouts.cold(id).name;
}

uint32_t Runtime::max_procs() const {
  return impl_of(*this)->sched.max_procs.load_relaxed();
}

uint64_t Runtime::set_memory_limit(uint64_t bytes) {
  return impl_of(*this)->collector->set_memory_limit(bytes);
}

int Runtime::set_gc_percent(int percent) {
  RuntimeImpl* rt = impl_of(*this);
  const int old = rt->collector->set_gc_percent(percent);
  sched::wake_sysmon(rt);  // which may have gone to sleep for good
  return old;
}

}  // namespace tricolor
