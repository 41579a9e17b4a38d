// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Registers on the stack, and where a thread's own stack lies: what a
// conservative scan needs of a stack beside a Context. Called by
// gc/conservative.cc and sched.
//
// A pointer that a function keeps in a callee-saved register lies in no frame,
// until somebody further down needs the register and pushes it. spill_call
// pushes all six, below every frame of its callers, and they stay there as long
// as the call lasts: [sp, base) then holds all that the callers can hold over a
// call. (Other registers are the caller's to save, and are in its frame.)
//
// Threads: any, about its own stack.
#ifndef TRICOLOR_STACKS_SPILL_H_
#define TRICOLOR_STACKS_SPILL_H_

#include <cstddef>
#include <cstdint>

extern "C" void tri_spill_call(void (*fn)(void* arg, char* sp), void* arg);

namespace tricolor::stacks {

/// What the entry points in sched/native_x86_64.S and tri_spill_call push, from
/// low to high addresses; the stack pointer of their caller is the end of it.
struct SpillFrame {
  uint64_t pad;
  uint64_t registers[6];  // r15, r14, r13, r12, rbx, rbp
  uint64_t return_address;
};
static_assert(sizeof(SpillFrame) == 64);

/// Calls f(sp) with the callee-saved registers pushed at sp.
template <class F>
inline void spill_call(F&& f) {
  tri_spill_call([](void* arg, char* sp) { (*static_cast<F*>(arg))(sp); },
                 const_cast<void*>(static_cast<const void*>(&f)));
}

struct StackBounds {
  char* lo = nullptr;
  char* hi = nullptr;
  bool contains(const char* p) const { return p >= lo && p < hi; }
};

/// The calling thread's own stack, from the OS; some 10 us. Empty if it does
/// not say. In spill_<os>.cc.
StackBounds thread_stack_bounds();
/// The same where libc cannot be asked: the mapping that the caller's frame is
/// in. May begin below the stack, and may leave out what lies above frames.
StackBounds mapped_stack_bounds();

}  // namespace tricolor::stacks

#endif  // TRICOLOR_STACKS_SPILL_H_
