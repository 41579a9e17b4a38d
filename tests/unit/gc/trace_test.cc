// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// The line of gctrace: Go's shape, and numbers that are those of the cycle.
#include <gtest/gtest.h>
#include <regex.h>

#include <string>
#include <vector>

#include "tests/unit/gc/graph.h"

namespace tricolor::testing {
namespace {

std::vector<std::string> fields(const std::string& line) {
  // What is up to "P" is as Go writes it. (POSIX: gcc 12 warns inside of
  // std::regex under AddressSanitizer.)
  const std::string n = "([0-9]+)";
  const std::string ms = "([0-9]+[.][0-9]{3})";
  const std::string form =
      "^gc " + n + " @" + ms + "s " + n + "%: " + ms + "[+]" + ms + "[+]" + ms +
      " ms clock, " + ms + "[+]" + ms + "/" + ms + "/" + ms + "[+]" + ms +
      " ms cpu, " + n + "->" + n + "->" + n + " MB, " + n + " MB goal, " + n +
      " MB stacks, " + n + " MB globals, " + n + " P, ttsp " + ms + "[+]" + ms +
      " ms( [(]forced[)])?\n$";
  constexpr size_t kParts = 22;
  regex_t compiled;
  EXPECT_EQ(regcomp(&compiled, form.c_str(), REG_EXTENDED), 0);
  regmatch_t at[kParts];
  std::vector<std::string> out;
  if (regexec(&compiled, line.c_str(), kParts, at, 0) == 0) {
    for (const regmatch_t& part : at) {
      const bool some = part.rm_so >= 0;
      out.push_back(
          some ? line.substr(static_cast<size_t>(part.rm_so),
                             static_cast<size_t>(part.rm_eo - part.rm_so))
               : "");
    }
  }
  regfree(&compiled);
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
