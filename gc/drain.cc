// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Marking on one P: local work, then the global list, then roots, then the P's
// own barrier buffer. Returns between small batches when the P is wanted.
#include "base/check.h"
#include "gc/collector_impl.h"
#include "gc/scan.h"

namespace tricolor::gc {

namespace {
constexpr size_t kBatchBytes = 8 * 1024;  // scanned between two looks around
constexpr uint64_t kGsPerPiece = 32;
// Of a value stack, between two looks around: some 10 us.
constexpr size_t kStackPieceWords = 4096;
constexpr uint64_t kRetryNs = 50 * 1000;

/// What this P has done of the cycle's work.
uint64_t work_of(const ProcGc* p) {
  return p->worker.scanned_bytes + p->stack_bytes + p->root_bytes;
}

/// Of its value stack.
size_t value_words(const RootOwner* owner) {
  const tri_value_stack* vs = owner->mu.value_stack;
  return vs == nullptr ? 0 : static_cast<size_t>(vs->top - vs->base);
}
}  // namespace

size_t stack_bytes_of(const RootOwner* owner) {
  void* const* top = owner->mu.shadow_top;
  ptrdiff_t slots = 0;
  for (ShadowChunk* c = owner->shadow_chunk; c != nullptr; c = c->prev) {
    slots += top - c->slots();
    top = c->saved_top;
  }
  slots += top - (owner->inline_slots + 1);
  return (static_cast<size_t>(slots) + value_words(owner)) * sizeof(void*);
}

/// What is no value stack.
void CollectorImpl::scan_owner_words(ProcGc* p, RootOwner* owner) {
  MarkWorker& w = p->worker;
  each_owner_range(owner, [&w](const uint64_t* words, size_t n) {
    w.add_words(kRawPointers, words, n);
  });
  p->stack_bytes += stack_bytes_of(owner) - value_words(owner) * sizeof(void*);
  p->stack_bytes += visit_native_roots(
      owner,
      [](void* worker, void* cell) {
        static_cast<MarkWorker*>(worker)->add(cell);
      },
      &w);
}

// A deep value stack takes milliseconds. Of an owner that is parked it is
// scanned piece by piece, and in between the scan bit is down: what was scanned
// stays so until the owner runs, which forgets it. One that has run meanwhile
// is scanned whole the next time, so that a mark ends; and one that scans
// itself at a safepoint cannot but do it whole.
bool CollectorImpl::scan_owner_until(ProcGc* p, RootOwner* owner,
                                     const uint64_t* deadline_ns) {
  const uint32_t now_cycle = cycle_.load_relaxed();
  if (owner->scanned_cycle.load_relaxed() == now_cycle) return true;
  const bool begun = owner->partial_cycle == now_cycle;
  size_t from = begun ? owner->partial_pieces * kStackPieceWords : 0;
  if (begun && from == 0) deadline_ns = nullptr;
  MarkWorker& w = p->worker;
  if (from == 0) scan_owner_words(p, owner);
  const size_t words = value_words(owner);
  while (from < words) {
    const tri_value_stack* vs = owner->mu.value_stack;
    const size_t left = words - from;
    const size_t n = left < kStackPieceWords ? left : kStackPieceWords;
    w.add_words(static_cast<EncodingId>(vs->encoding), vs->base + from, n);
    from += n;
    p->stack_bytes += n * sizeof(uint64_t);
    if (deadline_ns == nullptr || from == words) continue;
    if (p->request.load_relaxed() == 0 && now() < *deadline_ns) continue;
    w.mark_edges();
    owner->partial_cycle = now_cycle;
    owner->partial_pieces = static_cast<uint32_t>(from / kStackPieceWords);
    return false;
  }
  w.mark_edges();
  // ORDER-scanned-1: pairs with readers of scanned_cycle in sched: black only
  // after the whole stack was scanned.
  owner->scanned_cycle.store_release(now_cycle);
  return true;
}

void CollectorImpl::scan_owner(ProcGc* p, RootOwner* owner) {
  scan_owner_until(p, owner, nullptr);
}

bool CollectorImpl::scan_g(ProcGc* p, uint64_t index, uint64_t deadline_ns) {
  RootOwner* owner = nullptr;
  switch (world.claim_g(world.ctx, index, cycle_.load_relaxed(), &owner)) {
    case Claim::kSkip:
      return true;
    case Claim::kRunning:
      return false;
    case Claim::kClaimed: {
      const bool whole = scan_owner_until(p, owner, &deadline_ns);
      world.release_g(world.ctx, owner);
      return whole;
    }
  }
  return true;
}

/// Gs [from, to). What takes too long is left to retry_gs().
void CollectorImpl::scan_gs(ProcGc* p, uint64_t from, uint64_t to,
                            uint64_t deadline_ns) {
  constexpr uint64_t kLookBytes = kStackPieceWords * sizeof(uint64_t);
  uint64_t looked_at = p->stack_bytes;
  bool late = false;
  for (uint64_t i = from; i < to; ++i) {
    if (!late && scan_g(p, i, deadline_ns)) {
      if (p->stack_bytes - looked_at < kLookBytes) continue;
      looked_at = p->stack_bytes;
      late = p->request.load_relaxed() != 0 || now() >= deadline_ns;
      continue;
    }
    base::LockGuard guard(retry_lock);
    const bool ok = retry.push_back(i);
    TRI_CHECK(ok, "too many running Gs to retry");
  }
}

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
    took = false;
  }
  // ORDER-roots-busy-1: pairs with roots_done(): what was taken is scanned.
  roots_busy_.fetch_sub_release(1);
  return took;
}

bool CollectorImpl::roots_done() {
  // The cursors first. ORDER-roots-cursor-1: pairs with take_root_piece(): who
  // sees a piece gone sees its taker busy; ORDER-roots-busy-1: or finished.
  return finalizers.roots_taken() &&
         job_cursor_.load_acquire() >= roots.job_count() &&
         g_cursor_.load_acquire() >= g_limit_ &&
         roots_busy_.load_acquire() == 0;
}

/// After a ragged barrier: the Gs that were running when their turn came have
/// been scanned by it, or stopped running since and are scanned now, as is what
/// was left of deep stacks. False if one still cannot be claimed, or not all of
/// it be scanned in a short time.
bool CollectorImpl::retry_gs(ProcGc* p) {
  const uint64_t deadline = now() + kRetryNs;
  bool all = true;
  size_t n;
  {
    base::LockGuard guard(retry_lock);
    n = retry.size();
  }
  for (size_t k = 0; k < n; ++k) {
    uint64_t index;
    {
      base::LockGuard guard(retry_lock);
      index = retry.pop_back();
    }
    if (scan_g(p, index, deadline)) continue;
    all = false;
    base::LockGuard guard(retry_lock);
    retry.push_back(index);
    break;  // the next round's ragged barrier comes first
  }
  if (p->worker.publish()) flushed_.fetch_add_relaxed(1);
  return all;
}

void CollectorImpl::feed_the_hungry(ProcGc* p) {
  if (hungry_.load_relaxed() == 0) return;
  p->worker.balance();
  if (!work.has_work()) return;
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
