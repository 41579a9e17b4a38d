// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// See gc/cpu_limiter.h.
#include "gc/cpu_limiter.h"

namespace tricolor::gc {

void CpuLimiter::update(uint64_t gc_ns, uint64_t cpu_ns, uint64_t most_ns) {
  uint64_t gc = gc_ns > last_gc_ ? gc_ns - last_gc_ : 0;
  uint64_t all = cpu_ns > last_cpu_ ? cpu_ns - last_cpu_ : 0;
  if (all > most_ns) all = most_ns;
  if (gc_ns > last_gc_) last_gc_ = gc_ns;
  if (cpu_ns > last_cpu_) last_cpu_ = cpu_ns;
  uint64_t other = all > gc ? all - gc : 0;
  const uint64_t capacity = capacity_.load_relaxed();
  if (gc >= other) {
    fill_ = fill_ + (gc - other) < capacity ? fill_ + (gc - other) : capacity;
  } else {
    fill_ = fill_ > other - gc ? fill_ - (other - gc) : 0;
  }
  const uint32_t was = limiting_.load_relaxed();
  // Ends a little below the brim, so that it is not switched at every update.
  const bool full = fill_ >= (was != 0 ? capacity / 16 * 15 : capacity);
  if (full && was == 0) events_.fetch_add_relaxed(1);
  limiting_.store_relaxed(full ? 1 : 0);
}

}  // namespace tricolor::gc
