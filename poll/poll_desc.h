// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// PollDesc: what the poller knows of one file descriptor: who may use it (the
// life word) and who waits for it (one waiter word a direction). Its users are
// poll/io.cc (waiting), poll/poller.cc (opening, closing, events) and the
// public sockets.
//
// The life word:   63 ------ 32 31 -------- 8   2       1         0
//                 |  sequence  |    refs     | closed writing reading |
//
//   sequence  one more at each reuse; a handle and an event carry it, so that
//             those of an earlier use find nothing
//   refs      one of the handle, one of each call under way; the last one out
//             closes the fd, so no fd number is reused under a running call
//   closed    no call begins any more, nobody waits any more
//   reading   a call that reads is under way, at most one; writing likewise
//
//   open(): refs 1 --pin--> refs 2 (reading) --unpin--> refs 1
//   close(): closed, refs as they are --unpin of each--> refs 0: free
//
// A waiter word, one a direction:
//
//   kNil    nobody waits, nothing has happened
//   kReady  an event has come and nobody has consumed it
//   kWait   a call is about to park
//   G       a parked task
//
//   kNil --begin_wait--> kWait --commit_wait--> G --wake(true)--> kReady
//   kNil --wake(true)--> kReady --begin_wait, clear_ready--> kNil
//   kWait --wake(true)--> kReady, --wake(false)--> kNil: commit_wait fails
//   G --wake(false)--> kNil;  any of them --end_wait--> kNil
//
// Invariants
// 1. Descriptors are type-stable: an event or a handle of a closed fd hits a
//    PollDesc, and its sequence says whether it is the same one.
// 2. Only the call that holds `reading` uses waiter[kRead] as the waiter, and
//    so for writing: there is never a second waiter.
// 3. A G is taken out of a waiter word by one wake(), which makes it ready.
//
// Threads: all of it from any thread, unless said otherwise.
#ifndef TRICOLOR_POLL_POLL_DESC_H_
#define TRICOLOR_POLL_POLL_DESC_H_

#include <cstddef>
#include <cstdint>

#include "base/atomics.h"
#include "tricolor/task.h"

namespace tricolor::netpoll {

class Poller;

enum class Direction : uint8_t { kRead = 0, kWrite = 1 };

/// What a call wants of the descriptor.
enum class Use : uint8_t { kRead, kWrite, kOther };
inline Use use_of(Direction d) {
  return d == Direction::kRead ? Use::kRead : Use::kWrite;
}

enum class Pin : uint8_t {
  kOk,
  kClosed,  ///< closed, or the handle of an earlier use
  kBusy,    ///< another call in this direction is under way
};

struct alignas(128) PollDesc {
  static constexpr uintptr_t kNil = 0;
  static constexpr uintptr_t kReady = 1;
  static constexpr uintptr_t kWait = 2;

  static constexpr uint64_t kReading = 1;
  static constexpr uint64_t kWriting = 2;
  static constexpr uint64_t kClosed = 4;
  static constexpr uint64_t kFlags = 0xff;
  static constexpr uint64_t kRef = 0x100;
  static constexpr uint64_t kRefs = 0xffffff00;
  static constexpr unsigned kSeqShift = 32;

  // --- Guarded by the poller's lock. The first word is the pool's link.
  PollDesc* pool_link;

  // --- Immutable once made.
  Poller* poller;
  PollDesc* all_next;

  // --- Written by open() and by the last unpin; stable while pinned.
  int fd;
  uint32_t shard;  ///< which epoll instance has it

  // --- Owner: the call that holds the direction. Calls since it last parked.
  uint32_t calls[2];

  // --- Atomic.
  base::Atomic<uint64_t> life;
  base::Atomic<uintptr_t> waiter[2];
  /// Attached threads that wait in the kernel; see wait_in_kernel().
  base::Atomic<uint32_t> kernel_waiters;

  // --- The life word.

  /// Free -> open with one ref, no waiter. Returns the new sequence. The caller
  /// has taken it from the pool.
  uint32_t begin(int new_fd);

  /// Starts a call on the use `seq`; kOk is undone by unpin(use).
  Pin pin(uint32_t seq, Use use);

  /// Ends a call. True: it was the last one of a closed descriptor, and the
  /// caller frees it.
  bool unpin(Use use);

  /// Closes the use `seq`; false if it is not open. The caller then wakes both
  /// directions and gives the handle's ref back by unpin(kOther).
  bool mark_closed(uint32_t seq);

  bool closed() const { return (life.load_seq_cst() & kClosed) != 0; }
  bool is_free() const { return (life.load_acquire() & kRefs) == 0; }
  uint32_t seq() const {
    return static_cast<uint32_t>(life.load_acquire() >> kSeqShift);
  }

  // --- The waiter words; see poll_desc.cc for the races.

  /// Forgets an event that came before the call that follows.
  void clear_ready(Direction d);
  /// False: an event had come; it is consumed.
  bool begin_wait(Direction d);
  /// In the commit function of park(): publishes the task. False: an event or
  /// close() came first, stay awake.
  bool commit_wait(Direction d, ParkedTask task);
  /// After the wait, or instead of it.
  void end_wait(Direction d);
  /// An event (ready) or close() (not ready). Returns the task to make ready;
  /// its g is null if there is none.
  ParkedTask wake(Direction d, bool ready);

  /// Validator: no bit outside the pictures above.
  bool is_valid() const;

 private:
  base::Atomic<uintptr_t>& word(Direction d) {
    return waiter[static_cast<size_t>(d)];
  }
};
static_assert(sizeof(PollDesc) == 128 && alignof(PollDesc) == 128);
static_assert(offsetof(PollDesc, pool_link) == 0);

/// What an event carries: where the descriptor is and 24 bits of its sequence.
///
///    63 ------------------ 24 23 ------------ 0
///   |  address / 128 (40 bit) | sequence % 2^24 |
struct PollTag {
  static constexpr unsigned kSeqBits = 24;
  static constexpr uint32_t kSeqMask = (1u << kSeqBits) - 1;

  static uint64_t make(const PollDesc* desc, uint32_t seq) {
    return (reinterpret_cast<uintptr_t>(desc) / alignof(PollDesc)) << kSeqBits |
           (seq & kSeqMask);
  }
  static PollDesc* desc(uint64_t tag) {
    return reinterpret_cast<PollDesc*>((tag >> kSeqBits) * alignof(PollDesc));
  }
  /// Whether the tag means the present use of its descriptor.
  static bool is_current(uint64_t tag);
};

}  // namespace tricolor::netpoll

#endif  // TRICOLOR_POLL_POLL_DESC_H_
