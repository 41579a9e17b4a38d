// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// The calls of tricolor/heap_inspect.h and tricolor/profile.h: each stops the
// world around the heap's part.
#include "base/check.h"
#include "gc/collector_impl.h"
#include "gc/runtime_base.h"
#include "heap/callback.h"
#include "tricolor/allocate.h"
#include "tricolor/heap_inspect.h"
#include "tricolor/profile.h"

namespace tricolor {

namespace gc {

namespace {

/// Calls fn with the world stopped by `p`, as a callback; then, also when it
/// throws, starts the world and ends the turn.
void call_stopped(CollectorImpl* c, ProcGc* p,
                  void (*fn)(CollectorImpl*, void*), void* arg) {
  p->in_collector = true;
  heap::run_callback(
      p, "the callback of walk (WalkFn)", [=] { fn(c, arg); },
      [=] {
        p->in_collector = false;
        c->world.start(c->world.ctx, p);
        c->end_advance_and_wake();
      });
}

/// Runs fn(collector, arg) with the world stopped and no phase being changed. A
/// safepoint.
void while_stopped(Mutator& mu, const char* call,
                   void (*fn)(CollectorImpl*, void*), void* arg) {
  if (TRI_UNLIKELY(mu.p == nullptr)) misuse_in_native(call);
  CollectorImpl* c = proc_of(&mu)->collector->impl();
  for (;;) {
    heap::check_no_callback(proc_of(&mu), call);
    poll(mu);
    ProcGc* p = proc_of(&mu);
    if (TRI_UNLIKELY(p->in_collector)) misuse_in_collector(call);
    if (c->try_advance()) {
      StopTimes stop{};
      if (c->world.try_stop(c->world.ctx, p, &stop)) {
        call_stopped(c, p, fn, arg);
        return;
      }
      c->end_advance_and_wake();
    }
    c->world.relax(c->world.ctx, &mu);
  }
}

/// Gives every run back, so that each cell in use has been allocated.
void flush_all_stw(CollectorImpl* c) {
  c->world.for_each_p_stw(
      c->world.ctx,
      [](void* arg, ProcGc* q) {
        static_cast<CollectorImpl*>(arg)->heap->mcache_flush(q);
      },
      c);
}

}  // namespace
}  // namespace gc

bool find_cell(const Runtime& rt, const void* p, CellInfo* out) {
  return gc::runtime_base(rt)->heap->find_cell(p, out);
}

void walk(Mutator& mu, WalkFn fn, void* ctx) {
  struct Args {
    WalkFn fn;
    void* ctx;
  } args{fn, ctx};
  gc::while_stopped(
      mu, "walk",
      [](gc::CollectorImpl* c, void* arg) {
        auto* a = static_cast<Args*>(arg);
        gc::flush_all_stw(c);
        c->heap->walk_stw(c->phase() == gc::Phase::kMark, a->fn, a->ctx);
      },
      &args);
}

size_t layout_stats(Mutator& mu, LayoutStats* out, size_t n) {
  // 128 MiB of heap in each stop: some 50 us.
  constexpr size_t kPagesPerStop = 16384;
  struct Args {
    LayoutStats* out;
    size_t n;
    size_t page;
  } args{out, n, 1};
  for (size_t i = 0; i < n; ++i) out[i] = LayoutStats{};
  while (args.page != 0) {
    gc::while_stopped(
        mu, "layout_stats",
        [](gc::CollectorImpl* c, void* arg) {
          auto* a = static_cast<Args*>(arg);
          gc::flush_all_stw(c);
          a->page =
              c->heap->count_layouts_stw(a->page, kPagesPerStop, a->out, a->n);
        },
        &args);
  }
  return gc::runtime_base(&mu)->heap->layouts().count();
}

void verify_heap(Mutator& mu) {
  gc::while_stopped(
      mu, "verify_heap",
      [](gc::CollectorImpl* c, void*) {
        bool swept = c->phase() != gc::Phase::kMark && c->heap->all_swept();
        c->heap->validate_stw(swept);
        c->verify_reachable_stw();
      },
      nullptr);
}

void set_alloc_profile(Mutator& mu, const AllocProfile& profile) {
  if (profile.fn != nullptr && profile.interval_bytes == 0) {
    TRI_MISUSE("set_alloc_profile",
               "interval_bytes is 0; give the mean number of bytes between "
               "samples, 1 for every allocation that refills");
  }
  AllocProfile copy = profile;
  gc::while_stopped(
      mu, "set_alloc_profile",
      [](gc::CollectorImpl* c, void* arg) {
        gc::flush_all_stw(c);  // it begins with the next allocation
        c->heap->set_profile_stw(*static_cast<AllocProfile*>(arg));
      },
      &copy);
}

}  // namespace tricolor
