// SPDX-License-Identifier: MIT
// Copyright tricolor authors
//
// What base asks of the operating system: address space, pages, limits of the
// machine and its cgroup, membarrier, CPU time. Implemented in
// base/os_memory_linux.cc and base/os_limits_linux.cc.
//
// 1. Failure comes back as null or false; nothing here aborts. The caller
//    decides whether the lack of memory is an error of the API.
// 2. `errno` is left as it was.
// 3. Addresses and sizes are multiples of the page size, except that mapping
//    calls round sizes up.
// 4. Before every mmap, mprotect and madvise the fault hook, if one is
//    installed, may decide that the call fails. munmap never fails.
// 5. Every call returns: what the kernel asks to be tried again is tried a few
//    times and then refused.
//
// Threading: any thread; the caller owns the range it changes.
#ifndef TRICOLOR_BASE_OS_MEMORY_H_
#define TRICOLOR_BASE_OS_MEMORY_H_

#include <cstddef>
#include <cstdint>

#include "base/atomics.h"

namespace tricolor::base {

// --- Address space ---------------------------------------------------------

// Reserves `bytes` aligned to `align` (a power of two): no access, no swap
// charge, not in core dumps. Null on failure.
void* os_reserve(size_t bytes, size_t align);

// Makes reserved pages readable and writable (zero on first touch), and part
// of core dumps. False when the kernel refuses; nothing has changed then.
bool os_commit(void* p, size_t bytes);

// Gives the pages back and takes the access away. False when the kernel
// refuses; the contents are undefined then and the range stays accessible.
bool os_decommit(void* p, size_t bytes);

// Gives the pages back; they read as zero when touched again.
bool os_discard(void* p, size_t bytes);

// Unmaps what os_reserve or os_map returned, or a part of it.
void os_release(void* p, size_t bytes);

// Maps zeroed, readable and writable pages that are charged when touched; from
// 2 MiB on page by page, whatever the system does about huge pages.
void* os_map(size_t bytes);

// Makes a mapping of os_map() longer, elsewhere if it must be; the pages move
// with it. Null, with nothing changed, when the kernel refuses.
void* os_grow(void* p, size_t old_bytes, size_t new_bytes);

// Maps zeros that can only be read: nothing is ever charged.
void* os_map_zeros(size_t bytes);

// Advice for transparent huge pages; false when the kernel does not take it.
bool os_nohugepage(void* p, size_t bytes);
bool os_hugepage(void* p, size_t bytes);

// Guard pages in the page tables, without a VMA of their own (Linux 6.13; the
// range must be private, anonymous and writable). False when the kernel does
// not have them: fall back on os_guard_mprotect, which costs two VMAs.
bool os_guard_install(void* p, size_t bytes);
bool os_guard_remove(void* p, size_t bytes);
bool os_guard_mprotect(void* p, size_t bytes);
// os_guard_install() at p, p + stride, ... `n` times (at most 64) in one call
// (Linux 6.15). False: not possible, and some may be guards now, which may be
// made again.
bool os_guard_install_each(void* p, size_t stride, size_t n, size_t bytes);

size_t os_page_size();

// --- Limits, time, barriers, chance ----------------------------------------

// The least of physical memory and the cgroup (v1, v2) limits on the way up.
size_t os_memory_limit_bytes();

// Whether the process has a limit on its address space (RLIMIT_AS).
bool os_address_space_is_limited();

// CPUs this process may use: affinity mask, and cgroup quota rounded up. >= 1.
unsigned os_cpu_quota();

// membarrier(PRIVATE_EXPEDITED): every running thread of the process passes a
// full fence before os_membarrier() returns. Register once per process before
// (more often is harmless). False when unsupported.
bool os_membarrier_register();
bool os_membarrier();

// 64 bits that nobody can guess, by getrandom(2); where a sandbox refuses that,
// of the clock and of where this process is mapped.
uint64_t os_random64();

uint64_t os_thread_cpu_ns();
uint64_t os_process_cpu_ns();

// --- Fault injection -------------------------------------------------------

enum class OsCall : uint8_t { kMmap, kMprotect, kMadvise };

// Asked before each such call; true makes it fail as if the kernel had.
struct OsFaultHook {
  bool (*should_fail)(void* ctx, OsCall call, size_t bytes);
  void* ctx;
  bool again = false;  ///< madvise fails by EAGAIN: it is asked once more
};

// The installed hook, null in production. Process-wide, for tests only.
inline Atomic<const OsFaultHook*> os_fault{nullptr};

// Installs a hook for a scope.
class OsFaultScope {
 public:
  explicit OsFaultScope(const OsFaultHook& hook)
      // ORDER-os-fault-1: pairs with fault_injected(): publishes *hook.
      : before_(os_fault.exchange_acq_rel(&hook)) {}
  ~OsFaultScope() { os_fault.store_release(before_); }
  OsFaultScope(const OsFaultScope&) = delete;
  OsFaultScope& operator=(const OsFaultScope&) = delete;

 private:
  const OsFaultHook* before_;
};

}  // namespace tricolor::base

#endif  // TRICOLOR_BASE_OS_MEMORY_H_
