// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// heap/page_alloc.h against a naive model: a vector of pages, searched one by
// one. Same answers, in the same order, over millions of random operations.
#include "heap/page_alloc.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include "base/rng.h"
#include "tests/support/stress.h"

namespace tricolor::heap {
namespace {

enum class Page : char { kClean, kDirty, kTaken };

class Model {
 public:
  void extend(size_t pages) {
    pages_.resize(pages, Page::kClean);
    pages_[0] = Page::kTaken;
  }
  uint32_t alloc(size_t n, bool* needzero) {
    size_t run = 0;
    for (size_t page = 1; page < pages_.size(); ++page) {
      run = pages_[page] == Page::kTaken ? 0 : run + 1;
      if (run < n) continue;
      size_t first = page + 1 - n;
      *needzero = false;
      for (size_t i = first; i <= page; ++i) {
        *needzero = *needzero || pages_[i] == Page::kDirty;
        pages_[i] = Page::kTaken;
      }
      return static_cast<uint32_t>(first);
    }
    return 0;
  }
  void free(uint32_t page, size_t n, Page as) {
    for (size_t i = page; i < page + n; ++i) pages_[i] = as;
  }
  /// The highest run of dirty pages below `below`.
  uint32_t take_dirty(size_t below, size_t most, size_t* n) {
    for (size_t last = below < size() ? below : size(); last-- > 1;) {
      if (pages_[last] != Page::kDirty) continue;
      size_t first = last;
      while (last - first + 1 < most && pages_[first - 1] == Page::kDirty) {
        --first;
      }
      if (last - first + 1 == most && most > 16) first = (first + 7) / 8 * 8;
      *n = last - first + 1;
      free(static_cast<uint32_t>(first), *n, Page::kTaken);
      return static_cast<uint32_t>(first);
    }
    return 0;
  }
  Page at(size_t page) const { return pages_[page]; }
  void set(size_t page, Page as) { pages_[page] = as; }
  size_t size() const { return pages_.size(); }
  size_t count(Page which) const {
    size_t n = 0;
    for (Page p : pages_) n += p == which ? 1 : 0;
    return n;
  }

 private:
  std::vector<Page> pages_;
};

struct Block {
  uint32_t page;
  uint32_t n;
};

/// The two, side by side.
class Pair {
 public:
  Pair(size_t max_pages, uint32_t longest)
      : max_pages_(max_pages), longest_(longest) {
    EXPECT_TRUE(pages_.init(max_pages));
  }
  ~Pair() { pages_.destroy(); }

  void random_operation(bool grow) {
    uint32_t dice = rng_.below(16);
    if (dice == 0) return use_cache();
    if (dice == 1) return scavenge();
    if (grow || blocks_.empty()) {
      alloc();
    } else {
      free();
    }
  }

  void check() {
    pages_.validate();
    size_t limit = model_.size();
    if (limit == 0) return;
    EXPECT_EQ(pages_.pages_taken(), model_.count(Page::kTaken) - 1);
    EXPECT_EQ(pages_.free_dirty_pages(), model_.count(Page::kDirty));
    for (size_t i = 0; i < limit; ++i) {
      auto page = static_cast<uint32_t>(i);
      ASSERT_EQ(pages_.in_use(page), model_.at(i) == Page::kTaken) << i;
      ASSERT_EQ(pages_.is_free_and_clean(page), model_.at(i) == Page::kClean);
    }
  }
  base::Rng& rng() { return rng_; }

 private:
  // One in eight is long, so that runs cross words, chunks and groups.
  uint32_t random_length() {
    return 1 + rng_.below(rng_.below(8) == 0 ? longest_ : 6);
  }

  void extend() {
    size_t to = model_.size() + 64 * (1 + rng_.below(3));
    to = to > max_pages_ ? max_pages_ : to;
    pages_.extend(to);
    model_.extend(to);
  }

  void alloc() {
    uint32_t n = random_length();
    bool needzero = false, model_needzero = false;
    uint32_t page = pages_.alloc(n, &needzero);
    ASSERT_EQ(page, model_.size() == 0 ? 0 : model_.alloc(n, &model_needzero));
    if (page == 0) {
      if (model_.size() < max_pages_) extend();
      return;
    }
    ASSERT_EQ(needzero, model_needzero) << page << "+" << n;
    blocks_.push_back({page, n});
  }

  void free() {
    size_t at = rng_.below(static_cast<uint32_t>(blocks_.size()));
    Block b = blocks_[at];
    blocks_[at] = blocks_.back();
    blocks_.pop_back();
    pages_.free(b.page, b.n);
    model_.free(b.page, b.n, Page::kDirty);
  }

  // A whole life of a cache: what it hands out, what it gives back.
  void use_cache() {
    if (model_.size() == 0) return;
    PageCache cache;
    bool needzero;
    uint32_t lowest = Model(model_).alloc(1, &needzero);
    ASSERT_EQ(pages_.fill(&cache), lowest != 0);
    if (lowest == 0) return;
    ASSERT_EQ(cache.block, lowest / 64 * 64);
    for (uint32_t i = 0; i < 64; ++i) {
      Page in_model = model_.at(cache.block + i);
      ASSERT_EQ((cache.free >> i & 1) != 0, in_model != Page::kTaken);
      ASSERT_EQ((cache.dirty >> i & 1) != 0, in_model == Page::kDirty);
    }
    for (int i = 0; i < 4; ++i) {
      auto n = 1 + rng_.below(PageCache::kMaxPages);
      uint32_t page = cache.alloc(n, &needzero);
      if (page == 0) continue;
      bool dirty = false;
      for (uint32_t k = page; k < page + n; ++k) {
        ASSERT_NE(model_.at(k), Page::kTaken);
        dirty = dirty || model_.at(k) == Page::kDirty;
        model_.set(k, Page::kTaken);
      }
      ASSERT_EQ(needzero, dirty);
      blocks_.push_back({page, n});
    }
    pages_.drain(&cache);
    ASSERT_EQ(cache.free, 0u);
  }

  void scavenge() {
    if (model_.size() == 0) return;
    size_t below = rng_.below(static_cast<uint32_t>(model_.size() + 64));
    size_t most = 1 + rng_.below(100);
    size_t n = 0, model_n = 0;
    uint32_t page = pages_.take_dirty(below, most, &n);
    ASSERT_EQ(page, model_.take_dirty(below, most, &model_n));
    if (page == 0) return;
    ASSERT_EQ(n, model_n);
    pages_.free(page, n, /*clean=*/true);
    model_.free(page, n, Page::kClean);
  }

  const size_t max_pages_;
  const uint32_t longest_;
  PageAlloc pages_;
  Model model_;
  std::vector<Block> blocks_;
  base::Rng rng_{tricolor::testing::test_seed()};
};

void run_pair(size_t max_pages, uint32_t longest, int operations) {
  Pair pair(max_pages, longest);
  for (int i = 0; i < operations && !::testing::Test::HasFatalFailure(); ++i) {
    // The wanted occupancy drifts between nearly empty and overfull.
    pair.random_operation(pair.rng().below(1000) <
                          350 + static_cast<uint32_t>(i / 500 % 300));
    if (i % 4096 == 0) pair.check();
  }
  pair.check();
}

TEST(heap_page_alloc, agrees_with_a_naive_model) {
  run_pair(512, 200, tricolor::testing::stress_scale(1'000'000, 20'000'000));
}

TEST(heap_page_alloc, agrees_with_a_naive_model_over_many_chunks) {
  run_pair(40'000, 9'000, tricolor::testing::stress_scale(20'000, 2'000'000));
}

TEST(heap_page_alloc, empty_gives_nothing) {
  PageAlloc pages;
  ASSERT_TRUE(pages.init(64));
  bool needzero = false;
  EXPECT_EQ(pages.alloc(1, &needzero), 0u);
  EXPECT_EQ(pages.pages_taken(), 0u);
  pages.validate();
  pages.extend(64);
  // Page 0 is never handed out: 63 are left.
  EXPECT_EQ(pages.alloc(64, &needzero), 0u);
  EXPECT_EQ(pages.alloc(63, &needzero), 1u);
  EXPECT_FALSE(needzero);
  EXPECT_EQ(pages.alloc(1, &needzero), 0u);
  pages.free(1, 63);
  EXPECT_EQ(pages.alloc(2, &needzero), 1u);
  EXPECT_TRUE(needzero) << "a page that was in use is dirty";
  pages.validate();
}

TEST(heap_page_alloc, runs_cross_words_and_extensions) {
  PageAlloc pages;
  ASSERT_TRUE(pages.init(256));
  bool needzero = false;
  pages.extend(64);
  EXPECT_EQ(pages.alloc(40, &needzero), 1u);
  pages.extend(128);
  EXPECT_EQ(pages.alloc(80, &needzero), 41u);
  pages.free(1, 40);
  pages.free(41, 80);
  EXPECT_EQ(pages.alloc(127, &needzero), 1u);
  pages.validate();
}

TEST(heap_page_alloc_DeathTest, double_free) {
  PageAlloc pages;
  ASSERT_TRUE(pages.init(64));
  pages.extend(64);
  bool needzero = false;
  uint32_t page = pages.alloc(2, &needzero);
  pages.free(page, 2);
  EXPECT_DEATH(pages.free(page, 2), "free of free page");
  EXPECT_DEATH(pages.free(0, 1), "free of pages 0");
}

}  // namespace
}  // namespace tricolor::heap
