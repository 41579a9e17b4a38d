// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// heap/page_alloc.h against a naive model: a vector of pages, searched one by
// one. Same answers, in the same order, over millions of random operations,
// with several caches and pages on their way to the OS alive all the while.
#include "heap/page_alloc.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include "base/macros.h"
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

/// A PageCache, and what it should hold.
struct Cache {
  PageCache real;
  uint32_t block = 0;
  Page pages[64];  // kTaken: not in it

  Cache() { forget(); }
  void forget() {
    for (Page& p : pages) p = Page::kTaken;
  }
  bool empty() const {
    for (Page p : pages) {
      if (p != Page::kTaken) return false;
    }
    return true;
  }
  uint32_t alloc(uint32_t n, bool* needzero) {
    uint32_t run = 0;
    for (uint32_t i = 0; i < 64; ++i) {
      run = pages[i] == Page::kTaken ? 0 : run + 1;
      if (run < n) continue;
      *needzero = false;
      for (uint32_t k = i + 1 - n; k <= i; ++k) {
        *needzero = *needzero || pages[k] == Page::kDirty;
        pages[k] = Page::kTaken;
      }
      return block + i + 1 - n;
    }
    return 0;
  }
  bool give(Block b) {
    if (b.page % 64 + b.n > 64) return false;
    const uint32_t of = b.page / 64 * 64;
    if (empty()) block = of;
    if (block != of) return false;
    for (uint32_t i = 0; i < b.n; ++i) pages[b.page - of + i] = Page::kDirty;
    return true;
  }
  void check() const {
    ASSERT_TRUE(empty() || real.block == block);
    for (uint32_t i = 0; i < 64; ++i) {
      ASSERT_EQ((real.free >> i & 1) != 0, pages[i] != Page::kTaken) << i;
      ASSERT_EQ((real.dirty >> i & 1) != 0, pages[i] == Page::kDirty) << i;
    }
  }
};

/// The two, side by side, with caches that live and pages that the scavenger
/// holds while others allocate.
class Pair {
 public:
  Pair(size_t max_pages, uint32_t longest)
      : max_pages_(max_pages), longest_(longest) {
    EXPECT_TRUE(pages_.init(max_pages));
  }
  ~Pair() { pages_.destroy(); }

  void random_operation(bool grow) {
    const uint32_t dice = rng_.below(32);
    if (dice < 2) return take_dirty();
    if (dice < 4) return give_held();
    if (dice < 6) return alloc_at();
    if (dice < 7) return drain(any_cache());
    if (dice < 12) return alloc_cached(any_cache());
    if (dice < 16) return give(any_cache());
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
    for (const Cache& c : caches_) c.check();
  }
  /// Everything back: what was taken is what was given.
  void give_back() {
    for (Cache& c : caches_) drain(c);
    while (!held_.empty()) give_held();
    while (!blocks_.empty()) free();
    EXPECT_EQ(pages_.pages_taken(), 0u);
    check();
  }
  base::Rng& rng() { return rng_; }
  /// Each kind of answer that the operations below may get.
  int taken_at = 0, refused_at = 0, given = 0, not_given = 0, filled = 0;

 private:
  // One in eight is long, so that runs cross words, chunks and groups.
  uint32_t random_length() {
    return 1 + rng_.below(rng_.below(8) == 0 ? longest_ : 6);
  }
  Cache& any_cache() { return caches_[rng_.below(kCaches)]; }
  Block take_block(std::vector<Block>* from) {
    const size_t at = rng_.below(static_cast<uint32_t>(from->size()));
    const Block b = (*from)[at];
    (*from)[at] = from->back();
    from->pop_back();
    return b;
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

  // Behind a block, as an object that grows in place; or anywhere.
  void alloc_at() {
    if (model_.size() == 0) return;
    const uint32_t n = random_length();
    uint32_t page = rng_.below(static_cast<uint32_t>(model_.size() - 1)) + 1;
    if (!blocks_.empty() && rng_.below(4) != 0) {
      const Block b =
          blocks_[rng_.below(static_cast<uint32_t>(blocks_.size()))];
      page = b.page + b.n;
    }
    bool free = page + n <= model_.size();
    std::vector<uint32_t> dirty;
    for (uint32_t i = page; free && i < page + n; ++i) {
      free = model_.at(i) != Page::kTaken;
      if (free && model_.at(i) == Page::kDirty) dirty.push_back(i);
    }
    const size_t most = rng_.below(3) == 0 ? rng_.below(4) : n;
    free = free && dirty.size() <= most;
    std::vector<uint32_t> told;
    const PageAlloc::DirtySink sink = {
        [](void* ctx, size_t from, size_t count) {
          for (size_t i = 0; i < count; ++i) {
            static_cast<std::vector<uint32_t>*>(ctx)->push_back(
                static_cast<uint32_t>(from + i));
          }
        },
        &told};
    ASSERT_EQ(pages_.alloc_at(page, n, most, sink), free) << page << "+" << n;
    if (!free) {
      ++refused_at;
      return;
    }
    ++taken_at;
    ASSERT_EQ(told, dirty);
    model_.free(page, n, Page::kTaken);
    blocks_.push_back({page, n});
  }

  void free() {
    const Block b = take_block(&blocks_);
    pages_.free(b.page, b.n);
    model_.free(b.page, b.n, Page::kDirty);
  }

  void fill(Cache& c) {
    bool needzero;
    const uint32_t lowest =
        model_.size() == 0 ? 0 : Model(model_).alloc(1, &needzero);
    ASSERT_EQ(pages_.fill(&c.real), lowest != 0);
    if (lowest == 0) return;
    ++filled;
    c.block = lowest / 64 * 64;
    for (uint32_t i = 0; i < 64; ++i) {
      c.pages[i] = model_.at(c.block + i);
      model_.set(c.block + i, Page::kTaken);
    }
    c.check();
  }

  void alloc_cached(Cache& c) {
    if (c.empty()) return fill(c);
    const uint32_t n = 1 + rng_.below(PageCache::kMaxPages);
    bool needzero = false, model_needzero = false;
    const uint32_t page = c.real.alloc(n, &needzero);
    ASSERT_EQ(page, c.alloc(n, &model_needzero));
    c.check();
    if (page == 0) return;
    ASSERT_EQ(needzero, model_needzero);
    blocks_.push_back({page, n});
  }

  void give(Cache& c) {
    if (blocks_.empty()) return;
    const Block b = take_block(&blocks_);
    const bool taken = c.give(b);
    ASSERT_EQ(c.real.give(b.page, b.n), taken) << b.page << "+" << b.n;
    c.check();
    ++(taken ? given : not_given);
    if (!taken) blocks_.push_back(b);
  }

  void drain(Cache& c) {
    pages_.drain(&c.real);
    ASSERT_EQ(c.real.free, 0u);
    ASSERT_EQ(c.real.dirty, 0u);
    for (uint32_t i = 0; i < 64; ++i) {
      if (c.pages[i] != Page::kTaken) model_.set(c.block + i, c.pages[i]);
    }
    c.forget();
  }

  void take_dirty() {
    if (model_.size() == 0) return;
    size_t below = rng_.below(static_cast<uint32_t>(model_.size() + 64));
    size_t most = 1 + rng_.below(100);
    size_t n = 0, model_n = 0;
    uint32_t page = pages_.take_dirty(below, most, &n);
    ASSERT_EQ(page, model_.take_dirty(below, most, &model_n));
    if (page == 0) return;
    ASSERT_EQ(n, model_n);
    held_.push_back({page, static_cast<uint32_t>(n)});
  }

  // The OS took them, or refused.
  void give_held() {
    if (held_.empty()) return;
    const Block b = take_block(&held_);
    const bool clean = rng_.below(4) != 0;
    pages_.free(b.page, b.n, clean);
    model_.free(b.page, b.n, clean ? Page::kClean : Page::kDirty);
  }

  static constexpr uint32_t kCaches = 6;

  const size_t max_pages_;
  const uint32_t longest_;
  PageAlloc pages_;
  Model model_;
  Cache caches_[kCaches];
  std::vector<Block> blocks_;
  std::vector<Block> held_;
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
  EXPECT_GT(pair.taken_at, 0);
  EXPECT_GT(pair.refused_at, 0);
  EXPECT_GT(pair.given, 0);
  EXPECT_GT(pair.not_given, 0);
  EXPECT_GT(pair.filled, 0);
  pair.give_back();
}

int operations(int short_n, int long_n) {
  const int slower = TRI_ASAN || TRI_TSAN ? 8 : 1;
  return tricolor::testing::stress_scale(short_n / slower, long_n);
}

TEST(heap_page_alloc, agrees_with_a_naive_model) {
  run_pair(512, 200, operations(2'000'000, 40'000'000));
}

TEST(heap_page_alloc, agrees_with_a_naive_model_over_many_chunks) {
  run_pair(40'000, 9'000, operations(40'000, 2'000'000));
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
