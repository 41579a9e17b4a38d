// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// heap/page_alloc.h against a naive model: a vector of bools, searched page by
// page. Same answers, in the same order, over a million random operations.
#include "heap/page_alloc.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include "base/rng.h"
#include "tests/support/stress.h"

namespace tricolor::heap {
namespace {

class Model {
 public:
  void extend(size_t pages) {
    used_.resize(pages, 0);
    dirty_.resize(pages, 0);
    used_[0] = true;
  }
  uint32_t alloc(size_t n, bool* needzero) {
    size_t run = 0;
    for (size_t page = 1; page < used_.size(); ++page) {
      run = used_[page] != 0 ? 0 : run + 1;
      if (run < n) continue;
      size_t first = page + 1 - n;
      *needzero = false;
      for (size_t i = first; i <= page; ++i) {
        used_[i] = true;
        *needzero = *needzero || dirty_[i] != 0;
      }
      return static_cast<uint32_t>(first);
    }
    return 0;
  }
  void free(uint32_t page, size_t n) {
    for (size_t i = page; i < page + n; ++i) {
      used_[i] = false;
      dirty_[i] = true;
    }
  }
  bool in_use(size_t page) const { return used_[page] != 0; }
  size_t size() const { return used_.size(); }

 private:
  std::vector<char> used_;
  std::vector<char> dirty_;
};

struct Block {
  uint32_t page;
  uint32_t n;
};

// One in eight is long, so that runs cross several words of the bitmap.
uint32_t random_length(base::Rng& rng) {
  uint32_t most = rng.below(8) == 0 ? 200 : 6;
  return 1 + rng.below(most);
}

TEST(heap_page_alloc, agrees_with_a_naive_model) {
  constexpr size_t kPages = 512;
  const int operations = tricolor::testing::stress_scale(1'000'000, 20'000'000);
  base::Rng rng(tricolor::testing::test_seed());
  PageAlloc pages;
  Model model;
  ASSERT_TRUE(pages.init(kPages));
  std::vector<Block> blocks;
  size_t held = 0;
  for (int i = 0; i < operations; ++i) {
    // The wanted occupancy drifts between nearly empty and overfull.
    bool grow = rng.below(1000) < 350 + static_cast<uint32_t>(i / 500 % 300);
    if (grow || blocks.empty()) {
      uint32_t n = random_length(rng);
      bool needzero = false, model_needzero = false;
      uint32_t page = pages.alloc(n, &needzero);
      ASSERT_EQ(page, model.size() == 0 ? 0 : model.alloc(n, &model_needzero));
      if (page == 0) {
        if (model.size() < kPages && rng.below(4) == 0) {
          size_t to = model.size() + 64 * (1 + rng.below(3));
          to = to > kPages ? kPages : to;
          pages.extend(to);
          model.extend(to);
        }
        continue;
      }
      ASSERT_EQ(needzero, model_needzero) << page << "+" << n;
      blocks.push_back({page, n});
      held += n;
    } else {
      size_t at = rng.below(static_cast<uint32_t>(blocks.size()));
      Block b = blocks[at];
      blocks[at] = blocks.back();
      blocks.pop_back();
      pages.free(b.page, b.n);
      model.free(b.page, b.n);
      held -= b.n;
    }
    ASSERT_EQ(pages.pages_in_use(), held);
    if (i % 1024 == 0) pages.validate();
  }
  for (size_t page = 0; page < model.size(); ++page) {
    ASSERT_EQ(pages.in_use(static_cast<uint32_t>(page)), model.in_use(page));
  }
  pages.destroy();
}

TEST(heap_page_alloc, empty_gives_nothing) {
  PageAlloc pages;
  ASSERT_TRUE(pages.init(64));
  bool needzero = false;
  EXPECT_EQ(pages.alloc(1, &needzero), 0u);
  EXPECT_EQ(pages.pages_in_use(), 0u);
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
