// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// PairField<V>: an encoded value of 16 bytes (a tag word and a payload word,
// Encoding::stride 16) inside a managed cell, at a multiple of 16.
// ValueTraits<V> is specialised as for Field. Stores pass the hybrid barrier
// and are release; loads are relaxed. No call here may collect or suspend.
//
// load() never sees half of a store: both words move in one access, vmovdqa
// where the CPU has AVX (an aligned one of 16 bytes is atomic there, as Intel
// and AMD state; compilers split _mm_load_si128, and std::atomic of 16 bytes is
// a call), else cmpxchg16b, which every x86-64 but the first has. That is for
// the threads of the VM. The collector needs none of it (tricolor/encoding.h):
// a VM whose cells belong to one thread at a time may write the two words by
// itself, each with a relaxed store, after tri_detail_shade_pair as below.
#ifndef TRICOLOR_PAIR_H_
#define TRICOLOR_PAIR_H_

#include <cstdint>
#include <cstring>
#include <type_traits>

#include "tricolor/detail/mutator.h"
#include "tricolor/encoding.h"

namespace tricolor {

namespace detail {

struct alignas(16) PairWords {
  uint64_t word[2];
};

#if TRI_DETAIL_TSAN
// ThreadSanitizer does not see into asm: it gets its own calls.
__extension__ using PairBits = unsigned __int128;
extern "C" PairBits __tsan_atomic128_load(const volatile PairBits*, int);
extern "C" void __tsan_atomic128_store(volatile PairBits*, PairBits, int);
extern "C" int __tsan_atomic128_compare_exchange_strong(volatile PairBits*,
                                                        PairBits*, PairBits,
                                                        int, int);
#endif

/// Stores `desired` if *p is `expected`; else loads into it. Sequentially
/// consistent.
inline bool pair_compare_exchange(PairWords* p, PairWords& expected,
                                  const PairWords& desired) {
#if TRI_DETAIL_TSAN
  PairBits to;
  std::memcpy(&to, &desired, sizeof(to));
  return __tsan_atomic128_compare_exchange_strong(
             reinterpret_cast<PairBits*>(p),
             reinterpret_cast<PairBits*>(&expected), to, __ATOMIC_SEQ_CST,
             __ATOMIC_SEQ_CST) != 0;
#else
  bool same;
  __asm__ volatile("lock cmpxchg16b %1"
                   : "=@ccz"(same), "+m"(*p), "+a"(expected.word[0]),
                     "+d"(expected.word[1])
                   : "b"(desired.word[0]), "c"(desired.word[1])
                   : "memory");
  return same;
#endif
}

using PairVector [[gnu::vector_size(16), gnu::may_alias]] = long long;

inline bool pair_has_avx() {
#if defined(__AVX__)
  return true;
#else
  return __builtin_cpu_supports("avx") != 0;
#endif
}

TRI_DETAIL_NOINLINE inline PairWords pair_load_slow(const PairWords* p) {
  PairWords v = {};
  pair_compare_exchange(const_cast<PairWords*>(p), v, v);  // 0 over 0, or reads
  return v;
}

TRI_DETAIL_NOINLINE inline void pair_store_slow(PairWords* p,
                                                const PairWords& v) {
  PairWords before = {};
  while (!pair_compare_exchange(p, before, v)) {
  }
}

inline PairWords pair_load(const PairWords* p) {
  PairWords v;
#if TRI_DETAIL_TSAN
  PairBits bits = __tsan_atomic128_load(reinterpret_cast<const PairBits*>(p),
                                        __ATOMIC_ACQUIRE);
  std::memcpy(&v, &bits, sizeof(v));
#else
  if (TRI_DETAIL_UNLIKELY(!pair_has_avx())) return pair_load_slow(p);
  PairVector bits;
  __asm__ volatile("vmovdqa %1, %0" : "=x"(bits) : "m"(*p));
  std::memcpy(&v, &bits, sizeof(v));
#endif
  return v;
}

/// Release.
inline void pair_store(PairWords* p, const PairWords& v) {
#if TRI_DETAIL_TSAN
  PairBits bits;
  std::memcpy(&bits, &v, sizeof(v));
  __tsan_atomic128_store(reinterpret_cast<PairBits*>(p), bits,
                         __ATOMIC_RELEASE);
#else
  if (TRI_DETAIL_UNLIKELY(!pair_has_avx())) return pair_store_slow(p, v);
  PairVector bits;
  std::memcpy(&bits, &v, sizeof(v));
  __asm__ volatile("vmovdqa %1, %0" : "=m"(*p) : "x"(bits) : "memory");
#endif
}

}  // namespace detail

template <class V>
class PairField {
 public:
  static_assert(sizeof(V) == 16 && std::is_trivially_copyable_v<V>,
                "a PairField's value is 16 bytes and trivially copyable");
  using value_type = V;

  PairField() = default;
  PairField(const PairField&) = delete;
  PairField& operator=(const PairField&) = delete;

  V load() const { return value_of(detail::pair_load(&words_)); }

  void store(Mutator& mu, V v) {
    if (TRI_DETAIL_UNLIKELY(TRI_DETAIL_FORM(mu.barrier_on) != 0)) {
      tri_detail_shade_pair(&mu, ValueTraits<V>::cell(load()),
                            ValueTraits<V>::cell(v));
    }
    detail::pair_store(&words_, words_of(v));
  }

  /// Only into a cell that no one else has seen and whose field is still zero.
  void init(Mutator& mu, V v) {
    if (TRI_DETAIL_UNLIKELY(TRI_DETAIL_FORM(mu.barrier_on) ==
                            TRI_BARRIER_GREY)) {
      tri_detail_shade_pair(&mu, nullptr, ValueTraits<V>::cell(v));
    }
    detail::pair_store(&words_, words_of(v));
  }

  /// Stores `v`, returns what was there. Sequentially consistent.
  V exchange(Mutator& mu, V v) {
    detail::PairWords old = detail::pair_load(&words_);
    while (!detail::pair_compare_exchange(&words_, old, words_of(v))) {
    }
    const V o = value_of(old);
    if (TRI_DETAIL_UNLIKELY(TRI_DETAIL_FORM(mu.barrier_on) != 0)) {
      tri_detail_shade_pair(&mu, ValueTraits<V>::cell(o),
                            ValueTraits<V>::cell(v));
    }
    return o;
  }

  /// Stores `desired` if the field holds the bytes of `expected`; else loads
  /// into it. Sequentially consistent.
  bool compare_exchange(Mutator& mu, V& expected, V desired) {
    detail::PairWords e = words_of(expected);
    if (!detail::pair_compare_exchange(&words_, e, words_of(desired))) {
      expected = value_of(e);
      return false;
    }
    if (TRI_DETAIL_UNLIKELY(TRI_DETAIL_FORM(mu.barrier_on) != 0)) {
      tri_detail_shade_pair(&mu, ValueTraits<V>::cell(expected),
                            ValueTraits<V>::cell(desired));
    }
    return true;
  }

 private:
  static detail::PairWords words_of(V v) {
    detail::PairWords words;
    std::memcpy(&words, &v, sizeof(v));
    return words;
  }
  static V value_of(const detail::PairWords& words) {
    V v;
    std::memcpy(&v, &words, sizeof(v));
    return v;
  }

  detail::PairWords words_ = {};
};

}  // namespace tricolor

#endif  // TRICOLOR_PAIR_H_
