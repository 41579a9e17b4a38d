// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Poller: the descriptors of one runtime and the epoll instances that watch
// them. Made at the first use of a socket (find_or_create), so a runtime that
// opens none has no fd, and found by the scheduler through PollHooks.
//
// Invariants
// 1. Every open fd is registered with exactly one shard, from open() until its
//    last user has left.
// 2. waiters() never counts too few: it is raised before a task is published
//    in a waiter word and lowered after it has been taken out.
//
// Threads: all of it from any thread; destroy() alone.
#ifndef TRICOLOR_POLL_POLLER_H_
#define TRICOLOR_POLL_POLLER_H_

#include <cstddef>
#include <cstdint>

#include "base/atomics.h"
#include "base/lock.h"
#include "base/meta_arena.h"
#include "poll/epoll.h"
#include "poll/hooks.h"
#include "poll/poll_desc.h"
#include "tricolor/error.h"

namespace tricolor::netpoll {

class Poller {
 public:
  /// The runtime's poller, made if there is none. Null: *error says why.
  static Poller* find_or_create(Runtime& rt, Error* error);

  /// A poller that no runtime knows yet. Null: *error says why.
  static Poller* create(Runtime& rt, Error* error);

  /// Closes every fd that is still open and unmaps the poller.
  void destroy();

  /// Takes over a non-blocking fd: registers it and gives it a descriptor.
  /// Null: *err has the errno, and the fd remains the caller's.
  PollDesc* open(int fd, uint32_t* seq, int* err);

  /// Closes the use `seq`: no call begins any more, those that wait return.
  /// The fd itself is closed by the last call to leave. False: was not open.
  bool close(PollDesc* desc, uint32_t seq);

  /// Ends a call on `desc`.
  void unpin(PollDesc* desc, Use use) {
    if (desc->unpin(use)) release(desc);
  }

  /// What PollHooks::poll promises.
  size_t poll(int64_t timeout_ns, ParkedTask* out, size_t capacity);
  void wake() { shards_[0].wake(); }

  /// The second half of poll(): stores the tasks that `n` events wake, at most
  /// two an event. Drops events of descriptors closed meanwhile.
  size_t dispatch(const PollEvent* events, size_t n, ParkedTask* out);

  bool has_waiters() const { return waiters_.load_seq_cst() != 0; }
  void add_waiter() { waiters_.fetch_add_seq_cst(1); }
  void drop_waiter() { waiters_.fetch_sub_seq_cst(1); }

  const PollHooks& hooks() const { return hooks_; }
  Runtime& runtime() { return *rt_; }

  /// Open descriptors. Validates all of them in checking builds.
  size_t count_open_for_testing();

 private:
  // One today; the index is in each descriptor so that more can come.
  static constexpr uint32_t kShards = 1;

  explicit Poller(Runtime& rt);
  ~Poller() = default;

  void release(PollDesc* desc);
  PollDesc* take_desc();
  ParkedTask deliver(PollDesc* desc, Direction direction, bool ready);

  // --- Immutable after create.
  Runtime* rt_;
  PollHooks hooks_;
  Epoll shards_[kShards];

  base::Atomic<uint32_t> waiters_{0};
  base::MetaArena meta_;

  base::Mutex lock_{base::LockRank::kPoll};
  base::FixedPool<PollDesc> pool_ TRI_GUARDED_BY(lock_);
  PollDesc* all_ TRI_GUARDED_BY(lock_) = nullptr;
};

}  // namespace tricolor::netpoll

#endif  // TRICOLOR_POLL_POLLER_H_
