// SPDX-License-Identifier: MIT
// Copyright tricolor authors
//
// Atomics whose memory order is in the name of the operation, fences, and the
// same loads and stores for plain words that are shared by protocol (heap
// slots, mark bytes, ring entries).
//
// 1. There is no operation with a default order.
// 2. Everything is lock-free; a type that is not does not compile.
// 3. A compare-exchange that fails loads with the read half of its order:
//    relaxed and release fail relaxed, acquire and acq_rel fail acquire.
// 4. ThreadSanitizer does not model fences. There they are read-modify-writes
//    of one common word, which orders at least as much.
#ifndef TRICOLOR_BASE_ATOMICS_H_
#define TRICOLOR_BASE_ATOMICS_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "base/macros.h"

#if TRI_SIM
#include "base/sim.h"
#define TRI_STEP() ::tricolor::base::sim::step()
#else
#define TRI_STEP() ((void)0)
#endif

#if defined(__x86_64__)
#include "base/cpu_x86_64.h"
#else
#error "tricolor does not know this CPU yet: see docs/porting.md"
#endif

namespace tricolor::base {

template <class T>
class Atomic {
  static_assert(std::atomic<T>::is_always_lock_free);

 public:
  using value_type = T;
  // What fetch_add takes: a count of elements for pointers.
  using Delta = std::conditional_t<std::is_pointer_v<T>, std::ptrdiff_t, T>;

  constexpr Atomic() : v_(T{}) {}
  // Implicit, as in std::atomic, so that arrays and members read naturally.
  constexpr Atomic(T v) : v_(v) {}  // NOLINT(google-explicit-constructor)
  Atomic(const Atomic&) = delete;
  Atomic& operator=(const Atomic&) = delete;

  T load_relaxed() const {
    TRI_STEP();
    return v_.load(std::memory_order_relaxed);
  }
  T load_acquire() const {
    TRI_STEP();
    return v_.load(std::memory_order_acquire);
  }
  T load_seq_cst() const {
    TRI_STEP();
    return v_.load(std::memory_order_seq_cst);
  }

  void store_relaxed(T v) {
    TRI_STEP();
    v_.store(v, std::memory_order_relaxed);
  }
  void store_release(T v) {
    TRI_STEP();
    v_.store(v, std::memory_order_release);
  }
  void store_seq_cst(T v) {
    TRI_STEP();
    v_.store(v, std::memory_order_seq_cst);
  }

#define TRI_ATOMIC_RMW(order, failure)                              \
  T exchange_##order(T v) {                                         \
    TRI_STEP();                                                     \
    return v_.exchange(v, std::memory_order_##order);               \
  }                                                                 \
  bool compare_exchange_strong_##order(T& expected, T desired) {    \
    TRI_STEP();                                                     \
    return v_.compare_exchange_strong(expected, desired,            \
                                      std::memory_order_##order,    \
                                      std::memory_order_##failure); \
  }                                                                 \
  bool compare_exchange_weak_##order(T& expected, T desired) {      \
    TRI_STEP();                                                     \
    return v_.compare_exchange_weak(expected, desired,              \
                                    std::memory_order_##order,      \
                                    std::memory_order_##failure);   \
  }                                                                 \
  T fetch_add_##order(Delta d) {                                    \
    TRI_STEP();                                                     \
    return v_.fetch_add(d, std::memory_order_##order);              \
  }                                                                 \
  T fetch_sub_##order(Delta d) {                                    \
    TRI_STEP();                                                     \
    return v_.fetch_sub(d, std::memory_order_##order);              \
  }                                                                 \
  T fetch_or_##order(T v) {                                         \
    TRI_STEP();                                                     \
    return v_.fetch_or(v, std::memory_order_##order);               \
  }                                                                 \
  T fetch_and_##order(T v) {                                        \
    TRI_STEP();                                                     \
    return v_.fetch_and(v, std::memory_order_##order);              \
  }

  TRI_ATOMIC_RMW(relaxed, relaxed)
  TRI_ATOMIC_RMW(acquire, acquire)
  TRI_ATOMIC_RMW(release, relaxed)
  TRI_ATOMIC_RMW(acq_rel, acquire)
  TRI_ATOMIC_RMW(seq_cst, seq_cst)
#undef TRI_ATOMIC_RMW

  // The address of the bare word, for the kernel (futex) and for generated
  // or assembled code. Not for access from C++.
  const void* address() const { return &v_; }

 private:
  std::atomic<T> v_;
};

static_assert(sizeof(Atomic<uint8_t>) == 1);
static_assert(sizeof(Atomic<uint32_t>) == 4);
static_assert(sizeof(Atomic<void*>) == sizeof(void*));

// Plain words shared by protocol. T: trivially copyable, at most 8 bytes,
// naturally aligned.
template <class T>
inline constexpr bool kIsPlainWord = std::is_trivially_copyable_v<T> &&
                                     sizeof(T) <= 8;

template <class T>
inline T load_relaxed(const T* p) {
  static_assert(kIsPlainWord<T>);
  TRI_STEP();
  T v;
  __atomic_load(p, &v, __ATOMIC_RELAXED);
  return v;
}

template <class T>
inline T load_acquire(const T* p) {
  static_assert(kIsPlainWord<T>);
  TRI_STEP();
  T v;
  __atomic_load(p, &v, __ATOMIC_ACQUIRE);
  return v;
}

template <class T>
inline void store_relaxed(T* p, std::type_identity_t<T> v) {
  static_assert(kIsPlainWord<T>);
  TRI_STEP();
  __atomic_store(p, &v, __ATOMIC_RELAXED);
}

template <class T>
inline void store_release(T* p, std::type_identity_t<T> v) {
  static_assert(kIsPlainWord<T>);
  TRI_STEP();
  __atomic_store(p, &v, __ATOMIC_RELEASE);
}

template <class T>
inline bool compare_exchange_strong_acquire(T* p,
                                            std::type_identity_t<T>* expected,
                                            std::type_identity_t<T> desired) {
  static_assert(kIsPlainWord<T>);
  TRI_STEP();
  return __atomic_compare_exchange(p, expected, &desired, /*weak=*/false,
                                   __ATOMIC_ACQUIRE, __ATOMIC_ACQUIRE);
}

#if TRI_TSAN
inline Atomic<uint32_t> g_tsan_fence_word;
inline void fence_seq_cst() { g_tsan_fence_word.fetch_add_seq_cst(0); }
inline void fence_acquire() { g_tsan_fence_word.fetch_add_acq_rel(0); }
inline void fence_release() { g_tsan_fence_word.fetch_add_acq_rel(0); }
#else
inline void fence_seq_cst() {
  std::atomic_thread_fence(std::memory_order_seq_cst);
}
inline void fence_acquire() {
  std::atomic_thread_fence(std::memory_order_acquire);
}
inline void fence_release() {
  std::atomic_thread_fence(std::memory_order_release);
}
#endif

// Keeps the compiler, not the CPU, from moving memory accesses across.
inline void compiler_barrier() { __asm__ __volatile__("" ::: "memory"); }

}  // namespace tricolor::base

#endif  // TRICOLOR_BASE_ATOMICS_H_
