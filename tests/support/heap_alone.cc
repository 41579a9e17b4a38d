// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// See heap_alone.h.
#include "tests/support/heap_alone.h"

#include "base/check.h"

namespace tricolor::testing {

TestMutator::TestMutator(heap::Heap* h) : heap(h) {
  heap->mcache_init(&cache);
  mu.slots = cache.visible;
  mu.p = &cache;
  mu.user = this;
  mu.shadow_base = shadow[0];
  mu.shadow_top = shadow[0] + 1;  // slot 0 is reserved
  mu.shadow_limit = shadow[0] + kShadowSlots;
}

TestMutator::~TestMutator() {
  heap->mcache_flush(&cache);
  heap->mcache_destroy(&cache);
}

HeapAlone::HeapAlone(const heap::HeapOptions& options) {
  heap::HeapOptions used = options;
  if (used.reservation_bytes == 0) {
    used.reservation_bytes = size_t{256} << 20;  // quick under sanitizers
  }
  heap_ = heap::Heap::create(&meta_, used, &error_);
  if (heap_ != nullptr) add_mutator();
}

HeapAlone::~HeapAlone() {
  mutators_.clear();
  if (heap_ == nullptr) return;
  heap_->validate_stw(false);
  heap_->destroy();
}

TestMutator& HeapAlone::add_mutator() {
  mutators_.push_back(std::make_unique<TestMutator>(heap_));
  return *mutators_.back();
}

LayoutId HeapAlone::layout(const LayoutSpec& spec) {
  Error error;
  LayoutId id = heap_->layouts().add(spec, 0, &error);
  TRI_CHECK(id != kInvalidLayout, "%s", error.text);
  return id;
}

LayoutId HeapAlone::layout(const char* name) {
  LayoutSpec spec;
  spec.name = name;
  spec.tail = LayoutSpec::Tail::kNoscan;
  return layout(spec);
}

uint8_t HeapAlone::byte_of(const void* cell) {
  heap::AddressSpace& space = heap_->space();
  return base::load_relaxed(space.mark_of(space.offset_of(cell)));
}

bool HeapAlone::mark(const void* cell) {
  heap::AddressSpace& space = heap_->space();
  uint8_t* byte = space.mark_of(space.offset_of(cell));
  if (base::load_relaxed(byte) != heap_->prev()) return false;
  base::store_relaxed(byte, heap_->cur());
  return true;
}

void HeapAlone::begin() {
  heap_->validate_stw(true);
  for (auto& m : mutators_) {
    heap_->mcache_cut_stw(&m->cache);
    m->mu.slots = m->cache.visible;
  }
  heap_->begin_cycle_stw();
  heap_->validate_stw(false);
}

void HeapAlone::begin_sweep() {
  heap_->validate_stw(false);
  heap_->begin_sweep_stw();
  for (auto& m : mutators_) heap_->mcache_flush(&m->cache);
  heap_->validate_stw(false);
}

void HeapAlone::sweep_all() {
  heap_->allow_sweep();
  while (heap_->sweep_one(nullptr) != 0 || heap_->may_sweep()) {
  }
  TRI_CHECK(heap_->all_swept());
  heap_->validate_stw(true);
}

void HeapAlone::collect(const std::vector<void*>& live) {
  begin();
  for (void* cell : live) mark(cell);
  begin_sweep();
  sweep_all();
}

}  // namespace tricolor::testing

// What sched/ supplies to a whole runtime. Weak, so that a program that links
// sched/ after all keeps its own.
extern "C" {

__attribute__((weak)) void tri_detail_poll_slow(tri_mutator* mu) {
  auto* self = static_cast<tricolor::testing::TestMutator*>(mu->user);
  mu->poll_request = 0;
  if (self->on_poll) self->on_poll();
}

__attribute__((weak)) void** tri_detail_shadow_grow(tri_mutator* mu, size_t n) {
  auto* self = static_cast<tricolor::testing::TestMutator*>(mu->user);
  TRI_CHECK(mu->shadow_base == self->shadow[0] && n <= self->kShadowSlots);
  mu->shadow_base = mu->shadow_top = self->shadow[1];
  mu->shadow_limit = self->shadow[1] + self->kShadowSlots;
  return mu->shadow_top;
}

__attribute__((weak)) void tri_detail_shadow_shrink(tri_mutator* mu,
                                                    void** base) {
  auto* self = static_cast<tricolor::testing::TestMutator*>(mu->user);
  TRI_CHECK(base == self->shadow[1]);
  mu->shadow_base = self->shadow[0];
  mu->shadow_limit = self->shadow[0] + self->kShadowSlots;
  // Only a full chunk grows in these tests.
  mu->shadow_top = mu->shadow_limit;
}

}  // extern "C"
