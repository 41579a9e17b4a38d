// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// StackPool and StackCache, see stacks/stack_pool.h.
#include "stacks/stack_pool.h"

#include "base/check.h"
#include "base/os_memory.h"

namespace tricolor::stacks {
namespace {

constexpr size_t kColours = 16;
constexpr size_t kColourBytes = 64;  // a cache line

// The smallest class whose blocks have `bytes`; `classes` if there is none.
uint32_t class_for(size_t bytes, size_t smallest, uint32_t classes) {
  uint32_t klass = 0;
  while (klass < classes && (smallest << klass) < bytes) klass++;
  return klass;
}

size_t round_up_page(size_t n) {
  const size_t page = base::os_page_size();
  return (n + page - 1) & ~(page - 1);
}

NativeStack* descriptor(char* lo, size_t stride) {
  return reinterpret_cast<NativeStack*>(lo + stride - kStackDescriptorBytes);
}

// Called in ThreadSanitizer builds only.
[[maybe_unused]] void drop_contexts(char* lo, size_t stride) {
  context_cache_destroy(&descriptor(lo, stride)->contexts);
}

}  // namespace

char* NativeStack::top() {
  return reinterpret_cast<char*>(this) + kStackDescriptorBytes - top_bytes;
}

void StackPool::init(base::MetaArena* meta, size_t default_bytes) {
  static_assert(offsetof(NativeStack, link) == 0);
  guard_bytes_ = base::os_page_size();
  for (uint32_t i = 0; i < kNativeClasses; i++) {
    SlabPoolOptions options;
    options.stride = native_class_bytes(i);
    options.link_offset = options.stride - kStackDescriptorBytes;
    options.guard = &guard_;
    native_[i].init(meta, options);
  }
  for (uint32_t i = 0; i < kValueClasses; i++) {
    SlabPoolOptions options;
    options.stride = kMinValueBytes << i;
    value_[i].init(meta, options);
  }
  default_class_ =
      class_for(kDefaultNativeBytes, kMinNativeBytes, kNativeClasses);
  if (default_bytes != 0) default_class_ = native_class(default_bytes);
  TRI_CHECK(default_class_ < kNativeClasses);
}

void StackPool::destroy() {
  if constexpr (TRI_TSAN) {
    for (SlabPool& pool : native_) pool.for_each_block(drop_contexts);
  }
  for (SlabPool& pool : native_) pool.destroy();
  for (SlabPool& pool : value_) pool.destroy();
}

uint32_t StackPool::native_class(size_t bytes) const {
  if (bytes == 0) return default_class_;
  // What an embedder asks for is measured on plain builds.
  if constexpr (kDefaultNativeBytes > kMinNativeBytes) {
    if (bytes <= kMaxNativeBytes / 4) bytes *= 4;
  }
  const uint32_t klass = class_for(bytes, kMinNativeBytes, kNativeClasses);
  return klass == kNativeClasses ? kNoClass : klass;
}

NativeStack* StackPool::get_native(uint32_t klass, Refusal* refusal) {
  TRI_CHECK(klass < kNativeClasses);
  const size_t stride = native_class_bytes(klass);
  const Block block = native_[klass].get(refusal);
  if (block.lo == nullptr) return nullptr;
  auto* stack =
      reinterpret_cast<NativeStack*>(block.lo + stride - kStackDescriptorBytes);
  if (block.index != Block::kRecycled) {
    stack->lo = block.lo;
    stack->klass = klass;
    const size_t colour = block.index % kColours * kColourBytes;
    stack->top_bytes = static_cast<uint32_t>(kStackDescriptorBytes + colour);
  }
  TRI_CHECK(stack->lo == block.lo && stack->klass == klass,
            "the descriptor of a native stack is damaged");
  return stack;
}

void StackPool::put_native(NativeStack* stack) {
  TRI_CHECK(stack->klass < kNativeClasses,
            "the descriptor of a native stack is damaged");
  native_[stack->klass].put(stack->lo);
}

ValueBlock StackPool::get_value(size_t bytes) {
  ValueBlock block;
  if (bytes == 0 || bytes > SIZE_MAX / 4) return block;
  const uint32_t klass = class_for(bytes, kMinValueBytes, kValueClasses);
  if (klass < kValueClasses) {
    Refusal refusal = nullptr;
    block.lo = value_[klass].get(&refusal).lo;
    block.bytes = value_[klass].stride();
    block.klass = klass;
  } else {
    block.bytes = round_up_page(bytes);
    block.lo = static_cast<char*>(base::os_map(block.bytes));
  }
  return block;
}

void StackPool::put_value(const ValueBlock& block) {
  if (block.klass == kNoClass) {
    base::os_release(block.lo, block.bytes);
  } else {
    value_[block.klass].put(block.lo);
  }
}

bool StackPool::trim() {
  constexpr size_t kAtATime = 64;
  size_t left = 0;
  // TSan's record of a fiber lies in the stack's descriptor.
  if constexpr (!TRI_TSAN) {
    for (SlabPool& pool : native_) left += pool.trim(kAtATime);
  }
  for (SlabPool& pool : value_) left += pool.trim(kAtATime);
  return left != 0;
}

size_t StackPool::mapped_bytes() const {
  size_t bytes = 0;
  for (const SlabPool& pool : native_) bytes += pool.mapped_bytes();
  for (const SlabPool& pool : value_) bytes += pool.mapped_bytes();
  return bytes;
}

NativeStack* StackCache::get(StackPool* pool, Refusal* refusal) {
  if (count_ > 0) return stacks_[--count_];
  return pool->get_native(pool->default_class(), refusal);
}

void StackCache::put(StackPool* pool, NativeStack* stack) {
  if (stack->klass != pool->default_class()) {
    pool->put_native(stack);
    return;
  }
  if (count_ == kMax) {  // keep the newer half: it is warm
    for (uint32_t i = 0; i < kMax / 2; i++) pool->put_native(stacks_[i]);
    for (uint32_t i = 0; i < kMax / 2; i++) stacks_[i] = stacks_[i + kMax / 2];
    count_ = kMax / 2;
  }
  stacks_[count_++] = stack;
}

void StackCache::flush(StackPool* pool) {
  while (count_ > 0) pool->put_native(stacks_[--count_]);
}

}  // namespace tricolor::stacks
