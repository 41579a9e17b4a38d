// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Where mutators meet the collector: before a refill, in a forced collection,
// in step(), and as workers on idle or lent Ps.
//
// Every function that takes a Mutator is a safepoint: the G may come back on
// another P, so `p` is read again after each poll.
#include "base/check.h"
#include "base/os_memory.h"
#include "gc/collector_impl.h"
#include "heap/callback.h"
#include "tricolor/allocate.h"

namespace tricolor::gc {

namespace {

constexpr uint64_t kSliceNs = 100 * 1000;  // a fractional worker's turn
constexpr size_t kAssistMinBytes = 16 * 1024;
constexpr double kMostOwed = 1e12;  // external bytes may be any number
constexpr size_t kLongObject = size_t{1} << 20;
constexpr uint64_t kMostForLongNs = 2'000'000;
constexpr uint64_t kMostAwaitNs = 10'000'000;
constexpr uint64_t kMostSweepRoom = uint64_t{16} << 20;
constexpr uint64_t kForcedQuantumNs = 1000 * 1000;

/// in_collector keeps a slice inside an assist from coming back in. The
/// embedder's trace functions run here: callbacks, see heap/callback.h. `mu`:
/// of the G that runs on the P, if one does. `counts`: with a memory limit the
/// CPU time in it is told to the limiter.
class CollectorScope {
 public:
  CollectorScope(ProcGc* p, tri_mutator* mu, bool counts) : p_(p), mu_(mu) {
    TRI_ASSERT(!p->in_collector && p->callback == nullptr);
    p->in_collector = true;
    p->callback = "a trace function";
    if (mu != nullptr) heap::hide_slots(p, mu);
    if (counts &&
        p->collector->impl()->memory_limit.bytes() != MemoryLimit::kNone) {
      begun_ns_ = base::os_thread_cpu_ns();
    }
  }
  ~CollectorScope() {
    p_->in_collector = false;
    p_->callback = nullptr;
    if (mu_ != nullptr) mu_->slots = p_->visible;
    if (begun_ns_ == 0) return;
    p_->collector->impl()->collecting_cpu_ns_.fetch_add_relaxed(
        base::os_thread_cpu_ns() - begun_ns_);
  }
  CollectorScope(const CollectorScope&) = delete;
  CollectorScope& operator=(const CollectorScope&) = delete;

 private:
  ProcGc* p_;
  tri_mutator* mu_;
  uint64_t begun_ns_ = 0;
};

}  // namespace

void misuse_in_collector(const char* call) {
  TRI_MISUSE(call,
             "called from inside the collector (a trace function, on_dead, a "
             "root callback); call it from a task or an attached thread");
}

uint64_t CollectorImpl::slice_ns() const {
  const bool bounded = options.assist_policy == AssistPolicy::kBounded;
  return bounded && options.assist_budget_ns < kSliceNs
             ? options.assist_budget_ns
             : kSliceNs;
}

/// By policy: kClassic pays all that is owed, kBounded for as long as the
/// budget lasts (looked at after each 8 KiB, each large piece and each root
/// job), and the rest stays owed until the next refill, or the end of the mark.
void CollectorImpl::assist(ProcGc* p, tri_mutator* mu, uint64_t allocated) {
  if (options.assist_policy == AssistPolicy::kOff) return;
  const bool bounded = options.assist_policy == AssistPolicy::kBounded;
  const double ratio =
      pacer.assist_ratio(paced_bytes(), scanned_.load_relaxed());
  if (!(ratio > 0)) {  // no goal to keep to: what was carried is dropped
    p->assist_debt_bytes = 0;
    return;
  }
  const double owed = static_cast<double>(allocated) * ratio;
  p->assist_debt_bytes +=
      static_cast<int64_t>(owed < kMostOwed ? owed : kMostOwed);
  if (p->assist_debt_bytes < static_cast<int64_t>(kAssistMinBytes)) return;
  int64_t credit = credit_.load_relaxed();
  if (credit > 0) {
    int64_t take =
        credit < p->assist_debt_bytes ? credit : p->assist_debt_bytes;
    credit_.fetch_sub_relaxed(take);  // may dip below 0 for a moment
    p->assist_debt_bytes -= take;
    if (p->assist_debt_bytes < static_cast<int64_t>(kAssistMinBytes)) return;
  }
  uint64_t start = now();
  bool dry = false;
  {
    CollectorScope scope(p, mu, /*counts=*/true);
    const uint64_t deadline =
        bounded ? start + options.assist_budget_ns : UINT64_MAX;
    size_t done =
        drain(p, deadline, static_cast<size_t>(p->assist_debt_bytes), &dry);
    assist_ns_.fetch_add_relaxed(now() - start);
    p->assist_debt_bytes -= static_cast<int64_t>(done);
    if (dry) {
      p->assist_debt_bytes = 0;
      advance(p);
    }
  }
  uint64_t spent = now() - start;
  totals.assist_ns.fetch_add_relaxed(spent);
  totals.gc_ns.fetch_add_relaxed(spent);
  poll(*mu);
  if (dry && !bounded) await_others(mu);
}

/// Nothing is left to take, but the mark is not over: what is grey lies with a
/// P that marks or is about to be asked for it, and the OS may have another
/// thread run in its place. Whoever allocates on meanwhile pays nothing, so at
/// the goal it waits, for a while, and takes its share of what turns up.
void CollectorImpl::await_others(tri_mutator* mu) {
  const uint64_t deadline = now() + kMostAwaitNs;
  while (phase() == Phase::kMark && paced_bytes() >= pacer.goal() &&
         now() < deadline) {
    if (!run_worker(proc_of(mu), mu, kSliceNs)) world.relax(world.ctx, mu);
    poll(*mu);
  }
}

/// A piece, if nobody is at it. Nothing is swept before the last one, and what
/// there is to settle can grow with what is allocated (finalizers): whoever is
/// past the trigger by now waits for the end, as at the goal of a mark.
void CollectorImpl::assist_settling(ProcGc* p, tri_mutator* mu) {
  const uint64_t start = now();
  {
    CollectorScope scope(p, mu, /*counts=*/true);
    advance(p);
  }
  const uint64_t spent = now() - start;
  totals.gc_ns.fetch_add_relaxed(spent);
  if (options.assist_policy == AssistPolicy::kOff) return;
  totals.assist_ns.fetch_add_relaxed(spent);
  if (options.assist_policy != AssistPolicy::kClassic) return;
  const uint64_t deadline = now() + kMostAwaitNs;
  while ((phase() == Phase::kSettle || phase() == Phase::kFlush) &&
         paced_bytes() >= pacer.trigger() && now() < deadline) {
    if (!run_worker(proc_of(mu), mu, kSliceNs)) world.relax(world.ctx, mu);
    poll(*mu);
  }
}

/// Sweeps in proportion: all spans before heap_live reaches the trigger. What
/// refills swept for themselves counts: memory is best swept by who is about to
/// use it, and a program that keeps allocating does little else.
void CollectorImpl::sweep_share(ProcGc* p, tri_mutator* mu,
                                uint64_t allocated) {
  uint64_t left = heap->unswept_spans();
  uint64_t live = paced_bytes();
  uint64_t trigger = pacer.trigger();
  uint64_t room = trigger > live ? trigger - live : 0;
  // Also when the next cycle is far, or never: dead cells are waited for.
  const uint64_t most = pacer.marked_bytes() + kMostSweepRoom;
  if (room > most) room = most;
  uint64_t share_x256 = left * 256;
  if (allocated < room) {
    share_x256 = static_cast<uint64_t>(static_cast<double>(share_x256) *
                                       static_cast<double>(allocated) /
                                       static_cast<double>(room));
  }
  // The last ones, too, come to their turn: one for each 256 KiB at least.
  if (share_x256 < allocated / 1024) share_x256 = allocated / 1024;
  p->sweep_debt_x256 +=
      static_cast<int64_t>(share_x256) - int64_t{p->swept_spans} * 256;
  p->swept_spans = 0;
  // What was swept ahead is soon forgotten: the share grows as room shrinks.
  if (p->sweep_debt_x256 < -4096) p->sweep_debt_x256 = -4096;
  if (p->sweep_debt_x256 <= 0 && !heap->all_swept()) return;
  uint64_t start = now();
  CollectorScope scope(p, mu, /*counts=*/false);
  // The rest with the next refills: a goal that has come down, or one array as
  // large as the room, must not make one allocation sweep the heap. They still
  // sweep many times as fast as they allocate.
  heap::SweepBudget budget(p);
  for (; p->sweep_debt_x256 > 0 && budget.take(); p->sweep_debt_x256 -= 256) {
    if (heap->sweep_one(p) == 0) break;
  }
  totals.gc_ns.fetch_add_relaxed(now() - start);
  if (heap->all_swept()) advance(p);
}

/// An object of more than a MiB that does not fit under the goal: what the
/// cycle under way will free is worth some slices, else a few of them pass the
/// goal many times over before a small heap's cycle is through. Not while
/// others have what there is to do.
void CollectorImpl::finish_for_long(tri_mutator* mu, size_t bytes) {
  if (options.assist_policy == AssistPolicy::kOff) return;
  const bool bounded = options.assist_policy == AssistPolicy::kBounded;
  const uint64_t deadline =
      now() + (bounded ? options.assist_budget_ns : kMostForLongNs);
  int rests = 0;
  while (phase() != Phase::kIdle && now() < deadline && rests < 4) {
    const uint64_t goal = pacer.goal();
    const uint64_t used = paced_bytes();
    if (used < goal && bytes <= goal - used) return;
    if (!run_worker(proc_of(mu), mu, slice_ns())) {
      world.relax(world.ctx, mu);
      ++rests;
    }
    poll(*mu);
  }
}

void CollectorImpl::before_refill(tri_mutator* mu, size_t bytes, bool object) {
  TRI_ASSERT(proc_of(mu)->callback == nullptr, "a safepoint inside a callback");
  poll(*mu);
  ProcGc* p = proc_of(mu);
  if (TRI_UNLIKELY(p->in_collector)) misuse_in_collector("allocate");
  uint64_t allocated =
      bytes +
      static_cast<uint64_t>(p->unsettled_bytes > 0 ? p->unsettled_bytes : 0);
  heap->mcache_settle(p);
  check_memory_limit();
  switch (phase()) {
    case Phase::kIdle: {
      // For the first cycle to come for its age, too.
      if (TRI_UNLIKELY(watched_.load_relaxed() == 0)) {
        watched_.store_relaxed(1);
        if (options.period_ns != 0 && world.watch != nullptr) {
          world.watch(world.ctx);
        }
      }
      bool stress = options.gcstress != 0 &&
                    refills_.fetch_add_relaxed(1) % options.gcstress == 0;
      if (stress || cycle_wanted() || paced_bytes() >= pacer.trigger()) {
        start_cycle_of(mu, /*wait=*/false);
      }
      break;
    }
    case Phase::kMark:
      assist(p, mu, allocated);
      break;
    case Phase::kSettle:
    case Phase::kFlush:
      assist_settling(p, mu);
      break;
    case Phase::kSweep:
      sweep_share(p, mu, allocated);
      break;
  }
  if (object && bytes >= kLongObject) finish_for_long(mu, bytes);
  p = proc_of(mu);
  // Not to sweep: the share above sees to that.
  Phase at = phase();
  if (at != Phase::kIdle && at != Phase::kSweep && self->worker_due(p, now())) {
    run_worker(p, mu, slice_ns());
  }
  poll(*mu);
}

bool CollectorImpl::start_cycle_of(tri_mutator* mu, bool wait) {
  ProcGc* p = proc_of(mu);
  CollectorScope scope(p, mu, /*counts=*/true);
  return start_cycle(p, wait);
}

bool CollectorImpl::run_worker(ProcGc* p, tri_mutator* mu, uint64_t budget_ns,
                               bool idle) {
  if (p->in_collector) return false;
  CollectorScope scope(p, mu, /*counts=*/!idle);
  uint64_t start = now();
  uint64_t deadline = start + budget_ns;
  bool more = true;
  while (more && p->request.load_relaxed() == 0) {
    Phase at = phase();
    if (at == Phase::kIdle) {
      more = cycle_wanted() && start_cycle(p, /*wait=*/false);
    } else if (at == Phase::kMark) {
      bool dry = false;
      const uint64_t from = now();
      credit_.fetch_add_relaxed(
          static_cast<int64_t>(drain(p, deadline, SIZE_MAX, &dry)));
      worker_ns_.fetch_add_relaxed(now() - from);
      if (dry) more = advance(p) || work.has_work();
    } else if (at == Phase::kSweep) {
      heap::SweepBudget some(p);
      bool any = true;
      while (any && some.take()) any = heap->sweep_one(p) != 0;
      // Nothing to take: all is swept, or others hold the last spans.
      if (!any && (heap->all_swept() || !heap->may_sweep())) {
        more = heap->all_swept() && advance(p);
      }
    } else {
      more = advance(p);
    }
    if (now() >= deadline) break;
  }
  uint64_t end = now();
  totals.gc_ns.fetch_add_relaxed(end - start);
  if (idle) totals.idle_ns.fetch_add_relaxed(end - start);
  heap->drain_freed_pages(p);  // others may want them, or the scavenger
  // By default a quarter of this P's time: three times as long off as on, and
  // at least half a slice, so that a dry worker does not come back at once.
  const uint64_t share = options.worker_percent;
  uint64_t off = share == 0 ? 0 : (end - start) * (100 - share) / share;
  p->slice_end_ns = end + (off > kSliceNs / 2 ? off : kSliceNs / 2);
  return more;
}

void CollectorImpl::collect(tri_mutator* mu) {
  heap::check_no_callback(proc_of(mu), "collect");
  run_until_completed(mu, cycle_.load_relaxed() + 1);
}

void CollectorImpl::run_until_completed(tri_mutator* mu, uint32_t want) {
  // ORDER-completed-1: pairs with finish_sweep_locked().
  while (static_cast<int32_t>(completed_.load_acquire() - want) < 0) {
    poll(*mu);
    ProcGc* p = proc_of(mu);
    if (TRI_UNLIKELY(p->in_collector)) misuse_in_collector("collect");
    bool busy = phase() == Phase::kIdle ? start_cycle_of(mu, /*wait=*/true)
                                        : run_worker(p, mu, kForcedQuantumNs);
    if (!busy && static_cast<int32_t>(completed_.load_acquire() - want) < 0) {
      world.relax(world.ctx, mu);
    }
  }
}

void CollectorImpl::request_collect(tri_mutator* mu) {
  ProcGc* p = proc_of(mu);
  heap::check_no_callback(p, "request_collect");
  if (TRI_UNLIKELY(p->in_collector)) misuse_in_collector("request_collect");
  self->ask_for_cycle();
  if (phase() == Phase::kIdle && cycle_wanted()) start_cycle_of(mu, false);
  poll(*mu);
}

/// The cycle under way first, if there is one, which is often enough; then one
/// that began after the allocation was asked for, so that all that was dead by
/// then is gone. More only if that gave as much as is asked for and somebody
/// else has it, or if it revived cells: when these have been finalized, the
/// next one frees them.
bool CollectorImpl::collect_for_memory(tri_mutator* mu, size_t bytes,
                                       uint32_t begun, int attempt) {
  constexpr int kMostCycles = 3;
  if (attempt >= kMostCycles || proc_of(mu)->in_collector) return false;
  // ORDER-completed-1: pairs with finish_sweep_locked().
  const uint32_t done = completed_.load_acquire();
  if (static_cast<int32_t>(done - begun) > 0 &&
      last_freed_.load_relaxed() < bytes) {
    return false;
  }
  run_until_completed(mu, done + 1);
  return true;
}

}  // namespace tricolor::gc
