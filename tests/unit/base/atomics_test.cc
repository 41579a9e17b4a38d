// SPDX-License-Identifier: MIT
// Copyright tricolor authors
//
// base/atomics.h: every operation does what its name says, for integers,
// pointers and enums; the orders themselves are seen by the protocol tests.
#include "base/atomics.h"

#include <gtest/gtest.h>

#include "tests/unit/base/test_thread.h"

namespace tricolor::base {
namespace {

enum class Colour : uint8_t { kWhite, kGrey, kBlack };

TEST(base_atomics, loads_and_stores) {
  Atomic<uint32_t> a{7};
  EXPECT_EQ(a.load_relaxed(), 7u);
  a.store_relaxed(8);
  EXPECT_EQ(a.load_acquire(), 8u);
  a.store_release(9);
  EXPECT_EQ(a.load_seq_cst(), 9u);
  a.store_seq_cst(10);
  EXPECT_EQ(a.exchange_acq_rel(11), 10u);
  EXPECT_EQ(a.exchange_relaxed(12), 11u);
}

TEST(base_atomics, starts_at_zero) {
  Atomic<uint64_t> a;
  EXPECT_EQ(a.load_relaxed(), 0u);
  Atomic<void*> p;
  EXPECT_EQ(p.load_relaxed(), nullptr);
}

TEST(base_atomics, read_modify_write) {
  Atomic<uint64_t> a{1};
  EXPECT_EQ(a.fetch_add_relaxed(5), 1u);
  EXPECT_EQ(a.fetch_sub_release(2), 6u);
  EXPECT_EQ(a.fetch_or_acq_rel(8), 4u);
  EXPECT_EQ(a.fetch_and_seq_cst(8), 12u);
  EXPECT_EQ(a.load_relaxed(), 8u);
}

TEST(base_atomics, compare_exchange_reports_what_it_saw) {
  Atomic<Colour> a{Colour::kWhite};
  Colour expected = Colour::kGrey;
  EXPECT_FALSE(a.compare_exchange_strong_acq_rel(expected, Colour::kBlack));
  EXPECT_EQ(expected, Colour::kWhite);
  EXPECT_TRUE(a.compare_exchange_strong_release(expected, Colour::kBlack));
  EXPECT_EQ(a.load_relaxed(), Colour::kBlack);
  expected = Colour::kBlack;
  while (!a.compare_exchange_weak_seq_cst(expected, Colour::kGrey)) {
  }
  EXPECT_EQ(a.load_relaxed(), Colour::kGrey);
}

TEST(base_atomics, pointers_move_by_elements) {
  int cells[4] = {};
  Atomic<int*> p{cells};
  EXPECT_EQ(p.fetch_add_acquire(3), cells);
  EXPECT_EQ(p.load_relaxed(), cells + 3);
}

TEST(base_atomics, plain_words) {
  uint8_t byte = 1;
  void* slot = nullptr;
  Colour colour = Colour::kWhite;
  store_relaxed(&byte, 3);
  store_release(&slot, &byte);
  store_relaxed(&colour, Colour::kGrey);
  EXPECT_EQ(load_relaxed(&byte), 3);
  EXPECT_EQ(load_acquire(&slot), &byte);
  EXPECT_EQ(load_relaxed(&colour), Colour::kGrey);
}

// Dekker's two flags: with a full fence between store and load at least one
// side sees the other.
TEST(base_atomics, seq_cst_fence_orders_store_and_load) {
  constexpr int kRounds = 2000;
  for (int i = 0; i < kRounds; i++) {
    Atomic<int> x{0};
    Atomic<int> y{0};
    int seen_y = 0;
    int seen_x = 0;
    {
      Atomic<int> ready{0};
      TestThread other([&] {
        ready.store_release(1);
        y.store_relaxed(1);
        fence_seq_cst();
        seen_x = x.load_relaxed();
      });
      while (ready.load_acquire() == 0) cpu_relax();
      x.store_relaxed(1);
      fence_seq_cst();
      seen_y = y.load_relaxed();
    }
    ASSERT_TRUE(seen_x == 1 || seen_y == 1) << "round " << i;
  }
}

}  // namespace
}  // namespace tricolor::base
