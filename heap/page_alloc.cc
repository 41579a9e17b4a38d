// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// See heap/page_alloc.h.
#include "heap/page_alloc.h"

#include "base/check.h"

namespace tricolor::heap {

namespace {

constexpr uint64_t kAll = ~uint64_t{0};

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

}  // namespace

bool PageAlloc::init(size_t max_pages) {
  size_t words = (max_pages + 63) / 64;
  return used_.init(words) && dirty_.init(words);
}

void PageAlloc::destroy() {
  used_.release();
  dirty_.release();
}

void PageAlloc::extend(size_t pages) {
  TRI_CHECK(pages >= limit_ && pages % 64 == 0, "extend to %zu", pages);
  while (used_.size() * 64 < pages) {
    bool ok = used_.push_back(0) && dirty_.push_back(0);
    TRI_CHECK(ok, "page bitmap is full");
  }
  if (limit_ == 0 && pages > 0) {
    used_[0] |= 1;  // page 0 stands for "none"
    first_free_ = 1;
  }
  limit_ = pages;
}

void PageAlloc::advance_first_free() {
  size_t words = limit_ / 64;
  size_t w = first_free_ / 64;
  // Bits below first_free_ in its own word are set: they are in use.
  while (w < words && used_[w] == kAll) ++w;
  first_free_ = w == words
                    ? limit_
                    : w * 64 + static_cast<size_t>(__builtin_ctzll(~used_[w]));
}

uint32_t PageAlloc::find_run(size_t npages) const {
  size_t run = 0;  // free pages that end at `page`
  for (size_t page = first_free_; page < limit_;) {
    uint64_t rest = used_[page / 64] >> (page % 64);
    if (rest & 1) {
      run = 0;
      uint64_t freebits = ~rest;
      // Shifted-in zeros read as free; bounded by the word's end below.
      page +=
          freebits == 0 ? 64 : static_cast<size_t>(__builtin_ctzll(freebits));
      continue;
    }
    size_t left = 64 - page % 64;
    size_t n = rest == 0 ? left : static_cast<size_t>(__builtin_ctzll(rest));
    run += n;
    page += n;
    if (run >= npages) return static_cast<uint32_t>(page - run);
  }
  return 0;
}

void PageAlloc::set_bits(uint32_t page, size_t npages) {
  for_words(page, npages, [&](size_t w, uint64_t m) {
    TRI_ASSERT((used_[w] & m) == 0, "page run %u is in use", page);
    used_[w] |= m;
  });
  in_use_count_ += npages;
}

uint32_t PageAlloc::alloc(size_t npages, bool* needzero) {
  TRI_ASSERT(npages > 0);
  // Now the lowest free page itself, so that full pages below it are passed
  // once, not by every search.
  advance_first_free();
  uint32_t page = find_run(npages);
  if (page == 0) return 0;
  TRI_ASSERT(page + npages <= limit_);
  set_bits(page, npages);
  bool dirty = false;
  for_words(page, npages,
            [&](size_t w, uint64_t m) { dirty |= (dirty_[w] & m) != 0; });
  *needzero = dirty;
  if (page == first_free_) first_free_ = page + npages;
  return page;
}

void PageAlloc::free(uint32_t page, size_t npages) {
  TRI_CHECK(page > 0 && page + npages <= limit_, "free of pages %u+%zu", page,
            npages);
  for_words(page, npages, [&](size_t w, uint64_t m) {
    TRI_CHECK((used_[w] & m) == m, "free of free page near %u", page);
    used_[w] &= ~m;
    dirty_[w] |= m;
  });
  in_use_count_ -= npages;
  if (page < first_free_) first_free_ = page;
}

bool PageAlloc::in_use(uint32_t page) const {
  return page < limit_ && (used_[page / 64] >> (page % 64) & 1) != 0;
}

void PageAlloc::validate() const {
  size_t count = 0;
  for (size_t w = 0; w < limit_ / 64; ++w) {
    count += static_cast<size_t>(__builtin_popcountll(used_[w]));
    if (w < first_free_ / 64) {
      TRI_CHECK(used_[w] == kAll, "free page below first_free_ in word %zu", w);
    }
  }
  size_t page_0 = limit_ > 0 ? 1 : 0;
  TRI_CHECK(count == in_use_count_ + page_0, "%zu pages in use, %zu counted",
            in_use_count_, count - page_0);
}

}  // namespace tricolor::heap
