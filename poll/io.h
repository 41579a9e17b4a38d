// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// A call on a descriptor: pins it, tries, and waits when the kernel has nothing
// to do. What the public sockets are made of.
//
// Threads: a Call lives on the stack of the task or attached thread that makes
// it. Locks: none may be held; wait() suspends.
#ifndef TRICOLOR_POLL_IO_H_
#define TRICOLOR_POLL_IO_H_

#include "poll/poll_desc.h"
#include "poll/poller.h"
#include "poll/socket.h"
#include "tricolor/net.h"

namespace tricolor::netpoll {

class Call {
 public:
  /// Pins `socket` for `use`, unless it is closed or busy: see ok().
  Call(net::RawSocket socket, Use use);
  ~Call();
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  bool ok() const { return pin_ == Pin::kOk; }
  /// Why it is not ok().
  net::IoResult refusal() const;

  int fd() const { return desc_->fd; }
  Poller* poller() const { return desc_->poller; }
  bool closed() const { return desc_->closed(); }

  /// Before the first try: a safepoint, the budget of the socket, and the end
  /// of readiness that came before.
  void begin(Mutator& mu, Direction d);

  /// After a try that would block: until there is something to try again (or
  /// perhaps not: events may be vain). False: the socket has been closed.
  bool wait(Mutator& mu, Direction d);

 private:
  bool wait_in_kernel(Mutator& mu, Direction d);

  PollDesc* const desc_;
  const Use use_;
  Pin pin_;
};

/// What a call returns that finds its socket closed.
net::IoResult closed_result();

/// Tries `f` (SocketResult of an fd) until it need not wait. What fails on a
/// closed socket fails with kErrnoBadHandle, whatever the kernel said.
template <class F>
SocketResult try_until_done(Mutator& mu, Call& call, Direction d, F f) {
  call.begin(mu, d);
  for (;;) {
    const SocketResult got = f(call.fd());
    if (got.ok()) return got;
    if (!got.would_block()) {
      return call.closed() ? SocketResult{-1, kErrnoBadHandle} : got;
    }
    if (!call.wait(mu, d)) return {-1, kErrnoBadHandle};
  }
}

}  // namespace tricolor::netpoll

#endif  // TRICOLOR_POLL_IO_H_
