// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// TCP for tasks: calls that look blocking and suspend the task, as Go's net
// does over its netpoller.
//
//   net::TcpListener l = net::listen_tcp(mu, "127.0.0.1:0", {}, &error);
//   net::TcpConn c = l.accept(mu, &error);
//   net::IoResult r = c.read(mu, buffer, sizeof(buffer));
//
// What holds for every call that takes a Mutator
// 1. It is a safepoint and may suspend: the task parks until the socket is
//    ready. In a ManagedScope of an attached thread the thread waits in the
//    kernel instead, and the collector does not wait for it.
// 2. A buffer may be a noscan cell, rooted by the caller: cells do not move.
// 3. No call raises SIGPIPE or changes errno.
//
// A handle owns its socket and closes it at its end. It may be used by several
// tasks at once, one in each direction: a second reader (or writer) gets kState
// with os_errno EBUSY. close() from any thread is safe meanwhile: calls under
// way return kState with os_errno EBADF, and the fd is closed when the last of
// them has left. The runtime closes what is still open at its end; an open
// handle must not outlive it.
#ifndef TRICOLOR_NET_H_
#define TRICOLOR_NET_H_

#include <cstddef>
#include <cstdint>
#include <utility>

#include "tricolor/detail/mutator.h"
#include "tricolor/error.h"

namespace tricolor::net {

/// What a read or a write did. Comes back in registers.
struct [[nodiscard]] IoResult {
  size_t bytes = 0;
  ErrorCode code = ErrorCode::kOk;
  int os_errno = 0;

  bool ok() const { return code == ErrorCode::kOk; }
};

/// The sentence for a result that is not ok; `call` names what failed.
Error to_error(const IoResult& result, const char* call);

/// "127.0.0.1:80" or "[::1]:80". Empty and port 0 where there is none.
struct Address {
  char text[56] = {};
  uint16_t port = 0;
};

struct ListenOptions {
  int backlog = 4096;       ///< the kernel caps it (net.core.somaxconn)
  bool reuse_port = false;  ///< SO_REUSEPORT
};

/// A socket without its owner: trivially copyable, so that spawn can carry it.
/// Give it to the constructor of what it came from, or the socket stays open
/// until the runtime ends.
struct RawSocket {
  void* desc = nullptr;
  uint32_t seq = 0;
};

/// What connections and listeners share. Move-only.
class Socket {
 public:
  Socket() = default;
  explicit Socket(RawSocket raw) : raw_(raw) {}
  Socket(Socket&& o) noexcept : raw_(o.release()) {}
  Socket& operator=(Socket&& o) noexcept {
    std::swap(raw_, o.raw_);
    return *this;
  }
  ~Socket() { close(); }

  /// False: empty, or closed through this handle.
  explicit operator bool() const { return raw().desc != nullptr; }

  /// Ends every call under way and every later one with kState, EBADF. Closing
  /// twice, or an empty handle, does nothing. Does not suspend. Any thread,
  /// also without a Mutator.
  void close();

  /// Gives up ownership without closing.
  RawSocket release() { return std::exchange(raw_, {}); }

  /// The address of this end. Any thread.
  Address local_address() const;

 protected:
  // close() may come while another task is in a call on this handle.
  // ORDER-net-handle-1: pairs with close().
  RawSocket raw() const {
    return {__atomic_load_n(&raw_.desc, __ATOMIC_ACQUIRE), raw_.seq};
  }

 private:
  RawSocket raw_;
};

/// A stream. TCP_NODELAY is on.
class TcpConn : public Socket {
 public:
  using Socket::Socket;

  /// Waits until there is something and returns up to `capacity` bytes of it;
  /// 0 bytes and ok() is the end of the stream. ECONNRESET: the other end gave
  /// up. A capacity of 0 returns at once.
  IoResult read(Mutator& mu, void* buffer, size_t capacity);

  /// Reads until `bytes` are there. Fewer and ok(): the stream ended first.
  IoResult read_full(Mutator& mu, void* buffer, size_t bytes);

  /// Writes all of it. On an error, `bytes` went out before. EPIPE, ECONNRESET:
  /// nobody reads at the other end.
  IoResult write(Mutator& mu, const void* data, size_t bytes);

  /// Half-close: the other end reads the end of the stream once it has read
  /// what was written; reading goes on here. Neither suspends.
  IoResult close_write();
  /// Reads return the end of the stream from now on, waiting ones too.
  IoResult close_read();

  /// The address of the other end. Any thread.
  Address peer_address() const;
};

/// A listening socket.
class TcpListener : public Socket {
 public:
  using Socket::Socket;

  /// Waits for a connection. Empty on failure, with the reason in *error if
  /// given; EMFILE and ENFILE are worth a later try.
  TcpConn accept(Mutator& mu, Error* error = nullptr);
};

/// Listens on a numeric address: "127.0.0.1:0", "[::1]:8080", ":8080" (every
/// IPv4 address). Port 0 takes a free one, see local_address(). Empty on
/// failure, with the reason in *error if given. Does not suspend.
TcpListener listen_tcp(Mutator& mu, const char* address,
                       const ListenOptions& options = {},
                       Error* error = nullptr);

/// Connects to a numeric address. Waits for the other end as long as the kernel
/// does. Empty on failure (ECONNREFUSED, ETIMEDOUT, ...), with the reason in
/// *error if given.
TcpConn dial_tcp(Mutator& mu, const char* address, Error* error = nullptr);

}  // namespace tricolor::net

#endif  // TRICOLOR_NET_H_
