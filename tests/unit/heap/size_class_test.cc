// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// tricolor/detail/size_class.h, for every size there is; that the generated
// table says the same; and that spans are as it says. (That the table is what
// its generator prints: tidy.size_classes.)
#include "tricolor/detail/size_class.h"

#include <gtest/gtest.h>

#include <iterator>

#include "heap/size_class_table.h"
#include "tests/support/heap_alone.h"
#include "tricolor/allocate.h"
#include "tricolor/layout.h"

namespace tricolor::testing {
namespace {

TEST(heap_size_class, every_size_fits_and_wastes_little) {
  uint32_t before = 1;
  for (size_t bytes = 0; bytes <= TRI_DETAIL_SMALL_MAX; ++bytes) {
    uint32_t c = tri_detail_size_class(bytes);
    ASSERT_GE(c, before) << bytes;
    ASSERT_LE(c, before + 1) << bytes;
    ASSERT_LT(c, uint32_t{TRI_DETAIL_CLASS_COUNT}) << bytes;
    size_t cell = tri_detail_class_bytes(c);
    ASSERT_GE(cell, bytes);
    ASSERT_EQ(cell % 16, 0u);
    // The smallest class that fits.
    if (c > 1) {
      ASSERT_LT(tri_detail_class_bytes(c - 1), bytes);
    }
    if (bytes > 128) {
      ASSERT_LE(cell - bytes, cell / 8) << bytes;
    } else {
      ASSERT_LT(cell - bytes, bytes == 0 ? 17u : 16u) << bytes;
    }
    before = c;
  }
  EXPECT_EQ(before, uint32_t{TRI_DETAIL_CLASS_COUNT} - 1);
}

TEST(heap_size_class, above_the_largest_is_large) {
  EXPECT_EQ(tri_detail_size_class(TRI_DETAIL_SMALL_MAX + 1), 0u);
  EXPECT_EQ(tri_detail_size_class(SIZE_MAX), 0u);
  EXPECT_EQ(tri_detail_class_bytes(0), 0u);
  EXPECT_EQ(tri_detail_class_bytes(TRI_DETAIL_CLASS_COUNT - 1),
            uint32_t{TRI_DETAIL_SMALL_MAX});
}

TEST(heap_size_class, a_class_is_the_class_of_its_cells) {
  for (uint32_t c = 1; c < TRI_DETAIL_CLASS_COUNT; ++c) {
    EXPECT_EQ(tri_detail_size_class(tri_detail_class_bytes(c)), c);
  }
  EXPECT_LE(TRI_DETAIL_CLASS_COUNT, 1 << TRI_DETAIL_CLASS_SHIFT);
}

using heap::kSizeClasses;
using heap::SizeClassInfo;

static_assert(std::size(kSizeClasses) == TRI_DETAIL_CLASS_COUNT);

TEST(heap_size_class, the_table_says_the_same_for_every_size) {
  uint32_t c = 1;
  for (size_t bytes = 1; bytes <= TRI_DETAIL_SMALL_MAX; ++bytes) {
    while (kSizeClasses[c].bytes < bytes) ++c;  // the smallest that fits
    ASSERT_EQ(tri_detail_size_class(bytes), c) << bytes;
    ASSERT_EQ(tri_detail_class_bytes(c), kSizeClasses[c].bytes);
  }
  EXPECT_EQ(c, uint32_t{TRI_DETAIL_CLASS_COUNT} - 1);
  EXPECT_EQ(kSizeClasses[0].bytes, tri_detail_class_bytes(0));
}

TEST(heap_size_class, the_table_wastes_little) {
  for (uint32_t c = 1; c < TRI_DETAIL_CLASS_COUNT; ++c) {
    const SizeClassInfo& info = kSizeClasses[c];
    const size_t span = info.pages * heap::kPageBytes;
    EXPECT_EQ(size_t{info.cells} * info.bytes + info.tail_waste, span) << c;
    EXPECT_LT(info.tail_waste, info.bytes) << c;
    EXPECT_LE(info.tail_waste, span / 8) << c;
    EXPECT_EQ(info.worst_waste, info.bytes - kSizeClasses[c - 1].bytes - 1);
    // Up to 128 bytes alignment decides.
    EXPECT_LE(info.worst_waste, c <= 8 ? 15 : info.bytes / 8) << c;
  }
}

// A busy slot's spans are several times as long; and a layout's first cells
// need not be in a span of their own.
TEST(heap_size_class, spans_are_as_the_table_says) {
  HeapAlone heap;
  LayoutId layout = heap.layout("Spans");
  int found = 0;
  for (uint32_t c = 1; c < TRI_DETAIL_CLASS_COUNT; ++c) {
    const SizeClassInfo& info = kSizeClasses[c];
    for (size_t bytes = 0; bytes < 65536; bytes += info.bytes) {
      auto* cell = static_cast<char*>(heap.allocate(layout, info.bytes));
      const size_t page = heap->space().offset_of(cell) >> heap::kPageShift;
      const heap::Span* span = heap->space().span(page);
      if (heap::PageEntry::kind(
              heap->space().entry(page)->bits.load_relaxed()) !=
              heap::SpanState::kSmall ||
          span->first_page != page) {
        continue;
      }
      EXPECT_EQ(span->npages % info.pages, 0u) << c;
      EXPECT_EQ(span->cells, span->npages * heap::kPageBytes / info.bytes) << c;
      ++found;
      break;
    }
  }
  EXPECT_GE(found, 31) << "the classes under 512 bytes, at least";
}

TEST(heap_size_class, slot_ids_hold_layout_and_class) {
  struct Big {
    char bytes[300];
  };
  Type<Big> type(77);
  EXPECT_EQ(type.slot_id >> TRI_DETAIL_CLASS_SHIFT, 77u);
  EXPECT_EQ(type.slot_id & 127, tri_detail_size_class(300));
  EXPECT_EQ(type.cell_bytes, 320u);
}

}  // namespace
}  // namespace tricolor::testing
