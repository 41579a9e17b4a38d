// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// See heap/page_summary.h.
#include "heap/page_summary.h"

#include "base/check.h"

namespace tricolor::heap {

bool PageSummary::init(size_t max_pages) {
  TRI_CHECK(max_pages < UINT32_MAX, "%zu pages", max_pages);
  size_t n = (max_pages + kChunkPages - 1) / kChunkPages;
  size_t total = 0;
  for (levels_ = 0;; ++levels_) {
    TRI_CHECK(levels_ < kMaxLevels);
    offset_[levels_] = total;
    count_[levels_] = n;
    total += n;
    if (n <= kFanOut) break;
    n = (n + kFanOut - 1) / kFanOut;
  }
  ++levels_;
  return runs_.init(total);  // zero: nothing is free yet
}

void PageSummary::destroy() { runs_.release(); }

PageSummary::Runs PageSummary::of_chunk(const uint64_t* words) {
  uint32_t start = 0, max = 0, run = 0;
  bool all_free = true;
  for (size_t w = 0; w < kChunkWords; ++w) {
    uint64_t used = words[w];
    if (used == 0) {
      run += 64;
      continue;
    }
    for (uint32_t at = 0; at < 64;) {
      uint64_t rest = used >> at;
      uint32_t free =
          rest == 0 ? 64 - at : static_cast<uint32_t>(__builtin_ctzll(rest));
      run += free;
      at += free;
      if (at == 64) break;
      // A page in use ends the run.
      if (all_free) start = run;
      all_free = false;
      if (run > max) max = run;
      run = 0;
      uint64_t holes = ~(used >> at);
      at += holes == 0 ? 64 : static_cast<uint32_t>(__builtin_ctzll(holes));
      if (at > 64) at = 64;
    }
  }
  if (all_free) start = run;
  if (run > max) max = run;
  return {start, max, run};
}

PageSummary::Runs PageSummary::merge(const Runs* parts, size_t n,
                                     size_t pages_each) {
  uint32_t start = 0, max = 0, run = 0;
  bool all_free = true;
  for (size_t i = 0; i < n; ++i) {
    const Runs& part = parts[i];
    if (part.start == pages_each) {
      run += part.start;
      continue;
    }
    if (all_free) start = run + part.start;
    all_free = false;
    if (run + part.start > max) max = run + part.start;
    if (part.max > max) max = part.max;
    run = part.end;
  }
  if (all_free) start = run;
  if (run > max) max = run;
  return {start, max, run};
}

void PageSummary::update(const uint64_t* used, size_t from, size_t to) {
  Runs* chunks = level(0);
  for (size_t c = from; c < to; ++c)
    chunks[c] = of_chunk(used + c * kChunkWords);
  size_t pages_each = kChunkPages;
  for (size_t l = 1; l < levels_; ++l) {
    from /= kFanOut;
    to = (to + kFanOut - 1) / kFanOut;
    for (size_t i = from; i < to; ++i) {
      size_t first = i * kFanOut;
      size_t n = count_[l - 1] - first;
      level(l)[i] =
          merge(level(l - 1) + first, n < kFanOut ? n : kFanOut, pages_each);
    }
    pages_each *= kFanOut;
  }
}

bool PageSummary::find(size_t npages, size_t* page, bool* exact) const {
  // Entries [at, at + n) of level l, searched from the lowest address. A run
  // that crosses the border between two is lower than one inside the second.
  size_t at = 0;
  size_t n = count_[levels_ - 1];
  size_t pages_each = kChunkPages;
  for (size_t l = 1; l < levels_; ++l) pages_each *= kFanOut;
  for (size_t l = levels_; l-- > 0;) {
    const Runs* runs = level(l);
    size_t run = 0;
    size_t inside = SIZE_MAX;
    for (size_t i = at; i < at + n; ++i) {
      if (run + runs[i].start >= npages) {
        *page = i * pages_each - run;
        *exact = true;
        return true;
      }
      if (runs[i].max >= npages) {
        inside = i;
        break;
      }
      run = runs[i].start == pages_each ? run + pages_each : runs[i].end;
    }
    if (inside == SIZE_MAX) return false;
    if (l == 0) {
      *page = inside * kChunkPages;
      *exact = false;
      return true;
    }
    at = inside * kFanOut;
    n = count_[l - 1] - at < kFanOut ? count_[l - 1] - at : kFanOut;
    pages_each /= kFanOut;
  }
  return false;
}

}  // namespace tricolor::heap
