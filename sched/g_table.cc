// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// GTable, see sched/g_table.h.
#include "sched/g_table.h"

#include <new>

#include "base/check.h"
#include "base/os_memory.h"
#include "sched/runtime.h"

namespace tricolor::sched {
namespace {

constexpr uint32_t kBatchMax = 128;

}  // namespace

bool GTable::init(RuntimeImpl* rt, size_t max) {
  rt_ = rt;
  base::LockGuard guard(lock_);
  if (!all_.init(max) || !blocks_.init(max / kPerBlock + 1)) return false;
  set_procs_stw(rt->sched.max_procs.load_relaxed());
  return true;
}

void GTable::set_procs_stw(uint32_t procs) {
  const size_t share = all_.capacity() / 8 / procs;  // two batches: a quarter
  batch_ = share < kBatchMax ? static_cast<uint32_t>(share) : kBatchMax;
}

void GTable::destroy() {
  base::LockGuard guard(lock_);
  all_.release();
  blocks_.release();
}

// A batch of the depot becomes the P's, all but its first, which is returned.
G* GTable::take_batch_locked(P* p) {
  if (depot_count_ == 0) return nullptr;
  const Batch batch = depot_[--depot_count_];
  G* g = batch.first;
  if (p == nullptr) {
    take_apart_locked(g->link);
  } else {
    p->free_gs = g->link;
    p->free_g_count = batch.count - 1;
  }
  g->link = nullptr;
  return g;
}

G* GTable::get_slow(P* p) {
  if (p != nullptr && p->spare_gs != nullptr) {
    G* g = p->spare_gs;
    p->free_gs = g->link;
    p->free_g_count = p->spare_g_count - 1;
    p->spare_gs = nullptr;
    g->link = nullptr;
    return g;
  }
  base::LockGuard guard(lock_);
  if (G* g = take_batch_locked(p)) return g;
  G* g = take_free_locked();
  if (g == nullptr) return make_locked();
  // Half a batch at a time, so that the lock is rarely taken.
  while (p != nullptr && p->free_g_count < batch_ / 2) {
    G* more = take_free_locked();
    if (more == nullptr) break;
    more->link = p->free_gs;
    p->free_gs = more;
    p->free_g_count++;
  }
  return g;
}

void GTable::put_slow(P* p, G* g) {
  if (p == nullptr || batch_ == 0) {
    base::LockGuard guard(lock_);
    return add_free_locked(g);
  }
  if (p->spare_gs != nullptr) {
    base::LockGuard guard(lock_);
    add_batch_locked({p->spare_gs, p->spare_g_count});
  }
  p->spare_gs = p->free_gs;
  p->spare_g_count = p->free_g_count;
  p->free_gs = g;
  p->free_g_count = 1;
  g->link = nullptr;
}

void GTable::add_batch_locked(Batch batch) {
  if (depot_count_ == kDepot) return take_apart_locked(batch.first);
  depot_[depot_count_++] = batch;
}

void GTable::take_apart_locked(G* first) {
  while (G* g = first) {
    first = g->link;
    add_free_locked(g);
  }
}

void GTable::put_all(P* p) {
  base::LockGuard guard(lock_);
  take_apart_locked(p->free_gs);
  take_apart_locked(p->spare_gs);
  p->free_gs = p->spare_gs = nullptr;
  p->free_g_count = p->spare_g_count = 0;
}

void GTable::empty_depot() {
  for (uint32_t i = 0; i < kDepot; i++) {
    base::LockGuard guard(lock_);
    if (depot_count_ == 0) return;
    take_apart_locked(depot_[--depot_count_].first);
  }
}

size_t GTable::returned_bytes() {
  base::LockGuard guard(lock_);
  return cold_.count * kBlockBytes;
}

// --- Blocks.

void GTable::push_locked(Blocks* list, GBlock* block) {
  const auto at = static_cast<uint32_t>(block - blocks_.data()) + 1;
  block->prev = 0;
  block->next = list->first;
  (list->first == 0 ? list->last : blocks_[list->first - 1].prev) = at;
  list->first = at;
  list->count++;
}

void GTable::remove_locked(Blocks* list, GBlock* block) {
  (block->prev == 0 ? list->first : blocks_[block->prev - 1].next) =
      block->next;
  (block->next == 0 ? list->last : blocks_[block->next - 1].prev) = block->prev;
  list->count--;
}

// Of those in use already, so that the others stay whole.
G* GTable::take_free_locked() {
  const bool part = partly_.first != 0;
  if (!part && whole_.first == 0) return nullptr;
  Blocks* list = part ? &partly_ : &whole_;
  GBlock* block = &blocks_[list->first - 1];
  const auto i = static_cast<uint32_t>(__builtin_ctz(block->free));
  block->free &= block->free - 1;
  if (!part) {
    remove_locked(&whole_, block);
    if (unwanted_ > whole_.count) unwanted_ = whole_.count;
    if (block->free != 0) push_locked(&partly_, block);
  } else if (block->free == 0) {
    remove_locked(&partly_, block);
  }
  G* g = reinterpret_cast<G*>(block->base) + i;
  g->link = nullptr;
  return g;
}

void GTable::add_free_locked(G* g) {
  GBlock* block = &blocks_[g->index / kPerBlock];
  const uint32_t before = block->free;
  block->free |= uint32_t{1} << g->index % kPerBlock;
  if (before != 0 && block->free != kAll) return;
  if (before != 0) remove_locked(&partly_, block);
  push_locked(block->free == kAll ? &whole_ : &partly_, block);
}

// One with a G that is not made; null: there is none, nor memory for one.
GBlock* GTable::block_to_make_locked() {
  GBlock* block = making_ == 0 ? nullptr : &blocks_[making_ - 1];
  const bool is_last = all_.size() == all_.capacity();
  if (block != nullptr && block->made != kAll &&
      !(is_last && block == &blocks_.back())) {
    return block;
  }
  if (cold_.first != 0) {
    block = &blocks_[cold_.first - 1];
    remove_locked(&cold_, block);
    rt_->meta.reclaim(kBlockBytes);
  } else {
    if (is_last) return nullptr;
    void* base = rt_->meta.alloc(kBlockBytes, base::os_page_size());
    if (base == nullptr) return nullptr;
    const GBlock fresh{static_cast<char*>(base), 0, 0, 0, 0};
    TRI_CHECK(blocks_.push_back(fresh));
    block = &blocks_.back();
  }
  making_ = static_cast<uint32_t>(block - blocks_.data()) + 1;
  return block;
}

// A scanner may look at the state of a G that is made anew: it was kIdle, and
// is, and what is written over it is the same.
G* GTable::make_locked() {
  GBlock* block = block_to_make_locked();
  if (block == nullptr) return nullptr;
  const auto i = static_cast<uint32_t>(__builtin_ctz(~block->made));
  const size_t index =
      static_cast<size_t>(block - blocks_.data()) * kPerBlock + i;
  block->made |= uint32_t{1} << i;
  void* at = block->base + i * sizeof(G);
  G* g = ::new (at) G();
  g->rt = rt_;
  g->index = static_cast<uint32_t>(index);
  g->fire = fire_deadline;
  g->mu.runtime = reinterpret_cast<tri_runtime*>(rt_);
  g->waiter.word.store_relaxed(tickets_ | kWaitEnded);
  gc::root_owner_init(g);
  if (index == all_.size()) {
    all_.push_back(g);
    // ORDER-gtable-1: pairs with count(): publishes the element and its G.
    count_.store_release(all_.size());
  }
  return g;
}

void GTable::note_unwanted_locked() {
  constexpr uint32_t kFewBlocks = 4;
  unwanted_ = whole_.count > kFewBlocks ? whole_.count - kFewBlocks : 0;
}

// The pages go while the lock is held, a few microseconds: Gs that are in no
// list would be missed by a runtime that has as many tasks as there may be.
void GTable::trim_one_locked() {
  GBlock* block = &blocks_[whole_.last - 1];
  remove_locked(&whole_, block);
  for (uint32_t i = 0; i < kPerBlock; i++) {
    const G* g = reinterpret_cast<G*>(block->base) + i;
    const uint64_t ticket = g->waiter.word.load_relaxed();
    if (ticket > tickets_) tickets_ = ticket;
  }
  block->free = 0;
  block->made = 0;
  if (making_ != 0 && block == &blocks_[making_ - 1]) making_ = 0;
  rt_->meta.discard(block->base, kBlockBytes);
  push_locked(&cold_, block);
}

// As the trimming of stacks (stacks/slab_pool.cc): what was free all the time
// from one look to the next is not wanted.
bool GTable::trim() {
  if (TRI_TSAN) return false;  // it does not believe make_locked()
  constexpr int kAtOnce = 16;
  for (int i = 0; i < kAtOnce; i++) {
    base::LockGuard guard(lock_);
    if (unwanted_ == 0) {
      note_unwanted_locked();
      return false;
    }
    unwanted_--;
    trim_one_locked();
    if (unwanted_ == 0) {
      note_unwanted_locked();
      return false;
    }
  }
  return true;
}

void GTable::push_collected(G* g) {
  G* head = collected_.load_relaxed();
  do {
    g->link = head;
    // ORDER-collected-1: pairs with pop_collected(): publishes the link.
  } while (!collected_.compare_exchange_weak_release(head, g));
}

G* GTable::pop_collected() {
  // Who pops holds the lock, so a G cannot leave and come back meanwhile.
  base::LockGuard guard(lock_);
  // ORDER-collected-1: pairs with push_collected(): sees the link.
  G* g = collected_.load_acquire();
  while (g != nullptr &&
         !collected_.compare_exchange_weak_acquire(g, g->link)) {
  }
  if (g != nullptr) g->link = nullptr;
  return g;
}

}  // namespace tricolor::sched
