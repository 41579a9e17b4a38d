// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// The transitions of a G, see sched/g.h. All of them pass here.
#include "base/check.h"
#include "base/cpu_x86_64.h"
#include "base/futex.h"
#include "base/sched_point.h"
#include "sched/g.h"

namespace tricolor::sched {
namespace {

constexpr uint32_t bit(GState s) { return 1u << static_cast<uint32_t>(s); }

// The legal next states of each state.
constexpr uint32_t kNext[] = {
    /* kIdle */ bit(GState::kRunnable) | bit(GState::kSuspended) |
        bit(GState::kNative),
    /* kRunnable */ bit(GState::kRunning) | bit(GState::kIdle),
    /* kRunning */ bit(GState::kRunnable) | bit(GState::kNative) |
        bit(GState::kWaiting) | bit(GState::kNormal) | bit(GState::kSuspended) |
        bit(GState::kDead),
    /* kNative */ bit(GState::kRunning) | bit(GState::kRunnable) |
        bit(GState::kDead),
    /* kWaiting */ bit(GState::kRunnable),
    /* kNormal */ bit(GState::kRunning),
    /* kSuspended */ bit(GState::kRunning) | bit(GState::kDead),
    /* kDead */ bit(GState::kIdle),
};

void assert_legal(GState from, GState to) {
  TRI_ASSERT(is_g_transition(from, to), "G: %s -> %s is no transition",
             g_state_name(from), g_state_name(to));
}

// A scan takes microseconds, or some ten of them: of a deep value stack it is a
// piece, but for one that has run between two pieces.
void wait_for_scanner(G* g, uint32_t word, int* spins) {
  if (++*spins < 100) {
    base::cpu_relax();
    return;
  }
  constexpr int64_t kNapNs = 20'000;
  base::futex_wait(&g->status, word, kNapNs);
}

}  // namespace

const char* g_state_name(GState state) {
  switch (state) {
    case GState::kIdle:
      return "idle";
    case GState::kRunnable:
      return "runnable";
    case GState::kRunning:
      return "running";
    case GState::kNative:
      return "native";
    case GState::kWaiting:
      return "waiting";
    case GState::kNormal:
      return "normal";
    case GState::kSuspended:
      return "suspended";
    case GState::kDead:
      return "dead";
  }
  return "?";
}

bool is_g_transition(GState from, GState to) {
  return (kNext[static_cast<uint32_t>(from)] & bit(to)) != 0;
}

void bad_g_state(const G* g, uint32_t word, GState expected) {
  TRI_FATAL("G %u is %s (0x%x), not %s", g->index, g_state_name(state_of(word)),
            word, g_state_name(expected));
}

bool try_leave_state(G* g, GState from, GState to) {
  TRI_SCHED_POINT(g_leave_state);
  assert_legal(from, to);
  int spins = 0;
  for (;;) {
    uint32_t word = static_cast<uint32_t>(from);
    // ORDER-gstate-1: pairs with set_state() and clear_scan(): sees the G's
    // memory as its last owner, or a scanner, left it.
    if (g->status.compare_exchange_strong_acq_rel(word,
                                                  static_cast<uint32_t>(to))) {
      return true;
    }
    if (state_of(word) != from) return false;
    wait_for_scanner(g, word, &spins);
  }
}

void leave_state_slow(G* g, GState from, GState to) {
  TRI_CHECK(try_leave_state(g, from, to), "G %u is %s, not %s", g->index,
            g_state_name(g_state(g)), g_state_name(from));
}

void set_runnable_slow(G* g) {
  TRI_SCHED_POINT(g_set_runnable);
  uint32_t word = g->status.load_relaxed();
  do {
    TRI_CHECK(state_of(word) == GState::kWaiting,
              "ready() of a task that is %s: it is called once per park",
              g_state_name(state_of(word)));
    // ORDER-gstate-1: as in leave_state(); the scan bit stays.
  } while (!g->status.compare_exchange_weak_acq_rel(
      word, static_cast<uint32_t>(GState::kRunnable) | (word & kScanBit)));
}

bool try_set_scan(G* g, GState state) {
  uint32_t word = static_cast<uint32_t>(state);
  // ORDER-gstate-1: pairs with set_state(): sees the roots.
  return g->status.compare_exchange_strong_acq_rel(word, word | kScanBit);
}

bool set_scan(G* g, GState state) {
  int spins = 0;
  while (!try_set_scan(g, state)) {
    const uint32_t word = g->status.load_acquire();
    if (state_of(word) != state) return false;
    if ((word & kScanBit) != 0) wait_for_scanner(g, word, &spins);
  }
  return true;
}

void clear_scan(G* g) {
  // ORDER-gstate-1: pairs with leave_state(): the scan is over.
  const uint32_t before = g->status.fetch_and_release(~kScanBit);
  TRI_CHECK((before & kScanBit) != 0, "G %u was not being scanned", g->index);
}

}  // namespace tricolor::sched
