// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// See gc/pacer.h.
#include "gc/pacer.h"

namespace tricolor::gc {

namespace {
constexpr uint64_t kLeastRoom = 256 * 1024;
}

void Pacer::init(int percent, uint64_t least_goal, uint32_t procs) {
  least_goal_ = least_goal;
  min_heap_ = min_heap_bytes(procs);
  set_percent(percent);
}

void Pacer::set_percent(int percent) {
  base::LockGuard guard(lock_);
  percent_.store_relaxed(percent);
  recompute_locked();
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

void Pacer::recompute_locked() {
  int percent = percent_.load_relaxed();
  uint64_t heap_live = live_.load_relaxed();
  uint64_t live = heap_live + external_;
  uint64_t goal = UINT64_MAX;
  uint64_t heap_goal = UINT64_MAX;
  if (percent >= 0) {
    auto p = static_cast<uint64_t>(percent);
    uint64_t least = least_goal_ != 0 ? least_goal_ : min_heap_ * p / 100;
    goal = live + live / 100 * p;
    if (goal < least) goal = least;
    heap_goal = heap_live + heap_live / 100 * p;
    if (heap_goal < least) heap_goal = least;
  }
  if (goal > limit_) {
    uint64_t floor = live + live / 64 + kLeastRoom;
    goal = limit_ > floor ? limit_ : floor;
    uint64_t rest = goal - external_;
    if (heap_goal > rest) heap_goal = rest;
  }
  if (goal == UINT64_MAX) {
    goal_.store_relaxed(goal);
    heap_goal_.store_relaxed(goal);
    trigger_.store_relaxed(goal);
    return;
  }
  uint64_t room = goal - live;
  uint64_t most = 0;
  for (uint64_t h : history_x256_) most = h > most ? h : most;
  uint64_t runway = heap_live * most / 256;  // the rest is not scanned
  uint64_t trigger = goal - (runway < goal ? runway : goal);
  uint64_t low = live + room / 10 * 7;
  uint64_t high = live + room / 20 * 19;
  if (trigger < low) trigger = low;
  if (trigger > high) trigger = high;
  goal_.store_relaxed(goal);
  heap_goal_.store_relaxed(heap_goal);
  trigger_.store_relaxed(trigger);
}

void Pacer::begin_cycle(uint64_t heap_live) {
  // What survived last time is a fair guess; what was allocated since is at
  // most as much again.
  uint64_t live = live_.load_relaxed();
  uint64_t expected = live + (heap_live > live ? (heap_live - live) / 8 : 0);
  expected_scan_.store_relaxed(expected == 0 ? 1 : expected);
}

void Pacer::end_cycle(uint64_t marked, uint64_t allocated, uint64_t scanned) {
  uint64_t scanned_or_one = scanned == 0 ? 1 : scanned;
  base::LockGuard guard(lock_);
  history_x256_[history_at_++ % 5] =
      scanned < 64 * 1024 ? 0 : allocated * 256 / scanned_or_one;
  live_.store_relaxed(marked + allocated);
  recompute_locked();
}

uint64_t Pacer::assist_ratio_x256(uint64_t heap_live, uint64_t scanned) const {
  uint64_t goal = goal_.load_relaxed();
  if (goal == UINT64_MAX) return 0;  // a forced cycle with percent off
  uint64_t expected = expected_scan_.load_relaxed();
  // Past the estimate the rest is unknown: a sixteenth more, at least 64 KiB.
  uint64_t left =
      expected > scanned ? expected - scanned : expected / 16 + 64 * 1024;
  uint64_t room = goal > heap_live ? goal - heap_live : 1;
  uint64_t least_room = goal / 64 + 1;
  if (room < least_room) room = least_room;
  return left * 256 / room;
}

}  // namespace tricolor::gc
