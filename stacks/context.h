// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Context: a suspended thread of execution on a native stack, and the switch
// between two of them. Used by sched/switch.cc alone. What a context of this
// kind does not carry (EH globals, TLS, errno, signal mask) is told in
// sched/switch.cc.
//
// Invariants
// 1. A context is entered only while nobody runs on it; the caller sees to it.
// 2. The entry function never returns: it ends in context_leave.
// 3. Under TSan each context is a TSan fiber, under ASan a fiber with a fake
//    stack; both are told of every switch here and nowhere else.
//
// Threads: a Context belongs to whoever runs on it or is about to. A context
// may continue on another thread than the one it was left on.
#ifndef TRICOLOR_STACKS_CONTEXT_H_
#define TRICOLOR_STACKS_CONTEXT_H_

#include <cstddef>
#include <cstdint>

#include "base/macros.h"

extern "C" void tri_context_switch(void** from_sp, void* to_sp);
extern "C" void tri_context_cross(void** from_sp, void* to_sp);
extern "C" void tri_context_reset_fp(void);

namespace tricolor::stacks {

struct Context {
  void* sp = nullptr;  ///< valid while suspended
#if TRI_TSAN
  void* tsan_fiber = nullptr;
#endif
#if TRI_ASAN
  void* asan_fake_stack = nullptr;
  const void* asan_bottom = nullptr;
  size_t asan_bytes = 0;
  Context* asan_from = nullptr;  ///< who switched here last
#endif
};

/// What a stack keeps of its contexts: TSan's record of a fiber takes
/// milliseconds to make, so it is used again with the stack.
struct ContextCache {
#if TRI_TSAN
  void* tsan_fiber = nullptr;
  uint32_t uses = 0;
#endif
};
void context_cache_destroy(ContextCache* cache);
/// A context of this stack ends deep in calls that do not return: what a
/// sanitizer has recorded of them is not used again.
void context_cache_wear(ContextCache* cache);

using EntryFn = void (*)(void* arg);

/// Makes `ctx` start entry(arg) on the stack [lo, top) when first switched to.
/// `top` is 16-byte aligned. `cache` belongs to the stack.
void context_init(Context* ctx, char* lo, char* top, ContextCache* cache,
                  EntryFn entry, void* arg);

/// Makes `ctx` stand for the calling thread's own stack.
void context_adopt_thread(Context* ctx);

/// The caller, who runs as `from`, goes on as `to`, on the same stack, with
/// what a new context begins with. `from` is never continued.
inline void context_begin_anew(const Context* from, Context* to) {
#if TRI_ASAN || TRI_TSAN
  *to = *from;
#endif
  (void)from, (void)to;
  tri_context_reset_fp();
}

#if TRI_ASAN || TRI_TSAN
void context_switch(Context* from, Context* to);
inline void context_cross(Context* from, Context* to) {
  context_switch(from, to);
}
[[noreturn]] void context_leave(Context* from, Context* to);
#else
/// Saves the caller in `from` and continues `to`; returns when somebody
/// switches to `from`. Quicker than context_cross() if `to` was left here, too.
inline void context_switch(Context* from, Context* to) {
  tri_context_switch(&from->sp, to->sp);
}
inline void context_cross(Context* from, Context* to) {
  tri_context_cross(&from->sp, to->sp);
}
/// The same, for the last time: `from` is never continued.
[[noreturn]] inline void context_leave(Context* from, Context* to) {
  tri_context_cross(&from->sp, to->sp);
  __builtin_unreachable();
}
#endif

}  // namespace tricolor::stacks

#endif  // TRICOLOR_STACKS_CONTEXT_H_
