// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// MemoryLimit: the soft limit of one runtime (TRIMEMLIMIT), a number of bytes
// or `auto`: 90 % of the cgroup, less what is charged to it and not ours. It is
// read again each cycle, and while the heap grows, so several runtimes in one
// cgroup, in one process or many, make room for each other: what one takes is
// not ours to the others.
//
//   limit     bytes of everything: pages in use or not given back, tables,
//             stacks, external bytes
//   goal      of the pacer, at most limit - headroom - what is no cell:
//             tables, stacks, and the free cells in spans in use
//   headroom  3 % of the limit, at least 1 MiB, at most a quarter of it
//
// Threads: set() any; the rest under the collector's limit_lock.
#ifndef TRICOLOR_GC_MEMORY_LIMIT_H_
#define TRICOLOR_GC_MEMORY_LIMIT_H_

#include <cstddef>
#include <cstdint>

#include "base/atomics.h"
#include "tricolor/options.h"

namespace tricolor::gc {

class MemoryLimit {
 public:
  static constexpr uint64_t kNone = UINT64_MAX;

  /// `root`: what precedes /proc and /sys in the names of files; may be null.
  /// False: it is too long.
  bool init(uint64_t bytes, const char* root);

  /// Bytes, kNoMemoryLimit or kAutoMemoryLimit; returns what was set before.
  uint64_t set(uint64_t bytes) { return set_.exchange_relaxed(bytes); }
  bool is_set() const { return set_.load_relaxed() != kNoMemoryLimit; }

  /// The limit for a runtime that uses `ours` bytes; kNone: there is none. Of
  /// `auto`: reads files. Remembers the answer for bytes().
  uint64_t read(uint64_t ours);
  uint64_t bytes() const { return bytes_.load_relaxed(); }

  static uint64_t headroom(uint64_t limit);
  /// The most the pacer's goal may be under `limit`, if `overhead` bytes of
  /// what is used are neither cells nor external.
  static uint64_t goal(uint64_t limit, uint64_t overhead);

 private:
  base::Atomic<uint64_t> set_{kNoMemoryLimit};
  base::Atomic<uint64_t> bytes_{kNone};
  char membership_[256] = {};
  char mount_[256] = {};
};

}  // namespace tricolor::gc

#endif  // TRICOLOR_GC_MEMORY_LIMIT_H_
