// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Channel<T>: a queue of Ts between tasks and attached threads, a managed cell
// like any other: root it, store it in Fields, forget it. T is a cell pointer,
// an encoded value of 8 bytes (ValueTraits), or anything trivially copyable up
// to 256 bytes; what is queued, and what a waiting sender holds out, is traced.
//
//   Local<Channel<Node*>> ch(scope, make_channel<Node*>(mu, 16));
//   send(mu, ch.get(), node);
//   WaitResult r = receive(mu, ch.get(), &node);   // root it next
//
// First come, first served. With capacity 0 a send meets its receive. After
// close() sends end with kClosed, receives too once the queue is empty; nothing
// sent before is lost. A null channel is a misuse here, and never ready in a
// select.
//
// send, receive and select are safepoints and suspend; the channel and the
// value are rooted meanwhile. They may be called where a wait may: tricolor/
// wait.h. Source of the idea: Hoare's CSP by way of Go.
#ifndef TRICOLOR_CHANNEL_H_
#define TRICOLOR_CHANNEL_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "tricolor/detail/mutator.h"
#include "tricolor/encoding.h"
#include "tricolor/wait.h"

namespace tricolor {

namespace detail {

/// What the library has to know of a T.
struct ChannelValue {
  uint32_t bytes;
  /// Whether the value is an encoded one, not a pointer.
  bool encoded;
  /// The managed pointer in a value, or null; no function: there is never one.
  void* (*cell)(const ChannelValue& self, const void* value);
  /// The function's own: of a value that C code sends, its Encoding.
  const void* rule = nullptr;
};

template <class T, class = void>
inline constexpr bool kHoldsCell =
    std::is_pointer_v<T> && !std::is_function_v<std::remove_pointer_t<T>>;
template <class T>
inline constexpr bool kHoldsCell<
    T, std::enable_if_t<!std::is_pointer_v<T>,
                        std::void_t<decltype(&ValueTraits<T>::cell)>>> = true;

template <class T>
struct ChannelValueOf {
  static_assert(std::is_trivially_copyable_v<T> && sizeof(T) <= 256,
                "a channel's values are trivially copyable, up to 256 bytes");
  static_assert(!kHoldsCell<T> || sizeof(T) == 8,
                "a managed value in a channel is 8 bytes: send a cell that "
                "holds it");
  static void* cell(const ChannelValue&, const void* value) {
    if constexpr (kHoldsCell<T>) {
      T v;
      std::memcpy(&v, value, sizeof(T));
      return ValueTraits<T>::cell(v);
    } else {
      return nullptr;
    }
  }
  static constexpr ChannelValue kValue{sizeof(T),
                                       kHoldsCell<T> && !std::is_pointer_v<T>,
                                       kHoldsCell<T> ? &cell : nullptr};
};

/// The cell of a channel; private but for its address.
struct ChannelRep;

ChannelRep* make_channel(Mutator& mu, const ChannelValue& value,
                         EncodingId encoding, size_t capacity);
WaitResult send(Mutator& mu, ChannelRep* ch, const ChannelValue& value,
                void* bytes, Deadline deadline);
WaitResult receive(Mutator& mu, ChannelRep* ch, const ChannelValue& value,
                   void* bytes, Deadline deadline);
bool close_channel(Mutator& mu, ChannelRep* ch);
size_t channel_size(ChannelRep* ch);
size_t channel_capacity(const ChannelRep* ch);

}  // namespace detail

template <class T>
class Channel {
 public:
  Channel() = delete;
  detail::ChannelRep* rep() {
    return reinterpret_cast<detail::ChannelRep*>(this);
  }
  /// Values in the queue; of interest to tests and statistics.
  size_t size() { return detail::channel_size(rep()); }
  size_t capacity() { return detail::channel_capacity(rep()); }
};

/// A new channel. May collect. `encoding`: of an encoded T, as registered.
/// Ends the process with a message where there is no memory.
template <class T>
Channel<T>* make_channel(Mutator& mu, size_t capacity, EncodingId encoding) {
  return reinterpret_cast<Channel<T>*>(detail::make_channel(
      mu, detail::ChannelValueOf<T>::kValue, encoding, capacity));
}
template <class T>
Channel<T>* make_channel(Mutator& mu, size_t capacity) {
  static_assert(!detail::ChannelValueOf<T>::kValue.encoded,
                "name the encoding");
  return make_channel<T>(mu, capacity, kRawPointers);
}

template <class T>
detail::ChannelRep* rep_of(Channel<T>* ch) {
  return reinterpret_cast<detail::ChannelRep*>(ch);
}

/// kOk: it is in the queue, or with a receiver. Deadline::now(): does not wait.
template <class T>
WaitResult send(Mutator& mu, Channel<T>* ch, std::type_identity_t<T> v,
                Deadline deadline = {}) {
  return detail::send(mu, rep_of(ch), detail::ChannelValueOf<T>::kValue, &v,
                      deadline);
}

/// kOk: *v is the value, to be rooted by the caller; else *v is left alone.
template <class T>
WaitResult receive(Mutator& mu, Channel<T>* ch, std::type_identity_t<T>* v,
                   Deadline deadline = {}) {
  return detail::receive(mu, rep_of(ch), detail::ChannelValueOf<T>::kValue, v,
                         deadline);
}

/// False: it was closed before. Wakes all who wait; does not wait.
template <class T>
bool close(Mutator& mu, Channel<T>* ch) {
  return detail::close_channel(mu, rep_of(ch));
}

}  // namespace tricolor

#endif  // TRICOLOR_CHANNEL_H_
