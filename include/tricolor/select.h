// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// select: waits until one of several sends and receives can go on, and does it.
// Of several that can, the first from a random one on.
//
//   Node* n;
//   Selected s = select(mu, Deadline::in(1'000'000), on_receive(a, &n),
//                       on_send(b, value));
//   switch (s.index) { case 0: ... case 1: ... default: /* deadline */ }
//
// With Deadline::now() it does not wait: the `default` of Go. The channels and
// the values to be sent are rooted meanwhile.
#ifndef TRICOLOR_SELECT_H_
#define TRICOLOR_SELECT_H_

#include <cstddef>
#include <cstdint>

#include "tricolor/channel.h"

namespace tricolor {

/// One send or receive. Made by on_send and on_receive; a VM that knows its
/// cases at run time only fills an array of them.
struct SelectCase {
  detail::ChannelRep* channel = nullptr;  ///< null: never ready
  const detail::ChannelValue* value = nullptr;
  void* bytes = nullptr;  ///< the value, or where to put it
  bool sends = false;
};

inline constexpr size_t kMaxSelectCases = 256;

struct Selected {
  static constexpr size_t kNone = ~size_t{0};
  size_t index = kNone;  ///< of the case that went on
  /// kOk or, of that case, kClosed; without one, kTimeout or kCancelled.
  WaitResult result = WaitResult::kTimeout;
};

template <class T>
SelectCase on_receive(Channel<T>* ch, std::type_identity_t<T>* v) {
  return {rep_of(ch), &detail::ChannelValueOf<T>::kValue, v, false};
}

/// `v` is read when the case goes on, and must live until select returns.
template <class T>
SelectCase on_send(Channel<T>* ch, const std::type_identity_t<T>& v) {
  return {rep_of(ch), &detail::ChannelValueOf<T>::kValue,
          const_cast<void*>(static_cast<const void*>(&v)), true};
}

/// At most kMaxSelectCases. A safepoint; suspends.
Selected select(Mutator& mu, SelectCase* cases, size_t n,
                Deadline deadline = {});

template <class... Cases>
Selected select(Mutator& mu, Deadline deadline, Cases... cases) {
  SelectCase all[sizeof...(Cases)] = {cases...};
  return select(mu, all, sizeof...(Cases), deadline);
}

}  // namespace tricolor

#endif  // TRICOLOR_SELECT_H_
