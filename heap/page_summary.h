// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// PageSummary: for chunks of 512 pages, and for ever larger groups of eight of
// them, how long the free runs are that start there, lie there and end there.
// First fit then walks down one path instead of over the whole bitmap.
//
//   level 2   [ s m e ]                     of 64 chunks
//   level 1   [ s m e ] [ s m e ] ...       of 8 chunks
//   level 0   [ s m e ] [ s m e ] ...       of 512 pages, from the bitmap
//
// Invariant: after update() every summary that covers a changed chunk is right.
// Threads: as its PageAlloc.
// Source of the idea: Go's page allocator (proposal 35112).
#ifndef TRICOLOR_HEAP_PAGE_SUMMARY_H_
#define TRICOLOR_HEAP_PAGE_SUMMARY_H_

#include <cstddef>
#include <cstdint>

#include "base/mmap_vector.h"

namespace tricolor::heap {

class PageSummary {
 public:
  static constexpr size_t kChunkPages = 512;
  static constexpr size_t kChunkWords = kChunkPages / 64;

  bool init(size_t max_pages);
  void destroy();

  /// Reads chunks [from, to) anew from `used`, the bitmap (1: not free).
  void update(const uint64_t* used, size_t from, size_t to);

  /// The first page of the lowest run of at least npages free ones, as far as
  /// summaries know: either the run itself (*exact), or the chunk it lies in.
  /// False if there is none.
  bool find(size_t npages, size_t* page, bool* exact) const;

 private:
  struct Runs {
    uint32_t start;  ///< free pages from the beginning
    uint32_t max;    ///< the longest run
    uint32_t end;    ///< free pages up to the end
  };
  static constexpr size_t kFanOut = 8;
  static constexpr size_t kMaxLevels = 8;

  static Runs of_chunk(const uint64_t* words);
  static Runs merge(const Runs* parts, size_t n, size_t pages_each);
  Runs* level(size_t i) { return runs_.data() + offset_[i]; }
  const Runs* level(size_t i) const { return runs_.data() + offset_[i]; }

  base::MmapVector<Runs> runs_;  // all levels, lazily touched
  size_t offset_[kMaxLevels] = {};
  size_t count_[kMaxLevels] = {};
  size_t levels_ = 0;
};

}  // namespace tricolor::heap

#endif  // TRICOLOR_HEAP_PAGE_SUMMARY_H_
