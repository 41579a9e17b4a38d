// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// See tests/support/gc_alone.h.
#include "tests/support/gc_alone.h"

#include <cstdlib>

#include "base/check.h"

namespace tricolor::testing {

namespace {

constexpr size_t kShadow = gc::kInlineShadowSlots;

void init_owner(gc::RootOwner* owner, gc::RuntimeBase* base, gc::ProcGc* p) {
  owner->mu.slots = p->visible;
  owner->mu.runtime = reinterpret_cast<tri_runtime*>(base);
  owner->mu.p = p;
  owner->mu.shadow_base = owner->inline_slots;
  owner->mu.shadow_top = owner->inline_slots + 1;
  owner->mu.shadow_limit = owner->inline_slots + kShadow;
}

}  // namespace

GcAlone::GcAlone(gc::CollectorOptions options, heap::HeapOptions heap_options) {
  if (heap_options.reservation_bytes == 0) {
    heap_options.reservation_bytes = size_t{512} << 20;
  }
  Error error;
  heap_options.mixed_spans = true;  // as in a runtime
  heap_ = heap::Heap::create(&meta_, heap_options, &error);
  TRI_CHECK(heap_ != nullptr, "%s", error.text);
  options.runtime = &runtime();
  collector_ =
      gc::Collector::create(heap_, &meta_, make_world(this), clock_, options);
  TRI_CHECK(collector_ != nullptr && collector_->proc_init(&p_));
  base_.heap = heap_;
  base_.collector = collector_;
  add_owner();
}

GcAlone::~GcAlone() {
  collector_->proc_destroy(&p_);
  collector_->destroy();
  heap_->destroy();
}

gc::RootOwner* GcAlone::add_owner() {
  owners_.push_back(std::unique_ptr<gc::RootOwner>(new gc::RootOwner()));
  init_owner(owners_.back().get(), &base_, &p_);
  collector_->on_g_born(&p_, owners_.back().get());
  refresh();
  return owners_.back().get();
}

void GcAlone::refresh() {
  for (auto& owner : owners_) {
    owner->mu.slots = p_.visible;
    owner->mu.barrier_on = gc::barrier_state(&p_, owner.get());
  }
}

gc::Claim GcAlone::claim(void* ctx, size_t i, uint32_t cycle, bool,
                         gc::RootOwner** owner) {
  auto* self = static_cast<GcAlone*>(ctx);
  gc::RootOwner* o = self->owners_[i].get();
  if (o->scanned_cycle.load_relaxed() == cycle) return gc::Claim::kSkip;
  if (i == 0) return gc::Claim::kRunning;  // this thread
  *owner = o;
  return gc::Claim::kClaimed;
}

gc::World GcAlone::make_world(GcAlone* self) {
  gc::World w;
  w.ctx = self;
  w.try_stop = [](void* ctx, gc::ProcGc*, gc::StopTimes* t) {
    t->requested_ns = static_cast<GcAlone*>(ctx)->clock_.now_ns();
    t->stopped_ns = t->requested_ns;
    static_cast<GcAlone*>(ctx)->stopped_ = true;
    ++static_cast<GcAlone*>(ctx)->stops_;
    return true;
  };
  w.start = [](void* ctx, gc::ProcGc*) {
    static_cast<GcAlone*>(ctx)->refresh();
    static_cast<GcAlone*>(ctx)->stopped_ = false;
    return static_cast<GcAlone*>(ctx)->clock_.now_ns();
  };
  w.try_ragged_barrier = [](void* ctx, gc::ProcGc* p, gc::RaggedFn fn,
                            void* arg) {
    fn(arg, p, static_cast<GcAlone*>(ctx)->owners_[0].get());
    static_cast<GcAlone*>(ctx)->refresh();
    return true;
  };
  w.for_each_p_stw = [](void* ctx, gc::ProcFn fn, void* arg) {
    fn(arg, &static_cast<GcAlone*>(ctx)->p_);
  };
  w.g_count = [](void* ctx) {
    return static_cast<GcAlone*>(ctx)->owners_.size();
  };
  w.claim_g = &GcAlone::claim;
  w.release_g = [](void*, gc::RootOwner*) {};
  w.root_g_stw = [](void* ctx, size_t i) {
    return static_cast<GcAlone*>(ctx)->owners_[i].get();
  };
  w.wake_for_gc = [](void*) {};
  w.relax = [](void*, tri_mutator*) {};
  return w;
}

LayoutId GcAlone::layout(const LayoutSpec& spec) {
  Error error;
  LayoutId id = heap_->layouts().add(spec, 0, &error);
  TRI_CHECK(id != kInvalidLayout, "%s", error.text);
  return id;
}

void GcAlone::start() { TRI_CHECK(impl().start_cycle(&p_, /*forced=*/true)); }

void GcAlone::drain(size_t bytes) {
  bool dry = false;
  impl().drain(&p_, UINT64_MAX, bytes, &dry);
}

void GcAlone::finish() {
  for (int i = 0; impl().phase() != gc::Phase::kIdle; ++i) {
    TRI_CHECK(i < 1000000, "the cycle does not end");
    impl().run_worker(&p_, &mu(), UINT64_MAX / 4);
  }
}

}  // namespace tricolor::testing

// What gc/ calls of sched/. Not weak: were sched/'s own pulled in for a symbol
// that is missing here, the linker says so, instead of mixing the two.
namespace tricolor {
Mutator* current() { return nullptr; }
void collect(Mutator& mu) { gc::proc_of(&mu)->collector->collect(&mu); }
}  // namespace tricolor

extern "C" {
void tri_detail_poll_slow(tri_mutator* mu) {
  mu->poll_request = 0;
  if (tricolor::testing::g_on_poll != nullptr) {
    tricolor::testing::g_on_poll(mu);
  }
}
void** tri_detail_shadow_grow(tri_mutator* mu, size_t n) {
  auto* owner = reinterpret_cast<tricolor::gc::RootOwner*>(mu);
  size_t slots = n < 4096 ? 4096 : n;
  auto* chunk = static_cast<tricolor::gc::ShadowChunk*>(
      calloc(1, sizeof(tricolor::gc::ShadowChunk) + slots * sizeof(void*)));
  chunk->prev = owner->shadow_chunk;
  chunk->saved_top = mu->shadow_top;
  chunk->capacity = slots;
  owner->shadow_chunk = chunk;
  mu->shadow_base = chunk->slots();
  mu->shadow_limit = chunk->slots() + slots;
  mu->shadow_top = mu->shadow_base;
  return mu->shadow_top;
}
void tri_detail_shadow_shrink(tri_mutator* mu, void**) {
  auto* owner = reinterpret_cast<tricolor::gc::RootOwner*>(mu);
  tricolor::gc::ShadowChunk* chunk = owner->shadow_chunk;
  owner->shadow_chunk = chunk->prev;
  mu->shadow_top = chunk->saved_top;
  if (chunk->prev != nullptr) {
    mu->shadow_base = chunk->prev->slots();
    mu->shadow_limit = mu->shadow_base + chunk->prev->capacity;
  } else {
    mu->shadow_base = owner->inline_slots;
    mu->shadow_limit = owner->inline_slots + tricolor::gc::kInlineShadowSlots;
  }
  free(chunk);
}
}
namespace tricolor {
ScopeMark scope_mark(Mutator& mu) { return {mu.shadow_top, 0}; }
void scope_reset(Mutator& mu, ScopeMark mark) {
  while (mark.top < mu.shadow_base || mark.top > mu.shadow_limit) {
    tri_detail_shadow_shrink(&mu, mu.shadow_base);
  }
  mu.shadow_top = mark.top;
}
}  // namespace tricolor
namespace tricolor::detail {
void scope_overflow(size_t n) { TRI_FATAL("a Scope of %zu slots is full", n); }
}  // namespace tricolor::detail
