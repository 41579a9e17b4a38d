// SPDX-License-Identifier: MIT
// Copyright tricolor authors
//
// base/format.h against snprintf, which it must agree with on what it
// understands.
#include "base/format.h"

#include <gtest/gtest.h>
#include <climits>
#include <cstdint>
#include <cstdio>
#include <string>

namespace tricolor::base {
namespace {

#define EXPECT_LIKE_PRINTF(...)                                      \
  do {                                                               \
    char ours[128];                                                  \
    char theirs[128];                                                \
    const size_t n = format_buffer(ours, sizeof(ours), __VA_ARGS__); \
    const int m = snprintf(theirs, sizeof(theirs), __VA_ARGS__);     \
    EXPECT_STREQ(ours, theirs);                                      \
    EXPECT_EQ(static_cast<int>(n), m);                               \
  } while (false)

TEST(base_format, agrees_with_printf) {
  EXPECT_LIKE_PRINTF("plain 100%%");
  EXPECT_LIKE_PRINTF("%d %d %i", 0, INT_MIN, INT_MAX);
  EXPECT_LIKE_PRINTF("%u %x %X", UINT_MAX, 0xbeefu, 0xbeefu);
  EXPECT_LIKE_PRINTF("%ld %lu %lx", LONG_MIN, ULONG_MAX, 0x123456789abcdefUL);
  EXPECT_LIKE_PRINTF("%lld %llu", LLONG_MIN, ULLONG_MAX);
  EXPECT_LIKE_PRINTF("%zu %zd %td %jd", size_t{5}, ssize_t{-5}, ptrdiff_t{-6},
                     intmax_t{7});
  EXPECT_LIKE_PRINTF("%hhu %hd", static_cast<unsigned char>(200),
                     static_cast<short>(-3));
  EXPECT_LIKE_PRINTF("%s|%c|%.2s|%.*s", "text", 'x', "cut", 3, "abcdef");
  EXPECT_LIKE_PRINTF("%5d|%-5d|%05d|%5s|%-5s|", 42, 42, -42, "ab", "ab");
  EXPECT_LIKE_PRINTF("%*d|%*d|", 6, 1, -6, 2);
  EXPECT_LIKE_PRINTF("%p", reinterpret_cast<void*>(0x7fff12345678));
}

TEST(base_format, null_string_and_pointer) {
  char out[32];
  const char* volatile none = nullptr;  // gcc warns of a constant null
  format_buffer(out, sizeof(out), "%s %p", none, nullptr);
  EXPECT_STREQ(out, "(null) 0x0");
}

TEST(base_format, cuts_at_capacity_and_tells_the_length) {
  char out[6] = "?????";
  EXPECT_EQ(format_buffer(out, sizeof(out), "%s", "abcdefgh"), 8u);
  EXPECT_STREQ(out, "abcde");
  EXPECT_EQ(format_buffer(out, sizeof(out), "abcde"), 5u);
  EXPECT_STREQ(out, "abcde");
  EXPECT_EQ(format_buffer(out, 1, "abc"), 3u);
  EXPECT_STREQ(out, "");
}

}  // namespace
}  // namespace tricolor::base
