// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// StackGuard: installs guard pages, and knows how many the machine can take.
// Under stacks/slab_pool.h; implemented in stacks/stack_guard_<os>.cc.
//
// Guards live in the page tables where the kernel has that (Linux 6.13) and
// then cost no VMA. Elsewhere each is an mprotect that splits a mapping in
// three: two VMAs a guard. A process may have vm.max_map_count VMAs, and we
// leave half of them to the program.
//
// Threads: any.
#ifndef TRICOLOR_STACKS_STACK_GUARD_H_
#define TRICOLOR_STACKS_STACK_GUARD_H_

#include <cstddef>
#include <cstdint>

#include "base/atomics.h"

namespace tricolor::stacks {

class StackGuard {
 public:
  /// Makes [p, p + bytes) inaccessible. False: refused, with the reason.
  bool install(char* p, size_t bytes, const char** refusal);
  /// The same for up to kMany pages, `stride` bytes apart, where that is one
  /// call. False: one at a time, then.
  static constexpr size_t kMany = 32;
  bool try_install_each(char* p, size_t stride, size_t n, size_t bytes);

  /// Pretends to be on an older kernel with room for `vma_limit` VMAs.
  void use_mprotect_for_testing(uint64_t vma_limit);
  bool uses_mprotect() const { return mode_.load_relaxed() == kMprotect; }

 private:
  enum Mode : uint32_t {
    kUnknown = 0,    // nothing tried yet
    kPageTable = 1,  // the kernel has guard pages
    kMprotect = 2,   // it has not
  };
  bool install_mprotect(char* p, size_t bytes, const char** refusal);

  // Relaxed: each thread may find out for itself.
  base::Atomic<uint32_t> mode_{kUnknown};
  base::Atomic<bool> one_by_one_{false};  ///< the kernel refuses more
  base::Atomic<uint64_t> mprotect_guards_{0};
  base::Atomic<uint64_t> vma_limit_{0};  // 0: not read yet
};

}  // namespace tricolor::stacks

#endif  // TRICOLOR_STACKS_STACK_GUARD_H_
