// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// SlabPool, see stacks/slab_pool.h. Slabs are mapped as they are needed rather
// than reserved at once: with overcommit mode 2 and under RLIMIT_AS a runtime
// then costs what it uses.
#include "stacks/slab_pool.h"

#include "base/check.h"
#include "base/os_memory.h"

#if TRI_ASAN
extern "C" void __asan_unpoison_memory_region(void const volatile* addr,
                                              size_t size);
#endif

namespace tricolor::stacks {
namespace {

constexpr size_t kFirstSlabBytes = size_t{4} << 20;
constexpr size_t kLargestSlabBytes = size_t{256} << 20;

}  // namespace

void SlabPool::init(base::MetaArena* meta, const SlabPoolOptions& options) {
  TRI_CHECK(meta_ == nullptr && options.stride % base::os_page_size() == 0);
  TRI_CHECK(options.link_offset <= options.stride - sizeof(void*));
  meta_ = meta;
  options_ = options;
  base::LockGuard guard(lock_);
  next_slab_bytes_ = kFirstSlabBytes;
}

// Alone by contract: no lock.
void SlabPool::destroy() TRI_NO_THREAD_SAFETY {
  for (Slab* slab = slabs_; slab != nullptr; slab = slab->next) {
#if TRI_ASAN
    // Frames that never returned have left red zones, and whatever is mapped
    // here next would inherit them.
    __asan_unpoison_memory_region(slab->lo, slab->bytes);
#endif
    base::os_release(slab->lo, slab->bytes);
  }
  slabs_ = nullptr;
  free_ = cursor_ = limit_ = nullptr;
}

void SlabPool::for_each_block(void (*fn)(char* lo,
                                         size_t stride)) TRI_NO_THREAD_SAFETY {
  for (Slab* slab = slabs_; slab != nullptr; slab = slab->next) {
    // All but the newest slab are carved to their end.
    char* end = slab == slabs_ ? cursor_ : slab->lo + slab->bytes;
    for (char* lo = slab->lo; lo < end; lo += options_.stride) {
      fn(lo, options_.stride);
    }
  }
}

Block SlabPool::get(Refusal* refusal) {
  TRI_CHECK(meta_ != nullptr, "SlabPool used before init");
  Block block;
  base::LockGuard guard(lock_);
  if (free_ != nullptr) {
    block.lo = free_;
    block.index = Block::kRecycled;
    free_ = *link_of(block.lo);
    return block;
  }
  if (cursor_ == limit_ && !add_slab_locked(refusal)) return block;
  if (options_.guard != nullptr &&
      !options_.guard->install(cursor_, base::os_page_size(), refusal)) {
    return block;
  }
  block.lo = cursor_;
  block.index = carved_++;
  cursor_ += options_.stride;
  TRI_ASSERT(cursor_ <= limit_);
  return block;
}

void SlabPool::put(char* lo) {
  base::LockGuard guard(lock_);
  *link_of(lo) = free_;
  free_ = lo;
}

bool SlabPool::add_slab_locked(Refusal* refusal) {
  size_t bytes = next_slab_bytes_;
  if (bytes < options_.stride) bytes = options_.stride;
  bytes -= bytes % options_.stride;
  auto* slab = static_cast<Slab*>(meta_->alloc(sizeof(Slab), alignof(Slab)));
  char* lo =
      slab == nullptr ? nullptr : static_cast<char*>(base::os_map(bytes));
  if (lo == nullptr) {
    *refusal = "the OS refuses address space for stacks";
    return false;
  }
  // Advice. Without it a stack that is touched in one page may take 2 MiB.
  base::os_nohugepage(lo, bytes);
  *slab = {slabs_, lo, bytes};
  slabs_ = slab;
  cursor_ = lo;
  limit_ = lo + bytes;
  if (next_slab_bytes_ < kLargestSlabBytes) next_slab_bytes_ *= 2;
  mapped_bytes_.fetch_add_relaxed(bytes);
  return true;
}

}  // namespace tricolor::stacks
