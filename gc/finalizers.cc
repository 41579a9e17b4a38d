// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// See gc/finalizers.h.
#include "gc/finalizers.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "base/os_memory.h"
#include "heap/heap.h"

namespace tricolor::gc {

bool Finalizers::init(base::MetaArena* meta, heap::Heap* heap) {
  heap_ = heap;
  meta_ = meta;
  base::LockGuard guard(lock_);
  entries_.init(*meta);
  const size_t n = (heap->space().reserved_bytes() >> kBlockShift) + 1;
  blocks_ =
      static_cast<Block**>(meta->alloc(n * sizeof(*blocks_), alignof(Block*)));
  return blocks_ != nullptr;
}

void Finalizers::destroy() {
  if (dead_ != nullptr) base::os_release(dead_, dead_room_ * sizeof(*dead_));
  dead_ = nullptr;
}

Finalizers::Entry** Finalizers::head_locked(const void* object, Block** block) {
  const size_t offset = heap_->space().offset_of(object);
  Block*& b = blocks_[offset >> kBlockShift];
  *block = b;
  if (b == nullptr) return nullptr;
  return &b->heads[(offset >> heap::kPageShift) % kPages];
}

Finalizers::Entry* Finalizers::unlink_locked(const void* object) {
  Block* block = nullptr;
  Entry** link = head_locked(object, &block);
  if (link == nullptr) return nullptr;
  for (; *link != nullptr; link = &(*link)->next) {
    Entry* e = *link;
    if (e->object != object) continue;
    *link = e->next;
    --block->count;
    registered_.store_relaxed(registered_.load_relaxed() - 1);
    return e;
  }
  return nullptr;
}

bool Finalizers::make_block_locked(const void* object) {
  Block*& block = blocks_[heap_->space().offset_of(object) >> kBlockShift];
  if (block != nullptr) return true;
  block = static_cast<Block*>(meta_->alloc(sizeof(Block), alignof(Block)));
  return block != nullptr;
}

void Finalizers::link_locked(Entry* entry) {
  Block* block = nullptr;
  Entry** head = head_locked(entry->object, &block);
  entry->next = *head;
  *head = entry;
  ++block->count;
  registered_.store_relaxed(registered_.load_relaxed() + 1);
}

bool Finalizers::add(void* object, FinalizerFn fn, void* data) {
  base::LockGuard guard(lock_);
  if (!make_block_locked(object)) return false;
  Entry* e = unlink_locked(object);
  if (e == nullptr) e = entries_.alloc();
  if (e == nullptr) return false;
  *e = {nullptr, object, fn, data, ++order_};
  link_locked(e);
  return true;
}

bool Finalizers::move(const void* from, void* to) {
  if (registered() == 0) return false;
  base::LockGuard guard(lock_);
  // Without memory for it, it stays with the cell it was registered for.
  if (!make_block_locked(to)) return false;
  Entry* e = unlink_locked(from);
  if (e == nullptr) return false;
  e->object = to;
  link_locked(e);
  return true;
}

bool Finalizers::cancel(const void* object) {
  base::LockGuard guard(lock_);
  Entry* e = unlink_locked(object);
  if (e == nullptr) return false;
  entries_.free(e);
  return true;
}

bool Finalizers::has(const void* object) {
  base::LockGuard guard(lock_);
  Block* block = nullptr;
  Entry** head = head_locked(object, &block);
  if (head == nullptr) return false;
  for (Entry* e = *head; e != nullptr; e = e->next) {
    if (e->object == object) return true;
  }
  return false;
}

bool Finalizers::take(Finalizable* out) {
  if (queued() == 0) return false;
  base::LockGuard guard(lock_);
  Entry* e = queue_;
  if (e == nullptr) return false;
  queue_ = e->next;
  if (queue_ == nullptr) queue_end_ = nullptr;
  // ORDER-queue-roots-1: as in take_roots(). Who takes it shades it.
  if (scan_.load_relaxed() == e) scan_.store_release(e->next);
  queued_.store_relaxed(queued_.load_relaxed() - 1);
  *out = {e->object, e->fn, e->data};
  entries_.free(e);
  return true;
}

bool Finalizers::before(const Entry* a, const Entry* b) const {
  return sorts_newest_first_ ? a->order > b->order : a->order < b->order;
}

void Finalizers::push_dead(Entry* entry) {
  if (dead_count_ == dead_room_) {
    const size_t room = dead_room_ == 0 ? 512 : dead_room_ * 2;
    auto** grown = static_cast<Entry**>(base::os_map(room * sizeof(*dead_)));
    if (grown == nullptr) {  // no memory to put it in order
      entry->next = unordered_;
      unordered_ = entry;
      return;
    }
    if (dead_ != nullptr) {
      std::memcpy(grown, dead_, dead_count_ * sizeof(*dead_));
      base::os_release(dead_, dead_room_ * sizeof(*dead_));
    }
    dead_ = grown;
    dead_room_ = room;
    dead_bytes_.store_relaxed(room * sizeof(*dead_));
  }
  dead_[dead_count_++] = entry;
  std::push_heap(dead_, dead_ + dead_count_,
                 [this](Entry* a, Entry* b) { return before(b, a); });
}

bool Finalizers::find_dead(size_t limit) {
  const size_t pages = heap_->space().committed_pages();
  Entry* found = nullptr;
  {
    base::LockGuard guard(lock_);
    found = take_dead_locked(pages, limit);
  }
  // Their order is nobody else's business.
  while (found != nullptr) {
    Entry* e = found;
    found = e->next;
    push_dead(e);
  }
  return page_ >= pages;
}

Finalizers::Entry* Finalizers::take_dead_locked(size_t pages, size_t limit) {
  heap::AddressSpace& space = heap_->space();
  Entry* found = nullptr;
  size_t looked = 0;
  if (page_ == 0) {
    sorts_newest_first_ = newest_first_.load_relaxed() != 0;
    if (registered() == 0) page_ = pages;
  }
  while (page_ < pages && looked < limit) {
    Block* block = blocks_[page_ / kPages];
    ++looked;
    if (block == nullptr || block->count == 0) {
      page_ = (page_ / kPages + 1) * kPages;
      continue;
    }
    for (Entry** link = &block->heads[page_ % kPages]; *link != nullptr;) {
      Entry* e = *link;
      ++looked;
      uint8_t byte =
          base::load_relaxed(space.mark_of(space.offset_of(e->object)));
      if (byte == heap_->cur()) {
        link = &e->next;
        continue;
      }
      *link = e->next;
      --block->count;
      registered_.store_relaxed(registered_.load_relaxed() - 1);
      e->next = found;
      found = e;
    }
    ++page_;
  }
  return found;
}

Finalizers::Entry* Finalizers::next_dead() {
  if (dead_count_ == 0) {
    Entry* e = unordered_;
    if (e != nullptr) unordered_ = e->next;
    return e;
  }
  std::pop_heap(dead_, dead_ + dead_count_,
                [this](Entry* a, Entry* b) { return before(b, a); });
  Entry* e = dead_[--dead_count_];
  if (dead_count_ == 0 && dead_room_ > 512) {
    base::os_release(dead_, dead_room_ * sizeof(*dead_));
    dead_ = nullptr;
    dead_room_ = 0;
    dead_bytes_.store_relaxed(0);
  }
  return e;
}

void Finalizers::enqueue(Entry* entry) {
  entry->next = nullptr;
  (fresh_ == nullptr ? fresh_ : fresh_end_->next) = entry;
  fresh_end_ = entry;
  ++fresh_count_;
}

size_t Finalizers::publish() {
  const size_t n = fresh_count_;
  if (n == 0) return 0;
  base::LockGuard guard(lock_);
  (queue_ == nullptr ? queue_ : queue_end_->next) = fresh_;
  queue_end_ = fresh_end_;
  queued_.store_relaxed(queued_.load_relaxed() + n);
  fresh_ = fresh_end_ = nullptr;
  fresh_count_ = 0;
  return n;
}

void Finalizers::begin_cycle_stw() {
  base::LockGuard guard(lock_);
  scan_.store_relaxed(queue_);
}

size_t Finalizers::take_roots(void** cells, size_t n) {
  if (scan_.load_relaxed() == nullptr) return 0;
  base::LockGuard guard(lock_);
  Entry* e = scan_.load_relaxed();
  size_t got = 0;
  for (; e != nullptr && got < n; e = e->next) cells[got++] = e->object;
  // ORDER-queue-roots-1: pairs with roots_taken(): the taker is counted among
  // the busy before its piece is gone (CollectorImpl::take_root_piece).
  scan_.store_release(e);
  return got;
}

}  // namespace tricolor::gc
