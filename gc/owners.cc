// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Scanning the Gs' stacks. A marker takes them in pieces of 32 indexes. What it
// cannot finish in its turn it leaves:
//
//   left.deep      began, or not: a value stack takes milliseconds. Any marker
//                  goes on with it, piece by piece.
//   left.running   runs, or another marker has it. Looked at again behind the
//                  next ragged barrier, which has scanned what was running.
//
// Why none is lost: left.unscanned counts what was put on `deep` and has not
// been scanned since, nor put on `running`, so it is up also while somebody has
// it; see roots_done(). What is on `running` recheck_stw() asks for.
//
// The scan bit is up during a turn, and down in between: what was scanned stays
// so until the owner runs, which forgets it. One that has run meanwhile is
// scanned whole the next time, so that a mark ends; and one that scans itself
// at a safepoint cannot but do it whole. A coroutine that is listed may be
// resumed, which scans the rest of it, and end, and its index be another G's by
// then: to scan that one harms nobody.
#include "base/check.h"
#include "gc/collector_impl.h"
#include "gc/scan.h"

namespace tricolor::gc {

namespace {

// Of a value stack, between two looks around: some 10 us.
constexpr size_t kStackPieceWords = 4096;
constexpr uint64_t kRetryNs = 50 * 1000;

/// Of its value stack.
size_t value_words(const RootOwner* owner) {
  const tri_value_stack* vs = owner->mu.value_stack;
  return vs == nullptr ? 0 : static_cast<size_t>(vs->top - vs->base);
}

/// Of one that is hardly used the owner is asked for a smaller one: see
/// sched/value_stack.h. The caller is its owner, or has its scan bit.
void ask_to_shrink(const RootOwner* owner) {
  constexpr ptrdiff_t kLeastWords = 1024;
  tri_value_stack* vs = owner->mu.value_stack;
  if (TRI_LIKELY(vs == nullptr) || vs->grows == 0) return;
  const ptrdiff_t words = vs->limit - vs->base;
  if (words > kLeastWords && vs->top - vs->base < words / 4) {
    vs->limit = vs->base;
  }
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

bool LeftGs::init() {
  base::LockGuard guard(lock);
  return deep.init(kMost) && running.init(kMost);
}

void LeftGs::release() {
  base::LockGuard guard(lock);
  deep.release();
  running.release();
}

void LeftGs::begin_cycle_stw() {
  base::LockGuard guard(lock);
  TRI_CHECK(
      deep.empty() && running.empty() && !all && unscanned.load_relaxed() == 0,
      "a mark has ended with stacks that nobody scanned");
}

void LeftGs::put_deep(uint64_t index) {
  base::LockGuard guard(lock);
  if (!deep.push_back(index)) {
    all = true;
    // ORDER-left-1: pairs with roots_done(); then `all` stands for it.
    unscanned.fetch_sub_release(1);
  }
  waiting.store_relaxed(deep.size());
}

bool LeftGs::take_deep(uint64_t* index) {
  if (waiting.load_relaxed() == 0) return false;
  base::LockGuard guard(lock);
  if (deep.empty()) return false;
  *index = deep.pop_back();
  waiting.store_relaxed(deep.size());
  return true;
}

void LeftGs::put_running(uint64_t index) {
  base::LockGuard guard(lock);
  if (!running.push_back(index)) all = true;
}

bool LeftGs::nothing_left() {
  base::LockGuard guard(lock);
  return running.empty() && !all;
}

/// What is no value stack.
void CollectorImpl::scan_owner_words(ProcGc* p, RootOwner* owner) {
  MarkWorker& w = p->worker;
  each_owner_range(owner, [&w](const uint64_t* words, size_t n) {
    w.add_words(kRawPointers, words, n);
  });
  p->stack_bytes += stack_bytes_of(owner) - value_words(owner) * sizeof(void*);
  const size_t native = visit_native_roots(
      owner,
      [](void* worker, void* cell) {
        static_cast<MarkWorker*>(worker)->add(cell);
      },
      &w);
  p->stack_bytes += native;
  p->whole_stack_bytes += native;
}

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
    const size_t rest = words - from;
    const size_t n = rest < kStackPieceWords ? rest : kStackPieceWords;
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
  p->whole_stack_bytes += stack_bytes_of(owner);
  ask_to_shrink(owner);
  // ORDER-scanned-1: pairs with readers of scanned_cycle in sched: black only
  // after the whole stack was scanned.
  owner->scanned_cycle.store_release(now_cycle);
  return true;
}

void CollectorImpl::scan_owner(ProcGc* p, RootOwner* owner) {
  scan_owner_until(p, owner, nullptr);
}

/// By the trace function of a cell that has an owner, a coroutine, whose scan
/// bit is up. A marker scans the first piece of a deep stack and leaves the
/// rest; whoever else traces, and a marker in a stop, sees all of it.
void CollectorImpl::trace_owner(TracerImpl* t, RootOwner* owner,
                                uint64_t index) {
  // The second mark and verify_heap() trace, too, and blacken nothing.
  const bool marks = t->marks && phase() == Phase::kMark;
  const uint32_t now_cycle = cycle_.load_relaxed();
  if (marks && owner->scanned_cycle.load_relaxed() == now_cycle) return;
  const auto visit = [t](void* cell) { t->visit(t, cell); };
  each_owner_range(owner, [&visit](const uint64_t* words, size_t n) {
    scan_pointers(words, n, visit);
  });
  const size_t native = visit_native_roots(
      owner,
      [](void* tracer, void* cell) {
        auto* self = static_cast<TracerImpl*>(tracer);
        self->visit(self, cell);
      },
      t);
  const size_t words = value_words(owner);
  const bool whole = words <= kStackPieceWords || !marks ||
                     static_cast<MarkWorker*>(t)->is_stopped();
  if (words != 0) {
    const tri_value_stack* vs = owner->mu.value_stack;
    scan_encoded(
        heap->layouts().encoding(static_cast<EncodingId>(vs->encoding)),
        vs->base, whole ? words : kStackPieceWords, visit);
  }
  if (!marks) return;
  traced_stack_bytes_.fetch_add_relaxed(native);
  if (whole) {
    traced_stack_bytes_.fetch_add_relaxed(stack_bytes_of(owner));
    ask_to_shrink(owner);
    // ORDER-scanned-1: as above. The edges are with the marker, which is grey.
    owner->scanned_cycle.store_release(now_cycle);
    return;
  }
  owner->partial_cycle = now_cycle;
  owner->partial_pieces = 1;
  left.unscanned.fetch_add_relaxed(1);  // before terminate_locked() sees us go
  left.put_deep(index);
}

CollectorImpl::Scan CollectorImpl::scan_g(ProcGc* p, uint64_t index,
                                          uint64_t deadline_ns,
                                          bool suspended) {
  RootOwner* owner = nullptr;
  switch (world.claim_g(world.ctx, index, cycle_.load_relaxed(), suspended,
                        &owner)) {
    case Claim::kSkip:
      return Scan::kWhole;
    case Claim::kRunning:
      return Scan::kRunning;
    case Claim::kClaimed: {
      const bool whole = scan_owner_until(p, owner, &deadline_ns);
      world.release_g(world.ctx, owner);
      return whole ? Scan::kWhole : Scan::kPartly;
    }
  }
  return Scan::kWhole;
}

/// Gs [from, to).
void CollectorImpl::scan_gs(ProcGc* p, uint64_t from, uint64_t to,
                            uint64_t deadline_ns) {
  constexpr uint64_t kLookBytes = kStackPieceWords * sizeof(uint64_t);
  uint64_t looked_at = p->stack_bytes;
  bool late = false;
  for (uint64_t i = from; i < to; ++i) {
    const Scan scan =
        late ? Scan::kPartly : scan_g(p, i, deadline_ns, /*suspended=*/false);
    if (scan == Scan::kRunning) left.put_running(i);
    if (scan == Scan::kPartly) {
      // Before roots_busy_ goes down.
      left.unscanned.fetch_add_relaxed(1);
      left.put_deep(i);
    }
    if (late || p->stack_bytes - looked_at < kLookBytes) continue;
    looked_at = p->stack_bytes;
    late = p->request.load_relaxed() != 0 || now() >= deadline_ns;
  }
}

bool CollectorImpl::scan_left(ProcGc* p, uint64_t deadline_ns) {
  uint64_t index;
  if (!left.take_deep(&index)) return false;
  const Scan scan = scan_g(p, index, deadline_ns, /*suspended=*/true);
  if (scan == Scan::kPartly) {
    left.put_deep(index);
    return true;
  }
  if (scan == Scan::kRunning) left.put_running(index);
  // ORDER-left-1: pairs with roots_done().
  left.unscanned.fetch_sub_release(1);
  return true;
}

/// After a ragged barrier: the Gs that were running when their turn came have
/// been scanned by it, or stopped running since and are scanned now. False if
/// one still cannot be claimed, or not all of it be scanned in a short time.
bool CollectorImpl::retry_gs(ProcGc* p) {
  const uint64_t deadline = now() + kRetryNs;
  bool done = true;
  for (;;) {
    uint64_t index;
    {
      base::LockGuard guard(left.lock);
      if (left.all) {
        // More than the lists hold: all of them once more, from the start.
        left.all = false;
        g_cursor_.store_relaxed(0);
        done = false;
      }
      if (left.running.empty()) break;
      index = left.running.pop_back();
    }
    const bool late = p->request.load_relaxed() != 0 || now() >= deadline;
    const Scan scan =
        late ? Scan::kPartly : scan_g(p, index, deadline, /*suspended=*/true);
    if (scan == Scan::kWhole) continue;
    done = false;
    if (scan == Scan::kPartly) {
      left.unscanned.fetch_add_relaxed(1);
      left.put_deep(index);  // for drain(), which any marker enters
      continue;
    }
    left.put_running(index);
    break;  // the next round's ragged barrier comes first
  }
  if (p->worker.publish()) flushed_.fetch_add_relaxed(1);
  return done;
}

}  // namespace tricolor::gc
