// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Socket addresses in the kernel's form, and from and to text. Implemented in
// address_linux.cc. Numeric hosts only: names are resolved above.
#ifndef TRICOLOR_POLL_ADDRESS_H_
#define TRICOLOR_POLL_ADDRESS_H_

#include <cstddef>
#include <cstdint>

#include "tricolor/net.h"

namespace tricolor::netpoll {

/// A sockaddr_in or sockaddr_in6.
struct SocketAddress {
  alignas(8) unsigned char bytes[32];
  uint32_t length;
};

/// "127.0.0.1:80", "[::1]:80", or ":80" for every IPv4 address. False: `text`
/// is none of these.
bool parse_address(const char* text, SocketAddress* out);

/// The same the other way.
void format_address(const SocketAddress& address, net::Address* out);

}  // namespace tricolor::netpoll

#endif  // TRICOLOR_POLL_ADDRESS_H_
