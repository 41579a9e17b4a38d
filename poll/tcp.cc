// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// tricolor/net.h over poll/io.h: TCP connections and listeners.
#include <cstdint>

#include "base/check.h"
#include "base/format.h"
#include "poll/address.h"
#include "poll/io.h"
#include "poll/poller.h"
#include "poll/socket.h"
#include "tricolor/net.h"
#include "tricolor/runtime.h"

namespace tricolor::net {
namespace {

using netpoll::Call;
using netpoll::Direction;
using netpoll::PollDesc;
using netpoll::Poller;
using netpoll::SocketAddress;
using netpoll::SocketResult;
using netpoll::Use;

// An errno as a result; our own "closed" is not the kernel's EBADF.
IoResult failure(int err, size_t bytes) {
  if (err == netpoll::kErrnoBadHandle) {
    IoResult closed = netpoll::closed_result();
    closed.bytes = bytes;
    return closed;
  }
  return {bytes, ErrorCode::kOs, err};
}

// Where a caller who asked for no error has it written.
struct ErrorOut {
  explicit ErrorOut(Error* wanted) : out(wanted ? wanted : &unwanted) {
    *out = Error{};
  }
  Error unwanted;
  Error* const out;
};

void set_bad_address(Error* error, const char* call, const char* address) {
  error->code = ErrorCode::kInvalidArgument;
  base::format_buffer(error->text, sizeof(error->text),
                      "%s: the address \"%s\" is not of the form "
                      "127.0.0.1:80, [::1]:80 or :80",
                      call, address == nullptr ? "(null)" : address);
}

void set_os_error(Error* error, const char* call, const char* address,
                  int err) {
  error->code = ErrorCode::kOs;
  error->os_errno = err;
  base::format_buffer(error->text, sizeof(error->text), "%s %s: errno %d (%s)",
                      call, address, err, netpoll::errno_text(err));
}

// A socket of ours around `fd`, or its end. 0 or an errno.
int adopt(Poller* poller, int fd, RawSocket* out) {
  int err = 0;
  uint32_t seq = 0;
  PollDesc* desc = poller->open(fd, &seq, &err);
  if (desc == nullptr) {
    netpoll::socket_close(fd);
    return err;
  }
  *out = {desc, seq};
  return 0;
}

// Until the connection stands. 0 or an errno.
int finish_connect(Mutator& mu, RawSocket raw) {
  Call call(raw, Use::kWrite);
  TRI_CHECK(call.ok(), "nobody else has seen this socket");
  for (;;) {
    const int err = netpoll::socket_connect_result(call.fd());
    if (err != netpoll::kErrnoInProgress) return err;
    if (!call.wait(mu, Direction::kWrite)) return netpoll::kErrnoBadHandle;
  }
}

IoResult shut(RawSocket raw, netpoll::Shut how) {
  Call call(raw, Use::kOther);
  if (!call.ok()) return call.refusal();
  const int err = netpoll::socket_shutdown(call.fd(), how);
  return err == 0 ? IoResult{} : failure(err, 0);
}

Address address_of(RawSocket raw, bool peer) {
  Address out;
  Call call(raw, Use::kOther);
  SocketAddress address;
  if (call.ok() && netpoll::socket_address(call.fd(), peer, &address) == 0) {
    netpoll::format_address(address, &out);
  }
  return out;
}

}  // namespace

Error to_error(const IoResult& result, const char* call) {
  Error error;
  error.code = result.code;
  error.os_errno = result.os_errno;
  if (result.ok()) return error;
  const char* why = netpoll::errno_text(result.os_errno);
  if (result.code == ErrorCode::kState) {
    why = result.os_errno == netpoll::kErrnoBusy
              ? "another call in this direction is under way"
              : "the socket has been closed at this end";
  }
  base::format_buffer(error.text, sizeof(error.text), "%s: errno %d (%s)", call,
                      result.os_errno, why);
  return error;
}

void Socket::close() {
  // Other tasks may be loading it. ORDER-net-handle-1: pairs with raw() in
  // net.h (the only other access while a handle is shared).
  void* desc = __atomic_exchange_n(&raw_.desc, nullptr, __ATOMIC_ACQ_REL);
  if (desc == nullptr) return;
  auto* open = static_cast<PollDesc*>(desc);
  open->poller->close(open, raw_.seq);
}

Address Socket::local_address() const { return address_of(raw(), false); }

Address TcpConn::peer_address() const { return address_of(raw(), true); }

IoResult TcpConn::close_write() { return shut(raw(), netpoll::Shut::kWrite); }

IoResult TcpConn::close_read() { return shut(raw(), netpoll::Shut::kRead); }

IoResult TcpConn::read(Mutator& mu, void* buffer, size_t capacity) {
  Call call(raw(), Use::kRead);
  if (!call.ok()) return call.refusal();
  if (capacity == 0) return {};
  const SocketResult got = netpoll::try_until_done(
      mu, call, Direction::kRead,
      [=](int fd) { return netpoll::socket_read(fd, buffer, capacity); });
  if (!got.ok()) return failure(got.err, 0);
  // close() may have shut the socket down: that is no end of the stream.
  if (got.value == 0 && call.closed()) return netpoll::closed_result();
  return {static_cast<size_t>(got.value)};
}

IoResult TcpConn::read_full(Mutator& mu, void* buffer, size_t bytes) {
  auto* to = static_cast<char*>(buffer);
  size_t done = 0;
  while (done < bytes) {
    IoResult got = read(mu, to + done, bytes - done);
    done += got.bytes;
    if (!got.ok() || got.bytes == 0) {
      got.bytes = done;
      return got;
    }
  }
  return {done};
}

IoResult TcpConn::write(Mutator& mu, const void* data, size_t bytes) {
  Call call(raw(), Use::kWrite);
  if (!call.ok()) return call.refusal();
  const auto* from = static_cast<const char*>(data);
  size_t done = 0;
  while (done < bytes) {
    const SocketResult put =
        netpoll::try_until_done(mu, call, Direction::kWrite, [&](int fd) {
          return netpoll::socket_write(fd, from + done, bytes - done);
        });
    if (!put.ok()) return failure(put.err, done);
    done += static_cast<size_t>(put.value);
  }
  return {done};
}

TcpConn TcpListener::accept(Mutator& mu, Error* error) {
  ErrorOut to(error);
  Call call(raw(), Use::kRead);
  if (!call.ok()) {
    *to.out = to_error(call.refusal(), "accept");
    return {};
  }
  const SocketResult got = netpoll::try_until_done(
      mu, call, Direction::kRead,
      [](int fd) { return netpoll::socket_accept(fd); });
  RawSocket raw;
  int err = got.err;
  if (err == 0) {
    err = adopt(call.poller(), static_cast<int>(got.value), &raw);
  }
  if (err != 0) *to.out = to_error(failure(err, 0), "accept");
  return TcpConn(raw);
}

TcpListener listen_tcp(Mutator& mu, const char* address,
                       const ListenOptions& options, Error* error) {
  ErrorOut to(error);
  SocketAddress parsed;
  if (!netpoll::parse_address(address, &parsed)) {
    set_bad_address(to.out, "listen_tcp", address);
    return {};
  }
  Poller* poller = Poller::find_or_create(runtime_of(mu), to.out);
  if (poller == nullptr) return {};
  const SocketResult made = netpoll::socket_listen(parsed, options);
  RawSocket raw;
  int err = made.err;
  if (err == 0) err = adopt(poller, static_cast<int>(made.value), &raw);
  if (err != 0) set_os_error(to.out, "listen_tcp", address, err);
  return TcpListener(raw);
}

TcpConn dial_tcp(Mutator& mu, const char* address, Error* error) {
  ErrorOut to(error);
  SocketAddress parsed;
  if (!netpoll::parse_address(address, &parsed)) {
    set_bad_address(to.out, "dial_tcp", address);
    return {};
  }
  Poller* poller = Poller::find_or_create(runtime_of(mu), to.out);
  if (poller == nullptr) return {};
  bool in_progress = false;
  const SocketResult made = netpoll::socket_connect(parsed, &in_progress);
  RawSocket raw;
  int err = made.err;
  if (err == 0) err = adopt(poller, static_cast<int>(made.value), &raw);
  TcpConn conn(raw);
  if (err == 0 && in_progress) err = finish_connect(mu, raw);
  if (err == 0) return conn;
  set_os_error(to.out, "dial_tcp", address, err);
  return {};
}

}  // namespace tricolor::net
