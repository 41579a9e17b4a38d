// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// release, shrink and grow (tricolor/resize.h) above the heap's part: which
// cells a release must leave alone, and the copy of a grow with its barrier.
//
// Why the copy loses nothing. The new cell is born black if the collector
// marks: nobody scans it, so every pointer copied into it is shaded (insertion
// half), unless the task is black: then what it reads from the old cell is
// marked without. If marking begins during a long copy, between two chunks, the
// new cell is white and rooted: it is scanned, and what is copied later is
// shaded, too.
#include <cstring>

#include "base/check.h"
#include "gc/allocate_in_scope.h"
#include "gc/collector_impl.h"
#include "gc/runtime_base.h"
#include "gc/scan.h"
#include "gc/shade_batch.h"
#include "heap/callback.h"
#include "tricolor/allocate.h"
#include "tricolor/resize.h"

namespace tricolor {

namespace gc {

namespace {

constexpr size_t kAtOnceBytes = size_t{64} << 10;  // without a safepoint
constexpr size_t kCopyChunk = size_t{8} << 10;     // beyond that
constexpr uint64_t kSettleNs = 100 * 1000;         // at a time

/// Shades what a custom trace function reports.
struct ShadeTracer : TracerImpl {
  ShadeTracer(CollectorImpl* c_in, ProcGc* p_in)
      : c(c_in), p(p_in), batch(p_in) {
    visit = [](TracerImpl* self, void* cell) {
      static_cast<ShadeTracer*>(self)->shade(cell);
    };
    heap = c_in->heap;
  }
  void shade(void* cell) {
    if (TRI_UNLIKELY(p->audits != 0)) c->auditor.note_store(nullptr, cell);
    batch.add(cell);
  }
  CollectorImpl* c;
  ProcGc* p;
  ShadeBatch batch;
};

/// Shades the pointers in bytes [from, to) of a cell.
void shade_piece(CollectorImpl* c, ProcGc* p, LayoutId layout, void* cell,
                 size_t bytes, size_t from, size_t to) {
  const heap::LayoutTable& layouts = c->heap->layouts();
  const heap::HotLayout& hot = layouts.hot(layout);
  ShadeTracer tracer(c, p);
  auto shade = [&tracer](void* target) { tracer.shade(target); };
  if (hot.kind == heap::ScanKind::kCustom) {
    scan_cell(c->heap, &tracer, hot, layout, cell, bytes, shade);
    return;
  }
  auto* words = static_cast<const uint64_t*>(cell);
  if (from == 0) scan_head(layouts, hot, words, shade);
  size_t head = hot.tail_from();
  if (from < head) from = head;
  if (from < to) scan_tail(layouts, hot, words, from / 8, to / 8, shade);
}

void copy_words(void* to, const void* from, size_t bytes) {
  auto* source = static_cast<const uint64_t*>(from);
  auto* target = static_cast<uint64_t*>(to);
  // Word by word, because a marker may read the target at the same time.
  for (size_t i = 0; i < bytes / 8; ++i) {
    // Release as in tricolor/field.h.
    __atomic_store_n(&target[i], source[i], __ATOMIC_RELEASE);
  }
}

/// Between stop 2 and the end of settling a weak word may be one that is still
/// to be cleared, or that will not be, for a finalizer brings its target back.
/// Nobody would settle the copy's, so this sees to the end first. A safepoint.
void await_settled(Mutator& mu, CollectorImpl* c) {
  while (c->phase() == Phase::kSettle) {
    if (!c->run_worker(proc_of(&mu), &mu, kSettleNs)) {
      c->world.relax(c->world.ctx, &mu);
    }
    poll(mu);
  }
}

/// Both cells are rooted by the caller. A safepoint if they are large or weak.
void copy_cell(Mutator& mu, LayoutId layout, void* from, void* to,
               size_t bytes) {
  CollectorImpl* c = proc_of(&mu)->collector->impl();
  const heap::HotLayout& hot = c->heap->layouts().hot(layout);
  const bool noscan = hot.kind == heap::ScanKind::kNoscan;
  const bool weak = hot.kind == heap::ScanKind::kWeak;
  const bool custom = hot.kind == heap::ScanKind::kCustom;
  // A trace function sees the whole cell: once, and again if a mark has begun
  // since, which found the new cell white and rooted.
  bool traced = false;
  uint32_t begun = c->heap->cycles_begun();
  const size_t most = bytes > kAtOnceBytes ? kCopyChunk : kAtOnceBytes;
  for (size_t done = 0; done < bytes; done += most) {
    if (done != 0) poll(mu);
    // The phase begins in a stop, so in none before the next safepoint.
    if (weak) await_settled(mu, c);
    size_t end = bytes - done < most ? bytes : done + most;
    // A black G's copy of strong words needs no shade; weak ones do not keep
    // their targets, and nobody will look at the copy's before the cycle ends.
    const bool shades = mu.barrier_on == TRI_BARRIER_GREY ||
                        (mu.barrier_on != TRI_BARRIER_OFF && weak);
    if (c->heap->cycles_begun() != begun) {
      begun = c->heap->cycles_begun();
      traced = false;
    }
    if (shades && !noscan && !(custom && traced)) {
      shade_piece(c, proc_of(&mu), layout, from, bytes, done, end);
      traced = true;
    }
    char* target = static_cast<char*>(to) + done;
    const char* source = static_cast<const char*>(from) + done;
    if (noscan) {
      std::memcpy(target, source, end - done);
    } else {
      copy_words(target, source, end - done);
    }
  }
}

void check_growable(heap::Heap* heap, LayoutId layout) {
  uint8_t flags = heap->layouts().hot(layout).flags;
  if (TRI_UNLIKELY((flags & heap::kDeferred) != 0)) {
    TRI_MISUSE(
        "grow",
        "the trace function of layout '%s' is deferred: it may read what "
        "other tasks change now; allocate and move what it has",
        heap->layouts().cold(layout).name);
  }
  if (TRI_LIKELY((flags & (heap::kWeakCell | heap::kOnDead)) == 0)) return;
  TRI_MISUSE("grow",
             "layout '%s' is that of a weak cell or has on_dead, which would "
             "run for the old cell and for the new one; allocate and copy what "
             "may be in both",
             heap->layouts().cold(layout).name);
}

void* try_grow_cell(Mutator& mu, void* cell, size_t bytes, const char* call) {
  CollectorImpl* c = proc_of(&mu)->collector->impl();
  heap::Heap* heap = c->heap;
  c->auditor.note_gone(cell);
  const bool grown = heap->try_grow_in_place(&mu, cell, bytes, call);
  // On each call, not only when there is no room: after the checks of `cell`.
  LayoutId layout = heap->layout_of(cell);
  check_growable(heap, layout);
  if (grown) return cell;
  size_t has = heap->cell_bytes(cell);
  const ScopeMark outside = scope_mark(mu);
  Scope<2> scope(mu);
  *scope.take() = cell;
  void** slot = scope.take();
  void* fresh = try_allocate_in_scope(mu, outside, layout, bytes);
  if (fresh == nullptr) return nullptr;
  *slot = fresh;
  copy_cell(mu, layout, cell, fresh, has);
  if (c->finalizers.move(cell, fresh)) c->weak_targets.add(fresh);
  release(mu, cell);
  return fresh;
}

void check_managed(const Mutator& mu, const char* call) {
  if (TRI_UNLIKELY(mu.p == nullptr)) misuse_in_native(call);
  heap::check_no_outer_code(proc_of(&mu), call);  // an allocation asks more
}

}  // namespace

void out_of_memory(const Mutator& mu, size_t bytes) {
  runtime_base(&mu)->heap->end_out_of_memory(const_cast<Mutator*>(&mu), bytes);
}

}  // namespace gc

bool release(Mutator& mu, void* cell) {
  gc::check_managed(mu, "release");
  gc::CollectorImpl* c = gc::proc_of(&mu)->collector->impl();
  if (c->weak_targets.has(cell)) return false;
  c->auditor.note_gone(cell);
  return c->heap->release(&mu, cell);
}

bool try_grow_in_place(Mutator& mu, void* cell, size_t bytes) {
  gc::check_managed(mu, "try_grow_in_place");
  gc::proc_of(&mu)->collector->impl()->auditor.note_gone(cell);
  return gc::runtime_base(&mu)->heap->try_grow_in_place(&mu, cell, bytes);
}

bool shrink(Mutator& mu, void* cell, size_t bytes) {
  gc::check_managed(mu, "shrink");
  gc::proc_of(&mu)->collector->impl()->auditor.note_gone(cell);
  return gc::runtime_base(&mu)->heap->shrink(&mu, cell, bytes);
}

void* try_grow(Mutator& mu, void* cell, size_t bytes) {
  gc::check_managed(mu, "try_grow");
  return gc::try_grow_cell(mu, cell, bytes, "try_grow");
}

void* grow(Mutator& mu, void* cell, size_t bytes) {
  gc::check_managed(mu, "grow");
  void* fresh = gc::try_grow_cell(mu, cell, bytes, "grow");
  // Out here, where no Scope is open that a throw or longjmp would leave so:
  // the library is built without unwinding cleanups.
  if (TRI_UNLIKELY(fresh == nullptr)) gc::out_of_memory(mu, bytes);
  return fresh;
}

}  // namespace tricolor
