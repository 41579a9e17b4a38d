// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// WaitReason: what a parked G waits for, as dumps tell it. Given to
// park_current() by who parks, to wait_current() (sched/wait.h) by who waits.
#ifndef TRICOLOR_SCHED_WAIT_REASON_H_
#define TRICOLOR_SCHED_WAIT_REASON_H_

#include <cstdint>

namespace tricolor::sched {

enum class WaitReason : uint8_t {
  kPark,  ///< park() of the embedder, or of the poller
  kSleep,
  kJoin,
  kSend,
  kReceive,
  kSelect,
  kFuture,
  kMutex,
  kRwMutex,
  kCondVar,
  kSemaphore,
  kWaitGroup,
  kOnce,
};

inline const char* wait_reason_name(WaitReason reason) {
  switch (reason) {
    case WaitReason::kPark:
      return "park";
    case WaitReason::kSleep:
      return "sleep";
    case WaitReason::kJoin:
      return "join";
    case WaitReason::kSend:
      return "send";
    case WaitReason::kReceive:
      return "receive";
    case WaitReason::kSelect:
      return "select";
    case WaitReason::kFuture:
      return "future";
    case WaitReason::kMutex:
      return "Mutex";
    case WaitReason::kRwMutex:
      return "RwMutex";
    case WaitReason::kCondVar:
      return "CondVar";
    case WaitReason::kSemaphore:
      return "Semaphore";
    case WaitReason::kWaitGroup:
      return "WaitGroup";
    case WaitReason::kOnce:
      return "Once";
  }
  return "?";
}

}  // namespace tricolor::sched

#endif  // TRICOLOR_SCHED_WAIT_REASON_H_
