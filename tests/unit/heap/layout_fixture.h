// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// A layout table of its own, with what it says when it refuses.
#ifndef TESTS_UNIT_HEAP_LAYOUT_FIXTURE_H_
#define TESTS_UNIT_HEAP_LAYOUT_FIXTURE_H_

#include <gtest/gtest.h>

#include <string>

#include "heap/layout_table.h"

namespace tricolor::heap {

struct Table {
  Table() { EXPECT_TRUE(table.init(&meta)); }
  LayoutId add(const LayoutSpec& spec) { return table.add(spec, 0, &error); }
  /// The error text of a spec that must be refused.
  std::string refused(const LayoutSpec& spec) {
    error = Error{};
    EXPECT_EQ(table.add(spec, 0, &error), kInvalidLayout);
    EXPECT_EQ(error.code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(table.add(spec, 0, nullptr), kInvalidLayout);
    return error.text;
  }
  std::string refused_encoding(const Encoding& e) {
    error = Error{};
    EXPECT_EQ(table.add_encoding(e, &error), 0xff);
    EXPECT_EQ(error.code, ErrorCode::kInvalidArgument);
    return error.text;
  }
  base::MetaArena meta;
  LayoutTable table;
  Error error;
};

inline LayoutSpec node(const char* name, uint32_t head_bytes) {
  LayoutSpec spec;
  spec.name = name;
  spec.head_bytes = head_bytes;
  return spec;
}

}  // namespace tricolor::heap

#endif  // TESTS_UNIT_HEAP_LAYOUT_FIXTURE_H_
