// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// See heap/page_alloc.h.
#include "heap/page_alloc.h"

#include "base/check.h"

namespace tricolor::heap {

namespace {

constexpr uint64_t kAll = ~uint64_t{0};

size_t lowest_bit(uint64_t bits) {
  return static_cast<size_t>(__builtin_ctzll(bits));
}
size_t highest_bit(uint64_t bits) {
  return 63 - static_cast<size_t>(__builtin_clzll(bits));
}
size_t count_bits(uint64_t bits) {
  return static_cast<size_t>(__builtin_popcountll(bits));
}

/// Bits [lo, hi) of a word, 0 <= lo < hi <= 64.
uint64_t mask(size_t lo, size_t hi) {
  return (hi == 64 ? kAll : (uint64_t{1} << hi) - 1) &
         ~((uint64_t{1} << lo) - 1);
}

/// Calls fn(word index, mask) for each word that [page, page + n) touches.
template <class F>
void for_words(size_t page, size_t n, F fn) {
  while (n > 0) {
    size_t lo = page % 64;
    size_t count = n < 64 - lo ? n : 64 - lo;
    fn(page / 64, mask(lo, lo + count));
    page += count;
    n -= count;
  }
}

/// Bit i of the result: bits [i, i + n) are all set. 0 < n <= 64.
uint64_t starts_of_runs(uint64_t bits, size_t n) {
  size_t done = 1;
  while (done < n) {
    size_t step = done < n - done ? done : n - done;
    bits &= bits >> step;
    done += step;
  }
  return bits;
}

}  // namespace

uint32_t PageCache::alloc(size_t npages, bool* needzero) {
  TRI_ASSERT(npages > 0 && npages <= kMaxPages);
  uint64_t starts = starts_of_runs(free, npages);
  if (starts == 0) return 0;
  size_t at = lowest_bit(starts);
  uint64_t run = mask(at, at + npages);
  *needzero = (dirty & run) != 0;
  free &= ~run;
  dirty &= ~run;
  return block + static_cast<uint32_t>(at);
}

bool PageCache::give(uint32_t page, size_t npages) {
  const uint32_t in = page % 64;
  if (in + npages > 64) return false;
  if (free == 0) block = page - in;
  if (block != page - in) return false;
  const uint64_t run = mask(in, in + npages);
  TRI_ASSERT((free & run) == 0, "page %u is free", page);
  free |= run;
  dirty |= run;
  return true;
}

bool PageAlloc::init(size_t max_pages) {
  size_t chunks =
      (max_pages + PageSummary::kChunkPages - 1) / PageSummary::kChunkPages;
  size_t words = chunks * PageSummary::kChunkWords;
  return used_.init(words) && dirty_.init(words) && summary_.init(max_pages);
}

void PageAlloc::destroy() {
  used_.release();
  dirty_.release();
  summary_.destroy();
}

void PageAlloc::changed(size_t page, size_t npages) {
  constexpr size_t kChunk = PageSummary::kChunkPages;
  summary_.update(used_.data(), page / kChunk,
                  (page + npages + kChunk - 1) / kChunk);
}

void PageAlloc::extend(size_t pages) {
  TRI_CHECK(pages >= limit_ && pages % 64 == 0, "extend to %zu", pages);
  size_t before = limit_;
  // Whole chunks, so that a summary never reads past the vectors.
  while (used_.size() * 64 < pages) {
    for (size_t w = 0; w < PageSummary::kChunkWords; ++w) {
      bool ok = used_.push_back(kAll) && dirty_.push_back(0);
      TRI_CHECK(ok, "page bitmap is full");
    }
  }
  for (size_t w = before / 64; w < pages / 64; ++w) used_[w] = 0;
  if (before == 0 && pages > 0) used_[0] = 1;  // page 0 stands for "none"
  limit_ = pages;
  if (pages > before) changed(before, pages - before);
}

uint32_t PageAlloc::scan(size_t from, size_t npages) const {
  size_t run = 0;  // free pages that end at `page`
  for (size_t page = from; page < limit_;) {
    uint64_t rest = used_[page / 64] >> (page % 64);
    if ((rest & 1) != 0) {
      run = 0;
      uint64_t free = ~rest;
      // Shifted-in zeros read as free; bounded by the word's end below.
      page += free == 0 ? 64 : lowest_bit(free);
      continue;
    }
    size_t left = 64 - page % 64;
    size_t n = rest == 0 ? left : lowest_bit(rest);
    run += n;
    page += n;
    if (run >= npages) return static_cast<uint32_t>(page - run);
  }
  return 0;
}

uint32_t PageAlloc::find(size_t npages) const {
  size_t page;
  bool exact;
  if (!summary_.find(npages, &page, &exact)) return 0;
  uint32_t found = exact ? static_cast<uint32_t>(page) : scan(page, npages);
  TRI_ASSERT(found != 0, "a summary promised %zu pages at %zu", npages, page);
  return found;
}

bool PageAlloc::take(size_t page, size_t npages, DirtySink sink) {
  size_t were_dirty = 0;
  for_words(page, npages, [&](size_t w, uint64_t m) {
    TRI_CHECK((used_[w] & m) == 0, "page run %zu+%zu is taken", page, npages);
    used_[w] |= m;
    uint64_t dirty = dirty_[w] & m;
    dirty_[w] &= ~m;
    were_dirty += count_bits(dirty);
    while (dirty != 0 && sink.fn != nullptr) {
      const size_t from = lowest_bit(dirty);
      const uint64_t above = ~(dirty >> from);
      const size_t n = above == 0 ? 64 : lowest_bit(above);
      sink.fn(sink.ctx, w * 64 + from, n);
      dirty &= ~mask(from, from + n);
    }
  });
  taken_ += npages;
  free_dirty_ -= were_dirty;
  changed(page, npages);
  return were_dirty != 0;
}

uint32_t PageAlloc::alloc(size_t npages, bool* needzero, DirtySink sink) {
  TRI_ASSERT(npages > 0);
  uint32_t page = find(npages);
  if (page != 0) *needzero = take(page, npages, sink);
  return page;
}

bool PageAlloc::alloc_at(uint32_t page, size_t npages, size_t most_dirty,
                         DirtySink sink) {
  if (npages > limit_ || page > limit_ - npages) return false;
  bool all = true;
  size_t dirty = 0;
  for_words(page, npages, [&](size_t w, uint64_t m) {
    all = all && (used_[w] & m) == 0;
    dirty += count_bits(dirty_[w] & m);
  });
  if (!all || dirty > most_dirty) return false;
  take(page, npages, sink);
  return true;
}

size_t PageAlloc::free_at_end() const {
  size_t n = 0;
  for (size_t w = limit_ / 64; w-- > 0;) {
    if (used_[w] == 0) {
      n += 64;
      continue;
    }
    return n + 63 - highest_bit(used_[w]);
  }
  return n;
}

void PageAlloc::free(uint32_t page, size_t npages, bool clean) {
  TRI_CHECK(page > 0 && page + npages <= limit_, "free of pages %u+%zu", page,
            npages);
  for_words(page, npages, [&](size_t w, uint64_t m) {
    TRI_CHECK((used_[w] & m) == m, "free of free page near %u", page);
    used_[w] &= ~m;
    if (!clean) dirty_[w] |= m;
  });
  taken_ -= npages;
  if (!clean) {
    free_dirty_ += npages;
    if (page + npages > dirty_end_) dirty_end_ = page + npages;
  }
  changed(page, npages);
}

bool PageAlloc::fill(PageCache* cache) {
  TRI_ASSERT(cache->free == 0);
  uint32_t page = find(1);
  if (page == 0) return false;
  size_t w = page / 64;
  cache->block = page / 64 * 64;
  cache->free = ~used_[w];
  cache->dirty = dirty_[w];
  size_t n = count_bits(cache->free);
  used_[w] = kAll;
  dirty_[w] = 0;
  taken_ += n;
  free_dirty_ -= count_bits(cache->dirty);
  changed(page, 1);
  return true;
}

void PageAlloc::drain(PageCache* cache) {
  if (cache->free == 0) return;
  size_t w = cache->block / 64;
  TRI_CHECK((used_[w] & cache->free) == cache->free,
            "pages of the cache at %u are free", cache->block);
  used_[w] &= ~cache->free;
  dirty_[w] |= cache->dirty;
  taken_ -= count_bits(cache->free);
  free_dirty_ += count_bits(cache->dirty);
  if (cache->dirty != 0 && cache->block + 64u > dirty_end_) {
    dirty_end_ = cache->block + 64u;
  }
  changed(cache->block, 64);
  *cache = PageCache{};
}

uint32_t PageAlloc::take_dirty(size_t below, size_t most, size_t* npages) {
  if (free_dirty_ == 0) return 0;
  size_t end = below < dirty_end_ ? below : dirty_end_;
  for (size_t w = (end + 63) / 64; w-- > 0;) {
    uint64_t bits = dirty_[w];
    if (w * 64 + 64 > end) bits &= mask(0, end - w * 64);
    if (bits == 0) continue;
    // The run that ends at the highest bit, down into lower words.
    size_t last = w * 64 + highest_bit(bits);
    size_t first = last;
    while (first > 1 && last - first + 1 < most &&
           (dirty_[(first - 1) / 64] >> ((first - 1) % 64) & 1) != 0) {
      --first;
    }
    if (last - first + 1 == most && most > 2 * kDirtyAlign) {
      first = (first + kDirtyAlign - 1) / kDirtyAlign * kDirtyAlign;
    }
    *npages = last - first + 1;
    take(first, *npages);
    // Above it there was none, if the search began at the top.
    if (end == dirty_end_) dirty_end_ = first;
    return static_cast<uint32_t>(first);
  }
  return 0;
}

bool PageAlloc::in_use(uint32_t page) const {
  return page < limit_ && (used_[page / 64] >> (page % 64) & 1) != 0;
}

bool PageAlloc::is_free_and_clean(uint32_t page) const {
  return !in_use(page) && page < limit_ &&
         (dirty_[page / 64] >> (page % 64) & 1) == 0;
}

void PageAlloc::validate() const {
  size_t used = 0;
  size_t dirty = 0;
  for (size_t w = 0; w < limit_ / 64; ++w) {
    used += count_bits(used_[w]);
    dirty += count_bits(dirty_[w]);
    TRI_CHECK((used_[w] & dirty_[w]) == 0, "taken and dirty in word %zu", w);
    TRI_CHECK(dirty_[w] == 0 || w * 64 + highest_bit(dirty_[w]) < dirty_end_,
              "a dirty page at or above %zu", dirty_end_);
  }
  size_t page_0 = limit_ > 0 ? 1 : 0;
  TRI_CHECK(used == taken_ + page_0, "%zu pages taken, %zu counted", taken_,
            used - page_0);
  TRI_CHECK(dirty == free_dirty_, "%zu free dirty pages, %zu counted",
            free_dirty_, dirty);
  uint32_t first = scan(0, 1);
  TRI_CHECK(first == find(1), "the summaries say %u, the bitmap %u", find(1),
            first);
}

}  // namespace tricolor::heap
