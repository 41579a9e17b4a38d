// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// What several workloads measure alike: time, gaps between two looks at the
// clock, stops of the collector, peak memory. Used by gcbench, quads,
// message_window and pauses, on the public API alone; the peers' twins are in
// bench/peers/measure, and bench/README.md has the definitions.
#ifndef TRICOLOR_BENCH_WORKLOADS_MEASURE_H_
#define TRICOLOR_BENCH_WORKLOADS_MEASURE_H_

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "tricolor/all.h"

namespace bench {

inline uint64_t now_ns() {
  return static_cast<uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(
          std::chrono::steady_clock::now().time_since_epoch())
          .count());
}

/// The largest time between two calls of look().
class Gap {
 public:
  void look() {
    const uint64_t now = now_ns();
    if (last_ != 0) max_ = std::max(max_, now - last_);
    last_ = now;
  }
  double max_us() const { return static_cast<double>(max_) / 1e3; }

 private:
  uint64_t last_ = 0;
  uint64_t max_ = 0;
};

/// One line of /proc/self/status in KiB, 0 if it is not there.
inline size_t status_kib(const char* name) {
  std::FILE* status = std::fopen("/proc/self/status", "r");
  char line[256];
  size_t kib = 0;
  const size_t length = std::strlen(name);
  while (status != nullptr && std::fgets(line, sizeof(line), status)) {
    if (std::strncmp(line, name, length) == 0 && line[length] == ':') {
      kib = std::strtoull(line + length + 1, nullptr, 10);
    }
  }
  if (status != nullptr) std::fclose(status);
  return kib;
}

/// Every stop of a runtime, as its listener is told: from the request until
/// the last P runs again, and of that until the last P has stopped.
class Stops {
 public:
  explicit Stops(size_t expected) {
    stop_us_.reserve(expected);
    ttsp_us_.reserve(expected);
  }

  static void listen(tricolor::Runtime&, const tricolor::GcEvent& event,
                     void* ctx) {
    auto* self = static_cast<Stops*>(ctx);
    if (event.stop_ns == 0 || !self->on_.load(std::memory_order_relaxed)) {
      return;
    }
    if (event.phase == tricolor::GcPhase::kSettle) {
      self->marks_.fetch_add(1, std::memory_order_relaxed);
    }
    self->stop_us_.push_back(static_cast<double>(event.stop_ns) / 1e3);
    self->ttsp_us_.push_back(static_cast<double>(event.ttsp_ns) / 1e3);
  }

  /// Whether to count what comes; any thread. It does from the start.
  void record(bool on) { on_.store(on, std::memory_order_relaxed); }
  /// Marks that ended; any thread.
  uint64_t marks() const { return marks_.load(std::memory_order_relaxed); }

  // After the runtime has gone: there is no listener then.
  double stop_us(double q) const { return quantile(stop_us_, q); }
  double ttsp_us(double q) const { return quantile(ttsp_us_, q); }

 private:
  static double quantile(std::vector<double> v, double q) {
    if (v.empty()) return 0;
    std::sort(v.begin(), v.end());
    const auto at = static_cast<size_t>(q * static_cast<double>(v.size()));
    return v[std::min(at, v.size() - 1)];
  }

  std::atomic<bool> on_{true};
  std::atomic<uint64_t> marks_{0};
  std::vector<double> stop_us_;  // by the listener, never two at once
  std::vector<double> ttsp_us_;
};

/// Prints how much more was resident at any time than the `before_kib` of the
/// empty program, over what is allowed.
inline void print_peak(size_t before_kib, uint64_t limit_bytes) {
  const auto peak =
      static_cast<double>((status_kib("VmHWM") - before_kib) * 1024);
  std::printf("metric peak_over_heap %.4f\n",
              peak / static_cast<double>(limit_bytes));
}

/// A runtime, or the end of the process.
inline tricolor::RuntimePtr create(const tricolor::Options& options) {
  tricolor::Error error;
  tricolor::RuntimePtr rt = tricolor::Runtime::create(options, &error);
  if (rt == nullptr) {
    std::fprintf(stderr, "%s\n", error.text);
    std::exit(1);
  }
  return rt;
}

/// A layout of `bytes` that begins with so many pointers.
inline tricolor::LayoutId register_cell(tricolor::Runtime& rt, const char* name,
                                        size_t bytes, size_t pointers) {
  uint32_t offsets[8];
  for (uint32_t i = 0; i < pointers; ++i) offsets[i] = i * 8;
  tricolor::LayoutSpec spec;
  spec.name = name;
  spec.head_bytes = static_cast<uint32_t>(bytes);
  spec.pointer_offsets = offsets;
  spec.pointer_count = pointers;
  return rt.register_layout(spec);
}

/// A layout of any size: words that are all pointers, or plain bytes.
inline tricolor::LayoutId register_array(tricolor::Runtime& rt,
                                         const char* name, bool pointers) {
  tricolor::LayoutSpec spec;
  spec.name = name;
  spec.tail = pointers ? tricolor::LayoutSpec::Tail::kPointers
                       : tricolor::LayoutSpec::Tail::kNoscan;
  return rt.register_layout(spec);
}

/// Marsaglia's xorshift64; every program draws the same numbers.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(0x9e3779b97f4a7c15 * (seed + 1)) {}
  uint64_t next() {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return state_ >> 32;
  }

 private:
  uint64_t state_;
};

}  // namespace bench

#endif  // TRICOLOR_BENCH_WORKLOADS_MEASURE_H_
