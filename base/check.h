// SPDX-License-Identifier: MIT
// Copyright tricolor authors
//
// The three tiers of checks, and the two ways to give up. All end in
// base/fatal.cc, which prints, dumps the runtime's state and aborts.
//
//   TRI_CHECK(cond)              always on; cheap facts that guard memory
//   TRI_ASSERT(cond)             checking builds only (TRI_ENABLE_CHECKS)
//   TRI_VERIFY(span_is_valid(s)) checking builds only; whole structures
//   TRI_FATAL(fmt, ...)          our own bug, or damaged memory
//   TRI_NO_MEMORY(fmt, ...)      the OS refused what cannot be done without
//   TRI_MISUSE(call, fmt, ...)   the embedder's mistake, named by its call
//
// Each of the first three takes an optional message: TRI_CHECK(n < cap,
// "n is %zu", n). A switched-off check still compiles its condition, so it
// cannot rot, and evaluates nothing.
#ifndef TRICOLOR_BASE_CHECK_H_
#define TRICOLOR_BASE_CHECK_H_

#include "base/fatal.h"
#include "base/macros.h"

#define TRI_CHECK_AS(kind, cond, ...)                                  \
  do {                                                                 \
    if (TRI_UNLIKELY(!(cond))) {                                       \
      ::tricolor::base::fatal_check(kind, __FILE__, __LINE__,          \
                                    #cond __VA_OPT__(, ) __VA_ARGS__); \
    }                                                                  \
  } while (false)

#define TRI_CHECK_OFF(kind, cond, ...)                     \
  do {                                                     \
    if (false) {                                           \
      TRI_CHECK_AS(kind, cond __VA_OPT__(, ) __VA_ARGS__); \
    }                                                      \
  } while (false)

#define TRI_CHECK(cond, ...) \
  TRI_CHECK_AS("check", cond __VA_OPT__(, ) __VA_ARGS__)

#if TRI_CHECKS
#define TRI_ASSERT(cond, ...) \
  TRI_CHECK_AS("assertion", cond __VA_OPT__(, ) __VA_ARGS__)
#define TRI_VERIFY(cond, ...) \
  TRI_CHECK_AS("verification", cond __VA_OPT__(, ) __VA_ARGS__)
#else
#define TRI_ASSERT(cond, ...) \
  TRI_CHECK_OFF("assertion", cond __VA_OPT__(, ) __VA_ARGS__)
#define TRI_VERIFY(cond, ...) \
  TRI_CHECK_OFF("verification", cond __VA_OPT__(, ) __VA_ARGS__)
#endif

#define TRI_FATAL(...) \
  ::tricolor::base::fatal_bug(__FILE__, __LINE__, __VA_ARGS__)
#define TRI_NO_MEMORY(fmt, ...)                                              \
  TRI_FATAL("out of memory: the OS refuses " fmt                             \
            "; raise RLIMIT_AS (ulimit -v), vm.max_map_count or the memory " \
            "limit" __VA_OPT__(, ) __VA_ARGS__)
#define TRI_MISUSE(call, ...) ::tricolor::base::fatal_misuse(call, __VA_ARGS__)

#endif  // TRICOLOR_BASE_CHECK_H_
