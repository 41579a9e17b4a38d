// SPDX-License-Identifier: MIT
// Copyright tricolor authors
//
// base/env.h: what each parser takes, what it refuses, and that a refusal
// leaves the output alone.
#include "base/env.h"

#include <gtest/gtest.h>
#include <string>

namespace tricolor::base {
namespace {

TEST(base_env, u32) {
  uint32_t n = 77;
  EXPECT_TRUE(parse_u32("0", &n));
  EXPECT_EQ(n, 0u);
  EXPECT_TRUE(parse_u32("4294967295", &n));
  EXPECT_EQ(n, 4294967295u);
  for (const char* bad : {"", "-1", "+1", " 1", "1 ", "0x10", "4294967296",
                          "99999999999999999999999"})
    EXPECT_FALSE(parse_u32(bad, &n)) << bad;
  EXPECT_FALSE(parse_u32(static_cast<const char*>(nullptr), &n));
  EXPECT_EQ(n, 4294967295u);
}

TEST(base_env, percent) {
  int n = 5;
  EXPECT_TRUE(parse_percent("100", &n));
  EXPECT_EQ(n, 100);
  EXPECT_TRUE(parse_percent("off", &n));
  EXPECT_EQ(n, -1);
  for (const char* bad : {"", "-1", "OFF", "100%", "2147483648"})
    EXPECT_FALSE(parse_percent(bad, &n)) << bad;
  EXPECT_FALSE(parse_percent(static_cast<const char*>(nullptr), &n));
  EXPECT_EQ(n, -1);
}

TEST(base_env, bytes) {
  uint64_t n = 1;
  EXPECT_TRUE(parse_bytes("4096", &n));
  EXPECT_EQ(n, 4096u);
  EXPECT_TRUE(parse_bytes("12B", &n));
  EXPECT_EQ(n, 12u);
  EXPECT_TRUE(parse_bytes("3KiB", &n));
  EXPECT_EQ(n, 3u << 10);
  EXPECT_TRUE(parse_bytes("64MiB", &n));
  EXPECT_EQ(n, 64u << 20);
  EXPECT_TRUE(parse_bytes("5GiB", &n));
  EXPECT_EQ(n, uint64_t{5} << 30);
  EXPECT_TRUE(parse_bytes("1TiB", &n));
  EXPECT_EQ(n, uint64_t{1} << 40);
  EXPECT_TRUE(parse_bytes("off", &n));
  EXPECT_EQ(n, UINT64_MAX);
  n = 9;
  for (const char* bad : {"", "MiB", "1MB", "1 MiB", "1.5GiB", "-1", "64mib",
                          "18446744073709551616", "18014398509481984KiB"})
    EXPECT_FALSE(parse_bytes(bad, &n)) << bad;
  EXPECT_FALSE(parse_bytes(static_cast<const char*>(nullptr), &n));
  EXPECT_EQ(n, 9u);
}

std::string walk(const char* text) {
  std::string all;
  KeyValueCursor it(text);
  while (it.next()) {
    all += std::string(it.key()) + "->" + std::string(it.value()) + ";";
  }
  return all;
}

TEST(base_env, key_value_cursor) {
  EXPECT_EQ(walk(nullptr), "");
  EXPECT_EQ(walk(""), "");
  EXPECT_EQ(walk("gctrace=1"), "gctrace->1;");
  EXPECT_EQ(walk("a=1,b=22,c"), "a->1;b->22;c->;");
  EXPECT_EQ(walk(",,a=1,,b=,=x,"), "a->1;b->;->x;");
  EXPECT_EQ(walk("a=b=c"), "a->b=c;");
}

TEST(base_env, cursor_values_parse) {
  KeyValueCursor it("procs=8,limit=2MiB");
  uint32_t procs = 0;
  uint64_t limit = 0;
  while (it.next()) {
    if (it.key() == "procs") {
      EXPECT_TRUE(parse_u32(it.value(), &procs));
    }
    if (it.key() == "limit") {
      EXPECT_TRUE(parse_bytes(it.value(), &limit));
    }
  }
  EXPECT_EQ(procs, 8u);
  EXPECT_EQ(limit, 2u << 20);
}

}  // namespace
}  // namespace tricolor::base
