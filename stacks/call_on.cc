// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// See stacks/call_on.h. AddressSanitizer is told of both changes of stack, as
// of those of context.cc; ThreadSanitizer does not care where frames lie.
#include "stacks/call_on.h"

#include <cstdint>

#include "base/check.h"

#if TRI_ASAN
extern "C" {
void __sanitizer_start_switch_fiber(void** fake_stack_save, const void* bottom,
                                    size_t size);
void __sanitizer_finish_switch_fiber(void* fake_stack_save,
                                     const void** bottom_old, size_t* size_old);
}
#endif

namespace tricolor::stacks {
namespace {

// The red zone of the ABI, though a suspended context uses none.
constexpr uintptr_t kGapBytes = 128;

#if TRI_ASAN
struct Call {
  void (*fn)(void* arg);
  void* arg;
  void* fake_stack;  // of the stack called on
};

// On the other stack.
void call_told(void* arg) {
  auto* call = static_cast<Call*>(arg);
  const void* back = nullptr;
  size_t back_bytes = 0;
  __sanitizer_finish_switch_fiber(call->fake_stack, &back, &back_bytes);
  call->fn(call->arg);
  __sanitizer_start_switch_fiber(&call->fake_stack, back, back_bytes);
}
#endif

}  // namespace

void call_on(const Context* below, void (*fn)(void* arg), void* arg) {
  const auto top = reinterpret_cast<uintptr_t>(below->sp);
  TRI_CHECK(top != 0, "a context that is not suspended");
  void* sp = reinterpret_cast<void*>((top - kGapBytes) & ~uintptr_t{15});
#if TRI_ASAN
  Call call{fn, arg, below->asan_fake_stack};
  void* own_fake_stack = nullptr;
  __sanitizer_start_switch_fiber(&own_fake_stack, below->asan_bottom,
                                 below->asan_bytes);
  tri_call_on(call_told, &call, sp);
  __sanitizer_finish_switch_fiber(own_fake_stack, nullptr, nullptr);
#else
  tri_call_on(fn, arg, sp);
#endif
}

}  // namespace tricolor::stacks
