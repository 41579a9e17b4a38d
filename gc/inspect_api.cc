// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// The calls of tricolor/heap_inspect.h and tricolor/profile.h: each stops the
// world around the heap's part.
#include <cstring>

#include "base/check.h"
#include "gc/collector_impl.h"
#include "gc/runtime_base.h"
#include "gc/scan.h"
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
        c->end_advance();
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
      c->end_advance();
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

/// Every traced word of every cell in use, for verify_heap().
class FieldCheck : public TracerImpl {
 public:
  FieldCheck(heap::Heap* h, bool marking) : marking_(marking) {
    visit = [](TracerImpl* self, void* word) {
      static_cast<FieldCheck*>(self)->check_word(word);
    };
    heap = h;
  }

  void check_cell(void* cell) {
    const heap::AddressSpace& space = heap->space();
    cell_ = cell;
    layout_ = heap->layout_of(cell);
    const heap::HotLayout& hot = heap->layouts().hot(layout_);
    // While marking, a trace function may have effects (a coroutine is black
    // when its roots have been visited).
    if (hot.kind == heap::ScanKind::kCustom && (marking_ || is_ours())) return;
    if (is_released(space.offset_of(cell))) return;
    scan_cell(heap, this, hot, layout_, cell, heap->cell_bytes(cell),
              [this](void* word) { check_word(word); });
  }

 private:
  // A coroutine reports its Locals, which may outlive what they refer to.
  bool is_ours() const {
    const char* name = heap->layouts().cold(layout_).name;
    return std::strncmp(name, "tricolor.", 9) == 0;
  }
  bool is_released(size_t offset) const {
    const heap::AddressSpace& space = heap->space();
    const uint32_t bits =
        space.entry(offset >> heap::kPageShift)->bits.load_relaxed();
    return heap::PageEntry::size_class(bits) != 0 &&
           heap->is_released(space.base() + offset);
  }

  void check_word(void* word) const {
    const heap::AddressSpace& space = heap->space();
    const size_t offset = space.offset_of(word);
    if (word == nullptr || offset >= space.reserved_bytes()) return;
    if (offset >= space.committed_bytes()) {
      report(word, "lies where the heap has not grown to yet");
    }
    if (offset % 16 != 0) report(word, "points into the middle of a cell");
    const uint8_t byte = base::load_relaxed(space.mark_of(offset));
    if (byte == 0) report(word, "is a free cell, or the middle of one");
    const bool live = byte == heap->cur() || (marking_ && byte == heap->prev());
    if (!live) report(word, "was found dead by the last cycle");
    if (is_released(offset)) report(word, "has been released");
  }

  [[noreturn]] void report(void* word, const char* what) const {
    long long at = -1;  // only its trace function knows
    const heap::LayoutTable& layouts = heap->layouts();
    const Encoding& e = layouts.encoding(layouts.hot(layout_).encoding);
    const auto* words = static_cast<const uint64_t*>(cell_);
    const size_t n = heap->cell_bytes(cell_) / 8;
    for (const Encoding* as : {&e, &layouts.encoding(kRawPointers)}) {
      for (size_t i = 0; i < n && at < 0; ++i) {
        if (heap::decode(*as, load_word(&words[i])) == word) {
          at = static_cast<long long>(i * 8);
        }
      }
    }
    TRI_FATAL(
        "verify_heap: the word at offset %lld of cell %p (layout '%s', %zu "
        "bytes) is %p, which %s: a store past the end of another cell, or a "
        "pointer that was kept in a place the collector is not told of",
        at, cell_, layouts.cold(layout_).name, n * 8, word, what);
  }

  const bool marking_;
  void* cell_ = nullptr;
  LayoutId layout_ = kInvalidLayout;
};

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
        // Those whose byte is cur: in use, or in a P's run and all zero.
        gc::FieldCheck check(c->heap, c->phase() == gc::Phase::kMark);
        c->heap->for_each_marked_stw(
            [](void* arg, void* cell) {
              static_cast<gc::FieldCheck*>(arg)->check_cell(cell);
            },
            &check);
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
        c->heap->set_profile_stw(*static_cast<AllocProfile*>(arg));
      },
      &copy);
}

}  // namespace tricolor
