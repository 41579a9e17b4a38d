// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// ValueStack: where a VM keeps its frames. Words in [base, top) are roots,
// read with the stack's encoding; stores into them need no barrier because the
// collector scans them only while their owner is suspended. A VM keeps `top`
// true at every safepoint and initialises words before it raises top.
//
//   mount_value_stack(mu, {.encoding = values, .initial_bytes = 4096,
//                          .limit_bytes = 64 << 20});
//   if (!reserve(mu, frame_words)) return stack_overflow(mu);
//   uint64_t* frame = mu.value_stack->top;
//
// A stack whose limit is larger than its first size grows in reserve(), by
// moving to a block of twice the size, and shrinks there by half when a
// collection has found less than a quarter of it in use. So read base and top
// again after reserve(), and keep indices, not addresses, across calls that may
// reserve; or a StackPointer, or an address that on_moved adjusts. It moves
// nowhere else, and only when its owner asks. TRIDEBUG=movestack=N moves it at
// every Nth reserve().
// Source of the idea: Go's stacks, LuaJIT's and PUC Lua's for VMs.
#ifndef TRICOLOR_VALUE_STACK_H_
#define TRICOLOR_VALUE_STACK_H_

#include <cstddef>
#include <cstdint>

#include "tricolor/detail/mutator.h"
#include "tricolor/encoding.h"

extern "C" bool tri_detail_value_stack_reserve(tri_mutator* mu, size_t words,
                                               bool polls);

namespace tricolor {

using ValueStack = ::tri_value_stack;

inline constexpr size_t kMaxValueStackBytes = size_t{1} << 30;

struct ValueStackOptions {
  EncodingId encoding = kRawPointers;  ///< of values of 8 bytes
  size_t initial_bytes = 4096;         ///< rounded up
  /// Of words in use; at most kMaxValueStackBytes. As initial_bytes: the stack
  /// never moves, and is touched lazily.
  size_t limit_bytes = kMaxValueStackBytes;
  /// Told in reserve() that the words have moved by so many bytes, in managed
  /// code of the owner: adjusts addresses, and does nothing else.
  void (*on_moved)(Mutator& mu, ptrdiff_t bytes, void* ctx) = nullptr;
  void* ctx = nullptr;
};

/// Mounts a fresh stack on the calling task or coroutine, which owns it until
/// it ends. One per G: a second call is a misuse. Null when there is no memory.
/// Does not collect.
ValueStack* mount_value_stack(Mutator& mu, const ValueStackOptions& options);

/// One that never moves, of `bytes` rounded up to pages.
inline ValueStack* mount_value_stack(Mutator& mu, size_t bytes,
                                     EncodingId encoding) {
  ValueStackOptions options;
  options.encoding = encoding;
  options.initial_bytes = options.limit_bytes = bytes;
  return mount_value_stack(mu, options);
}

namespace detail {
// One compare, also where the limit was lowered to send us into the call.
inline bool fits(const ValueStack* s, size_t words) {
  const auto top = reinterpret_cast<uintptr_t>(s->top) + words * 8;
  return TRI_DETAIL_LIKELY(top <= reinterpret_cast<uintptr_t>(s->limit));
}
}  // namespace detail

/// Whether `words` (< 2^48) more fit above top, moving the stack if needed.
/// False: its limit is reached, or there is no memory (report a stack
/// overflow); nothing has changed. A safepoint, which may suspend.
inline bool reserve(Mutator& mu, size_t words) {
  return detail::fits(mu.value_stack, words) ||
         tri_detail_value_stack_reserve(&mu, words, /*polls=*/true);
}

/// The same, but no safepoint: for the push of a value that nothing roots yet.
inline bool reserve_no_safepoint(Mutator& mu, size_t words) {
  return detail::fits(mu.value_stack, words) ||
         tri_detail_value_stack_reserve(&mu, words, /*polls=*/false);
}

namespace detail {
struct StackPointerLink {
  uint64_t* at;  ///< null: the stack is gone
  StackPointerLink* prev;
  StackPointerLink* next;
};
void link_stack_pointer(Mutator& mu, StackPointerLink* link);
void unlink_stack_pointer(Mutator& mu, StackPointerLink* link);
}  // namespace detail

/// An address in the calling task's value stack that follows it when it moves:
/// of an open upvalue, say. Of that task; on its stack or anywhere.
class StackPointer {
 public:
  StackPointer(Mutator& mu, uint64_t* at) : mu_(mu), link_{at, {}, {}} {
    detail::link_stack_pointer(mu_, &link_);
  }
  ~StackPointer() { detail::unlink_stack_pointer(mu_, &link_); }
  StackPointer(const StackPointer&) = delete;
  StackPointer& operator=(const StackPointer&) = delete;
  uint64_t* get() const { return link_.at; }
  uint64_t& operator*() const { return *link_.at; }

 private:
  Mutator& mu_;
  detail::StackPointerLink link_;
};

}  // namespace tricolor

#endif  // TRICOLOR_VALUE_STACK_H_
