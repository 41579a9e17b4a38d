// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// See address.h.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstring>

#include "base/errno_saver.h"
#include "base/format.h"
#include "poll/address.h"

namespace tricolor::netpoll {
namespace {

static_assert(sizeof(sockaddr_in6) <= sizeof(SocketAddress::bytes));

// "0" to "65535" and nothing else.
bool parse_port(const char* text, uint16_t* port) {
  uint32_t value = 0;
  const char* p = text;
  for (; *p >= '0' && *p <= '9' && p - text < 5; p++) {
    value = value * 10 + static_cast<uint32_t>(*p - '0');
  }
  if (p == text || *p != '\0' || value > 65535) return false;
  *port = static_cast<uint16_t>(value);
  return true;
}

bool parse_v4(const char* host, uint16_t port, SocketAddress* out) {
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_port = htons(port);
  if (*host != '\0' && ::inet_pton(AF_INET, host, &v4.sin_addr) != 1) {
    return false;
  }
  std::memcpy(out->bytes, &v4, sizeof(v4));
  out->length = sizeof(v4);
  return true;
}

bool parse_v6(const char* host, uint16_t port, SocketAddress* out) {
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(port);
  if (::inet_pton(AF_INET6, host, &v6.sin6_addr) != 1) return false;
  std::memcpy(out->bytes, &v6, sizeof(v6));
  out->length = sizeof(v6);
  return true;
}

}  // namespace

bool parse_address(const char* text, SocketAddress* out) {
  base::ErrnoSaver saver;
  *out = {};
  char host[INET6_ADDRSTRLEN];
  uint16_t port;
  const char* colon = text == nullptr ? nullptr : std::strrchr(text, ':');
  if (colon == nullptr || !parse_port(colon + 1, &port)) return false;
  const bool v6 = *text == '[';
  const char* begin = v6 ? text + 1 : text;
  const char* end = v6 ? colon - 1 : colon;
  if (v6 && (end < begin || *end != ']')) return false;
  const size_t length = static_cast<size_t>(end - begin);
  if (length >= sizeof(host)) return false;
  std::memcpy(host, begin, length);
  host[length] = '\0';
  return v6 ? parse_v6(host, port, out) : parse_v4(host, port, out);
}

void format_address(const SocketAddress& address, net::Address* out) {
  base::ErrnoSaver saver;
  sockaddr any{};
  std::memcpy(&any, address.bytes, sizeof(any));
  char host[INET6_ADDRSTRLEN] = "?";
  const char* form = "%s:%u";
  *out = {};
  if (any.sa_family == AF_INET) {
    sockaddr_in v4;
    std::memcpy(&v4, address.bytes, sizeof(v4));
    ::inet_ntop(AF_INET, &v4.sin_addr, host, sizeof(host));
    out->port = ntohs(v4.sin_port);
  } else if (any.sa_family == AF_INET6) {
    sockaddr_in6 v6;
    std::memcpy(&v6, address.bytes, sizeof(v6));
    ::inet_ntop(AF_INET6, &v6.sin6_addr, host, sizeof(host));
    out->port = ntohs(v6.sin6_port);
    form = "[%s]:%u";
  }
  // The format is one of the two literals above.
  base::format_buffer(out->text, sizeof(out->text), form, host,
                      unsigned{out->port});
}

}  // namespace tricolor::netpoll
