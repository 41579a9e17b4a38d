// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// See socket.h.
#include "poll/socket.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/errno_saver.h"
#include "base/macros.h"

namespace tricolor::netpoll {
namespace {

// Calls `f` until no signal interrupts it.
template <class F>
SocketResult retry(F f) {
  base::ErrnoSaver saver;
  for (;;) {
    const auto value = f();
    if (value >= 0) return {value, 0};
    if (errno != EINTR) return {-1, errno == EWOULDBLOCK ? EAGAIN : errno};
  }
}

void set_on(int fd, int level, int option) {
  const int on = 1;
  // A socket that refuses still works, only slower or less politely.
  (void)::setsockopt(fd, level, option, &on, sizeof(on));
}

SocketResult new_socket(const SocketAddress& address) {
  sockaddr any{};
  std::memcpy(&any, address.bytes, sizeof(any));
  return retry([&] {
    return ::socket(any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
                    IPPROTO_TCP);
  });
}

const sockaddr* raw(const SocketAddress& address) {
  return reinterpret_cast<const sockaddr*>(address.bytes);
}

// accept(2) also reports what went wrong with the connection itself, before
// it was accepted. The listener is well; the next one may be, too.
bool is_error_of_the_connection(int err) {
  switch (err) {
    case ECONNABORTED:
    case EPROTO:
    case ENETDOWN:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case ENONET:
    case EHOSTUNREACH:
    case ENETUNREACH:
      return true;
    default:
      return false;
  }
}

}  // namespace

TRI_NOINLINE SocketResult socket_read(int fd, void* buffer, size_t bytes) {
  if (bytes > kIoChunkBytes) bytes = kIoChunkBytes;
  return retry([&] { return ::recv(fd, buffer, bytes, 0); });
}

TRI_NOINLINE SocketResult socket_write(int fd, const void* data, size_t bytes) {
  if (bytes > kIoChunkBytes) bytes = kIoChunkBytes;
  return retry([&] { return ::send(fd, data, bytes, MSG_NOSIGNAL); });
}

TRI_NOINLINE SocketResult socket_listen(const SocketAddress& address,
                                        const net::ListenOptions& options) {
  const SocketResult made = new_socket(address);
  if (!made.ok()) return made;
  const int fd = static_cast<int>(made.value);
  set_on(fd, SOL_SOCKET, SO_REUSEADDR);
  if (options.reuse_port) set_on(fd, SOL_SOCKET, SO_REUSEPORT);
  SocketResult done =
      retry([&] { return ::bind(fd, raw(address), address.length); });
  if (done.ok()) done = retry([&] { return ::listen(fd, options.backlog); });
  if (done.ok()) return made;
  socket_close(fd);
  return done;
}

TRI_NOINLINE SocketResult socket_accept(int fd) {
  for (;;) {
    const SocketResult got = retry([&] {
      return ::accept4(fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    });
    if (got.ok()) set_on(static_cast<int>(got.value), IPPROTO_TCP, TCP_NODELAY);
    if (got.ok() || !is_error_of_the_connection(got.err)) return got;
  }
}

TRI_NOINLINE SocketResult socket_connect(const SocketAddress& address,
                                         bool* in_progress) {
  *in_progress = false;
  const SocketResult made = new_socket(address);
  if (!made.ok()) return made;
  const int fd = static_cast<int>(made.value);
  set_on(fd, IPPROTO_TCP, TCP_NODELAY);
  // Not retried: after EINTR the attempt goes on by itself.
  base::ErrnoSaver saver;
  const bool done = ::connect(fd, raw(address), address.length) == 0;
  const int err = done ? 0 : errno;
  *in_progress = err == EINPROGRESS || err == EINTR;
  if (done || *in_progress) return made;
  socket_close(fd);
  return {-1, err};
}

TRI_NOINLINE int socket_connect_result(int fd) {
  base::ErrnoSaver saver;
  int err = 0;
  socklen_t length = sizeof(err);
  if (::getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &length) != 0) return errno;
  if (err != 0) return err;
  // No error yet is not success yet: only a connected socket has a peer.
  SocketAddress peer;
  const int named = socket_address(fd, /*peer=*/true, &peer);
  return named == ENOTCONN ? EINPROGRESS : named;
}

TRI_NOINLINE void socket_wait(int fd, Direction direction) {
  pollfd what{};
  what.fd = fd;
  what.events = direction == Direction::kRead ? POLLIN : POLLOUT;
  retry([&] { return ::poll(&what, 1, -1); });
}

TRI_NOINLINE int socket_shutdown(int fd, Shut how) {
  const int what = how == Shut::kRead    ? SHUT_RD
                   : how == Shut::kWrite ? SHUT_WR
                                         : SHUT_RDWR;
  return retry([&] { return ::shutdown(fd, what); }).err;
}

TRI_NOINLINE void socket_abort(int fd) {
  // Also ends the waits on a listener and on a connect under way.
  socket_shutdown(fd, Shut::kBoth);
}

TRI_NOINLINE void socket_close(int fd) {
  base::ErrnoSaver saver;
  // Not retried: Linux has released the number whatever close says.
  ::close(fd);
}

TRI_NOINLINE int socket_address(int fd, bool peer, SocketAddress* out) {
  base::ErrnoSaver saver;
  *out = {};
  socklen_t length = sizeof(out->bytes);
  auto* to = reinterpret_cast<sockaddr*>(out->bytes);
  const int done =
      peer ? ::getpeername(fd, to, &length) : ::getsockname(fd, to, &length);
  if (done != 0) return errno;
  out->length = length;
  return 0;
}

const char* errno_text(int err) {
  // Not strerror: its buffer comes from malloc, its words from the locale.
  const char* text = ::strerrordesc_np(err);
  return text == nullptr ? "unknown" : text;
}

}  // namespace tricolor::netpoll
