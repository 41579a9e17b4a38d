// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Settings: what a runtime is created with after options, the environment and
// the machine have had their say. Order: default < Options < environment.
#ifndef TRICOLOR_SCHED_SETTINGS_H_
#define TRICOLOR_SCHED_SETTINGS_H_

#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "tricolor/error.h"
#include "tricolor/options.h"

namespace tricolor::sched {

struct DebugSettings {
  bool gctrace = false;
  bool gcpacertrace = false;
  bool gccheckmark = false;
  bool conservative_stacks = false;
  bool barriercheck = false;
  bool badptr = false;
  bool validate = TRI_CHECKS != 0;
  bool smallbuffers = false;
  uint32_t clobberfree = 0;  ///< 2: what is free is looked at, too
  uint32_t pollstress = 0;
  uint32_t movestack = 0;
  uint32_t gcstress = 0;
  uint32_t schedtrace_ms = 0;
  uint32_t scheddetail = 0;   ///< a line for each P, M and G, too
  uint32_t deadlock = 0;      ///< 1: is told on stderr; 2: and is the end
  uint32_t idle_ms = 10'000;  ///< then idle threads and stacks are given back
  uint32_t gc_period_ms = UINT32_MAX;  ///< UINT32_MAX: as the options say
  uint32_t gc_idle = UINT32_MAX;       ///< the same
  uint32_t huge_pages = UINT32_MAX;    ///< the same
  uint32_t blocking_idle_ms = 5000;
  uint32_t max_run_cells = 0;
  uint32_t drop_barrier = 0;
};

struct Settings {
  Options options;  ///< with the environment's values in place
  DebugSettings debug;
  uint32_t max_procs = 1;
  size_t max_tasks = 0;
};

/// False with a reason when an option is out of range. A malformed environment
/// value is reported on stderr, once per process and name, and ignored.
bool make_settings(const Options& options, Settings* out, Error* error);

/// Fills *error (if not null) with a formatted text.
void set_error(Error* error, ErrorCode code, const char* fmt, ...)
    __attribute__((format(printf, 3, 4)));

}  // namespace tricolor::sched

#endif  // TRICOLOR_SCHED_SETTINGS_H_
