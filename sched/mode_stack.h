// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// ModeStack: the modes, native or managed, that a G was in when it entered the
// Managed- and NativeScopes that it is in: a bit each. The newest 32 are in a
// word, older ones by words in a chunk of shadow slots, for a VM's recursion
// through native code is as deep as its stack.
//
// Threads: the owner.
#ifndef TRICOLOR_SCHED_MODE_STACK_H_
#define TRICOLOR_SCHED_MODE_STACK_H_

#include <cstdint>
#include <cstring>

#include "base/check.h"
#include "sched/shadow_stack.h"

namespace tricolor::sched {

class ModeStack {
 public:
  uint32_t depth() const { return depth_; }
  /// Of the scope entered as the `i`th, from 0; i < depth().
  bool was_native(uint32_t i) const {
    const uint64_t word =
        i / kBits == (depth_ - 1) / kBits ? uint64_t{bits_} : old()[i / kBits];
    return (word >> i % kBits & 1) != 0;
  }
  void push(ShadowPool* pool, bool was_native) {
    if (TRI_UNLIKELY(depth_ % kBits == 0 && depth_ != 0)) spill(pool);
    const uint32_t bit = uint32_t{1} << depth_ % kBits;
    bits_ = was_native ? bits_ | bit : bits_ & ~bit;
    ++depth_;
  }
  /// depth() > 0.
  bool pop(ShadowPool* pool) {
    const bool native = was_native(depth_ - 1);
    --depth_;
    if (TRI_UNLIKELY(depth_ % kBits == 0 && depth_ != 0)) {
      bits_ = static_cast<uint32_t>(old()[depth_ / kBits - 1]);
      if (depth_ == kBits) clear_old(pool);
    }
    return native;
  }
  void clear(ShadowPool* pool) {
    depth_ = 0;
    clear_old(pool);
  }

 private:
  static constexpr uint32_t kBits = 32;

  uint64_t* old() const { return reinterpret_cast<uint64_t*>(old_->slots()); }
  void clear_old(ShadowPool* pool) {
    if (old_ != nullptr) pool->put(old_);
    old_ = nullptr;
  }
  TRI_NOINLINE void spill(ShadowPool* pool) {
    const size_t at = depth_ / kBits - 1;
    if (old_ == nullptr || at == old_->capacity) {
      gc::ShadowChunk* more = pool->get(old_ == nullptr ? 1 : 2 * at);
      if (more == nullptr) {
        TRI_NO_MEMORY("%u Managed- and NativeScopes inside each other", depth_);
      }
      if (old_ != nullptr) std::memcpy(more->slots(), old_->slots(), at * 8);
      clear_old(pool);
      old_ = more;
    }
    old()[at] = bits_;
    bits_ = 0;
  }

  uint32_t bits_;  ///< the newest word's
  uint32_t depth_;
  gc::ShadowChunk* old_;  ///< null: none of them is full
};

}  // namespace tricolor::sched

#endif  // TRICOLOR_SCHED_MODE_STACK_H_
