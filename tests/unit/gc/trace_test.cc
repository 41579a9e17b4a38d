// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// The line of gctrace: Go's shape, and numbers that are those of the cycle.
#include <gtest/gtest.h>

#include <regex>
#include <string>
#include <vector>

#include "tests/unit/gc/graph.h"

namespace tricolor::testing {
namespace {

std::vector<std::string> fields(const std::string& line) {
  // What is up to "P" is as Go writes it.
  static const std::regex form(
      "gc (\\d+) @(\\d+\\.\\d{3})s (\\d+)%: "
      "(\\d+\\.\\d{3})\\+(\\d+\\.\\d{3})\\+(\\d+\\.\\d{3}) ms clock, "
      "(\\d+\\.\\d{3})\\+(\\d+\\.\\d{3})/(\\d+\\.\\d{3})/(\\d+\\.\\d{3})\\+"
      "(\\d+\\.\\d{3}) ms cpu, (\\d+)->(\\d+)->(\\d+) MB, (\\d+) MB goal, "
      "(\\d+) MB stacks, (\\d+) MB globals, (\\d+) P, "
      "ttsp (\\d+\\.\\d{3})\\+(\\d+\\.\\d{3}) ms( \\(forced\\))?\n");
  std::smatch m;
  std::vector<std::string> out;
  if (!std::regex_match(line, m, form)) return out;
  for (const auto& part : m) out.push_back(part);
  return out;
}

TEST(gc_trace, one_line_a_cycle) {
  gc::CollectorOptions o;
  o.gc_percent = -1;
  o.gctrace = true;
  o.procs = 3;
  GcAlone gc(o);
  Type<Node> type = node_type(gc);
  Scope<1> scope(gc.mu());
  Local<Node> tree(scope, make_tree(gc.mu(), type, 15));  // 2 MiB
  make_tree(gc.mu(), type, 15);
  for (int i = 1; i <= 2; ++i) {
    ::testing::internal::CaptureStderr();
    gc.collect();
    const std::string line = ::testing::internal::GetCapturedStderr();
    const std::vector<std::string> f = fields(line);
    ASSERT_EQ(f.size(), 22u) << line;
    EXPECT_EQ(f[1], std::to_string(i));
    EXPECT_EQ(f[12], i == 1 ? "4" : "2") << line;
    EXPECT_EQ(f[13], i == 1 ? "4" : "2") << line;
    EXPECT_EQ(f[14], "2") << line;
    EXPECT_EQ(f[15], "0") << "no goal";
    EXPECT_EQ(f[18], "3");
    EXPECT_EQ(f[21], " (forced)");
    EXPECT_GT(std::stod(f[5]), 0);                             // the mark
    EXPECT_NEAR(std::stod(f[7]), 3 * std::stod(f[4]), 0.003);  // stop, 3 Ps
  }
  EXPECT_EQ(check_tree(tree), 65535);
}

}  // namespace
}  // namespace tricolor::testing
