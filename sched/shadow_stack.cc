// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Shadow stacks beyond the inline slots: see sched/shadow_stack.h,
// gc/root_owner.h and tricolor/local.h, whose slow paths are here. All of it
// runs on the owner, except root_owner_clear (nobody holds the G then).
#include "sched/shadow_stack.h"

#include "base/check.h"
#include "sched/native_stack.h"
#include "sched/runtime.h"
#include "tricolor/local.h"

namespace tricolor::sched {
namespace {

size_t class_slots(uint32_t klass) { return kMinChunkSlots << klass; }

uint32_t class_for(size_t slots) {
  uint32_t klass = 0;
  while (klass < kChunkClasses && class_slots(klass) < slots) klass++;
  return klass;
}

}  // namespace

gc::ShadowChunk* ShadowPool::get(size_t slots) {
  const uint32_t klass = class_for(slots);
  if (klass == kChunkClasses) return nullptr;
  {
    base::LockGuard guard(lock_);
    gc::ShadowChunk* chunk = free_[klass];
    if (chunk != nullptr) {
      free_[klass] = chunk->prev;
      return chunk;
    }
  }
  const size_t capacity = class_slots(klass);
  void* p = meta_->alloc(sizeof(gc::ShadowChunk) + capacity * sizeof(void*),
                         alignof(gc::ShadowChunk));
  if (p == nullptr) return nullptr;
  auto* chunk = static_cast<gc::ShadowChunk*>(p);
  chunk->capacity = capacity;
  return chunk;
}

void ShadowPool::put(gc::ShadowChunk* chunk) {
  const uint32_t klass = class_for(chunk->capacity);
  TRI_CHECK(klass < kChunkClasses && class_slots(klass) == chunk->capacity);
  base::LockGuard guard(lock_);
  chunk->prev = free_[klass];
  free_[klass] = chunk;
}

namespace {

constexpr size_t kMaxDoubledSlots = 8192;

ShadowPool* pool_of(gc::RootOwner* owner) {
  return &impl_of(owner->mu)->shadow;
}

void** inline_limit(gc::RootOwner* owner) {
  return owner->inline_slots + gc::kInlineShadowSlots;
}

// Makes the chunk below the newest one (or the inline slots) current again.
void pop_chunk(gc::RootOwner* owner) {
  gc::ShadowChunk* chunk = owner->shadow_chunk;
  gc::ShadowChunk* below = chunk->prev;
  tri_mutator& mu = owner->mu;
  mu.shadow_top = chunk->saved_top;
  if (below == nullptr) {
    mu.shadow_base = owner->inline_slots;
    mu.shadow_limit = inline_limit(owner);
  } else {
    mu.shadow_base = below->slots();
    mu.shadow_limit = below->slots() + below->capacity;
  }
  owner->shadow_chunk = below;
  // One is kept, the larger: a loop around the edge must not thrash.
  gc::ShadowChunk* spare = owner->spare_chunk;
  if (spare == nullptr || spare->capacity < chunk->capacity) {
    owner->spare_chunk = chunk;
    chunk = spare;
  }
  if (chunk != nullptr) pool_of(owner)->put(chunk);
}

bool in_current_chunk(const tri_mutator& mu, void** top) {
  return top >= mu.shadow_base && top <= mu.shadow_limit;
}

}  // namespace
}  // namespace tricolor::sched

namespace tricolor::gc {

void root_owner_init(RootOwner* owner) {
  tri_mutator& mu = owner->mu;
  mu.shadow_base = owner->inline_slots;
  mu.shadow_limit = owner->inline_slots + kInlineShadowSlots;
  owner->inline_slots[0] = nullptr;  // reserved: no Scope begins at the base
  mu.shadow_top = owner->inline_slots + 1;
  owner->inline_top = mu.shadow_top;
  owner->shadow_chunk = nullptr;
  owner->oom_call = 0;
  owner->partial_cycle = 0;
  owner->partial_pieces = 0;
}

void root_owner_drop_chunks(RootOwner* owner) {
  sched::ShadowPool* pool = sched::pool_of(owner);
  while (ShadowChunk* chunk = owner->shadow_chunk) {
    owner->shadow_chunk = chunk->prev;
    pool->put(chunk);
  }
  if (owner->spare_chunk != nullptr) pool->put(owner->spare_chunk);
  owner->spare_chunk = nullptr;
}

}  // namespace tricolor::gc

namespace tricolor {

namespace {

void reset_shadow(sched::G* g, void** top) {
  while (!sched::in_current_chunk(g->mu, top)) {
    if (g->shadow_chunk == nullptr) {
      TRI_MISUSE("scope_reset",
                 "the mark is not from this task, or from "
                 "above where the task is now");
    }
    sched::pop_chunk(g);
  }
  g->mu.shadow_top = top;
}

// The jump has left Managed- and NativeScopes. A marker may look at the shadow
// stack of a G in native code, so it is reset in managed code, which the G
// leaves again if the mark says so.
void reset_in_mode(sched::G* g, ScopeMark mark) {
  const bool native = g->modes.was_native(mark.modes);
  if (sched::g_state(g) == sched::GState::kNative) {
    sched::leave_native_current(g);
  }
  while (g->modes.depth() > mark.modes) g->modes.pop(&g->rt->shadow);
  reset_shadow(g, mark.top);
  if (!native) return;
  stacks::spill_call([g](char* sp) {
    sched::save_frame(g, reinterpret_cast<const stacks::SpillFrame*>(sp));
    sched::enter_native_current(g);
  });
}

}  // namespace

ScopeMark scope_mark(Mutator& mu) {
  return {mu.shadow_top, sched::g_of(&mu)->modes.depth()};
}

void scope_reset(Mutator& mu, ScopeMark mark) {
  sched::G* g = sched::g_of(&mu);
  if (g->modes.depth() < mark.modes) {
    TRI_MISUSE("scope_reset",
               "the mark is not from this task, or from inside a ManagedScope "
               "or NativeScope that the task has left");
  }
  if (TRI_UNLIKELY(g->modes.depth() != mark.modes)) {
    reset_in_mode(g, mark);
  } else {
    reset_shadow(g, mark.top);
  }
  g->oom_call = 0;  // the handler has jumped here
}

namespace detail {

void scope_overflow(size_t capacity) {
  TRI_MISUSE("Local", "its Scope<%zu> has no slot left: raise N", capacity);
}

}  // namespace detail
}  // namespace tricolor

void** tri_detail_shadow_grow(tri_mutator* mu, size_t slots) {
  using namespace tricolor;  // NOLINT: one function
  sched::G* g = sched::g_of(mu);
  gc::ShadowChunk* below = g->shadow_chunk;
  size_t want = below == nullptr ? sched::kMinChunkSlots : 2 * below->capacity;
  if (want > sched::kMaxDoubledSlots) want = sched::kMaxDoubledSlots;
  if (want < slots) want = slots;
  gc::ShadowChunk* chunk = g->spare_chunk;
  if (chunk != nullptr && chunk->capacity >= slots) {
    g->spare_chunk = nullptr;
  } else {
    chunk = sched::pool_of(g)->get(want);
    if (TRI_UNLIKELY(chunk == nullptr)) {
      TRI_NO_MEMORY("a shadow stack of %zu slots", want);
    }
  }
  chunk->prev = below;
  chunk->saved_top = mu->shadow_top;
  if (below == nullptr) g->inline_top = mu->shadow_top;
  g->shadow_chunk = chunk;
  mu->shadow_base = chunk->slots();
  mu->shadow_top = chunk->slots();
  mu->shadow_limit = chunk->slots() + chunk->capacity;
  return mu->shadow_top;
}

void tri_detail_shadow_shrink(tri_mutator* mu, void** base) {
  using namespace tricolor;  // NOLINT: one function
  sched::G* g = sched::g_of(mu);
  TRI_CHECK(g->shadow_chunk != nullptr && base == g->shadow_chunk->slots(),
            "Scopes of one task must end in reverse order");
  sched::pop_chunk(g);
}
