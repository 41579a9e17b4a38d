// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Requests to valgrind, if the program runs under it: an instruction sequence
// that does nothing elsewhere, a nanosecond. What is said of stacks keeps its
// tools from taking a switch between two near ones for a frame that ends, whose
// memory they would mark as gone. Numbers and sequence are valgrind's interface
// ("The Client Request mechanism" of its manual; valgrind.h).
//
// Threads: any.
#ifndef TRICOLOR_BASE_VALGRIND_X86_64_H_
#define TRICOLOR_BASE_VALGRIND_X86_64_H_

#include <cstdint>

namespace tricolor::base {

namespace detail {
/// Returns `otherwise` where there is no valgrind.
inline uint64_t ask_valgrind(uint64_t request, uint64_t a, uint64_t b,
                             uint64_t otherwise) {
  volatile uint64_t args[6] = {request, a, b, 0, 0, 0};
  uint64_t answer = otherwise;
  // The rotations add up to 128 bits.
  asm volatile(
      "rolq $3, %%rdi\n\t"
      "rolq $13, %%rdi\n\t"
      "rolq $61, %%rdi\n\t"
      "rolq $51, %%rdi\n\t"
      "xchgq %%rbx, %%rbx"
      : "+d"(answer)
      : "a"(&args[0])
      : "cc", "memory");
  return answer;
}
}  // namespace detail

inline bool under_valgrind() {
  return detail::ask_valgrind(0x1001, 0, 0, 0) != 0;
}
/// [lo, hi) is a stack from now on; returns its number.
inline uint64_t valgrind_add_stack(const void* lo, const void* hi) {
  return detail::ask_valgrind(0x1501, reinterpret_cast<uint64_t>(lo),
                              reinterpret_cast<uint64_t>(hi) - 1, 0);
}
inline void valgrind_drop_stack(uint64_t number) {
  detail::ask_valgrind(0x1502, number, 0, 0);
}

}  // namespace tricolor::base

#endif  // TRICOLOR_BASE_VALGRIND_X86_64_H_
