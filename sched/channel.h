// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// A channel: a managed cell of a head that is not scanned and a ring of values,
// which is, if they are managed.
//
//   0          lock      who waits        ring state       kRing
//   | ChannelRep                                           | value | value ...
//
// Invariants, under the lock
// 1. count <= capacity; what is not in [begin, begin + count) is zero.
// 2. Receivers wait only while count == 0 and no sender waits; senders only
//    while count == capacity. (Waits that have ended may still be listed.)
// 3. A closed channel has nobody who waits.
//
// Threads: any that holds a P, and timers of send_at(). The lock is of rank
// kWait. Who is alone (company.h) leaves it alone in send and receive, but not
// where more than one lock is taken, nor where speed does not matter: all those
// are sections of the one P, too, that nothing comes between.
#ifndef TRICOLOR_SCHED_CHANNEL_H_
#define TRICOLOR_SCHED_CHANNEL_H_

#include <cstddef>
#include <cstdint>

#include "base/lock.h"
#include "sched/wait.h"
#include "tricolor/channel.h"

namespace tricolor::detail {

struct ChannelRep {
  base::Mutex lock{base::LockRank::kWait};
  sched::WaitList receivers TRI_GUARDED_BY(lock);
  sched::WaitList senders TRI_GUARDED_BY(lock);
  uint32_t begin TRI_GUARDED_BY(lock) = 0;
  base::Atomic<uint32_t> count{0};  ///< written under the lock
  bool closed TRI_GUARDED_BY(lock) = false;
  // Constant.
  const void* runtime = nullptr;  ///< Mutator::runtime of who made it
  bool managed = false;
  EncodingId encoding = kRawPointers;
  uint32_t value_bytes = 0;
  size_t capacity = 0;
};

}  // namespace tricolor::detail

namespace tricolor::sched {

using detail::ChannelRep;
using detail::ChannelValue;

inline constexpr size_t kChannelRing = 80;
static_assert(sizeof(ChannelRep) <= kChannelRing && kChannelRing % 16 == 0);

enum class Tried : uint8_t { kDone, kClosed, kMustWait };

/// Without waiting. If *other is set it is a wait that has been ended: to be
/// woken when the lock is released.
Tried try_send_locked(Mutator& mu, ChannelRep* ch, const ChannelValue& value,
                      void* bytes, WaitNode** other, bool alone = false)
    TRI_REQUIRES(ch->lock);
Tried try_receive_locked(Mutator& mu, ChannelRep* ch, const ChannelValue& value,
                         void* bytes, WaitNode** other, bool alone = false)
    TRI_REQUIRES(ch->lock);

/// A plain value, from whoever has no Mutator, if there is room or a receiver.
void send_plain_now(P* p, ChannelRep* ch, const void* bytes);

[[noreturn]] void misused_channel(const Mutator& mu, const ChannelRep* ch,
                                  const ChannelValue& value, const char* call);
/// Misuse if `ch` does not hold such values, or is another runtime's.
inline void check_channel(const Mutator& mu, const ChannelRep* ch,
                          const ChannelValue& value, const char* call) {
  if (TRI_UNLIKELY(ch == nullptr || ch->runtime != mu.runtime ||
                   ch->value_bytes != value.bytes ||
                   ch->managed != (value.cell != nullptr))) {
    misused_channel(mu, ch, value, call);
  }
}

}  // namespace tricolor::sched

#endif  // TRICOLOR_SCHED_CHANNEL_H_
