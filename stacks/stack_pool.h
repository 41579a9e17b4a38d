// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// StackPool: one runtime's native stacks and value stacks, by size class, and
// StackCache: the few native stacks a P keeps at hand. Called by sched.
//
// A native stack, from low to high addresses (64 KiB unless asked otherwise):
//
//   | guard page | ........ frames grow down <- | colour | NativeStack |
//   lo                                          top()    block end
//
// The colour (0 to 960 bytes, by the block's number) keeps the hot ends of
// many stacks from falling into the same cache sets. The descriptor lies in the
// page that every running stack touches anyway.
//
// A value stack is a block without guard: its owner checks its limit.
//
// Threads: StackPool any thread; a StackCache belongs to the holder of its P.
#ifndef TRICOLOR_STACKS_STACK_POOL_H_
#define TRICOLOR_STACKS_STACK_POOL_H_

#include <cstddef>
#include <cstdint>

#include "base/macros.h"
#include "stacks/context.h"
#include "stacks/slab_pool.h"
#include "stacks/stack_guard.h"

namespace tricolor::stacks {

struct NativeStack {
  char* link;          // SlabPool's and StackCache's, while free
  char* lo;            // the block; the guard page is its first
  uint32_t klass;      // size class
  uint32_t top_bytes;  // from the block's end down to the usable top
  ContextCache contexts;

  char* top();
};
inline constexpr size_t kStackDescriptorBytes = 64;
static_assert(sizeof(NativeStack) <= kStackDescriptorBytes);

// Smallest native stack; also the default outside sanitizer builds, whose
// frames are several times larger.
inline constexpr size_t kMinNativeBytes = size_t{64} << 10;
inline constexpr size_t kMaxNativeBytes = size_t{64} << 20;
inline constexpr size_t kDefaultNativeBytes =
    (TRI_ASAN || TRI_TSAN) ? 4 * kMinNativeBytes : kMinNativeBytes;
inline constexpr uint32_t kNativeClasses = 11;  // 64 KiB << 0 .. 10
static_assert((kMinNativeBytes << (kNativeClasses - 1)) == kMaxNativeBytes);

inline constexpr size_t kMinValueBytes = size_t{4} << 10;
inline constexpr uint32_t kValueClasses = 15;  // 4 KiB << 0 .. 14 (64 MiB)
inline constexpr uint32_t kNoClass = ~uint32_t{0};

struct ValueBlock {
  char* lo = nullptr;  ///< null: refused
  size_t bytes = 0;
  uint32_t klass = kNoClass;  ///< kNoClass: a mapping of its own
};

class StackPool {
 public:
  constexpr StackPool() = default;
  StackPool(const StackPool&) = delete;
  StackPool& operator=(const StackPool&) = delete;

  /// `default_bytes`: 0 for kDefaultNativeBytes.
  void init(base::MetaArena* meta, size_t default_bytes);
  /// Unmaps everything. Nothing may be in use.
  void destroy();

  /// The class for a native stack of at least `bytes` (0: the default);
  /// kNoClass above kMaxNativeBytes.
  uint32_t native_class(size_t bytes) const;
  uint32_t default_class() const { return default_class_; }
  /// The lowest bytes of a native stack, which cannot be touched.
  size_t guard_bytes() const { return guard_bytes_; }
  static size_t native_class_bytes(uint32_t klass) {
    return kMinNativeBytes << klass;
  }

  /// Null with a reason when memory or mappings are refused.
  NativeStack* get_native(uint32_t klass, Refusal* refusal);
  void put_native(NativeStack* stack);

  /// Not zeroed.
  ValueBlock get_value(size_t bytes);
  void put_value(const ValueBlock& block);

  /// Gives the memory of free stacks back that nobody has wanted since the last
  /// trim but one; a little at a time. True: there is more to do now.
  bool trim();
  /// Address space mapped for stacks.
  size_t mapped_bytes() const;
  StackGuard& guard_for_testing() { return guard_; }

 private:
  uint32_t default_class_ = 0;
  size_t guard_bytes_ = 0;
  StackGuard guard_;
  SlabPool native_[kNativeClasses];
  SlabPool value_[kValueClasses];
};

class StackCache {
 public:
  /// A stack of the pool's default class; null with a reason.
  NativeStack* get(StackPool* pool, Refusal* refusal);
  /// A stack of any class.
  void put(StackPool* pool, NativeStack* stack);
  void flush(StackPool* pool);

 private:
  static constexpr uint32_t kMax = 32;

  uint32_t count_ = 0;
  NativeStack* stacks_[kMax];
};

}  // namespace tricolor::stacks

#endif  // TRICOLOR_STACKS_STACK_POOL_H_
