// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Future<T>: a value that is set once and read by any number, a managed cell.
// T as in tricolor/channel.h. For tasks and attached threads.
#ifndef TRICOLOR_FUTURE_H_
#define TRICOLOR_FUTURE_H_

#include "tricolor/channel.h"

namespace tricolor {

namespace detail {
bool set_future(Mutator& mu, ChannelRep* rep, const ChannelValue& value,
                const void* bytes);
WaitResult get_future(Mutator& mu, ChannelRep* rep, const ChannelValue& value,
                      void* bytes, Deadline deadline);
}  // namespace detail

template <class T>
class Future {
 public:
  Future() = delete;
};

/// A new Future without a value; may collect. `encoding`: of an encoded T.
template <class T>
Future<T>* make_future(Mutator& mu, EncodingId encoding) {
  return reinterpret_cast<Future<T>*>(
      detail::make_channel(mu, detail::ChannelValueOf<T>::kValue, encoding, 1));
}
template <class T>
Future<T>* make_future(Mutator& mu) {
  static_assert(!detail::ChannelValueOf<T>::kValue.encoded,
                "name the encoding");
  return make_future<T>(mu, kRawPointers);
}

/// False, and nothing changes, if it has a value already. Does not wait.
template <class T>
bool set(Mutator& mu, Future<T>* future, std::type_identity_t<T> v) {
  return detail::set_future(mu, reinterpret_cast<detail::ChannelRep*>(future),
                            detail::ChannelValueOf<T>::kValue, &v);
}

/// Waits for the value. kOk: *v is it, to be rooted by the caller; else
/// kTimeout or kCancelled. A safepoint; suspends.
template <class T>
WaitResult get(Mutator& mu, Future<T>* future, std::type_identity_t<T>* v,
               Deadline deadline = {}) {
  return detail::get_future(mu, reinterpret_cast<detail::ChannelRep*>(future),
                            detail::ChannelValueOf<T>::kValue, v, deadline);
}

}  // namespace tricolor

#endif  // TRICOLOR_FUTURE_H_
