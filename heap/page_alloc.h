// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// PageAlloc: which pages of an AddressSpace are in use, address-ordered first
// fit over a bitmap, and which free pages may hold old bytes. A plain stand-in
// behind the interface that a summary tree and per-P page caches will have.
//
// Invariants: page 0 is never handed out (page index 0 means "none"); a page is
// dirty once it has been in use; first_free_ is at or below every free page.
// Threads: all calls under the heap lock.
#ifndef TRICOLOR_HEAP_PAGE_ALLOC_H_
#define TRICOLOR_HEAP_PAGE_ALLOC_H_

#include <cstddef>
#include <cstdint>

#include "base/meta_arena.h"

namespace tricolor::heap {

class PageAlloc {
 public:
  /// For up to `max_pages` pages; starts with none.
  bool init(size_t max_pages);
  void destroy();

  /// Pages [limit(), pages) become free and known zero.
  void extend(size_t pages);
  size_t limit() const { return limit_; }

  /// First fit; 0 if there is no such run. *needzero: some page is dirty.
  uint32_t alloc(size_t npages, bool* needzero);
  /// The pages must be in use; they become free and dirty.
  void free(uint32_t page, size_t npages);

  bool in_use(uint32_t page) const;
  /// Handed out and not freed.
  size_t pages_in_use() const { return in_use_count_; }
  /// Counts bits against in_use_count_; aborts on a difference.
  void validate() const;

 private:
  void advance_first_free();
  uint32_t find_run(size_t npages) const;
  void set_bits(uint32_t page, size_t npages);

  base::MmapVector<uint64_t> used_;
  base::MmapVector<uint64_t> dirty_;
  size_t limit_ = 0;
  size_t first_free_ = 0;
  size_t in_use_count_ = 0;
};

}  // namespace tricolor::heap

#endif  // TRICOLOR_HEAP_PAGE_ALLOC_H_
