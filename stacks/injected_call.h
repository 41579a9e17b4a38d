// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// A call that is injected into code that runs: a signal handler changes the
// context it has interrupted, so that, when it returns, a function is called
// there, between two instructions that know nothing of it. All registers are as
// before when that call ends: general ones, flags, and whatever the CPU's
// extended state is (XSAVE: x87, SSE, AVX, AVX-512, its masks). After Go's
// asyncPreempt, which has no red zone to respect and saves vectors elsewhere.
//
// The stack, from high to low addresses:
//
//   interrupted sp ->| red zone, 128 bytes | interrupted pc | flags, registers
//   | | extended state, 64-byte aligned | frames of the call
//
// so a conservative scan of [frame, base of the stack) reads every word that
// the interrupted function could hold.
//
// What the call may do: run as long as it likes, on this stack and this thread,
// leave to another context and come back, on this thread. It finds the signal
// mask as it was before the signal. What it must leave as it was: errno.
//
// Not there: shadow stacks of CET, which the last jump would violate; where the
// kernel has turned one on for the thread, can_inject_calls() is false. PKRU is
// the thread's and not saved.
//
// Threads: any; inject_call in a signal handler.
#ifndef TRICOLOR_STACKS_INJECTED_CALL_H_
#define TRICOLOR_STACKS_INJECTED_CALL_H_

#include <cstddef>
#include <cstdint>

namespace tricolor::stacks {

/// What the call is given: where the interrupted code's registers lie.
struct InjectedFrame {
  uint64_t registers[15];  ///< r15 .. r8, rbp, rdi, rsi, rdx, rcx, rbx, rax
  uint64_t flags;
  uint64_t pc;
  static constexpr size_t kRedZone = 128;
  /// Of the interrupted code.
  char* sp() { return reinterpret_cast<char*>(this + 1) + kRedZone; }
};
static_assert(sizeof(InjectedFrame) == 17 * 8);

/// `lowest`: where the stack pointer of the call was at its lowest before it
/// was called: [lowest, ..) holds the extended state, the frame, the red zone.
using InjectedFn = void (*)(InjectedFrame* frame, char* lowest);

/// Finds out how large the extended state is. Before the first inject_call;
/// again: nothing. Any thread.
bool can_inject_calls();

/// Bytes below the interrupted stack pointer that are taken before fn is
/// called.
size_t injected_frame_bytes();

/// Makes the interrupted code (`context`: a ucontext_t) call fn when the
/// handler returns. The caller knows that it may be called there, and that the
/// stack has injected_frame_bytes() and what fn needs. Async-signal-safe.
void inject_call(void* context, InjectedFn fn);

}  // namespace tricolor::stacks

#endif  // TRICOLOR_STACKS_INJECTED_CALL_H_
