// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// New contexts, and what the sanitizers must be told about switches. Without
// sanitizers all that is left is the frame that context_x86_64.S expects.
//
// TSan's switches synchronise (flag 0): two contexts on one thread follow each
// other in program order, and much is handed over at a switch. What one M does
// against another is still checked, since that edge comes from our own queues.
#include "stacks/context.h"

#include "base/check.h"

#if TRI_TSAN
extern "C" {
void* __tsan_get_current_fiber(void);
void* __tsan_create_fiber(unsigned flags);
void __tsan_destroy_fiber(void* fiber);
void __tsan_switch_to_fiber(void* fiber, unsigned flags);
}
#endif
#if TRI_ASAN
extern "C" {
void __sanitizer_start_switch_fiber(void** fake_stack_save, const void* bottom,
                                    size_t size);
void __sanitizer_finish_switch_fiber(void* fake_stack_save,
                                     const void** bottom_old, size_t* size_old);
void __asan_unpoison_memory_region(void const volatile* addr, size_t size);
}
#endif

extern "C" {
void tri_context_entry(void);  // context_x86_64.S
__attribute__((visibility("hidden"), used)) void tri_context_begin(
    tricolor::stacks::Context* ctx, tricolor::stacks::EntryFn entry, void* arg);
}

namespace tricolor::stacks {
namespace {

constexpr size_t kFrameWords = 8;  // see the picture in context_x86_64.S
// The control words every process starts with: all exceptions masked, round to
// nearest, 64-bit x87 mantissa.
constexpr uint64_t kFpControl = 0x1f80 | (uint64_t{0x037f} << 32);

#if TRI_TSAN
constexpr uint32_t kMaxUses = 1000;

// A task that ends leaves its last frames on TSan's shadow call stack, which
// holds 64 Ki: so a fiber is not used for ever.
void* cached_fiber(ContextCache* cache) {
  if (cache->uses == kMaxUses) context_cache_destroy(cache);
  if (cache->tsan_fiber == nullptr) cache->tsan_fiber = __tsan_create_fiber(0);
  cache->uses++;
  return cache->tsan_fiber;
}
#endif

#if TRI_ASAN
// Runs on the new stack, right after the switch.
void asan_arrived(Context* self) {
  Context* from = self->asan_from;
  const void* bottom = nullptr;
  size_t bytes = 0;
  __sanitizer_finish_switch_fiber(self->asan_fake_stack, &bottom, &bytes);
  // Only a thread's own stack is learnt this way; the others are known.
  if (from->asan_bottom == nullptr) {
    from->asan_bottom = bottom;
    from->asan_bytes = bytes;
  }
}
#endif

}  // namespace

void context_init(Context* ctx, char* lo, char* top, ContextCache* cache,
                  EntryFn entry, void* arg) {
  TRI_ASSERT(reinterpret_cast<uintptr_t>(top) % 16 == 0);
  TRI_CHECK(top - lo > 1024, "a native stack of %zu bytes",
            static_cast<size_t>(top - lo));
  uint64_t* frame = reinterpret_cast<uint64_t*>(top) - kFrameWords;
  frame[0] = kFpControl;
  frame[1] = 0;
  frame[2] = reinterpret_cast<uint64_t>(ctx);
  frame[3] = reinterpret_cast<uint64_t>(arg);
  frame[4] = reinterpret_cast<uint64_t>(entry);
  frame[5] = 0;
  frame[6] = 0;
  frame[7] = reinterpret_cast<uint64_t>(&tri_context_entry);
  ctx->sp = frame;
#if TRI_TSAN
  ctx->tsan_fiber = cached_fiber(cache);
#endif
  (void)cache;
#if TRI_ASAN
  // A recycled stack still has the red zones of the frames that never
  // returned.
  __asan_unpoison_memory_region(lo, static_cast<size_t>(top - lo));
  ctx->asan_fake_stack = nullptr;
  ctx->asan_bottom = lo;
  ctx->asan_bytes = static_cast<size_t>(top - lo);
#endif
}

void context_adopt_thread(Context* ctx) {
  *ctx = Context{};
#if TRI_TSAN
  ctx->tsan_fiber = __tsan_get_current_fiber();
#endif
}

void context_cache_destroy(ContextCache* cache) {
#if TRI_TSAN
  if (cache->tsan_fiber != nullptr) __tsan_destroy_fiber(cache->tsan_fiber);
#endif
  *cache = ContextCache{};
}

void context_cache_wear(ContextCache* cache) {
#if TRI_TSAN
  cache->uses = kMaxUses;
#endif
  (void)cache;
}

#if TRI_ASAN || TRI_TSAN
TRI_NOINLINE TRI_NO_SANITIZE_THREAD void context_switch(Context* from,
                                                        Context* to) {
#if TRI_TSAN
  __tsan_switch_to_fiber(to->tsan_fiber, 0);
#endif
#if TRI_ASAN
  to->asan_from = from;
  __sanitizer_start_switch_fiber(&from->asan_fake_stack, to->asan_bottom,
                                 to->asan_bytes);
#endif
  tri_context_switch(&from->sp, to->sp);
#if TRI_ASAN
  asan_arrived(from);
#endif
}

TRI_NOINLINE TRI_NO_SANITIZE_THREAD void context_leave(Context* from,
                                                       Context* to) {
#if TRI_TSAN
  __tsan_switch_to_fiber(to->tsan_fiber, 0);
#endif
#if TRI_ASAN
  to->asan_from = from;
  // Null: this fake stack ends here.
  __sanitizer_start_switch_fiber(nullptr, to->asan_bottom, to->asan_bytes);
#endif
  tri_context_switch(&from->sp, to->sp);
  __builtin_unreachable();
}
#endif

}  // namespace tricolor::stacks

// The first C++ frame of every context.
void tri_context_begin(tricolor::stacks::Context* ctx,
                       tricolor::stacks::EntryFn entry, void* arg) {
#if TRI_ASAN
  tricolor::stacks::asan_arrived(ctx);
#endif
  (void)ctx;
  entry(arg);
  TRI_FATAL("the entry function of a context returned");
}
