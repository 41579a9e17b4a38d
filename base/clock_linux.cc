// SPDX-License-Identifier: MIT
// Copyright tricolor authors
//
// The production clock of base/clock.h: CLOCK_MONOTONIC through the vDSO.
#include <ctime>

#include "base/clock.h"
#include "base/errno_saver.h"

namespace tricolor::base {
namespace {

uint64_t read_monotonic(void*) {
  const ErrnoSaver saver;
  timespec t{};
  clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<uint64_t>(t.tv_sec) * 1'000'000'000u +
         static_cast<uint64_t>(t.tv_nsec);
}

constexpr Clock kMonotonic{&read_monotonic, nullptr};

}  // namespace

const Clock& monotonic_clock() { return kMonotonic; }

}  // namespace tricolor::base
