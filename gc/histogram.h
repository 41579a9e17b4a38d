// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Histogram: nanoseconds in logarithmic buckets, eight a doubling, so that a
// percentile is within 12.5 %. Any thread adds and reads; counters are relaxed,
// a reading may miss what is being added.
#ifndef TRICOLOR_GC_HISTOGRAM_H_
#define TRICOLOR_GC_HISTOGRAM_H_

#include <cstddef>
#include <cstdint>

#include "base/atomics.h"

namespace tricolor::gc {

class Histogram {
 public:
  static constexpr size_t kBuckets = 8 * 40;

  void add(uint64_t ns) {
    buckets_[index(ns)].fetch_add_relaxed(1);
    sum_.fetch_add_relaxed(ns);
    uint64_t max = max_.load_relaxed();
    while (ns > max && !max_.compare_exchange_weak_relaxed(max, ns)) {
    }
  }

  uint64_t max() const { return max_.load_relaxed(); }
  uint64_t sum() const { return sum_.load_relaxed(); }
  /// How many values bucket `i` has; its bounds: tri_histogram_bound().
  uint64_t bucket(size_t i) const { return buckets_[i].load_relaxed(); }

  uint64_t count() const {
    uint64_t n = 0;
    for (const auto& b : buckets_) n += b.load_relaxed();
    return n;
  }

  /// The upper end of the bucket that holds the `per_mille`th value; at most
  /// max(); 0 if nothing was added.
  uint64_t percentile(uint32_t per_mille) const {
    uint64_t total = count();
    if (total == 0) return 0;
    uint64_t rank = (total * per_mille + 999) / 1000;
    uint64_t seen = 0;
    for (size_t i = 0; i < kBuckets; ++i) {
      seen += buckets_[i].load_relaxed();
      if (seen >= rank) {
        uint64_t top = upper(i);
        return top < max() ? top : max();
      }
    }
    return max();
  }

 private:
  static size_t index(uint64_t ns) {
    if (ns < 8) return static_cast<size_t>(ns);
    auto msb = static_cast<size_t>(63 - __builtin_clzll(ns));
    size_t i = (msb - 2) * 8 + (ns >> (msb - 3) & 7);
    return i < kBuckets ? i : kBuckets - 1;
  }
  static uint64_t upper(size_t i) {
    if (i < 8) return i;
    size_t msb = i / 8 + 2;
    return (uint64_t{8} + i % 8 + 1) << (msb - 3);
  }

  base::Atomic<uint64_t> buckets_[kBuckets];
  base::Atomic<uint64_t> max_{0};
  base::Atomic<uint64_t> sum_{0};
};

}  // namespace tricolor::gc

#endif  // TRICOLOR_GC_HISTOGRAM_H_
