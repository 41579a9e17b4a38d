// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Marking on one P: local work, then the global list, then roots, then the P's
// own barrier buffer. Returns between small batches when the P is wanted.
#include "base/check.h"
#include "gc/collector_impl.h"

namespace tricolor::gc {

namespace {
constexpr size_t kBatchBytes = 8 * 1024;  // scanned between two looks around
constexpr uint64_t kGsPerPiece = 32;

/// What this P has done of the cycle's work.
uint64_t work_of(const ProcGc* p) {
  return p->worker.scanned_bytes + p->stack_bytes + p->root_bytes;
}

}  // namespace

bool CollectorImpl::take_root_piece(ProcGc* p, uint64_t deadline_ns) {
  uint64_t jobs = roots.job_count();
  roots_busy_.fetch_add_acq_rel(1);
  bool took = true;
  if (job_cursor_.load_relaxed() < jobs) {
    // ORDER-roots-cursor-1: pairs with roots_done(): busy is up before a piece
    // is gone.
    uint64_t job = job_cursor_.fetch_add_release(1);
    if (job < jobs) {
      roots.scan_job(
          job,
          [](void* arg, const uint64_t* words, size_t n, EncodingId encoding) {
            auto* q = static_cast<ProcGc*>(arg);
            q->root_bytes += n * sizeof(uint64_t);
            q->worker.add_words(encoding, words, n);
          },
          p);
      p->worker.mark_edges();
    }
  } else if (!finalizers.roots_taken()) {
    void* cells[256];
    const size_t n = finalizers.take_roots(cells, 256);
    p->worker.shade_all(cells, n);
  } else if (g_cursor_.load_relaxed() < g_limit_) {
    uint64_t from = g_cursor_.fetch_add_release(kGsPerPiece);
    uint64_t to = from + kGsPerPiece < g_limit_ ? from + kGsPerPiece : g_limit_;
    scan_gs(p, from, to, deadline_ns);
  } else {
    took = scan_left(p, deadline_ns);
  }
  // ORDER-roots-busy-1: pairs with roots_done(): what was taken is scanned.
  roots_busy_.fetch_sub_release(1);
  return took;
}

bool CollectorImpl::roots_done() {
  // The cursors first. ORDER-roots-cursor-1: pairs with take_root_piece(): who
  // sees a piece gone sees its taker busy; ORDER-roots-busy-1: or finished, and
  // what it has left. ORDER-left-1: then who has scanned that has listed what
  // it could not.
  return finalizers.roots_taken() &&
         job_cursor_.load_acquire() >= roots.job_count() &&
         g_cursor_.load_acquire() >= g_limit_ &&
         roots_busy_.load_acquire() == 0 && left.unscanned.load_acquire() == 0;
}

void CollectorImpl::feed_the_hungry(ProcGc* p) {
  if (hungry_.load_relaxed() == 0) return;
  p->worker.balance();
  if (!work.has_work() && left.waiting.load_relaxed() == 0) return;
  hungry_.store_relaxed(0);
  world.wake_for_gc(world.ctx);
}

size_t CollectorImpl::drain(ProcGc* p, uint64_t deadline_ns, size_t budget,
                            bool* dry) {
  MarkWorker& w = p->worker;
  drainers_.fetch_add_acq_rel(1);
  const size_t batch = options.smallbuffers ? 1 : kBatchBytes;
  const uint64_t before = work_of(p);
  *dry = false;
  for (;;) {
    size_t n = w.scan_some(batch);
    if (TRI_UNLIKELY(options.smallbuffers)) w.publish();
    if (p->request.load_relaxed() != 0) break;
    if (work_of(p) - before >= budget) break;
    if (n != 0) {
      feed_the_hungry(p);
      if (now() >= deadline_ns) break;
      continue;
    }
    if (w.take_global() || take_root_piece(p, deadline_ns)) {
      if (now() >= deadline_ns) break;
      continue;
    }
    if (p->barrier_count != 0) {
      flush_barrier(p);
      continue;
    }
    *dry = true;
    break;
  }
  const size_t done = work_of(p) - before;
  scanned_.fetch_add_relaxed(done);
  if (*dry) hungry_.store_relaxed(1);
  // ORDER-drainers-1: pairs with terminate_locked().
  drainers_.fetch_sub_release(1);
  if (!*dry) feed_the_hungry(p);
  return done;
}

/// Without idle workers a P that has nothing else to do leaves marking to the
/// Ps' shares, its own included, but for the end of a mark, which is short.
bool CollectorImpl::has_idle_work() const {
  if (options.idle_workers || phase() != Phase::kMark) return has_work();
  return advancing_.load_seq_cst() == 0 && drainers_.load_relaxed() == 0 &&
         !work.has_work() && g_cursor_.load_relaxed() >= g_limit_ &&
         left.waiting.load_relaxed() == 0 &&
         job_cursor_.load_relaxed() >= roots.job_count();
}

// That a phase may end is work for one. While somebody is at it, who may wait
// there for a task that does not poll, the others are to sleep; advance() wakes
// one of them when it is through. The load is seq_cst: see there.
bool CollectorImpl::has_work() const {
  const bool may_advance = advancing_.load_seq_cst() == 0;
  switch (phase()) {
    case Phase::kIdle:
      return cycle_wanted();
    case Phase::kMark:
      return work.has_work() || g_cursor_.load_relaxed() < g_limit_ ||
             job_cursor_.load_relaxed() < roots.job_count() ||
             left.waiting.load_relaxed() != 0 ||
             (may_advance && drainers_.load_relaxed() == 0);
    case Phase::kSettle:
    case Phase::kFlush:
      return may_advance;
    case Phase::kSweep:
      return heap->may_sweep() || (may_advance && heap->unswept_spans() == 0);
  }
  return false;
}

}  // namespace tricolor::gc
