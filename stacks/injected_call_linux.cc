// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// See stacks/injected_call.h. The other half is in injected_call_x86_64.S.
#include "stacks/injected_call.h"

#include <cpuid.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "base/atomics.h"
#include "base/errno_saver.h"
#include "base/macros.h"

extern "C" {
void tri_injected_call(void);  // injected_call_x86_64.S
// Read there. The same for every thread, so that it is no matter who writes.
__attribute__((visibility("hidden"))) uint64_t tri_injected_state_bytes;
// Zero: there is no XSAVE, but FXSAVE.
__attribute__((visibility("hidden"))) uint64_t tri_injected_state_mask;
}

namespace tricolor::stacks {
namespace {

constexpr uint64_t kFxsaveBytes = 512;
constexpr uint64_t kPkru = uint64_t{1} << 9;
constexpr uint64_t kFnWord = 4;  // below the stack pointer: see there

uint64_t read_xcr0() {
  uint32_t lo = 0;
  uint32_t hi = 0;
  __asm__ volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
  return uint64_t{hi} << 32 | lo;
}

bool has_shadow_stack() {
  constexpr long kShadowStackStatus = 0x5005;  // ARCH_SHSTK_STATUS
  const base::ErrnoSaver saver;
  uint64_t features = 0;
  return syscall(SYS_arch_prctl, kShadowStackStatus, &features) == 0 &&
         (features & 1) != 0;
}

}  // namespace

bool can_inject_calls() {
  if (base::load_relaxed(&tri_injected_state_bytes) == 0) {
    uint64_t bytes = kFxsaveBytes;
    uint64_t mask = 0;
    uint32_t a = 0;
    uint32_t b = 0;
    uint32_t c = 0;
    uint32_t d = 0;
    constexpr uint32_t kOsUsesXsave = uint32_t{1} << 27;
    if (__get_cpuid(1, &a, &b, &c, &d) != 0 && (c & kOsUsesXsave) != 0 &&
        __get_cpuid_count(0xd, 0, &a, &b, &c, &d) != 0 && b != 0) {
      mask = read_xcr0() & ~kPkru;
      bytes = (uint64_t{b} + 63) & ~uint64_t{63};
    }
    base::store_relaxed(&tri_injected_state_mask, mask);
    base::store_relaxed(&tri_injected_state_bytes, bytes);
  }
  return !has_shadow_stack();
}

size_t injected_frame_bytes() {
  return InjectedFrame::kRedZone + sizeof(InjectedFrame) + 64 +
         base::load_relaxed(&tri_injected_state_bytes);
}

TRI_NO_SANITIZE_ADDRESS TRI_NO_SANITIZE_THREAD void inject_call(void* context,
                                                                InjectedFn fn) {
  greg_t* registers = static_cast<ucontext_t*>(context)->uc_mcontext.gregs;
  uint64_t sp = static_cast<uint64_t>(registers[REG_RSP]);
  sp -= InjectedFrame::kRedZone + sizeof(uint64_t);
  auto* words = reinterpret_cast<volatile uint64_t*>(sp);
  *words = static_cast<uint64_t>(registers[REG_RIP]);
  *(words - kFnWord) = reinterpret_cast<uint64_t>(fn);
  registers[REG_RSP] = static_cast<greg_t>(sp);
  registers[REG_RIP] = reinterpret_cast<greg_t>(&tri_injected_call);
}

}  // namespace tricolor::stacks
