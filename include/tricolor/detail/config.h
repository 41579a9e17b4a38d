/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 tricolor authors
 *
 * Compiler and sanitizer facts the public headers need. C11 and C++20.
 * Everything here is a macro with the prefix TRI_DETAIL_; nothing in it is
 * API.
 */
#ifndef TRICOLOR_DETAIL_CONFIG_H_
#define TRICOLOR_DETAIL_CONFIG_H_

#if !defined(__x86_64__) || !defined(__linux__)
#error "tricolor runs on x86-64 Linux; see docs/porting.md for a port"
#endif

#define TRI_DETAIL_LIKELY(x) __builtin_expect(!!(x), 1)
#define TRI_DETAIL_UNLIKELY(x) __builtin_expect(!!(x), 0)
#define TRI_DETAIL_NOINLINE __attribute__((noinline))
#define TRI_DETAIL_NORETURN __attribute__((noreturn))

#if defined(__SANITIZE_THREAD__)
#define TRI_DETAIL_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define TRI_DETAIL_TSAN 1
#endif
#endif
#ifndef TRI_DETAIL_TSAN
#define TRI_DETAIL_TSAN 0
#endif

/* Whether this translation unit throws and catches. Where some of a program's
 * do and some do not, inline functions that depend on it have it as a template
 * argument, so that the two forms are two functions. */
#if defined(__cpp_exceptions)
#define TRI_DETAIL_EXCEPTIONS 1
#else
#define TRI_DETAIL_EXCEPTIONS 0
#endif

/* Whether a layout id is one the P's slot table has room for. Compared in
 * checking builds alone, where the slow path then names the mistake; else the
 * table ends in a guard: see heap/slot_tables.cc. */
#if defined(TRI_ENABLE_CHECKS)
#define TRI_DETAIL_BAD_LAYOUT(layout) ((layout) >= TRI_DETAIL_LAYOUT_COUNT)
#else
#define TRI_DETAIL_BAD_LAYOUT(layout) 0
#endif

/* A step of the deterministic build (tests/sim/): another thread may go on
 * here. */
#if defined(TRI_SIM) && TRI_SIM
#ifdef __cplusplus
extern "C"
#endif
    void
    tri_detail_step(void);
#define TRI_DETAIL_STEP() tri_detail_step()
#else
#define TRI_DETAIL_STEP() ((void)0)
#endif

/* Loads of heap slots are relaxed: what a reader does next with the pointer
 * depends on it by address, which every CPU we run on orders. ThreadSanitizer
 * does not know dependency ordering, so its build acquires. */
#if TRI_DETAIL_TSAN
#define TRI_DETAIL_SLOT_LOAD __ATOMIC_ACQUIRE
#else
#define TRI_DETAIL_SLOT_LOAD __ATOMIC_RELAXED
#endif

/* Marks what has to be whole between two safepoints. Where code is compiled for
 * tricolor/preemptible.h its address is noted, so that a range that contains it
 * can be refused. */
#ifdef TRI_PREEMPTIBLE_CODE
#define TRI_DETAIL_FORM(x)                                     \
  __extension__({                                              \
    __asm__ volatile(                                          \
        "77: .pushsection tri_inline_forms,\"a?\",@progbits\n" \
        ".long 77b - .\n.popsection");                         \
    (x);                                                       \
  })
#else
#define TRI_DETAIL_FORM(x) (x)
#endif

#endif /* TRICOLOR_DETAIL_CONFIG_H_ */
