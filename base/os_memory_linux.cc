// SPDX-License-Identifier: MIT
// Copyright tricolor authors
//
// The address-space half of base/os_memory.h on Linux: every mmap, mprotect
// and madvise of the library passes through the three functions on top, which
// ask the fault hook first.
//
// NORESERVE everywhere: with overcommit modes 0 and 1 only touched pages count.
// Mode 2 ignores it and charges whatever becomes writable, which is why tables
// stay PROT_NONE until they are committed.
#include "base/os_memory.h"

#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/errno_saver.h"

namespace tricolor::base {
namespace {

// Linux 6.13; not in the headers of the distributions we build on.
constexpr int kMadvGuardInstall = 102;
constexpr int kMadvGuardRemove = 103;
// Linux 6.15: the calling process, in place of a descriptor of it.
constexpr int kPidfdSelf = -10001;

// The hook if it wants this call to fail, else null.
const OsFaultHook* fault_injected(OsCall call, size_t bytes) {
  // ORDER-os-fault-1: pairs with OsFaultScope: sees the hook whole.
  const OsFaultHook* hook = os_fault.load_acquire();
  if (hook == nullptr || !hook->should_fail(hook->ctx, call, bytes)) {
    return nullptr;
  }
  return hook;
}

void* map(size_t bytes, int protection) {
  if (fault_injected(OsCall::kMmap, bytes) != nullptr) return nullptr;
  const ErrnoSaver saver;
  void* p = mmap(nullptr, bytes, protection,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return p == MAP_FAILED ? nullptr : p;
}

bool protect(void* p, size_t bytes, int protection) {
  if (fault_injected(OsCall::kMprotect, bytes) != nullptr) return false;
  const ErrnoSaver saver;
  return mprotect(p, bytes, protection) == 0;
}

// An errno; 0: done.
int advise_once(void* p, size_t bytes, int advice) {
  const OsFaultHook* hook = fault_injected(OsCall::kMadvise, bytes);
  if (hook != nullptr) return hook->again ? EAGAIN : ENOMEM;
  return madvise(p, bytes, advice) == 0 ? 0 : errno;
}

// EAGAIN may pass (a page that is being migrated) or not: advice that splits a
// mapping gets it at each try in a process that has vm.max_map_count of them.
bool advise(void* p, size_t bytes, int advice) {
  constexpr int kTries = 8;
  const ErrnoSaver saver;
  for (int i = 0; i < kTries; i++) {
    const int error = advise_once(p, bytes, advice);
    if (error == 0) return true;
    if (error != EAGAIN && error != EINTR) return false;
  }
  return false;
}

size_t round_up(size_t n, size_t to) { return (n + to - 1) & ~(to - 1); }

}  // namespace

size_t os_page_size() {
  // sysconf reads a value the kernel passed at exec: no system call.
  return static_cast<size_t>(sysconf(_SC_PAGESIZE));
}

void* os_reserve(size_t bytes, size_t align) {
  const size_t page = os_page_size();
  if (bytes == 0 || (align & (align - 1)) != 0) return nullptr;
  if (align < page) align = page;
  if (bytes > SIZE_MAX / 2 || align > SIZE_MAX / 4) return nullptr;
  bytes = round_up(bytes, page);
  // Takes more than asked for, and gives the ends back.
  const size_t whole = bytes + align - page;
  char* p = static_cast<char*>(map(whole, PROT_NONE));
  if (p == nullptr) return nullptr;
  const size_t head = round_up(reinterpret_cast<uintptr_t>(p), align) -
                      reinterpret_cast<uintptr_t>(p);
  const size_t tail = whole - head - bytes;
  if (head > 0) os_release(p, head);
  if (tail > 0) os_release(p + head + bytes, tail);
  // Advice: without it core dumps are slow to write, and that is all.
  advise(p + head, bytes, MADV_DONTDUMP);
  return p + head;
}

bool os_commit(void* p, size_t bytes) {
  if (!protect(p, bytes, PROT_READ | PROT_WRITE)) return false;
  advise(p, bytes, MADV_DODUMP);
  return true;
}

bool os_decommit(void* p, size_t bytes) {
  if (!os_discard(p, bytes)) return false;
  if (!protect(p, bytes, PROT_NONE)) return false;
  advise(p, bytes, MADV_DONTDUMP);
  return true;
}

bool os_discard(void* p, size_t bytes) {
  return advise(p, bytes, MADV_DONTNEED);
}

void os_release(void* p, size_t bytes) {
  const ErrnoSaver saver;
  munmap(p, bytes);
}

void* os_map(size_t bytes) {
  const size_t page = os_page_size();
  if (bytes == 0 || bytes > SIZE_MAX / 2) return nullptr;
  void* p = map(round_up(bytes, page), PROT_READ | PROT_WRITE);
  // What is that long is a table for all there may ever be. With huge pages
  // always on, the first touch of one would cost 2 MiB.
  constexpr size_t kHugePage = size_t{2} << 20;
  if (p != nullptr && bytes >= kHugePage) {
    advise(p, round_up(bytes, page), MADV_NOHUGEPAGE);
  }
  return p;
}

void* os_grow(void* p, size_t old_bytes, size_t new_bytes) {
  const size_t page = os_page_size();
  if (new_bytes > SIZE_MAX / 2) return nullptr;
  if (fault_injected(OsCall::kMmap, new_bytes) != nullptr) return nullptr;
  const ErrnoSaver saver;
  void* moved = mremap(p, round_up(old_bytes, page), round_up(new_bytes, page),
                       MREMAP_MAYMOVE);
  return moved == MAP_FAILED ? nullptr : moved;
}

void* os_map_zeros(size_t bytes) {
  const size_t page = os_page_size();
  if (bytes == 0 || bytes > SIZE_MAX / 2) return nullptr;
  return map(round_up(bytes, page), PROT_READ);
}

bool os_nohugepage(void* p, size_t bytes) {
  return advise(p, bytes, MADV_NOHUGEPAGE);
}

bool os_hugepage(void* p, size_t bytes) {
  return advise(p, bytes, MADV_HUGEPAGE);
}

bool os_guard_install(void* p, size_t bytes) {
  return advise(p, bytes, kMadvGuardInstall);
}

bool os_guard_install_each(void* p, size_t stride, size_t n, size_t bytes) {
  constexpr size_t kMost = 64;
  if (n > kMost) return false;
  if (fault_injected(OsCall::kMadvise, bytes) != nullptr) return false;
  iovec each[kMost];
  for (size_t i = 0; i < n; i++) {
    each[i] = {static_cast<char*>(p) + i * stride, bytes};
  }
  const ErrnoSaver saver;
  const long done =
      syscall(SYS_process_madvise, kPidfdSelf, each, n, kMadvGuardInstall, 0u);
  return done >= 0 && static_cast<size_t>(done) == n * bytes;
}

bool os_guard_remove(void* p, size_t bytes) {
  return advise(p, bytes, kMadvGuardRemove);
}

bool os_guard_mprotect(void* p, size_t bytes) {
  return protect(p, bytes, PROT_NONE);
}

}  // namespace tricolor::base
