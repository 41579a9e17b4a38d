// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// The two state machines of poll_desc.h.
//
// Waiting against an event. One word decides, so the order of the two does not
// matter; what matters is that no event is forgotten unseen:
//   the call:   R1 clear_ready   R2 system call says EAGAIN   R3 begin_wait
//   the kernel: K1 the data is there   K2 the edge is queued   K3 wake(true)
// clear_ready may only drop an event whose data R2 sees: K1 < K3 < R1 < R2.
// If R2 saw nothing, K1 comes after R2, hence K3 after R1, and the kReady it
// leaves is still there in R3. After R1 nobody but begin_wait and end_wait
// clears the word, and after each of these the call tries R2 again.
//
// Waiting against close(). Two words, each side writes one and reads the
// other, so both sides are seq_cst:
//   the call: W1 waiter: kNil -> kWait     W2 reads life, parks unless closed
//   close():  C1 sets closed in life       C2 wake(false) on the waiter
// If W2 does not see closed, W2 comes before C1 in the single order of seq_cst
// operations, so C2 comes after W1 and sees kWait (it writes kNil, and the
// commit fails) or the G (it makes it ready). If W2 sees closed, nobody parks.
#include "poll/poll_desc.h"

#include "base/check.h"
#include "base/sched_point.h"

namespace tricolor::netpoll {
namespace {

uint64_t flag_of(Use use) {
  switch (use) {
    case Use::kRead:
      return PollDesc::kReading;
    case Use::kWrite:
      return PollDesc::kWriting;
    case Use::kOther:
      return 0;
  }
  return 0;
}

}  // namespace

uint32_t PollDesc::begin(int new_fd) {
  TRI_ASSERT(is_free() && is_valid());
  const uint32_t next = seq() + 1;
  fd = new_fd;
  calls[0] = calls[1] = 0;
  // Relaxed: the store of `life` below publishes them, and a stale event looks
  // at `life` before it touches them.
  waiter[0].store_relaxed(kNil);
  waiter[1].store_relaxed(kNil);
  // ORDER-polldesc-life-1: pairs with pin(): publishes fd.
  life.store_release(uint64_t{next} << kSeqShift | kRef);
  return next;
}

Pin PollDesc::pin(uint32_t want, Use use) {
  const uint64_t flag = flag_of(use);
  uint64_t before = life.load_relaxed();
  for (;;) {
    if (before >> kSeqShift != want || (before & kClosed) != 0) {
      return Pin::kClosed;
    }
    if ((before & flag) != 0) return Pin::kBusy;
    TRI_ASSERT((before & kRefs) != 0, "open without a ref");
    TRI_CHECK((before & kRefs) != kRefs, "too many calls on one connection");
    // ORDER-polldesc-life-1: pairs with begin(): sees fd; and with unpin():
    // sees what the last call of this direction left in calls[].
    if (life.compare_exchange_weak_acquire(before, (before + kRef) | flag)) {
      return Pin::kOk;
    }
  }
}

bool PollDesc::unpin(Use use) {
  const uint64_t flag = flag_of(use);
  // ORDER-polldesc-life-1: pairs with pin(), and with the unpin of who frees.
  const uint64_t before = life.fetch_sub_acq_rel(kRef + flag);
  TRI_CHECK((before & kRefs) != 0 && (before & flag) == flag,
            "unpin without pin: life %lx", static_cast<unsigned long>(before));
  const bool last = (before & kRefs) == kRef;
  TRI_ASSERT(!last || (before & kClosed) != 0, "freed while open");
  return last;
}

bool PollDesc::mark_closed(uint32_t want) {
  uint64_t before = life.load_relaxed();
  for (;;) {
    if (before >> kSeqShift != want || (before & kClosed) != 0) return false;
    // seq_cst: C1 in the race above.
    if (life.compare_exchange_weak_seq_cst(before, before | kClosed)) {
      return true;
    }
  }
}

void PollDesc::clear_ready(Direction d) {
  uintptr_t before = kReady;
  // Relaxed: a kReady that is not seen yet costs one more EAGAIN, no event.
  if (word(d).load_relaxed() == kReady) {
    word(d).compare_exchange_strong_acq_rel(before, kNil);
  }
}

bool PollDesc::begin_wait(Direction d) {
  TRI_SCHED_POINT(poll_begin_wait);
  for (;;) {
    uintptr_t before = kNil;
    // seq_cst: W1 in the race above.
    if (word(d).compare_exchange_strong_seq_cst(before, kWait)) return true;
    TRI_CHECK(before == kReady, "a second waiter, or a damaged one: %lx",
              static_cast<unsigned long>(before));
    if (word(d).compare_exchange_strong_acq_rel(before, kNil)) return false;
  }
}

bool PollDesc::commit_wait(Direction d, ParkedTask task) {
  TRI_SCHED_POINT(poll_commit_wait);
  TRI_ASSERT(reinterpret_cast<uintptr_t>(task.g) > kWait);
  uintptr_t before = kWait;
  // ORDER-polldesc-park-1: pairs with wake(): publishes the parked task.
  return word(d).compare_exchange_strong_acq_rel(
      before, reinterpret_cast<uintptr_t>(task.g));
}

void PollDesc::end_wait(Direction d) {
  const uintptr_t before = word(d).exchange_acq_rel(kNil);
  TRI_CHECK(before <= kWait, "woken with the task still published");
}

ParkedTask PollDesc::wake(Direction d, bool ready) {
  TRI_SCHED_POINT(poll_wake);
  const uintptr_t after = ready ? kReady : kNil;
  uintptr_t before = word(d).load_seq_cst();  // C2 in the race above
  for (;;) {
    if (before == kReady || before == after) return {};
    // ORDER-polldesc-park-1: pairs with commit_wait(): sees the parked task.
    if (word(d).compare_exchange_weak_seq_cst(before, after)) break;
  }
  return {before > kWait ? reinterpret_cast<void*>(before) : nullptr};
}

bool PollDesc::is_valid() const {
  const uint64_t bits = life.load_acquire();
  const uint64_t flags = bits & kFlags;
  const uint64_t refs = bits & kRefs;
  if ((flags & ~(kReading | kWriting | kClosed)) != 0) return false;
  if (refs == 0) {
    // Free: closed, or never used.
    return (flags & (kReading | kWriting)) == 0 &&
           (flags == kClosed || bits == 0);
  }
  return poller != nullptr;
}

bool PollTag::is_current(uint64_t tag) {
  const uint64_t life = desc(tag)->life.load_acquire();
  if ((life & PollDesc::kClosed) != 0) return false;
  return ((life >> PollDesc::kSeqShift) & kSeqMask) == (tag & kSeqMask);
}

}  // namespace tricolor::netpoll
