// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Calls that hold a pointer in one callee-saved register and nowhere else: for
// tests of conservative stacks. The pointer comes and goes as its complement.
#ifndef TESTS_UNIT_SCHED_HELD_X86_64_H_
#define TESTS_UNIT_SCHED_HELD_X86_64_H_

#include <cstdint>
#include <cstring>

#define TRI_TEST_HELD(reg)                                              \
  extern "C" uint64_t tri_test_held_in_##reg(uint64_t hidden,           \
                                             void (*fn)(void*), void*); \
  __asm__(                                                              \
      ".text\n"                                                         \
      ".type tri_test_held_in_" #reg                                    \
      ", @function\n"                                                   \
      "tri_test_held_in_" #reg                                          \
      ":\n"                                                             \
      "  .cfi_startproc\n"                                              \
      "  pushq %" #reg                                                  \
      "\n"                                                              \
      "  .cfi_adjust_cfa_offset 8\n"                                    \
      "  movq %rdi, %" #reg                                             \
      "\n"                                                              \
      "  notq %" #reg                                                   \
      "\n"                                                              \
      "  movq %rdx, %rdi\n"                                             \
      "  callq *%rsi\n"                                                 \
      "  notq %" #reg                                                   \
      "\n"                                                              \
      "  movq %" #reg                                                   \
      ", %rax\n"                                                        \
      "  popq %" #reg                                                   \
      "\n"                                                              \
      "  .cfi_adjust_cfa_offset -8\n"                                   \
      "  retq\n"                                                        \
      "  .cfi_endproc\n");

TRI_TEST_HELD(rbx)
TRI_TEST_HELD(rbp)
TRI_TEST_HELD(r12)
TRI_TEST_HELD(r13)
TRI_TEST_HELD(r14)
TRI_TEST_HELD(r15)
#undef TRI_TEST_HELD

namespace tricolor::testing {

using HeldFn = uint64_t (*)(uint64_t hidden, void (*fn)(void*), void* arg);
inline constexpr HeldFn kHeldIn[] = {
    tri_test_held_in_rbx, tri_test_held_in_rbp, tri_test_held_in_r12,
    tri_test_held_in_r13, tri_test_held_in_r14, tri_test_held_in_r15};
inline constexpr const char* kHeldNames[] = {"rbx", "rbp", "r12",
                                             "r13", "r14", "r15"};

/// Overwrites what earlier calls have left further down on this stack.
__attribute__((noinline)) inline void wipe_stack() {
  char bytes[8192];
  std::memset(bytes, 0, sizeof(bytes));
  __asm__ volatile("" ::"r"(bytes) : "memory");
}

}  // namespace tricolor::testing

#endif  // TESTS_UNIT_SCHED_HELD_X86_64_H_
