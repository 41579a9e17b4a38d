// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// The system calls on sockets, wrapped: non-blocking, close-on-exec, no
// SIGPIPE, retried after a signal, the errno taken at once and returned by
// value. Implemented in socket_linux.cc; nothing here suspends a task or knows
// of one.
//
// Every function is out of line: `errno` lies in the thread, and a caller that
// suspends must not have its address at hand (DESIGN, traps 1).
#ifndef TRICOLOR_POLL_SOCKET_H_
#define TRICOLOR_POLL_SOCKET_H_

#include <cerrno>
#include <cstddef>
#include <cstdint>

#include "poll/address.h"
#include "poll/poll_desc.h"
#include "tricolor/net.h"

namespace tricolor::netpoll {

inline constexpr int kErrnoNoMemory = ENOMEM;
inline constexpr int kErrnoBadHandle = EBADF;
inline constexpr int kErrnoBusy = EBUSY;
inline constexpr int kErrnoInProgress = EINPROGRESS;

/// The result of a call on a socket: bytes or an fd, or an errno.
struct SocketResult {
  int64_t value = -1;
  int err = 0;

  bool ok() const { return err == 0; }
  /// Nothing to do now: wait for an event.
  bool would_block() const { return err == EAGAIN; }
};

/// One recv or send of at most kIoChunkBytes: the copy runs in managed code,
/// so a longer one would delay a stop of the world.
inline constexpr size_t kIoChunkBytes = 128 * 1024;
SocketResult socket_read(int fd, void* buffer, size_t bytes);
SocketResult socket_write(int fd, const void* data, size_t bytes);

/// A listening socket.
SocketResult socket_listen(const SocketAddress& address,
                           const net::ListenOptions& options);
/// A connection of the queue. Those that died in the queue are passed over.
SocketResult socket_accept(int fd);

/// Starts to connect. *in_progress: wait for writability, then ask
/// socket_connect_result.
SocketResult socket_connect(const SocketAddress& address, bool* in_progress);
/// 0: connected; EINPROGRESS: not yet; else why it failed.
int socket_connect_result(int fd);

/// What waits in the kernel until `direction` is ready, an error or a hang-up.
void socket_wait(int fd, Direction direction);

enum class Shut : uint8_t { kRead, kWrite, kBoth };
/// 0 or an errno.
int socket_shutdown(int fd, Shut how);
/// Makes every socket_wait on it return, now and later.
void socket_abort(int fd);
void socket_close(int fd);

/// The address of this end or the other. 0 or an errno.
int socket_address(int fd, bool peer, SocketAddress* out);

/// "Connection refused" and so on; never null.
const char* errno_text(int err);

}  // namespace tricolor::netpoll

#endif  // TRICOLOR_POLL_SOCKET_H_
