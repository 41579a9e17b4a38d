// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Weak cells: making, reading, settling.
//
// Why a read never resurrects: while marking, a read shades its target, so the
// target is marked before strong marking can end (the reader's P takes part in
// the ragged barrier). From stop 2 until the list is settled (phase kSettle), a
// read answers null for a target whose byte != cur. Afterwards dead targets
// have been nulled. No span is swept before the handshake that follows, so a
// reader between its phase test and its use of the byte is not overtaken.
#include "tricolor/weak.h"
#include "base/check.h"
#include "gc/collector_impl.h"
#include "gc/runtime_base.h"
#include "gc/weak_list.h"
#include "tricolor/allocate.h"

namespace tricolor::gc {

void WeakList::add(void* weak_cell) {
  auto* cell = static_cast<WeakCell*>(weak_cell);
  uint64_t expected = 0;
  if (!__atomic_compare_exchange_n(&cell->link, &expected, kEnd, false,
                                   __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
    return;  // another marker has it
  }
  uint64_t head = head_.load_relaxed();
  do {
    base::store_relaxed(&cell->link, head);
    // ORDER-weak-1: pairs with settle(): the link is written before the head.
  } while (!head_.compare_exchange_weak_release(
      head, reinterpret_cast<uint64_t>(cell)));
}

bool WeakList::settle(heap::Heap* heap, WeakTargets* targets, size_t limit) {
  // ORDER-weak-1: pairs with add().
  uint64_t at = head_.load_acquire();
  for (size_t n = 0; at != kEnd && n < limit; ++n) {
    auto* cell = reinterpret_cast<WeakCell*>(at);
    at = base::load_relaxed(&cell->link);
    auto* target = reinterpret_cast<void*>(base::load_relaxed(&cell->target));
    size_t offset = heap->space().offset_of(target);
    if (target != nullptr && offset < heap->space().committed_bytes() &&
        base::load_relaxed(heap->space().mark_of(offset)) != heap->cur()) {
      // ORDER-weak-2: pairs with tri_detail_weak_load.
      base::store_release(&cell->target, uint64_t{0});
      targets->remove(target);
    }
    base::store_relaxed(&cell->link, uint64_t{0});
  }
  head_.store_relaxed(at);
  return at == kEnd;
}

void* CollectorImpl::weak_load(ProcGc* p, const WeakCell* cell) {
  // ORDER-weak-2: pairs with settle(): a cleared target reads as null.
  auto* target = reinterpret_cast<void*>(base::load_acquire(&cell->target));
  if (target == nullptr) return nullptr;
  if (p->barrier_on != 0) {
    shade_from_mutator(p, target);
    return target;
  }
  // ORDER-phase-1: pairs with set_phase(): who reads kSweep or kIdle re-reads
  // the target, which is settled.
  if (phase() != Phase::kSettle) {
    return reinterpret_cast<void*>(base::load_acquire(&cell->target));
  }
  size_t offset = heap->space().offset_of(target);
  if (offset >= heap->space().committed_bytes()) return target;
  bool alive = base::load_relaxed(heap->space().mark_of(offset)) == heap->cur();
  return alive ? target : nullptr;
}

}  // namespace tricolor::gc

namespace tricolor::detail {

void* make_weak(Mutator& mu, void* target) {
  if (TRI_UNLIKELY(mu.p == nullptr)) gc::misuse_in_native("make_weak");
  gc::CollectorImpl* c = gc::proc_of(&mu)->collector->impl();
  gc::WeakCell* cell;
  {
    Scope<1> scope(mu);
    *scope.take() = target;
    cell = static_cast<gc::WeakCell*>(
        tricolor::try_allocate(mu, c->weak_layout, sizeof(gc::WeakCell)));
  }
  if (TRI_UNLIKELY(cell == nullptr)) gc::out_of_memory(mu, sizeof(*cell));
  c->weak_targets.add(target);
  base::store_relaxed(&cell->target, reinterpret_cast<uint64_t>(target));
  // Born black while marking, so no marker will report it.
  if (mu.barrier_on != 0) c->weak_list.add(cell);
  return cell;
}

}  // namespace tricolor::detail

extern "C" void* tri_detail_weak_load(tri_mutator* mu, void* const* slot) {
  if (TRI_UNLIKELY(mu->p == nullptr)) {
    tricolor::gc::misuse_in_native("Weak::load");
  }
  tricolor::gc::ProcGc* p = tricolor::gc::proc_of(mu);
  return p->collector->impl()->weak_load(
      p, reinterpret_cast<const tricolor::gc::WeakCell*>(slot));
}
