// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// tricolor/gc_metrics.h: what the collector counts, read from anywhere. The
// numbers of the last cycle are a group: see Published.
#include "tricolor/gc_metrics.h"

#include <cstring>

#include "gc/collector_impl.h"
#include "gc/runtime_base.h"

namespace tricolor::gc {

static_assert(TRI_HISTOGRAM_BUCKETS == Histogram::kBuckets);

void Published::write(const Group& group) {
  const uint32_t seq = seq_.load_relaxed();
  seq_.store_relaxed(seq + 1);
  // ORDER-published-1: pairs with read(): who sees a word of this group sees
  // the odd number, or a later one.
  base::fence_release();
  uint64_t words[kWords];
  std::memcpy(words, &group, sizeof(words));
  for (size_t i = 0; i < kWords; ++i) words_[i].store_relaxed(words[i]);
  // ORDER-published-2: pairs with read(): the words come before the number.
  seq_.store_release(seq + 2);
}

void Published::read(Group* group) const {
  uint64_t words[kWords];
  uint32_t seq;
  do {
    // ORDER-published-2: pairs with write().
    seq = seq_.load_acquire();
    for (size_t i = 0; i < kWords; ++i) words[i] = words_[i].load_relaxed();
    // ORDER-published-1: pairs with write(): if a word was of a later group,
    // so is the number.
    base::fence_acquire();
  } while ((seq & 1) != 0 || seq_.load_relaxed() != seq);
  std::memcpy(group, words, sizeof(words));
}

void CollectorImpl::publish_cycle() {
  Published::Group g{};
  g.cycles = totals.cycles.load_relaxed();
  g.forced = totals.forced.load_relaxed();
  g.concurrent = totals.concurrent.load_relaxed();
  g.live_bytes = totals.live_bytes.load_relaxed();
  g.live_cells = totals.live_cells.load_relaxed();
  g.scanned = record.work.scanned;
  g.stacks = record.work.stacks;
  g.roots = record.work.roots;
  g.heap_start = record.heap_start;
  g.heap_end = record.heap_end;
  g.goal = record.goal;
  for (uint32_t c = 0; c < TRI_DETAIL_CLASS_COUNT; ++c) {
    g.class_cells[c] = heap->sweep_stats().live_of_class[c].load_relaxed();
  }
  published.write(g);
}

namespace {

void read_cycle(const CollectorImpl* c, tri_gc_metrics* out) {
  Published::Group g;
  c->published.read(&g);
  out->cycles = g.cycles;
  out->cycles_forced = g.forced;
  out->cycles_concurrent = g.concurrent;
  out->live_bytes = g.live_bytes;
  out->live_cells = g.live_cells;
  out->scanned_bytes = g.scanned;
  out->stack_bytes = g.stacks;
  out->root_bytes = g.roots;
  out->cycle_start_bytes = g.heap_start;
  out->cycle_end_bytes = g.heap_end;
  out->cycle_goal_bytes = g.goal;
  for (uint32_t i = 0; i < TRI_DETAIL_CLASS_COUNT; ++i) {
    out->class_cells[i] = g.class_cells[i];
  }
}

void read_cpu(const CollectorImpl* c, tri_gc_metrics* out) {
  out->cpu_available_ns = c->available_ns();
  // Parts first: the whole, read later, is no less than they are.
  out->cpu_gc_assist_ns = c->totals.assist_ns.load_relaxed();
  out->cpu_gc_idle_ns = c->totals.idle_ns.load_relaxed();
  const uint64_t parts = out->cpu_gc_assist_ns + out->cpu_gc_idle_ns;
  const uint64_t all = c->totals.gc_ns.load_relaxed();
  out->cpu_gc_ns = all > parts ? all : parts;
  out->cpu_gc_worker_ns = out->cpu_gc_ns - parts;
  out->mark_wall_ns = c->totals.mark_wall_ns.load_relaxed();
  out->root_callback_ns = c->totals.callbacks_ns.load_relaxed();
  out->stop_wall_ns = c->totals.stop_wall_ns.load_relaxed();
  out->cpu_gc_pause_ns = c->totals.stop_cpu_ns.load_relaxed();
}

void read_memory(const CollectorImpl* c, tri_gc_metrics* out) {
  heap::Heap* heap = c->heap;
  out->heap_bytes = heap->live_bytes();
  out->heap_goal_bytes = c->pacer.goal();
  out->heap_trigger_bytes = c->pacer.trigger();
  out->heap_mapped_bytes = heap->space().committed_bytes();
  out->heap_resident_bytes = heap->resident_bytes();
  out->heap_in_use_bytes = heap->pages_in_use() << heap::kPageShift;
  out->heap_free_bytes = heap->free_dirty_bytes();
  out->heap_returned_bytes = heap->scavenged_bytes();
  const uint64_t external = c->external();
  out->external_bytes = c->reported();
  // With the stacks of coroutines.
  out->table_bytes =
      c->table_bytes() +
      (external > out->external_bytes ? external - out->external_bytes : 0);
  out->total_bytes =
      out->heap_resident_bytes + out->table_bytes + out->external_bytes;
  out->limit_bytes = c->memory_limit.bytes();
  out->audit_bytes = c->auditor.bytes();
  // Freed first, so that no more is freed than was allocated.
  out->freed_bytes = heap->freed_bytes();
  out->allocated_bytes = heap->allocated_bytes();
  out->unswept_spans = heap->unswept_spans();
}

void read_histogram(const Histogram& h, tri_histogram* out) {
  out->count = 0;
  for (size_t i = 0; i < Histogram::kBuckets; ++i) {
    out->counts[i] = h.bucket(i);
    out->count += out->counts[i];
  }
  out->sum_ns = h.sum();
  out->max_ns = h.max();
}

}  // namespace

void Collector::metrics(tri_gc_metrics* out) const {
  read_cycle(impl_, out);
  read_cpu(impl_, out);
  read_memory(impl_, out);
  out->gc_limited = impl_->limiter.events();
  out->gc_limiting = impl_->limiter.limiting() ? 1 : 0;
  out->gc_phase = static_cast<uint32_t>(impl_->phase());
  read_histogram(impl_->totals.pauses, &out->pauses);
  read_histogram(impl_->totals.ttsp, &out->ttsp);
}

}  // namespace tricolor::gc

extern "C" {

void tri_read_gc_metrics(const struct tri_runtime* rt, tri_gc_metrics* out) {
  const auto& api = *reinterpret_cast<const tricolor::Runtime*>(rt);
  tricolor::gc::runtime_base(api)->collector->metrics(out);
}

uint64_t tri_histogram_percentile(const tri_histogram* h, uint32_t per_mille) {
  if (h->count == 0) return 0;
  const uint64_t rank = (h->count * per_mille + 999) / 1000;
  uint64_t seen = 0;
  for (size_t i = 0; i + 1 < TRI_HISTOGRAM_BUCKETS; ++i) {
    seen += h->counts[i];
    if (seen >= rank && seen != 0) {
      const uint64_t last = tri_histogram_bound(i + 1) - 1;
      // Of a difference max_ns may be of what was before.
      const bool in_it = h->max_ns >= tri_histogram_bound(i);
      return in_it && h->max_ns < last ? h->max_ns : last;
    }
  }
  return h->max_ns;
}

size_t tri_class_bytes(uint32_t c) {
  return c == 0 || c >= TRI_DETAIL_CLASS_COUNT ? 0 : tri_detail_class_bytes(c);
}

}  // extern "C"
