// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// PageAlloc: which pages of an AddressSpace are free, address-ordered first fit
// (a bitmap under heap/page_summary.h), and which free pages hold old bytes.
//
//   free, clean    never used, or given back to the OS: reads as zero
//   free, dirty    was in use: resident, holds old bytes
//   taken          by a span, a PageCache, or the scavenger for a moment
//
// Invariant: page 0 is never handed out (page index 0 means "none").
// Threads: all calls under the heap lock. A PageCache belongs to a P.
#ifndef TRICOLOR_HEAP_PAGE_ALLOC_H_
#define TRICOLOR_HEAP_PAGE_ALLOC_H_

#include <cstddef>
#include <cstdint>

#include "base/mmap_vector.h"
#include "heap/page_summary.h"

namespace tricolor::heap {

/// Free pages of one aligned block of 64, taken out of a PageAlloc so that a P
/// gets at them without a lock. {0, 0, 0}: empty.
struct PageCache {
  static constexpr size_t kMaxPages = 16;  ///< longer runs are not looked for

  uint32_t block = 0;  ///< the first page, a multiple of 64
  uint64_t free = 0;
  uint64_t dirty = 0;  ///< of the free ones

  /// The lowest run of npages <= kMaxPages; 0 if there is none.
  uint32_t alloc(size_t npages, bool* needzero);
  /// Adds free dirty pages, if they lie in its block, or it is empty and they
  /// lie in one; else false.
  bool give(uint32_t page, size_t npages);
};

class PageAlloc {
 public:
  /// For up to `max_pages` pages; starts with none.
  bool init(size_t max_pages);
  void destroy();

  /// Pages [limit(), pages) become free and known zero.
  void extend(size_t pages);
  size_t limit() const { return limit_; }

  /// Told of each stretch of dirty pages among those taken.
  struct DirtySink {
    void (*fn)(void* ctx, size_t page, size_t npages);
    void* ctx;
  };

  /// First fit; 0 if there is no such run. *needzero: some page is dirty.
  uint32_t alloc(size_t npages, bool* needzero, DirtySink sink = {});
  /// These pages, if all of them are free and at most `most_dirty` are dirty;
  /// else nothing has changed.
  bool alloc_at(uint32_t page, size_t npages, size_t most_dirty,
                DirtySink sink = {});
  /// Free pages that end at limit().
  size_t free_at_end() const;
  /// The pages must be taken; they become free, and dirty unless `clean`.
  void free(uint32_t page, size_t npages, bool clean = false);

  /// All free pages of the lowest block that has any; false if none is free.
  bool fill(PageCache* cache);
  /// Takes back what is left in it.
  void drain(PageCache* cache);

  /// Takes the highest run of dirty pages below `below`, at most `most` long,
  /// for the scavenger, who gives them back as clean. 0: there is none. A run
  /// cut off at `most` begins at a multiple of kDirtyAlign, if that is much
  /// less, so that the next one ends at one.
  static constexpr size_t kDirtyAlign = 8;
  uint32_t take_dirty(size_t below, size_t most, size_t* npages);

  bool in_use(uint32_t page) const;
  bool is_free_and_clean(uint32_t page) const;
  /// Pages that are not free.
  size_t pages_taken() const { return taken_; }
  size_t free_dirty_pages() const { return free_dirty_; }
  /// Recounts everything from the bitmaps; aborts on a difference.
  void validate() const;

 private:
  uint32_t find(size_t npages) const;
  uint32_t scan(size_t from, size_t npages) const;
  /// Free pages become taken; true if one of them was dirty.
  bool take(size_t page, size_t npages, DirtySink sink = {});
  void changed(size_t page, size_t npages);

  base::MmapVector<uint64_t> used_;   // 1: taken, or beyond limit_
  base::MmapVector<uint64_t> dirty_;  // of free pages
  PageSummary summary_;
  size_t limit_ = 0;
  size_t taken_ = 0;
  size_t free_dirty_ = 0;
  size_t dirty_end_ = 0;  // no dirty page here or above
};

}  // namespace tricolor::heap

#endif  // TRICOLOR_HEAP_PAGE_ALLOC_H_
