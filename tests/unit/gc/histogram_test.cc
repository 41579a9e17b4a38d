// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Percentiles of gc::Histogram stay within a bucket (12.5 %).
#include "gc/histogram.h"

#include <gtest/gtest.h>

namespace tricolor::gc {
namespace {

TEST(gc_histogram, empty_is_zero) {
  Histogram h;
  EXPECT_EQ(h.percentile(500), 0u);
  EXPECT_EQ(h.max(), 0u);
}

TEST(gc_histogram, percentiles_of_a_ramp) {
  Histogram h;
  for (uint64_t i = 1; i <= 100000; ++i) h.add(i);
  EXPECT_EQ(h.count(), 100000u);
  EXPECT_EQ(h.max(), 100000u);
  for (uint32_t pm : {10u, 100u, 500u, 900u, 990u, 1000u}) {
    double exact = 100000.0 * pm / 1000;
    EXPECT_GE(static_cast<double>(h.percentile(pm)), exact * 0.999) << pm;
    EXPECT_LE(static_cast<double>(h.percentile(pm)), exact * 1.13 + 1) << pm;
  }
}

TEST(gc_histogram, extremes_are_kept) {
  Histogram h;
  h.add(0);
  h.add(UINT64_MAX);
  EXPECT_EQ(h.count(), 2u);
  EXPECT_EQ(h.max(), UINT64_MAX);
  EXPECT_EQ(h.percentile(1), 0u);
}

}  // namespace
}  // namespace tricolor::gc
