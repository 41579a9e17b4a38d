// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// GTable, see sched/g_table.h.
#include "sched/g_table.h"

#include <new>

#include "base/check.h"
#include "sched/runtime.h"

namespace tricolor::sched {
namespace {

constexpr uint32_t kPerPMax = 64;

}  // namespace

bool GTable::init(RuntimeImpl* rt, size_t max) {
  rt_ = rt;
  const size_t share = max / 4 / rt->sched.max_procs;
  per_p_max_ = share < kPerPMax ? static_cast<uint32_t>(share) : kPerPMax;
  base::LockGuard guard(lock_);
  pool_.init(rt->meta);
  return all_.init(max);
}

void GTable::destroy() { all_.release(); }

G* GTable::get(P* p) {
  if (p != nullptr && p->free_gs != nullptr) {
    G* g = p->free_gs;
    p->free_gs = g->link;
    p->free_g_count--;
    g->link = nullptr;
    return g;
  }
  base::LockGuard guard(lock_);
  G* g = free_;
  if (g == nullptr) return make_locked();
  free_ = g->link;
  g->link = nullptr;
  // Half a free list at a time, so that the lock is rarely taken.
  while (p != nullptr && free_ != nullptr && p->free_g_count < per_p_max_ / 2) {
    G* more = free_;
    free_ = more->link;
    more->link = p->free_gs;
    p->free_gs = more;
    p->free_g_count++;
  }
  return g;
}

G* GTable::make_locked() {
  if (all_.size() == all_.capacity()) return nullptr;
  G* g = pool_.alloc();
  if (g == nullptr) return nullptr;
  ::new (static_cast<void*>(g)) G();
  g->rt = rt_;
  g->index = static_cast<uint32_t>(all_.size());
  g->fire = fire_deadline;
  g->mu.runtime = reinterpret_cast<tri_runtime*>(rt_);
  gc::root_owner_init(g);
  all_.push_back(g);
  // ORDER-gtable-1: pairs with count(): publishes the element and its G.
  count_.store_release(all_.size());
  return g;
}

void GTable::put(P* p, G* g) {
  TRI_ASSERT(g_state(g) == GState::kIdle && g->stack == nullptr);
  if (p != nullptr && p->free_g_count < per_p_max_) {
    g->link = p->free_gs;
    p->free_gs = g;
    p->free_g_count++;
    return;
  }
  base::LockGuard guard(lock_);
  g->link = free_;
  free_ = g;
  while (p != nullptr && p->free_g_count > per_p_max_ / 2) {
    G* more = p->free_gs;
    p->free_gs = more->link;
    p->free_g_count--;
    more->link = free_;
    free_ = more;
  }
}

void GTable::put_all(P* p) {
  base::LockGuard guard(lock_);
  while (p->free_gs != nullptr) {
    G* g = p->free_gs;
    p->free_gs = g->link;
    g->link = free_;
    free_ = g;
  }
  p->free_g_count = 0;
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
