// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// See gc/pacer.h.
#include "gc/pacer.h"

namespace tricolor::gc {

namespace {
constexpr uint64_t kLeastRoom = 256 * 1024;
constexpr uint64_t kLeastWork = 64 * 1024;  // less says nothing about rates
constexpr double kLeastShare = 0.01;
constexpr double kMostShare = 0.95;

uint64_t clamp(uint64_t n, uint64_t low, uint64_t high) {
  if (n < low) n = low;
  return n > high ? high : n;
}
}  // namespace

void Pacer::init(int percent, uint64_t least_goal, uint32_t procs,
                 uint32_t share, bool assists) {
  least_goal_ = least_goal;
  {
    base::LockGuard guard(lock_);
    min_heap_ = min_heap_bytes(procs);
  }
  // Without a share it is step() and idle Ps, as much as they can.
  share_ = share == 0 ? 1 : static_cast<double>(share) / 100;
  assists_ = assists;
  set_percent(percent);
}

void Pacer::set_procs(uint32_t procs) {
  base::LockGuard guard(lock_);
  min_heap_ = min_heap_bytes(procs);
  recompute_locked();
}

void Pacer::set_percent(int percent) {
  base::LockGuard guard(lock_);
  percent_.store_relaxed(percent);
  recompute_locked();
}

bool Pacer::suspend(int delta) {
  base::LockGuard guard(lock_);
  const int n = suspended_.load_relaxed() + delta;
  if (n < 0) return false;
  suspended_.store_relaxed(n);
  recompute_locked();
  return true;
}

void Pacer::set_external(uint64_t bytes) {
  base::LockGuard guard(lock_);
  if (bytes == external_) return;
  external_ = bytes;
  recompute_locked();
}

void Pacer::set_limit(uint64_t goal) {
  base::LockGuard guard(lock_);
  if (goal == limit_) return;
  limit_ = goal;
  recompute_locked();
}

/// live + percent of `base`, short of the value that means no goal: external
/// bytes and the percentage may be any numbers.
static uint64_t grown(uint64_t live, uint64_t base, uint64_t percent) {
  constexpr uint64_t kMost = UINT64_MAX / 2;
  uint64_t more = 0;
  uint64_t sum = 0;
  if (__builtin_mul_overflow(base / 100, percent, &more) ||
      __builtin_add_overflow(live, more, &sum) || sum > kMost) {
    return live > kMost ? live : kMost;
  }
  return sum;
}

void Pacer::recompute_locked() {
  const int percent = suspended() ? -1 : percent_.load_relaxed();
  const uint64_t heap_live = live_.load_relaxed();
  const uint64_t live = heap_live + external_;
  uint64_t goal = UINT64_MAX;
  uint64_t heap_goal = UINT64_MAX;
  if (percent >= 0) {
    auto p = static_cast<uint64_t>(percent);
    uint64_t least = least_goal_ != 0 ? least_goal_ : min_heap_ * p / 100;
    goal = grown(live, live + extra_, p);
    if (goal < least) goal = least;
    heap_goal = grown(heap_live, heap_live + extra_, p);
    if (heap_goal < least) heap_goal = least;
  }
  if (goal > limit_) {
    uint64_t floor = live + live / 64 + kLeastRoom;
    goal = limit_ > floor ? limit_ : floor;
    uint64_t rest = goal - external_;
    if (heap_goal > rest) heap_goal = rest;
  }
  goal_.store_relaxed(goal);
  heap_goal_.store_relaxed(heap_goal);
  if (goal == UINT64_MAX) {
    hard_goal_.store_relaxed(goal);
    trigger_.store_relaxed(goal);
    return;
  }
  const uint64_t most = limit_ > goal ? limit_ : goal;
  hard_goal_.store_relaxed(clamp(goal + goal / 10, goal, most));
  const uint64_t room = goal - live;
  const double need = runway_rate_locked() * static_cast<double>(last_work_);
  const uint64_t runway =
      need < static_cast<double>(goal) ? static_cast<uint64_t>(need) : goal;
  trigger_.store_relaxed(clamp(goal - runway,
                               live + room / 10 * (assists_ ? 7 : 3),
                               live + room / 20 * 19));
}

double Pacer::runway_rate_locked() const {
  double most = 0;
  for (double rate : rates_) most = rate > most ? rate : most;
  return most;
}

double Pacer::runway_rate() {
  base::LockGuard guard(lock_);
  return runway_rate_locked();
}

/// With `used` of the Ps' time spent on the mark the rest allocated what it
/// did. At `paid`, the part that is no assist and at most the share, the mark
/// would last used / paid times as long, and (1 - paid) / (1 - used) times as
/// much would be allocated in each moment of it.
double Pacer::rate_of(const CycleWork& w) const {
  if (w.work() < kLeastWork) return 0;
  const double rate = static_cast<double>(w.allocated + w.external) /
                      static_cast<double>(w.work());
  if (w.cpu_ns == 0) return rate;
  const auto cpu = static_cast<double>(w.cpu_ns);
  double paid = static_cast<double>(w.worker_ns) / cpu;
  double used = static_cast<double>(w.worker_ns + w.assist_ns) / cpu;
  if (paid > share_) paid = share_;
  if (paid < kLeastShare) paid = kLeastShare;
  if (used > kMostShare) used = kMostShare;
  if (paid > kMostShare) paid = kMostShare;
  if (used < paid) used = paid;
  return rate * used / (1 - used) * (1 - paid) / paid;
}

void Pacer::begin_cycle(uint64_t heap_live) {
  base::LockGuard guard(lock_);
  const uint64_t most = heap_live + last_roots_;
  most_.store_relaxed(most);
  expected_.store_relaxed(last_work_ < most ? last_work_ : most);
}

void Pacer::end_cycle(const CycleWork& w) {
  base::LockGuard guard(lock_);
  if (!w.forced) rates_[rate_at_++ % 5] = rate_of(w);
  extra_ = w.stacks + w.roots + w.marker;
  last_work_ = w.work();
  last_roots_ = w.stacks + w.roots;
  live_.store_relaxed(w.marked + w.allocated);
  recompute_locked();
}

void Pacer::add_revived(uint64_t bytes) {
  base::LockGuard guard(lock_);
  live_.store_relaxed(live_.load_relaxed() + bytes);
  recompute_locked();
}

double Pacer::assist_ratio(uint64_t heap_live, uint64_t scanned) const {
  const uint64_t goal = goal_.load_relaxed();
  if (goal == UINT64_MAX) return 0;  // a forced cycle with percent off
  uint64_t end = goal;
  uint64_t work = expected_.load_relaxed();
  uint64_t least = 0;
  if (scanned >= work || heap_live >= goal) {
    end = hard_goal_.load_relaxed();
    work = most_.load_relaxed();
    // Stacks and roots may have grown since the last cycle: then nobody knows.
    least = work / 16 + kLeastWork;
  }
  uint64_t left = work > scanned ? work - scanned : 0;
  if (left < least) left = least;
  // No assist without end for the last bytes of room.
  uint64_t room = end > heap_live ? end - heap_live : 0;
  if (room < goal / 64 + 1) room = goal / 64 + 1;
  return static_cast<double>(left) / static_cast<double>(room);
}

}  // namespace tricolor::gc
