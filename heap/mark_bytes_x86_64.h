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

inline uint64_t load_8_bytes(const uint8_t* p) {
  uint64_t w;
  std::memcpy(&w, p, 8);
  return w;
}

/// First index in [from, end) with a zero byte, or `end`.
inline size_t find_zero_byte(const uint8_t* p, size_t from, size_t end) {
  size_t i = from;
  const __m128i zero = _mm_setzero_si128();
  for (; i + 16 <= end; i += 16) {
    __m128i v = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p + i));
    unsigned m =
        static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(v, zero)));
    if (m != 0) return i + static_cast<size_t>(__builtin_ctz(m));
  }
  while (i < end && p[i] != 0) ++i;
  return i;
}

/// First index in [from, end) with a non-zero byte, or `end`.
inline size_t find_nonzero_byte(const uint8_t* p, size_t from, size_t end) {
  size_t i = from;
  for (; i + 8 <= end; i += 8) {
    uint64_t w = load_8_bytes(p + i);
    if (w != 0) return i + (static_cast<size_t>(__builtin_ctzll(w)) >> 3);
  }
  while (i < end && p[i] == 0) ++i;
  return i;
}

/// Keeps bytes == cur, clears the others; n is a multiple of 64, p of 16.
inline size_t sweep_bytes_sse2(uint8_t* p, size_t n, uint8_t cur) {
  const __m128i want = _mm_set1_epi8(static_cast<char>(cur));
  size_t live = 0;
  for (size_t i = 0; i < n; i += 16) {
    auto* at = reinterpret_cast<__m128i*>(p + i);
    __m128i v = _mm_load_si128(at);
    __m128i keep = _mm_cmpeq_epi8(v, want);
    live += static_cast<size_t>(
        __builtin_popcount(static_cast<unsigned>(_mm_movemask_epi8(keep))));
    _mm_store_si128(at, _mm_and_si128(v, keep));
  }
  return live;
}

}  // namespace tricolor::heap

#endif  // TRICOLOR_HEAP_MARK_BYTES_X86_64_H_
