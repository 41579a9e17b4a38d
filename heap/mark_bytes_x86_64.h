// SPDX-License-Identifier: MIT
// Copyright (c) 2026 tricolor authors
//
// Vector forms of heap/mark_bytes.h for x86-64's baseline (SSE2). Callers hold
// the span; see there.
#ifndef TRICOLOR_HEAP_MARK_BYTES_X86_64_H_
#define TRICOLOR_HEAP_MARK_BYTES_X86_64_H_

#include <emmintrin.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace tricolor::heap {

/// Bit i of the result: byte i of the 64 at `p` is 0.
inline uint64_t zero_bytes_of_64(const uint8_t* p) {
  const __m128i zero = _mm_setzero_si128();
  uint64_t bits = 0;
  for (size_t i = 0; i < 64; i += 16) {
    __m128i v = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p + i));
    auto m = static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(v, zero)));
    bits |= uint64_t{m} << i;
  }
  return bits;
}

/// `value` at every stride-th of stride * cells bytes, 0 between. stride is 1,
/// 2, 4 or 8.
inline void fill_pattern_sse2(uint8_t* p, size_t stride, size_t cells,
                              uint8_t value) {
  uint64_t pattern = value;
  for (size_t bytes = stride; bytes < 8; bytes *= 2) {
    pattern |= pattern << (8 * bytes);
  }
  const size_t n = stride * cells;
  const __m128i v = _mm_set1_epi64x(static_cast<int64_t>(pattern));
  size_t i = 0;
  for (; i + 16 <= n; i += 16) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p + i), v);
  }
  for (; i < n; i += stride) p[i] = value;
}

/// Zeroes `bytes`, a multiple of 16, at `p`, aligned to 16.
inline void zero_granules(char* p, size_t bytes) {
  if (bytes > 256) {
    std::memset(p, 0, bytes);
    return;
  }
  const __m128i zero = _mm_setzero_si128();
  for (size_t i = 0; i < bytes; i += 16) {
    _mm_store_si128(reinterpret_cast<__m128i*>(p + i), zero);
  }
}

/// Keeps bytes == cur, clears the others; returns how many it kept. n is a
/// multiple of 64, p of 16.
inline size_t sweep_bytes_sse2(uint8_t* p, size_t n, uint8_t cur) {
  const __m128i want = _mm_set1_epi8(static_cast<char>(cur));
  const __m128i zero = _mm_setzero_si128();
  __m128i live = zero;  // two 64-bit sums
  for (size_t i = 0; i < n; i += 64) {
    __m128i count = zero;  // per byte, at most 4
    for (size_t k = i; k < i + 64; k += 16) {
      auto* at = reinterpret_cast<__m128i*>(p + k);
      __m128i v = _mm_load_si128(at);
      __m128i keep = _mm_cmpeq_epi8(v, want);  // -1 where kept
      count = _mm_sub_epi8(count, keep);
      _mm_store_si128(at, _mm_and_si128(v, keep));
    }
    live = _mm_add_epi64(live, _mm_sad_epu8(count, zero));
  }
  live = _mm_add_epi64(live, _mm_unpackhi_epi64(live, live));
  return static_cast<size_t>(_mm_cvtsi128_si64(live));
}

/// Writes `to` over bytes == from. n is a multiple of 64, p of 16.
inline void replace_bytes_sse2(uint8_t* p, size_t n, uint8_t from, uint8_t to) {
  const __m128i want = _mm_set1_epi8(static_cast<char>(from));
  const __m128i flip = _mm_set1_epi8(static_cast<char>(from ^ to));
  for (size_t i = 0; i < n; i += 16) {
    auto* at = reinterpret_cast<__m128i*>(p + i);
    const __m128i v = _mm_load_si128(at);
    const __m128i hit = _mm_cmpeq_epi8(v, want);
    _mm_store_si128(at, _mm_xor_si128(v, _mm_and_si128(hit, flip)));
  }
}

}  // namespace tricolor::heap

#endif  // TRICOLOR_HEAP_MARK_BYTES_X86_64_H_
