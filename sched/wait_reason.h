// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// WaitReason: what a parked G waits for, as dumps tell it. Given to
// park_current() by who parks.
#ifndef TRICOLOR_SCHED_WAIT_REASON_H_
#define TRICOLOR_SCHED_WAIT_REASON_H_

#include <cstdint>

namespace tricolor::sched {

enum class WaitReason : uint8_t {
  kPark,  ///< park() of the embedder, or of the poller
  kSleep,
  kJoin,
};

inline const char* wait_reason_name(WaitReason reason) {
  switch (reason) {
    case WaitReason::kPark:
      return "park";
    case WaitReason::kSleep:
      return "sleep";
    case WaitReason::kJoin:
      return "join";
  }
  return "?";
}

}  // namespace tricolor::sched

#endif  // TRICOLOR_SCHED_WAIT_REASON_H_
