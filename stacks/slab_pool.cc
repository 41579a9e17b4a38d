// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// SlabPool, see stacks/slab_pool.h. Slabs are mapped as they are needed rather
// than reserved at once: with overcommit mode 2 and under RLIMIT_AS a runtime
// then costs what it uses.
#include "stacks/slab_pool.h"

#include "base/check.h"
#include "base/os_memory.h"
#include "base/valgrind_x86_64.h"

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
    for (size_t i = 0;
         slab->valgrind_stacks != nullptr && i < slab->bytes / options_.stride;
         i++) {
      const uint64_t number = slab->valgrind_stacks[i];
      if (number != 0) base::valgrind_drop_stack(number);
    }
    base::os_release(slab->lo, slab->bytes);
  }
  slabs_ = nullptr;
  cold_.release();
  free_ = cursor_ = guarded_ = limit_ = nullptr;
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
    block.lo = pop_free_locked();
    block.index = Block::kRecycled;
    return block;
  }
  if (!cold_.empty()) {
    block.lo = cold_.pop_back();
    block.index = static_cast<uint32_t>(cold_.size());
    return block;
  }
  if (cursor_ == limit_ && !add_slab_locked(refusal)) return block;
  if (options_.guard != nullptr && cursor_ >= guarded_ &&
      !guard_some_locked(refusal)) {
    return block;
  }
  if (TRI_UNLIKELY(slabs_->valgrind_stacks != nullptr)) {
    tell_valgrind_locked(cursor_);
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
  free_count_++;
}

char* SlabPool::pop_free_locked() {
  char* lo = free_;
  free_ = *link_of(lo);
  free_count_--;
  if (unwanted_ > free_count_) unwanted_ = free_count_;
  return lo;
}

size_t SlabPool::trim(size_t most) {
  constexpr size_t kBatch = 64;
  constexpr size_t kMostCold = size_t{1} << 20;
  constexpr size_t kFewBlocks = 64;  // not worth a list
  char* batch[kBatch];
  size_t n = 0;
  size_t left = 0;
  {
    base::LockGuard guard(lock_);
    if (free_count_ <= kFewBlocks) return 0;
    if (cold_.capacity() == 0 &&
        (base::os_address_space_is_limited() || !cold_.init(kMostCold))) {
      return 0;
    }
    if (most > kBatch) most = kBatch;
    const size_t room = cold_.capacity() - cold_.size();
    if (most > room) most = room;
    size_t unwanted = unwanted_;
    for (; unwanted > 0 && n < most; n++, unwanted--) {
      batch[n] = pop_free_locked();
    }
    left = n == 0 ? 0 : unwanted;
    // What is free now and still is at the next trim is not wanted, either.
    unwanted_ = left != 0 ? left : free_count_;
  }
  const size_t guard_bytes =
      options_.guard != nullptr ? base::os_page_size() : 0;
  for (size_t i = 0; i < n; i++) {
    base::os_discard(batch[i] + guard_bytes, options_.stride - guard_bytes);
  }
  base::LockGuard guard(lock_);
  for (size_t i = 0; i < n; i++) {
    TRI_CHECK(cold_.push_back(batch[i]));
  }
  return left;
}

// Guards the block at cursor_, and more behind it, as many as there are before:
// of many stacks a guard a call is a fifth of what each costs.
bool SlabPool::guard_some_locked(Refusal* refusal) {
  const size_t page = base::os_page_size();
  size_t n = carved_ < StackGuard::kMany ? carved_ : StackGuard::kMany;
  const size_t room = static_cast<size_t>(limit_ - cursor_) / options_.stride;
  if (n > room) n = room;
  if (n > 1 &&
      options_.guard->try_install_each(cursor_, options_.stride, n, page)) {
    guarded_ = cursor_ + n * options_.stride;
    return true;
  }
  return options_.guard->install(cursor_, page, refusal);
}

// Of the newest slab.
void SlabPool::tell_valgrind_locked(char* lo) {
  const size_t i = static_cast<size_t>(lo - slabs_->lo) / options_.stride;
  slabs_->valgrind_stacks[i] =
      base::valgrind_add_stack(lo + base::os_page_size(), lo + options_.stride);
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
  uint64_t* numbers = nullptr;
  if (options_.guard != nullptr && base::under_valgrind()) {
    numbers = static_cast<uint64_t*>(meta_->alloc(
        bytes / options_.stride * sizeof(uint64_t), alignof(uint64_t)));
  }
  *slab = {slabs_, lo, bytes, numbers};
  slabs_ = slab;
  cursor_ = guarded_ = lo;
  limit_ = lo + bytes;
  if (next_slab_bytes_ < kLargestSlabBytes) next_slab_bytes_ *= 2;
  mapped_bytes_.fetch_add_relaxed(bytes);
  return true;
}

}  // namespace tricolor::stacks
