// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// The transitions of a P, see sched/p.h. All of them pass here.
#include "base/check.h"
#include "base/sched_point.h"
#include "sched/p.h"

namespace tricolor::sched {
namespace {

constexpr uint32_t bit(PState s) { return 1u << static_cast<uint32_t>(s); }

constexpr uint32_t kNext[] = {
    /* kIdle */ bit(PState::kRunning) | bit(PState::kNative) |
        bit(PState::kStopped) | bit(PState::kDead),
    /* kRunning */ bit(PState::kIdle) | bit(PState::kNative) |
        bit(PState::kStopped) | bit(PState::kDead),
    /* kNative */ bit(PState::kRunning) | bit(PState::kIdle) |
        bit(PState::kStoppedNative),
    /* kStopped */ bit(PState::kRunning) | bit(PState::kIdle),
    /* kStoppedNative */ bit(PState::kNative) | bit(PState::kDead),
    /* kDead */ bit(PState::kIdle),
};

void assert_legal(PState from, PState to) {
  TRI_ASSERT((kNext[static_cast<uint32_t>(from)] & bit(to)) != 0,
             "P: %s -> %s is no transition", p_state_name(from),
             p_state_name(to));
}

}  // namespace

const char* p_state_name(PState state) {
  switch (state) {
    case PState::kIdle:
      return "idle";
    case PState::kRunning:
      return "running";
    case PState::kNative:
      return "native";
    case PState::kStopped:
      return "stopped";
    case PState::kStoppedNative:
      return "stopped-native";
    case PState::kDead:
      return "dead";
  }
  return "?";
}

void set_p_state(P* p, PState from, PState to, bool for_good) {
  TRI_SCHED_POINT(p_set_state);
  assert_legal(from, to);
  const uint32_t word = p->status.load_relaxed();
  const uint32_t next =
      with_p_state(word, to) + (for_good ? 1u << kPTickShift : 0);
  // ORDER-pstate-1: pairs with itself and try_leave_native_p(): publishes the
  // P's memory to its next holder. Seq_cst: the store half of the race between
  // a holder and a world operation (world.cc).
  const uint32_t before = p->status.exchange_seq_cst(next);
  TRI_CHECK(before == word && p_state_of(word) == from, "P %u is %s, not %s",
            p->id, p_state_name(p_state_of(before)), p_state_name(from));
}

bool try_leave_native_p(P* p, uint32_t native_word, PState to, bool for_good) {
  TRI_SCHED_POINT(p_leave_native);
  assert_legal(PState::kNative, to);
  TRI_ASSERT(p_state_of(native_word) == PState::kNative);
  uint32_t next = with_p_state(native_word, to);
  // Taken for good: the word its holder remembers must never come back.
  if (for_good && !TRI_PLANTED(native_word_comes_back))
    next += 1u << kPTickShift;
  // ORDER-pstate-1: pairs with set_p_state(): whoever wins has the P's memory.
  return p->status.compare_exchange_strong_seq_cst(native_word, next);
}

}  // namespace tricolor::sched
