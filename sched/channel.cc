// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Channels, see sched/channel.h and, for how waits end, sched/wait.h.
//
// The barrier. A value is in the sender's hands, in the ring, or in the
// receiver's, and goes from one to the next under the lock, with no safepoint
// in between.
//   into the ring       a store into a cell: both halves
//   out of the ring     its word is nulled: the deletion half
//   to a receiver that  into the wait_root of a G that does not run, which may
//   waits               have been scanned: Collector::store_root
//   from a sender that  its stack, which may not have been scanned, gives up a
//   waits               pointer without noticing: shaded like a deletion
#include "sched/channel.h"

#include <new>

#include "base/check.h"
#include "base/sched_point.h"
#include "sched/company.h"
#include "sched/quick.h"
#include "sched/runtime.h"
#include "tricolor/allocate.h"

namespace tricolor::sched {
namespace {

char* ring_at(ChannelRep* ch, size_t i) {
  return reinterpret_cast<char*>(ch) + kChannelRing + i * ch->value_bytes;
}

// Nearly all values are words.
inline void copy_bytes(const ChannelRep* ch, void* to, const void* from) {
  if (TRI_LIKELY(ch->value_bytes == 8)) {
    std::memcpy(to, from, 8);
  } else {
    std::memcpy(to, from, ch->value_bytes);
  }
}

void copy_value(const ChannelRep* ch, void* to, const void* from) {
  if (ch->managed) {  // whole words: the marker may be reading
    uint64_t word;
    std::memcpy(&word, from, sizeof(word));
    base::store_release(static_cast<uint64_t*>(to), word);
  } else {
    copy_bytes(ch, to, from);
  }
}

void shade(Mutator& mu, void* old_cell, void* new_cell) {
  if (TRI_UNLIKELY(mu.barrier_on != TRI_BARRIER_OFF)) {
    tri_detail_shade_pair(&mu, old_cell, new_cell);
  }
}

void* cell_in(const ChannelValue& value, const void* bytes) {
  return value.cell == nullptr ? nullptr : value.cell(value, bytes);
}

// `leaves`: the value comes from a sender that waits, not from the caller.
void put_in_ring(Mutator& mu, ChannelRep* ch, const ChannelValue& value,
                 const void* bytes, bool leaves) TRI_REQUIRES(ch->lock) {
  const uint32_t count = ch->count.load_relaxed();
  size_t i = ch->begin + size_t{count};
  if (i >= ch->capacity) i -= ch->capacity;
  if (ch->managed) {
    void* cell = cell_in(value, bytes);
    shade(mu, leaves ? cell : nullptr, cell);
  }
  copy_value(ch, ring_at(ch, i), bytes);
  ch->count.store_relaxed(count + 1);
}

void take_from_ring(Mutator& mu, ChannelRep* ch, const ChannelValue& value,
                    void* bytes) TRI_REQUIRES(ch->lock) {
  char* at = ring_at(ch, ch->begin);
  copy_bytes(ch, bytes, at);
  if (ch->managed) {
    shade(mu, cell_in(value, bytes), nullptr);
    base::store_release(reinterpret_cast<uint64_t*>(at), 0);
  }
  ch->begin = ch->begin + size_t{1} == ch->capacity ? 0 : ch->begin + 1;
  ch->count.store_relaxed(ch->count.load_relaxed() - 1);
}

void give_to(Mutator& mu, const ChannelRep* ch, const ChannelValue& value,
             WaitNode* receiver, const void* bytes) {
  copy_bytes(ch, receiver->bytes, bytes);
  if (!ch->managed) return;
  if (TRI_PLANTED(hand_off_unrooted)) return;
  G* g = receiver->waiter->sleeper;
  g->rt->collector->store_root(p_of(&mu), &g->wait_root, cell_in(value, bytes));
}

}  // namespace

Tried try_send_locked(Mutator& mu, ChannelRep* ch, const ChannelValue& value,
                      void* bytes, WaitNode** other, bool alone) {
  *other = nullptr;
  if (TRI_UNLIKELY(ch->closed)) return Tried::kClosed;
  if (WaitNode* receiver = end_first(&ch->receivers, WaitResult::kOk, alone)) {
    give_to(mu, ch, value, receiver, bytes);
    *other = receiver;
    return Tried::kDone;
  }
  if (ch->count.load_relaxed() == ch->capacity) return Tried::kMustWait;
  put_in_ring(mu, ch, value, bytes, /*leaves=*/false);
  return Tried::kDone;
}

void send_plain_now(P* p, ChannelRep* ch, const void* bytes) {
  TRI_ASSERT(!ch->managed);
  ch->lock.lock();
  WaitNode* receiver =
      ch->closed ? nullptr : end_first(&ch->receivers, WaitResult::kOk);
  if (receiver != nullptr) {
    std::memcpy(receiver->bytes, bytes, ch->value_bytes);
  } else if (!ch->closed && ch->count.load_relaxed() < ch->capacity) {
    const uint32_t count = ch->count.load_relaxed();
    ch->count.store_relaxed(count + 1);
    size_t i = ch->begin + size_t{count};
    if (i >= ch->capacity) i -= ch->capacity;
    std::memcpy(ring_at(ch, i), bytes, ch->value_bytes);
  }
  ch->lock.unlock();
  if (receiver != nullptr) wake_waiter(p, receiver->waiter, /*next=*/false);
}

Tried try_receive_locked(Mutator& mu, ChannelRep* ch, const ChannelValue& value,
                         void* bytes, WaitNode** other, bool alone) {
  *other = nullptr;
  const bool queued = ch->count.load_relaxed() > 0;
  if (queued) take_from_ring(mu, ch, value, bytes);
  if (WaitNode* sender = end_first(&ch->senders, WaitResult::kOk, alone)) {
    if (queued) {  // the ring was full
      put_in_ring(mu, ch, value, sender->bytes, /*leaves=*/true);
    } else {
      copy_bytes(ch, bytes, sender->bytes);
      if (!TRI_PLANTED(taken_unshaded)) {
        shade(mu, cell_in(value, bytes), nullptr);
      }
    }
    *other = sender;
    return Tried::kDone;
  }
  if (queued) return Tried::kDone;
  return ch->closed ? Tried::kClosed : Tried::kMustWait;
}

TRI_COLD void misused_channel(const Mutator& mu, const ChannelRep* ch,
                              const ChannelValue& value, const char* call) {
  if (ch == nullptr) TRI_MISUSE(call, "the channel is null");
  if (ch->runtime != mu.runtime) {
    TRI_MISUSE(call, "the channel is a cell of another runtime");
  }
  TRI_MISUSE(call, "the channel is of another type: %u bytes, not %u",
             ch->value_bytes, value.bytes);
}

namespace {

// The layout of channels whose values are so; registered when first needed.
LayoutId channel_layout(RuntimeImpl* rt, const ChannelValue& value,
                        EncodingId encoding) {
  const uint32_t i = value.cell == nullptr ? 0 : 1u + encoding;
  // ORDER-channel-layout-1: pairs with itself: sees the layout.
  LayoutId id = rt->channel_layouts[i].load_acquire();
  if (TRI_LIKELY(id != kInvalidLayout)) return id;
  LayoutSpec spec;
  spec.name = "Channel";
  spec.head_bytes = kChannelRing;
  if (value.cell != nullptr) {
    spec.tail = encoding == kRawPointers ? LayoutSpec::Tail::kPointers
                                         : LayoutSpec::Tail::kEncoded;
    spec.encoding = encoding;
  }
  Error error;
  id = api_of(rt)->register_layout(spec, &error);
  if (id == kInvalidLayout) TRI_MISUSE("make_channel", "%s", error.text);
  // ORDER-channel-layout-1: as above; two who come at once get the same.
  rt->channel_layouts[i].store_release(id);
  return id;
}

// Roots of a wait for one channel: see RootOwner.
void root_wait(G* g, ChannelRep* ch, void* cell) {
  g->waits_for = reinterpret_cast<uint64_t>(ch);
  g->wait_root = reinterpret_cast<uint64_t>(cell);
}

void poll_rooted(Mutator& mu, ChannelRep* ch, void* cell) {
  G* g = g_of(&mu);
  root_wait(g, ch, cell);
  tri_detail_poll_slow(&mu);
  root_wait(g, nullptr, nullptr);
}

// The lock of a channel, or none, if the section is alone.
inline bool lock_channel(Mutator& mu, ChannelRep* ch)
    TRI_ACQUIRE(ch->lock) TRI_NO_THREAD_SAFETY {
  if (TRI_LIKELY(enter_alone(p_of(&mu)))) return true;
  ch->lock.lock();
  return false;
}

inline void unlock_channel(P* p, ChannelRep* ch)
    TRI_RELEASE(ch->lock) TRI_NO_THREAD_SAFETY {
  // An attached thread has given its P up; it has not been alone.
  if (TRI_LIKELY(p != nullptr && p->alone.load_relaxed() != 0)) {
    leave_alone(p);
  } else {
    ch->lock.unlock();
  }
}

TRI_ALWAYS_INLINE WaitResult wait_locked(Mutator& mu, ChannelRep* ch,
                                         WaitList* list, void* bytes,
                                         void* cell, Deadline deadline,
                                         WaitReason reason)
    TRI_RELEASE(ch->lock) TRI_NO_THREAD_SAFETY {
  if (TRI_UNLIKELY(deadline.at_ns != Deadline::kNever) &&
      has_passed(deadline.at_ns)) {
    unlock_channel(p_of(&mu), ch);
    return WaitResult::kTimeout;
  }
  G* g = g_of(&mu);
  root_wait(g, ch, cell);
  if (TRI_LIKELY(deadline.at_ns == Deadline::kNever &&
                 p_of(&mu)->alone.load_relaxed() != 0)) {
    const WaitResult result = wait_alone(mu, &ch->lock, list, bytes, reason);
    root_wait(g, nullptr, nullptr);
    return result;
  }
  WaitNode node;
  node.bytes = bytes;
  Wait how;
  how.deadline_ns = deadline.at_ns;
  how.reason = reason;
  how.unlock = [](P* p, void* ctx) TRI_NO_THREAD_SAFETY {
    unlock_channel(p, static_cast<ChannelRep*>(ctx));
  };
  how.ctx = ch;
  const WaitResult result = wait_in_list(&mu, &ch->lock, list, &node, &how);
  root_wait(g, nullptr, nullptr);
  return result;
}

// What try_..._locked() would find out, and mostly does.
inline bool must_wait_to_receive(const ChannelRep* ch) TRI_REQUIRES(ch->lock) {
  return ch->count.load_relaxed() == 0 && ch->senders.is_empty() && !ch->closed;
}

inline WaitResult finish(Mutator& mu, ChannelRep* ch, Tried tried,
                         WaitNode* other) TRI_RELEASE(ch->lock) {
  P* p = p_of(&mu);
  unlock_channel(p, ch);
  if (other != nullptr) wake_quick(p, other->waiter);
  return tried == Tried::kDone ? WaitResult::kOk : WaitResult::kClosed;
}

}  // namespace
}  // namespace tricolor::sched

namespace tricolor::detail {

using namespace sched;  // NOLINT: the private half of this file

ChannelRep* make_channel(Mutator& mu, const ChannelValue& value,
                         EncodingId encoding, size_t capacity) {
  if (mu.p == nullptr) sched::misused_mutator(mu, "make_channel");
  RuntimeImpl* rt = impl_of(mu);
  if (value.encoded == (encoding == kRawPointers) ||
      encoding >= rt->heap->layouts().encoding_count()) {
    TRI_MISUSE("make_channel",
               "a channel of encoded values takes the EncodingId they were "
               "registered with, any other none");
  }
  if (rt->heap->layouts().encoding(encoding).stride != 8) {
    TRI_MISUSE("make_channel", "encoding %u is that of values of 16 bytes",
               encoding);
  }
  size_t bytes;
  if (__builtin_mul_overflow(capacity, size_t{value.bytes}, &bytes) ||
      capacity > UINT32_MAX / 2) {
    bytes = SIZE_MAX / 2;
  }
  const LayoutId layout = channel_layout(rt, value, encoding);
  void* cell = tricolor::allocate(mu, layout, kChannelRing + bytes);
  auto* ch = ::new (cell) ChannelRep();
  ch->runtime = mu.runtime;
  ch->managed = value.cell != nullptr;
  ch->encoding = encoding;
  ch->value_bytes = value.bytes;
  ch->capacity = capacity;
  return ch;
}

WaitResult send(Mutator& mu, ChannelRep* ch, const ChannelValue& value,
                void* bytes, Deadline deadline) {
  TRI_SCHED_POINT(channel_send);
  check_managed(mu, "send");
  check_channel(mu, ch, value, "send");
  void* cell = cell_in(value, bytes);
  if (__atomic_load_n(&mu.poll_request, __ATOMIC_RELAXED) != 0) {
    poll_rooted(mu, ch, cell);
  }
  WaitNode* other;
  const bool alone = lock_channel(mu, ch);
  const Tried tried = try_send_locked(mu, ch, value, bytes, &other, alone);
  if (tried != Tried::kMustWait) return finish(mu, ch, tried, other);
  return wait_locked(mu, ch, &ch->senders, bytes, cell, deadline,
                     WaitReason::kSend);
}

WaitResult receive(Mutator& mu, ChannelRep* ch, const ChannelValue& value,
                   void* bytes, Deadline deadline) {
  TRI_SCHED_POINT(channel_receive);
  check_managed(mu, "receive");
  check_channel(mu, ch, value, "receive");
  if (__atomic_load_n(&mu.poll_request, __ATOMIC_RELAXED) != 0) {
    poll_rooted(mu, ch, nullptr);
  }
  const bool alone = lock_channel(mu, ch);
  if (TRI_LIKELY(must_wait_to_receive(ch))) {
    return wait_locked(mu, ch, &ch->receivers, bytes, nullptr, deadline,
                       WaitReason::kReceive);
  }
  WaitNode* other;
  const Tried tried = try_receive_locked(mu, ch, value, bytes, &other, alone);
  if (tried != Tried::kMustWait) return finish(mu, ch, tried, other);
  return wait_locked(mu, ch, &ch->receivers, bytes, nullptr, deadline,
                     WaitReason::kReceive);
}

bool close_channel(Mutator& mu, ChannelRep* ch) {
  TRI_SCHED_POINT(channel_close);
  if (mu.p == nullptr) sched::misused_mutator(mu, "close");
  if (ch == nullptr) TRI_MISUSE("close", "the channel is null");
  const heap::AddressSpace& space = impl_of(mu)->heap->space();
  if (space.offset_of(ch) >= space.committed_bytes()) {
    TRI_MISUSE("close", "%p is no channel of this runtime",
               static_cast<void*>(ch));
  }
  ch->lock.lock();
  const bool was_closed = ch->closed;
  ch->closed = true;
  WaitNode* receivers = end_all(&ch->receivers, WaitResult::kClosed);
  WaitNode* senders = end_all(&ch->senders, WaitResult::kClosed);
  ch->lock.unlock();
  wake_all(p_of(&mu), receivers);
  wake_all(p_of(&mu), senders);
  return !was_closed;
}

// --- Futures: a channel of one value that stays.

bool set_future(Mutator& mu, ChannelRep* ch, const ChannelValue& value,
                const void* bytes) {
  TRI_SCHED_POINT(future_set);
  if (mu.p == nullptr) sched::misused_mutator(mu, "set");
  check_channel(mu, ch, value, "set");
  ch->lock.lock();
  if (ch->count.load_relaxed() > 0) {
    ch->lock.unlock();
    return false;
  }
  put_in_ring(mu, ch, value, bytes, /*leaves=*/false);
  WaitNode* readers = end_all(&ch->receivers, WaitResult::kOk);
  for (WaitNode* node = readers; node != nullptr; node = node->next) {
    give_to(mu, ch, value, node, bytes);
  }
  ch->lock.unlock();
  wake_all(p_of(&mu), readers);
  return true;
}

WaitResult get_future(Mutator& mu, ChannelRep* ch, const ChannelValue& value,
                      void* bytes, Deadline deadline) {
  TRI_SCHED_POINT(future_get);
  check_managed(mu, "get");
  check_channel(mu, ch, value, "get");
  if (__atomic_load_n(&mu.poll_request, __ATOMIC_RELAXED) != 0) {
    poll_rooted(mu, ch, nullptr);
  }
  ch->lock.lock();
  if (ch->count.load_relaxed() == 0) {
    return wait_locked(mu, ch, &ch->receivers, bytes, nullptr, deadline,
                       WaitReason::kFuture);
  }
  // A load of a word of a cell: no barrier.
  std::memcpy(bytes, ring_at(ch, 0), ch->value_bytes);
  ch->lock.unlock();
  return WaitResult::kOk;
}

size_t channel_size(ChannelRep* ch) { return ch->count.load_relaxed(); }

size_t channel_capacity(const ChannelRep* ch) { return ch->capacity; }

}  // namespace tricolor::detail
