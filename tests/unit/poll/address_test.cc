// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Addresses from and to text.
#include "poll/address.h"

#include <gtest/gtest.h>

namespace tricolor::netpoll {
namespace {

TEST(poll_address, round_trip) {
  for (const char* text : {"127.0.0.1:80", "0.0.0.0:0", "255.255.255.255:65535",
                           "[::1]:8080", "[fe80::1:2]:1", "[::]:0"}) {
    SocketAddress address;
    ASSERT_TRUE(parse_address(text, &address)) << text;
    net::Address out;
    format_address(address, &out);
    EXPECT_STREQ(text, out.text);
  }
}

TEST(poll_address, no_host_is_every_address) {
  SocketAddress address;
  ASSERT_TRUE(parse_address(":8080", &address));
  net::Address out;
  format_address(address, &out);
  EXPECT_STREQ("0.0.0.0:8080", out.text);
  EXPECT_EQ(8080, out.port);
}

TEST(poll_address, longest_fits) {
  const char* text = "[1111:2222:3333:4444:5555:6666:7777:8888]:65535";
  SocketAddress address;
  ASSERT_TRUE(parse_address(text, &address));
  net::Address out;
  format_address(address, &out);
  EXPECT_STREQ(text, out.text);
}

TEST(poll_address, refuses_what_is_none) {
  for (const char* text :
       {"", ":", "80", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536",
        "127.0.0.1:-1", "127.0.0.1:1x", "127.0.0.1:000080", "localhost:80",
        "127.0.0:80", "::1:80", "[::1]80", "[::1:80", "[]:80", "[:80", "[",
        "[::1%lo]:80", "1111111111222222222233333333334444444444555555:1"}) {
    SocketAddress address;
    EXPECT_FALSE(parse_address(text, &address)) << text;
  }
  SocketAddress address;
  EXPECT_FALSE(parse_address(nullptr, &address));
}

TEST(poll_address, unknown_family) {
  net::Address out;
  format_address(SocketAddress{}, &out);
  EXPECT_EQ(0, out.port);
}

}  // namespace
}  // namespace tricolor::netpoll
