// SPDX-License-Identifier: MIT
// Copyright tricolor authors
//
// MetaArena, see base/meta_arena.h. All state is guarded by lock_.
#include "base/meta_arena.h"

#include "base/check.h"
#include "base/os_memory.h"

namespace tricolor::base {
namespace {

uintptr_t round_up(uintptr_t n, size_t align) {
  return (n + align - 1) & ~(static_cast<uintptr_t>(align) - 1);
}

}  // namespace

// Destruction is alone by contract: no lock.
MetaArena::~MetaArena() TRI_NO_THREAD_SAFETY {
  while (first_ != nullptr) {
    Header* next = first_->next;
    os_release(first_, first_->bytes);
    first_ = next;
  }
}

void* MetaArena::alloc(size_t bytes, size_t align) {
  TRI_CHECK(align != 0 && (align & (align - 1)) == 0, "align %zu", align);
  if (bytes > SIZE_MAX / 4 || align > SIZE_MAX / 4) return nullptr;
  if (bytes == 0) bytes = 1;
  LockGuard guard(lock_);
  if (bytes > kLargeBytes || align > kLargeBytes)
    return alloc_large_locked(bytes, align);
  uintptr_t at = round_up(cursor_, align);
  if (at + bytes > limit_) {
    if (!add_chunk_locked()) return nullptr;
    at = round_up(cursor_, align);
  }
  cursor_ = at + bytes;
  TRI_ASSERT(cursor_ <= limit_);
  return reinterpret_cast<void*>(at);
}

void MetaArena::discard(void* p, size_t bytes) {
  os_discard(p, bytes);
  bytes_.fetch_sub_relaxed(bytes);
}

void* MetaArena::alloc_large_locked(size_t bytes, size_t align) {
  Header* header = map_locked(sizeof(Header) + align + bytes);
  if (header == nullptr) return nullptr;
  const uintptr_t begin = reinterpret_cast<uintptr_t>(header + 1);
  return reinterpret_cast<void*>(round_up(begin, align));
}

bool MetaArena::add_chunk_locked() {
  Header* header = map_locked(kChunkBytes);
  if (header == nullptr) return false;
  cursor_ = reinterpret_cast<uintptr_t>(header + 1);
  limit_ = reinterpret_cast<uintptr_t>(header) + kChunkBytes;
  return true;
}

MetaArena::Header* MetaArena::map_locked(size_t bytes) {
  bytes = round_up(bytes, os_page_size());
  Header* header = static_cast<Header*>(os_map(bytes));
  if (header == nullptr) return nullptr;
  header->next = first_;
  header->bytes = bytes;
  first_ = header;
  // Relaxed: see the field.
  bytes_.fetch_add_relaxed(bytes);
  return header;
}

}  // namespace tricolor::base
