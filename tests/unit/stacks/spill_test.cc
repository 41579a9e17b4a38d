// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// spill_call: each callee-saved register is where SpillFrame says; and a
// thread's own bounds.
#include "stacks/spill.h"

#include <gtest/gtest.h>

#include <iterator>
#include <thread>
#include <utility>

#include "base/macros.h"
#include "tests/unit/sched/held_x86_64.h"

namespace tricolor::testing {
namespace {

constexpr uint64_t kWord = 0x1122'3344'5566'7788;
const stacks::SpillFrame* g_frame;
uint64_t g_registers[6];

void keep_frame(void*, char* sp) {
  g_frame = reinterpret_cast<const stacks::SpillFrame*>(sp);
  for (size_t i = 0; i < 6; i++) g_registers[i] = g_frame->registers[i];
}

TEST(stacks_spill, each_register_is_pushed_in_its_place) {
  // In the order of kHeldIn: rbx, rbp, r12, r13, r14, r15.
  const size_t at[] = {4, 5, 3, 2, 1, 0};
  for (size_t i = 0; i < std::size(kHeldIn); i++) {
    // Called with its argument alone, by a call without any code between:
    // tri_spill_call gets the function to call, and whatever argument.
    EXPECT_EQ(kHeldIn[i](~kWord,
                         reinterpret_cast<void (*)(void*)>(
                             reinterpret_cast<void*>(tri_spill_call)),
                         reinterpret_cast<void*>(keep_frame)),
              ~kWord);
    EXPECT_EQ(g_registers[at[i]], kWord) << kHeldNames[i];
    EXPECT_EQ(reinterpret_cast<uintptr_t>(g_frame) % 16, 0u);
  }
}

TEST(stacks_spill, a_threads_own_bounds) {
  auto check = [] {
    const stacks::StackBounds bounds = stacks::thread_stack_bounds();
    const auto* here = static_cast<char*>(__builtin_frame_address(0));
    EXPECT_TRUE(bounds.contains(here));
    EXPECT_GE(bounds.hi - bounds.lo, 16 * 1024);
    EXPECT_FALSE(bounds.contains(bounds.hi));
    char* sp = nullptr;
    stacks::spill_call([&](char* at) { sp = at; });
    EXPECT_TRUE(bounds.contains(sp));
    EXPECT_LT(sp, here);
  };
  check();
  std::thread(check).join();
}

// Of whatever frame, also between its variables.
TRI_NOINLINE TRI_NO_SANITIZE_ADDRESS void read_byte(const volatile char* p) {
  (void)*p;
}

// The way without libc covers every frame as well, and nothing above the stack.
TEST(stacks_spill, bounds_from_the_mappings) {
  auto check = [] {
    const stacks::StackBounds asked = stacks::thread_stack_bounds();
    const stacks::StackBounds mapped = stacks::mapped_stack_bounds();
    const auto* here = static_cast<char*>(__builtin_frame_address(0));
    EXPECT_TRUE(mapped.contains(here));
    char* sp = nullptr;
    stacks::spill_call([&](char* at) { sp = at; });
    EXPECT_TRUE(mapped.contains(sp));
    for (const char* p = mapped.lo; p < mapped.hi; p += 4096) {
      if (p < sp) continue;
      read_byte(p);
    }
    return std::pair(asked, mapped);
  };
  check();  // the main thread: above its frames lie its arguments
  std::thread([&] {
    const auto [asked, mapped] = check();
    EXPECT_LE(mapped.hi, asked.hi);
  }).join();
}

}  // namespace
}  // namespace tricolor::testing
