// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// See io.h.
#include "poll/io.h"

#include "base/check.h"
#include "base/lock.h"
#include "tricolor/allocate.h"
#include "tricolor/thread.h"

namespace tricolor::netpoll {
namespace {

// A socket that is always ready never parks its task; after so many calls it
// yields, so that others, and the poller, get their turn.
constexpr uint32_t kCallsBeforeYield = 64;

struct Waiting {
  PollDesc* desc;
  Direction direction;
};

// Runs when the task has left its stack.
bool commit_wait(ParkedTask task, void* ctx) {
  // Copied: once the task is published, its stack may be gone.
  const Waiting w = *static_cast<Waiting*>(ctx);
  Poller* poller = w.desc->poller;
  poller->add_waiter();
  if (w.desc->commit_wait(w.direction, task)) return true;
  poller->drop_waiter();
  return false;
}

}  // namespace

net::IoResult closed_result() {
  return {0, ErrorCode::kState, kErrnoBadHandle};
}

Call::Call(net::RawSocket socket, Use use)
    : desc_(static_cast<PollDesc*>(socket.desc)),
      use_(use),
      pin_(desc_ == nullptr ? Pin::kClosed : desc_->pin(socket.seq, use)) {}

Call::~Call() {
  if (ok()) desc_->poller->unpin(desc_, use_);
}

net::IoResult Call::refusal() const {
  TRI_ASSERT(!ok());
  if (pin_ == Pin::kClosed) return closed_result();
  return {0, ErrorCode::kState, kErrnoBusy};
}

void Call::begin(Mutator& mu, Direction d) {
  uint32_t& calls = desc_->calls[static_cast<size_t>(d)];
  if (++calls > kCallsBeforeYield) {
    calls = 0;
    if (runs_on_task(mu)) yield(mu);
  } else {
    tricolor::poll(mu);
  }
  desc_->clear_ready(d);
}

bool Call::wait(Mutator& mu, Direction d) {
  base::assert_no_locks_held("waiting for a socket");
  if (!runs_on_task(mu)) return wait_in_kernel(mu, d);
  desc_->calls[static_cast<size_t>(d)] = 0;
  if (desc_->begin_wait(d)) {
    if (!desc_->closed()) {
      Waiting waiting{desc_, d};
      park(mu, commit_wait, &waiting);
    }
    desc_->end_wait(d);
  }
  return !desc_->closed();
}

// Whoever closes the socket must get this thread out of the kernel, where no
// ready() reaches it:
//   here:    K1 kernel_waiters + 1     K2 reads `closed`, waits unless set
//   close(): C1 sets `closed`          C2 reads kernel_waiters, aborts if any
// All four are seq_cst: if K2 misses C1, then C2 sees K1 and shuts the socket
// down, which ends the wait now or before it has begun.
bool Call::wait_in_kernel(Mutator& mu, Direction d) {
  desc_->kernel_waiters.fetch_add_seq_cst(1);
  if (!desc_->closed()) {
    NativeScope native(mu);
    socket_wait(desc_->fd, d);
  }
  desc_->kernel_waiters.fetch_sub_seq_cst(1);
  return !desc_->closed();
}

}  // namespace tricolor::netpoll
