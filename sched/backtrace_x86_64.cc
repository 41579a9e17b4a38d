// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// See sched/backtrace.h.
#include <dlfcn.h>
#include <link.h>

#include <initializer_list>

#include "base/macros.h"
#include "sched/backtrace.h"

// Old C libraries have dladdr elsewhere; a program may do without both.
extern "C" {
extern decltype(dladdr) dladdr __attribute__((weak));
extern decltype(dl_iterate_phdr) dl_iterate_phdr __attribute__((weak));
}

namespace tricolor::sched {
namespace {

// The saved frame of context_x86_64.S.
constexpr size_t kRbpWord = 6;
constexpr size_t kReturnWord = 7;
constexpr size_t kFrameWords = 8;

struct CodeQuery {
  uintptr_t address;
  bool is_code;
};

int look_at_object(dl_phdr_info* info, size_t, void* arg) {
  auto* query = static_cast<CodeQuery*>(arg);
  for (size_t i = 0; i < info->dlpi_phnum; i++) {
    const ElfW(Phdr)& h = info->dlpi_phdr[i];
    if (h.p_type != PT_LOAD || (h.p_flags & PF_X) == 0) continue;
    const uintptr_t start = info->dlpi_addr + h.p_vaddr;
    // Room for the longest call before it.
    if (query->address >= start + 7 && query->address < start + h.p_memsz) {
      query->is_code = true;
      return 1;
    }
  }
  return 0;
}

// Whether a call instruction of a loaded object ends at `address`.
TRI_NO_SANITIZE_ADDRESS bool is_return_address(uintptr_t address) {
  if (address < 4096 || dl_iterate_phdr == nullptr) return false;
  CodeQuery query{address, false};
  dl_iterate_phdr(look_at_object, &query);
  if (!query.is_code) return false;
  const auto* end = reinterpret_cast<const unsigned char*>(address);
  if (end[-5] == 0xe8) return true;     // call rel32
  for (int length : {2, 3, 4, 6, 7}) {  // call r/m64
    if (end[-length] == 0xff && ((end[1 - length] >> 3) & 7) == 2) return true;
  }
  return false;
}

}  // namespace

TRI_NO_SANITIZE_ADDRESS TRI_NO_SANITIZE_THREAD size_t
backtrace_saved(const void* sp, const void* hi, Symbols symbols,
                uintptr_t (&out)[kMaxFrames]) {
  const auto* words = static_cast<const uintptr_t*>(sp);
  const auto* end = static_cast<const uintptr_t*>(hi);
  if (words == nullptr || words + kFrameWords > end) return 0;
  size_t n = 0;
  out[n++] = words[kReturnWord];
  const uintptr_t* at = words + kFrameWords;
  if (symbols == Symbols::kYes) {
    for (; at < end && n < kMaxFrames; at++) {
      if (is_return_address(*at)) out[n++] = *at;
    }
    return n;
  }
  uintptr_t fp = words[kRbpWord];
  while (n < kMaxFrames) {
    const auto* frame = reinterpret_cast<const uintptr_t*>(fp);
    if (fp % sizeof(uintptr_t) != 0 || frame < at || frame + 2 > end) break;
    if (frame[1] < 4096) break;
    out[n++] = frame[1];
    at = frame + 2;
    fp = frame[0];
  }
  return n;
}

TRI_NO_SANITIZE_ADDRESS TRI_NO_SANITIZE_THREAD size_t
backtrace_running(uintptr_t pc, const void* sp, const void* hi,
                  uintptr_t (&out)[kMaxFrames]) {
  const auto* at = reinterpret_cast<const uintptr_t*>(
      reinterpret_cast<uintptr_t>(sp) & ~uintptr_t{7});
  const auto* end = static_cast<const uintptr_t*>(hi);
  size_t n = 0;
  out[n++] = pc + 1;
  for (; at < end && n < kMaxFrames; at++) {
    if (is_return_address(*at)) out[n++] = *at;
  }
  return n;
}

void print_frames(base::FatalSink& sink, const uintptr_t* frames, size_t n,
                  Symbols symbols) {
  for (size_t i = 0; i < n; i++) {
    sink.print("    %p", reinterpret_cast<void*>(frames[i]));
    Dl_info info;
    // The call, not what comes after it, which may be another function.
    if (symbols == Symbols::kYes && dladdr != nullptr &&
        dladdr(reinterpret_cast<void*>(frames[i] - 1), &info) != 0) {
      const auto base = reinterpret_cast<uintptr_t>(info.dli_fbase);
      if (info.dli_sname != nullptr) {
        const auto start = reinterpret_cast<uintptr_t>(info.dli_saddr);
        sink.print(" %s+0x%lx", info.dli_sname,
                   static_cast<unsigned long>(frames[i] - start));
      }
      if (info.dli_fname != nullptr) {
        sink.print(" (%s+0x%lx)", info.dli_fname,
                   static_cast<unsigned long>(frames[i] - base));
      }
    }
    sink.print("\n");
  }
}

}  // namespace tricolor::sched
