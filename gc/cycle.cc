// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// The story of one cycle. There is no collector thread: whichever mutator or
// worker comes by moves the phase on, one at a time (advancing_).
//
//   start_cycle      stop 1: epochs rotate, barrier on, slots hidden, roots
//   drain            (gc/drain.cc) workers, assists and idle Ps mark
//   terminate        ragged barriers until nothing was flushed; stop 2: look
//                    again at every buffer; barrier off, new sweep generation
//   settle           (gc/settle.cc) weak things, finalizers
//   flush            ragged handshake: every mcache gives its spans back
//   sweep            background, in proportion, on demand; then idle again
//
// Why termination is right. Claim: at recheck_stw's success no white cell is
// reachable. (a) Every G was scanned or born black: its index was visited by a
// root job, and one found running went to `left`, which is empty. (b) Every
// grey cell lies in some P's worker or barrier buffer or on the global list;
// all of them are empty, looked at with the world stopped. (c) A black G got
// its later pointers from marked cells' fields (deletion barrier keeps the
// snapshot), from barriered stores, or by allocation (born black). So the
// snapshot at stop 1 plus everything allocated since is marked. Traps 3 and 5
// of the design are the recheck and the flush.
#include "base/check.h"
#include "base/sched_point.h"
#include "gc/collector_impl.h"
#include "gc/scan.h"

namespace tricolor::gc {

void CollectorImpl::set_phase(Phase from, Phase to) {
  TRI_CHECK(phase() == from, "phase %u, expected %u",
            static_cast<unsigned>(phase()), static_cast<unsigned>(from));
  TRI_SCHED_POINT(gc_phase);
  // ORDER-phase-1: pairs with phase(): what the old phase wrote is seen by who
  // reads the new one.
  phase_.store_release(static_cast<uint32_t>(to));
}

void CollectorImpl::run_root_callbacks_stw(ProcGc* p) {
  const uint64_t start = now();
  Tracer tracer = TracerAccess::make(&p->worker);
  const char* outer = p->callback;  // see heap/callback.h
  p->callback = "a root callback";
  const bool any = roots.run_callbacks_stw(tracer);
  p->callback = outer;
  if (!any) return;
  p->worker.mark_edges();
  const uint64_t spent = now() - start;
  record.callbacks_ns += spent;
  totals.callbacks_ns.fetch_add_relaxed(spent);
}

bool CollectorImpl::is_due() const {
  return cycle_wanted() || paced_bytes() >= pacer.trigger() ||
         (options.gcstress != 0 && !pacer.suspended());
}

void CollectorImpl::begin_record_stw(bool wait, uint32_t wanted) {
  record = CycleRecord{};
  record.waited = wait;
  record.forced = wait || (wanted & kWantedByName) != 0;
  record.heap_start = heap->live_bytes();
  record.goal = pacer.goal();
  record.trigger = pacer.trigger();
  record.idle_before = totals.idle_ns.load_relaxed();
  record.allocated_before = heap->allocated_bytes();
  record.external_before = external();
  pacer.begin_cycle(record.heap_start);
  record.expected_work = pacer.expected_work();
  record.first_ratio = pacer.assist_ratio(paced_bytes(), 0);
}

uint64_t CollectorImpl::note_stop(const StopTimes& stop, uint64_t end_ns) {
  const uint64_t pause = end_ns - stop.requested_ns;
  totals.pauses.add(pause);
  totals.ttsp.add(stop.stopped_ns - stop.requested_ns);
  totals.stop_wall_ns.fetch_add_relaxed(pause);
  totals.stop_cpu_ns.fetch_add_relaxed(pause * procs());
  return pause;
}

bool CollectorImpl::start_cycle(ProcGc* p, bool wait) {
  if (phase() != Phase::kIdle || !try_advance()) return false;
  StopTimes stop{};
  if (phase() != Phase::kIdle || !world.try_stop(world.ctx, p, &stop)) {
    end_advance_and_wake();
    return false;
  }
  // Asked again now that nobody runs who could forbid it: a task whose
  // NoGcScope has begun sees no cycle begin.
  if (!wait && !is_due()) {
    note_stop(stop, world.start(world.ctx, p));
    end_advance();
    return false;
  }
  // ORDER-wanted-1: pairs with ask_for_cycle(): who asked before has what it
  // did before in this cycle, who asks from now on gets another one.
  const uint32_t wanted = wanted_.exchange_acquire(0);
  validate_stw(/*swept=*/true);
  check_words_stw();
  audit_stw();
  heap->begin_cycle_stw();
  cycle_.store_relaxed(heap->cycles_begun());
  work.begin_cycle_stw();
  roots.begin_cycle_stw();
  left.begin_cycle_stw();
  finalizers.begin_cycle_stw();
  g_limit_ = world.g_count(world.ctx);
  g_cursor_.store_relaxed(0);
  job_cursor_.store_relaxed(0);
  scanned_.store_relaxed(0);
  worker_ns_.store_relaxed(0);
  assist_ns_.store_relaxed(0);
  traced_stack_bytes_.store_relaxed(0);
  credit_.store_relaxed(0);
  hungry_.store_relaxed(0);
  // The phase first, then the Ps: a P made meanwhile reads the new phase.
  set_phase(Phase::kIdle, Phase::kMark);
  world.for_each_p_stw(
      world.ctx,
      [](void* arg, ProcGc* q) {
        auto* c = static_cast<CollectorImpl*>(arg);
        c->heap->mcache_settle(q);
        c->heap->mcache_cut_stw(q);
        q->worker.begin_cycle_stw();
        q->barrier_on = 1;
        q->mark_cycle = c->cycle_.load_relaxed();
        q->assist_debt_bytes = 0;
        q->sweep_debt_x256 = 0;
        q->stack_bytes = 0;
        q->whole_stack_bytes = 0;
        q->root_bytes = 0;
        q->slice_end_ns = 0;
      },
      this);
  begin_record_stw(wait, wanted);
  run_root_callbacks_stw(p);

  record.start_ns = stop.requested_ns;
  last_start_ns_.store_relaxed(stop.requested_ns);
  record.mark_start_ns = world.start(world.ctx, p);
  record.stop1_ns = note_stop(stop, record.mark_start_ns);
  record.ttsp1_ns = stop.stopped_ns - stop.requested_ns;
  emit(p, record.stop1_ns, record.ttsp1_ns);
  end_advance();
  world.wake_for_gc(world.ctx);
  return true;
}

bool CollectorImpl::flush_work_locked(ProcGc* p) {
  flushed_.store_relaxed(0);
  bool ran = world.try_ragged_barrier(
      world.ctx, p,
      [](void* arg, ProcGc* q, RootOwner* curg) {
        auto* c = static_cast<CollectorImpl*>(arg);
        c->flush_barrier(q);
        const uint64_t before = q->stack_bytes;
        if (curg != nullptr) c->scan_owner(q, curg);
        c->scanned_.fetch_add_relaxed(q->stack_bytes - before);
        if (q->worker.publish()) c->flushed_.fetch_add_relaxed(1);
      },
      this);
  if (!ran) return false;
  if (!retry_gs(p)) return false;
  return flushed_.load_relaxed() == 0 && !work.has_work();
}

/// World stopped: whether every buffer is empty. Work that is found is
/// published, so that the next round has it.
bool CollectorImpl::recheck_stw(ProcGc* p) {
  if (TRI_PLANTED(no_recheck)) return true;
  run_root_callbacks_stw(p);
  flushed_.store_relaxed(0);
  world.for_each_p_stw(
      world.ctx,
      [](void* arg, ProcGc* q) {
        auto* c = static_cast<CollectorImpl*>(arg);
        c->flush_barrier(q);
        if (q->worker.publish()) c->flushed_.fetch_add_relaxed(1);
      },
      this);
  if (flushed_.load_relaxed() != 0 || work.has_work() || !left.nothing_left() ||
      !roots_done() || !weak.resolved() || !weak.deferred.empty()) {
    return false;
  }
  if (TRI_UNLIKELY(work.overflowed())) {
    rescan_marked_stw(p, heap->cur());
    return weak.resolved();
  }
  return true;
}

/// There was no memory for the mark stack, so some marked cells were never
/// scanned. Scans all marked ones again, until a pass drops none: slow, in a
/// stop, but the program goes on.
void CollectorImpl::rescan_marked_stw(ProcGc* p, uint8_t epoch) {
  p->worker.set_stopped(true);
  do {
    work.clear_overflow();
    heap->for_each_marked_stw(
        epoch,
        [](void* arg, void* cell) {
          auto* w = &static_cast<ProcGc*>(arg)->worker;
          w->rescan(cell);
          while (w->take_global()) {  // pieces of large arrays
            while (w->scan_some(SIZE_MAX) != 0) {
            }
          }
        },
        p);
  } while (work.overflowed());
  p->worker.set_stopped(false);
}

void CollectorImpl::end_record_stw() {
  CycleWork& w = record.work;
  // Negative if runs taken before the mark were flushed in it (walk()).
  auto balance =
      static_cast<int64_t>(heap->allocated_bytes() - record.allocated_before);
  const uint64_t external_now = external();
  w.allocated = balance > 0 ? static_cast<uint64_t>(balance) : 0;
  w.external = external_now > record.external_before
                   ? external_now - record.external_before
                   : 0;
  w.stacks += traced_stack_bytes_.load_relaxed();
  w.marker = work.most_bytes();
  w.worker_ns = worker_ns_.load_relaxed();
  w.assist_ns = assist_ns_.load_relaxed();
  w.cpu_ns = (now() - record.mark_start_ns) * procs();
  w.forced = record.waited;
  record.worker_ns = w.worker_ns;
  record.assist_ns = w.assist_ns;
  record.heap_end = heap->live_bytes();
  record.heap_marked = w.marked + w.allocated;
}

void CollectorImpl::end_mark_stw(ProcGc*) {
  validate_stw(/*swept=*/false);
  // The phase first, then the Ps, as in start_cycle.
  set_phase(Phase::kMark, Phase::kSettle);
  world.for_each_p_stw(
      world.ctx,
      [](void* arg, ProcGc* q) {
        auto* c = static_cast<CollectorImpl*>(arg);
        q->barrier_on = 0;
        c->heap->mcache_settle(q);
        CycleWork& w = c->record.work;
        w.marked += q->worker.marked_bytes;
        w.scanned += q->worker.scanned_bytes;
        w.stacks += q->whole_stack_bytes;
        w.roots += q->root_bytes;
      },
      this);
  audit_stw();
  check_mark_stw();
  check_words_stw();
  end_record_stw();
  heap->set_live_bytes_stw(record.heap_marked);
  last_live_.store_relaxed(record.heap_end);
  last_in_use_.store_relaxed(heap->pages_in_use() << heap::kPageShift);
  pacer.set_external(external());
  pacer.end_cycle(record.work);
  if (record.work.allocated != 0) totals.concurrent.fetch_add_relaxed(1);
  heap->begin_sweep_stw();
  begin_settle_stw();
  apply_memory_limit(LimitLook::kInStop);  // dead cells are not waste
}

bool CollectorImpl::terminate_locked(ProcGc* p) {
  // ORDER-drainers-1: pairs with drain(): who left has published or kept its
  // work in its P, where the ragged barrier finds it.
  if (drainers_.load_acquire() != 0 || work.has_work() || !roots_done()) {
    return false;
  }
  if (TRI_UNLIKELY(!weak.deferred.empty())) return trace_deferred(p);
  // Once all markers ask for keys no barrier is needed for the next pairs: a
  // chain whose links turn up one by one would have one for each.
  if (TRI_UNLIKELY(!weak.resolved()) && weak.keys_asked) {
    resolve_locked(p);
    return true;
  }
  if (!flush_work_locked(p)) return false;
  if (TRI_UNLIKELY(!weak.resolved())) {
    weak.keys_asked = weak.keys_begun;
    resolve_locked(p);
    return true;
  }
  StopTimes stop{};
  if (!world.try_stop(world.ctx, p, &stop)) return false;
  bool done = recheck_stw(p);
  if (done) end_mark_stw(p);
  uint64_t end = world.start(world.ctx, p);
  record.stop2_ns += note_stop(stop, end);
  record.ttsp2_ns += stop.stopped_ns - stop.requested_ns;
  if (!done) return false;
  record.mark_end_ns = stop.requested_ns;
  record.end_ns = end;
  record.idle_ns = totals.idle_ns.load_relaxed() - record.idle_before;
  totals.mark_wall_ns.fetch_add_relaxed(record.mark_end_ns -
                                        record.mark_start_ns);
  emit(p, record.stop2_ns, record.ttsp2_ns);
  return true;
}

void CollectorImpl::finish_sweep_locked(ProcGc* p) {
  totals.live_bytes.store_relaxed(
      heap->sweep_stats().live_bytes.load_relaxed());
  totals.live_cells.store_relaxed(
      heap->sweep_stats().live_cells.load_relaxed());
  // What the dead held outside the heap is gone by now.
  pacer.set_external(external());
  apply_memory_limit(LimitLook::kNow);
  totals.cycles.fetch_add_relaxed(1);
  if (record.forced) totals.forced.fetch_add_relaxed(1);
  publish_cycle();
  set_phase(Phase::kSweep, Phase::kIdle);
  emit(p, 0, 0);
  work.trim();
  heap->scavenge_paced(clock);
  if (world.watch != nullptr) world.watch(world.ctx);
  // ORDER-completed-1: pairs with collect(): the swept heap comes first.
  const uint64_t freed = record.heap_end > record.heap_marked
                             ? record.heap_end - record.heap_marked
                             : 0;
  last_freed_.store_relaxed(heap->revived() != 0 ? UINT64_MAX : freed);
  completed_.store_release(cycle_.load_relaxed());
}

bool CollectorImpl::advance(ProcGc* p) {
  if (!try_advance()) return false;
  bool moved = false;
  switch (phase()) {
    case Phase::kIdle:
      break;
    case Phase::kMark:
      moved = terminate_locked(p);
      break;
    case Phase::kSettle:
      moved = true;
      if (settle_some(p) && check_phase_end(p, /*swept=*/false)) {
        roots.reclaim();
        set_phase(Phase::kSettle, Phase::kFlush);
        emit(p, 0, 0);
      }
      break;
    case Phase::kFlush:
      moved = world.try_ragged_barrier(
          world.ctx, p,
          [](void* arg, ProcGc* q, RootOwner*) {
            static_cast<CollectorImpl*>(arg)->heap->mcache_flush(q);
          },
          this);
      // Again if it cannot be checked now: it has no more to flush.
      moved = moved && check_phase_end(p, /*swept=*/false);
      if (moved) {
        heap->allow_sweep();
        set_phase(Phase::kFlush, Phase::kSweep);
        emit(p, 0, 0);
        trace_cycle();
        trace_pacer();
      }
      break;
    case Phase::kSweep:
      moved = heap->all_swept() && check_phase_end(p, /*swept=*/true);
      if (moved) finish_sweep_locked(p);
      break;
  }
  end_advance_and_wake();
  return moved;
}

/// Against a P that goes idle:
///
///   here                              go_idle()
///   1. advancing_ = 0                 1. counts itself among the idle Ps
///   2. fence                          2. any_work(): advancing_
///   3. wake_for_gc(): are Ps idle?
///
/// The right side is seq_cst: it sees the 0, or is seen.
void CollectorImpl::end_advance_and_wake() {
  end_advance();
  base::fence_seq_cst();
  if (has_idle_work()) world.wake_for_gc(world.ctx);
}

}  // namespace tricolor::gc
