// SPDX-License-Identifier: MIT
// Copyright tricolor authors
//
// MmapVector<T>: a growing array of trivially copyable T whose elements never
// move: init() maps room for the most it may ever hold, touched as it grows.
//
// 1. size() <= capacity(); the mapping exists exactly while capacity() > 0.
// 2. Elements keep their addresses until release().
//
// Threading: none of its own; the owner's lock guards it.
#ifndef TRICOLOR_BASE_MMAP_VECTOR_H_
#define TRICOLOR_BASE_MMAP_VECTOR_H_

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "base/check.h"
#include "base/os_memory.h"

namespace tricolor::base {

template <class T>
class MmapVector {
  static_assert(std::is_trivially_copyable_v<T>);
  static_assert(std::is_trivially_destructible_v<T>);

 public:
  constexpr MmapVector() = default;
  ~MmapVector() { release(); }
  MmapVector(const MmapVector&) = delete;
  MmapVector& operator=(const MmapVector&) = delete;

  // Maps room for `max_elems` > 0. False when the OS refuses. Once, or again
  // after release().
  bool init(size_t max_elems) {
    TRI_CHECK(data_ == nullptr && max_elems > 0);
    if (max_elems > SIZE_MAX / 2 / sizeof(T)) return false;
    data_ = static_cast<T*>(os_map(max_elems * sizeof(T)));
    if (data_ == nullptr) return false;
    capacity_ = max_elems;
    return true;
  }

  // False when full.
  bool push_back(const T& value) {
    if (TRI_UNLIKELY(size_ == capacity_)) return false;
    data_[size_++] = value;
    return true;
  }

  // Removes the last element and returns it.
  T pop_back() {
    TRI_CHECK(size_ > 0);
    return data_[--size_];
  }

  T& operator[](size_t i) {
    TRI_ASSERT(i < size_, "%zu of %zu", i, size_);
    return data_[i];
  }
  const T& operator[](size_t i) const {
    TRI_ASSERT(i < size_, "%zu of %zu", i, size_);
    return data_[i];
  }

  T& back() { return (*this)[size_ - 1]; }
  size_t size() const { return size_; }
  size_t capacity() const { return capacity_; }
  bool empty() const { return size_ == 0; }
  T* data() { return data_; }
  const T* data() const { return data_; }
  T* begin() { return data_; }
  T* end() { return data_ + size_; }
  const T* begin() const { return data_; }
  const T* end() const { return data_ + size_; }

  // Forgets the elements, keeps the pages.
  void clear() { size_ = 0; }

  // Unmaps everything; the vector is as before init().
  void release() {
    if (data_ != nullptr) os_release(data_, capacity_ * sizeof(T));
    data_ = nullptr;
    size_ = 0;
    capacity_ = 0;
  }

 private:
  T* data_ = nullptr;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

}  // namespace tricolor::base

#endif  // TRICOLOR_BASE_MMAP_VECTOR_H_
