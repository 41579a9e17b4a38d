// SPDX-License-Identifier: MIT
// Copyright tricolor authors
//
// Compiler attributes and build-mode switches that the whole library shares.
// Included by everything, includes nothing.
//
// 1. TRI_ASAN, TRI_TSAN, TRI_CHECKS and TRI_SIM are always defined, as 0 or 1,
//    so that `#if` and `if constexpr` both work and a misspelling is a warning.
// 2. No type in the library changes its layout with TRI_CHECKS: a file built
//    with checks and one built without may be linked together.
// 3. The thread-safety macros expand for clang only; gcc ignores them.
#ifndef TRICOLOR_BASE_MACROS_H_
#define TRICOLOR_BASE_MACROS_H_

#define TRI_LIKELY(x) (__builtin_expect(!!(x), 1))
#define TRI_UNLIKELY(x) (__builtin_expect(!!(x), 0))
#define TRI_NOINLINE __attribute__((noinline))
#define TRI_ALWAYS_INLINE inline __attribute__((always_inline))
#define TRI_COLD __attribute__((cold, noinline))
#define TRI_PRINTF(fmt_index, first_arg) \
  __attribute__((format(printf, fmt_index, first_arg)))

// gcc announces sanitizers with macros, clang with __has_feature.
#if defined(__has_feature)
#define TRI_HAS_FEATURE(x) __has_feature(x)
#else
#define TRI_HAS_FEATURE(x) 0
#endif

#if defined(__SANITIZE_ADDRESS__) || TRI_HAS_FEATURE(address_sanitizer)
#define TRI_ASAN 1
#else
#define TRI_ASAN 0
#endif

#if defined(__SANITIZE_THREAD__) || TRI_HAS_FEATURE(thread_sanitizer)
#define TRI_TSAN 1
#else
#define TRI_TSAN 0
#endif

#define TRI_NO_SANITIZE_THREAD __attribute__((no_sanitize("thread")))
#define TRI_NO_SANITIZE_ADDRESS __attribute__((no_sanitize("address")))

#if defined(TRI_ENABLE_CHECKS)
#define TRI_CHECKS 1
#else
#define TRI_CHECKS 0
#endif

// The deterministic build (base/sim.h).
#if !defined(TRI_SIM)
#define TRI_SIM 0
#endif

// Clang's thread-safety analysis (-Wthread-safety).
#if defined(__clang__)
#define TRI_TSA(x) __attribute__((x))
#else
#define TRI_TSA(x)
#endif
#define TRI_CAPABILITY(name) TRI_TSA(capability(name))
#define TRI_SCOPED_CAPABILITY TRI_TSA(scoped_lockable)
#define TRI_GUARDED_BY(lock) TRI_TSA(guarded_by(lock))
#define TRI_PT_GUARDED_BY(lock) TRI_TSA(pt_guarded_by(lock))
#define TRI_REQUIRES(...) TRI_TSA(requires_capability(__VA_ARGS__))
#define TRI_ACQUIRE(...) TRI_TSA(acquire_capability(__VA_ARGS__))
#define TRI_TRY_ACQUIRE(...) TRI_TSA(try_acquire_capability(__VA_ARGS__))
#define TRI_RELEASE(...) TRI_TSA(release_capability(__VA_ARGS__))
#define TRI_EXCLUDES(...) TRI_TSA(locks_excluded(__VA_ARGS__))
#define TRI_ASSERT_CAPABILITY(x) TRI_TSA(assert_capability(x))
#define TRI_NO_THREAD_SAFETY TRI_TSA(no_thread_safety_analysis)

#endif  // TRICOLOR_BASE_MACROS_H_
