// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Timers, see sched/timers.h.
#include "sched/timers.h"

#include "base/check.h"
#include "sched/scheduler.h"

namespace tricolor::sched {

bool Timers::init(size_t max) {
  base::LockGuard guard(lock_);
  return heap_.init(max);
}

bool Timers::add(uint64_t when_ns, G* g) {
  base::LockGuard guard(lock_);
  const Timer timer{when_ns, next_seq_++, g};
  // There is room for every G, and a G waits for one deadline at a time.
  TRI_CHECK(heap_.push_back(timer), "more timers than tasks");
  sift_up_locked(heap_.size() - 1);
  publish_locked();
  return heap_[0].seq == timer.seq;
}

void Timers::take_due(uint64_t now_ns, uint32_t max, GList* due) {
  if (next_ns() > now_ns) return;
  base::LockGuard guard(lock_);
  while (max-- > 0 && !heap_.empty() && heap_[0].when_ns <= now_ns) {
    due->push_back(heap_[0].g);
    const Timer last = heap_.pop_back();
    if (heap_.empty()) break;
    heap_[0] = last;
    sift_down_locked(0);
  }
  publish_locked();
}

void Timers::sift_up_locked(size_t i) {
  while (i > 0) {
    const size_t parent = (i - 1) / 4;
    if (!before(heap_[i], heap_[parent])) return;
    const Timer t = heap_[i];
    heap_[i] = heap_[parent];
    heap_[parent] = t;
    i = parent;
  }
}

void Timers::sift_down_locked(size_t i) {
  for (;;) {
    size_t least = i;
    for (size_t c = 4 * i + 1; c <= 4 * i + 4 && c < heap_.size(); c++) {
      if (before(heap_[c], heap_[least])) least = c;
    }
    if (least == i) return;
    const Timer t = heap_[i];
    heap_[i] = heap_[least];
    heap_[least] = t;
    i = least;
  }
}

void Timers::publish_locked() {
  // Seq_cst: the store half of the race in sleep.cc.
  next_ns_.store_seq_cst(heap_.empty() ? kNever : heap_[0].when_ns);
}

bool Timers::is_valid() {
  base::LockGuard guard(lock_);
  for (size_t i = 1; i < heap_.size(); i++) {
    if (before(heap_[i], heap_[(i - 1) / 4])) return false;
  }
  return next_ns() == (heap_.empty() ? kNever : heap_[0].when_ns);
}

}  // namespace tricolor::sched
