// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// TimerHeap, see sched/timers.h.
#include "sched/timers.h"

#include "base/check.h"
#include "base/os_memory.h"
#include "base/sched_point.h"
#include "sched/scheduler.h"

namespace tricolor::sched {

void TimerHeap::release() {
  base::LockGuard guard(lock_);
  // A Timer may outlive the runtime: it is in no heap then.
  if (entries_ != nullptr) forget_locked();
  size_ = 0;
  release_locked();
  publish_locked();
}

void TimerHeap::forget_locked() {
  for (size_t i = 0; i < size_; i++) {
    Timer* timer = entry(i).timer;
    timer->heap.store_release(nullptr);
  }
}

void TimerHeap::release_locked() {
  if (entries_ != nullptr) {
    base::os_release(entries_, (kPad + capacity_) * sizeof(Entry));
  }
  entries_ = nullptr;
  capacity_ = 0;
}

bool TimerHeap::grow_locked(size_t room) {
  if (capacity_ >= room) return true;
  size_t to = capacity_ == 0 ? kFirstEntries : capacity_;
  while (to < room) to = 2 * (to + kPad) - kPad;
  const size_t bytes = (kPad + to) * sizeof(Entry);
  void* memory =
      entries_ == nullptr
          ? base::os_map(bytes)
          : base::os_grow(entries_, (kPad + capacity_) * sizeof(Entry), bytes);
  if (memory == nullptr) return false;
  entries_ = static_cast<Entry*>(memory);
  capacity_ = to;
  return true;
}

void TimerHeap::put_locked(size_t i, Entry e) {
  entry(i) = e;
  e.timer->index = static_cast<uint32_t>(i);
}

void TimerHeap::push_locked(Entry e) {
  // ORDER-timer-1: pairs with disarm(): a hint; the lock orders the rest.
  e.timer->heap.store_release(this);
  sift_up_locked(size_++, e);
}

TimerHeap::Armed TimerHeap::arm(Timer* timer, uint64_t when_ns, uint64_t arg) {
  TRI_SCHED_POINT(timer_arm);
  TRI_ASSERT(timer->heap.load_relaxed() == nullptr && when_ns != kNever);
  base::LockGuard guard(lock_);
  if (size_ == capacity_ && !grow_locked(size_ + 1)) return Armed::kNoMemory;
  timer->arg = arg;
  push_locked({when_ns, timer});
  if (timer->index != 0) return Armed::kLater;
  publish_locked();
  return Armed::kEarliest;
}

bool TimerHeap::disarm(Timer* timer) {
  TRI_SCHED_POINT(timer_disarm);
  for (;;) {
    // ORDER-timer-1: pairs with push_locked().
    TimerHeap* heap = timer->heap.load_acquire();
    if (heap == nullptr) return false;
    base::LockGuard guard(heap->lock_);
    if (timer->heap.load_relaxed() != heap) continue;  // it has moved, or fires
    const size_t i = timer->index;
    heap->remove_locked(i);
    if (i == 0) heap->publish_locked();
    return true;
  }
}

void TimerHeap::remove_locked(size_t i) {
  TRI_ASSERT(i < size_ && entry(i).timer->index == i);
  // ORDER-timer-1: pairs with disarm(): who sees it in no heap sees it counted
  // in `firing`, and writes `arg` behind our reading it.
  entry(i).timer->heap.store_release(nullptr);
  const Entry last = entry(--size_);
  if (i == size_) {
    if (size_ == 0 && capacity_ > kKeepEntries) release_locked();
    return;
  }
  if (i > 0 && last.when_ns < entry((i - 1) / 4).when_ns) {
    sift_up_locked(i, last);
  } else {
    sift_down_locked(i, last);
  }
}

size_t TimerHeap::take_due(uint64_t now_ns, size_t max, DueTimer* out) {
  if (next_ns() > now_ns) return 0;
  TRI_SCHED_POINT(timer_take_due);
  base::LockGuard guard(lock_);
  size_t n = 0;
  while (n < max && size_ > 0 && entry(0).when_ns <= now_ns) {
    Timer* timer = entry(0).timer;
    if (timer->tracked) timer->firing.fetch_add_relaxed(1);
    out[n++] = {timer, timer->fire, timer->arg};
    const bool tracked = timer->tracked;
    remove_locked(0);
    if (tracked) break;
  }
  publish_locked();
  return n;
}

bool TimerHeap::take_all(TimerHeap* from) TRI_NO_THREAD_SAFETY {
  TimerHeap* low = this < from ? this : from;
  TimerHeap* high = this < from ? from : this;
  base::LockGuard first(low->lock_);
  base::LockGuard second(high->lock_);
  if (!grow_locked(size_ + from->size_)) return false;
  for (size_t i = 0; i < from->size_; i++) push_locked(from->entry(i));
  from->size_ = 0;
  from->release_locked();
  from->publish_locked();
  publish_locked();
  return true;
}

void TimerHeap::sift_up_locked(size_t i, Entry e) {
  while (i > 0) {
    const size_t parent = (i - 1) / 4;
    if (e.when_ns >= entry(parent).when_ns) break;
    put_locked(i, entry(parent));
    i = parent;
  }
  put_locked(i, e);
}

void TimerHeap::sift_down_locked(size_t i, Entry e) {
  for (;;) {
    const size_t first = 4 * i + 1;
    if (first >= size_) break;
    const size_t end = first + 4 < size_ ? first + 4 : size_;
    size_t least = first;
    for (size_t c = first + 1; c < end; c++) {
      if (entry(c).when_ns < entry(least).when_ns) least = c;
    }
    if (entry(least).when_ns >= e.when_ns) break;
    put_locked(i, entry(least));
    i = least;
  }
  put_locked(i, e);
}

void TimerHeap::publish_locked() {
  // Seq_cst: the store half of the race in sleep.cc.
  next_ns_.store_seq_cst(size_ == 0 ? kNever : entry(0).when_ns);
}

size_t TimerHeap::size() {
  base::LockGuard guard(lock_);
  return size_;
}

bool TimerHeap::is_valid() {
  base::LockGuard guard(lock_);
  for (size_t i = 0; i < size_; i++) {
    const Entry& e = entry(i);
    if (e.timer->index != i || e.timer->heap.load_relaxed() != this) {
      return false;
    }
    if (i > 0 && e.when_ns < entry((i - 1) / 4).when_ns) return false;
  }
  return next_ns() == (size_ == 0 ? kNever : entry(0).when_ns);
}

}  // namespace tricolor::sched
