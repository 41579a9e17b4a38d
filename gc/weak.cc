// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Weak cells and words as mutators see them: making, reading, writing. What
// becomes of them: gc/settle.cc.
//
// Why a read never resurrects: while marking, a read shades its target, so the
// target is marked before strong marking can end (the reader's P takes part in
// the ragged barrier). From stop 2 until the phase ends (kSettle), a read
// answers null for a target whose byte says that it is dead. Afterwards dead
// targets have been cleared. No span is swept before the handshake that
// follows, so a reader between its phase test and its use of the byte is not
// overtaken.
//
// Why a store needs no deletion half: the word it overwrites did not keep its
// target alive, and whoever has read that target has shaded it. An ephemeron's
// value is another matter: with a live key it is part of the snapshot, so the
// old value is shaded. The new target, or key and value, are shaded as in any
// store; so whatever is put into a cell that was scanned before, or born black,
// outlives this cycle.
#include "tricolor/weak.h"

#include "base/check.h"
#include "gc/allocate_in_scope.h"
#include "gc/collector_impl.h"
#include "gc/runtime_base.h"
#include "gc/weak_words.h"
#include "heap/callback.h"
#include "heap/layout_check.h"
#include "tricolor/allocate.h"
#include "tricolor/finalizer.h"
#include "tricolor/global.h"
#include "tricolor/runtime.h"
#include "tricolor/weak_array.h"

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
        heap->is_dead(base::load_relaxed(heap->space().mark_of(offset)))) {
      // ORDER-weak-2: pairs with the weak reads.
      base::store_release(&cell->target, uint64_t{0});
      if (targets != nullptr) targets->remove(target);
    }
    base::store_relaxed(&cell->link, uint64_t{0});
  }
  head_.store_relaxed(at);
  return at == kEnd;
}

WeakAnswer CollectorImpl::weak_answer(ProcGc* p, void* cell) {
  if (p->barrier_on != 0) {
    if (p->worker.is_white(cell)) shade_from_mutator(p, cell);
    return WeakAnswer::kAlive;
  }
  // ORDER-phase-1: pairs with set_phase(): who reads kFlush or later reads a
  // word again that is settled.
  if (phase() != Phase::kSettle) return WeakAnswer::kSettled;
  return is_dead_target(cell) ? WeakAnswer::kDead : WeakAnswer::kAlive;
}

namespace {

CollectorImpl* collector_of(const tri_mutator* mu, const char* call) {
  if (TRI_UNLIKELY(mu->p == nullptr)) misuse_in_native(call);
  return proc_of(mu)->collector->impl();
}

LayoutId long_weak_layout(CollectorImpl* c) {
  auto id = static_cast<LayoutId>(c->long_weak_layout.load_relaxed());
  if (TRI_LIKELY(id != kInvalidLayout)) return id;
  LayoutSpec spec;
  spec.name = "tricolor.long_weak";
  spec.head_bytes = sizeof(WeakCell);
  // Of two at once the second gets the first one's id: the flags are its own.
  id = c->heap->layouts().add(spec, heap::kWeakCell | heap::kLong, nullptr);
  c->long_weak_layout.store_relaxed(id);
  return id;
}

void check_cell(CollectorImpl* c, const void* cell, const char* call) {
  if (TRI_LIKELY(c->heap->is_cell(cell))) return;
  TRI_MISUSE(call, "%p is not the start of a live cell of this runtime", cell);
}

}  // namespace

}  // namespace tricolor::gc

namespace tricolor {

namespace detail {

void* make_weak(Mutator& mu, void* target, bool is_long) {
  gc::CollectorImpl* c = gc::collector_of(&mu, "Weak::make");
  const LayoutId layout = is_long ? gc::long_weak_layout(c) : c->weak_layout;
  gc::WeakCell* cell = nullptr;
  if (TRI_LIKELY(layout != kInvalidLayout)) {
    const ScopeMark outside = scope_mark(mu);
    Scope<1> scope(mu);
    *scope.take() = target;
    cell = static_cast<gc::WeakCell*>(
        gc::try_allocate_in_scope(mu, outside, layout, sizeof(gc::WeakCell)));
  }
  if (TRI_UNLIKELY(cell == nullptr)) gc::out_of_memory(mu, sizeof(*cell));
  c->weak_targets.add(target);
  base::store_relaxed(&cell->target, reinterpret_cast<uint64_t>(target));
  // Born black while marking, so no marker will report it.
  if (gc::proc_of(&mu)->barrier_on != 0) {
    (is_long ? c->weak.long_cells : c->weak.cells).add(cell);
  }
  return cell;
}

void* make_weak_array(Mutator& mu, LayoutId layout, size_t n, size_t slot_bytes,
                      bool encoded) {
  gc::CollectorImpl* c = gc::collector_of(&mu, "WeakArray::make");
  using Strength = LayoutSpec::Strength;
  const heap::LayoutTable& layouts = c->heap->layouts();
  const bool known = layout < layouts.count();
  const bool pairs = slot_bytes == 16;
  if (!known ||
      (layouts.cold(layout).tail_strength == Strength::kEphemeron) != pairs ||
      layouts.cold(layout).tail_strength == Strength::kStrong ||
      layouts.hot(layout).head_bytes != sizeof(WeakArrayHead)) {
    TRI_MISUSE(pairs ? "EphemeronArray::make" : "WeakArray::make",
               "layout %u is not one that register_weak_array returned for %s",
               unsigned{layout}, pairs ? "kEphemeron" : "kWeak or kLongWeak");
  }
  if (encoded && layouts.hot(layout).encoding == kRawPointers) {
    TRI_MISUSE(pairs ? "EphemeronArray::make" : "WeakArray::make",
               "layout %u reads its slots as plain pointers, and these are "
               "encoded values: give register_weak_array their encoding",
               unsigned{layout});
  }
  const size_t most = (SIZE_MAX - sizeof(WeakArrayHead)) / slot_bytes;
  const size_t bytes =
      n > most ? SIZE_MAX : sizeof(WeakArrayHead) + n * slot_bytes;
  auto* head =
      static_cast<WeakArrayHead*>(tricolor::allocate(mu, layout, bytes));
  head->length = n;
  return head;
}

void weak_array_bounds(size_t i, size_t n) {
  TRI_MISUSE("WeakArray", "index %zu of an array of %zu slots", i, n);
}

}  // namespace detail

LayoutId register_weak_array(Runtime& rt, LayoutSpec::Strength strength,
                             EncodingId encoding, Error* error) {
  LayoutSpec spec;
  spec.name = strength == LayoutSpec::Strength::kEphemeron
                  ? "tricolor.ephemeron_array"
                  : "tricolor.weak_array";
  spec.head_bytes = sizeof(detail::WeakArrayHead);
  spec.tail = encoding == kRawPointers ? LayoutSpec::Tail::kPointers
                                       : LayoutSpec::Tail::kEncoded;
  spec.encoding = encoding;
  spec.tail_strength = strength;
  spec.cleared_count_offset = offsetof(detail::WeakArrayHead, cleared);
  if (strength == LayoutSpec::Strength::kStrong) {
    heap::refuse_layout(error, ErrorCode::kInvalidArgument, spec,
                        "strength is kStrong; such an array needs no call of "
                        "its own, register its layout");
    return kInvalidLayout;
  }
  return gc::runtime_base(rt)->heap->layouts().add(spec, 0, error);
}

bool shade_if_alive(Mutator& mu, const void* cell) {
  gc::CollectorImpl* c = gc::collector_of(&mu, "shade_if_alive");
  gc::ProcGc* p = gc::proc_of(&mu);
  if (p->barrier_on == 0) return !c->is_dead_target(cell);
  auto* target = const_cast<void*>(cell);
  if (p->worker.is_white(target)) c->shade_from_mutator(p, target);
  return true;
}

bool try_add_finalizer(Mutator& mu, void* object, FinalizerFn fn, void* data) {
  gc::CollectorImpl* c = gc::collector_of(&mu, "add_finalizer");
  heap::check_no_outer_code(gc::proc_of(&mu), "add_finalizer");
  gc::check_cell(c, object, "add_finalizer");
  if (fn == nullptr) TRI_MISUSE("add_finalizer", "the function is null");
  if (!c->finalizers.add(object, fn, data)) return false;
  c->weak_targets.add(object);  // a release is left to the sweep
  return true;
}

void add_finalizer(Mutator& mu, void* object, FinalizerFn fn, void* data) {
  if (TRI_LIKELY(try_add_finalizer(mu, object, fn, data))) return;
  gc::out_of_memory(mu, sizeof(gc::Finalizers::Entry));
}

bool cancel_finalizer(Mutator& mu, const void* object) {
  gc::CollectorImpl* c = gc::collector_of(&mu, "cancel_finalizer");
  gc::check_cell(c, object, "cancel_finalizer");
  return c->finalizers.cancel(object);
}

bool has_finalizer(Mutator& mu, const void* object) {
  gc::CollectorImpl* c = gc::collector_of(&mu, "has_finalizer");
  gc::check_cell(c, object, "has_finalizer");
  return c->finalizers.has(object);
}

bool take_finalizable(Mutator& mu, Finalizable* out) {
  gc::CollectorImpl* c = gc::collector_of(&mu, "take_finalizable");
  heap::check_no_outer_code(gc::proc_of(&mu), "take_finalizable");
  if (!c->finalizers.take(out)) return false;
  // It leaves a root: the deletion half.
  if (mu.barrier_on != 0) tri_detail_shade_pair(&mu, out->object, nullptr);
  return true;
}

size_t finalizers_queued(const Runtime& rt) {
  return gc::runtime_base(rt)->collector->impl()->finalizers.queued();
}

void set_finalizer_order(Runtime& rt, FinalizerOrder order) {
  gc::runtime_base(rt)->collector->impl()->finalizers.set_order(order);
}

}  // namespace tricolor

namespace {
using tricolor::gc::collector_of;
using tricolor::gc::WeakAnswer;
}  // namespace

extern "C" {

void* tri_detail_weak_load(tri_mutator* mu, void* const* slot) {
  tricolor::gc::CollectorImpl* c = collector_of(mu, "Weak::get");
  // ORDER-weak-2: pairs with settle(): a cleared target reads as null.
  void* target = tricolor::base::load_acquire(slot);
  if (target == nullptr) return nullptr;
  switch (c->weak_answer(tricolor::gc::proc_of(mu), target)) {
    case WeakAnswer::kDead:
      return nullptr;
    case WeakAnswer::kAlive:
      return target;
    case WeakAnswer::kSettled:
      break;
  }
  // ORDER-weak-2: as above.
  return tricolor::base::load_acquire(slot);
}

int tri_detail_weak_answer(tri_mutator* mu, void* cell) {
  tricolor::gc::CollectorImpl* c = collector_of(mu, "a weak read");
  return static_cast<int>(c->weak_answer(tricolor::gc::proc_of(mu), cell));
}

void tri_detail_weak_store(tri_mutator* mu, uint64_t* slot, uint64_t word,
                           void* cell) {
  tricolor::gc::CollectorImpl* c = collector_of(mu, "a weak store");
  if (cell != nullptr) {
    c->weak_targets.add(cell);
    if (mu->barrier_on != 0) tri_detail_shade_pair(mu, nullptr, cell);
  }
  // Release as in tricolor/field.h.
  tricolor::base::store_release(slot, word);
}

void tri_detail_pair_store(tri_mutator* mu, uint64_t* pair,
                           const tri_pair_store* s) {
  tricolor::gc::CollectorImpl* c = collector_of(mu, "an ephemeron's store");
  if (s->key != nullptr) c->weak_targets.add(s->key);
  if (mu->barrier_on != 0) {
    tri_detail_shade_pair(mu, s->old_value, s->key);
    tri_detail_shade_pair(mu, nullptr, s->value);
  }
  auto store = [&] {
    // Release as in tricolor/field.h.
    tricolor::base::store_release(&pair[1], s->value_word);
    tricolor::base::store_release(&pair[0], s->key_word);
  };
  // kSettle begins in a stop, so whoever reads another phase here has a pair
  // that was settled, or will be in another cycle.
  if (TRI_UNLIKELY(c->phase() == tricolor::gc::Phase::kSettle)) {
    tricolor::base::LockGuard guard(c->settle_lock);
    store();
    return;
  }
  store();
}

}  // extern "C"
